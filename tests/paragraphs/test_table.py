"""The paragraph table: its columns and the small conversions."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswinnow.paragraphs.table import (
    PREDICTION_COLUMNS,
    collapse_whitespace,
    labelled_rows,
    n_words_of,
    require_columns,
    table_from_texts,
    texts_of,
)


def test_prediction_columns_follow_the_labels() -> None:
    assert PREDICTION_COLUMNS == ("predicted", "p_news", "p_boilerplate", "p_related_link")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        (" \t\r\n\x0b\x0c\x85\xa0\u2003\u2028\u2029\u3000", ""),
        ("\xa0Most\u2028read \n now\t", "Most read now"),
        ("zero\u200bwidth", "zero\u200bwidth"),
    ],
)
def test_collapse_whitespace_cases(text: str, expected: str) -> None:
    assert collapse_whitespace(text) == expected


@given(st.text())
@settings(deadline=None)
def test_collapse_whitespace_keeps_all_else_and_settles(text: str) -> None:
    collapsed = collapse_whitespace(text)
    assert collapse_whitespace(collapsed) == collapsed
    assert [c for c in text if not c.isspace()] == [c for c in collapsed if c != " "]
    assert all(c == " " or not c.isspace() for c in collapsed)


def test_table_from_texts_numbers_what_it_keeps() -> None:
    table = table_from_texts(["  Ferry  back in service ", "\u2028", "Share\n"], page="harbour")
    assert table.to_dict("list") == {
        "page": ["harbour", "harbour"],
        "position": [0, 1],
        "text": ["Ferry back in service", "Share"],
    }
    assert table.dtypes["text"] == "str"


def test_table_from_no_texts_still_has_the_columns() -> None:
    table = table_from_texts([], page="p")
    assert list(table.columns) == ["page", "position", "text"]
    assert len(table) == 0


@pytest.mark.parametrize(
    "given_as",
    [
        ["a b", "c"],
        ("a b", "c"),
        pd.Series(["a b", "c"], index=[7, 3]),
        np.array(["a b", "c"]),
        np.array(["a b", "c"], dtype=object),
        pd.DataFrame({"page": ["p", "p"], "text": ["a b", "c"]}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_texts_of_takes_every_form(given_as: Any) -> None:
    assert texts_of(given_as) == ["a b", "c"]


def test_texts_of_refuses_one_string() -> None:
    with pytest.raises(TypeError, match=r"^X: must be a list, Series or table of texts; got one str 'Share' \(write \[text\]\)$"):
        texts_of("Share")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a", None], r"^X\[1\]: must be a str; got NoneType None$"),
        ([1.5], r"^X\[0\]: must be a str; got float 1\.5$"),
        (pd.Series(["a", np.nan], dtype=object), r"^X\[1\]: must be a str; got float nan$"),
        ([b"a"], r"^X\[0\]: must be a str; got bytes b'a'$"),
    ],
)
def test_texts_of_names_the_first_that_is_no_text(values: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        texts_of(values)


def test_texts_of_refuses_a_table_without_texts() -> None:
    with pytest.raises(ValueError, match=r"^X: a paragraph table must have a column 'text'; got \['page', 'txt'\]$"):
        texts_of(pd.DataFrame({"page": ["p"], "txt": ["a"]}))


def test_n_words_of_keeps_the_index() -> None:
    counts = n_words_of(pd.Series(["one  two\u2028three", "", "four"], index=[5, 1, 9]))
    assert counts.to_dict() == {5: 3, 1: 0, 9: 1}
    assert n_words_of(pd.Series([], dtype="str")).dtype == np.int64


def test_labelled_rows_keeps_index_and_columns() -> None:
    table = pd.DataFrame({"text": ["a", "b", "c"], "label": pd.Series([None, "news", None], dtype="str"), "note": [1, 2, 3]})
    rows = labelled_rows(table)
    assert rows.index.tolist() == [1]
    assert rows.to_dict("list") == {"text": ["b"], "label": ["news"], "note": [2]}


def test_labelled_rows_needs_the_column() -> None:
    with pytest.raises(ValueError, match=r"^table: must have a column 'label'; got \['text'\]$"):
        labelled_rows(pd.DataFrame({"text": ["a"]}))


def test_require_columns_lists_what_it_found() -> None:
    table = pd.DataFrame({"page": ["p"], "txt": ["a"]})
    require_columns(table, ["page"], where="here")
    with pytest.raises(ValueError, match=r"^here: must have the columns page, text; got page, txt$"):
        require_columns(table, ["page", "text"], where="here")
