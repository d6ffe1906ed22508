from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from newswinnow.evaluation.alignment import join_read, measure_alignment


def table(*rows: tuple[str, str, str | None], **columns: Any) -> pd.DataFrame:
    pages, texts, labels = zip(*rows, strict=True)
    fields = {"page": pages, "position": range(len(rows)), "text": texts, "label": pd.Series(labels, dtype=object)}
    return pd.DataFrame(fields | columns)


def joined(aligned: pd.DataFrame, read: pd.DataFrame) -> list[tuple[str, Any, bool]]:
    found = join_read(aligned, read)
    values = found["aligned_label"].astype(object).where(found["aligned_label"].notna(), None)
    return list(zip(found["text"], values, found["is_joined"], strict=True))


def test_join_is_by_page_and_collapsed_text() -> None:
    aligned = table(("p", "A bridge opened.", "news"), ("q", "Share", "boilerplate"))
    read = table(("p", " A bridge\nopened. ", "news"), ("p", "Share", "boilerplate"), ("q", "Share", None))
    assert joined(aligned, read) == [("A bridge opened.", "news", True), ("Share", None, False)]


def test_equal_texts_are_joined_in_order_where_both_have_as_many() -> None:
    aligned = table(("p", "Bridge", "news"), ("p", "x", None), ("p", "Bridge", "related-link"))
    read = table(("p", "Bridge", None), ("p", "Bridge", "related-link"))
    assert joined(aligned, read) == [("Bridge", "related-link", True)]


def test_equal_texts_of_other_numbers_are_joined_only_where_all_are_labelled_alike() -> None:
    read = table(("p", "Bridge", "news"), ("p", "Share", "boilerplate"))
    aligned = table(
        ("p", "Bridge", "news"), ("p", "Bridge", "related-link"), ("p", "Share", "boilerplate"), ("p", "Share", "boilerplate")
    )
    assert joined(aligned, read) == [("Bridge", None, False), ("Share", "boilerplate", True)]


def test_positions_decide_the_order_not_the_rows() -> None:
    aligned = table(("p", "Bridge", "news"), ("p", "Bridge", "related-link"))
    read = table(("p", "Bridge", "news"), ("p", "Bridge", "boilerplate")).iloc[::-1]
    assert [label for _, label, _ in joined(aligned, read)] == ["news", "related-link"]


def test_measures_per_source() -> None:
    rows: list[tuple[str, str, str | None]] = [
        *(("p", "one", "news"), ("p", "two", "boilerplate"), ("p", "three", "related-link")),
        *(("q", "one", "news"), ("q", "two", "news")),
    ]
    read = table(*rows, source=["a", "a", "a", "b", "b"])
    aligned = table(("p", "one", "news"), ("p", "two", None), ("p", "three", "boilerplate"), ("q", "one", "news"))
    first, second = measure_alignment(aligned, read, n_resamples=50)
    assert (first.source, first.n_pages, first.n_read, first.share_joined) == ("a", 1, 3, 1.0)
    assert first.share_null == pytest.approx(1 / 3)
    assert first.null_by_label == {"news": 0.0, "boilerplate": 1.0, "related-link": 0.0}
    assert first.scores.confusion == ((1, 0, 0), (0, 0, 0), (0, 1, 0))
    assert (second.share_joined, second.scores.macro_f1.value) == (0.5, 1.0)
    assert first.as_dict()["scores"]["n_paragraphs"] == 2


def test_nothing_in_common_is_refused() -> None:
    read = table(("p", "one", "news"), source=["a"])
    with pytest.raises(ValueError, match="a: need paragraphs that are both read and aligned; got none"):
        measure_alignment(table(("q", "one", "news")), read)


def test_missing_columns_are_named() -> None:
    with pytest.raises(ValueError, match="read: must have the columns source"):
        measure_alignment(table(("p", "one", "news")), table(("p", "one", "news")))
    with pytest.raises(ValueError, match="aligned: must have the columns"):
        join_read(table(("p", "one", "news")).drop(columns="label"), table(("p", "one", "news")))
