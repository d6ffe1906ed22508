"""Parquet files into chunks of rows, borders between pages; needs the ``parquet`` extra.

Checking rows is left to :mod:`newswinnow.scoring.read`.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO, Final

from newswinnow.corpus.parquet import MAX_GROUP_BYTES, column_values, require_pyarrow
from newswinnow.corpus.parquet_pages import guarded_batches
from newswinnow.corpus.records import RecordRules, check_columns
from newswinnow.corpus.rejects import excerpt_of, fail
from newswinnow.corpus.streams import COMPRESSIONS, open_bytes
from newswinnow.paragraphs.table import PAGE
from newswinnow.scoring.chunks import MAX_PIECE_BYTES, Chunk
from newswinnow.scoring.sources import SourceFile

_BATCH_ROWS: Final = 4096


def cut_parquet(file: SourceFile, at: int, *, rules: RecordRules, chunk_bytes: int) -> Iterator[Chunk]:
    """Chunks of a Parquet file.

    Parameters
    ----------
    file
        What is known of it.
    at
        Its index among the inputs.
    rules
        What columns are needed.
    chunk_bytes
        Least size of a chunk that something follows, in bytes of Arrow.

    Yields
    ------
    Chunks, each a serialised Arrow table.

    Raises
    ------
    CorpusError
        If the file is damaged, too large when expanded, or lacks a needed column.
    """
    parquet = require_pyarrow(file.source)
    import pyarrow

    with open_bytes(file.path) as stream:
        whole = io.BytesIO(stream.read()) if file.path.suffix.lower() in COMPRESSIONS else stream
        try:
            with parquet.ParquetFile(whole, pre_buffer=False) as opened:
                _check_file(opened, file.source, rules)
                yield from _chunks(opened, _batches(opened, whole, file), file, at=at, chunk_bytes=chunk_bytes)
        except UnicodeDecodeError as error:
            raise fail(file.source, f"column names must be valid UTF-8; got {excerpt_of(error.object)}") from error
        except (pyarrow.ArrowException, OSError) as error:
            reason = str(error.args[0]).split("\n", 1)[0][:200] if error.args else type(error).__name__
            raise fail(file.source, f"must be a whole Parquet file; got {reason}") from error


def _check_file(opened: Any, source: str, rules: RecordRules) -> None:
    check_columns(opened.schema_arrow.names, rules, source=source)
    for group in range(opened.num_row_groups):
        n_bytes = opened.metadata.row_group(group).total_byte_size
        if n_bytes > MAX_GROUP_BYTES:
            raise fail(source, f"row groups must expand to at most {MAX_GROUP_BYTES} bytes; got {n_bytes}")


def _batches(opened: Any, whole: BinaryIO, file: SourceFile) -> Iterator[Any]:
    return guarded_batches(opened, whole, source=file.source, batch_rows=_BATCH_ROWS, is_streamed=True, use_threads=False)


def _chunks(opened: Any, batches: Iterable[Any], file: SourceFile, *, at: int, chunk_bytes: int) -> Iterator[Chunk]:
    """Batches joined until they are large enough and a page ends in the last one."""
    held: list[Any] = []
    n_bytes, first, n_done, last = 0, 1, 0, None

    def chunk(batches: Sequence[Any]) -> Chunk:
        n = sum(batch.num_rows for batch in batches)
        done = file.begin_bytes + file.n_bytes * n_done // max(opened.metadata.num_rows, 1)
        return Chunk(0, at, first, n, file.source, "arrow", _serialised(batches), done_bytes=done)

    for batch in batches:
        pages = column_values(batch.column(batch.schema.get_field_index(PAGE)))
        border = _border([last, *pages]) if n_bytes >= chunk_bytes else None
        if border is None and n_bytes >= chunk_bytes + MAX_PIECE_BYTES:
            border = 0
        if border is not None:
            done = chunk([*held, batch.slice(0, border)])
            yield done
            first += done.n
            held, n_bytes, batch = [], 0, batch.slice(border)
        held.append(batch)
        n_bytes += batch.nbytes
        n_done += len(pages)
        last = pages[-1] if pages else last
    if n_bytes:
        yield chunk(held)


def _border(pages: Sequence[Any]) -> int | None:
    """The first row of a batch that begins another page than the row before it; the first value is of the batch before."""
    return next((i for i in range(len(pages) - 1) if pages[i + 1] != pages[i]), None)


def _serialised(batches: Sequence[Any]) -> bytes:
    import pyarrow

    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, batches[0].schema) as writer:
        for batch in batches:
            if batch.num_rows:
                writer.write_batch(batch)
    return bytes(sink.getvalue().to_pybytes())
