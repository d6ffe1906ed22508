"""`newswinnow corpus`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

Cli = Callable[..., Result]


def row(position: int, label: str | None, text: str, page: str = "p", site: str | None = "one.example") -> dict[str, Any]:
    fields = {"page": page, "position": position, "text": text, "label": label}
    return {**fields, "site": site} if site else fields


CLEAN = [row(0, "news", "A bridge opened."), row(1, "boilerplate", "Share"), row(2, "related-link", "More on bridges")]


def test_check_of_a_good_corpus(cli: Cli, jsonl: Any, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "good.jsonl", CLEAN)
    result = cli("corpus", "check", path)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "3 records, 0 rejected, 0 warnings\n", "")


def test_check_lists_every_bad_record_with_its_line(cli: Cli, jsonl: Any, tmp_path: Path) -> None:
    bad = [{**CLEAN[0], "position": 4 + i, "label": "News\x1b"} for i in range(12)]
    path = jsonl(tmp_path / "bad.jsonl", [*CLEAN, *bad])
    result = cli("corpus", "check", path)
    assert result.exit_code == 2
    assert result.stdout == "15 records, 12 rejected, 0 warnings\n"
    lines = result.stderr.splitlines()
    rule = "label must be one of news, boilerplate, related-link; got 'News\\x1b'"
    assert lines == [f"{path}:{n}: {rule}" for n in range(4, 16)]


def test_check_json_holds_rejects_and_warnings(cli: Cli, jsonl: Any, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "bad.jsonl", [row(0, "news", "A bridge opened.", site=None), row(1, "relatd", "x")])
    result = cli("corpus", "check", path, "--json")
    assert result.exit_code == 2
    found = json.loads(result.stdout)
    assert found["records"] == 2
    assert [(r["source"], r["line"]) for r in found["rejects"]] == [(str(path), 2)]
    assert found["warnings"] == [
        "no paragraph is labelled boilerplate, related-link",
        "rows without a site: splits cannot keep sites apart (add a 'site' column)",
    ]
    assert result.stderr == ""


def test_check_shows_clashing_labels_with_their_places(cli: Cli, jsonl: Any, tmp_path: Path) -> None:
    text = "Harbour wall to be raised after storm"
    path = jsonl(tmp_path / "clash.jsonl", [*CLEAN, row(3, "news", text), row(9, "related-link", text, page="q")])
    result = cli("corpus", "check", path)
    assert result.exit_code == 0
    assert result.stderr == f"warning: clashing labels: {text!r} is news at p:3, related-link at q:9\n"
    assert result.stdout == "5 records, 0 rejected, 1 warnings\n"


def test_check_names_both_places_of_a_paragraph_given_twice(cli: Cli, jsonl: Any, tmp_path: Path) -> None:
    one, two = jsonl(tmp_path / "one.jsonl", CLEAN), jsonl(tmp_path / "two.jsonl", [CLEAN[1]])
    result = cli("corpus", "check", one, two)
    assert result.exit_code == 2
    assert f"{two}:1: page and position must be unique; got " in result.stderr
    assert f"first at {one}:2" in result.stderr


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_check_of_nothing_is_an_error(content: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text(content, encoding="utf-8")
    result = cli("corpus", "check", tmp_path / "empty.jsonl")
    assert result.exit_code == 2
    assert result.stderr == "warning: no paragraphs\n"
    assert json.loads(cli("corpus", "check", tmp_path / "empty.jsonl", "--json").stdout)["records"] == 0


@pytest.mark.parametrize("command", ["check", "stats"])
def test_a_missing_file_is_one_line(command: str, cli: Cli, tmp_path: Path) -> None:
    result = cli("corpus", command, tmp_path / "absent.jsonl")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"{tmp_path}/absent.jsonl: must be an existing file; got nothing there\n"


def test_check_needs_labels(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("page,position,text\np,0,Share\n", encoding="utf-8")
    result = cli("corpus", "check", tmp_path / "in.csv")
    assert result.exit_code == 2
    assert result.stderr == f"{tmp_path}/in.csv:1: must have the columns page, position, text, label; got page, position, text\n"


def test_stats_count_what_is_there(cli: Cli, jsonl: Any, rows_of: Any, tmp_path: Path) -> None:
    rows = [*rows_of("s"), row(9, None, "unlabelled", page="s0.example/0", site="s0.example")]
    path = jsonl(tmp_path / "in.jsonl", rows)
    result = cli("corpus", "stats", path)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "25 paragraphs, 24 labelled, 6 pages, 3 sites"
    assert lines[1] == "10 repeated texts, 0 texts with clashing labels"
    cells = [line.split() for line in lines]
    assert ["boilerplate", "12", "50.0%", "1", "1", "2", "2", "2"] in cells
    assert ["even", "16"] in cells
    assert ["odd", "8"] in cells
    assert ["s0.example", "9"] in cells
    found = json.loads(cli("corpus", "stats", path, "--json").stdout)
    assert found["labels"] == {"news": 6, "boilerplate": 12, "related-link": 6}
    assert (found["n_paragraphs"], found["n_labelled"], found["n_sites"]) == (25, 24, 3)


def test_stats_of_an_unlabelled_table(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("page,position,text\np,0,Share\n", encoding="utf-8")
    result = cli("corpus", "stats", tmp_path / "in.csv")
    assert result.exit_code == 0
    assert result.stdout.startswith("1 paragraphs, 0 labelled, 1 pages, 0 sites\n")


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_stats_escape_names_from_the_data(options: list[str], cli: Cli, jsonl: Any, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "in.jsonl", [row(0, "news", "A bridge opened.", site="\x1b[2Jevil\x9b.example")])
    result = cli("corpus", "stats", path, *options)
    assert result.exit_code == 0
    assert "evil" in result.stdout
    assert all(c.isprintable() or c == "\n" for c in result.stdout)


def test_stats_refuse_bad_records(cli: Cli, jsonl: Any, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "in.jsonl", [*CLEAN, row(4, "nws", "x")])
    result = cli("corpus", "stats", path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"{path}:4: label must be one of news, boilerplate, related-link; got 'nws'\n"
