from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks

from newswinnow.models.registry import ModelSpec, build_model
from newswinnow.models.rules import LineRule
from newswinnow.models.stacked import StackedBoosting
from newswinnow.paragraphs.table import FloatArray


class Spy(LineRule):
    """A line rule that notes which texts it was fitted on and asked about."""

    fits: ClassVar[list[list[str]]] = []
    questions: ClassVar[list[list[str]]] = []

    def fit(self, X: Any, y: Any) -> Self:
        Spy.fits.append(list(X))
        super().fit(X, y)
        return self

    def predict_proba(self, X: Any) -> FloatArray:
        Spy.questions.append(list(X))
        return super().predict_proba(X)


@pytest.fixture
def spy() -> type[Spy]:
    Spy.fits, Spy.questions = [], []
    return Spy


def few_trees(text_model: Any = None, **options: Any) -> StackedBoosting:
    return StackedBoosting(text_model or LineRule(), max_iter=5, **options)


@pytest.fixture(scope="module")
def distinct(corpus: pd.DataFrame) -> pd.DataFrame:
    """The corpus with no text twice."""
    return corpus.assign(text=corpus["text"] + [f" {i}" for i in range(len(corpus))])


def test_trees_add_what_the_text_model_cannot_see() -> None:
    texts = [f"{'BREAKING' if i % 2 else 'breaking'} harbour {'x' * (i % 5)}" for i in range(120)]
    labels = np.array(["news" if i % 2 else "boilerplate" for i in range(120)])
    rule = LineRule().fit(texts, labels)
    model = few_trees().fit(texts, labels)
    assert (rule.predict(texts) == labels).mean() == 0.5
    assert (model.predict(texts) == labels).all()
    assert model.classes_.tolist() == ["boilerplate", "news"]


def test_trees_use_the_text_model() -> None:
    texts = [f"{'alpha' if i % 2 else 'omega'} {'x' * (i % 7)}" for i in range(120)]
    labels = np.array(["news" if i % 2 else "boilerplate" for i in range(120)])
    words = build_model(ModelSpec("tfidf-logistic", analyzer="word", surface=False))
    assert (few_trees(words).fit(texts, labels).predict(texts) == labels).all()
    assert (few_trees().fit(texts, labels).predict(texts) == labels).mean() < 0.7


def test_no_site_is_judged_by_a_text_model_that_saw_it(spy: type[Spy], distinct: pd.DataFrame) -> None:
    few_trees(spy()).fit(distinct, distinct["label"])
    site_of = dict(zip(distinct["text"], distinct["site"], strict=True))
    assert len(spy.fits) == 4 + 1
    assert sorted(spy.fits[-1]) == sorted(distinct["text"])
    for fit, question in zip(spy.fits[:-1], spy.questions, strict=True):
        assert {site_of[text] for text in fit}.isdisjoint({site_of[text] for text in question})
        assert len(fit) + len(question) == len(distinct)
    assert sorted(text for question in spy.questions for text in question) == sorted(distinct["text"])


@pytest.mark.parametrize(
    ("change", "n_folds"),
    [
        ("texts only", 5),
        ("no sites", 5),
        ("one site missing", 5),
        ("one site only", 5),
        ("two sites", 2),
    ],
)
def test_number_of_folds_follows_the_sites(spy: type[Spy], distinct: pd.DataFrame, change: str, n_folds: int) -> None:
    X: Any = {
        "texts only": distinct["text"].tolist(),
        "no sites": distinct.drop(columns="site"),
        "one site missing": distinct.assign(site=distinct["site"].mask(distinct.index == 0)),
        "one site only": distinct.assign(site="tarn.example"),
        "two sites": distinct.assign(site=distinct["site"].isin(["tarn.example", "osk.example"]).astype(str)),
    }[change]
    few_trees(spy()).fit(X, distinct["label"])
    assert len(spy.fits) == n_folds + 1


def test_a_rare_label_lowers_the_number_of_folds(spy: type[Spy]) -> None:
    texts = [f"line {i}" for i in range(12)]
    few_trees(spy()).fit(texts, ["news"] * 9 + ["boilerplate"] * 3)
    assert len(spy.fits) == 3 + 1


