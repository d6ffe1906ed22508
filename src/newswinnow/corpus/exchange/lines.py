"""JSON lines of an annotation tool, object by object, refused ones set aside.

What the objects mean is left to the tools' modules.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from newswinnow.corpus.jsonl import parse_object
from newswinnow.corpus.records import BadRecord, RecordCollector
from newswinnow.corpus.streams import STDIN, iter_lines, open_bytes

MAX_LINE_BYTES = 32 << 20
"""A paragraph of 1 million characters may stand in a line twice, as shown and packed, with up to twelve bytes a character."""


def each_object(path: str | Path, into: RecordCollector) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Objects of a JSON Lines file.

    Parameters
    ----------
    path
        The file, or ``-``.
    into
        Takes the lines that are no objects.

    Yields
    ------
    The file's name for messages, the line's number and the object; empty lines are passed over.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    source = "stdin" if str(path) == STDIN else str(path)
    with open_bytes(path) as stream:
        for line in iter_lines(stream, max_bytes=MAX_LINE_BYTES):
            if not line.data.strip():
                continue
            try:
                if line.is_too_long:
                    raise BadRecord(f"must have at most {MAX_LINE_BYTES} bytes; got more")
                fields = parse_object(line.data)
            except BadRecord as error:
                into.reject(str(error), source=source, line=line.number, value=line.data[:200])
                continue
            yield source, line.number, fields
