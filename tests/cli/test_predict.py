"""`newswinnow predict` and `newswinnow clean`."""

import csv
import gzip
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from benchmarks.processes import NEWSWINNOW
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import Result

from newswinnow.corpus.streams import open_bytes

Cli = Callable[..., Result]
NEWS = "The council voted on Monday to repair the old bridge over the Tarn."
LINK = "Harbour wall to be raised after storm"
COLUMNS = ["page", "position", "text", "predicted", "p_news", "p_boilerplate", "p_related_link"]


def records(text: str) -> list[dict[str, Any]]:
    """JSON Lines as dictionaries, cut at line feeds only."""
    return [json.loads(line) for line in text.split("\n") if line]


def row(position: int, text: str = "Share", page: str = "p") -> dict[str, Any]:
    return {"page": page, "position": position, "text": text}


def test_every_paragraph_gets_one_row_with_its_label(cli: Cli, saved_model: Any, page: Path) -> None:
    result = cli("predict", page, *saved_model.options)
    assert result.exit_code == 0
    found = records(result.stdout)
    assert [(r["page"], r["position"], r["text"], r["predicted"]) for r in found] == [
        ("page", 0, "Share", "boilerplate"),
        ("page", 1, NEWS, "news"),
        ("page", 2, LINK, "related-link"),
    ]
    assert list(found[0]) == COLUMNS
    assert [found[1][f"p_{name}"] for name in ("news", "boilerplate", "related_link")] == [1.0, 0.0, 0.0]
    assert result.stderr == "3 paragraphs: 1 news, 1 boilerplate, 1 related-link\n"


def test_without_a_model_the_default_one_is_used(cli: Cli, page: Path) -> None:
    result = cli("predict", page)
    assert result.exit_code == 0
    assert [r["text"] for r in records(result.stdout)] == ["Share", NEWS, LINK]
    assert {r["predicted"] for r in records(result.stdout)} <= {"news", "boilerplate", "related-link"}


