"""How commands speak."""

import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

from newswinnow.cli.output import (
    escape_controls,
    exit_code_of,
    json_text,
    print_predictions,
    print_table,
    progress_bar,
    reported_errors,
    say,
)
from newswinnow.corpus.locks import BusyError
from newswinnow.models.saved import ModelLoadError

plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


class Terminal(io.StringIO):
    """Text that believes to be a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain café 日本", "plain café 日本"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x00\x07\x08\x7f", "\\x00\\x07\\x08\\x7f"),
        ("\x9b2J", "\\x9b2J"),
        ("over\rwritten", "over\\rwritten"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("می\u200cخواهم 👩\u200d🚀", "می\u200cخواهم 👩\u200d🚀"),
        ("\udcff", "\\udcff"),
    ],
)
def test_escape_controls(text: str, shown: str) -> None:
    assert escape_controls(text) == shown


@settings(deadline=None, max_examples=100)
@given(st.text(st.characters(exclude_categories=[])))
def test_escaped_text_holds_nothing_that_steers_a_terminal(text: str) -> None:
    left = [c for c in escape_controls(text) if not c.isprintable()]
    assert set(left) <= set("\n\t\xad\u200c\u200d")


@settings(deadline=None, max_examples=100)
@given(plain_values)
def test_json_reads_back_and_is_printable(value: object) -> None:
    text = json_text(value)
    assert json.loads(text) == value
    assert all(c.isprintable() or c == "\n" for c in text)
    text.encode("utf-8")


def test_say_goes_to_stderr_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    say("file\x1b]0;owned\x07")
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "file\\x1b]0;owned\\x07\n"


def test_table_is_aligned_and_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["name", "n"], [["a\x1bb", "1"], ["longer than that", "20"]])
    assert capsys.readouterr().out.split("\n") == [
        "name              n",
        "----------------  --",
        "a\\x1bb            1",
        "longer than that  20",
        "",
    ]


def test_table_without_rows_is_its_header(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["name", "n"], [])
    assert capsys.readouterr().out == "name  n\n----  -\n"


def predictions(rows: list[tuple[str, str, str | None]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["page", "text", "predicted"])
    return table.assign(p_news=0.75, p_boilerplate=0.25, p_related_link=0.0)


def test_predictions_for_reading_name_pages_and_cut_and_escape_texts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    print_predictions(predictions([("a", "word " * 30, "news"), ("b\x1b", "\x1b[2J", "boilerplate"), ("b\x1b", "", None)]))
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "== a"
    assert lines[1].startswith("news           75%  word word")
    assert lines[1].endswith("…")
    assert len(lines[1]) <= 50
    assert lines[2:] == ["== b\\x1b", "boilerplate    75%  \\x1b[2J", "(empty)"]


def test_predictions_of_one_page_need_no_page_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_predictions(predictions([("only", "Share", "boilerplate")]))
    assert capsys.readouterr().out == "boilerplate    75%  Share\n"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ModelLoadError("m: no"), 5),
        (BusyError("d: busy"), 3),
        (ValueError("x"), 2),
        (FileNotFoundError("x"), 2),
        (RuntimeError("x"), 2),
    ],
)
def test_exit_codes(error: BaseException, code: int) -> None:
    assert exit_code_of(error) == code


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ValueError("where: rule; got 'x\x1b'"), 2, "where: rule; got 'x\\x1b'"),
        (ModelLoadError("m: must be trusted; got none"), 5, "m: must be trusted; got none"),
        (
            PermissionError(13, "Permission denied", "/a/b"),
            2,
            "/a/b: must be readable and writable as needed; got Permission denied",
        ),
        (ValueError(), 2, "ValueError"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_errors_become_one_line_and_a_code(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match=str(code)), reported_errors():
        raise error
    out, err = capsys.readouterr()
    assert (out, err) == ("", line + "\n")


@pytest.mark.parametrize("code", [0, 1])
def test_an_exit_keeps_its_code_and_says_nothing(code: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught, reported_errors():  # noqa: PT012
        sys.stdout.write("result\n")
        raise typer.Exit(code)
    assert caught.value.exit_code == code
    assert capsys.readouterr() == ("result\n", "")


def test_a_bug_is_not_hidden() -> None:
    with pytest.raises(KeyError, match="bug"), reported_errors():
        raise KeyError("bug")


def test_debug_shows_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSWINNOW_DEBUG", "1")
    with pytest.raises(ValueError, match="where: rule; got 1"), reported_errors():
        raise ValueError("where: rule; got 1")


@contextmanager
def stderr_replaced(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        yield


def test_progress_off_a_terminal_is_a_line_a_step(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar() as progress:
        progress("training", 1, 3)
        progress("writing", 3, 3)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "[1/3] training\n[3/3] writing\n"


def test_progress_on_a_terminal_is_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    with stderr_replaced(terminal, monkeypatch), progress_bar() as progress:
        progress("training", 2, 2)
    assert "training" in terminal.getvalue()
    assert "2/2" in terminal.getvalue()
    assert "[2/2]" not in terminal.getvalue()
    assert capsys.readouterr().out == ""
