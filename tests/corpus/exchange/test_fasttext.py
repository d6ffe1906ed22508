"""fastText: labelled lines, and the companion that knows which paragraph each one is."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from newswinnow.corpus.exchange import export_table, fasttext, import_labels
from newswinnow.corpus.exchange.fasttext import escape
from newswinnow.corpus.rejects import CorpusError

LINES = [
    "__label__news A bridge opened.",
    "__label__boilerplate Share",
    "Share",
    "__label__related-link Harbour wall to be raised",
]
RULE = "text must tell which paragraph of FILE.ids.jsonl it is; got one of none or several"


@pytest.fixture
def path(exported: Callable[[str], Path]) -> Path:
    return exported("fasttext")


def labels_of(path: Path, lines: list[str]) -> tuple[dict[tuple[str, int], str | None], list[int | None]]:
    """Labels by page and position, and the lines refused, of a file with these lines."""
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    reading = import_labels(path, tool="fasttext")
    table = reading.table
    found = [None if pd.isna(label) else str(label) for label in table["label"]] if len(table) else []
    return dict(zip(zip(table["page"], table["position"], strict=True), found, strict=True)), [r.line for r in reading.rejects]


def test_a_line_is_label_and_text(path: Path) -> None:
    assert path.read_text(encoding="utf-8").splitlines() == LINES
    assert len(Path(f"{path}.ids.jsonl").read_text(encoding="ascii").splitlines()) == 4


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("__label__news", "\\__label__news"),
        ("a __label__", "a \\__label__"),
        ("a__label__b </s>x", "a__label__b </s>x"),
        ("</s> </s>", "\\</s> \\</s>"),
    ],
)
def test_words_that_fasttext_would_misread_are_escaped(text: str, written: str) -> None:
    assert escape(text) == written


def test_lines_may_be_relabelled_in_place(path: Path) -> None:
    lines = ["__label__boilerplate A bridge opened.", "Share", "__label__news Share", LINES[3]]
    expected = {("p", 0): "boilerplate", ("p", 1): None, ("q", 0): "news", ("q", 7): "related-link"}
    assert labels_of(path, lines) == (expected, [])


def test_moved_lines_are_found_by_their_text(path: Path) -> None:
    labels, refused = labels_of(path, [LINES[3], "__label__news Share", "__label__boilerplate Share", LINES[0]])
    assert labels == {("q", 7): "related-link", ("p", 0): "news"}
    assert refused == [2, 3]


def test_copies_that_moved_are_taken_if_they_agree(path: Path) -> None:
    labels, refused = labels_of(path, [LINES[3], "__label__news Share", "__label__news Share", LINES[0]])
    assert refused == []
    assert (labels["p", 1], labels["q", 0]) == ("news", "news")


def test_deleted_lines_are_left_out_but_not_guessed(path: Path) -> None:
    labels, refused = labels_of(path, LINES[1:2] + LINES[3:])
    assert labels == {("q", 7): "related-link"}
    assert refused == [1]


def test_edited_and_added_lines_are_refused(path: Path) -> None:
    path.write_text("\n".join([*LINES, "__label__news A canal opened."]), encoding="utf-8")
    rejects = import_labels(path, tool="fasttext").rejects
    assert [(reject.line, reject.reason) for reject in rejects] == [(2, RULE), (3, RULE), (5, RULE)]


def test_a_line_that_cannot_be_read_keeps_its_place(path: Path) -> None:
    path.write_bytes(b"\xff\n" + "\n".join(LINES[1:]).encode())
    reading = import_labels(path, tool="fasttext")
    reason = "must be valid UTF-8; got byte 0xff at byte 0 of the line"
    assert [(reject.line, reject.reason) for reject in reading.rejects] == [(1, reason)]
    assert len(reading.table) == 3


def test_a_line_over_the_limit_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    longest = max(map(len, Path(f"{path}.ids.jsonl").read_bytes().splitlines()))
    path.write_text("\n".join([LINES[0] + "x" * longest, *LINES[1:]]), encoding="utf-8")
    monkeypatch.setattr(fasttext, "MAX_LINE_BYTES", longest)
    [reject] = import_labels(path, tool="fasttext").rejects
    assert (reject.line, reject.reason) == (1, f"must have at most {longest} bytes; got more")


def test_two_labels_are_refused(path: Path) -> None:
    assert labels_of(path, ["__label__news " + LINES[1], *LINES[1:]])[1] == [1, 2, 3]
    assert labels_of(path, ["__label__boilerplate " + LINES[0], *LINES[1:]])[1] == [1]


def test_without_its_companion_a_file_is_refused(path: Path) -> None:
    Path(f"{path}.ids.jsonl").unlink()
    with pytest.raises(FileNotFoundError, match=r"fasttext\.out\.ids\.jsonl: must be an existing file"):
        import_labels(path, tool="fasttext")
    with pytest.raises(ValueError, match=r"^stdin: fastText files must lie beside their companion FILE\.ids\.jsonl"):
        import_labels("-", tool="fasttext")


def test_a_damaged_companion_fails_the_file(path: Path) -> None:
    companion = Path(f"{path}.ids.jsonl")
    for content in ("{}\n", "ä\n", "{\n"):
        companion.write_text(content, encoding="utf-8")
        with pytest.raises(CorpusError, match=r"ids\.jsonl:1: must be as exported; got "):
            import_labels(path, tool="fasttext")


def test_nul_and_misread_words_come_back(small: pd.DataFrame, tmp_path: Path) -> None:
    texts = ["a\x00b", "__label__news </s>", "\\__label__x", "Share"]
    export_table(small.assign(text=texts), tmp_path / "out", tool="fasttext")
    assert b"\x00" not in (tmp_path / "out").read_bytes()
    table = import_labels(tmp_path / "out", tool="fasttext").table
    assert sorted(table["text"]) == sorted(texts)
