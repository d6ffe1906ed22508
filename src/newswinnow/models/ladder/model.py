"""The ladder as it is deployed: a paragraph judged alone, with its page as a bag, in order, or in order with markup.

Finding its numbers is left to :mod:`newswinnow.models.ladder.classifier`, keeping them in a file to
:mod:`newswinnow.models.ladder.tensors`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from newswinnow.features.batches import each_piece
from newswinnow.features.definition import SURFACE_NAMES
from newswinnow.features.paragraphs import Paragraphs, read
from newswinnow.features.plain import softmax
from newswinnow.features.relations import Rarity
from newswinnow.models.ladder.correction import Correction
from newswinnow.models.ladder.inputs import Scale, measured
from newswinnow.models.ladder.matrices import one_thread_each
from newswinnow.models.ladder.networks import BAG, MARKUP, ORDER, Network, Pages, lengths_of
from newswinnow.models.ladder.order import OrderTrust, series, signs
from newswinnow.models.ladder.pages import PageTable
from newswinnow.models.linear import LinearModel
from newswinnow.models.predictor import ALONE, AUTO, CONTEXTS
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import PAGE, FloatArray, LabelArray, labels_at, texts_of

BATCH: Final = 1024
"""Paragraphs that the networks are given at once, if pages are no longer: their activations stay in the second-level cache."""

LEAST_PAGE: Final = 3
SMALL_PAGE: Final = 9
"""Of a page of fewer paragraphs than the first, ``auto`` judges each alone; of fewer than the second, it takes the geometric mean
of alone and the page's level (experiments/029-small-pages)."""

LOG_CHARS: Final = SURFACE_NAMES.index("log_chars")
_CLOSES: Final = SURFACE_NAMES.index("closes_sentence")


def order_series(paragraphs: Paragraphs) -> FloatArray:
    """What tells a page in order.

    Parameters
    ----------
    paragraphs
        Read paragraphs of whole pages.

    Returns
    -------
    As :func:`newswinnow.models.ladder.order.series`.
    """
    surface = paragraphs.surface
    return series(softmax(paragraphs.logits), surface[:, LOG_CHARS], surface[:, _CLOSES])