@pytest.mark.parametrize("command", ["predict", "clean"])
def test_the_word_shipped_names_the_model_of_the_package(
    command: str, cli: Cli, page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plain, named = cli(command, page), cli(command, page, "--model", "shipped")
    assert (named.exit_code, named.stdout) == (0, plain.stdout)
    bulk = cli(command, page, "--model", "shipped", "--run", "run", "-o", "-", *(["--json"] if command == "clean" else []))
    assert bulk.exit_code == 0
    assert NEWS in bulk.stdout
    assert cli(command, page, "--model", "./shipped").exit_code == 5
    (tmp_path / "shipped").mkdir()
    assert cli(command, page, "--model", "shipped").exit_code == 5


def read_csv(data: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8"), newline=""), delimiter=delimiter))


def read_parquet(data: bytes) -> list[dict[str, Any]]:
    table = pd.read_parquet(io.BytesIO(data))
    return [dict(zip(COLUMNS, values, strict=True)) for values in table[COLUMNS].to_numpy()]


READERS: dict[str, Callable[[bytes], list[dict[str, Any]]]] = {
    "jsonl": lambda data: records(data.decode("utf-8")),
    "csv": read_csv,
    "tsv": lambda data: read_csv(data, "\t"),
    "parquet": read_parquet,
}


@pytest.mark.parametrize("name", READERS)
def test_format_to_stdout_and_by_suffix_are_the_same_bytes(
    name: str, cli: Cli, saved_model: Any, page: Path, tmp_path: Path
) -> None:
    to_stdout = cli("predict", page, *saved_model.options, "--format", name)
    out = tmp_path / f"out.{name}"
    to_file = cli("predict", page, *saved_model.options, "-o", out)
    assert (to_stdout.exit_code, to_file.exit_code) == (0, 0)
    assert to_file.stdout_bytes == b""
    assert out.read_bytes() == to_stdout.stdout_bytes
    found = READERS[name](out.read_bytes())
    assert [r["predicted"] for r in found] == ["boilerplate", "news", "related-link"]
    assert [int(r["position"]) for r in found] == [0, 1, 2]
    assert [float(r["p_news"]) for r in found] == [0.0, 1.0, 0.0]


@pytest.mark.parametrize("command", [["predict"], ["predict", "--format", "table"], ["clean"], ["clean", "--json"]])
def test_a_dash_as_output_is_stdout(
    command: list[str], cli: Cli, saved_model: Any, page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    result = cli(*command, page, *saved_model.options, "-o", "-")
    assert result.exit_code == 0
    assert NEWS[:30] in result.stdout
    assert result.stdout == cli(*command, page, *saved_model.options).stdout
    assert sorted(tmp_path.iterdir()) == before


def test_format_wins_over_suffix_and_gz_compresses(cli: Cli, saved_model: Any, page: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.txt.gz"
    assert cli("predict", page, *saved_model.options, "-o", out, "--format", "tsv").exit_code == 0
    assert [r["predicted"] for r in read_csv(gzip.decompress(out.read_bytes()), "\t")] == ["boilerplate", "news", "related-link"]


def test_table_is_for_reading_only(cli: Cli, saved_model: Any, page: Path, tmp_path: Path) -> None:
    result = cli("predict", page, *saved_model.options, "--format", "table")
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["boilerplate", "news", "related-link"]
    refused = cli("predict", page, *saved_model.options, "--format", "table", "-o", tmp_path / "out.txt")
    assert refused.exit_code == 2
    assert "format must be one of jsonl, csv, tsv, parquet; got 'table'" in refused.stderr
    assert not (tmp_path / "out.txt").exists()


@pytest.mark.parametrize(
    ("stdin", "page_id"),
    [
        (f"Share\n\n{NEWS}\n", "stdin"),
        (f"<html><body><p>Share</p><p>{NEWS}</p></body></html>", "stdin"),
        ("".join(json.dumps(row(i, text, "q")) + "\n" for i, text in enumerate(["Share", NEWS])), "q"),
    ],
)
def test_stdin_is_told_by_its_first_bytes(stdin: str, page_id: str, cli: Cli, saved_model: Any) -> None:
    result = cli("predict", "-", *saved_model.options, stdin=stdin)
    assert result.exit_code == 0
    assert [(r["page"], r["text"], r["predicted"]) for r in records(result.stdout)] == [
        (page_id, "Share", "boilerplate"),
        (page_id, NEWS, "news"),
    ]


def test_input_format_overrules_what_stdin_looks_like(cli: Cli, saved_model: Any) -> None:
    result = cli("predict", "-", *saved_model.options, "--input-format", "csv", stdin="page,position,text\nq,7,Share\n")
    assert [(r["page"], r["position"], r["text"]) for r in records(result.stdout)] == [("q", 7, "Share")]
    text = cli("predict", "-", *saved_model.options, "--input-format", "txt", stdin=json.dumps(row(0)))
    assert records(text.stdout)[0]["text"] == json.dumps(row(0))


def test_a_file_of_unknown_suffix_is_read_and_replaced_output_allowed_with_input_format(
    cli: Cli, saved_model: Any, tmp_path: Path
) -> None:
    (tmp_path / "page.dat").write_text("Share\n", encoding="utf-8")
    out = tmp_path / "out.jsonl"
    out.write_text("old\n", encoding="utf-8")
    options = [*saved_model.options, "--input-format", "txt", "-o", out, "--overwrite"]
    assert cli("predict", tmp_path / "page.dat", *options).exit_code == 0
    assert [r["text"] for r in records(out.read_text(encoding="utf-8"))] == ["Share"]


def test_directories_are_searched_in_order_of_names(cli: Cli, saved_model: Any, tmp_path: Path) -> None:
    folder = tmp_path / "crawl"
    (folder / "b").mkdir(parents=True)
    (folder / "b" / "two.txt").write_text(NEWS, encoding="utf-8")
    (folder / "a.html").write_text(f"<p>{LINK}</p>", encoding="utf-8")
    (folder / "c.txt.gz").write_bytes(gzip.compress(b"Share"))
    (folder / "notes.md").write_text("not read", encoding="utf-8")
    (folder / "link.txt").symlink_to(folder / "b" / "two.txt")
    result = cli("predict", folder, *saved_model.options)
    assert result.exit_code == 0
    assert [(r["page"], r["predicted"]) for r in records(result.stdout)] == [
        ("a", "related-link"),
        ("b/two", "news"),
        ("c", "boilerplate"),
    ]


@pytest.mark.parametrize("command", ["predict", "clean"])
def test_a_parquet_bomb_is_one_line(command: str, cli: Cli, saved_model: Any, tmp_path: Path) -> None:
    path = tmp_path / "bomb.parquet"
    table = pd.DataFrame({"page": "p", "position": range(40), "text": ["x" * 500_000] * 40})
    table.to_parquet(path, index=False, compression="zstd")
    assert path.stat().st_size < 10_000
    result = cli(command, path, *saved_model.options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{path}: must not expand to more than 250 times its size; got " in result.stderr


@pytest.mark.parametrize("command", ["predict", "clean"])
def test_what_is_no_file_in_a_directory_is_counted(command: str, cli: Cli, saved_model: Any, tmp_path: Path) -> None:
    folder = tmp_path / "crawl"
    (folder / "deep").mkdir(parents=True)
    (folder / "one.txt").write_text(NEWS, encoding="utf-8")
    os.mkfifo(folder / "deep" / "pipe.txt")
    (folder / "deep" / "loop").symlink_to(folder)
    (folder / "device.txt").symlink_to("/dev/zero")
    (folder / "gone.txt").symlink_to(folder / "absent.txt")
    result = cli(command, folder, *saved_model.options)
    assert result.exit_code == 0
    assert result.stderr == "1 paragraphs: 1 news, 0 boilerplate, 0 related-link\npassed over: 3 links, 1 pipe\n"
    assert "passed over" not in cli(command, folder / "one.txt", *saved_model.options).stderr


@pytest.mark.parametrize("name", ["jsonl", "csv", "tsv", "parquet"])
@pytest.mark.parametrize("suffix", ["txt", "html", "jsonl", "csv"])
def test_empty_input_gives_a_valid_empty_output(suffix: str, name: str, cli: Cli, saved_model: Any, tmp_path: Path) -> None:
    (tmp_path / f"empty.{suffix}").write_bytes(b"")
    out = tmp_path / f"out.{name}"
    result = cli("predict", tmp_path / f"empty.{suffix}", *saved_model.options, "-o", out)
    assert result.exit_code == 0
    assert result.stderr == "0 paragraphs: 0 news, 0 boilerplate, 0 related-link\n"
    assert READERS[name](out.read_bytes()) == []
    if name in ("csv", "tsv"):
        header = out.read_text(encoding="utf-8").split("\n")
        assert header[1:] == [""]
        assert [c for c in header[0].split("," if name == "csv" else "\t") if c in COLUMNS] == COLUMNS
    if name == "parquet":
        assert set(COLUMNS) <= set(pd.read_parquet(out).columns)


def test_empty_text_keeps_its_row_and_gets_no_label(cli: Cli, saved_model: Any, jsonl: Any, tmp_path: Path) -> None:
    source = jsonl(tmp_path / "in.jsonl", [row(0), row(1, " \u2003\n "), row(2, NEWS)])
    result = cli("predict", source, *saved_model.options)
    assert result.exit_code == 0
    found = records(result.stdout)
    assert [(r["position"], r["status"], r["predicted"]) for r in found] == [
        (0, None, "boilerplate"),
        (1, "empty", None),
        (2, None, "news"),
    ]
    assert [found[1][c] for c in COLUMNS[4:]] == [None, None, None]
    assert "3 paragraphs: 1 news, 1 boilerplate, 0 related-link, 1 empty\n" in result.stderr


def test_unknown_columns_pass_through(cli: Cli, saved_model: Any, jsonl: Any, tmp_path: Path) -> None:
    source = jsonl(tmp_path / "in.jsonl", [{**row(0), "crawl": {"day": 3}}])
    assert records(cli("predict", source, *saved_model.options).stdout)[0]["crawl"] == {"day": 3}


BAD_LINES = [
    b'{"page": "p", "position": -1, "text": "x"}',
    b'{"page": "p", "position": 0}',
    b'{"page": "p", "position": 0, "text": NaN}',
    b"[1, 2]",
    b'{"page": "p", "position": 9, "text": "\xff"}',
    b'{"page": "p", "position": 9, "text": "a", "text": "b"}',
    b'{"page": "p", "position": 9, "text": "a", "label": "News"}',
    b"{",
]


@pytest.mark.parametrize("bad", BAD_LINES)
def test_a_bad_record_is_set_aside_and_the_rest_is_done(bad: bytes, cli: Cli, saved_model: Any, tmp_path: Path) -> None:
    source, rejects, out = tmp_path / "in.jsonl", tmp_path / "rejects.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(json.dumps(row(0)).encode() + b"\n" + bad + b"\n" + json.dumps(row(1, NEWS)).encode() + b"\n")
    result = cli("predict", source, *saved_model.options, "-o", out, "--rejects", rejects)
    assert result.exit_code == 1
    assert [r["position"] for r in records(out.read_text(encoding="utf-8"))] == [0, 1]
    (reject,) = records(rejects.read_text(encoding="utf-8"))
    assert (reject["source"], reject["line"]) == (str(source), 2)
    assert "; got " in reject["reason"]
    assert len(reject["excerpt"]) <= 80
    assert result.stderr.splitlines()[0] == "2 paragraphs: 1 news, 1 boilerplate, 0 related-link, 1 rejected"
    assert result.stderr.splitlines()[1] == f"{source}:2: {reject['reason']}"


good = st.tuples(st.just(True), st.text(max_size=20))
broken = st.tuples(st.just(False), st.sampled_from(BAD_LINES))


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(good | broken, max_size=12))
def test_rows_in_are_rows_out_and_rejected(
    lines: list[tuple[bool, Any]], cli: Cli, saved_model: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("law")
    first = json.dumps(row(10_000)).encode()
    body = [json.dumps(row(i, text)).encode() if is_good else text for i, (is_good, text) in enumerate(lines)]
    (folder / "in.jsonl").write_bytes(b"\n".join([first, *body]) + b"\n")
    result = cli(
        "predict", folder / "in.jsonl", *saved_model.options, "-o", folder / "out.jsonl", "--rejects", folder / "r.jsonl"
    )
    n_out = (folder / "out.jsonl").read_bytes().count(b"\n")
    n_rejected = (folder / "r.jsonl").read_bytes().count(b"\n")
    assert n_out + n_rejected == 1 + len(lines)
    assert n_rejected == sum(not is_good for is_good, _ in lines)
    assert result.exit_code == (1 if n_rejected else 0)


def test_rejects_of_a_clean_run_are_an_empty_file(cli: Cli, saved_model: Any, page: Path, tmp_path: Path) -> None:
    result = cli("predict", page, *saved_model.options, "--rejects", tmp_path / "r.jsonl")
    assert result.exit_code == 0
    assert (tmp_path / "r.jsonl").read_bytes() == b""


def test_many_rejects_are_counted_and_ten_are_shown(cli: Cli, saved_model: Any, jsonl: Any, tmp_path: Path) -> None:
    source = jsonl(tmp_path / "in.jsonl", [row(0), *({"page": "p", "position": "x", "text": "y"} for _ in range(13))])
    result = cli("predict", source, *saved_model.options)
    assert result.exit_code == 1
    said = result.stderr.splitlines()
    assert said[0].endswith("13 rejected")
    assert [line.rsplit(":", 2)[1] for line in said[1:11]] == [str(n) for n in range(2, 12)]
    assert said[11:] == ["... and 3 more"]


def test_control_characters_are_text_and_escaped_in_messages(cli: Cli, saved_model: Any, jsonl: Any, tmp_path: Path) -> None:
    text = "a\x00b\x1b[31mred\x7f"
    source = jsonl(tmp_path / "in.jsonl", [row(0, text), {"page": "p\x1b[2J", "position": 0, "text": "x", "label": "\x1b[31m"}])
    result = cli("predict", source, *saved_model.options)
    assert [r["text"] for r in records(result.stdout)] == [text]
    assert "\x1b" not in result.stderr
    assert "\\x1b[31m" in result.stderr


def test_a_file_name_that_is_not_utf8_is_told_apart_and_no_crash(cli: Cli, saved_model: Any, tmp_path: Path) -> None:
    folder = tmp_path / "crawl"
    folder.mkdir()
    (folder / "good.txt").write_text("Share", encoding="utf-8")
    Path(os.fsdecode(os.fsencode(folder) + b"/bad\xff.txt")).write_text("Share", encoding="utf-8")
    result = cli("predict", folder, *saved_model.options, "--rejects", tmp_path / "r.jsonl")
    assert result.exit_code == 1
    assert [r["page"] for r in records(result.stdout)] == ["good"]
    (reject,) = records((tmp_path / "r.jsonl").read_text(encoding="utf-8"))
    assert reject["source"] == f"{folder}/bad\\xff.txt"
    assert reject["reason"].startswith("page must be valid UTF-8; got byte 0xff")


@pytest.mark.parametrize("command", ["predict", "clean"])
class TestRefusals:
    """What both commands refuse before any work."""

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["absent.txt"], "absent.txt: must be an existing file or directory; got nothing there"),
            (["-", "--context", "page"], "context: must be auto or one of alone for this model; got 'page'"),
            (
                ["-", "--input-format", "doc"],
                "input format: must be one of txt, html, htm, jsonl, csv, tsv, parquet, warc, wet; got 'doc'",
            ),
            (["-", "-o", "absent/out.txt"], "absent/out.txt: must be in an existing folder; got no absent"),
        ],
    )
    def test_one_line_and_exit_2(
        self, command: str, arguments: list[str], said: str, cli: Cli, saved_model: Any, tmp_path: Path, monkeypatch: Any
    ) -> None:
        monkeypatch.chdir(tmp_path)
        result = cli(command, *arguments, *saved_model.options, stdin="Share")
        assert (result.exit_code, result.stdout, result.stderr) == (2, "", said + "\n")

    def test_a_missing_file_is_told_before_the_model_is_looked_at(self, command: str, cli: Cli, tmp_path: Path) -> None:
        result = cli(command, tmp_path / "absent.txt", "--model", tmp_path / "no-model", "--trust", "0" * 64)
        assert result.exit_code == 2
        assert result.stderr == f"{tmp_path}/absent.txt: must be an existing file or directory; got nothing there\n"

    def test_a_file_of_unknown_kind(self, command: str, cli: Cli, saved_model: Any, tmp_path: Path) -> None:
        (tmp_path / "page.docx").write_bytes(b"x")
        result = cli(command, tmp_path / "page.docx", *saved_model.options)
        assert result.exit_code == 2
        assert "page.docx: must end in one of .txt, .html" in result.stderr
        assert "got '.docx'" in result.stderr

    def test_missing_columns_are_listed(self, command: str, cli: Cli, saved_model: Any, jsonl: Any, tmp_path: Path) -> None:
        source = jsonl(tmp_path / "in.jsonl", [{"page": "p", "pos": 1, "txt": "x"}])
        result = cli(command, source, *saved_model.options)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr == f"{source}:1: must have the columns page, position, text; got page, pos, txt\n"

    def test_an_existing_output_is_replaced_only_on_demand(
        self, command: str, cli: Cli, saved_model: Any, page: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out.jsonl"
        out.write_text("old", encoding="utf-8")
        refused = cli(command, page, *saved_model.options, "-o", out)
        assert refused.exit_code == 2
        assert refused.stderr == f"{out}: must not exist yet; got an existing path (--overwrite replaces a file)\n"
        assert out.read_text(encoding="utf-8") == "old"
        assert cli(command, page, *saved_model.options, "-o", out, "--overwrite").exit_code == 0
        assert NEWS in out.read_text(encoding="utf-8")
        assert sorted(p.name for p in tmp_path.iterdir()) == ["out.jsonl", "page.txt"]

    @pytest.mark.parametrize("how", ["itself", "symlink", "hardlink", "in a folder"])
    def test_an_input_is_never_the_output(self, command: str, how: str, cli: Cli, saved_model: Any, page: Path) -> None:
        before = page.read_bytes()
        out = page if how in ("itself", "in a folder") else page.with_name("other.txt")
        if how == "symlink":
            out.symlink_to(page)
        elif how == "hardlink":
            out.hardlink_to(page)
        named = page.parent if how == "in a folder" else page
        result = cli(command, named, *saved_model.options, "-o", out, "--overwrite")
        assert result.exit_code == 2
        assert f"{out}: must not be one of the inputs; got " in result.stderr
        assert page.read_bytes() == before

    def test_a_device_or_folder_is_no_output_even_with_overwrite(
        self, command: str, cli: Cli, saved_model: Any, page: Path, tmp_path: Path
    ) -> None:
        fifo, folder = tmp_path / "pipe", tmp_path / "folder"
        os.mkfifo(fifo)
        folder.mkdir()
        for out in (fifo, folder):
            result = cli(command, page, *saved_model.options, "-o", out, "--overwrite")
            assert result.exit_code == 2
            assert f"{out}: must not exist yet" in result.stderr
        assert fifo.is_fifo()

    def test_an_untrusted_model_is_refused_with_5(self, command: str, cli: Cli, saved_model: Any, page: Path) -> None:
        no_trust = cli(command, page, "--model", saved_model.path)
        assert no_trust.exit_code == 5
        assert "needs explicit trust; got none" in no_trust.stderr
        wrong = cli(command, page, "--model", saved_model.path, "--trust", "0" * 64)
        assert wrong.exit_code == 5
        assert f"sha256 must be {'0' * 64}; got {saved_model.sha256}" in wrong.stderr
        assert (no_trust.stdout, wrong.stdout) == ("", "")

    def test_what_is_no_model_is_refused_with_5(self, command: str, cli: Cli, page: Path, tmp_path: Path) -> None:
        result = cli(command, page, "--model", tmp_path, "--trust", "0" * 64)
        assert result.exit_code == 5
        assert result.stderr == f"{tmp_path}/manifest.json: must be there; got No such file or directory\n"


def test_unknown_format_is_refused_before_work(cli: Cli, saved_model: Any, page: Path) -> None:
    result = cli("predict", page, *saved_model.options, "--format", "xlsx")
    assert result.exit_code == 2
    assert result.stderr == "stdout: format must be one of jsonl, csv, tsv, parquet; got 'xlsx'\n"


def test_rejects_may_not_go_where_the_output_goes(cli: Cli, saved_model: Any, page: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    result = cli("predict", page, *saved_model.options, "-o", out, "--rejects", tmp_path / "." / "out.jsonl")
    assert result.exit_code == 2
    assert result.stderr == f"{out}: --rejects must not be the output; got the same file\n"
    assert not out.exists()


def test_rejects_may_not_replace_the_input(cli: Cli, saved_model: Any, page: Path) -> None:
    result = cli("predict", page, *saved_model.options, "--rejects", page, "--overwrite")
    assert result.exit_code == 2
    assert "must not be one of the inputs" in result.stderr
    assert NEWS in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("keep", "kept"),
    [
        ("news", [NEWS]),
        ("related-link", [LINK]),
        ("news,related-link", [NEWS, LINK]),
        ("related-link, news", [NEWS, LINK]),
        ("news,boilerplate,related-link", ["Share", NEWS, LINK]),
    ],
)
def test_clean_keeps_what_it_is_told_in_page_order(keep: str, kept: list[str], cli: Cli, saved_model: Any, page: Path) -> None:
    result = cli("clean", page, *saved_model.options, "--keep", keep)
    assert result.exit_code == 0
    assert result.stdout == "\n\n".join(kept) + "\n"


def test_clean_keeps_news_unless_told(cli: Cli, saved_model: Any, page: Path) -> None:
    assert cli("clean", page, *saved_model.options).stdout == NEWS + "\n"


def test_clean_refuses_an_unknown_label(cli: Cli, saved_model: Any, page: Path) -> None:
    result = cli("clean", page, *saved_model.options, "--keep", "news,links")
    assert result.exit_code == 2
    assert result.stderr == "labels: must be of news, boilerplate, related-link; got 'links'\n"


def test_clean_orders_a_page_by_position_and_keeps_pages_together(cli: Cli, saved_model: Any, jsonl: Any, tmp_path: Path) -> None:
    first, second, other = (NEWS.replace("Monday", day) for day in ("Tuesday", "Friday", "Sunday"))
    rows = [row(5, second, "b"), row(1, other, "a"), row(2, first, "b"), row(3, "Share", "b"), row(0, "Share", "c")]
    source = jsonl(tmp_path / "in.jsonl", rows)
    assert cli("clean", source, *saved_model.options).stdout == f"{first}\n\n{second}\n\n{other}\n"
    as_json = cli("clean", source, *saved_model.options, "--json")
    assert json.loads(as_json.stdout) == [
        {"page": "b", "paragraphs": [first, second]},
        {"page": "a", "paragraphs": [other]},
        {"page": "c", "paragraphs": []},
    ]


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_clean_writes_to_a_file_what_it_would_print(
    options: list[str], cli: Cli, saved_model: Any, page: Path, tmp_path: Path
) -> None:
    out = tmp_path / "clean.txt"
    printed = cli("clean", page, *saved_model.options, *options).stdout
    result = cli("clean", page, *saved_model.options, *options, "-o", out)
    assert (result.exit_code, result.stdout) == (0, "")
    assert out.read_text(encoding="utf-8") == printed
    assert NEWS in printed


def test_clean_of_nothing_is_nothing(cli: Cli, saved_model: Any, tmp_path: Path) -> None:
    result = cli("clean", "-", *saved_model.options, stdin="")
    assert (result.exit_code, result.stdout) == (0, "")
    assert json.loads(cli("clean", "-", *saved_model.options, "--json", stdin="").stdout) == []


def test_clean_with_rejects_exits_1_and_still_prints(cli: Cli, saved_model: Any, jsonl: Any, tmp_path: Path) -> None:
    source = jsonl(tmp_path / "in.jsonl", [row(0, NEWS), row(0, "again")])
    result = cli("clean", source, *saved_model.options)
    assert (result.exit_code, result.stdout) == (1, NEWS + "\n")
    assert f"{source}:2: page and position must be unique; got " in result.stderr


STEERING = "The council of \x1b[31mTarn\x9b2J said on Monday that می\u200cخواهم it would \u202erepair the bridge."


def test_clean_to_a_file_or_pipe_leaves_the_text_alone(cli: Cli, saved_model: Any, jsonl: Any, tmp_path: Path) -> None:
    source = jsonl(tmp_path / "in.jsonl", [row(0, STEERING)])
    assert cli("clean", source, *saved_model.options).stdout == STEERING + "\n"


def test_clean_on_a_terminal_escapes_what_would_steer_it(saved_model: Any, jsonl: Any, tmp_path: Path) -> None:
    import pty
    import subprocess

    source = jsonl(tmp_path / "in.jsonl", [row(0, STEERING)])
    command = [NEWSWINNOW, "clean", str(source), *saved_model.options]
    terminal, end = pty.openpty()
    try:
        done = subprocess.run(command, stdout=end, stderr=subprocess.PIPE, check=False, timeout=60)
        assert done.returncode == 0, done.stderr  # before reading: a terminal nobody wrote to would be waited for
        shown = os.read(terminal, 10_000).decode("utf-8")
    finally:
        os.close(end)
        os.close(terminal)
    assert "\x1b" not in shown
    assert "\x9b" not in shown
    assert "\u202e" not in shown
    assert "\\x1b[31mTarn\\x9b2J" in shown
    assert "می\u200cخواهم" in shown


@pytest.mark.parametrize("suffix", [".gz", ".GZ", ".zst"])
@pytest.mark.parametrize("command", ["predict", "clean"])
def test_what_is_named_compressed_is_compressed(
    command: str, suffix: str, cli: Cli, saved_model: Any, page: Path, tmp_path: Path
) -> None:
    plain = tmp_path / ("out.jsonl" if command == "predict" else "out.txt")
    packed = Path(f"{plain}{suffix}")
    for path in (plain, packed):
        assert cli(command, str(page), "-o", str(path), *saved_model.options).exit_code == 0
    with open_bytes(packed) as stream:
        assert stream.read() == plain.read_bytes() != packed.read_bytes()
