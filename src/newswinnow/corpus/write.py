"""Paragraph tables out: JSONL, CSV, TSV or Parquet, to standard output or to a file that appears whole or not at all.

Tables are written as they are; making a spreadsheet-safe copy for people is left to the reports.
"""

import csv
import gzip
import io
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO, cast

import orjson

from newswinnow.corpus.parquet import require_pyarrow, write_parquet
from newswinnow.corpus.rejects import fail
from newswinnow.corpus.streams import zstd_of
from newswinnow.corpus.tables import TABLE_FORMATS, table_from_rows
from newswinnow.paragraphs.rows import Rows

if TYPE_CHECKING:
    import pandas as pd

    AnyTable = Rows | pd.DataFrame


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """A binary file that takes its name only when everything was written and synced.

    Parameters
    ----------
    path
        The final name.

    Yields
    ------
    The stream to write to; on an error nothing is left and an older file stays as it was.
    """
    temporary = path.with_name(f".{path.name}.tmp.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8, whole or not at all.

    Parameters
    ----------
    path
        The file.
    text
        Its text.
    """
    with atomic_file(path) as file:
        file.write(text.encode("utf-8"))


@contextmanager
def compressed(stream: BinaryIO, name: str, *, gzip_level: int = 9) -> Iterator[BinaryIO]:
    """A stream that compresses if the name ends in ``.gz`` or ``.zst``; otherwise the stream itself.

    Parameters
    ----------
    stream
        Where the bytes go; it stays open.
    name
        Name of the file.
    gzip_level
        1 to 9.

    Yields
    ------
    The stream to write to; the same content gives the same bytes.

    Raises
    ------
    CorpusError
        If it needs a package that is not installed.
    """
    suffix = Path(name).suffix.lower()
    if suffix == ".gz":
        with gzip.GzipFile(filename="", mode="wb", compresslevel=gzip_level, fileobj=stream, mtime=0) as packed:
            yield cast(BinaryIO, packed)
    elif suffix == ".zst":
        with zstd_of(name).ZstdFile(stream, "wb") as packed:
            yield packed
    else:
        yield stream


def records_of(table: "AnyTable") -> Iterator[dict[str, Any]]:
    """Rows of a table as JSON-ready dictionaries, missing values as None.

    Parameters
    ----------
    table
        Any table.

    Yields
    ------
    One dictionary per row, keys in column order.
    """
    columns = [_json_values(table[name]) for name in table.columns]
    names = list(map(str, table.columns))
    for values in zip(*columns, strict=True):
        yield dict(zip(names, values, strict=True))


def _json_values(column: "pd.Series | Sequence[Any]") -> list[Any]:
    # Nothing can be pandas' own missing value before pandas is loaded.
    missing = getattr(sys.modules.get("pandas"), "NA", None)
    values = column if isinstance(column, Sequence) else column.tolist()
    return [None if value is None or value is missing or value != value else value for value in values]


def write_jsonl(table: "AnyTable", stream: BinaryIO) -> None:
    """Write a table as JSON Lines.

    Parameters
    ----------
    table
        Any table.
    stream
        Where the bytes go.
    """
    for record in records_of(table):
        try:
            stream.write(orjson.dumps(record, default=as_text, option=orjson.OPT_APPEND_NEWLINE))
        except TypeError as error:
            if "64-bit" not in str(error):
                raise
            # orjson has no form for larger integers, JSON has.
            line = json.dumps(_finite(record), default=as_text, ensure_ascii=False, separators=(",", ":"))
            stream.write(line.encode() + b"\n")


def _finite(value: Any) -> Any:
    """A value in which what is no finite number is null, as orjson writes it."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_text(value: object) -> str:
    """Text of a value that JSON has no form for: decimals, binary, durations.

    Parameters
    ----------
    value
        From a Parquet column.

    Returns
    -------
    Its text.
    """
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def write_delimited(table: "AnyTable", stream: BinaryIO, *, delimiter: str) -> None:
    """Write a table as CSV or TSV with a header; missing values become empty fields, nested ones JSON.

    Parameters
    ----------
    table
        Any table.
    stream
        Where the bytes go.
    delimiter
        ``","`` or a tab.
    """
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
    rows = (list(map(field_text, record.values())) for record in records_of(table))
    write_fields(chain([list(map(str, table.columns))], rows), text, delimiter=delimiter)
    text.detach()


def write_fields(rows: Iterable[Sequence[str]], text: TextIO, *, delimiter: str) -> None:
    """Write rows of fields as CSV or TSV.

    Parameters
    ----------
    rows
        The fields of each row.
    text
        Where they go.
    delimiter
        ``","`` or a tab.
    """
    plain = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    # Python 3.11 leaves a bare CR unquoted, which every reader takes for the end of the record.
    quoted = csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for fields in rows:
        (quoted if any("\r" in field for field in fields) else plain).writerow(fields)


def field_text(value: object) -> str:
    """Text of a value in a CSV or TSV field.

    Parameters
    ----------
    value
        Any value.

    Returns
    -------
    Its text; nothing if it is missing, JSON if it is nested.
    """
    if value is None:
        return ""
    return orjson.dumps(value, default=as_text).decode() if isinstance(value, dict | list) else str(value)


def _writer(file_format: str, where: str) -> "Callable[[AnyTable, BinaryIO], None]":
    writers: dict[str, Callable[[AnyTable, BinaryIO], None]] = {
        "jsonl": write_jsonl,
        "csv": lambda table, stream: write_delimited(table, stream, delimiter=","),
        "tsv": lambda table, stream: write_delimited(table, stream, delimiter="\t"),
        "parquet": lambda table, stream: write_parquet(
            table_from_rows(table) if isinstance(table, Rows) else table, stream, where=where
        ),
    }
    if file_format not in writers:
        raise fail(where, f"format must be one of {', '.join(TABLE_FORMATS)}; got {file_format!r}")
    return writers[file_format]


def check_writable(file_format: str, path: str | Path | None) -> None:
    """Refuse a format that cannot be written, before any work.

    Parameters
    ----------
    file_format
        Name of the format.
    path
        The file, or None for standard output.

    Raises
    ------
    CorpusError
        If the format is unknown or needs a package that is not installed.
    """
    where = "stdout" if path is None else str(path)
    _writer(file_format, where)
    if file_format == "parquet":
        require_pyarrow(where)
    if where.lower().endswith(".zst"):
        zstd_of(where)


def write_table(table: "AnyTable", path: str | Path | None, *, file_format: str) -> None:
    """Write a table to a file or to standard output.

    Parameters
    ----------
    table
        Any table.
    path
        The file, ``.gz`` or ``.zst`` to compress; None for standard output.
    file_format
        One of ``jsonl``, ``csv``, ``tsv``, ``parquet``.

    Raises
    ------
    CorpusError
        If the format is unknown or needs a package that is not installed.
    OSError
        If the file cannot be written; an older one stays as it was.
    """
    write = _writer(file_format, "stdout" if path is None else str(path))
    if path is None:
        write(table, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    path = Path(path)
    with atomic_file(path) as file, compressed(file, path.name) as stream:
        write(table, stream)
