"""Stretches of pages and thinned pages: order stays, nothing crosses a page's end, and what is taken is what stood there."""

from itertools import pairwise

import hypothesis.strategies as st
import numpy as np
import pandas as pd
from hypothesis import given

from newswinnow import load_model
from newswinnow.features.paragraphs import read
from newswinnow.models.ladder.corpus import FEWEST, LONGEST, MOST, N_STRETCHES, N_THINNED, SHORTEST, gather, stretches, thinned
from newswinnow.models.ladder.model import LadderModel


@given(st.lists(st.integers(1, 120), max_size=12), st.integers(0, 5), st.integers(0, 99))
def test_stretches_are_parts_of_longer_pages(sizes: list[int], n_stretches: int, seed: int) -> None:
    starts = np.cumsum([0, *sizes])
    found = stretches(starts, n_stretches, np.random.default_rng(seed))
    assert found.starts[0] == 0
    assert found.starts[-1] == len(found.rows)
    for begin, end in pairwise(found.starts):
        part = found.rows[begin:end]
        assert (np.diff(part) == 1).all()
        first, last = np.searchsorted(starts, part[[0, -1]], side="right") - 1
        assert first == last
        assert int(SHORTEST) <= len(part) <= LONGEST
        assert len(part) < sizes[first]
    assert len(found.starts) - 1 <= n_stretches * len(sizes)


@given(st.lists(st.integers(1, 120), max_size=12), st.integers(0, 5), st.integers(0, 99))
def test_thinned_pages_are_longer_pages_with_gaps(sizes: list[int], n_thinned: int, seed: int) -> None:
    starts = np.cumsum([0, *sizes])
    found = thinned(starts, n_thinned, np.random.default_rng(seed))
    assert found.starts[0] == 0
    assert found.starts[-1] == len(found.rows)
    for begin, end in pairwise(found.starts):
        part = found.rows[begin:end]
        assert (np.diff(part) > 0).all()
        first, last = np.searchsorted(starts, part[[0, -1]], side="right") - 1
        assert first == last
        assert int(FEWEST) <= len(part) <= MOST
        assert len(part) < sizes[first]
    assert len(found.starts) - 1 <= n_thinned * len(sizes)


def test_a_thinned_page_is_drawn_from_all_of_it() -> None:
    found = thinned(np.array([0, 300]), 40, np.random.default_rng(0))
    counts = np.histogram(found.rows, bins=3, range=(0, 300))[0]
    assert counts.min() > 0.8 * counts.max()
    assert (np.diff(found.rows) > 1).mean() > 0.5


def test_long_pages_give_all_parts_and_short_ones_none() -> None:
    rng = np.random.default_rng(0)
    assert len(stretches(np.array([0, 500]), N_STRETCHES, rng).starts) == N_STRETCHES + 1
    assert len(stretches(np.array([0, 2]), N_STRETCHES, rng).rows) == 0
    assert len(thinned(np.array([0, 500]), N_THINNED, rng).starts) == N_THINNED + 1
    assert len(thinned(np.array([0, 4]), N_THINNED, rng).rows) == 0


def test_what_was_read_can_be_taken_apart_and_put_together_anew() -> None:
    texts = ["The ferry sailed on Monday.", "Share", "", "Ferry delayed again", "© 2026 The Brenholm Gazette"]
    model = load_model().estimator
    assert isinstance(model, LadderModel)
    weights = model.linear.weights
    rows = np.array([3, 0, 0, 2, 4])
    taken, direct = read(texts, weights).take(rows), read([texts[row] for row in rows], weights)
    for name in ("logits", "surface", "tokens", "pointers", "marks"):
        np.testing.assert_array_equal(getattr(taken, name), getattr(direct, name), err_msg=name)
    assert len(read(texts, weights).take(np.empty(0, np.int64))) == 0


def test_taken_pages_keep_what_is_known_of_their_paragraphs() -> None:
    table = pd.DataFrame(
        {
            "page": ["p", "p", "p", "q"],
            "text": ["Home", "The ferry sailed on Monday.", "Ferry delayed again", "Share"],
            "label": ["boilerplate", "news", None, "boilerplate"],
            "tag": ["li", "p", "a", None],
            "link_density": [1.0, 0.0, 1.0, None],
            "site": ["one.example", "one.example", "one.example", "two.example"],
        }
    )
    corpus = gather(table, table["label"], None)
    taken = corpus.take(np.array([1, 2, 0]), np.array([0, 2, 3]), np.array([0.5, 0.5, 1]))
    assert taken.table.texts == ["The ferry sailed on Monday.", "Ferry delayed again", "Home"]
    assert taken.table.tags == ["p", "a", "li"]
    assert taken.table.sizes.tolist() == [2, 1]
    assert taken.targets.tolist() == [[0.5, 0, 0], [0, 0, 0], [0, 1, 0]]
    assert taken.fold_of_page.tolist() == [corpus.fold_of_row[1], corpus.fold_of_row[0]]
