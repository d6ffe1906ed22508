"""The classifier's promises to scikit-learn, checked by scikit-learn's own checks as far as text input allows."""

from __future__ import annotations

import pickle
from typing import Any, Final, Self

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from newswinnow.models.winnow import WinnowClassifier
from newswinnow.paragraphs.label import LABELS

FAILED: Final = {"check_dtype_object": "fits four classes; a paragraph has one of three labels"}


class OfNumbers(WinnowClassifier):
    """A stand-in that says rows of numbers in words and up to three classes in labels: the checks know nothing else."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string, tags.input_tags.two_d_array = False, True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        self.names_ = np.unique(y)
        if len(self.names_) > len(LABELS):
            raise ValueError(f"y: must have at most three classes; got {len(self.names_)}")
        labels = np.array(sorted(LABELS), dtype=object)[np.searchsorted(self.names_, y)]
        super().fit(in_words(X), labels, sample_weight)
        self.classes_ = self.names_
        return self

    def predict_proba(self, X: Any) -> Any:
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        columns = [LABELS.index(label) for label in sorted(LABELS)[: len(self.names_)]]
        return self.model_.predict_proba(in_words(X))[:, columns]

    def predict(self, X: Any) -> Any:
        check_is_fitted(self)
        return self.names_[self.predict_proba(X).argmax(axis=1)]


def in_words(X: Any) -> list[str]:
    return [" ".join(f"c{j}v{round(float(value))}" for j, value in enumerate(row)) for row in X]


@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [OfNumbers(bits=10, min_count=1, C=10.0)], expected_failed_checks=lambda estimator: FAILED, xfail_strict=True
)
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.fixture
def table(corpus: pd.DataFrame) -> pd.DataFrame:
    return corpus


def small(**options: Any) -> WinnowClassifier:
    return WinnowClassifier(**{"bits": 10, "min_count": 1, **options})


def labels_of(table: pd.DataFrame) -> Any:
    return table["label"].to_numpy(dtype=str)


def test_it_says_that_it_reads_texts() -> None:
    tags = WinnowClassifier().__sklearn_tags__()
    assert (tags.input_tags.string, tags.input_tags.two_d_array, tags.estimator_type) == (True, False, "classifier")


@pytest.mark.parametrize("is_fitted", [False, True])
def test_it_survives_pickling(table: pd.DataFrame, is_fitted: bool) -> None:
    model = small(C=0.7)
    if is_fitted:
        model.fit(table, labels_of(table))
    again = pickle.loads(pickle.dumps(model))
    assert again.get_params() == model.get_params()
    if is_fitted:
        np.testing.assert_array_equal(again.predict_proba(table), model.predict_proba(table))
    else:
        assert not hasattr(again, "model_")


def test_it_is_cloned_searched_piped_and_validated_by_site(table: pd.DataFrame) -> None:
    labels = labels_of(table)
    pipeline = make_pipeline(FunctionTransformer(lambda rows: rows["text"]), clone(small()))
    found = cross_validate(pipeline, table, labels, groups=table["site"], cv=GroupKFold(2), error_score="raise")
    assert found["test_score"].mean() > 0.8
    search = GridSearchCV(small(), {"C": [1e-7, 1.0]}, cv=GroupKFold(2), scoring="neg_log_loss", error_score="raise")
    search.fit(table, labels, groups=table["site"])
    assert search.best_params_ == {"C": 1.0}


def same_answers(one: WinnowClassifier, other: WinnowClassifier, texts: Any) -> None:
    np.testing.assert_allclose(one.predict_proba(texts), other.predict_proba(texts), atol=1e-9)
    assert one.temperature_ == other.temperature_


@pytest.mark.parametrize("balanced", [True, False])
@pytest.mark.parametrize("as_table", [True, False])
def test_a_weight_of_two_is_the_row_twice(table: pd.DataFrame, balanced: bool, as_table: bool) -> None:
    weight = np.where(np.arange(len(table)) % 3 == 0, 2.0, 1.0)
    doubled = table.loc[table.index.repeat(weight.astype(int))]
    one, other = (part if as_table else part["text"].tolist() for part in (table, doubled))
    weighted = small(balanced=balanced).fit(one, labels_of(table), sample_weight=weight)
    same_answers(weighted, small(balanced=balanced).fit(other, labels_of(doubled)), table)


@pytest.mark.parametrize("as_table", [True, False])
def test_a_weight_of_zero_is_no_row(table: pd.DataFrame, as_table: bool) -> None:
    weight = (np.arange(len(table)) % 4 > 0).astype(float)
    kept = table[weight > 0]
    one, other = (part if as_table else part["text"].tolist() for part in (table, kept))
    weighted = small().fit(one, labels_of(table), sample_weight=weight)
    same_answers(weighted, small().fit(other, labels_of(kept)), table)


def test_the_order_of_rows_makes_no_difference(table: pd.DataFrame) -> None:
    turned = table.iloc[::-1]
    for one, other in ((table, turned), (table["text"], turned["text"])):
        same_answers(small().fit(one, labels_of(table)), small().fit(other, labels_of(turned)), table)


def test_a_label_without_weight_is_not_learnt(table: pd.DataFrame) -> None:
    labels = labels_of(table)
    model = small().fit(table, labels, sample_weight=(labels != "news").astype(float))
    assert model.classes_.tolist() == ["boilerplate", "related-link"]


def test_balance_is_by_weight_not_by_resampling(table: pd.DataFrame) -> None:
    texts = ["Storm warning"] * 10
    labels = ["news"] * 8 + ["related-link"] * 2
    plain = small(balanced=False, calibration_share=0).fit(texts, labels).predict_proba(["Storm warning"])[0]
    level = small(balanced=True, calibration_share=0).fit(texts, labels).predict_proba(["Storm warning"])[0]
    np.testing.assert_allclose(plain, [0.8, 0.2], atol=0.02)
    np.testing.assert_allclose(level, [0.5, 0.5], atol=0.02)


def test_calibration_makes_it_less_sure_of_what_cannot_be_known() -> None:
    rng = np.random.default_rng(0)
    texts = [" ".join(f"w{k}" for k in rng.integers(0, 500, 6)) for _ in range(300)]
    labels = np.array(["news", "boilerplate"])[rng.integers(0, 2, 300)]
    raw, calibrated = (small(C=10.0, calibration_share=share).fit(texts, labels) for share in (0, 0.2))
    assert raw.temperature_ == 1.0
    assert calibrated.temperature_ > 2
    new = [" ".join(f"w{k}" for k in rng.integers(0, 500, 6)) for _ in range(100)]
    assert calibrated.predict_proba(new).max(axis=1).mean() < raw.predict_proba(new).max(axis=1).mean()
    assert calibrated.predict(new).tolist() == raw.predict(new).tolist()


def test_sites_then_pages_stay_whole_while_calibrating(table: pd.DataFrame) -> None:
    temperatures = {
        small().fit(part, labels_of(table)).temperature_ for part in (table, table.drop(columns="site"), table["text"])
    }
    assert len(temperatures) == 3


def test_too_few_steps_are_warned_of(table: pd.DataFrame) -> None:
    from sklearn.exceptions import ConvergenceWarning

    with pytest.warns(ConvergenceWarning, match=r"training: should converge in max_iter steps; got a stop after 1"):
        small(n_epochs=0, max_iter=1).fit(table, labels_of(table))


@pytest.mark.parametrize(
    ("options", "weight", "message"),
    [
        ({"C": 0.0}, None, r"C: must be > 0; got 0.0"),
        ({"n_epochs": -1}, None, r"n_epochs: must be >= 0; got -1"),
        ({"max_iter": 0}, None, r"max_iter: must be >= 1; got 0"),
        ({"calibration_share": 1.0}, None, r"calibration_share: must be >= 0 and < 1; got 1.0"),
        ({}, [1.0], r"sample_weight: must have one weight per text, 2; got shape \(1,\)"),
        ({}, [1.0, -2.0], r"sample_weight: must be finite and >= 0; got -2.0"),
        ({}, [1.0, float("nan")], r"sample_weight: must be finite and >= 0; got nan"),
        ({}, [0.0, 0.0], r"X: must hold at least one text whose weight is not zero; got 2 texts"),
    ],
)
def test_fit_refuses(options: dict[str, Any], weight: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(**options).fit(["Share", "Menu"], ["boilerplate", "news"], sample_weight=weight)
