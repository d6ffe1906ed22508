"""Tables as pages, and whether a page's order can be trusted."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from newswinnow.models.ladder.order import N_SERIES, OrderTrust, learn_trust, series, signs
from newswinnow.models.ladder.pages import N_HINTS, TAGS, PageTable
from newswinnow.paragraphs.rows import Rows
from newswinnow.paragraphs.table import IN_ORDER


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "page": ["b", "a", "b", "a"],
            "position": [7, 1, 2, 0],
            "text": ["last of b", "second of a", "first of b", "first of a"],
            "tag": ["p", None, "section", "h2"],
            "link_density": [0.0, np.nan, 0.9, 1.0],
        }
    )


@pytest.mark.parametrize("make", [pd.DataFrame, lambda frame: Rows(frame.to_dict("list"))])
def test_pages_come_in_order_whatever_the_rows(make: type) -> None:
    pages = PageTable.of(make(table()))
    assert pages.texts == ["first of b", "last of b", "first of a", "second of a"]
    assert pages.rows.tolist() == [2, 0, 3, 1]
    assert pages.sizes.tolist() == [2, 2]
    assert pages.has_hints().tolist() == [True, True]
    hints = pages.hints()
    assert hints.shape == (4, N_HINTS)
    assert hints[:, TAGS.index("p")].tolist() == [0, 1, 0, 0]
    assert hints[:, len(TAGS)].tolist() == [1, 0, 0, 0]
    assert hints[:, len(TAGS) + 1].tolist() == [0, 0, 0, 1]
    assert hints[:, -3:].tolist() == [[0.9, 1, 1], [0, 0, 1], [1, 1, 1], [0, 0, 0]]


def test_what_is_known_of_the_order_goes_with_its_page() -> None:
    frame = table().assign(**{IN_ORDER: [False, True, False, True]})
    pages = PageTable.of(frame)
    assert pages.in_order is not None
    assert pages.in_order.tolist() == [False, True]
    parts = list(pages.batches(1))
    assert [None if part.in_order is None else part.in_order.tolist() for part in parts] == [[False], [True]]
    assert PageTable.of(table()).in_order is None
    assert PageTable.of(frame.iloc[:0]).starts.tolist() == [0]


def test_texts_alone_are_one_page() -> None:
    pages = PageTable.of(["One", "Two"])
    assert pages.starts.tolist() == [0, 2]
    assert pages.has_hints().tolist() == [False]
    assert pages.hints()[:, -1].tolist() == [0, 0]


def test_pages_without_hints_have_none() -> None:
    frame = table().assign(tag=None, link_density=np.nan)
    frame.loc[0, "tag"] = ""
    assert PageTable.of(frame).has_hints().tolist() == [False, False]


def test_nothing_is_no_page() -> None:
    pages = PageTable.of(Rows({"page": [], "position": [], "text": []}))
    assert len(pages) == 0
    assert pages.starts.tolist() == [0]
    assert list(pages.batches(4)) == []
    assert pages.has_hints().tolist() == []


def test_batches_are_of_whole_pages() -> None:
    frame = pd.DataFrame({"page": np.repeat([*"abcde"], [3, 1, 6, 2, 1]), "position": 0, "text": [str(i) for i in range(13)]})
    whole = PageTable.of(frame)
    parts = list(whole.batches(4))
    assert [part.sizes.tolist() for part in parts] == [[3, 1], [6], [2, 1]]
    assert [text for part in parts for text in part.texts] == whole.texts
    assert np.concatenate([part.rows for part in parts]).tolist() == whole.rows.tolist()


def in_runs(n_pages: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Pages of three runs each."""
    sizes = rng.integers(20, 60, n_pages)
    kinds = np.concatenate([np.sort(rng.integers(0, 3, size)) for size in sizes])
    probabilities = np.eye(3)[kinds] * 0.8 + 0.2 * rng.dirichlet([1, 1, 1], len(kinds))
    chars = (kinds == 0) * 3.0 + rng.normal(size=len(kinds))
    return series(probabilities, chars.astype(np.float32), (kinds == 0).astype(np.float32)), np.cumsum([0, *sizes])


def test_pages_in_order_are_told_from_shuffled_ones() -> None:
    rng = np.random.default_rng(0)
    trust = learn_trust(*in_runs(40, rng), seed=1)
    followed, starts = in_runs(60, rng)
    shuffled = np.concatenate([b + rng.permutation(e - b) for b, e in pairwise(starts)])
    plain = np.zeros(60, dtype=bool)
    assert trust.trusts(signs(followed, starts), plain).mean() > 0.9
    assert trust.trusts(signs(followed[shuffled], starts), plain).mean() < 0.05


def test_a_page_with_markup_needs_less_to_be_trusted_the_shorter_it_is() -> None:
    sizes = np.array([5, 24, 120, 1000, 4])
    found = np.zeros((5, N_SERIES + 2))
    found[:, -1] = np.log(sizes)
    hinted = np.ones(5, dtype=bool)
    odds_of = [(5 / 120, 33), (24 / 120, 1 + 160 / 24), (1, 1 + 160 / 120), (1, 1.16), (41, 41)]
    for i, (with_markup, without) in enumerate(odds_of):
        for has_hints, odds in ((hinted, with_markup), (~hinted, without)):
            below, above = (OrderTrust(np.append(np.zeros(N_SERIES + 2), np.log(odds * factor))) for factor in (0.99, 1.01))
            assert (below.trusts(found, has_hints)[i], above.trusts(found, has_hints)[i]) == (False, True)


def test_a_known_order_is_trusted_where_it_is_worth_more_than_the_bag() -> None:
    sizes = np.array([4, 5, 39, 40, 40])
    found = np.zeros((5, N_SERIES + 2))
    found[:, -1] = np.log(sizes)
    never, is_known = OrderTrust(np.append(np.zeros(N_SERIES + 2), -99.0)), np.array([True, True, True, True, False])
    assert never.trusts(found, np.ones(5, dtype=bool), is_known).tolist() == [False, True, True, True, False]
    assert never.trusts(found, np.zeros(5, dtype=bool), is_known).tolist() == [False, False, False, True, False]
    assert not never.trusts(found, np.ones(5, dtype=bool)).any()


def test_signs_of_short_and_uniform_pages_are_none() -> None:
    followed = np.ones((7, N_SERIES))
    found = signs(followed, np.array([0, 2, 7]))
    assert found[:, :N_SERIES].tolist() == [[0.0] * N_SERIES] * 2
    assert found[:, -1].tolist() == [np.log(2), np.log(5)]


def test_with_short_pages_alone_every_page_is_trusted() -> None:
    trust = learn_trust(np.ones((2, N_SERIES)), np.array([0, 2]), seed=0)
    assert isinstance(trust, OrderTrust)
    assert trust.trusts(signs(np.ones((2, N_SERIES)), np.array([0, 2])), np.zeros(1, dtype=bool)).tolist() == [True]
