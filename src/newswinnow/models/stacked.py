"""Gradient boosting over a text model's out-of-fold probabilities and surface features.

A linear model cannot weigh words against length; trees can. The text model itself is any classifier of texts.
"""

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from newswinnow.features.surface import measure
from newswinnow.paragraphs.table import SITE, FloatArray, texts_of


class StackedBoosting(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Boosted trees on top of a text model.

    Parameters
    ----------
    text_model
        Classifier of texts with ``predict_proba``.
    n_folds
        Folds for its out-of-fold probabilities, grouped by site where the input is a table with sites; fewer where a label has
        fewer paragraphs.
    learning_rate
        Shrinkage of each tree.
    max_iter
        Number of boosting rounds.
    max_leaf_nodes
        Leaves of a tree.
    random_state
        Seed of folds and trees.
    """

    def __init__(
        self,
        text_model: Any,
        *,
        n_folds: int = 5,
        learning_rate: float = 0.06,
        max_iter: int = 200,
        max_leaf_nodes: int = 15,
        random_state: int = 0,
    ) -> None:
        self.text_model = text_model
        self.n_folds = n_folds
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.max_leaf_nodes = max_leaf_nodes
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Fit the text model on all texts and the trees on its out-of-fold probabilities.

        Parameters
        ----------
        X
            Texts, shape (n_paragraphs,), or a paragraph table.
        y
            Labels, shape (n_paragraphs,).

        Returns
        -------
        The estimator itself.

        Raises
        ------
        ValueError
            If ``X`` and ``y`` differ in length or a label has a single paragraph.
        """
        labels = np.asarray(y, dtype=np.str_)
        texts = texts_of(X)
        check_consistent_length(texts, labels)
        self.classes_ = np.unique(labels)
        inner = np.zeros((len(texts), len(self.classes_)))
        for fit_rows, held_rows in self._folds(X, labels):
            model = clone(self.text_model).fit([texts[i] for i in fit_rows], labels[fit_rows])
            inner[held_rows] = self._answers(model, [texts[i] for i in held_rows])
        self.text_model_ = clone(self.text_model).fit(texts, labels)
        self.trees_ = HistGradientBoostingClassifier(
            learning_rate=self.learning_rate,
            max_iter=self.max_iter,
            max_leaf_nodes=self.max_leaf_nodes,
            min_samples_leaf=20,
            l2_regularization=1.0,
            early_stopping=False,
            random_state=self.random_state,
        ).fit(self._stack(inner, texts), labels)
        return self

    def _folds(self, X: Any, labels: Any) -> Iterator[tuple[Any, Any]]:
        names, counts = np.unique(labels, return_counts=True)
        if counts.min() < 2:
            raise ValueError(f"y: every label needs at least 2 paragraphs; got {counts.min()} of {names[counts.argmin()]}")
        n_folds = min(self.n_folds, int(counts.min()))
        if isinstance(X, pd.DataFrame) and SITE in X.columns and X[SITE].notna().all():
            n_by_site = min(n_folds, X[SITE].nunique())
            if n_by_site >= 2:
                by_site = StratifiedGroupKFold(n_by_site, shuffle=True, random_state=self.random_state)
                return iter(by_site.split(labels, labels, groups=X[SITE]))
        plain = StratifiedKFold(n_folds, shuffle=True, random_state=self.random_state)
        return iter(plain.split(labels, labels))

    def _answers(self, model: Any, texts: list[str]) -> FloatArray:
        """A text model's probabilities with a column for every label here, whatever labels it knows."""
        answers = np.zeros((len(texts), len(self.classes_)))
        here, there = np.intersect1d(self.classes_, model.classes_, return_indices=True)[1:]
        answers[:, here] = model.predict_proba(texts)[:, there]
        return answers

    @staticmethod
    def _stack(probabilities: FloatArray, texts: list[str]) -> FloatArray:
        # Log-odds space, rounded: trees split on order only, and rounding keeps them equal across BLAS builds.
        scores = np.log(np.clip(probabilities, 1e-6, 1.0)).round(6)
        return np.hstack([scores, measure(texts)])

    def predict_proba(self, X: Any) -> FloatArray:
        """Probabilities of the labels.

        Parameters
        ----------
        X
            Texts, shape (n_paragraphs,), or a paragraph table.

        Returns
        -------
        Shape (n_paragraphs, n_classes), columns in the order of ``classes_``.
        """
        check_is_fitted(self)
        texts = texts_of(X)
        if not texts:
            return np.zeros((0, len(self.classes_)))
        probabilities: FloatArray = self.trees_.predict_proba(self._stack(self._answers(self.text_model_, texts), texts))
        return probabilities

    def predict(self, X: Any) -> np.ndarray[Any, np.dtype[np.str_]]:
        """Most probable labels.

        Parameters
        ----------
        X
            Texts, shape (n_paragraphs,), or a paragraph table.

        Returns
        -------
        Shape (n_paragraphs,).
        """
        best = self.predict_proba(X).argmax(axis=1)
        labels: np.ndarray[Any, np.dtype[np.str_]] = self.classes_[best]
        return labels
