"""Paragraphs as plain lists."""

import pytest

from newswinnow.paragraphs.rows import Rows
from newswinnow.paragraphs.table import texts_of

ROWS = Rows({"page": ["p", "p", "q"], "text": ["Share", "It rained.", ""], "tag": [None, "p", "li"]})


def test_they_answer_as_a_table_does() -> None:
    assert (len(ROWS), ROWS.columns, list(ROWS)) == (3, ["page", "text", "tag"], ["page", "text", "tag"])
    assert "tag" in ROWS
    assert "label" not in ROWS
    assert ROWS["tag"] == [None, "p", "li"]
    assert texts_of(ROWS) == ["Share", "It rained.", ""]
    assert (len(Rows({})), Rows({}).columns) == (0, [])


def test_columns_are_replaced_where_they_stand_and_added_at_the_end() -> None:
    found = ROWS.with_columns({"text": ["a", "b", "c"], "predicted": [1, 2, 3]})
    assert found.columns == ["page", "text", "tag", "predicted"]
    assert (found["text"], ROWS["text"]) == (["a", "b", "c"], ["Share", "It rained.", ""])
    assert len(Rows({}).with_columns({"text": ["a"]})) == 1


def test_columns_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="predicted: must have one value per row, 3; got 2"):
        ROWS.with_columns({"predicted": [1, 2]})


def test_a_column_is_left_out_if_it_is_there() -> None:
    assert ROWS.without("tag").columns == ["page", "text"]
    assert ROWS.without("status") == ROWS


def test_rows_are_kept_where_something_holds() -> None:
    assert ROWS.where([True, False, True]).data == {"page": ["p", "q"], "text": ["Share", ""], "tag": [None, "li"]}
    assert ROWS.where([False] * 3).columns == ROWS.columns
