"""Any input into one paragraph table: tables, plain text, HTML, web archives, each also compressed, directories, standard input.

Formats are told by suffix, standard input by its first bytes; the readers themselves stand in :mod:`newswinnow.corpus`.
"""

import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from glob import glob
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, BinaryIO, Final

from newswinnow.corpus.delimited import read_delimited
from newswinnow.corpus.jsonl import read_jsonl
from newswinnow.corpus.records import RecordCollector, RecordRules
from newswinnow.corpus.rejects import CorpusError, Reject, fail
from newswinnow.corpus.streams import BOM, COMPRESSIONS, MAX_RECORD_BYTES, STDIN, iter_lines, open_bytes
from newswinnow.corpus.tables import TABLE_FORMATS, Reading, format_of, read_table_into, rows_from_records, table_from_rows
from newswinnow.harvest.folders import passed_over
from newswinnow.paragraphs.rows import Rows
from newswinnow.paragraphs.table import IN_ORDER, LINK_DENSITY, PAGE, POSITION, TAG, TEXT

if TYPE_CHECKING:
    import pandas as pd

PAGE_FORMATS: Final = ("txt", "html", "htm")
ARCHIVE_FORMATS: Final = ("warc", "wet")
INPUT_FORMATS: Final = (*PAGE_FORMATS, *TABLE_FORMATS, *ARCHIVE_FORMATS)
SNIFFED_BYTES: Final = 1 << 16
_JSON_OBJECT: Final = re.compile(rb"\{\s*[\"}]")


@dataclass(frozen=True)
class Input:
    """One file to read: its path (``-`` for standard input), its format, and the page id a plain page gets."""

    path: str
    file_format: str
    page: str


def _page_id(path: PurePath) -> str:
    """The path in POSIX form, known extensions dropped."""
    name = PurePath(path.name).stem if path.suffix.lower() in COMPRESSIONS else path.name
    if PurePath(name).suffix.removeprefix(".").lower() in INPUT_FORMATS:
        name = PurePath(name).stem
    return (path.with_name(name) if name else path).as_posix()


