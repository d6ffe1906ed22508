"""A paragraph table cut into pages for annotators, every row checked as a reader would check it.

How a page or paragraph is written is left to the tools' modules.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from newswinnow.corpus.exchange.carrier import pack, shown_text
from newswinnow.corpus.records import BadRecord, RecordCollector, RecordRules
from newswinnow.corpus.rejects import CorpusError
from newswinnow.corpus.write import records_of
from newswinnow.paragraphs.table import LABEL, PAGE, POSITION, TEXT, require_columns

QUEUE: Final = "queue"
"""Column of ranks that ``corpus queue`` writes; null for a paragraph that nobody is asked about."""

_NEIGHBOUR_CHARS: Final = 200


@dataclass(frozen=True)
class Item:
    """One paragraph on its way to an annotator.

    Attributes
    ----------
    position
        Place on the page.
    text
        As it is shown.
    label
        What it is labelled so far; None if it is not.
    record
        All its columns.
    packed
        The same as the string that goes along with the text.
    is_asked
        Whether its label is wanted; False only for paragraphs that a queue passed over.
    """

    position: int
    text: str
    label: str | None
    record: dict[str, Any]
    packed: str
    is_asked: bool


@dataclass(frozen=True)
class Page:
    """One page with its paragraphs by position."""

    name: str
    items: tuple[Item, ...]

    def shown(self, *, only_queued: bool) -> Iterator[tuple[int, Item]]:
        """Paragraphs to show with their index: all, or only those whose label is wanted."""
        return ((i, item) for i, item in enumerate(self.items) if item.is_asked or not only_queued)

    def neighbours(self, i: int) -> dict[str, str]:
        """Beginnings of the texts before and after, for tools that show one paragraph at a time; empty at the page's ends."""
        before = self.items[i - 1].text if i > 0 else ""
        after = self.items[i + 1].text if i + 1 < len(self.items) else ""
        return {"before": _beginning(before), "after": _beginning(after)}


def _beginning(text: str) -> str:
    return text if len(text) <= _NEIGHBOUR_CHARS else text[: _NEIGHBOUR_CHARS - 1] + "…"


def pages_of(table: pd.DataFrame, *, only_queued: bool = False) -> list[Page]:
    """The pages of a table.

    Parameters
    ----------
    table
        A paragraph table; labels are optional.
    only_queued
        Keep only pages with a paragraph that a queue picked.

    Returns
    -------
    Pages in order of first appearance.

    Raises
    ------
    ValueError
        If a needed column is missing.
    CorpusError
        If a row would be refused when it comes back; rows are counted from 1.
    """
    require_columns(table, [PAGE, POSITION, TEXT, *([QUEUE] if only_queued else [])], where="table")
    collector = RecordCollector(RecordRules())
    pages: dict[str, list[Item]] = {}
    for row, record in enumerate(records_of(table), start=1):
        n_taken = len(collector.records)
        collector.add(record, source="table", line=row)
        if len(collector.records) == n_taken:
            continue
        try:
            item = _item(collector.records[-1])
        except BadRecord as error:
            collector.reject(str(error), source="table", line=row, value=record[TEXT])
            continue
        pages.setdefault(record[PAGE], []).append(item)
    if collector.rejects:
        raise CorpusError(collector.rejects)
    kept = [name for name, items in pages.items() if not only_queued or any(item.is_asked for item in items)]
    return [Page(shown_text(name), tuple(sorted(pages[name], key=lambda item: item.position))) for name in kept]


def _item(record: dict[str, Any]) -> Item:
    shown = shown_text(record[TEXT])
    is_asked = QUEUE not in record or record[QUEUE] is not None
    return Item(record[POSITION], shown, record.get(LABEL), record, pack(record, shown), is_asked)
