"""Scoring one candidate of a search, and who goes on to the next round."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import newswinnow.evaluation.tuning as module
from newswinnow.evaluation import folds
from newswinnow.evaluation.tuning import Candidate, check_searchable, plan_rounds, score_candidate, survivors
from newswinnow.evaluation.validation import cross_validate_sites
from newswinnow.models.fitting import fit_weighted
from newswinnow.models.mixing import LabelMix
from newswinnow.models.predictor import Predictor
from newswinnow.models.registry import ModelSpec
from newswinnow.models.rules import LineRule

SPEC = ModelSpec("naive-bayes", min_df=1, surface=False, analyzer="word")


def corpus_of(n_sites: int = 6, *, pages: int = 3) -> pd.DataFrame:
    rows = []
    for site in range(n_sites):
        for page in range(pages):
            lines = [
                (f"The council of town {site} met on Monday, the mayor said.", "news"),
                (f"Rain on road {page} for most of the day.", "news" if page else "related-link"),
                ("Share this page", "boilerplate"),
                (f"Sign up for letter {page}", "boilerplate"),
                (f"Storm {site} closes the old coast road", "related-link"),
                (f"Read more: Ferry {page} runs again", "related-link"),
            ]
            rows += [(f"s{site}/p{page}", i, text, label, f"s{site}.example") for i, (text, label) in enumerate(lines)]
    return pd.DataFrame(rows, columns=["page", "position", "text", "label", "site"])


def with_aligned(corpus: pd.DataFrame) -> pd.DataFrame:
    aligned = corpus.assign(page=corpus["page"] + "/a", text=corpus["text"] + " again", origin="aligned")
    return pd.concat([corpus.assign(origin="read"), aligned], ignore_index=True)


@pytest.mark.parametrize("corpus", [corpus_of(), with_aligned(corpus_of())], ids=["read", "read and aligned"])
def test_all_pages_give_the_score_of_a_cross_validation(corpus: pd.DataFrame) -> None:
    mix = LabelMix({"aligned": 0.5})
    found = score_candidate(corpus, Candidate(SPEC, mix, 3), share=1.0, n_folds=3)
    expected = cross_validate_sites(corpus, SPEC, mix=mix, n_folds=3, seed=3)
    assert found.scores.macro_f1 == expected.unseen_sites
    assert 0.5 < expected.unseen_sites.value < 1


def test_a_model_of_whole_pages_gets_them_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    corpus, tables = corpus_of(4, pages=2), []
    corpus.loc[corpus["text"] == "Share this page", "label"] = None

    def spy(estimator: object, table: pd.DataFrame, rows: pd.DataFrame, weights: object) -> object:
        tables.append((len(table), set(rows["site"]), rows["label"].notna().all()))
        return Predictor(LineRule("three-line").fit([], []))

    monkeypatch.setattr(folds, "fit_pages", spy)
    monkeypatch.setattr(folds, "deployed", lambda model: model)
    monkeypatch.setattr(folds, "build_model", lambda spec, seed: LineRule("three-line"))
    monkeypatch.setattr(LineRule, "set_params", lambda self, **parameters: self)
    found = score_candidate(corpus, Candidate(ModelSpec("ladder"), LabelMix(), 0), share=1.0, n_folds=2)
    assert [n_rows for n_rows, _, _ in tables] == [len(corpus)] * 2
    assert all(len(sites) == 2 and is_labelled for _, sites, is_labelled in tables)
    assert sum(map(sum, found.scores.confusion)) == corpus["label"].notna().sum()


def test_pages_stay_whole_and_larger_shares_hold_smaller_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    corpus, seen = corpus_of(), []
    original = fit_weighted

    def spy(estimator: object, rows: pd.DataFrame, *arguments: object, **named: object) -> object:
        seen.append(rows)
        return original(estimator, rows, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(folds, "fit_weighted", spy)
    found = [score_candidate(corpus, Candidate(SPEC, LabelMix(), 1), share=share, n_folds=2) for share in (0.25, 0.5, 1.0)]
    assert [score.n_pages for score in found] == [(3, 3), (5, 5), (9, 9)]
    assert all((table.groupby("page").size() == 6).all() for table in seen)
    for fold in (0, 1):
        small, middle, large = (set(table["page"]) for table in seen[fold::2])
        assert small < middle < large
    assert len(found[0].by_fold) == 2


def test_too_few_pages_are_refused() -> None:
    corpus = corpus_of()
    corpus["label"] = corpus["label"].where(corpus["page"].str.endswith("/p0"), "news")
    pages = {seed: _labels_of_first_page(corpus, seed) for seed in range(20)}
    seed = next(seed for seed, labels in pages.items() if labels == {"news"})
    with pytest.raises(ValueError, match=r"^corpus, 0.05 of a fold's pages: must have at least two labels"):
        score_candidate(corpus, Candidate(SPEC, LabelMix(), seed), share=0.05, n_folds=2)


def _labels_of_first_page(corpus: pd.DataFrame, seed: int) -> set[str]:
    first = np.random.default_rng(seed).permutation(np.unique(corpus["page"].to_numpy(dtype=str)))[0]
    return set(corpus.loc[corpus["page"] == first, "label"])


def test_what_cannot_be_searched() -> None:
    assert check_searchable(corpus_of(), n_folds=3) == 12
    with pytest.raises(ValueError, match="corpus: must have at least as many sites as folds, 7; got 6 sites"):
        check_searchable(corpus_of(), n_folds=7)


@given(n=st.integers(1, 500), factor=st.integers(2, 5), n_pages=st.integers(1, 2000), min_pages=st.integers(1, 50))
def test_rounds_grow_to_all_pages(n: int, factor: int, n_pages: int, min_pages: int) -> None:
    rounds = plan_rounds(n, factor=factor, n_pages=n_pages, min_pages=min_pages)
    assert rounds[0].n_candidates == n
    assert rounds[-1].share == 1
    assert rounds[-1].n_candidates >= min(n, 2)
    assert all(b.share == pytest.approx(a.share * factor) for a, b in itertools.pairwise(rounds))
    assert len(rounds) == 1 or rounds[0].share * n_pages >= min_pages * (1 - 1e-9)


@given(st.dictionaries(st.integers(0, 20), st.none() | st.sampled_from([0.1, 0.5, 0.9]), min_size=1), st.integers(1, 5))
def test_survivors_are_the_best_and_the_first(macro_f1: dict[int, float | None], n_kept: int) -> None:
    kept = survivors(macro_f1, n_kept)
    assert kept == sorted(set(kept))
    assert (0 in kept) == (macro_f1.get(0) is not None)
    values = {number: value for number, value in macro_f1.items() if value is not None and number}
    others = [number for number in kept if number]
    assert len(others) == min(n_kept, len(values))
    if others:
        worst = min(values[number] for number in others)
        assert all(value <= worst for number, value in values.items() if number not in others)


def test_macro_f1_of_a_fold_is_that_of_reports() -> None:
    truth = np.array(["news", "boilerplate", "related-link", "news"])
    assert module._macro_f1(truth, truth) == 1
    assert module._macro_f1(truth, np.array(["news", "news", "news", "news"])) == pytest.approx(2 / 9)
