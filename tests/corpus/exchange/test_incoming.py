"""Labels back into the corpus they left."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from newswinnow.corpus.exchange import import_labels
from newswinnow.corpus.exchange.incoming import ImportReading, Joined, join_labels


@pytest.fixture
def imported(exported: Callable[[str], Path]) -> ImportReading:
    """What came back of the small table: one label changed, one given, one taken away, one skipped."""
    path = exported("prodigy")
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[0] = lines[0].replace('"accept": ["news"]', '"accept": [], "answer": "ignore"')
    lines[1] = lines[1].replace('"accept": ["boilerplate"]', '"accept": ["news"]')
    lines[2] = lines[2].replace('"accept": []', '"accept": ["boilerplate"]')
    lines[3] = lines[3].replace('"accept": ["related-link"]', '"accept": []')
    path.write_text("\n".join(lines), encoding="utf-8")
    return import_labels(path, tool="prodigy")


def labelled(table: pd.DataFrame, *labels: str | None) -> pd.DataFrame:
    return table.assign(label=pd.Series(labels, dtype=object))


def values(table: pd.DataFrame, column: str) -> list[object]:
    return [None if pd.isna(value) else value for value in table[column]]


def counts(joined: Joined) -> tuple[int, int, int, int]:
    return joined.n_changed, joined.n_confirmed, joined.n_undecided, len(joined.rejects)


def test_only_decided_labels_move_and_say_that_they_were_read(small: pd.DataFrame, imported: ImportReading) -> None:
    before = small.copy(deep=True)
    joined = join_labels(small, imported)
    assert values(joined.table, "label") == ["news", "news", "boilerplate", None]
    assert values(joined.table, "origin") == ["read", "read", "read", None]
    assert counts(joined) == (3, 0, 1, 0)
    pd.testing.assert_frame_equal(small, before)
    rest = ["page", "position", "text", "votes"]
    pd.testing.assert_frame_equal(joined.table[rest], small[rest])


def test_a_skipped_paragraph_keeps_what_the_corpus_says_today(small: pd.DataFrame, imported: ImportReading) -> None:
    corpus = labelled(small, None, "related-link", None, None)
    assert values(join_labels(corpus, imported).table, "label")[1] == "related-link"


def test_labels_that_stand_already_are_confirmed(small: pd.DataFrame, imported: ImportReading) -> None:
    corpus = labelled(small, "news", "news", "boilerplate", None)
    joined = join_labels(corpus, imported)
    assert counts(joined) == (0, 3, 1, 0)
    assert values(joined.table, "origin") == values(small, "origin")


def test_a_corpus_without_labels_gets_them(small: pd.DataFrame, imported: ImportReading) -> None:
    joined = join_labels(small.drop(columns=["label", "origin"]), imported)
    assert values(joined.table, "label") == ["news", None, "boilerplate", None]
    assert "origin" not in joined.table.columns


def test_paragraphs_that_are_not_in_the_corpus_are_refused(small: pd.DataFrame, imported: ImportReading) -> None:
    corpus = small.assign(text=["Share", "A bridge opened.", "Share it", "Harbour wall to be raised"]).drop(index=3)
    joined = join_labels(corpus, imported)
    assert counts(joined) == (1, 0, 1, 2)
    rule = "page, position and text must be those of a paragraph of the corpus; got "
    assert [(reject.line, reject.reason) for reject in joined.rejects] == [
        (3, rule + "the text 'Share it'"),
        (4, rule + "no such paragraph"),
    ]
    assert len(joined.table) == 3


def test_rejects_of_the_reading_stay_rejects(small: pd.DataFrame, exported: Callable[[str], Path]) -> None:
    path = exported("doccano")
    path.write_text("7\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert counts(join_labels(small, import_labels(path, tool="doccano"))) == (0, 4, 0, 1)


def test_the_corpus_needs_its_keys(small: pd.DataFrame, imported: ImportReading) -> None:
    with pytest.raises(ValueError, match=r"^corpus: must have the columns page, position, text; got "):
        join_labels(small.drop(columns="position"), imported)


def test_nothing_imported_changes_nothing(small: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    joined = join_labels(small, import_labels(tmp_path / "empty.jsonl", tool="doccano"))
    assert values(joined.table, "label") == values(small, "label")
    assert counts(joined) == (0, 0, 0, 0)
