"""Inputs into chunks: what one worker gets at a time, cut at page borders by the input alone.

A chunk ends at the first page border after so many bytes. Rows of one page are held together while they are consecutive; a page
that comes back later, or runs on for more than 16 MB, goes on as a piece of its own. Reading what chunks hold is left to
:mod:`newswinnow.scoring.read`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from newswinnow.corpus.rejects import CorpusError
from newswinnow.corpus.streams import open_bytes
from newswinnow.harvest.html import MAX_HTML_BYTES
from newswinnow.harvest.inputs import ARCHIVE_FORMATS, PAGE_FORMATS
from newswinnow.harvest.warc import iter_archive
from newswinnow.scoring.chunks import MAX_PAGES, Chunk, PageData, Refused
from newswinnow.scoring.cut_arrow import cut_parquet
from newswinnow.scoring.cut_lines import cut_delimited, cut_jsonl
from newswinnow.scoring.sources import SourceFile
from newswinnow.scoring.taken import RULES


@dataclass(frozen=True, slots=True)
class _Place:
    """A page and where it stands: index of its file, its number there, and bytes read of all inputs up to its end."""

    file: int
    number: int
    page: PageData
    done_bytes: int


def cut_inputs(files: Sequence[SourceFile], *, chunk_bytes: int) -> Iterator[Chunk | Refused]:
    """Chunks of all inputs, in order.

    Parameters
    ----------
    files
        The inputs.
    chunk_bytes
        Least size of a chunk that something follows, in bytes.

    Yields
    ------
    Chunks, numbered from 0; and inputs found to be unusable, after the chunks they had until then.
    """
    number, at = 0, 0
    while at < len(files):
        end = at
        while end < len(files) and files[end].file_format in PAGE_FORMATS:
            end += 1
        for chunk in _cut_pages(_page_files(files, at, end), "", chunk_bytes) if end > at else _cut_file(files, at, chunk_bytes):
            if isinstance(chunk, Chunk):
                yield replace(chunk, number=number)
                number += 1
            else:
                yield chunk
        at = max(end, at + 1)


def _cut_file(files: Sequence[SourceFile], at: int, chunk_bytes: int) -> Iterator[Chunk | Refused]:
    """Chunks of one table or archive."""
    file = files[at]
    try:
        if file.file_format == "parquet":
            yield from cut_parquet(file, at, rules=RULES, chunk_bytes=chunk_bytes)
            return
        with open_bytes(file.path, is_streamed=True) as stream:
            if file.file_format in ARCHIVE_FORMATS:
                yield from _cut_pages(_archived(stream, file, at), file.source, chunk_bytes)
            elif file.file_format == "jsonl":
                yield from cut_jsonl(stream, file, at, rules=RULES, chunk_bytes=chunk_bytes)
            else:
                yield from cut_delimited(stream, file, at, rules=RULES, chunk_bytes=chunk_bytes)
    except CorpusError as error:
        yield Refused(at, error.rejects[0])


def _cut_pages(places: Iterable[_Place], source: str, chunk_bytes: int) -> Iterator[Chunk | Refused]:
    group: list[_Place] = []
    n_bytes = 0
    for place in places:
        group.append(place)
        n_bytes += len(place.page.data)
        if n_bytes >= chunk_bytes or len(group) >= MAX_PAGES:
            yield _chunk_of(group, source)
            group, n_bytes = [], 0
    if group:
        yield _chunk_of(group, source)


def _chunk_of(group: Sequence[_Place], source: str) -> Chunk:
    first, pages = group[0], tuple(place.page for place in group)
    source, done = source or first.page.source, group[-1].done_bytes
    return Chunk(0, first.file, first.number, len(group), source, "pages", pages=pages, done_bytes=done)


def _page_files(files: Sequence[SourceFile], at: int, end: int) -> Iterator[_Place]:
    for i in range(at, end):
        file = files[i]
        kind = "txt" if file.file_format == "txt" else "html"
        data, reason = b"", ""
        try:
            with open_bytes(file.path) as stream:
                data = stream.read(MAX_HTML_BYTES + 1)
        except CorpusError as error:
            reason = error.rejects[0].reason
        if len(data) > MAX_HTML_BYTES:
            data, reason = b"", f"a page must have at most {MAX_HTML_BYTES} bytes; got more"
        page = PageData(file.source, None, file.page, kind, data, reason=reason)
        yield _Place(i, 1, page, file.begin_bytes + file.n_bytes)


def _archived(stream: BinaryIO, file: SourceFile, at: int) -> Iterator[_Place]:
    for count, page in enumerate(iter_archive(stream, source=file.source), 1):
        kind = "html" if page.is_html else "wet"
        data = PageData(file.source, page.number, page.page, kind, page.data, page.url, page.reason)
        yield _Place(at, count, data, file.begin_bytes)
