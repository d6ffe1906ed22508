"""What the networks are given of each paragraph: scores alone, surface, relations to the page, and markup hints, on one scale.

Reading texts is left to :mod:`newswinnow.features.paragraphs`, what is made of the inputs to
:mod:`newswinnow.models.ladder.networks`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from newswinnow.features.definition import N_SURFACE, SURFACE_NAMES
from newswinnow.features.paragraphs import Paragraphs
from newswinnow.features.plain import softmax
from newswinnow.features.relations import N_RELATIONS, Rarity, news_counts, relations
from newswinnow.models.ladder.networks import MARKUP, N_SCORES, rounded
from newswinnow.models.ladder.pages import N_HINTS, PageTable
from newswinnow.paragraphs.label import LABELS, Label
from newswinnow.paragraphs.table import FloatArray

_FARTHEST: Final = 5.0
_LEAST_SPREAD: Final = 1e-3
_N_WORDS: Final = SURFACE_NAMES.index("log_words")
_NEWS: Final = LABELS.index(Label.NEWS)
N_MEASURED: Final = N_SURFACE + N_RELATIONS


def n_inputs(level: str) -> int:
    """Columns of a level's inputs.

    Parameters
    ----------
    level
        One of :data:`~newswinnow.models.ladder.networks.LEVELS`.

    Returns
    -------
    Their number.
    """
    return N_SCORES + N_MEASURED + (N_HINTS if level == MARKUP else 0)


def measured(paragraphs: Paragraphs, starts: npt.NDArray[np.int64], rarity: Rarity) -> FloatArray:
    """Surface features and relations.

    Parameters
    ----------
    paragraphs
        Read paragraphs of whole pages.
    starts
        Index of each page's first paragraph, and last the number of paragraphs.
    rarity
        How rare tokens are.

    Returns
    -------
    Shape (n_paragraphs, N_MEASURED).
    """
    n_words = np.expm1(paragraphs.surface[:, _N_WORDS].astype(np.float64))
    news = news_counts(softmax(paragraphs.logits)[:, _NEWS], n_words)
    return np.concatenate([paragraphs.surface, relations(paragraphs, starts, news, rarity)], axis=1, dtype=np.float64)


@dataclass(frozen=True)
class Scale:
    """Centre and spread of what is measured, in the corpus a model learnt from.

    Attributes
    ----------
    centre, spread
        ``float32``, shape (N_MEASURED,).
    """

    centre: npt.NDArray[np.float32]
    spread: npt.NDArray[np.float32]

    @classmethod
    def of(cls, values: FloatArray) -> "Scale":
        """The scale of a corpus.

        Parameters
        ----------
        values
            Of :func:`measured`.

        Returns
        -------
        Means and standard deviations.
        """
        spread = np.maximum(values.std(axis=0), _LEAST_SPREAD)
        return cls(values.mean(axis=0).astype(np.float32), spread.astype(np.float32))

    def inputs(self, logits: FloatArray, values: FloatArray, table: PageTable | None) -> FloatArray:
        """Inputs of the networks: the widest one, that knows markup, takes all columns, the others the first.

        Parameters
        ----------
        logits
            Of the linear model, shape (n_paragraphs, 3).
        values
            Of :func:`measured`.
        table
            The same paragraphs; None where no network that knows markup is asked, so that nothing is made of it.

        Returns
        -------
        Shape (n_paragraphs, n_inputs(MARKUP)), or (n_paragraphs, n_inputs(ORDER)) without a table; on the activations' grid.
        """
        scores = (logits - logits.T.sum(axis=0)[:, None] / N_SCORES) / 2
        scaled = values - self.centre
        scaled /= self.spread
        np.clip(scaled, -_FARTHEST, _FARTHEST, out=scaled)
        hints = [] if table is None else [table.hints()]
        inputs: FloatArray = rounded(np.concatenate([scores, scaled, *hints], axis=1))
        return inputs
