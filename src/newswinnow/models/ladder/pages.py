"""A table as whole pages in order: which rows belong together, in what order, and what is known of their markup.

What a model makes of them is left to :mod:`newswinnow.models.ladder.model`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from newswinnow.paragraphs.table import IN_ORDER, LINK_DENSITY, PAGE, POSITION, TAG, IntArray, texts_of

TAGS: Final = tuple("p li a h1 h2 h3 h4 h5 h6 div td span figcaption button blockquote title label dd dt th".split())
"""Tags with a column of their own; other tags share one, and so do paragraphs without a tag."""

_TAG_COLUMNS: Final = {tag: column for column, tag in enumerate(TAGS)}
_OTHER: Final = len(TAGS)
_NONE: Final = len(TAGS) + 1
LINKED: Final = 0.8
N_HINTS: Final = len(TAGS) + 5
"""A column per tag, one for other tags, one for none, the link density, whether it is high, and whether it is known."""


@dataclass(frozen=True)
class PageTable:
    """Paragraphs of whole pages, pages one after the other, each in order.

    Attributes
    ----------
    texts
        The paragraphs.
    starts
        Index of each page's first paragraph, and last the number of paragraphs, shape (n_pages + 1,).
    rows
        Row of the input of each paragraph, shape (n_paragraphs,).
    tags, link_densities
        Of each paragraph, None where unknown; None where the input has no such column.
    in_order
        Which pages are known to be in order, shape (n_pages,); None where nothing is known.
    """

    texts: list[str]
    starts: IntArray
    rows: IntArray
    tags: Sequence[Any] | None
    link_densities: Sequence[Any] | None
    in_order: npt.NDArray[np.bool_] | None = None

    @classmethod
    def of(cls, X: Any) -> "PageTable":
        """The pages of a table.

        Parameters
        ----------
        X
            A paragraph table; without ``page`` it is one page, without ``position`` rows are in order. A list is one page.

        Returns
        -------
        Its pages in the order of their first rows.

        Examples
        --------
        >>> from newswinnow.paragraphs.rows import Rows
        >>> pages = PageTable.of(Rows({"page": ["b", "a", "b"], "position": [1, 0, 0], "text": ["Three", "One", "Two"]}))
        >>> pages.texts, pages.starts.tolist(), pages.rows.tolist()
        (['Two', 'Three', 'One'], [0, 2, 3], [2, 0, 1])
        """
        texts = texts_of(X)
        n = len(texts)
        columns = getattr(X, "columns", ())
        numbers = _numbers(list(X[PAGE])) if PAGE in columns else np.zeros(n, dtype=np.int64)
        positions = np.asarray(list(X[POSITION]), dtype=np.int64) if POSITION in columns else np.arange(n)
        hints = [list(X[name]) if name in columns else None for name in (TAG, LINK_DENSITY)]
        counts = np.bincount(numbers)
        starts = np.cumsum(counts) - counts
        # Most tables are in order as they are.
        rows = np.arange(n)
        if not _are_sorted(numbers, positions):
            rows = np.lexsort((positions, numbers))
            order = rows.tolist()
            hints = [values and [values[i] for i in order] for values in hints]
            texts = [texts[i] for i in order]
        in_order = np.array(X[IN_ORDER], dtype=bool)[rows[starts]] if IN_ORDER in columns else None
        return cls(texts, np.append(starts, n), rows, hints[0], hints[1], in_order)

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def sizes(self) -> IntArray:
        """Paragraphs of each page."""
        return np.diff(self.starts)

    def hints(self) -> npt.NDArray[np.float64]:
        """What is known of each paragraph's markup.

        Returns
        -------
        Shape (n_paragraphs, N_HINTS).
        """
        found = np.zeros((len(self), N_HINTS))
        tags = [None] * len(self) if self.tags is None else self.tags
        columns = [_TAG_COLUMNS.get(tag, _OTHER) if isinstance(tag, str) and tag else _NONE for tag in tags]
        found[np.arange(len(self)), columns] = 1
        densities = np.full(len(self), np.nan)
        if self.link_densities is not None:
            densities = np.array([np.nan if value is None else value for value in self.link_densities], dtype=np.float64)
        is_known = ~np.isnan(densities)
        found[is_known, -3] = densities[is_known]
        found[:, -2], found[:, -1] = is_known & (densities > LINKED), is_known
        return found

    def has_hints(self) -> npt.NDArray[np.bool_]:
        """Which pages have markup hints.

        Returns
        -------
        Shape (n_pages,).
        """
        known = np.zeros(len(self), dtype=bool)
        for column in (self.tags, self.link_densities):
            if column is not None:
                known |= np.array([value is not None and value == value and value != "" for value in column], dtype=bool)
        found: npt.NDArray[np.bool_] = np.logical_or.reduceat(known, self.starts[:-1]) if len(self) else known
        return found

    def batches(self, at_least: int) -> Iterator["PageTable"]:
        """The table cut into stretches of whole pages.

        Parameters
        ----------
        at_least
            Paragraphs of a stretch, but for the last.

        Yields
        ------
        Tables whose ``rows`` are rows of the input still.
        """
        first = 0
        n_pages = len(self.starts) - 1
        while first < n_pages:
            last = int(np.searchsorted(self.starts, self.starts[first] + at_least))
            yield self._part(first, min(max(last, first + 1), n_pages))
            first = max(last, first + 1)

    def take(self, numbers: IntArray, starts: IntArray) -> "PageTable":
        """Some paragraphs, laid out as pages anew.

        Parameters
        ----------
        numbers
            Of the paragraphs, shape (n_taken,).
        starts
            Index of each new page's first paragraph, and last n_taken.

        Returns
        -------
        The new pages.
        """
        chosen = numbers.tolist()
        tags, densities = (column and [column[i] for i in chosen] for column in (self.tags, self.link_densities))
        return PageTable([self.texts[i] for i in chosen], starts, self.rows[numbers], tags, densities)

    def _part(self, first: int, last: int) -> "PageTable":
        begin, end = int(self.starts[first]), int(self.starts[last])
        tags, densities = (column and column[begin:end] for column in (self.tags, self.link_densities))
        in_order = None if self.in_order is None else self.in_order[first:last]
        starts = self.starts[first : last + 1] - begin
        return PageTable(self.texts[begin:end], starts, self.rows[begin:end], tags, densities, in_order)


def _numbers(pages: list[Any]) -> IntArray:
    """Number of each row's page, counted from the first that comes."""
    known = {page: number for number, page in enumerate(dict.fromkeys(pages))}
    return np.fromiter(map(known.__getitem__, pages), dtype=np.int64, count=len(pages))


def _are_sorted(numbers: IntArray, positions: IntArray) -> bool:
    """Whether rows are sorted by page, and on each page by position."""
    further = np.diff(numbers)
    return bool(((further > 0) | ((further == 0) & (np.diff(positions) >= 0))).all())
