"""JSON Lines into records: one object a line, anything else refused with its line.

Rules about the values are left to :mod:`newswinnow.corpus.records`.
"""

import json
import re
from typing import Any, BinaryIO

import orjson

from newswinnow.corpus.records import BadRecord, RecordCollector, check_columns
from newswinnow.corpus.streams import MAX_RECORD_BYTES, iter_lines

MAX_DEPTH = 100
"""Deepest nesting taken; the writer gives up at 254, Python's own parser near 1,000."""

_KEY_END = re.compile(rb'"[ \t]*:')


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        keys = [key for key, _ in pairs]
        doubled = sorted({key for key in keys if keys.count(key) > 1})
        raise BadRecord(f"must name each key once; got {', '.join(doubled)} twice")
    return fields


def parse_object(data: bytes) -> dict[str, Any]:
    """One line of JSON Lines as a dictionary.

    Parameters
    ----------
    data
        The line.

    Returns
    -------
    Its fields.

    Raises
    ------
    BadRecord
        If it is not UTF-8, not JSON (``NaN`` is none), not an object, nested too deep, or names a key twice.
    """
    try:
        fields = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise BadRecord(_why_not_json(data, error)) from error
    if not isinstance(fields, dict):
        raise BadRecord(f"must be a JSON object; got {type(fields).__name__}")
    _check_depth(fields)
    # orjson keeps the last of two equal keys in silence. More quote-colon pairs than keys is a hint; the slow parser decides.
    if len(_KEY_END.findall(data)) > len(fields):
        json.loads(data, object_pairs_hook=_no_duplicates)
    return fields


def _check_depth(fields: dict[str, Any]) -> None:
    level: list[Any] = [fields]
    for _ in range(MAX_DEPTH):
        level = [
            value
            for container in level
            for value in (container.values() if isinstance(container, dict) else container)
            if isinstance(value, dict | list)
        ]
        if not level:
            return
    raise BadRecord(f"must be nested at most {MAX_DEPTH} deep; got more")


def _why_not_json(data: bytes, error: orjson.JSONDecodeError) -> str:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as bad:
        return f"must be valid UTF-8; got byte 0x{data[bad.start]:02x} at byte {bad.start} of the line"
    return f"must be valid JSON; got {error.msg.rsplit(': line ', 1)[0]} at column {error.colno}"


def read_jsonl(stream: BinaryIO, *, source: str, into: RecordCollector) -> None:
    """Read a JSON Lines stream.

    Parameters
    ----------
    stream
        The bytes.
    source
        The file's name for messages.
    into
        Takes records and rejects.

    Raises
    ------
    CorpusError
        If the first object lacks a needed column.
    """
    is_first = True
    for line in iter_lines(stream):
        if not line.data.strip():
            continue
        try:
            if line.is_too_long:
                raise BadRecord(f"must have at most {MAX_RECORD_BYTES} bytes; got more")
            fields = parse_object(line.data)
        except BadRecord as error:
            into.reject(str(error), source=source, line=line.number, value=line.data[:200])
            continue
        if is_first:
            check_columns(list(fields), into.rules, source=source, line=line.number)
            is_first = False
        into.add(fields, source=source, line=line.number)
