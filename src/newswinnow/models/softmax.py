"""Multinomial logistic regression over many sparse and a few dense columns, compiled: examples and targets in, weights out.

A few passes of stochastic gradients come near the optimum of a convex loss, L-BFGS goes the rest of the way; both see one row
after the other on one thread, so that the same input gives the same weights. What the columns mean is left to
:mod:`newswinnow.models.winnow`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from newswinnow.models import loops
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import FloatArray

Float32Array = npt.NDArray[np.float32]

N_LABELS: Final = 3
_ABSENT: Final = np.float32(-20.0)
"""Bias of a label without any weight: leaves it a probability of about 1e-9."""

# Measured on the hand-read corpus, five folds by site: steps of 0.1 that shrink by 0.7 a pass, from accumulators of 10, came
# nearer to the optimum in three passes than 0.05 or 0.2, or accumulators of 0.1, 1 or 5.
_STEP: Final = 0.1
_STEP_DECAY: Final = 0.7
_ACCUMULATOR: Final = 10.0

_MEMORY: Final = 6
_ARMIJO: Final = 1e-4
_FIRST_STEP: Final = 0.1
_MAX_HALVINGS: Final = 30

assert len(LABELS) == N_LABELS  # the kernels below are written out for three


@dataclass(frozen=True)
class Examples:
    """Rows to learn from.

    Attributes
    ----------
    pointers, indices, values
        Sparse columns in CSR form: ``int64`` of shape (n_rows + 1,), ``int32`` and ``float32`` of shape (n_entries,).
    dense
        ``float32``, shape (n_rows, n_dense).
    n_sparse
        Number of sparse columns.
    """

    pointers: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int32]
    values: Float32Array
    dense: Float32Array
    n_sparse: int

    @property
    def n_weights(self) -> int:
        """Rows of the weights: sparse columns, dense columns, bias."""
        return self.n_sparse + int(self.dense.shape[1]) + 1

    def logits(self, weights: Float32Array) -> Float32Array:
        """Logits of every row.

        Parameters
        ----------
        weights
            Shape (n_weights, 3).

        Returns
        -------
        Shape (n_rows, 3).
        """
        found = np.empty((len(self.dense), N_LABELS), dtype=np.float32)
        loops.logits(self.pointers, self.indices, self.values, self.dense, weights, found)
        return found


@dataclass(frozen=True)
class Solution:
    """Weights that minimise the loss.

    Attributes
    ----------
    weights
        ``float32``, shape (n_weights, 3): sparse columns, dense columns, bias.
    loss
        Mean loss per weight of a row, penalty included.
    n_iter
        Steps of L-BFGS.
    has_converged
        Whether they stopped of themselves.
    """

    weights: Float32Array
    loss: float
    n_iter: int
    has_converged: bool


@dataclass(frozen=True)
class _Objective:
    """The penalised mean loss and its gradient, in variables scaled so that the curvature is about 1 in each."""

    examples: Examples
    targets: Float32Array
    strength: Float32Array
    scale: Float32Array
    total: float

    def __call__(self, scaled: Float32Array) -> tuple[float, Float32Array]:
        weights = scaled.reshape(self.scale.shape) / self.scale
        gradient = np.empty_like(weights)
        e = self.examples
        loss = loops.gradient(e.pointers, e.indices, e.values, e.dense, self.targets, weights, gradient)
        gradient += self.strength[:, None] * weights
        slope = gradient / (self.scale * np.float32(self.total))
        return (loss + loops.penalty(weights, self.strength)) / self.total, slope.ravel()


def _warm_up(
    examples: Examples, targets: Float32Array, strength: Float32Array, *, n_epochs: int, rng: np.random.Generator
) -> Float32Array:
    e = examples
    counts = np.full(e.n_weights, max(len(e.dense), 1))
    counts[: e.n_sparse] = np.maximum(np.bincount(e.indices, minlength=e.n_sparse), 1)
    decay = strength / counts.astype(np.float32)
    weights = np.zeros((e.n_weights, N_LABELS), dtype=np.float32)
    weights[-1, targets.sum(axis=0) == 0] = _ABSENT
    squares = np.full_like(weights, _ACCUMULATOR)
    for epoch in range(n_epochs):
        rate = np.float32(_STEP * _STEP_DECAY**epoch)
        order = rng.permutation(len(e.dense))
        loops.descend(e.pointers, e.indices, e.values, e.dense, targets, order, decay, rate, weights, squares)
    return weights


@dataclass(frozen=True)
class _Point:
    """Where L-BFGS stands."""

    x: Float32Array
    loss: float
    gradient: Float32Array


def _line_search(objective: _Objective, here: _Point, direction: Float32Array, slope: float, *, size: float) -> _Point | None:
    """The first point along a direction that lowers the loss enough (Armijo); None at the limit of precision."""
    for _ in range(_MAX_HALVINGS):
        x = here.x + np.float32(size) * direction
        loss, gradient = objective(x)
        if loss <= here.loss + _ARMIJO * size * slope:
            return _Point(x, loss, gradient)
        # Minimum of the parabola through what is known, within a tenth and a half of the step.
        parabola = -slope * size / (2 * (loss - here.loss - slope * size))
        size *= min(max(parabola, 0.1), 0.5)
    return None


def _lbfgs(objective: _Objective, x: Float32Array, *, max_iter: int, tol: float) -> tuple[_Point, int, bool]:
    here = _Point(x, *objective(x))
    steps, changes = (np.zeros((_MEMORY, len(x)), dtype=np.float32) for _ in range(2))
    kept: list[int] = []
    direction = np.empty_like(x)
    for n_iter in range(1, max_iter + 1):
        slope = loops.direction(here.gradient, steps, changes, np.array(kept, dtype=np.int64), direction)
        there = _line_search(objective, here, direction, slope, size=1.0 if kept else _FIRST_STEP) if slope < 0 else None
        if there is None:
            return here, n_iter, True
        slot = (kept[-1] + 1) % _MEMORY if kept else 0
        step, change = there.x - here.x, there.gradient - here.gradient
        if loops.curves_up(step, change):
            steps[slot], changes[slot] = step, change
            kept = [*kept[-_MEMORY + 1 :], slot]
        gain, here = here.loss - there.loss, there
        if gain <= tol * here.loss:
            return here, n_iter, True
    return here, max_iter, False


def fit_softmax(
    examples: Examples, targets: FloatArray, *, C: float, n_epochs: int = 3, max_iter: int = 30, tol: float = 2e-4, seed: int = 0
) -> Solution:
    """Minimise C times the cross-entropy plus half the squared weights, the bias free.

    Parameters
    ----------
    examples
        The rows.
    targets
        Weight of each row for each label, shape (n_rows, 3); a row may weigh for several, a label without weight stays away.
    C
        Inverse regularisation strength, for a row of weight 1.
    n_epochs
        Passes of stochastic gradients.
    max_iter
        Steps of L-BFGS at most.
    tol
        L-BFGS stops at a step that lowers the loss by no more than this share.
    seed
        Seed of the order of rows.

    Returns
    -------
    The weights and how they were reached.

    Raises
    ------
    ValueError
        If no target has any weight.

    Examples
    --------
    >>> rows = Examples(np.arange(3), np.array([0, 1], np.int32), np.ones(2, np.float32), np.zeros((2, 0), np.float32), 2)
    >>> solution = fit_softmax(rows, np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), C=10.0)
    >>> rows.logits(solution.weights).argmax(axis=1).tolist()
    [0, 1]
    """
    total = float(targets.sum())
    if not total > 0:
        raise ValueError(f"targets: must have a positive sum; got {total}")
    aims = np.ascontiguousarray(targets, dtype=np.float32)
    strength = np.full(examples.n_weights, 1 / C, dtype=np.float32)
    strength[-1] = 0
    weights = _warm_up(examples, aims, strength, n_epochs=n_epochs, rng=np.random.default_rng(seed))
    curvature = np.empty_like(weights)
    e = examples
    loops.curvature(e.pointers, e.indices, e.values, e.dense, aims, weights, curvature)
    scale = np.sqrt((curvature + np.float32(1 / C)) / np.float32(total))
    objective = _Objective(examples, aims, strength, scale, total)
    point, n_iter, has_converged = _lbfgs(objective, (weights * scale).ravel(), max_iter=max_iter, tol=tol)
    return Solution(point.x.reshape(scale.shape) / scale, point.loss, n_iter, has_converged)
