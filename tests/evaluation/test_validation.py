from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import pytest

from newswinnow.evaluation import folds
from newswinnow.evaluation.scores import score
from newswinnow.evaluation.validation import cross_validate_sites
from newswinnow.models.mixing import LabelMix
from newswinnow.models.registry import ModelSpec
from newswinnow.models.rules import LineRule

WORDS = ModelSpec("tfidf-logistic", analyzer="word", surface=False, min_df=1)
RULE = ModelSpec("three-line")
LABELS = ("news", "boilerplate", "related-link")


def corpus_of(n_sites: int, *, pages: int = 2) -> pd.DataFrame:
    """Pages of made-up words; every site says its own words again and again, with the same label each time."""
    rows = []
    for site in range(n_sites):
        for page in range(pages):
            for position in range(9):
                text = f"word{site}x{position} same{site}x{position}"
                rows.append((f"s{site}/p{page}", position, text, LABELS[(position + site) % 3], f"s{site}"))
    return pd.DataFrame(rows, columns=["page", "position", "text", "label", "site"])


class Spy(LineRule):
    """A line rule that notes which rows it was fitted on and asked about."""

    halves: ClassVar[list[tuple[pd.DataFrame, pd.DataFrame]]] = []
    _seen: pd.DataFrame

    def fit(self, X: pd.DataFrame, y: Any) -> Self:
        self._seen = X
        super().fit(X, y)
        return self

    def predict(self, X: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.str_]]:
        Spy.halves.append((self._seen, X))
        return super().predict(X)


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> type[Spy]:
    Spy.halves = []
    monkeypatch.setattr(folds, "build_model", lambda spec, *, seed: Spy())
    return Spy


@pytest.mark.parametrize("n_folds", [2, 3, 5])
def test_no_site_is_in_both_halves(spy: type[Spy], n_folds: int) -> None:
    corpus = corpus_of(7)
    cross_validate_sites(corpus, RULE, n_folds=n_folds)
    assert len(spy.halves) == 2 * n_folds
    for fitted, held in spy.halves[:n_folds]:
        assert set(fitted["site"]).isdisjoint(held["site"])
        assert len(fitted) + len(held) == len(corpus)
    assert any(set(fitted["site"]) & set(held["site"]) for fitted, held in spy.halves[n_folds:])


def test_every_labelled_row_is_held_out_once_in_both_splits(spy: type[Spy]) -> None:
    corpus = corpus_of(4)
    corpus.loc[::5, "label"] = None
    labelled = corpus[corpus["label"].notna()]
    cross_validate_sites(corpus, RULE, n_folds=3)
    for halves in (spy.halves[:3], spy.halves[3:]):
        held = pd.concat([part for _, part in halves])
        assert sorted(zip(held["page"], held["position"], strict=True)) == sorted(
            zip(labelled["page"], labelled["position"], strict=True)
        )


def test_sites_that_repeat_themselves_leak() -> None:
    found = cross_validate_sites(corpus_of(6, pages=5), WORDS, n_folds=3)
    assert found.random_split.value > 0.95
    assert found.unseen_sites.value < 0.6
    assert found.leakage_gap == found.random_split.value - found.unseen_sites.value > 0.35
    assert found.unseen_sites.low <= found.unseen_sites.value <= found.unseen_sites.high


def test_a_rule_cannot_leak() -> None:
    corpus = corpus_of(6)
    found = cross_validate_sites(corpus, RULE, n_folds=3, seed=2)
    expected = score(corpus["label"], ["boilerplate"] * len(corpus), corpus["page"], seed=2).macro_f1
    assert found.leakage_gap == 0
    assert found.unseen_sites == found.random_split == expected
    assert found.n_folds == 3


def test_equal_seed_equal_numbers() -> None:
    corpus = corpus_of(5)
    first, second, other = (cross_validate_sites(corpus, WORDS, n_folds=2, seed=seed).as_dict() for seed in (1, 1, 2))
    assert first == second
    assert first != other


def test_order_of_index_does_not_matter() -> None:
    corpus = corpus_of(4)
    renamed = corpus.set_index(pd.Index(np.arange(len(corpus))[::-1] + 500))
    assert cross_validate_sites(renamed, WORDS, n_folds=2) == cross_validate_sites(corpus, WORDS, n_folds=2)


def test_sources_are_scored_apart_on_unseen_sites(spy: type[Spy]) -> None:
    corpus = corpus_of(4)
    source = np.where(corpus["site"].isin(["s0", "s1"]), "wire", "blog")
    corpus = corpus.assign(source=source, text=np.where(source == "wire", "Share", "one two three four five six"))
    found = cross_validate_sites(corpus, RULE, n_folds=2)
    assert list(found.by_source) == ["blog", "wire"]
    for name, answer in (("wire", "boilerplate"), ("blog", "related-link")):
        part = corpus[corpus["source"] == name]
        assert found.by_source[name] == score(part["label"], [answer] * len(part), part["page"]).macro_f1


