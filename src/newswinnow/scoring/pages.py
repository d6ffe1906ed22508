"""The unit handed to a model: a batch of whole pages, texts and where each page begins, with markup hints where there are any.

Reading pages and writing answers is left to the modules around; what a model makes of its neighbours is left to the model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, compress, islice, repeat
from operator import ne

import numpy as np

from newswinnow.models.predictor import AUTO, Predictor
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.rows import Rows
from newswinnow.paragraphs.table import IN_ORDER, LINK_DENSITY, PAGE, POSITION, TAG, TEXT, FloatArray, IntArray


@dataclass(frozen=True)
class PageBatch:
    """Paragraphs of whole pages, rows of one page next to each other.

    A page is a run of rows with the same id. An id that comes back after another page begins a page of its own.

    Attributes
    ----------
    pages
        Id of each row's page, shape (n_paragraphs,).
    positions
        Place of each row on its page.
    texts
        The paragraphs, whitespace collapsed; empty ones are not scored.
    tags
        Tag of each row or None; None where the input has no such column.
    link_densities
        Share of linked text of each row or None; None where the input has no such column.
    in_order
        Whether each row's page is known to be in order, as one cut from HTML is; None where nothing is known.
    """

    pages: Sequence[str]
    positions: Sequence[int]
    texts: Sequence[str]
    tags: Sequence[str | None] | None = None
    link_densities: Sequence[float | None] | None = None
    in_order: Sequence[bool] | None = None

    def bounds(self) -> IntArray:
        """First row of every page, and the number of rows; shape (n_pages + 1,).

        Returns
        -------
        Row numbers, rising.

        Examples
        --------
        >>> PageBatch(["a", "a", "b", "a"], [0, 1, 0, 2], ["One", "Two", "Three", "Four"]).bounds().tolist()
        [0, 2, 3, 4]
        """
        pages = self.pages
        cuts = compress(range(1, len(pages)), map(ne, pages, islice(pages, 1, None)))
        return np.array([0, *cuts, len(pages)] if pages else [0], dtype=np.int64)

    def as_rows(self) -> Rows:
        """The batch as the table that page-context models read; every run of rows has an id of its own.

        Returns
        -------
        Columns ``page``, ``position``, ``text`` and, where known, ``tag``, ``link_density`` and :data:`IN_ORDER`.
        """
        bounds = self.bounds()
        ids = list(chain.from_iterable(repeat(str(i), n) for i, n in enumerate(np.diff(bounds).tolist())))
        columns: dict[str, Sequence[object]] = {PAGE: ids, POSITION: self.positions, TEXT: self.texts}
        if self.tags is not None:
            columns[TAG] = self.tags
        if self.link_densities is not None:
            columns[LINK_DENSITY] = self.link_densities
        if self.in_order is not None:
            columns[IN_ORDER] = self.in_order
        return Rows(columns)


def score_pages(model: Predictor, batch: PageBatch, *, context: str = AUTO) -> FloatArray:
    """Probabilities of every paragraph of a batch.

    Parameters
    ----------
    model
        The predictor.
    batch
        Whole pages.
    context
        Level of information to use.

    Returns
    -------
    Shape (n_paragraphs, 3), columns in label order; NaN for empty texts.

    Raises
    ------
    ValueError
        If the model does not know the context.
    """
    knows_pages = model.contexts != ("alone",)
    if all(batch.texts):
        return model.predict_proba(batch.as_rows() if knows_pages else batch.texts, context=context)
    is_full = [bool(text) for text in batch.texts]
    probabilities = np.full((len(batch.texts), len(LABELS)), np.nan)
    kept = batch.as_rows().where(is_full)
    probabilities[is_full] = model.predict_proba(kept if knows_pages else kept[TEXT], context=context)
    return probabilities
