"""Choosing hyper-parameters by successive halving on unseen sites, with the macro-F1 of every report.

Many candidates are tried on few pages and the best of them on more (Jamieson and Talwalkar 2016); what may be tried is left to
the caller, and so is reporting the choice on pages that took no part in it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection import StratifiedGroupKFold

from newswinnow.evaluation.scores import confusion_by_page, label_codes, score_confusion
from newswinnow.models.mixing import ALIGNED, origins_of
from newswinnow.models.training import check_trainable
from newswinnow.paragraphs.table import LABEL, PAGE, SITE, FloatArray, labelled_rows

_MODEL: Final = "model__"


@dataclass(frozen=True)
class Trial:
    """One candidate in one round.

    Attributes
    ----------
    parameters
        Name to value.
    round
        From 0.
    n_pages
        Pages it was fitted on in each fold.
    macro_f1
        Mean over the folds.
    """

    parameters: dict[str, Any]
    round: int
    n_pages: int
    macro_f1: float


@dataclass(frozen=True)
class Tuning:
    """What a search found.

    Attributes
    ----------
    parameters
        The best candidate of the last round.
    macro_f1
        Its score there: the highest of several, so somewhat too good.
    trials
        Every candidate of every round.
    """

    parameters: dict[str, Any]
    macro_f1: float
    trials: tuple[Trial, ...]


def macro_f1_scorer(model: Any, X: Any, y: Any) -> float:
    """Macro-F1 as reports define it, with the signature that scikit-learn's searches want.

    Parameters
    ----------
    model
        Fitted classifier.
    X
        Texts or a paragraph table.
    y
        True labels, shape (n_paragraphs,).

    Returns
    -------
    Between 0 and 1.
    """
    predicted = label_codes(model.predict(X))
    confusion = confusion_by_page(label_codes(y), predicted, np.zeros(len(predicted)))[0]
    return float(score_confusion(confusion).macro_f1)


class PageSample(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier fitted on some of the pages it is given, so that pages can be what a halving search spends.

    Parameters
    ----------
    model
        Classifier of paragraph tables.
    n_pages
        Pages to fit on; all where there are no more.
    random_state
        Seed of the choice; a larger sample holds the smaller ones.

    Attributes
    ----------
    model_
        The fitted classifier.
    classes_
        Its labels.
    """

    def __init__(self, model: Any, *, n_pages: int = 1, random_state: int = 0) -> None:
        self.model = model
        self.n_pages = n_pages
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Any) -> Self:
        """Fit on whole pages.

        Parameters
        ----------
        X
            A paragraph table.
        y
            Labels, shape (n_paragraphs,).

        Returns
        -------
        The estimator itself.
        """
        pages = np.random.default_rng(self.random_state).permutation(np.unique(X[PAGE].to_numpy(dtype=str)))
        is_chosen = X[PAGE].isin(pages[: self.n_pages]).to_numpy()
        self.model_ = clone(self.model).fit(X[is_chosen], np.asarray(y)[is_chosen])
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X: Any) -> FloatArray:
        """Probabilities of the labels.

        Parameters
        ----------
        X
            A paragraph table.

        Returns
        -------
        Shape (n_paragraphs, n_classes).
        """
        probabilities: FloatArray = self.model_.predict_proba(X)
        return probabilities

    def predict(self, X: Any) -> Any:
        """Most probable labels.

        Parameters
        ----------
        X
            A paragraph table.

        Returns
        -------
        Shape (n_paragraphs,).
        """
        return self.model_.predict(X)


def tune(
    corpus: pd.DataFrame,
    model: Any,
    space: Mapping[str, Sequence[Any]],
    *,
    n_candidates: int = 9,
    factor: int = 3,
    n_folds: int = 3,
    seed: int = 0,
) -> Tuning:
    """Search for parameters by successive halving inside folds cut by site.

    Parameters
    ----------
    corpus
        A paragraph table with labels and sites; aligned labels take no part.
    model
        Unfitted classifier of paragraph tables.
    space
        Parameter of the model to the values to try; candidates are drawn from all combinations.
    n_candidates
        How many, at most all combinations.
    factor
        One candidate in so many goes on to the next round, with so many times the pages.
    n_folds
        Folds by site, the same in every round and for every candidate.
    seed
        Seed of folds, pages and candidates.

    Returns
    -------
    The best parameters and all that was tried.

    Raises
    ------
    ValueError
        If nothing is to be tried, the table cannot be cut into so many folds, or a fit fails.
    """
    # Registers the two searches with scikit-learn, which holds them back as experimental.
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingRandomSearchCV

    n_possible = math.prod(map(len, space.values())) if space else 0
    if not n_possible or n_candidates < 1:
        raise ValueError(f"space: must give at least one candidate; got {n_possible} combinations, {n_candidates} to be tried")
    rows = labelled_rows(corpus)
    rows = rows[origins_of(rows) != ALIGNED].reset_index(drop=True)
    check_trainable(rows, n_folds=n_folds)
    search = HalvingRandomSearchCV(
        PageSample(model, random_state=seed),
        {_MODEL + name: list(values) for name, values in space.items()},
        n_candidates=min(n_candidates, n_possible),
        factor=factor,
        resource="n_pages",
        # Pages that every training part has.
        max_resources=rows[PAGE].nunique() * (n_folds - 1) // n_folds,
        min_resources="exhaust",
        cv=StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed),
        scoring=macro_f1_scorer,
        refit=False,
        error_score="raise",
        random_state=seed,
    )
    search.fit(rows, rows[LABEL].to_numpy(dtype=str), groups=rows[SITE])
    trials = tuple(_trials(search.cv_results_))
    best = trials[int(search.best_index_)]
    return Tuning(best.parameters, best.macro_f1, trials)


def _trials(results: Mapping[str, Any]) -> list[Trial]:
    columns = zip(results["params"], results["iter"], results["n_resources"], results["mean_test_score"], strict=True)
    return [
        Trial(_own(parameters), int(number), int(n_pages), float(macro_f1)) for parameters, number, n_pages, macro_f1 in columns
    ]


def _own(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of the model by the names the caller gave."""
    return {name.removeprefix(_MODEL): value for name, value in parameters.items() if name.startswith(_MODEL)}
