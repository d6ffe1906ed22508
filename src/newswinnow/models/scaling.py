"""How the kernel's raw features are scaled for training: inverse document frequency, and a common spread for the surface.

Both are linear, so they go into the weights afterwards and scoring knows nothing of them. Finding the weights is left to
:mod:`newswinnow.models.softmax`.
"""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from newswinnow.features.hashed import HashedFeatures, LinearWeights
from newswinnow.models import loops
from newswinnow.models.softmax import Examples
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import FloatArray

_SURFACE_WEIGHT: Final = 0.3
_MIN_SPREAD: Final = 1e-6
# Weights are sums of decimal fractions: three rows of weight 0.1 and seven of 0.1 are one row, whatever their rounding.
_SLACK: Final = 1e-9


@dataclass(frozen=True)
class Scaling:
    """Scaling learnt from training rows.

    Attributes
    ----------
    columns
        Hashed columns that weigh anything, the most frequent first: those read most lie together in memory.
    idf
        Their smoothed inverse document frequency, same shape.
    n_columns
        Number of hashed columns of the raw features.
    mean, spread
        Of the surface features, shape (n_surface,).
    scales
        Block weights that the features were made with, shape (3,).
    """

    columns: npt.NDArray[np.int64]
    idf: FloatArray
    n_columns: int
    mean: FloatArray
    spread: FloatArray
    scales: FloatArray

    @classmethod
    def of(cls, features: HashedFeatures, row_weights: FloatArray, *, scales: Any, min_count: float) -> Self:
        """Learn the scaling.

        Parameters
        ----------
        features
            Raw features.
        row_weights
            Weight of each row, shape (n_rows,); a row of weight 2 counts as two rows.
        scales
            Block weights that they were made with.
        min_count
            Columns of less weight are left out.

        Returns
        -------
        The scaling.
        """
        matrix, total = features.matrix, row_weights.sum()
        counts = np.zeros(matrix.shape[1])
        loops.add_up(matrix.indptr, matrix.indices, row_weights, counts)
        kept = np.flatnonzero((counts >= min_count - _SLACK) & (counts > 0))
        columns = kept[np.argsort(-counts[kept], kind="stable")]
        surface = features.surface.astype(np.float64)
        mean = row_weights @ surface / total
        variance = np.maximum(row_weights @ (surface - mean) ** 2 / total, 0)
        return cls(
            columns=columns,
            idf=np.log((1 + total) / (1 + counts[columns])) + 1,
            n_columns=matrix.shape[1],
            mean=mean,
            spread=np.maximum(np.sqrt(variance), _MIN_SPREAD),
            scales=np.asarray(scales, dtype=np.float64),
        )

    def examples(self, features: HashedFeatures) -> Examples:
        """Scaled features.

        Parameters
        ----------
        features
            Raw features.

        Returns
        -------
        The rows to learn from.
        """
        matrix = features.matrix
        place = np.full(self.n_columns, -1, dtype=np.int32)
        place[self.columns] = np.arange(len(self.columns), dtype=np.int32)
        n_kept = int((place >= 0)[matrix.indices].sum())
        pointers, indices = np.zeros(matrix.shape[0] + 1, dtype=np.int64), np.empty(n_kept, dtype=np.int32)
        values = np.empty(n_kept, dtype=np.float32)
        loops.select(matrix.indptr, matrix.indices, matrix.data, place, self.idf, pointers, indices, values)
        surface = (features.surface - self.mean) / self.spread * _SURFACE_WEIGHT
        return Examples(pointers, indices, values, np.ascontiguousarray(surface, dtype=np.float32), len(self.columns))

    def weights(self, fitted: npt.NDArray[np.float32]) -> LinearWeights:
        """Weights over the raw features.

        Parameters
        ----------
        fitted
            Weights over the scaled ones, shape (n_columns_kept + n_surface + 1, 3).

        Returns
        -------
        The same model without scaling.
        """
        n_kept, exact = len(self.columns), fitted.astype(np.float64)
        hashed = np.zeros((self.n_columns, len(LABELS)))
        hashed[self.columns] = exact[:n_kept] * self.idf[:, None]
        dense = exact[n_kept:-1] * (_SURFACE_WEIGHT / self.spread)[:, None]
        return LinearWeights(
            hashed=hashed.astype(np.float32),
            dense=dense.astype(np.float32),
            bias=(exact[-1] - self.mean @ dense).astype(np.float32),
            scales=self.scales,
        )