def test_refuses_a_label_with_one_paragraph() -> None:
    with pytest.raises(ValueError, match=r"y: every label needs at least 2 paragraphs; got 1 of related-link"):
        few_trees().fit(["a", "b", "c", "d", "e"], ["news", "news", "boilerplate", "boilerplate", "related-link"])


@pytest.mark.parametrize("n_labels", [3, 7])
def test_refuses_labels_that_do_not_match_the_texts(n_labels: int) -> None:
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[5, " + str(n_labels)):
        few_trees().fit(list("abcde"), ["news"] * n_labels)


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
@pytest.mark.parametrize("X", [["Share"], []])
def test_refuses_to_predict_before_fit(method: str, X: list[str]) -> None:
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(few_trees(), method)(X)


def test_a_label_that_only_one_site_has_keeps_its_column(corpus: pd.DataFrame) -> None:
    is_kept = (corpus["label"] != "related-link") | (corpus["site"] == "tarn.example")
    rows = corpus[is_kept]
    words = build_model(ModelSpec("tfidf-logistic", analyzer="word"))
    model = few_trees(words).fit(rows, rows["label"].to_numpy(dtype=str))
    probabilities = model.predict_proba(rows)
    assert probabilities.shape == (len(rows), 3)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(len(rows)))
    assert model.classes_.tolist() == ["boilerplate", "news", "related-link"]


def test_nothing_in_nothing_out(corpus: pd.DataFrame) -> None:
    model = few_trees().fit(corpus, corpus["label"])
    assert model.predict_proba([]).shape == (0, 3)
    assert model.predict([]).shape == (0,)


def test_equal_seed_equal_probabilities(corpus: pd.DataFrame) -> None:
    words = build_model(ModelSpec("tfidf-logistic", analyzer="word"))
    found = [few_trees(words, random_state=3).fit(corpus, corpus["label"]).predict_proba(corpus) for _ in range(2)]
    assert np.array_equal(found[0], found[1])


def test_clone_and_parameters(corpus: pd.DataFrame) -> None:
    model = few_trees(LineRule("c4"), n_folds=2, learning_rate=0.5, max_leaf_nodes=3).fit(corpus, corpus["label"])
    again = clone(model)
    assert not hasattr(again, "trees_")
    assert again.text_model is not model.text_model
    expected = {"n_folds": 2, "learning_rate": 0.5, "max_iter": 5, "max_leaf_nodes": 3, "random_state": 0}
    found = again.get_params()
    assert {name: found[name] for name in expected} == expected
    assert found["text_model__rule"] == "c4"


def test_options_reach_the_trees(corpus: pd.DataFrame) -> None:
    model = few_trees(learning_rate=0.5, max_leaf_nodes=3, random_state=9).fit(corpus, corpus["label"])
    found = model.trees_.get_params()
    assert (found["learning_rate"], found["max_leaf_nodes"], found["random_state"]) == (0.5, 3, 9)
    assert model.trees_.n_iter_ == 5


def test_fitting_leaves_the_text_model_given_unfitted(corpus: pd.DataFrame) -> None:
    given = LineRule()
    model = few_trees(given).fit(corpus, corpus["label"])
    assert model.text_model is given
    assert not hasattr(given, "classes_")


def test_works_in_pipeline_cross_validation_and_grid_search(corpus: pd.DataFrame) -> None:
    strip = FunctionTransformer(lambda texts: [text.strip("“”") for text in texts])
    pipeline = make_pipeline(strip, few_trees())
    found = cross_validate(
        pipeline, corpus["text"], corpus["label"], groups=corpus["site"], cv=GroupKFold(2), error_score="raise"
    )
    assert (found["test_score"] > 0.8).all()
    search = GridSearchCV(few_trees(), {"max_iter": [1, 6]}, cv=2, scoring="neg_log_loss", error_score="raise")
    search.fit(corpus, corpus["label"])
    assert search.best_params_ == {"max_iter": 6}


# The rest of check_estimator feeds numbers, which a classifier of texts refuses; the text model has no default.
@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_estimator_cloneable,
        estimator_checks.check_estimator_repr,
        estimator_checks.check_no_attributes_set_in_init,
        estimator_checks.check_mixin_order,
        estimator_checks.check_valid_tag_types,
        estimator_checks.check_get_params_invariance,
    ],
)
def test_passes_the_checks_of_scikit_learn_that_need_no_numbers(check: Any) -> None:
    check("StackedBoosting", few_trees())
