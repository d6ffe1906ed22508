"""Parquet files into chunks of rows, borders between pages; needs the ``parquet`` extra.

Checking rows is left to :mod:`newswinnow.scoring.read`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from newswinnow.corpus.parquet import column_values, opened_parquet
from newswinnow.corpus.parquet_pages import guarded_batches
from newswinnow.corpus.records import RecordRules
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
    with opened_parquet(file.path, source=file.source, rules=rules) as (opened, stream):
        n = _BATCH_ROWS
        batches = guarded_batches(opened, stream, source=file.source, batch_rows=n, is_streamed=True, use_threads=False)
        yield from _chunks(opened, batches, file, at=at, chunk_bytes=chunk_bytes)


def _chunks(opened: Any, batches: Iterable[Any], file: SourceFile, *, at: int, chunk_bytes: int) -> Iterator[Chunk]:
    """Batches joined until they are large enough and a page ends in the last one."""
    held: list[Any] = []
    n_bytes, first, n_done = 0, 1, 0

    def chunk(batches: Sequence[Any]) -> Chunk:
        n = sum(batch.num_rows for batch in batches)
        done = file.begin_bytes + file.n_bytes * n_done // max(opened.metadata.num_rows, 1)
        return Chunk(0, at, first, n, file.source, "arrow", _serialised(batches), done_bytes=done)

    for batch in batches:
        if not batch.num_rows:
            continue
        n_done += batch.num_rows
        border = _border([*_pages_of(held[-1])[-1:], *_pages_of(batch)]) if n_bytes >= chunk_bytes else None
        if border is None and n_bytes >= chunk_bytes + MAX_PIECE_BYTES:
            border = 0
        if border is not None:
            done = chunk([*held, batch.slice(0, border)])
            yield done
            first += done.n
            held, n_bytes, batch = [], 0, batch.slice(border)
        held.append(batch)
        n_bytes += batch.nbytes
    if n_bytes:
        yield chunk(held)


def _pages_of(batch: Any) -> list[Any]:
    return column_values(batch.column(batch.schema.get_field_index(PAGE)))


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
