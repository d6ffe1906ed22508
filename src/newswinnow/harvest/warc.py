"""Web archives into pages: the HTML responses of a WARC file, the extracted texts of a WET file; needs the ``warc`` extra.

Splitting a page into paragraphs is left to :mod:`newswinnow.harvest.html`; a WET text has one paragraph on each line.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, BinaryIO, Final

from newswinnow.corpus.records import RecordCollector
from newswinnow.corpus.rejects import fail
from newswinnow.harvest.html import MAX_HTML_BYTES, split_html
from newswinnow.paragraphs.table import LINK_DENSITY, PAGE, POSITION, TAG, TEXT

URL: Final = "url"
"""Column with the address a page was fetched from."""

_HTML_TYPES: Final = ("text/html", "application/xhtml+xml")


@dataclass(frozen=True, slots=True)
class ArchivedPage:
    """One page of a web archive.

    Attributes
    ----------
    number
        Number of its record among all records of the file, from 1.
    page
        Its id: the record's, ``urn:uuid:...``.
    url
        Where it was fetched from.
    is_html
        Whether the data is HTML; if not, it is plain text.
    data
        The page.
    reason
        Why it cannot be taken; empty if it can.
    """

    number: int
    page: str
    url: str | None
    is_html: bool
    data: bytes
    reason: str = ""


class _Forward:
    """A decompressed stream as fastwarc wants one: it asks where it stands, and panics where ``seek`` is missing."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._at += len(data)
        return data

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        if (offset, whence) not in ((self._at, 0), (0, 1)):
            raise OSError(f"a web archive must be read forward; got a jump to {offset}")
        return self._at

    def close(self) -> None:
        """Do nothing: who opened the stream closes it."""


def iter_archive(stream: BinaryIO, *, source: str) -> Iterator[ArchivedPage]:
    """Pages of a WARC or WET file: successful HTML responses, HTML resources and plain-text conversions; all else is passed over.

    Parameters
    ----------
    stream
        The file, decompressed.
    source
        Its name for messages.

    Yields
    ------
    The pages in order.

    Raises
    ------
    CorpusError
        If the file is damaged, cut, or the ``warc`` extra is not installed.
    """
    try:
        from fastwarc.warc import ArchiveIterator
    except ImportError as error:
        raise fail(source, "web archives need fastwarc; got no such package (pip install 'newswinnow[warc]')") from error
    number = 0
    records = ArchiveIterator(_Forward(stream), parse_http=False)
    while True:
        try:
            record = next(records, None)
            number += 1
            page = None if record is None else _page_of(record, number, source)
        except BaseException as error:
            # fastwarc is Rust inside, whose panics are no Exception to Python.
            if isinstance(error, OSError) or type(error).__name__ == "PanicException":
                raise fail(source, f"must be a whole web archive; got {error}", line=max(number, 1)) from error
            raise
        if record is None:
            return
        if page is not None:
            yield page


def _page_of(record: Any, number: int, source: str) -> ArchivedPage | None:
    kind, n_bytes = str(record.record_type), record.content_length
    if record.headers.get("Content-Length") is None:
        raise fail(source, "must be a whole web archive; got a record without its length", line=number)
    if kind not in ("response", "resource", "conversion"):
        _check_length(record.consume(), n_bytes, source, number)
        return None
    name, url = (record.record_id or f"record {number}").strip("<>"), record.headers.get("WARC-Target-URI")
    is_too_long = n_bytes > MAX_HTML_BYTES
    if not is_too_long:
        record.freeze()
        _check_length(record.content_length, n_bytes, source, number)
    try:
        if not _is_text(record, kind):
            return None
        if is_too_long:
            return ArchivedPage(number, name, url, kind != "conversion", b"", _too_long(n_bytes))
        data = record.reader.read(MAX_HTML_BYTES + 1)
    except (OSError, ValueError) as error:
        return ArchivedPage(number, name, url, True, b"", f"must be a readable HTTP response; got {error}")
    reason = _too_long(len(data)) if len(data) > MAX_HTML_BYTES else ""
    return ArchivedPage(number, name, url, kind != "conversion", b"" if reason else data, reason)


def _check_length(found: int, n_bytes: int, source: str, number: int) -> None:
    if found != n_bytes:
        raise fail(source, f"must be a whole web archive; got {found} of {n_bytes} bytes", line=number)


def _is_text(record: Any, kind: str) -> bool:
    """Whether a record holds a page; the HTTP headers of a response are passed on the way."""
    if kind == "conversion":
        return True
    content_type = record.headers.get("Content-Type") or ""
    if kind == "response":
        if not record.is_http:
            return False
        record.parse_http(auto_decode="all", strict_mode=False)
        if record.http_headers.status_code != HTTPStatus.OK:
            return False
        content_type = record.http_content_type or ""
    return bool(content_type.lower().startswith(_HTML_TYPES))


def _too_long(n_bytes: int) -> str:
    return f"a page must have at most {MAX_HTML_BYTES} bytes; got {n_bytes}"


def add_archived(page: ArchivedPage, *, source: str, into: RecordCollector) -> None:
    """Paragraphs of one page of an archive.

    Parameters
    ----------
    page
        The page.
    source
        The file's name for messages.
    into
        Takes records, each with its ``url``, and rejects.
    """
    rows: list[dict[str, Any]]
    try:
        if page.reason:
            raise ValueError(page.reason)
        if page.is_html:
            rows = [{TEXT: p.text, TAG: p.tag, LINK_DENSITY: p.link_density} for p in split_html(page.data)]
        else:
            text = page.data.decode("utf-8", "surrogateescape")
            rows = [{TEXT: line} for line in text.split("\n") if line.strip()]
    except ValueError as error:
        into.reject(str(error), source=source, line=page.number, value="")
        return
    first = len(into.records)
    for position, row in enumerate(rows):
        into.add({PAGE: page.page, POSITION: position, **row, URL: page.url}, source=source, line=page.number)
    into.note_order(first)


def read_archive(stream: BinaryIO, *, source: str, into: RecordCollector) -> None:
    """Read a WARC or WET file.

    Parameters
    ----------
    stream
        The file, decompressed.
    source
        Its name for messages.
    into
        Takes records and rejects.

    Raises
    ------
    CorpusError
        As in :func:`iter_archive`.
    """
    for page in iter_archive(stream, source=source):
        add_archived(page, source=source, into=into)