@dataclass(frozen=True)
class LadderModel:
    """All levels of one model.

    Attributes
    ----------
    linear
        Gives the networks their first inputs.
    rarity
        How rare tokens are.
    scale
        Of what is measured.
    networks
        Level to network.
    temperatures
        Level to what its logits are divided by.
    trust
        Whether a page is in order.
    correction
        What makes of ``linear`` the model that judges paragraphs alone; None where it is the same.
    """

    linear: LinearModel
    rarity: Rarity
    scale: Scale
    networks: Mapping[str, Network]
    temperatures: Mapping[str, float]
    trust: OrderTrust
    correction: Correction | None = None

    @cached_property
    def alone(self) -> LinearModel:
        """The linear model that judges paragraphs alone."""
        return LinearModel(self.correction.weights(self.linear.weights)) if self.correction else self.linear

    @property
    def contexts(self) -> tuple[str, ...]:
        """Levels of information the model can use."""
        return CONTEXTS

    @property
    def classes_(self) -> np.ndarray[Any, np.dtype[np.str_]]:
        """The labels in label order."""
        return self.linear.classes_

    def predict_proba(self, X: Any, *, context: str = AUTO) -> FloatArray:
        """Probabilities of the labels.

        Parameters
        ----------
        X
            Texts, shape (n_paragraphs,), or a paragraph table, rows in any order.
        context
            ``alone``, ``bag``, ``order``, ``markup``, or ``auto``: texts without pages alone; pages whose order seems to be that
            of the page in order, with markup where they have any; other pages as a bag; pages of a few paragraphs more or
            less alone.

        Returns
        -------
        Shape (n_paragraphs, 3), columns in label order.
        """
        if context == ALONE or (context == AUTO and PAGE not in getattr(X, "columns", ())):
            return self.alone.predict_proba(X)
        table = PageTable.of(X)
        found = np.empty((len(table), len(LABELS)))
        pieces = list(table.batches(BATCH))

        def run(number: int) -> None:
            piece = pieces[number]
            found[piece.rows] = self._probabilities(piece, context)

        with one_thread_each():
            each_piece(run, len(pieces), size=len(table))
        return found

    def predict(self, X: Any, *, context: str = AUTO) -> LabelArray:
        """Most probable labels.

        Parameters
        ----------
        X
            As for :meth:`predict_proba`.
        context
            As for :meth:`predict_proba`.

        Returns
        -------
        Shape (n_paragraphs,); of equal probabilities the first in label order.
        """
        if context == ALONE:
            return self.predict_texts(texts_of(X))
        return labels_at(self.predict_proba(X, context=context).argmax(axis=1))

    def predict_texts(self, texts: list[str]) -> LabelArray:
        """Most probable labels of what is known to be texts, each alone.

        Parameters
        ----------
        texts
            The paragraphs.

        Returns
        -------
        Shape (n_paragraphs,); of equal probabilities the first in label order.
        """
        return self.alone.predict_texts(texts)

    def levels_of(self, X: Any) -> list[str]:
        """The level that ``auto`` takes for each row.

        Parameters
        ----------
        X
            A paragraph table.

        Returns
        -------
        One level per row.
        """
        table = PageTable.of(X)
        chosen = self._chosen(table, read(table.texts, self.linear.weights))
        chosen[table.sizes < LEAST_PAGE] = ALONE
        found = np.empty(len(table), dtype=object)
        found[table.rows] = np.repeat(chosen, table.sizes)
        return list(found)

    def _chosen(self, table: PageTable, paragraphs: Paragraphs) -> npt.NDArray[np.str_]:
        """Level of each page, however small."""
        has_hints = table.has_hints()
        trusted = self.trust.trusts(signs(order_series(paragraphs), table.starts), has_hints, table.in_order)
        return np.where(trusted, np.where(has_hints, MARKUP, ORDER), BAG)

    def _probabilities(self, table: PageTable, context: str) -> FloatArray:
        paragraphs = read(table.texts, self.linear.weights)
        values = measured(paragraphs, table.starts, self.rarity)
        chosen, sizes = self._chosen(table, paragraphs) if context == AUTO else np.array([context]), table.sizes
        levels = np.unique(chosen).tolist()
        inputs = self.scale.inputs(paragraphs.logits, values, table if MARKUP in levels else None)
        lengths = lengths_of(paragraphs.surface[:, LOG_CHARS])
        if context != AUTO:
            return self._at(context, inputs, Pages(sizes, lengths))
        found = np.empty((len(table), len(LABELS)))
        for level in levels:
            is_here = chosen == level
            rows = np.repeat(is_here, sizes)
            found[rows] = self._at(level, inputs[rows], Pages(sizes[is_here], lengths[rows]))
        is_small = np.repeat(sizes < SMALL_PAGE, sizes)
        if is_small.any():
            found[is_small] = self._less_sure(found[is_small], table, is_small)
        return found

    def _less_sure(self, found: FloatArray, table: PageTable, is_small: npt.NDArray[np.bool_]) -> FloatArray:
        """Probabilities of paragraphs of small pages: between those of their page's level and those alone, or the latter."""
        alone = self.alone.predict_proba([table.texts[row] for row in np.flatnonzero(is_small).tolist()])
        between = np.sqrt(found * alone)
        between /= between.sum(axis=1, keepdims=True)
        is_least = np.repeat(table.sizes < LEAST_PAGE, table.sizes)[is_small]
        return np.where(is_least[:, None], alone, between)

    def _at(self, level: str, inputs: FloatArray, pages: Pages) -> FloatArray:
        network = self.networks[level]
        return softmax(network.logits(inputs[:, : network.n_inputs], pages) / self.temperatures[level])
