"""JSON Lines, CSV and TSV into chunks of whole lines, borders between pages.

Only the lines around a border are parsed here; checking records is left to :mod:`newswinnow.scoring.read`.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

import orjson

from newswinnow.corpus.jsonl import parse_object
from newswinnow.corpus.records import BadRecord, RecordRules, check_columns
from newswinnow.corpus.rejects import fail
from newswinnow.corpus.streams import BOM, MAX_RECORD_BYTES, position_of
from newswinnow.paragraphs.table import PAGE
from newswinnow.scoring.chunks import MAX_PIECE_BYTES, Chunk
from newswinnow.scoring.sources import SourceFile

_BLOCK: Final = 1 << 20


def line_blocks(stream: BinaryIO) -> Iterator[bytes]:
    r"""Blocks of whole lines, every line ended by LF, whatever ended it before; a UTF-8 byte order mark is dropped.

    Parameters
    ----------
    stream
        The bytes.

    Yields
    ------
    Blocks of about a megabyte. Of a line longer than a record may be, only enough is kept to tell that it is.

    Examples
    --------
    >>> b"".join(line_blocks(io.BytesIO(b"a\r\nb\rc")))
    b'a\nb\nc\n'
    """
    pending, is_first = bytearray(), True
    while data := stream.read(_BLOCK):
        while data.endswith(b"\r") and (more := stream.read(1)):
            data += more
        if is_first:
            data, is_first = data.removeprefix(BOM), False
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        end = data.rfind(b"\n") + 1
        if end:
            yield bytes(pending) + data[:end]
            pending.clear()
        # What goes beyond the limit of a record is dropped while reading, so that a file of one endless line needs no memory.
        pending += data[end:][: MAX_RECORD_BYTES + 1 - len(pending)]
    if pending:
        yield bytes(pending) + b"\n"


@dataclass
class _Columns:
    """Refuses a file of JSON objects whose first one lacks a needed column."""

    source: str
    rules: RecordRules
    is_checked: bool = False
    line: int = 0

    def check(self, data: bytes) -> None:
        for line in data.split(b"\n")[:-1]:
            self.line += 1
            try:
                fields = parse_object(line) if line.strip() else None
            except BadRecord:
                continue
            if fields is not None:
                check_columns(list(fields), self.rules, source=self.source, line=self.line)
                self.is_checked = True
                return


def _page_of(line: bytes) -> str | None:
    """Page of a line of JSON; None where it is none."""
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    page = fields.get(PAGE) if isinstance(fields, dict) else None
    return page if isinstance(page, str) else None


@dataclass
class _Cutter:
    """Lines gathered until there is a border to cut at."""

    chunk_bytes: int
    data: bytearray = field(default_factory=bytearray)
    at: int = 0
    page: str | None = None

    def border(self) -> int:
        """Where the first chunk in the buffer ends; 0 if that cannot be told yet."""
        if not self.at:
            if len(self.data) < self.chunk_bytes:
                return 0
            self.at = self.data.find(b"\n", self.chunk_bytes - 1) + 1
            if not self.at:
                return 0
            self.page = self._last_page()
        while (end := self.data.find(b"\n", self.at) + 1) and self.at < self.chunk_bytes + MAX_PIECE_BYTES:
            page = _page_of(bytes(self.data[self.at : end]))
            if page is not None and self.page is not None and page != self.page:
                break
            self.page = page or self.page
            self.at = end
        return self.at if end else 0

    def _last_page(self) -> str | None:
        """Page of the last good line before the border."""
        end = self.at
        while end > 0:
            begin = self.data.rfind(b"\n", 0, end - 1) + 1
            page = _page_of(bytes(self.data[begin:end]))
            if page is not None:
                return page
            end = begin
        return None

    def take(self, end: int) -> bytes:
        """Remove and return what stands before the border."""
        data = bytes(self.data[:end])
        del self.data[:end]
        self.at, self.page = 0, None
        return data


def cut_jsonl(stream: BinaryIO, file: SourceFile, at: int, *, rules: RecordRules, chunk_bytes: int) -> Iterator[Chunk]:
    """Chunks of a JSON Lines file.

    Parameters
    ----------
    stream
        The file, decompressed.
    file
        What is known of it.
    at
        Its index among the inputs.
    rules
        What columns are needed.
    chunk_bytes
        Least size of a chunk that something follows.

    Yields
    ------
    Chunks.

    Raises
    ------
    CorpusError
        If the file is damaged or its first object lacks a column.
    """
    columns, cutter, line = _Columns(file.source, rules), _Cutter(chunk_bytes), 1

    def chunk(end: int) -> Chunk:
        data = cutter.take(end)
        n_lines = data.count(b"\n")
        return Chunk(0, at, line, n_lines, file.source, "jsonl", data, done_bytes=file.begin_bytes + position_of(stream))

    for block in line_blocks(stream):
        if not columns.is_checked:
            columns.check(block)
        cutter.data += block
        while end := cutter.border():
            yield (done := chunk(end))
            line += done.n
    if cutter.data:
        yield chunk(len(cutter.data))


class _Recorder:
    """Lines of a text stream, with what was read since a row began."""

    def __init__(self, text: io.TextIOWrapper, source: str) -> None:
        self._text = text
        self._source = source
        self._lines: list[str] = []
        self._number = 0

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(MAX_RECORD_BYTES + 1):
            self._number += 1
            if len(line) > MAX_RECORD_BYTES:
                rule = f"must have at most {MAX_RECORD_BYTES} characters on a line; got more"
                raise fail(self._source, rule, line=self._number)
            self._lines.append(line)
            yield line

    @property
    def position(self) -> int:
        """Bytes of the file read so far."""
        return position_of(self._text.buffer)  # type: ignore[arg-type]

    def taken(self) -> bytes:
        """The lines of the row just read, as bytes."""
        raw = "".join(self._lines).encode("utf-8", "surrogateescape")
        self._lines.clear()
        return raw


@dataclass
class _Rows:
    """Raw rows gathered for a chunk: bytes, first line and number of lines."""

    first: int
    parts: list[bytes] = field(default_factory=list)
    n_bytes: int = 0
    end: int = 0


def cut_delimited(stream: BinaryIO, file: SourceFile, at: int, *, rules: RecordRules, chunk_bytes: int) -> Iterator[Chunk]:
    """Chunks of a CSV or TSV file; every quote is followed to its end, so that no record is cut.

    Parameters
    ----------
    stream
        The file, decompressed.
    file
        What is known of it.
    at
        Its index among the inputs.
    rules
        What columns are needed.
    chunk_bytes
        Least size of a chunk that something follows.

    Yields
    ------
    Chunks, each with the file's header.

    Raises
    ------
    CorpusError
        If the file is damaged, lacks a column or leaves a quote open.
    """
    csv.field_size_limit(MAX_RECORD_BYTES)
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        yield from _cut_rows(_Recorder(text, file.source), file, at, rules, chunk_bytes)
    finally:
        # A wrapper that goes away closes what it wraps.
        text.detach()


def _cut_rows(lines: "_Recorder", file: SourceFile, at: int, rules: RecordRules, chunk_bytes: int) -> Iterator[Chunk]:
    kind = file.file_format
    reader = csv.reader(iter(lines), delimiter="\t" if kind == "tsv" else ",", strict=True)
    names = _next_row(reader, file.source)
    if names is None:
        return
    check_columns(names, rules, source=file.source, line=1)
    header = lines.taken()
    header += b"" if header.endswith((b"\n", b"\r")) else b"\n"
    place = names.index(PAGE)
    rows, page = _Rows(reader.line_num + 1), None

    def chunk() -> Chunk:
        done = file.begin_bytes + lines.position
        return Chunk(
            0, at, rows.first, rows.end - rows.first + 1, file.source, kind, b"".join(rows.parts), header, done_bytes=done
        )

    begin = rows.first
    while (values := _next_row(reader, file.source)) is not None:
        here = values[place] if len(values) == len(names) else None
        is_full = rows.n_bytes >= chunk_bytes and here is not None and here != page
        if is_full or rows.n_bytes >= chunk_bytes + MAX_PIECE_BYTES:
            yield chunk()
            rows = _Rows(begin)
        page = page if here is None else here
        raw = lines.taken()
        rows.parts.append(raw)
        rows.n_bytes += len(raw)
        rows.end = reader.line_num
        begin = reader.line_num + 1
    if rows.parts:
        yield chunk()


def _next_row(reader: Any, source: str) -> list[str] | None:
    number = reader.line_num + 1
    try:
        return next(reader, None)
    except csv.Error as error:
        raise fail(source, f"must be well-formed CSV; got {error}", line=number) from error
