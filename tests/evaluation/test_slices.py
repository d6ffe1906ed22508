from __future__ import annotations

import pandas as pd
import pytest

from newswinnow.evaluation.slices import is_small, slice_names, slices_of
from newswinnow.models.training import site_digest


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "page": ["p"] * 6 + ["q"],
            "position": [10, 0, 20, 30, 40, 50, 0],
            "text": ["a"] * 7,
            "site": ["one.example"] * 3 + ["two.example"] * 3 + [None],
        }
    )


def test_places_count_from_the_top_whatever_the_order_of_rows(table: pd.DataFrame) -> None:
    found = slices_of(table)["position"].tolist()
    top, middle, bottom = "top third", "middle third", "bottom third"
    assert found == [top, top, middle, middle, bottom, bottom, top]


def test_sites_are_told_by_the_digests_of_training(table: pd.DataFrame) -> None:
    found = slices_of(table, known_sites=[site_digest("one.example")])["site"]
    assert found.tolist() == ["seen in training"] * 3 + ["unseen"] * 3 + ["unknown"]
    assert "site" not in slices_of(table)
    assert set(slices_of(table, known_sites=[])["site"]) == {"unseen", "unknown"}


def test_columns_that_name_slices_are_taken_as_they_are(table: pd.DataFrame) -> None:
    found = slices_of(table.assign(slice_mood=pd.Series(["x", "y", None, "x", "x", "y", "y"], dtype="str")))
    assert list(found) == ["mood"]
    assert slice_names("mood", found["mood"]) == ["x", "y"]


def test_names_stand_in_the_order_of_what_they_measure() -> None:
    assert slice_names("length", pd.Series(["over 50 words", "1-2 words", "3-5 words"])) == [
        "1-2 words",
        "3-5 words",
        "over 50 words",
    ]
    assert slice_names("position", pd.Series(["bottom third", "top third", None])) == ["top third", "bottom third"]
    assert slice_names("source", pd.Series(["b", "a"])) == ["a", "b"]


@pytest.mark.parametrize(("n_pages", "n_paragraphs", "expected"), [(10, 50, False), (9, 500, True), (40, 49, True)])
def test_small_slices(n_pages: int, n_paragraphs: int, expected: bool) -> None:
    assert is_small(n_pages, n_paragraphs) is expected
