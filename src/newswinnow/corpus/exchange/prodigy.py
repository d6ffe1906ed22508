"""Prodigy: one JSON line per paragraph in the ``choice`` format, with the texts before and after it in the card's footer.

Made for ``prodigy mark DATASET FILE --view-id choice``; ``prodigy db-out DATASET`` gives each task back with an ``answer``
(``accept``, ``reject`` or ``ignore``) and the chosen options under ``accept`` (https://prodi.gy/docs/api-interfaces#choice).
Known labels go out preselected. Prodigy takes two tasks with the same ``text`` for the same question and drops the second;
the key ``input`` is part of that hash (https://support.prodi.gy/t/function-set-hashes/6006), so it holds page and position:
the "Share" of one page is not the "Share" of another. An answer other than ``accept`` decides nothing. A paragraph may stand
in the file once: settle several annotators' answers with ``prodigy review`` first.

Packing the columns is left to :mod:`newswinnow.corpus.exchange.carrier`.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from newswinnow.corpus.exchange.carrier import CARRIER, UNDECIDED, Decision
from newswinnow.corpus.exchange.incoming import DecisionCollector
from newswinnow.corpus.exchange.lines import each_object
from newswinnow.corpus.exchange.outgoing import Page
from newswinnow.corpus.records import BadRecord
from newswinnow.corpus.rejects import excerpt_of
from newswinnow.paragraphs.label import LABELS

_OPTIONS: Final = [{"id": str(label), "text": str(label)} for label in LABELS]
_NOT_DECIDED: Final = ("reject", "ignore")


def export_pages(pages: Sequence[Page], *, only_queued: bool) -> dict[str, Iterator[bytes]]:
    """Paragraphs as JSON lines, page by page.

    Parameters
    ----------
    pages
        What to export.
    only_queued
        Leave out paragraphs whose label is not wanted.

    Returns
    -------
    Suffix of the file's name to its contents: ``""`` the lines.
    """
    return {"": _lines(pages, only_queued=only_queued)}


def _lines(pages: Sequence[Page], *, only_queued: bool) -> Iterator[bytes]:
    for page in pages:
        for i, item in page.shown(only_queued=only_queued):
            task = {
                "text": item.text,
                "input": f"{page.name} {item.position}",
                "options": _OPTIONS,
                "accept": [] if item.label is None else [item.label],
                "meta": {"page": page.name, "position": item.position, **page.neighbours(i)},
                CARRIER: item.packed,
            }
            yield json.dumps(task).encode("ascii") + b"\n"


def read_export(path: str | Path, into: DecisionCollector) -> None:
    """Read what ``db-out`` wrote.

    Parameters
    ----------
    path
        The file, or ``-``.
    into
        Takes paragraphs and rejects.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    for source, line, fields in each_object(path, into):
        into.restore(fields.get(CARRIER), fields.get("text"), _Answer(fields).decide, source=source, line=line)


class _Answer:
    """The answer to one task."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields

    def decide(self) -> Decision:
        answer, chosen = self._fields.get("answer", "accept"), self._fields.get("accept")
        if answer in _NOT_DECIDED:
            return UNDECIDED
        if answer != "accept":
            raise BadRecord(f"answer must be one of accept, {', '.join(_NOT_DECIDED)}; got {excerpt_of(answer)}")
        if not isinstance(chosen, list):
            raise BadRecord(f"accept must be a list of options; got {excerpt_of(chosen)}")
        if len(chosen) > 1:
            raise BadRecord(f"accept must hold one option at most; got {', '.join(map(str, chosen))}")
        return Decision(chosen[0] if chosen else None)
