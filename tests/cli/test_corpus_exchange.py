"""`newswinnow corpus convert`, `export`, `import` and `queue`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Cli = Callable[..., Result]
ROWS = [
    {"page": "p", "position": 0, "text": "A bridge opened.", "label": "news", "site": "one.example", "votes": 3},
    {"page": "p", "position": 1, "text": "Share", "label": None, "site": "one.example", "votes": None},
    {"page": "q", "position": 0, "text": "Share", "label": "boilerplate", "site": "two.example", "votes": 0.1},
    {"page": "q", "position": 1, "text": "Harbour wall to be raised", "label": None, "site": "two.example", "votes": "x"},
]
TOOLS = ["label-studio", "doccano", "prodigy", "fasttext"]


@pytest.fixture
def table(jsonl: Any, tmp_path: Path) -> Path:
    path: Path = jsonl(tmp_path / "table.jsonl", ROWS)
    return path


def rows_in(path: Path) -> list[dict[str, Any]]:
    return list(map(json.loads, path.read_text(encoding="utf-8").splitlines()))


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz", "csv", "tsv", "parquet"])
def test_convert_and_back(suffix: str, cli: Cli, jsonl: Any, tmp_path: Path) -> None:
    rows = [{name: value for name, value in row.items() if name != "votes"} for row in ROWS]
    table = jsonl(tmp_path / "table.jsonl", rows)
    there = cli("corpus", "convert", table, tmp_path / f"there.{suffix}")
    assert (there.exit_code, there.stdout, there.stderr) == (0, "", "4 records: 4 written, 0 rejected\n")
    assert cli("corpus", "convert", tmp_path / f"there.{suffix}", tmp_path / "back.jsonl").exit_code == 0
    assert rows_in(tmp_path / "back.jsonl") == rows


def test_convert_to_stdout(cli: Cli, table: Path) -> None:
    result = cli("corpus", "convert", table, "-", "--format", "csv")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:2] == [
        "page,position,text,label,site,votes",
        "p,0,A bridge opened.,news,one.example,3",
    ]
    assert [json.loads(line) for line in cli("corpus", "convert", table, "-").stdout.splitlines()] == ROWS


def test_convert_sets_refused_records_aside(cli: Cli, jsonl: Any, tmp_path: Path) -> None:
    bad = [{**ROWS[0], "position": i + 5, "label": "News"} for i in range(12)]
    table, rejects = jsonl(tmp_path / "table.jsonl", [*ROWS, *bad]), tmp_path / "rejects.jsonl"
    result = cli("corpus", "convert", table, tmp_path / "out.csv", "--rejects", rejects)
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert lines[0] == "16 records: 4 written, 12 rejected"
    assert lines[1] == f"{table}:5: label must be one of news, boilerplate, related-link; got 'News'"
    assert lines[-1] == "... and 2 more"
    assert len(lines) == 12
    assert [row["line"] for row in rows_in(rejects)] == list(range(5, 17))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["{d}/none.jsonl", "{d}/o.csv"], "{d}/none.jsonl: must be an existing "),
        (
            ["{d}/table.jsonl", "{d}/table.jsonl", "--overwrite"],
            "{d}/table.jsonl: must not be one of the inputs; got {d}/table.jsonl",
        ),
        (
            ["{d}/table.jsonl", "{d}/o.csv", "--rejects", "{d}/o.csv"],
            "{d}/o.csv: must not be another output; got the same file twice",
        ),
        (
            ["{d}/table.jsonl", "{d}/o.csv", "--format", "xls"],
            "{d}/o.csv: format must be one of jsonl, csv, tsv, parquet; got 'xls'",
        ),
        (["{d}/table.jsonl", "{d}/none/o.csv"], "{d}/none/o.csv: must be in an existing folder; got no {d}/none"),
    ],
)
def test_convert_errors_are_one_line(arguments: list[str], error: str, cli: Cli, table: Path) -> None:
    folder = table.parent
    result = cli("corpus", "convert", *(argument.format(d=folder) for argument in arguments))
    assert result.exit_code == 2
    assert result.stderr.startswith(error.format(d=folder))
    assert len(result.stderr.splitlines()) == 1
    assert list(folder.iterdir()) == [table]


@pytest.mark.parametrize("tool", TOOLS)
def test_export_and_import_give_the_table_back(tool: str, cli: Cli, table: Path, tmp_path: Path) -> None:
    files = {"label-studio": ["x", "x.xml"], "fasttext": ["x", "x.ids.jsonl"]}.get(tool, ["x"])
    result = cli("corpus", "export", table, "--to", tool, "-o", tmp_path / "x", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"pages": 2, "paragraphs": 4, "files": [str(tmp_path / name) for name in files]}
    assert {path.name for path in tmp_path.iterdir()} == {"table.jsonl", *files}
    back = cli("corpus", "import", tmp_path / "x", "--from", tool, "-o", tmp_path / "back.jsonl")
    n_undecided = 4 if tool == "label-studio" else 0
    assert (back.exit_code, back.stderr) == (0, f"4 records: 4 taken, {n_undecided} of them undecided, 0 rejected\n")
    assert rows_in(tmp_path / "back.jsonl") == ROWS


def test_export_says_what_it_wrote_and_replaces_only_when_told(cli: Cli, table: Path, tmp_path: Path) -> None:
    arguments = ["corpus", "export", table, "--to", "fasttext", "-o", tmp_path / "x"]
    (tmp_path / "x.ids.jsonl").touch()
    refused = cli(*arguments)
    assert refused.exit_code == 2
    assert refused.stderr.startswith(f"{tmp_path}/x.ids.jsonl: must not exist yet; got an existing path")
    assert not (tmp_path / "x").exists()
    result = cli(*arguments, "--overwrite")
    assert (result.exit_code, result.stdout) == (0, f"2 pages, 4 paragraphs: {tmp_path}/x, {tmp_path}/x.ids.jsonl\n")


def test_labels_join_the_corpus(cli: Cli, table: Path, tmp_path: Path) -> None:
    cli("corpus", "export", table, "--to", "fasttext", "-o", tmp_path / "x")
    text = (tmp_path / "x").read_text(encoding="utf-8")
    (tmp_path / "x").write_text(text.replace("\nHarbour", "\n__label__related-link Harbour"), encoding="utf-8")
    result = cli("corpus", "import", tmp_path / "x", "--from", "fasttext", "--corpus", table)
    assert (result.exit_code, result.stderr) == (0, "4 records: 1 labels changed, 3 confirmed, 0 undecided, 0 rejected\n")
    assert [json.loads(line) for line in result.stdout.splitlines()] == [*ROWS[:3], {**ROWS[3], "label": "related-link"}]


def test_refused_labels_end_with_exit_code_1(cli: Cli, table: Path, tmp_path: Path) -> None:
    path = tmp_path / "x"
    cli("corpus", "export", table, "--to", "doccano", "-o", path)
    path.write_text(path.read_text(encoding="utf-8").replace('["news"]', '["News"]'), encoding="utf-8")
    result = cli("corpus", "import", path, "--from", "doccano", "--rejects", tmp_path / "rejects.jsonl", "-o", tmp_path / "o.csv")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "4 records: 3 taken, 0 of them undecided, 1 rejected",
        f"{path}:1: label must be one of news, boilerplate, related-link; got 'News'",
    ]
    assert len(rows_in(tmp_path / "rejects.jsonl")) == 1
    assert len((tmp_path / "o.csv").read_text(encoding="utf-8").splitlines()) == 4


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ["export", "{t}", "--to", "labelme", "-o", "{d}/x"],
            "tool: must be one of label-studio, doccano, prodigy, fasttext; got 'labelme'",
        ),
        (["export", "{t}", "--to", "doccano", "-o", "{t}", "--overwrite"], "{t}: must not be one of the inputs; got {t}"),
        (
            ["export", "{t}", "--to", "doccano", "-o", "{d}/x", "--only-queued"],
            "table: must have the columns page, position, text, queue; ",
        ),
        (["import", "{t}", "--from", "labelme"], "tool: must be one of label-studio, doccano, prodigy, fasttext; got 'labelme'"),
        (["import", "{t}", "--from", "label-studio"], "{t}: must be valid JSON; got Extra data"),
        (["import", "{d}/none", "--from", "doccano"], "{d}/none: must be an existing file; got nothing there"),
        (["import", "{t}", "--from", "doccano", "-o", "{t}", "--overwrite"], "{t}: must not be one of the inputs; got {t}"),
        (["import", "-", "--from", "fasttext"], "stdin: fastText files must lie beside their companion"),
        (["queue", "{t}", "--strategy", "best"], "strategy: must be one of margin-diverse, "),
        (["queue", "{d}/none.csv"], "{d}/none.csv: must be an existing "),
    ],
)
def test_errors_are_one_line(arguments: list[str], error: str, cli: Cli, table: Path) -> None:
    named = {"t": table, "d": table.parent}
    result = cli("corpus", *(argument.format(**named) for argument in arguments))
    assert result.exit_code == 2
    assert result.stderr.startswith(error.format(**named))
    assert len(result.stderr.splitlines()) == 1
    assert list(table.parent.iterdir()) == [table]


def test_queue_ranks_unlabelled_paragraphs_in_their_pages(cli: Cli, table: Path, tmp_path: Path) -> None:
    result = cli("corpus", "queue", table, "--number", 1, "-o", tmp_path / "queue.jsonl")
    assert (result.exit_code, result.stderr) == (0, "1 paragraphs on 1 pages of 1 sites\n")
    rows = rows_in(tmp_path / "queue.jsonl")
    assert len(rows) == 2
    assert [row["queue"] for row in rows] == [None, 1]
    assert [{name: value for name, value in row.items() if name != "queue"} for row in rows] in (ROWS[:2], ROWS[2:])
    exported = cli("corpus", "export", tmp_path / "queue.jsonl", "--to", "prodigy", "-o", tmp_path / "x", "--only-queued")
    assert exported.stdout == f"1 pages, 1 paragraphs: {tmp_path}/x\n"


def test_queue_of_picks_alone_on_stdout(cli: Cli, table: Path) -> None:
    arguments = ["corpus", "queue", table, "-n", 5, "--only-picked", "--strategy", "random", "--seed", 1, "--per-site", 0]
    result = cli(*arguments)
    assert result.exit_code == 0
    assert sorted(json.loads(line)["queue"] for line in result.stdout.splitlines()) == [1, 2]
    assert cli(*arguments).stdout == result.stdout


def test_queue_options_are_checked(cli: Cli, table: Path) -> None:
    for option, value in (("-n", 0), ("--per-site", -1), ("--seed", -1)):
        result = cli("corpus", "queue", table, option, value)
        assert result.exit_code == 2
        assert "Invalid value" in result.stderr
