"""The linear model corrected on read labels: it learnt from labels of all origins, and those are right to different degrees.

Its answers out of fold and the surface features go into a second, small linear model that knows read labels alone. A linear model
of a linear model's answers is one linear model, so the correction costs no time afterwards. Networks know the surface features
and gain nothing from it (experiments/031-correction): it is for paragraphs that are judged alone.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self

import numpy as np
import numpy.typing as npt

from newswinnow.features.hashed import LinearWeights
from newswinnow.features.weights import on_grid
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import FloatArray

if TYPE_CHECKING:
    from newswinnow.models.softmax import Examples

_STRENGTH: Final = 0.01
_CENTRED: Final = np.eye(len(LABELS)) - 1 / len(LABELS)
_LEAST_SPREAD: Final = 1e-6
_MAX_ITER: Final = 100


@dataclass(frozen=True)
class Correction:
    """What becomes of logits.

    Attributes
    ----------
    mix
        Weights of the logits, shape (3, 3).
    dense
        Weights of the surface features, shape (n_surface, 3).
    bias
        Shape (3,).
    """

    mix: FloatArray
    dense: FloatArray
    bias: FloatArray

    @classmethod
    def of(cls, logits: FloatArray, surface: npt.NDArray[np.float32], targets: FloatArray) -> Self:
        """Learn the correction.

        Parameters
        ----------
        logits
            By models that do not know the paragraph's site, shape (n_paragraphs, 3).
        surface
            Surface features of the same, shape (n_paragraphs, n_surface).
        targets
            Weight of each paragraph for each label, shape (n_paragraphs, 3).

        Returns
        -------
        The correction.
        """
        from newswinnow.models.softmax import fit_softmax

        centre, spread = surface.mean(axis=0, dtype=np.float64), surface.std(axis=0, dtype=np.float64)
        spread = np.maximum(spread, _LEAST_SPREAD)
        columns = np.concatenate([logits @ _CENTRED / 2, (surface - centre) / spread], axis=1)
        found = fit_softmax(_dense_examples(columns), targets, C=_STRENGTH, max_iter=_MAX_ITER).weights.astype(np.float64)
        n_labels = logits.shape[1]
        dense = found[n_labels:-1] / spread[:, None]
        return cls(_CENTRED @ found[:n_labels] / 2, dense, found[-1] - centre @ dense)

    def logits(self, logits: FloatArray, surface: npt.NDArray[np.float32]) -> FloatArray:
        """Corrected logits.

        Parameters
        ----------
        logits
            As for :meth:`of`.
        surface
            As for :meth:`of`.

        Returns
        -------
        Shape (n_paragraphs, 3).
        """
        found: FloatArray = logits @ self.mix + surface @ self.dense + self.bias
        return found

    def weights(self, weights: LinearWeights) -> LinearWeights:
        """The linear model with the correction in it.

        Parameters
        ----------
        weights
            The linear model.

        Returns
        -------
        A linear model whose logits are the corrected ones, but for the rounding of its large table to what is scored exactly.
        """
        hashed, dense, bias = (_mixed(one, self.mix) for one in (weights.hashed, weights.dense, weights.bias))
        return replace(
            weights,
            hashed=on_grid(hashed),
            dense=(dense + self.dense).astype(np.float32),
            bias=(bias + self.bias).astype(np.float32),
        )

    def cooled(self, temperature: float) -> Self:
        """The correction with its logits divided by a temperature.

        Parameters
        ----------
        temperature
            What they are divided by.

        Returns
        -------
        The correction.
        """
        return replace(self, mix=self.mix / temperature, dense=self.dense / temperature, bias=self.bias / temperature)


def _mixed(weights: npt.NDArray[np.float32], mix: FloatArray) -> FloatArray:
    """``weights @ mix``, summed in one order on every machine: a saved model is checked by its exact answers."""
    columns: list[FloatArray] = [weights[..., label].astype(np.float64)[..., None] * mix[label] for label in range(len(mix))]
    return columns[0] + columns[1] + columns[2]


def _dense_examples(columns: FloatArray) -> "Examples":
    """Rows without sparse columns."""
    from newswinnow.models.softmax import Examples

    nothing = np.zeros(len(columns) + 1, np.int64)
    return Examples(nothing, np.empty(0, np.int32), np.empty(0, np.float32), np.ascontiguousarray(columns, dtype=np.float32), 0)
