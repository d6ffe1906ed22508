"""CSV and TSV into records: RFC 4180 quoting, a header line, never a shifted column.

Rules about the values are left to :mod:`newswinnow.corpus.records`.
"""

import csv
import io
from collections.abc import Iterator
from typing import Any, BinaryIO

from newswinnow.corpus.records import RecordCollector, check_columns
from newswinnow.corpus.rejects import fail
from newswinnow.corpus.streams import MAX_RECORD_BYTES
from newswinnow.paragraphs.table import LABEL, LINK_DENSITY, ORIGIN, POSITION, SITE, SOURCE, TAG

_NULLABLE = frozenset({LABEL, SITE, SOURCE, ORIGIN, TAG, LINK_DENSITY})


def read_delimited(stream: BinaryIO, *, source: str, delimiter: str, into: RecordCollector) -> None:
    """Read a CSV or TSV stream.

    Parameters
    ----------
    stream
        The bytes.
    source
        The file's name for messages.
    delimiter
        ``","`` or a tab.
    into
        Takes records and rejects.

    Raises
    ------
    CorpusError
        If the header lacks a needed column, names one twice, or a quote is never closed.
    """
    csv.field_size_limit(MAX_RECORD_BYTES)
    # surrogateescape lets a bad byte through to its own record, where the rules refuse it by name.
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    rows = _rows(csv.reader(text, delimiter=delimiter, strict=True), source)
    header = next(rows, None)
    if header is None:
        return
    names = header[1]
    check_columns(names, into.rules, where=f"{source}:1")
    for number, values in rows:
        if not values:
            continue
        if len(values) != len(names):
            into.reject(f"must have {len(names)} fields; got {len(values)}", source=source, line=number, value=values)
            continue
        into.add({name: _typed(name, value) for name, value in zip(names, values, strict=True)}, source=source, line=number)
    text.detach()


def _rows(reader: Any, source: str) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line on which each begins."""
    while True:
        number = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise fail(source, f"must be well-formed CSV; got {error}", line=number) from error
        yield number, values


def _typed(name: str, value: str) -> Any:
    """The value in its column's type; what cannot be converted is left for the rules to refuse."""
    if name in _NULLABLE and value == "":
        return None
    convert = {POSITION: int, LINK_DENSITY: float}.get(name)
    if convert is None:
        return value
    try:
        return convert(value)
    except ValueError:
        return value
