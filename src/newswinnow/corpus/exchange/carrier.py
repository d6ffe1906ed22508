"""A paragraph's columns packed into one string, which annotation tools carry along without touching it.

Loose metadata do not survive the tools: doccano exports through ``pandas.DataFrame.to_json``, which turns the integers of a
column with gaps into floats and rounds floats to 10 digits (``backend/data_export/pipeline/writers.py``; doccano#246 lost the
columns altogether), Label Studio keeps them in a PostgreSQL ``jsonb`` field, which reorders keys, rewrites ``1e22`` as an
integer and takes no NUL. A string of ASCII characters passes through both. How each tool's records look is left to the tools'
modules.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import orjson

from newswinnow.corpus.jsonl import parse_object
from newswinnow.corpus.records import BadRecord
from newswinnow.corpus.rejects import excerpt_of
from newswinnow.paragraphs.table import LABEL, ORIGIN, TEXT

CARRIER: Final = "newswinnow"
"""Key under which the packed columns stand in a tool's record."""

_COLUMNS: Final = "columns"
_SHOWN: Final = "shown"
_DIGEST_CHARS: Final = 16


@dataclass(frozen=True)
class Decision:
    """What an annotator decided about one paragraph.

    Attributes
    ----------
    label
        The label chosen; None for none.
    is_made
        Whether anything was decided: a skipped paragraph keeps the label it was exported with.
    """

    label: Any
    is_made: bool = True


UNDECIDED: Final = Decision(None, is_made=False)


def shown_text(text: str) -> str:
    r"""A text as tools can store it: PostgreSQL, under Label Studio and doccano, takes no NUL.

    Parameters
    ----------
    text
        The paragraph.

    Returns
    -------
    The text with U+FFFD for every NUL.

    Examples
    --------
    >>> shown_text("a\x00b")
    'a�b'
    """
    return text.replace("\0", "\ufffd")


def digest_of(shown: str) -> str:
    """What a shown text is recognised by.

    Parameters
    ----------
    shown
        The text as the tool shows it.

    Returns
    -------
    The first 16 hexadecimal digits of its SHA-256.
    """
    return sha256(shown.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_CHARS]


def pack(record: Mapping[str, Any], shown: str) -> str:
    """All columns of a paragraph as one string of ASCII characters.

    Parameters
    ----------
    record
        Column to value.
    shown
        The text as the tool shows it; packed only as a digest, by which a damaged or edited text is noticed, unless it differs
        from the paragraph's own.

    Returns
    -------
    The string.

    Raises
    ------
    BadRecord
        If a value is not exactly the same after a way through JSON.

    Examples
    --------
    >>> packed = pack({"page": "p", "position": 0, "text": "Share"}, "Share")
    >>> unpack(packed, "Share", Decision("boilerplate"))
    {'page': 'p', 'position': 0, 'text': 'Share', 'label': 'boilerplate'}
    """
    columns = {name: value for name, value in record.items() if name != TEXT or value != shown}
    try:
        orjson.dumps(columns)  # Refuses what no table could hold again: integers over 64 bits, half characters.
        packed = json.dumps({_COLUMNS: columns, _SHOWN: digest_of(shown)}, allow_nan=False, separators=(",", ":"))
        is_same = parse_object(packed.encode("ascii"))[_COLUMNS] == columns
    except (TypeError, ValueError, RecursionError) as error:
        raise BadRecord(f"columns must hold JSON values; got {error}") from error
    if not is_same:
        raise BadRecord(f"columns must be the same after a way through JSON; got {excerpt_of(columns)}")
    return packed


def unpack(packed: Any, shown: Any, decision: Decision) -> dict[str, Any]:
    """The columns of a paragraph with what was decided about it.

    Parameters
    ----------
    packed
        What :func:`pack` made.
    shown
        The text as the tool gives it back.
    decision
        What was decided.

    Returns
    -------
    Column to value, not yet checked. Where the decision changes the label, an ``origin`` becomes ``read``: a person decided.

    Raises
    ------
    BadRecord
        If the string or the text is not what was exported.
    """
    if not isinstance(packed, str) or not isinstance(shown, str):
        raise BadRecord(
            f"must have the strings {TEXT!r} and {CARRIER!r} of the export; got {excerpt_of(shown)}, {excerpt_of(packed)}"
        )
    carried = _carried(packed.encode("utf-8", "surrogatepass"))
    if carried[_SHOWN] != digest_of(shown):
        raise BadRecord(f"text must be the one exported; got {excerpt_of(shown)}")
    columns = carried[_COLUMNS]
    fields = {**columns, TEXT: columns.get(TEXT, shown)}
    if not decision.is_made or decision.label == fields.get(LABEL):
        return fields
    if decision.label is not None and ORIGIN in fields:
        fields[ORIGIN] = "read"
    return fields | {LABEL: decision.label}


def packed_digest(packed: bytes) -> str:
    """Digest of the shown text to which packed columns belong.

    Parameters
    ----------
    packed
        What :func:`pack` made.

    Returns
    -------
    As :func:`digest_of`.

    Raises
    ------
    BadRecord
        If the string is not what was exported.
    """
    digest: str = _carried(packed)[_SHOWN]
    return digest


def _carried(packed: bytes) -> dict[str, Any]:
    carried = parse_object(packed)
    if not isinstance(carried.get(_COLUMNS), dict) or not isinstance(carried.get(_SHOWN), str):
        raise BadRecord(f"{CARRIER!r} must hold the exported columns; got {excerpt_of(packed)}")
    return carried
