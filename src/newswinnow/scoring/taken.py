"""Paragraphs taken from a chunk, column by column, with what is needed to write each row again as it came.

Reading them is left to :mod:`newswinnow.scoring.read`, scoring and writing to :mod:`newswinnow.scoring.score`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import gt, ne, or_
from typing import Any, Final

from newswinnow.corpus.records import RecordRules
from newswinnow.corpus.rejects import Reject, excerpt_of
from newswinnow.paragraphs.table import LINK_DENSITY, TAG
from newswinnow.scoring.pages import PageBatch

RULES: Final = RecordRules(keeps_empty=True)


@dataclass
class Paragraphs:
    """Rows that were taken, column by column.

    Attributes
    ----------
    pages
        Page ids, shape (n_rows,).
    positions
        Places on the page.
    texts
        Texts, whitespace collapsed; empty ones are kept.
    numbers
        Line, row or page number of each row; None for a file of its own.
    records
        Each row as a dictionary, checked; None where the chunk was an Arrow table.
    lines
        Each row as it came, where the answer can be added to its bytes; None where it must be written anew.
    table
        The rows as an Arrow table, where the chunk was one.
    names
        Names of all columns of ``records``.
    in_order
        Whether each row's page is known to be in order; None where nothing is known.
    """

    pages: list[str] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    numbers: list[int | None] = field(default_factory=list)
    records: list[dict[str, Any]] | None = None
    lines: list[bytes | None] | None = None
    table: Any = None
    names: set[str] = field(default_factory=set)
    in_order: list[bool] | None = None

    def column(self, name: str) -> list[Any] | None:
        """A column by name.

        Parameters
        ----------
        name
            Such as ``tag``.

        Returns
        -------
        Its values, None where missing; None if no row has it.
        """
        if self.records is not None:
            return [r.get(name) for r in self.records] if name in self.names else None
        at = -1 if self.table is None else self.table.schema.get_field_index(name)
        values: list[Any] | None = self.table.column(at).to_pylist() if at >= 0 else None
        return values

    def batch(self, *, with_hints: bool) -> PageBatch:
        """The unit that models take.

        Parameters
        ----------
        with_hints
            Whether tag and link density are wanted.

        Returns
        -------
        Whole pages.
        """
        tags, densities = (self.column(TAG), self.column(LINK_DENSITY)) if with_hints else (None, None)
        return PageBatch(self.pages, self.positions, self.texts, tags, densities, self.in_order)

    def keep(self, kept: Sequence[int]) -> None:
        """Drop rows.

        Parameters
        ----------
        kept
            Indices of the rows that stay, rising.
        """
        for name in ("pages", "positions", "texts", "numbers", "records", "lines", "in_order"):
            values = getattr(self, name)
            if values is not None:
                setattr(self, name, [values[i] for i in kept])
        if self.table is not None:
            self.table = self.table.take(kept)


@dataclass
class ReadChunk:
    """What a chunk held: rows taken, records refused, and how many there were in all."""

    rows: Paragraphs
    rejects: list[Reject] = field(default_factory=list)
    n_records: int = 0


def refuse_repeated(read: ReadChunk, source: str) -> None:
    """Refuse rows that repeat a position of their page, and put the rejects in order.

    Parameters
    ----------
    read
        Rows and rejects, changed in place.
    source
        The file.
    """
    rows = read.rows
    # Where positions rise or the page changes from row to row, as in nearly all tables, none comes twice.
    is_rising = map(gt, islice(rows.positions, 1, None), rows.positions)
    is_new_page = map(ne, islice(rows.pages, 1, None), rows.pages)
    if not all(map(or_, is_rising, is_new_page)):
        kept = _first_places(read, source)
        rows.keep(kept)
    read.rejects.sort(key=lambda reject: reject.line or 0)


def _first_places(read: ReadChunk, source: str) -> list[int]:
    rows, kept = read.rows, []
    seen: dict[int, int | None] = {}
    for i, (page, position, number) in enumerate(zip(rows.pages, rows.positions, rows.numbers, strict=True)):
        if i and page != rows.pages[i - 1]:
            seen = {}
        if position in seen:
            first = f"{source}:{seen[position]}"
            reason = f"page and position must be unique; got page {excerpt_of(page)} position {position} again, first at {first}"
            read.rejects.append(Reject(source, number, reason, excerpt_of(rows.texts[i])))
        else:
            seen[position] = number
            kept.append(i)
    return kept