def _files_below(folder: Path) -> list[Path]:
    """Regular files in order of their names; links, devices, files of other kinds and all that is hidden are passed over."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if not path.is_symlink()
        and path.is_file()
        and format_of(path) in INPUT_FORMATS
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def _inputs_of(named: str, file_format: str | None) -> list[Input]:
    if named == STDIN:
        return [Input(STDIN, file_format or "", "stdin")]
    path = Path(named)
    if path.is_dir():
        files = _files_below(path)
        return [Input(str(f), file_format or format_of(f), _page_id(f.relative_to(path))) for f in files]
    if not path.exists():
        if found := sorted(glob(named, recursive=True)):  # noqa: PTH207 - Path.glob takes no absolute pattern
            return [item for name in found for item in _inputs_of(name, file_format)]
        raise FileNotFoundError(f"{named}: must be an existing file or directory; got nothing there")
    kind = file_format or format_of(path)
    if kind not in INPUT_FORMATS:
        allowed = ", ".join("." + name for name in INPUT_FORMATS)
        raise fail(named, f"must end in one of {allowed}, each also .gz or .zst; got {path.suffix or 'no suffix'!r}")
    return [Input(named, kind, _page_id(PurePath(path.name)))]


def expand_inputs(named: Sequence[str | Path], *, file_format: str | None = None) -> list[Input]:
    """The files behind what a user named.

    Parameters
    ----------
    named
        Files, patterns such as ``crawl/*.html``, directories (searched to any depth, in order of names) or ``-``.
    file_format
        Read everything as this format; None to go by the suffix.

    Returns
    -------
    One entry per file. A page id that two inputs would share becomes the path as named, with its extension if even that
    is shared.

    Raises
    ------
    FileNotFoundError
        If a path is not there.
    CorpusError
        If a file named directly is of no known kind.
    """
    inputs = [found for name in named for found in _inputs_of(str(name), file_format)]
    for longer in (_page_id, PurePath.as_posix):
        shared = Counter(i.page for i in inputs if i.file_format not in TABLE_FORMATS)
        inputs = [replace(i, page=longer(PurePath(i.path))) if shared[i.page] > 1 and i.path != STDIN else i for i in inputs]
    return inputs


def passed_over_in(named: Sequence[str | Path]) -> Counter[str]:
    """What is left out of the folders among the inputs because it is neither file nor folder.

    Parameters
    ----------
    named
        Files, directories or ``-``.

    Returns
    -------
    Links, pipes, sockets and devices by kind.
    """
    return passed_over(path for path in map(Path, named) if str(path) != STDIN and path.is_dir())


@dataclass
class _TextBlock:
    """Lines of plain text between two blank ones, kept up to the size of a record."""

    begin: int
    lines: list[str] = field(default_factory=list)
    n_bytes: int = 0

    def add(self, text: str, n_bytes: int) -> None:
        self.n_bytes += n_bytes
        if self.n_bytes <= MAX_RECORD_BYTES:
            self.lines.append(text)


def _blocks_of_text(stream: BinaryIO) -> Iterator[_TextBlock]:
    block: _TextBlock | None = None
    for line in iter_lines(stream):
        text = line.data.decode("utf-8", "surrogateescape")
        if line.is_too_long or text.strip():
            block = block or _TextBlock(line.number)
            block.add(text, len(line.data) + line.is_too_long)
        elif block:
            yield block
            block = None
    if block:
        yield block


def _read_text(stream: BinaryIO, *, source: str, page: str, into: RecordCollector) -> None:
    for position, block in enumerate(_blocks_of_text(stream)):
        if block.n_bytes > MAX_RECORD_BYTES:
            reason = f"a paragraph must have at most {MAX_RECORD_BYTES} bytes; got more"
            into.reject(reason, source=source, line=block.begin, value="\n".join(block.lines)[:200])
        else:
            into.add({PAGE: page, POSITION: position, TEXT: "\n".join(block.lines)}, source=source, line=block.begin)


def _read_html(stream: BinaryIO, *, source: str, page: str, into: RecordCollector) -> None:
    # Plain text needs no HTML parser.
    from newswinnow.harvest.html import MAX_HTML_BYTES, split_html

    data = stream.read(MAX_HTML_BYTES + 1)
    try:
        paragraphs = split_html(data)
    except ValueError as error:
        into.reject(str(error), source=source, line=None, value="")
        return
    first = len(into.records)
    for position, paragraph in enumerate(paragraphs):
        fields = {PAGE: page, POSITION: position, TEXT: paragraph.text}
        hints = {TAG: paragraph.tag, LINK_DENSITY: paragraph.link_density}
        into.add(fields | hints, source=source, line=None)
    into.note_order(first)


def sniff(head: bytes) -> str:
    """Format of standard input: what begins like a JSON object is JSONL, markup first is HTML, all else text.

    The beginning decides, not the whole first record: a broken one must be refused, not read as prose.

    Parameters
    ----------
    head
        The first bytes.

    Returns
    -------
    ``html``, ``jsonl`` or ``txt``.
    """
    first = head.removeprefix(BOM).lstrip()
    if first.startswith(b"<"):
        return "html"
    return "jsonl" if _JSON_OBJECT.match(first) else "txt"


class _Rejoined(io.RawIOBase):
    """Bytes already taken from a stream, then the rest of it."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self._head[: len(view)] or self._rest.read(len(view))
        self._head = self._head[len(data) :]
        view[: len(data)] = data
        return len(data)


def _read_stdin(item: Input, into: RecordCollector) -> None:
    if item.file_format == "parquet":
        raise fail("stdin", "must be one of txt, html, jsonl, csv, tsv; got parquet")
    with open_bytes(STDIN) as raw:
        head = b"" if item.file_format else raw.read(SNIFFED_BYTES)
        stream = io.BufferedReader(_Rejoined(head, raw))
        read_stream(stream, item.file_format or sniff(head), source="stdin", page=item.page, into=into)


def read_stream(stream: BinaryIO, file_format: str, *, source: str, page: str, into: RecordCollector) -> None:
    """Read one open file of any format but Parquet.

    Parameters
    ----------
    stream
        The bytes, decompressed.
    file_format
        One of :data:`INPUT_FORMATS`.
    source
        The file's name for messages.
    page
        Id of a page of plain text or HTML.
    into
        Takes records and rejects.

    Raises
    ------
    CorpusError
        If the file as a whole is unusable.
    """
    if file_format == "jsonl":
        read_jsonl(stream, source=source, into=into)
    elif file_format in ("csv", "tsv"):
        read_delimited(stream, source=source, delimiter="," if file_format == "csv" else "\t", into=into)
    elif file_format in ARCHIVE_FORMATS:
        from newswinnow.harvest.warc import read_archive

        read_archive(stream, source=source, into=into)
    elif file_format == "txt":
        _read_text(stream, source=source, page=page, into=into)
    else:
        _read_html(stream, source=source, page=page, into=into)


@dataclass(frozen=True)
class RowReading:
    """What came out of reading, as rows: records seen are rows plus rejects.

    Attributes
    ----------
    rows
        The records taken.
    rejects
        Those refused.
    in_order
        Which rows are known to be in the order of their page; None where nothing is known.
    """

    rows: Rows
    rejects: tuple[Reject, ...]
    in_order: Sequence[bool] | None = None

    @property
    def known(self) -> Rows:
        """The rows with what is known of their order: what models are given."""
        return self.rows if self.in_order is None else self.rows.with_columns({IN_ORDER: self.in_order})

    @property
    def n_records(self) -> int:
        """Records seen."""
        return len(self.rows) + len(self.rejects)


def read_rows(inputs: Sequence[str | Path], *, rules: RecordRules | None = None, file_format: str | None = None) -> RowReading:
    """Read inputs of any kind, setting bad records aside; nothing but a Parquet file needs pandas or pyarrow for it.

    Parameters
    ----------
    inputs
        Files, directories or ``-``.
    rules
        How strict to be; the default keeps unlabelled rows and refuses empty texts.
    file_format
        Read everything as this format; None to go by suffix or, for standard input, by its first bytes.

    Returns
    -------
    The rows and the records that were refused.

    Raises
    ------
    FileNotFoundError
        If a path is not there.
    CorpusError
        If a file as a whole is unusable.
    """
    if file_format is not None and file_format not in INPUT_FORMATS:
        raise ValueError(f"file_format: must be one of {', '.join(INPUT_FORMATS)}; got {file_format!r}")
    collector = RecordCollector(rules or RecordRules())
    for item in expand_inputs(inputs, file_format=file_format):
        if item.path == STDIN:
            _read_stdin(item, collector)
        elif item.file_format in TABLE_FORMATS:
            read_table_into(collector, item.path, file_format=item.file_format)
        else:
            with open_bytes(item.path) as stream:
                read_stream(stream, item.file_format, source=item.path, page=item.page, into=collector)
    return RowReading(rows_from_records(collector), tuple(collector.rejects), collector.in_order())


def read_inputs(inputs: Sequence[str | Path], *, rules: RecordRules | None = None, file_format: str | None = None) -> Reading:
    """Read inputs of any kind as a table, setting bad records aside.

    Parameters
    ----------
    inputs
        Files, directories or ``-``.
    rules
        How strict to be; the default keeps unlabelled rows and refuses empty texts.
    file_format
        Read everything as this format; None to go by suffix or, for standard input, by its first bytes.

    Returns
    -------
    The table and the records that were refused.

    Raises
    ------
    FileNotFoundError
        If a path is not there.
    CorpusError
        If a file as a whole is unusable.
    """
    reading = read_rows(inputs, rules=rules, file_format=file_format)
    return Reading(table_from_rows(reading.rows), reading.rejects)


def read_paragraphs(*inputs: str | Path, file_format: str | None = None) -> "pd.DataFrame":
    r"""Read pages or tables into one paragraph table.

    Parameters
    ----------
    *inputs
        Files (``.txt``, ``.html``, ``.jsonl``, ``.csv``, ``.tsv``, ``.parquet``, ``.warc``, ``.wet``, each also ``.gz`` or
        ``.zst``), directories or ``-``.
    file_format
        Read everything as this format; None to go by suffix.

    Returns
    -------
    One row per paragraph with at least ``page``, ``position`` and ``text``.

    Raises
    ------
    FileNotFoundError
        If a path is not there.
    CorpusError
        If any record or file cannot be taken; the message names file and line.

    Examples
    --------
    >>> from pathlib import Path
    >>> page = getfixture("tmp_path") / "page.txt"
    >>> _ = page.write_text("Share\n\nA bridge opened\non Monday.\n", encoding="utf-8")
    >>> read_paragraphs(page)[["page", "text"]].values.tolist()
    [['page', 'Share'], ['page', 'A bridge opened on Monday.']]
    """
    reading = read_inputs(inputs, file_format=file_format)
    if reading.rejects:
        raise CorpusError(reading.rejects)
    return reading.table
