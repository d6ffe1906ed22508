"""Parquet into records, one row group at a time, and out again; needs the ``parquet`` extra.

Rules about the values are left to :mod:`newswinnow.corpus.records`.
"""

from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd

from newswinnow.corpus.records import RecordCollector, check_columns
from newswinnow.corpus.rejects import fail

MAX_GROUP_BYTES = 2 << 30
_BATCH_ROWS = 4096


def require_pyarrow(where: str) -> Any:
    """The Parquet module of pyarrow.

    Parameters
    ----------
    where
        The file, for messages.

    Returns
    -------
    ``pyarrow.parquet``.

    Raises
    ------
    CorpusError
        If pyarrow is not installed.
    """
    try:
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise fail(where, "Parquet needs pyarrow; got no such package (pip install 'newswinnow[parquet]')") from error
    return parquet


def read_parquet(path: Path, *, into: RecordCollector) -> None:
    """Read a Parquet file.

    Parameters
    ----------
    path
        The file.
    into
        Takes records and rejects; a record's line is its row, counted from 1.

    Raises
    ------
    CorpusError
        If the file is damaged, too large when expanded, or lacks a needed column.
    """
    import pyarrow

    parquet = require_pyarrow(str(path))
    try:
        with parquet.ParquetFile(path) as file:
            check_columns(file.schema_arrow.names, into.rules, where=str(path))
            for group in range(file.num_row_groups):
                n_bytes = file.metadata.row_group(group).total_byte_size
                if n_bytes > MAX_GROUP_BYTES:
                    raise fail(str(path), f"row groups must expand to at most {MAX_GROUP_BYTES} bytes; got {n_bytes}")
            _read_rows(file, source=str(path), into=into)
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise fail(str(path), f"must be a whole Parquet file; got {reason}") from error


def _read_rows(file: Any, *, source: str, into: RecordCollector) -> None:
    row = 0
    for batch in file.iter_batches(batch_size=_BATCH_ROWS):
        for fields in batch.to_pylist():
            row += 1
            into.add(fields, source=source, line=row)


def write_parquet(table: pd.DataFrame, stream: BinaryIO, *, where: str) -> None:
    """Write a table as one Parquet file.

    Parameters
    ----------
    table
        Any paragraph table.
    stream
        Where the bytes go.
    where
        The file's name for messages.

    Raises
    ------
    CorpusError
        If pyarrow is not installed.
    """
    require_pyarrow(where)
    table.to_parquet(stream, index=False)
