"""JSON Lines of a chunk into checked paragraphs, fast where nothing is wrong.

What each rule says is left to :mod:`newswinnow.corpus.records`, whose answer counts wherever a column does not pass as a whole.
"""

import re
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any, Final

import numpy as np
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
_TAB, _LINE_FEED, _SPACE, _QUOTE, _COLON, _BRACE = b'\t\n ":{'
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
    records = _records(lines)
    if records is None:
        return False
    try:
        pages, positions, texts = zip(*map(_REQUIRED, records), strict=True)
    except KeyError:
        return False
    names = set[str]().union(*records)
    if not columns_pass(pages, positions, texts) or not all(
        optional_pass(name, [record.get(name) for record in records]) for name in names & _CHECKED
    ):
        return False
    after_all = collapsed(texts)
    kept: list[bytes | None] = [*lines] if _ANSWERS.isdisjoint(names) else [None] * len(lines)
    if "" in after_all or after_all != [*texts]:
        for i, (before, after) in enumerate(zip(texts, after_all, strict=True)):
            if before != after or not after:
                kept[i] = None
                records[i][TEXT] = after
                if not after:
                    records[i][STATUS] = EMPTY
                    names.add(STATUS)
    _extend(read, pages, positions, after_all, range(first, first + len(lines)), records, kept, names)
    return True


def _records(lines: list[bytes]) -> list[dict[str, Any]] | None:
    """All lines parsed; None if one is too long, is no object, or may name a key twice or nest too deep."""
    joined = b"\n".join(lines)
    if len(joined) > MAX_RECORD_BYTES and max(map(len, lines)) > MAX_RECORD_BYTES:
        return None
    try:
        if _are_flat(joined, len(lines)):
            # The only brace of each line is its first byte, so what stands between two of them is one object or no JSON.
            records = orjson.loads(b"[%b]" % joined.replace(b"\n", b","))
            if set(map(type, records)) == {dict} and len(records) == len(lines) and _names_once(joined, records):
                return records  # type: ignore[no-any-return]
        records = list(map(orjson.loads, lines))
    except orjson.JSONDecodeError:
        return None
    return records if set(map(type, records)) == {dict} and _are_good(lines, records) else None


def _are_flat(joined: bytes, n: int) -> bool:
    """Whether all lines begin with the only brace that they have, and none has a bracket."""
    codes = np.frombuffer(joined, dtype=np.uint8)
    n_first = np.count_nonzero((codes[1:] == _BRACE) & (codes[:-1] == _LINE_FEED)) + joined.startswith(b"{")
    return int(n_first) == n == joined.count(b"{") and b"[" not in joined


def _names_once(joined: bytes, records: Sequence[dict[str, Any]]) -> bool:
    """Whether there are as many keys in lines as in what was parsed of them; no key stands apart from its colon."""
    codes = np.frombuffer(joined, dtype=np.uint8)
    is_colon, before = codes[1:] == _COLON, codes[:-1]
    if (is_colon & ((before == _SPACE) | (before == _TAB))).any() and _SPACED_COLON.search(joined):
        return False
    return int(np.count_nonzero(is_colon & (before == _QUOTE))) == sum(map(len, records))


def _are_good(lines: Sequence[bytes], records: Sequence[dict[str, Any]]) -> bool:
    """Whether no object names a key twice or nests too deep; lines that only look like it are parsed once more."""
    for line, record in zip(lines, records, strict=True):
        if line.count(b'":') != len(record) or line.count(b"{") > 1 or b"[" in line or _SPACED_COLON.search(line):
            try:
                parse_object(line)
            except BadRecord:
                return False
    return True


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
        _extend(read, *taken, names={*record})


def _extend(
    read: ReadChunk,
    pages: Iterable[str],
    positions: Iterable[int],
    texts: Sequence[str],
    numbers: Iterable[int],
    records: list[dict[str, Any]],
    lines: list[bytes | None],
    names: set[str],
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
    rows.names |= names
    read.n_records += len(texts)
