"""Parquet into records, one row group at a time, and out again; needs the ``parquet`` extra.

Rules about the values are left to :mod:`newswinnow.corpus.records`.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from newswinnow.corpus.parquet_pages import guarded_batches
from newswinnow.corpus.records import RecordCollector, RecordRules, check_columns
from newswinnow.corpus.rejects import excerpt_of, fail
from newswinnow.corpus.streams import COMPRESSIONS, open_bytes

if TYPE_CHECKING:
    import pandas as pd

MAX_GROUP_BYTES = 2 << 30


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
    FileNotFoundError
        If there is no such file.
    CorpusError
        If the file is damaged, too large when expanded, or lacks a needed column.
    """
    with opened_parquet(path, source=str(path), rules=into.rules) as (file, stream):
        _read_rows(file, stream, source=str(path), into=into)


@contextmanager
def opened_parquet(path: Path, *, source: str, rules: RecordRules) -> Iterator[tuple[Any, BinaryIO]]:
    """A Parquet file with the needed columns and row groups of bearable size.

    Parameters
    ----------
    path
        The file.
    source
        What messages call it.
    rules
        What columns are needed.

    Yields
    ------
    ``pyarrow.parquet.ParquetFile`` and the stream behind it.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CorpusError
        If the file is damaged, also while reading on, too large when expanded, or lacks a needed column.
    """
    parquet = require_pyarrow(source)
    import pyarrow

    with open_bytes(path) as packed:
        # The footer, which comes last, is read first: a compressed file has to be unpacked whole.
        stream = io.BytesIO(packed.read()) if path.suffix.lower() in COMPRESSIONS else packed
        try:
            with parquet.ParquetFile(stream) as file:
                check_columns(file.schema_arrow.names, rules, source=source)
                for group in range(file.num_row_groups):
                    n_bytes = file.metadata.row_group(group).total_byte_size
                    if n_bytes > MAX_GROUP_BYTES:
                        raise fail(source, f"row groups must expand to at most {MAX_GROUP_BYTES} bytes; got {n_bytes}")
                yield file, stream
        except UnicodeDecodeError as error:
            # Values have their own way out, see column_values: what is left are the names, decoded when the file is opened.
            raise fail(source, f"column names must be valid UTF-8; got {excerpt_of(error.object)}") from error
        except (pyarrow.ArrowException, OSError) as error:
            raise fail(source, f"must be a whole Parquet file; got {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error.args[0]).split("\n", 1)[0][:200] if error.args else type(error).__name__


def _read_rows(file: Any, stream: BinaryIO, *, source: str, into: RecordCollector) -> None:
    row = 0
    for batch in guarded_batches(file, stream, source=source):
        columns = [column_values(column) for column in batch.columns]
        for values in zip(*columns, strict=True):
            row += 1
            into.add(dict(zip(batch.schema.names, values, strict=True)), source=source, line=row)


def column_values(column: Any) -> list[Any]:
    """Values of an Arrow column as Python objects; a string that is not UTF-8 comes with its bad bytes as surrogates.

    Parameters
    ----------
    column
        An array.

    Returns
    -------
    The values, None where missing.
    """
    try:
        return column.to_pylist()  # type: ignore[no-any-return]
    except UnicodeDecodeError:
        import pyarrow

    # Arrow does not check what it stores as strings; a bad byte goes on to its own record, where the rules refuse it by name.
    plain = column.dictionary_decode() if pyarrow.types.is_dictionary(column.type) else column
    raw = plain.cast(pyarrow.large_binary()).to_pylist()
    return [None if value is None else value.decode("utf-8", "surrogateescape") for value in raw]


def write_parquet(table: "pd.DataFrame", stream: BinaryIO, *, where: str) -> None:
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
        If pyarrow is not installed or a column holds values that Parquet cannot keep together.
    """
    require_pyarrow(where)
    import pyarrow

    try:
        table.to_parquet(stream, index=False)
    except pyarrow.ArrowException as error:
        reason = "; ".join(str(part) for part in error.args)
        raise fail(where, f"columns must be of one type for Parquet; got {reason}") from error
