from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.metrics import f1_score
from sklearn.model_selection import HalvingGridSearchCV, StratifiedGroupKFold

from newswinnow.evaluation.tuning import PageSample, macro_f1_scorer, tune
from newswinnow.models.rules import LineRule
from newswinnow.models.winnow import WinnowClassifier


def corpus_of(n_sites: int = 6, *, pages: int = 3) -> pd.DataFrame:
    rows = []
    for site in range(n_sites):
        for page in range(pages):
            lines = [
                (f"The council of town {site} met on Monday, the mayor said.", "news"),
                (f"It rained on road {page} for most of the day.", "news"),
                ("Share this page", "boilerplate"),
                (f"Sign up for letter {page}", "boilerplate"),
                (f"Storm {site} closes the old coast road", "related-link"),
                (f"Read more: Ferry {page} runs again", "related-link"),
            ]
            rows += [(f"s{site}/p{page}", i, text, label, f"s{site}.example") for i, (text, label) in enumerate(lines)]
    return pd.DataFrame(rows, columns=["page", "position", "text", "label", "site"])


MODEL = WinnowClassifier(bits=10, min_count=1)


def test_a_search_prefers_what_answers_better() -> None:
    found = tune(corpus_of(), MODEL, {"C": [1e-7, 1.0]}, n_folds=2)
    assert found.parameters == {"C": 1.0}
    assert found.macro_f1 > 0.9
    assert found.macro_f1 == max(trial.macro_f1 for trial in found.trials if trial.round == found.trials[-1].round)


def test_rounds_have_fewer_candidates_and_more_pages() -> None:
    found = tune(corpus_of(9), MODEL, {"C": [0.01, 0.1, 1.0], "min_count": [1, 2, 3]}, n_folds=3)
    sizes = pd.Series([trial.round for trial in found.trials]).value_counts().sort_index().tolist()
    assert sizes == [9, 3, 1][: len(sizes)]
    assert len(sizes) > 1
    n_pages = {trial.round: trial.n_pages for trial in found.trials}
    assert n_pages[1] == 3 * n_pages[0]
    assert max(n_pages.values()) <= 18
    assert all(set(trial.parameters) == {"C", "min_count"} for trial in found.trials)


def test_equal_seed_equal_search() -> None:
    space = {"C": [0.01, 0.1, 1.0]}
    assert tune(corpus_of(), MODEL, space, n_candidates=2, seed=3) == tune(corpus_of(), MODEL, space, n_candidates=2, seed=3)


def test_aligned_labels_take_no_part() -> None:
    corpus = corpus_of()
    wrong = corpus.assign(page=corpus["page"] + "/a", label="news", origin="aligned")
    space = {"C": [0.1, 1.0]}
    with_wrong = pd.concat([corpus.assign(origin="read"), wrong], ignore_index=True)
    assert tune(with_wrong, MODEL, space, n_folds=2) == tune(corpus, MODEL, space, n_folds=2)


@pytest.mark.parametrize(
    ("space", "n_candidates", "n_folds", "message"),
    [
        ({}, 9, 3, r"space: must give at least one candidate; got 0 combinations, 9 to be tried"),
        ({"C": []}, 9, 3, r"space: must give at least one candidate; got 0 combinations, 9 to be tried"),
        ({"C": [1.0]}, 0, 3, r"space: must give at least one candidate; got 1 combinations, 0 to be tried"),
        ({"C": [1.0]}, 9, 7, r"corpus: must have at least as many sites as folds, 7; got 6 sites"),
        ({"C": [-1.0]}, 9, 2, r"C: must be > 0; got -1.0"),
    ],
)
def test_what_cannot_be_searched(space: dict[str, Any], n_candidates: int, n_folds: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tune(corpus_of(), MODEL, space, n_candidates=n_candidates, n_folds=n_folds)


def test_the_score_is_macro_f1() -> None:
    texts = ["Share", "Menu", "It rained on the old bridge for most of the day.", "Storm closes the old coast road"]
    labels = ["boilerplate", "news", "news", "related-link"]
    model = LineRule("three-line").fit(texts, labels)
    assert macro_f1_scorer(model, texts, labels) == pytest.approx(f1_score(labels, model.predict(texts), average="macro"))


def test_scikit_learn_halves_on_its_own_resources() -> None:
    corpus = corpus_of()
    cv = StratifiedGroupKFold(2, shuffle=True, random_state=0)
    for resource, most in (("max_iter", 9), ("n_samples", "auto")):
        search = HalvingGridSearchCV(
            MODEL,
            {"C": [1e-7, 1.0, 2.0]},
            resource=resource,
            max_resources=most,
            cv=cv,
            scoring=macro_f1_scorer,
            error_score="raise",
        )
        with warnings.catch_warnings():
            # A single step of the optimiser does not converge: that is what halving starts from.
            warnings.simplefilter("ignore", ConvergenceWarning)
            search.fit(corpus, corpus["label"].to_numpy(dtype=str), groups=corpus["site"])
        assert search.best_params_["C"] in (1.0, 2.0)


def test_pages_stay_whole_and_larger_samples_hold_smaller_ones() -> None:
    corpus = corpus_of(3)
    seen = []

    class Spy(LineRule):
        def fit(self, X: Any, y: Any) -> Any:
            seen.append(X)
            return super().fit(X, y)

    labels = corpus["label"].to_numpy(dtype=str)
    for n_pages in (2, 5, 99):
        sample = PageSample(Spy("three-line"), n_pages=n_pages, random_state=1).fit(corpus, labels)
        np.testing.assert_array_equal(sample.predict(corpus), sample.model_.predict(corpus))
        np.testing.assert_array_equal(sample.predict_proba(corpus), sample.model_.predict_proba(corpus))
    pages = [set(table["page"]) for table in seen]
    assert [len(table) for table in seen] == [12, 30, 54]
    assert pages[0] < pages[1] < pages[2]
