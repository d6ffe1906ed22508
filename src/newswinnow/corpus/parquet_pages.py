"""What a Parquet file expands to, by its page headers, which decompressors obey, and by its rows; its footer may say anything.

What the values mean is left to :mod:`newswinnow.corpus.parquet`.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from newswinnow.corpus.rejects import fail
from newswinnow.corpus.streams import MAX_GZIP_BYTES, MAX_GZIP_RATIO

BATCH_ROWS: Final = 4096
_BATCH_BYTES: Final = 64 << 20
_SMALL_BYTES: Final = 16 << 20
_MEASURED_BYTES: Final = 128 << 10
"""Of dictionaries larger than this the longest value is looked up: taken as a whole for it they would make batches too short."""

# https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift, struct PageHeader, written in Thrift's
# compact protocol: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
_TYPE, _EXPANDED, _STORED, _DATA, _DATA_V2 = 1, 2, 3, 5, 8
_ENCODING, _ENCODING_V2 = 2, 4
_DICTIONARY_PAGE: Final = 2
_DELTA_BYTE_ARRAY: Final = 7
_TRUE, _FALSE, _BYTE, _I64, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 6, 7, 8, 9, 10, 12
_MAX_HEADER_BYTES: Final = 16 << 20
_MAX_DEPTH: Final = 16


class PageError(ValueError):
    """A page header that is none; the message goes after ``got``."""


@dataclass(frozen=True)
class Page:
    """One page by its header.

    Attributes
    ----------
    n_bytes
        What it says it expands to; decompressors refuse to give more.
    repeats
        Whether values in it can come out many times: it is a dictionary, or its values build on one another.
    is_dictionary
        Whether it is a dictionary.
    """

    n_bytes: int
    repeats: bool
    is_dictionary: bool = False


class _Header:
    """Reads one header: structs as dictionaries of their integer fields, all else skipped."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._left = _MAX_HEADER_BYTES

    def _take(self, n: int) -> bytes:
        self._left -= n
        data = self._stream.read(n) if self._left >= 0 else b""
        if len(data) < n:
            raise PageError("a page header that is cut or too long")
        return data

    def _varint(self) -> int:
        value = shift = 0
        while shift < 70:
            byte = self._take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise PageError("a page header with an endless number")

    def _integer(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """Integer and struct fields by number."""
        if depth > _MAX_DEPTH:
            raise PageError("a page header nested too deeply")
        fields: dict[int, Any] = {}
        number = 0
        while head := self._take(1)[0]:
            number = number + (head >> 4) if head >> 4 else self._integer()
            fields[number] = self._value(head & 0x0F, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (_TRUE, _FALSE):
            return None
        if _BYTE < kind <= _I64:
            return self._integer()
        if kind in (_BYTE, _DOUBLE, _BINARY):
            self._take(1 if kind == _BYTE else 8 if kind == _DOUBLE else self._varint())
            return None
        if kind in (_LIST, _SET):
            return self._skip_list(depth)
        if kind == _STRUCT:
            return self.struct(depth + 1)
        raise PageError(f"a page header with a field of kind {kind}")

    def _skip_list(self, depth: int) -> None:
        head = self._take(1)[0]
        n = head >> 4 if head >> 4 < 15 else self._varint()
        for _ in range(n):
            # Inside a list a truth value takes a byte of its own.
            self._value(_BYTE if head & 0x0F in (_TRUE, _FALSE) else head & 0x0F, depth + 1)


def _encoding(fields: dict[int, Any]) -> Any:
    for name, encoding in ((_DATA, _ENCODING), (_DATA_V2, _ENCODING_V2)):
        if isinstance(fields.get(name), dict):
            return fields[name].get(encoding)
    return None


def pages_of(stream: BinaryIO, begin: int, end: int) -> Iterator[Page]:
    """The pages of one column in one row group.

    Parameters
    ----------
    stream
        The file, seekable.
    begin
        Where the column begins in it.
    end
        Where it ends.

    Yields
    ------
    Pages in order.

    Raises
    ------
    PageError
        If there is no page header where one must be.
    """
    while begin < end:
        stream.seek(begin)
        fields = _Header(stream).struct()
        n_expanded, n_stored = fields.get(_EXPANDED), fields.get(_STORED)
        if not isinstance(n_expanded, int) or not isinstance(n_stored, int) or n_expanded < 0 or n_stored < 0:
            raise PageError("a page header without sizes")
        is_dictionary = fields.get(_TYPE) == _DICTIONARY_PAGE
        yield Page(n_expanded, is_dictionary or _encoding(fields) == _DELTA_BYTE_ARRAY, is_dictionary)
        begin = stream.tell() + n_stored


@dataclass(frozen=True)
class _Expansion:
    """How many bytes a file may expand to."""

    source: str
    n_stored: int
    is_streamed: bool

    def check(self, n_bytes: int) -> None:
        limit = max(_SMALL_BYTES, self.n_stored * MAX_GZIP_RATIO)
        if n_bytes > (limit if self.is_streamed else min(MAX_GZIP_BYTES, limit)):
            reason = f"must not expand to more than {MAX_GZIP_RATIO} times its size; got {n_bytes} bytes from {self.n_stored}"
            raise fail(self.source, reason)


@dataclass(frozen=True)
class _Column:
    """One column in one row group: its path in the schema and where its pages lie."""

    group: int
    path: str
    begin: int
    end: int


def _columns(file: Any) -> Iterator[_Column]:
    for group in range(file.num_row_groups):
        columns = file.metadata.row_group(group)
        for column in map(columns.column, range(columns.num_columns)):
            if not column.num_values:
                # Then Arrow reads no page, and there need not be one.
                continue
            begin = column.data_page_offset
            # As Arrow does it: some writers note 0 for a dictionary that is not there.
            if column.has_dictionary_page and 0 < (column.dictionary_page_offset or 0) < begin:
                begin = column.dictionary_page_offset
            yield _Column(group, column.path_in_schema, begin, begin + column.total_compressed_size)


def _check_pages(file: Any, stream: BinaryIO, expansion: _Expansion) -> int:
    """Rows that a batch may have."""
    n_bytes = longest = 0
    large: list[tuple[_Column, int]] = []
    try:
        for column in _columns(file):
            for page in pages_of(stream, column.begin, column.end):
                n_bytes += page.n_bytes
                if page.is_dictionary and page.n_bytes > _MEASURED_BYTES:
                    large.append((column, page.n_bytes))
                elif page.repeats:
                    longest = max(longest, page.n_bytes)
                expansion.check(n_bytes)
    except PageError as error:
        raise fail(expansion.source, f"must be a whole Parquet file; got {error}") from error
    # Nothing is unpacked before all pages are counted.
    longest = max([longest, *_longest_values(file, stream, large)])
    return max(1, _BATCH_BYTES // max(1, longest))


def _longest_values(file: Any, stream: BinaryIO, large: Sequence[tuple[_Column, int]]) -> Iterator[int]:
    """Bytes of the longest value of each dictionary; all of the dictionary's where its values are no plain strings."""
    if not large:
        return
    import pyarrow
    import pyarrow.compute
    import pyarrow.parquet

    schema = file.schema_arrow
    plain = {field.name for field in schema if pyarrow.types.is_string(field.type) or pyarrow.types.is_binary(field.type)}
    with pyarrow.parquet.ParquetFile(stream, read_dictionary=sorted(plain)) as reader:
        for column, n_bytes in large:
            if column.path not in plain:
                yield n_bytes
                continue
            # The first row comes with the whole dictionary.
            where = {"row_groups": [column.group], "columns": [column.path], "use_threads": False}
            (values,) = next(reader.iter_batches(batch_size=1, **where)).columns
            yield pyarrow.compute.max(pyarrow.compute.binary_length(values.dictionary)).as_py() or 0


def guarded_batches(
    file: Any,
    stream: BinaryIO,
    *,
    source: str,
    batch_rows: int | None = None,
    is_streamed: bool = False,
    use_threads: bool = True,
) -> Iterator[Any]:
    """The rows of a Parquet file in batches, unless it is a bomb: pages and rows are counted, whatever the footer says of them.

    Parameters
    ----------
    file
        ``pyarrow.parquet.ParquetFile`` of the stream.
    stream
        The file, seekable.
    source
        Its name, for messages.
    batch_rows
        Most rows of a batch; None for ``BATCH_ROWS``.
    is_streamed
        Whether batches are let go one by one, so that only the ratio to the file's size counts, not the whole.
    use_threads
        Whether Arrow may decode columns side by side.

    Yields
    ------
    Record batches; short ones where values in the file are long and may repeat.

    Raises
    ------
    CorpusError
        If a page header is damaged, or the file expands too far; of the latter nothing large is unpacked.
    """
    expansion = _Expansion(source, stream.seek(0, io.SEEK_END), is_streamed)
    n_rows = min(batch_rows or BATCH_ROWS, _check_pages(file, stream, expansion))
    n_bytes = 0
    for batch in file.iter_batches(batch_size=n_rows, use_threads=use_threads):
        # A value that stands once in a dictionary may come out in every row.
        n_bytes += batch.nbytes
        expansion.check(n_bytes)
        yield batch
