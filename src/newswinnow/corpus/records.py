"""What makes one record of a paragraph table valid, whatever file it came from.

Readers turn bytes into dictionaries and ask here; collecting what was refused is left to them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from newswinnow.corpus.rejects import Reject, excerpt_of, fail
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import (
    LABEL,
    LINK_DENSITY,
    OPTIONAL_COLUMNS,
    ORIGIN,
    ORIGINS,
    PAGE,
    POSITION,
    REQUIRED_COLUMNS,
    SITE,
    SOURCE,
    STATUS,
    TAG,
    TEXT,
    collapse_whitespace,
)

MAX_TEXT_CHARS = 1_000_000
MAX_POSITION = 2**53
EMPTY = "empty"
_INVALID = re.compile("[\ud800-\udfff]")
_OPTIONAL_STRINGS = (SITE, SOURCE, TAG)
_LABEL_VALUES = frozenset(LABELS)
_KNOWN = frozenset({*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS})


@dataclass(frozen=True)
class RecordRules:
    """How strict a reader is.

    Attributes
    ----------
    needs_label
        Whether the ``label`` column must be there (its values may still be null).
    keeps_empty
        Whether a paragraph of nothing but whitespace is kept with ``status`` = ``empty`` instead of being refused.
    """

    needs_label: bool = False
    keeps_empty: bool = False


class BadRecord(ValueError):
    """A record that breaks a rule; the message is ``rule; got value``."""


def check_columns(columns: list[str], rules: RecordRules, *, source: str, line: int | None = None) -> None:
    """Refuse a file whose columns cannot be a paragraph table, before its rows are read.

    Parameters
    ----------
    columns
        Names found.
    rules
        What is needed.
    source
        The file.
    line
        Line of the names; None for a file without lines.

    Raises
    ------
    CorpusError
        If a column is missing or stands twice; the message lists the columns found.
    """
    if undecoded := [column for column in columns if _INVALID.search(column)]:
        raise fail(source, f"column names must be valid UTF-8; got {excerpt_of(undecoded[0])}", line=line)
    needed = [*REQUIRED_COLUMNS, LABEL] if rules.needs_label else list(REQUIRED_COLUMNS)
    missing = [column for column in needed if column not in columns]
    if missing:
        raise fail(source, f"must have the columns {', '.join(needed)}; got {', '.join(columns) or 'none'}", line=line)
    doubled = sorted({column for column in columns if columns.count(column) > 1})
    if doubled:
        raise fail(source, f"must name each column once; got {', '.join(doubled)} twice", line=line)


def check_record(fields: Mapping[str, Any], rules: RecordRules) -> dict[str, Any]:
    """One record, checked and with its text collapsed.

    Parameters
    ----------
    fields
        Column to value.
    rules
        How strict to be.

    Returns
    -------
    A new dictionary; columns unknown to the table stay as they were.

    Raises
    ------
    BadRecord
        If a value breaks its column's rule.
    """
    for column in REQUIRED_COLUMNS:
        if column not in fields:
            raise BadRecord(f"must have a {column!r}; got {', '.join(map(str, fields)) or 'nothing'}")
    record = dict(fields)
    record[PAGE] = _string(fields[PAGE], PAGE)
    record[POSITION] = _position(fields[POSITION])
    record[TEXT] = collapse_whitespace(_string(fields[TEXT], TEXT))
    if len(record[TEXT]) > MAX_TEXT_CHARS:
        raise BadRecord(f"text must have at most {MAX_TEXT_CHARS} characters; got {len(record[TEXT])}")
    if not record[PAGE]:
        raise BadRecord("page must not be empty; got ''")
    if not record[TEXT]:
        if not rules.keeps_empty:
            raise BadRecord(f"text must not be empty; got {excerpt_of(fields[TEXT])}")
        record[STATUS] = EMPTY
    _check_optional(record)
    _check_unknown(record)
    return record


def _string(value: object, column: str) -> str:
    if not isinstance(value, str):
        raise BadRecord(f"{column} must be a string; got {type(value).__name__} {excerpt_of(value)}")
    bad = _INVALID.search(value)
    if bad:
        byte = ord(bad.group()) - 0xDC00
        got = f"byte 0x{byte:02x}" if 0x80 <= byte <= 0xFF else f"a lone surrogate U+{ord(bad.group()):04X}"
        offset = len(value[: bad.start()].encode("utf-8", "surrogateescape"))
        raise BadRecord(f"{column} must be valid UTF-8; got {got} at byte {offset} of the {column}")
    return value


def _position(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_POSITION:
        raise BadRecord(f"position must be an integer from 0 to 2**53; got {excerpt_of(value)}")
    return value


def _check_optional(record: dict[str, Any]) -> None:
    for column in _OPTIONAL_STRINGS:
        if record.get(column) is not None:
            _string(record[column], column)
    label = record.get(LABEL)
    if label is not None and (not isinstance(label, str) or label not in _LABEL_VALUES):
        raise BadRecord(f"label must be one of {', '.join(LABELS)}; got {excerpt_of(label)}")
    origin = record.get(ORIGIN)
    if origin is not None and origin not in ORIGINS:
        raise BadRecord(f"origin must be one of {', '.join(ORIGINS)}; got {excerpt_of(origin)}")
    density = record.get(LINK_DENSITY)
    if density is None:
        return
    if isinstance(density, bool) or not isinstance(density, int | float) or not 0 <= density <= 1:
        raise BadRecord(f"link_density must be a number in [0, 1]; got {excerpt_of(density)}")


def _check_unknown(record: Mapping[str, Any]) -> None:
    """Refuse bytes that are no text in a column that passes through: no writer could write them again."""
    for column, value in record.items():
        if isinstance(value, str) and column not in _KNOWN:
            _string(value, column)


class RecordCollector:
    """Gathers checked records and rejects of one or more files, and finds paragraphs given twice.

    Parameters
    ----------
    rules
        How strict to be.
    """

    def __init__(self, rules: RecordRules) -> None:
        self.rules = rules
        self.records: list[dict[str, Any]] = []
        self.rejects: list[Reject] = []
        self._seen: dict[tuple[str, int], str] = {}
        self._in_order: list[bool] | None = None

    def add(self, fields: Mapping[str, Any], *, source: str, line: int | None) -> None:
        """Take one record or note why it was refused.

        Parameters
        ----------
        fields
            Column to value.
        source
            The file.
        line
            Line or row; None for a file without lines.
        """
        where = source if line is None else f"{source}:{line}"
        try:
            record = check_record(fields, self.rules)
            key = (record[PAGE], record[POSITION])
            if key in self._seen:
                page, position = excerpt_of(key[0]), key[1]
                raise BadRecord(
                    f"page and position must be unique; got page {page} position {position} again, first at {self._seen[key]}"
                )
        except BadRecord as error:
            self.reject(str(error), source=source, line=line, value=fields.get(TEXT, fields))
            return
        self._seen[key] = where
        self.records.append(record)

    def note_order(self, first: int) -> None:
        """Note that the latest records came in the order of their page, because of the format they came in.

        Parameters
        ----------
        first
            Number of the first of them among all records.
        """
        known = self._in_order = self._in_order or []
        known += [False] * (first - len(known))
        known += [True] * (len(self.records) - len(known))

    def in_order(self) -> list[bool] | None:
        """Which records are known to be in the order of their page.

        Returns
        -------
        One per record; None where nothing is known of any.
        """
        known = self._in_order
        return None if known is None else known + [False] * (len(self.records) - len(known))

    def reject(self, reason: str, *, source: str, line: int | None, value: object) -> None:
        """Note a record that could not be taken.

        Parameters
        ----------
        reason
            ``rule; got value``.
        source
            The file.
        line
            Line or row.
        value
            What to show as excerpt.
        """
        self.rejects.append(Reject(source, line, reason, excerpt_of(value)))
