"""doccano: one JSON line per paragraph of a text classification project, with the texts before and after it as metadata.

Import with the JSONL format, ``text`` and ``label`` as columns: doccano keeps every further key as metadata and, since the
repair of doccano#246 and #1392, writes it at the top level of its JSONL export, older versions under ``meta``. Labels are a
list (``{"text": ..., "label": ["news"]}``, ``backend/data_export/pipeline/formatters.py``), an unlabelled example has an
empty one. The file is pure ASCII because doccano guesses encodings with chardet
(``backend/data_import/pipeline/parsers.py``). doccano cannot tell an example that was cleared from one that was never
reached: both come back as unlabelled. A project that is not shared is exported as one file per annotator; import them one by
one.

Packing the columns is left to :mod:`newswinnow.corpus.exchange.carrier`.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from newswinnow.corpus.exchange.carrier import CARRIER, Decision
from newswinnow.corpus.exchange.incoming import DecisionCollector
from newswinnow.corpus.exchange.lines import each_object
from newswinnow.corpus.exchange.outgoing import Page
from newswinnow.corpus.records import BadRecord
from newswinnow.corpus.rejects import excerpt_of


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
            # Only strings without gaps: what pandas, inside doccano, leaves as it is.
            example = {"text": item.text, "label": [] if item.label is None else [item.label], "page": page.name}
            example |= {"position": str(item.position), **page.neighbours(i), CARRIER: item.packed}
            yield json.dumps(example).encode("ascii") + b"\n"


def read_export(path: str | Path, into: DecisionCollector) -> None:
    """Read a JSONL export.

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
        meta = fields.get("meta")
        packed = fields.get(CARRIER, meta.get(CARRIER) if isinstance(meta, dict) else None)
        into.restore(packed, fields.get("text"), _Labels(fields).decide, source=source, line=line)


class _Labels:
    """The labels of one example."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields

    def decide(self) -> Decision:
        labels = self._fields.get("label", self._fields.get("labels"))
        if not isinstance(labels, list):
            raise BadRecord(f"label must be a list; got {excerpt_of(labels)}")
        if len(labels) > 1:
            raise BadRecord(f"label must hold one label at most; got {', '.join(map(str, labels))}")
        return Decision(labels[0] if labels else None)
