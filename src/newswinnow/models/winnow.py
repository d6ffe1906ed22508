"""The classifier that ships, as scikit-learn trains it: logistic regression over the n-gram kernel's features.

What it learns is a plain table of weights; :class:`newswinnow.models.linear.LinearModel` scores with it in one compiled pass.
"""

from typing import Any, Final, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from newswinnow.features.hashed import HashedFeatures, LinearWeights, hashed_features
from newswinnow.models.linear import MAX_BITS, MIN_BITS, LinearModel
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import FloatArray, texts_of

BLOCK_SCALES: Final = (1.0, 1.0, 0.75)
"""Weights of word n-grams, edges and categories; 1.3 on either of the first two lost 0.1 points in cross-validation
(experiments/016-winnow)."""

_SURFACE_WEIGHT: Final = 0.3
_MIN_SPREAD: Final = 1e-6


class WinnowClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Logistic regression over hashed n-grams, edge tokens and surface features.

    Parameters
    ----------
    bits
        Binary logarithm of the number of hashed features.
    C
        Inverse regularisation strength.
    min_count
        Hashed features of fewer training paragraphs weigh nothing.
    balanced
        Whether classes are weighted by inverse frequency.
    max_iter
        Steps of the optimiser at most.
    """

    def __init__(self, *, bits: int = 18, C: float = 0.1, min_count: int = 2, balanced: bool = True, max_iter: int = 300) -> None:
        self.bits = bits
        self.C = C
        self.min_count = min_count
        self.balanced = balanced
        self.max_iter = max_iter

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Find the weights.

        Parameters
        ----------
        X
            Texts, shape (n_paragraphs,), or a paragraph table.
        y
            Labels, shape (n_paragraphs,), of the three labels.
        sample_weight
            Weight of each paragraph, shape (n_paragraphs,); None for equal ones.

        Returns
        -------
        The estimator itself.

        Raises
        ------
        ValueError
            If a parameter is out of range, lengths differ, or a label is unknown.
        """
        if not MIN_BITS <= self.bits <= MAX_BITS:
            raise ValueError(f"bits: must be {MIN_BITS} to {MAX_BITS}; got {self.bits}")
        texts, labels = texts_of(X), np.asarray(y, dtype=np.str_)
        if len(texts) != len(labels):
            raise ValueError(f"y: must have one label per text, {len(texts)}; got {len(labels)}")
        unknown = sorted(set(labels.tolist()) - {str(label) for label in LABELS})
        if unknown:
            raise ValueError(f"y: labels must be of {', '.join(LABELS)}; got {unknown[0]!r}")
        features = hashed_features(texts, bits=self.bits, scales=BLOCK_SCALES)
        self.classes_ = np.unique(labels)
        self.model_ = LinearModel(self._weights(features, labels, sample_weight))
        return self

    def _weights(self, features: HashedFeatures, labels: Any, sample_weight: Any) -> LinearWeights:
        from scipy.sparse import csr_matrix, diags, hstack

        n = len(labels)
        count = np.bincount(features.matrix.indices, minlength=features.matrix.shape[1])
        idf = np.where(count >= self.min_count, np.log((1 + n) / (1 + count)) + 1, 0.0)
        mean = features.surface.mean(axis=0, dtype=np.float64)
        spread = np.maximum(features.surface.std(axis=0, dtype=np.float64), _MIN_SPREAD)
        surface = (features.surface - mean) / spread * _SURFACE_WEIGHT
        # Most of the table is empty; without those columns the optimiser is several times as fast and finds the same weights.
        active = np.flatnonzero(idf)
        matrix = csr_matrix(hstack([features.matrix[:, active] @ diags(idf[active]), csr_matrix(surface)]))
        weight = "balanced" if self.balanced else None
        logistic = LogisticRegression(C=self.C, max_iter=self.max_iter, class_weight=weight)
        logistic.fit(matrix, labels, sample_weight=sample_weight)
        coefficients, bias = _in_label_order(logistic)
        # Scaling by idf and standardising are linear: they go into the weights, so that scoring knows nothing of them.
        hashed = np.zeros((len(idf), len(LABELS)))
        hashed[active] = coefficients[: len(active)] * idf[active, None]
        dense = coefficients[len(active) :] * (_SURFACE_WEIGHT / spread)[:, None]
        return LinearWeights(
            hashed=hashed.astype(np.float16).astype(np.float32),
            dense=dense.astype(np.float32),
            bias=(bias - mean @ dense).astype(np.float32),
            scales=np.asarray(BLOCK_SCALES, dtype=np.float64),
        )

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
        probabilities = self.model_.predict_proba(X)
        kept: FloatArray = probabilities[:, [LABELS.index(label) for label in self.classes_]]
        return kept

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
        check_is_fitted(self)
        return self.model_.predict(X)


def _in_label_order(logistic: Any) -> tuple[FloatArray, FloatArray]:
    """Coefficients, shape (n_features, 3), and intercepts, shape (3,), of a fitted logistic regression, in label order.

    Two classes share one row of coefficients in scikit-learn, which is the second's logit; a label never seen gets a bias that
    leaves it a probability of about 1e-9.
    """
    coefficients, bias = logistic.coef_, logistic.intercept_
    if len(logistic.classes_) == 2:
        coefficients, bias = np.vstack([0 * coefficients, coefficients]), np.array([0.0, bias[0]])
    ordered, intercepts = np.zeros((coefficients.shape[1], len(LABELS))), np.full(len(LABELS), -20.0)
    for row, label in enumerate(logistic.classes_):
        ordered[:, LABELS.index(label)] = coefficients[row]
        intercepts[LABELS.index(label)] = bias[row]
    return ordered, intercepts
