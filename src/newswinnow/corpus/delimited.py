"""CSV and TSV into records: RFC 4180 quoting, a header line, never a shifted column.

Rules about the values are left to :mod:`newswinnow.corpus.records`.
"""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from newswinnow.corpus.records import RecordCollector, check_columns
from newswinnow.corpus.rejects import fail
from newswinnow.corpus.streams import MAX_RECORD_BYTES
from newswinnow.paragraphs.table import LABEL, LINK_DENSITY, ORIGIN, POSITION, SITE, SOURCE, TAG

# int() and float() also take "1_0", " 1" and digits of other scripts. 2**53, the highest position, has 16 digits.
_DIGITS = re.compile("[0-9]{1,16}")
_NUMBER = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
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
    with _as_text(stream) as text:
        rows = _rows(csv.reader(_lines(text, source), delimiter=delimiter, strict=True), source)
        header = next(rows, None)
        if header is None:
            return
        names = header[1]
        check_columns(names, into.rules, source=source, line=1)
        for number, values in rows:
            if not values:
                continue
            if len(values) != len(names):
                into.reject(f"must have {len(names)} fields; got {len(values)}", source=source, line=number, value=values)
                continue
            fields = {name: _typed(name, value) for name, value in zip(names, values, strict=True)}
            into.add(fields, source=source, line=number)


@contextmanager
def _as_text(stream: BinaryIO) -> Iterator[io.TextIOWrapper]:
    # surrogateescape lets a bad byte through to its own record, where the rules refuse it by name.
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        yield text
    finally:
        # A wrapper that goes away closes what it wraps, and that may be standard input.
        text.detach()


def _lines(text: io.TextIOWrapper, source: str) -> Iterator[str]:
    """Lines with their ends; an over-long one fails the file, for nobody can tell whether it ends inside quotes."""
    number = 0
    while line := text.readline(MAX_RECORD_BYTES + 1):
        number += 1
        if len(line) > MAX_RECORD_BYTES:
            raise fail(source, f"must have at most {MAX_RECORD_BYTES} characters on a line; got more", line=number)
        yield line


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
    if name == POSITION:
        return int(value) if _DIGITS.fullmatch(value) else value
    if name == LINK_DENSITY:
        return float(value) if _NUMBER.fullmatch(value) else value
    return value
