"""A chunk into checked paragraphs, by the reader of its format.

The rules are those of :mod:`newswinnow.corpus.records`. Scoring and writing is left to :mod:`newswinnow.scoring.score`.
"""

import io
from collections.abc import Callable
from typing import Any, Final

from newswinnow.corpus.delimited import read_delimited
from newswinnow.corpus.records import MAX_TEXT_CHARS, RecordCollector
from newswinnow.harvest.html import split_html
from newswinnow.harvest.inputs import read_stream
from newswinnow.harvest.warc import ArchivedPage, add_archived
from newswinnow.paragraphs.table import LINK_DENSITY, PAGE, POSITION, TAG, TEXT
from newswinnow.scoring.chunks import Chunk, PageData
from newswinnow.scoring.read_arrow import read_arrow
from newswinnow.scoring.read_jsonl import read_jsonl
from newswinnow.scoring.taken import RULES, Paragraphs, ReadChunk


class ChunkCollector(RecordCollector):
    """A collector for a stretch of a file: lines count on from where it begins, and a page that comes back is a new one.

    Parameters
    ----------
    shift
        Added to every line number.
    """

    def __init__(self, shift: int = 0) -> None:
        super().__init__(RULES)
        self.numbers: list[int | None] = []
        self._shift = shift
        self._page: object = None

    def add(self, fields: Any, *, source: str, line: int | None) -> None:
        """Take one record or note why it was refused.

        Parameters
        ----------
        fields
            Column to value.
        source
            The file.
        line
            Line within the stretch.
        """
        if fields.get(PAGE) != self._page:
            self._page = fields.get(PAGE)
            self._seen.clear()
        n_before = len(self.records)
        super().add(fields, source=source, line=line)
        if len(self.records) > n_before:
            self.numbers.append(None if line is None else line + self._shift)

    def reject(self, reason: str, *, source: str, line: int | None, value: object) -> None:
        """Note a record that could not be taken.

        Parameters
        ----------
        reason
            ``rule; got value``.
        source
            The file.
        line
            Line within the stretch.
        value
            What to show as excerpt.
        """
        super().reject(reason, source=source, line=None if line is None else line + self._shift, value=value)

    def done(self) -> ReadChunk:
        """What was collected.

        Returns
        -------
        Rows and rejects.
        """
        records = self.records
        pages, positions, texts = ([record[name] for record in records] for name in (PAGE, POSITION, TEXT))
        names = set[str]().union(*records)
        rows = Paragraphs(pages, positions, texts, self.numbers, records, names=names, in_order=self.in_order())
        return ReadChunk(rows, self.rejects, len(records) + len(self.rejects))


def _read_delimited(chunk: Chunk) -> ReadChunk:
    n_header_lines = len(chunk.header.splitlines())  # bytes: cut at CR, LF and CRLF alone
    into = ChunkCollector(chunk.first - 1 - n_header_lines)
    delimiter = "\t" if chunk.kind == "tsv" else ","
    read_delimited(io.BytesIO(chunk.header + chunk.data), source=chunk.source, delimiter=delimiter, into=into)
    return into.done()


def _read_html(page: PageData, into: ChunkCollector) -> None:
    """Paragraphs of an HTML file.

    The splitter's texts are collapsed and of whole characters already; only one that is too long can break a rule.
    """
    try:
        paragraphs = split_html(page.data)
    except ValueError as error:
        into.reject(str(error), source=page.source, line=None, value="")
        return
    first = len(into.records)
    rows = [
        {PAGE: page.page, POSITION: i, TEXT: p.text, TAG: p.tag, LINK_DENSITY: p.link_density} for i, p in enumerate(paragraphs)
    ]
    if page.page and page.page.isprintable() and all(len(p.text) <= MAX_TEXT_CHARS for p in paragraphs):
        into.records += rows
        into.numbers += [None] * len(rows)
    else:
        for row in rows:
            into.add(row, source=page.source, line=None)
    into.note_order(first)


def _read_pages(chunk: Chunk) -> ReadChunk:
    into = ChunkCollector()
    for page in chunk.pages:
        if page.line is not None:
            archived = ArchivedPage(page.line, page.page, page.url, page.file_format == "html", page.data, page.reason)
            add_archived(archived, source=page.source, into=into)
        elif page.reason:
            into.reject(page.reason, source=page.source, line=None, value="")
        elif page.file_format == "html":
            _read_html(page, into)
        else:
            read_stream(io.BytesIO(page.data), page.file_format, source=page.source, page=page.page, into=into)
    return into.done()


_READERS: Final[dict[str, Callable[[Chunk], ReadChunk]]] = {
    "jsonl": read_jsonl,
    "arrow": read_arrow,
    "pages": _read_pages,
    "csv": _read_delimited,
    "tsv": _read_delimited,
}


def read_chunk(chunk: Chunk) -> ReadChunk:
    """Read and check what a chunk holds.

    Parameters
    ----------
    chunk
        The chunk.

    Returns
    -------
    Rows and rejects, each in order; no page has the same position twice within a piece.
    """
    return _READERS[chunk.kind](chunk)
