"""Weights as the kernel sums them: a linear model's, whose table is best on a grid, and a table of vectors.

Summing them is left to :mod:`newswinnow.features.hashed`, finding and keeping them to :mod:`newswinnow.models`.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from newswinnow.features.definition import CharacterNgrams

NO_CHARACTERS: Final = CharacterNgrams()
CHUNK: Final = 16
"""Columns that the kernel sums at a time."""

LANE: Final = 21
"""Bits of a number in a row of the scoring table, which holds three of them: a row is one load and one addition."""

WEIGHT_BITS: Final = 12
"""Bits of one weight with its sign: 512 of them can be summed in a lane."""

WEIGHT_LIMIT: Final = (1 << (WEIGHT_BITS - 1)) - 1
"""Largest weight of a row in steps of the grid."""


@dataclass(frozen=True)
class LinearWeights:
    """A linear model over the features.

    Attributes
    ----------
    hashed
        ``float32``, shape (n_rows, 3), n_rows a power of two; scored fastest where :func:`on_grid` rounded them.
    dense
        ``float32``, shape (38, 3), for the surface features.
    bias
        ``float32``, shape (3,).
    scales
        Weight of each block of features: words, edges, categories and, where there are any, character n-grams; ``float64``.
    characters
        Which character n-grams are features.
    """

    hashed: npt.NDArray[np.float32]
    dense: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    scales: npt.NDArray[np.float64]
    characters: CharacterNgrams = NO_CHARACTERS

    @cached_property
    def lanes(self) -> "Lanes | None":
        """The table as whole numbers, three to a word; None where its weights are on no common grid."""
        step = _grid_step(self.hashed)
        whole = np.rint(self.hashed / step)
        if not (whole * step == self.hashed).all():
            return None
        raised = whole.astype(np.int64).astype(np.uint64) + np.uint64(WEIGHT_LIMIT + 1)
        return Lanes(raised[:, 0] | raised[:, 1] << np.uint64(LANE) | raised[:, 2] << np.uint64(2 * LANE), float(step))

    @cached_property
    def dense_table(self) -> npt.NDArray[np.float64]:
        """``dense`` in the precision it is summed in."""
        return np.ascontiguousarray(self.dense, dtype=np.float64)


@dataclass(frozen=True)
class Lanes:
    """A table of weights as the kernel sums it fastest: one load and one addition for three labels, and exact.

    Attributes
    ----------
    table
        A row's three weights, in steps and raised by 2048, side by side in 21 bits each; ``uint64``, shape (n_rows,).
    step
        What a one weighs, a power of two.
    """

    table: npt.NDArray[np.uint64]
    step: float


def _grid_step(weights: npt.NDArray[Any]) -> np.float32:
    """The least power of two of which no weight is more than WEIGHT_LIMIT times."""
    largest = float(np.abs(weights).max(initial=0.0))
    return np.float32(2.0 ** max(math.ceil(math.log2(largest / WEIGHT_LIMIT)), -24)) if largest else np.float32(1)


def on_grid(weights: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Weights rounded to 12 bits of one scale, which half precision holds exactly.

    Parameters
    ----------
    weights
        Shape (n_rows, 3), none above 65504 in size.

    Returns
    -------
    Same shape.
    """
    step = _grid_step(weights)
    return (np.rint(weights / step) * step).astype(np.float32)


@dataclass(frozen=True)
class EmbeddingTable:
    """A table of vectors, one for each row that features hash to.

    Attributes
    ----------
    rows
        ``float32``, ``float16`` or ``int8``, shape (n_rows, d), n_rows a power of two.
    steps
        What the numbers of a row are multiplied by, ``float32``, shape (n_rows,), or (1,) for one step for all; None for 1.
    """

    rows: npt.NDArray[Any]
    steps: npt.NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        n_rows = len(self.rows)
        if self.rows.ndim != 2 or n_rows < 2 or n_rows & (n_rows - 1):
            raise ValueError(f"rows: must be two-dimensional with a power of two of rows; got shape {self.rows.shape}")
        if self.rows.dtype.name not in ("float32", "float16", "int8"):
            raise ValueError(f"rows: must be float32, float16 or int8; got {self.rows.dtype}")
        if self.steps is not None and self.steps.shape not in ((1,), (n_rows,)):
            raise ValueError(f"steps: must be one, or one per row, {n_rows}; got shape {self.steps.shape}")

    @cached_property
    def padded(self) -> npt.NDArray[Any]:
        """The table as the kernel sums it: columns filled up to a multiple of 16, half precision widened."""
        dtype = np.int8 if self.rows.dtype == np.int8 else np.float32
        width = -(-self.rows.shape[1] // CHUNK) * CHUNK
        padded = np.zeros((len(self.rows), width), dtype=dtype)
        padded[:, : self.rows.shape[1]] = self.rows
        return padded
