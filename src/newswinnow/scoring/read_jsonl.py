"""JSON Lines of a chunk into checked paragraphs, fast where nothing is wrong.

What each rule says is left to :mod:`newswinnow.corpus.records`, whose answer counts wherever a column does not pass as a whole.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Final

import orjson

from newswinnow.corpus.jsonl import parse_object
from newswinnow.corpus.records import EMPTY, BadRecord, check_record
from newswinnow.corpus.rejects import Reject, excerpt_of
from newswinnow.corpus.streams import MAX_RECORD_BYTES
from newswinnow.paragraphs.table import OPTIONAL_COLUMNS, PAGE, POSITION, PREDICTION_COLUMNS, STATUS, TEXT
from newswinnow.scoring.checks import collapsed, columns_pass, optional_pass
from newswinnow.scoring.chunks import Chunk
from newswinnow.scoring.taken import RULES, Paragraphs, ReadChunk, refuse_repeated

_ROWS: Final = 512
"""Rows checked together: enough to make the checks cheap, few enough that one bad row costs little."""

_REQUIRED: Final = itemgetter(PAGE, POSITION, TEXT)
_CHECKED: Final = frozenset(OPTIONAL_COLUMNS)
_SPACED_COLON: Final = re.compile(rb'"[ \t]+:')
_ANSWERS: Final = frozenset(PREDICTION_COLUMNS)


def read_jsonl(chunk: Chunk) -> ReadChunk:
    """Read and check a chunk of JSON Lines.

    Parameters
    ----------
    chunk
        Lines ended by LF.

    Returns
    -------
    Rows, each with its bytes where the answer can be added to them, and rejects.
    """
    lines = chunk.data.split(b"\n")
    del lines[-1]
    read = ReadChunk(Paragraphs(records=[], lines=[]))
    for begin in range(0, len(lines), _ROWS):
        some, first = lines[begin : begin + _ROWS], chunk.first + begin
        if not _take_all(some, first, read):
            _take_each(some, first, read, chunk.source)
    refuse_repeated(read, chunk.source)
    return read


def _take_all(lines: list[bytes], first: int, read: ReadChunk) -> bool:
    """Take all lines if nothing is wrong with any of them; otherwise none."""
    records = _good_records(lines)
    if records is None:
        return False
    pages, positions, texts = zip(*map(_REQUIRED, records), strict=True)
    after_all = collapsed(texts)
    has_answers = not _ANSWERS.isdisjoint(chain.from_iterable(records))
    kept: list[bytes | None] = [None] * len(lines) if has_answers else [*lines]
    for i, (before, after) in enumerate(zip(texts, after_all, strict=True)):
        if before != after or not after:
            kept[i] = None
            records[i][TEXT] = after
            if not after:
                records[i][STATUS] = EMPTY
    _extend(read, pages, positions, after_all, range(first, first + len(lines)), records, kept)
    return True


def _good_records(lines: list[bytes]) -> list[dict[str, Any]] | None:
    """All lines parsed; None if a rule might be broken."""
    if max(map(len, lines)) > MAX_RECORD_BYTES:
        return None
    try:
        records = list(map(orjson.loads, lines))
        if set(map(type, records)) != {dict} or not columns_pass(*zip(*map(_REQUIRED, records), strict=True)):
            return None
    except (orjson.JSONDecodeError, KeyError):
        return None
    names = set(chain.from_iterable(records))
    is_good = all(optional_pass(name, [record.get(name) for record in records]) for name in names & _CHECKED)
    return records if is_good and _are_flat(lines, records) else None


def _are_flat(lines: Sequence[bytes], records: Sequence[dict[str, Any]]) -> bool:
    """Whether no object names a key twice or nests too deep; lines that only look like it are parsed once more."""
    joined = b"\n".join(lines)
    n_keys = sum(map(len, records))
    if (
        joined.count(b'":') == n_keys
        and not _has_spaced_colon(joined)
        and joined.count(b"{") == len(lines)
        and b"[" not in joined
    ):
        return True
    for line, record in zip(lines, records, strict=True):
        if line.count(b'":') != len(record) or line.count(b"{") > 1 or b"[" in line or _has_spaced_colon(line):
            try:
                parse_object(line)
            except BadRecord:
                return False
    return True


def _has_spaced_colon(data: bytes) -> bool:
    """Whether a key may stand apart from its colon; the search alone takes 0.4 us a line."""
    return (b'" ' in data or b'"\t' in data) and _SPACED_COLON.search(data) is not None


def _take_each(lines: Sequence[bytes], first: int, read: ReadChunk, source: str) -> None:
    """Take line by line; what breaks a rule is refused with its number."""
    for number, line in enumerate(lines, first):
        if not line.strip():
            continue
        value: object = line[:200]
        try:
            if len(line) > MAX_RECORD_BYTES:
                raise BadRecord(f"must have at most {MAX_RECORD_BYTES} bytes; got more")
            fields = parse_object(line)
            value = fields.get(TEXT, fields)
            record = check_record(fields, RULES)
        except BadRecord as error:
            read.rejects.append(Reject(source, number, str(error), excerpt_of(value)))
            read.n_records += 1
            continue
        is_same = record[TEXT] == fields[TEXT] != "" and _ANSWERS.isdisjoint(fields)
        taken = [record[PAGE]], [record[POSITION]], [record[TEXT]], [number], [record], [line if is_same else None]
        _extend(read, *taken)


def _extend(
    read: ReadChunk,
    pages: Iterable[str],
    positions: Iterable[int],
    texts: Sequence[str],
    numbers: Iterable[int],
    records: list[dict[str, Any]],
    lines: list[bytes | None],
) -> None:
    rows = read.rows
    rows.pages += pages
    rows.positions += positions
    rows.texts += texts
    rows.numbers += numbers
    assert rows.records is not None
    assert rows.lines is not None
    rows.records += records
    rows.lines += lines
    read.n_records += len(texts)