@pytest.mark.parametrize("source", [None, "wire"])
def test_one_source_is_not_scored_apart(source: str | None) -> None:
    corpus = corpus_of(3) if source is None else corpus_of(3).assign(source=source)
    assert cross_validate_sites(corpus, RULE, n_folds=2).by_source == {}


def test_progress_is_told_of_every_fit() -> None:
    steps: list[str] = []
    cross_validate_sites(corpus_of(4), RULE, n_folds=3, progress=steps.append)
    assert steps == ["cross-validating by site"] * 3 + ["cross-validating at random"] * 3


def no_fit(spec: ModelSpec, *, seed: int) -> Any:
    raise AssertionError("a fit began")


def thin_out(corpus: pd.DataFrame, label: str, keep: Iterable[int]) -> pd.DataFrame:
    """Only the named ones, counted from 0, of the rows with a label."""
    rows = corpus.index[corpus["label"] == label]
    return corpus.drop(rows.delete(list(keep)))


def one_site_per_label() -> pd.DataFrame:
    corpus = corpus_of(3)
    return corpus.assign(label=corpus["site"].map({"s0": "news", "s1": "boilerplate", "s2": "boilerplate"}))


@pytest.mark.parametrize(
    ("corpus", "spec", "n_folds", "message"),
    [
        (corpus_of(3), RULE, 1, r"folds: must be >= 2; got 1"),
        (corpus_of(3), RULE, 4, r"corpus: must have at least as many sites as folds, 4; got 3 sites"),
        (corpus_of(1), RULE, 2, r"corpus: must have at least as many sites as folds, 2; got 1 sites"),
        (corpus_of(3).drop(columns="site"), RULE, 2, r"corpus: must have at least as many sites as folds, 2; got 0 sites"),
        (corpus_of(3).assign(label="news"), RULE, 2, r"corpus: must have at least two labels to train on; got news 54"),
        (
            thin_out(corpus_of(5), "related-link", [0, 1]),
            RULE,
            3,
            r"corpus: every label present needs at least 3 paragraphs; got .*related-link 2",
        ),
        (
            thin_out(corpus_of(4), "related-link", [0, 1]),
            ModelSpec("tfidf-svm"),
            2,
            r"corpus: every label present needs at least 3 paragraphs; got .*related-link 2",
        ),
        (
            thin_out(corpus_of(4), "related-link", [0, 1, 2]),
            ModelSpec("tfidf-svm"),
            3,
            r"corpus, all but fold \d (by site|at random): every label .* at least 3 paragraphs; got .*related-link [12]",
        ),
        (
            one_site_per_label(),
            RULE,
            3,
            r"corpus, all but fold \d by site: must have at least two labels to train on; got news 0, boilerplate 36",
        ),
        (
            corpus_of(3).assign(site=lambda rows: rows["site"].mask(rows.index < 3)),
            RULE,
            2,
            r"corpus: every labelled paragraph must have a site for folds by site; got 3 without",
        ),
    ],
)
def test_refuses_before_the_first_fit(
    corpus: pd.DataFrame, spec: ModelSpec, n_folds: int, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folds, "build_model", no_fit)
    with pytest.raises(ValueError, match=message):
        cross_validate_sites(corpus, spec, n_folds=n_folds)


def aligned_beside(corpus: pd.DataFrame) -> pd.DataFrame:
    aligned = corpus.assign(page=corpus["page"] + "/a", origin="aligned", label="news")
    return pd.concat([corpus.assign(origin="read"), aligned], ignore_index=True)


def test_aligned_labels_are_trained_on_but_not_scored(spy: type[Spy]) -> None:
    corpus = corpus_of(5)
    found = cross_validate_sites(aligned_beside(corpus), RULE, n_folds=3)
    for i, (fitted, held) in enumerate(spy.halves):
        assert set(held["origin"]) == {"read"}
        aligned = set(fitted.loc[fitted["origin"] == "aligned", "site"])
        assert aligned == (set(corpus["site"]) - set(held["site"]) if i < 3 else set(corpus["site"]))
    spy.halves.clear()
    assert found == cross_validate_sites(corpus, RULE, n_folds=3)


def test_the_mix_reaches_every_fit(spy: type[Spy]) -> None:
    cross_validate_sites(aligned_beside(corpus_of(4)), RULE, mix=LabelMix({"aligned": 0.0}), n_folds=2)
    assert len(spy.halves) == 4
    assert all(set(fitted["origin"]) == {"read"} for fitted, _ in spy.halves)


def test_aligned_labels_are_scored_where_the_read_ones_stand_on_too_few_sites(spy: type[Spy]) -> None:
    corpus = corpus_of(4)
    is_first = corpus["site"] == corpus["site"].iloc[0]
    corpus["origin"] = is_first.map({True: "read", False: "aligned"})
    cross_validate_sites(corpus, RULE, n_folds=2)
    assert sum(len(held) for _, held in spy.halves[:2]) == len(corpus)
