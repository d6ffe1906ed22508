"""Which rows are trained on and which are held out."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswinnow.evaluation.folds import fold_rows

LABELS = ("news", "boilerplate", "related-link")


def corpus_of(*n_pages: int) -> pd.DataFrame:
    """So many pages on each site, six paragraphs each."""
    rows = [
        (f"s{site}/p{page}", position, f"word{site} {position}", LABELS[position % 3], f"s{site}")
        for site, n in enumerate(n_pages)
        for page in range(n)
        for position in range(6)
    ]
    return pd.DataFrame(rows, columns=["page", "position", "text", "label", "site"])


def with_aligned(corpus: pd.DataFrame) -> pd.DataFrame:
    aligned = corpus.assign(page=corpus["page"] + "/a", origin="aligned")
    return pd.concat([corpus.assign(origin="read"), aligned], ignore_index=True)


@settings(deadline=None, max_examples=30)
@given(n_pages=st.lists(st.integers(1, 4), min_size=3, max_size=7), seed=st.integers(0, 9))
def test_every_scored_row_is_held_out_once_and_its_site_with_it(n_pages: list[int], seed: int) -> None:
    corpus = with_aligned(corpus_of(*n_pages)).set_index(pd.Index(range(500, 500 + 12 * sum(n_pages))))
    rows = fold_rows(corpus, n_folds=3)
    for folds in (rows.by_site(n_folds=3, seed=seed), rows.at_random(n_folds=3, seed=seed)):
        held = pd.concat([rows.held(fold) for fold in folds])
        assert sorted(held.index) == corpus.index[corpus["origin"] == "read"].tolist()
        assert all(rows.fitted(fold).index.is_unique for fold in folds)
    for fold in rows.by_site(n_folds=3, seed=seed):
        held, fitted = rows.held(fold), rows.fitted(fold)
        assert set(fitted["site"]).isdisjoint(held["site"])
        assert fitted.index.equals(corpus.index[~corpus["site"].isin(held["site"])])
    for fold in rows.at_random(n_folds=3, seed=seed):
        assert set(rows.fitted(fold).index) == set(corpus.index) - set(rows.held(fold).index)


def test_rows_are_treated_alike_where_the_read_ones_stand_on_too_few_sites() -> None:
    corpus = with_aligned(corpus_of(1, 1, 1))
    few = corpus[(corpus["origin"] == "aligned") | (corpus["site"] == "s0")]
    for table in (few, corpus.drop(columns="site"), corpus.drop(columns="origin")):
        rows = fold_rows(table, n_folds=2)
        assert rows.scored.equals(table)
        assert rows.aligned.empty
    assert len(fold_rows(corpus, n_folds=3).aligned) == len(corpus) / 2


def test_what_cannot_be_cut_is_refused() -> None:
    corpus = with_aligned(corpus_of(1, 1, 1, 1))
    fold_rows(corpus, n_folds=4).check(n_folds=4)
    with pytest.raises(ValueError, match=r"^corpus: must have at least as many sites as folds, 5; got 4 sites$"):
        fold_rows(corpus, n_folds=5).check(n_folds=5)
    with pytest.raises(ValueError, match=r"^corpus: must have at least as many sites as folds, 2; got 0 sites$"):
        fold_rows(corpus.drop(columns="site"), n_folds=2).check(n_folds=2)
    corpus.loc[corpus.index[-2:], "site"] = None
    with pytest.raises(ValueError, match=r"^corpus: every aligned paragraph must have a site for folds by site; got 2 without$"):
        fold_rows(corpus, n_folds=3).check(n_folds=3)
