r"""fastText: one line per paragraph, ``__label__news A bridge opened.``, and a companion file that carries ids and metadata.

fastText knows no comments and no ids: every word of a line that begins with ``__label__`` is a label, every other one is text
(https://fasttext.cc/docs/en/supervised-tutorial.html, ``src/dictionary.cc``). So page, position and all other columns stand
in ``FILE.ids.jsonl``, whose n-th line belongs to the n-th line of FILE. Limits: lines may be relabelled freely; where they
were moved or deleted, each is found by its text, and lines whose text stands more than once are taken only if all copies came
back with one label; edited texts are refused. An unlabelled paragraph is a line without a label, which fastText passes over
in training. Words that fastText would misread (``__label__...``, and ``</s>``, at which it ends the line) get a backslash in
front, NUL becomes U+FFFD; the companion keeps the text as it was.

Packing the columns is left to :mod:`newswinnow.corpus.exchange.carrier`.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from newswinnow.corpus.exchange.carrier import Decision, digest_of, pack, packed_digest
from newswinnow.corpus.exchange.incoming import DecisionCollector
from newswinnow.corpus.exchange.lines import MAX_LINE_BYTES
from newswinnow.corpus.exchange.outgoing import Item, Page
from newswinnow.corpus.records import BadRecord
from newswinnow.corpus.rejects import fail
from newswinnow.corpus.streams import STDIN, Line, iter_lines, open_bytes

COMPANION_SUFFIX: Final = ".ids.jsonl"
_PREFIX: Final = "__label__"
_MISREAD: Final = re.compile(rf"(?<!\S)(?={_PREFIX}|</s>(?!\S))")


def escape(text: str) -> str:
    r"""A text without words that fastText would take for a label or the end of the line.

    Parameters
    ----------
    text
        The paragraph, whitespace collapsed.

    Returns
    -------
    The text with a backslash before such words.

    Examples
    --------
    >>> print(escape("write __label__x, then </s> ends it"))
    write \__label__x, then \</s> ends it
    """
    return _MISREAD.sub(r"\\", text)


def export_pages(pages: Sequence[Page], *, only_queued: bool) -> dict[str, Iterator[bytes]]:
    """Paragraphs as lines, page by page, and the companion.

    Parameters
    ----------
    pages
        What to export.
    only_queued
        Leave out paragraphs whose label is not wanted.

    Returns
    -------
    Suffix of the file's name to its contents: ``""`` the lines, ``.ids.jsonl`` the companion.
    """
    items = [item for page in pages for _, item in page.shown(only_queued=only_queued)]
    return {"": map(_line, items), COMPANION_SUFFIX: map(_id, items)}


def _line(item: Item) -> bytes:
    label = "" if item.label is None else f"{_PREFIX}{item.label} "
    return f"{label}{escape(item.text)}\n".encode()


def _id(item: Item) -> bytes:
    return pack(item.record, escape(item.text)).encode("ascii") + b"\n"


@dataclass(frozen=True)
class _Labelled:
    """A line of the file, its labels apart from its text."""

    number: int
    labels: tuple[str, ...]
    text: str

    def decide(self) -> Decision:
        if len(self.labels) > 1:
            raise BadRecord(f"must have one label at most; got {', '.join(self.labels)}")
        return Decision(self.labels[0] if self.labels else None)


def read_export(path: str | Path, into: DecisionCollector) -> None:
    """Read a labelled file with its companion.

    Parameters
    ----------
    path
        The file.
    into
        Takes paragraphs and rejects.

    Raises
    ------
    FileNotFoundError
        If the file or its companion is not there.
    CorpusError
        If the companion is damaged.
    ValueError
        If the file is standard input, which has no companion.
    """
    if str(path) == STDIN:
        raise ValueError(f"stdin: fastText files must lie beside their companion FILE{COMPANION_SUFFIX}; got standard input")
    ids = _read_companion(f"{path}{COMPANION_SUFFIX}")
    lines: list[_Labelled | None] = []
    for raw in _lines(path):
        try:
            lines.append(_parse(raw))
        except BadRecord as error:
            into.reject(str(error), source=str(path), line=raw.number, value=raw.data[:200])
            lines.append(None)
    packed = _in_place(lines, ids) or _by_text(lines, ids)
    for line in filter(None, lines):
        if line.number in packed:
            into.restore(packed[line.number], line.text, line.decide, source=str(path), line=line.number)
        else:
            rule = f"text must tell which paragraph of FILE{COMPANION_SUFFIX} it is; got one of none or several"
            into.reject(rule, source=str(path), line=line.number, value=line.text)


def _lines(path: str | Path) -> Iterator[Line]:
    with open_bytes(path) as stream:
        yield from (line for line in iter_lines(stream, max_bytes=MAX_LINE_BYTES) if line.data.strip())


def _parse(raw: Line) -> _Labelled:
    if raw.is_too_long:
        raise BadRecord(f"must have at most {MAX_LINE_BYTES} bytes; got more")
    try:
        words = raw.data.decode("utf-8").strip(" ").split(" ")
    except UnicodeDecodeError as error:
        byte = raw.data[error.start]
        raise BadRecord(f"must be valid UTF-8; got byte 0x{byte:02x} at byte {error.start} of the line") from error
    n_labels = next((i for i, word in enumerate(words) if not word.startswith(_PREFIX)), len(words))
    labels = tuple(word.removeprefix(_PREFIX) for word in words[:n_labels])
    return _Labelled(raw.number, labels, " ".join(words[n_labels:]))


@dataclass(frozen=True)
class _Id:
    """A line of the companion: the digest of the text it belongs to, and the packed columns."""

    digest: str
    packed: str


def _read_companion(path: str) -> list[_Id]:
    ids = []
    for line in _lines(path):
        try:
            ids.append(_Id(packed_digest(line.data), line.data.decode("ascii")))
        except (UnicodeDecodeError, BadRecord) as error:
            raise fail(path, f"must be as exported; got {error}", line=line.number) from error
    return ids


def _in_place(lines: list[_Labelled | None], ids: list[_Id]) -> dict[int, str] | None:
    """Packed columns by line number if no line was moved; None if one was. A line that cannot be read keeps its place."""
    if len(lines) != len(ids):
        return None
    pairs = [(line, found) for line, found in zip(lines, ids, strict=True) if line is not None]
    if any(digest_of(line.text) != found.digest for line, found in pairs):
        return None
    return {line.number: found.packed for line, found in pairs}


def _by_text(lines: list[_Labelled | None], ids: list[_Id]) -> dict[int, str]:
    """Packed columns by line number for lines that moved, where the text alone tells or copies of it all carry one label."""
    by_text: defaultdict[str, tuple[list[_Labelled], list[str]]] = defaultdict(lambda: ([], []))
    for line in filter(None, lines):
        by_text[digest_of(line.text)][0].append(line)
    for found in ids:
        by_text[found.digest][1].append(found.packed)
    return {
        line.number: packed
        for copies, candidates in by_text.values()
        if len(copies) == len(candidates) and len({line.labels for line in copies}) == 1
        for line, packed in zip(copies, candidates, strict=True)
    }
