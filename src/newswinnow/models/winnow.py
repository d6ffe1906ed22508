"""The classifier that ships, as scikit-learn trains it: logistic regression over the n-gram kernel's features, calibrated.

What it learns is a plain table of weights; :class:`newswinnow.models.linear.LinearModel` scores with it in one compiled pass. How
the weights are found is left to :mod:`newswinnow.models.softmax`, how features are scaled to :mod:`newswinnow.models.scaling`.
"""

import warnings
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from newswinnow.features.hashed import LinearWeights, hashed_features, on_grid
from newswinnow.models.linear import MAX_BITS, MIN_BITS, LinearModel
from newswinnow.models.scaling import Scaling
from newswinnow.models.softmax import Examples, Solution, fit_softmax
from newswinnow.models.temperature import best_temperature
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import PAGE, SITE, FloatArray, IntArray, LabelArray, texts_of

BLOCK_SCALES: Final = (1.0, 1.0, 0.75)
"""Weights of word n-grams, edges and categories; 1.3 on either of the first two lost 0.1 points in cross-validation
(experiments/016-winnow)."""


@dataclass(frozen=True)
class _Evidence:
    """Training rows, equal texts taken together: what stands twice is read once, with twice the weight.

    Attributes
    ----------
    texts
        Different texts, sorted.
    text_of_row, code_of_row, weight_of_row, group_of_row
        Of each row of the input that weighs anything: index of its text, code of its label, its weight, and the number of the
        group that stays whole, all of shape (n_rows,).
    """

    texts: list[str]
    text_of_row: IntArray
    code_of_row: IntArray
    weight_of_row: FloatArray
    group_of_row: IntArray

    def less_repeated(self, power: float) -> "_Evidence":
        """The same rows, each weighing less the more its text weighs in all."""
        total = np.bincount(self.text_of_row, weights=self.weight_of_row, minlength=len(self.texts))
        factor = np.maximum(total, 1.0) ** (power - 1)
        return replace(self, weight_of_row=self.weight_of_row * factor[self.text_of_row])

    def targets(self, rows: Any = slice(None)) -> FloatArray:
        """Weight of each text for each label.

        Parameters
        ----------
        rows
            Which rows count; all by default.

        Returns
        -------
        Shape (n_texts, 3).
        """
        cells = self.text_of_row[rows] * len(LABELS) + self.code_of_row[rows]
        sums = np.bincount(cells, weights=self.weight_of_row[rows], minlength=len(self.texts) * len(LABELS))
        targets: FloatArray = sums.reshape(-1, len(LABELS)).astype(np.float64)
        return targets


class WinnowClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Logistic regression over hashed n-grams, edge tokens and surface features.

    A row of weight 2 counts as the row twice, a row of weight 0 as none, and the order of rows makes no difference. Given a
    paragraph table, calibration keeps sites (or, without them, pages) whole; given texts alone, it keeps equal texts together.

    Parameters
    ----------
    bits
        Binary logarithm of the number of hashed features.
    C
        Inverse regularisation strength.
    min_count
        Hashed features of less weight than so many training paragraphs of weight 1 weigh nothing.
    balanced
        Whether classes are weighted by inverse frequency.
    n_epochs
        Passes of stochastic gradients before L-BFGS.
    max_iter
        Steps of L-BFGS at most.
    repeat_power
        A text whose rows weigh w > 1 together counts as w to this power: below 1, lines that stand on every page count less.
    tol
        L-BFGS stops at a step that lowers the loss by no more than this share.
    calibration_share
        Share of the groups on whose held-out scores the temperature is fitted; 0 for no calibration.
    random_state
        Seed of the order of rows and of what is held out.

    Attributes
    ----------
    classes_
        Labels seen, sorted.
    model_
        The weights, ready to score; its columns are in label order.
    n_iter_
        Steps of L-BFGS taken.
    temperature_
        What the logits were divided by; 1 without calibration.
    """

    def __init__(
        self,
        *,
        bits: int = 18,
        C: float = 0.1,
        min_count: float = 2,
        balanced: bool = True,
        n_epochs: int = 3,
        max_iter: int = 30,
        repeat_power: float = 1.0,
        tol: float = 2e-4,
        calibration_share: float = 0.2,
        random_state: int = 0,
    ) -> None:
        self.bits = bits
        self.C = C
        self.min_count = min_count
        self.balanced = balanced
        self.n_epochs = n_epochs
        self.max_iter = max_iter
        self.repeat_power = repeat_power
        self.tol = tol
        self.calibration_share = calibration_share
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags

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
            If a parameter is out of range, lengths differ, a label is unknown, or nothing weighs anything.
        """
        self._check_parameters()
        evidence = _gather(X, y, sample_weight).less_repeated(self.repeat_power)
        features = hashed_features(evidence.texts, bits=self.bits, scales=BLOCK_SCALES)
        # Scaling knows no labels, so what is held out for the temperature may share it.
        scaling = Scaling.of(features, evidence.targets().sum(axis=1), scales=BLOCK_SCALES, min_count=self.min_count)
        examples = scaling.examples(features)
        solution = self._solve(examples, evidence.targets())
        if not solution.has_converged:
            warnings.warn(
                f"training: should converge in max_iter steps; got a stop after {self.max_iter}", ConvergenceWarning, stacklevel=2
            )
        self.classes_ = np.array(sorted({str(LABELS[code]) for code in np.unique(evidence.code_of_row)}), dtype=np.str_)
        self.n_iter_ = solution.n_iter
        self.temperature_ = self._temperature(examples, evidence)
        self.model_ = LinearModel(deployable(scaling.weights(solution.weights), self.temperature_))
        return self

    def _check_parameters(self) -> None:
        if not MIN_BITS <= self.bits <= MAX_BITS:
            raise ValueError(f"bits: must be {MIN_BITS} to {MAX_BITS}; got {self.bits}")
        if not self.C > 0:
            raise ValueError(f"C: must be > 0; got {self.C}")
        for name, least in (("n_epochs", 0), ("max_iter", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}: must be >= {least}; got {getattr(self, name)}")
        if not 0 < self.repeat_power <= 1:
            raise ValueError(f"repeat_power: must be > 0 and <= 1; got {self.repeat_power}")
        if not 0 <= self.calibration_share < 1:
            raise ValueError(f"calibration_share: must be >= 0 and < 1; got {self.calibration_share}")

    def _solve(self, examples: Examples, targets: FloatArray) -> Solution:
        sums = targets.sum(axis=0)
        if self.balanced:
            is_seen = sums > 0
            targets = targets * np.divide(sums.sum(), is_seen.sum() * sums, out=np.zeros(len(sums)), where=is_seen)
        return fit_softmax(
            examples, targets, C=self.C, n_epochs=self.n_epochs, max_iter=self.max_iter, tol=self.tol, seed=self.random_state
        )

    def _temperature(self, examples: Examples, evidence: _Evidence) -> float:
        is_held = self._held_out(evidence)
        fitted, held = evidence.targets(~is_held), evidence.targets(is_held)
        # Of a label that the other rows lack, no temperature makes the answer right.
        held[:, fitted.sum(axis=0) == 0] = 0
        rows = np.flatnonzero(held.sum(axis=1))
        if not len(rows):
            return 1.0
        return best_temperature(examples.logits(self._solve(examples, fitted).weights)[rows], held[rows])

    def _held_out(self, evidence: _Evidence) -> Any:
        """Which rows are held out for the temperature: whole groups, drawn at random."""
        n_groups = int(evidence.group_of_row.max()) + 1
        drawn = np.random.default_rng(self.random_state).permutation(n_groups)
        return np.isin(evidence.group_of_row, drawn[: round(self.calibration_share * n_groups)])

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

    def predict(self, X: Any) -> LabelArray:
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


def _gather(X: Any, y: Any, sample_weight: Any) -> _Evidence:
    texts, labels = np.array(texts_of(X), dtype=object), np.asarray(y, dtype=object)
    if len(texts) != len(labels):
        raise ValueError(f"y: must have one label per text, {len(texts)}; got {len(labels)}")
    codes = np.array([LABELS.index(label) if label in LABELS else -1 for label in labels.tolist()], dtype=np.int64)
    if (codes < 0).any():
        raise ValueError(f"y: labels must be of {', '.join(LABELS)}; got {labels[int(np.argmin(codes))]!r}")
    weight = _weights(sample_weight, len(texts))
    counts = np.flatnonzero(weight)
    if not len(counts):
        raise ValueError(f"X: must hold at least one text whose weight is not zero; got {len(texts)} texts")
    # Sorted: the order in which rows come makes no difference to anything that follows.
    text_of_row, different = pd.factorize(texts[counts], sort=True)
    groups = _groups(X, len(texts))
    group_of_row = np.unique(groups[counts], return_inverse=True)[1] if groups is not None else text_of_row
    return _Evidence(list(different), text_of_row, codes[counts], weight[counts], group_of_row.astype(np.int64))


def _weights(sample_weight: Any, n: int) -> FloatArray:
    if sample_weight is None:
        return np.ones(n)
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (n,):
        raise ValueError(f"sample_weight: must have one weight per text, {n}; got shape {weight.shape}")
    if not (np.isfinite(weight) & (weight >= 0)).all():
        raise ValueError(f"sample_weight: must be finite and >= 0; got {weight[~(weight >= 0) | ~np.isfinite(weight)][0]}")
    return weight


def _groups(X: Any, n: int) -> Any:
    """Names of the groups that stay whole, shape (n_paragraphs,), or None where the input has none."""
    if not isinstance(X, pd.DataFrame):
        return None
    for column in (SITE, PAGE):
        if column in X.columns and X[column].notna().all():
            return X[column].to_numpy(dtype=str)
    return None


def deployable(weights: LinearWeights, temperature: float) -> LinearWeights:
    """Weights as they are deployed: the temperature in them, the large table rounded to what is saved and scored exactly.

    Parameters
    ----------
    weights
        As they were found.
    temperature
        What logits are to be divided by.

    Returns
    -------
    The weights.
    """
    hashed = on_grid(weights.hashed / temperature)
    dense, bias = (weights.dense / temperature).astype(np.float32), (weights.bias / temperature).astype(np.float32)
    return replace(weights, hashed=hashed, dense=dense, bias=bias)
