"""Web archives into pages."""

import gzip
import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from newswinnow.corpus.records import RecordCollector, RecordRules
from newswinnow.corpus.rejects import CorpusError
from newswinnow.harvest import warc
from newswinnow.harvest.inputs import read_rows
from newswinnow.harvest.warc import ArchivedPage, iter_archive, read_archive

HTML = b"<h1>Bridge opens</h1><p>It rained.</p><a href=x>More</a>"


def record(kind: str, number: int, body: bytes, content_type: str) -> bytes:
    """One record with invented address and id."""
    headers = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{number}>\r\nWARC-Target-URI: https://a.example/{number}\r\n"
        f"WARC-Date: 2026-01-01T00:00:00Z\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return headers.encode() + body + b"\r\n\r\n"


def response(number: int, body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """An HTTP response."""
    http = "\r\n".join([f"HTTP/1.1 {status}", *(headers or ("Content-Type: text/html",))]).encode()
    return record("response", number, http + b"\r\n\r\n" + body, "application/http; msgtype=response")


def pages_of(data: bytes) -> Sequence[ArchivedPage]:
    return list(iter_archive(io.BytesIO(data), source="crawl.warc"))


def test_pages_are_html_responses_and_resources_and_texts() -> None:
    data = b"".join(
        [
            record("warcinfo", 0, b"software: x", "application/warc-fields"),
            record("request", 1, b"GET / HTTP/1.1\r\n\r\n", "application/http; msgtype=request"),
            response(2, HTML),
            response(3, b"body {}", "Content-Type: text/css"),
            response(4, HTML, status="404 Not Found"),
            record("response", 5, b"not http", "text/dns"),
            record("resource", 6, HTML, "text/html; charset=utf-8"),
            record("resource", 7, b"%PDF", "application/pdf"),
            record("conversion", 8, b"Home\nIt rained.\n", "text/plain"),
        ]
    )
    found = [(page.number, page.page, page.url, page.is_html, page.data) for page in pages_of(data)]
    assert found == [
        (3, "urn:uuid:2", "https://a.example/2", True, HTML),
        (7, "urn:uuid:6", "https://a.example/6", True, HTML),
        (9, "urn:uuid:8", "https://a.example/8", False, b"Home\nIt rained.\n"),
    ]


def test_compressed_bodies_are_unpacked() -> None:
    headers = ("Content-Type: application/xhtml+xml", "Content-Encoding: gzip")
    (page,) = pages_of(response(1, gzip.compress(HTML), *headers))
    assert page.data == HTML


def test_a_body_that_expands_too_far_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warc, "MAX_HTML_BYTES", 1000)
    headers = ("Content-Type: text/html", "Content-Encoding: gzip")
    (page,) = pages_of(response(1, gzip.compress(b"x" * 100_000), *headers))
    assert (page.data, page.reason) == (b"", "a page must have at most 1000 bytes; got 1001")


def test_a_record_that_is_too_long_is_refused_and_the_next_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warc, "MAX_HTML_BYTES", 500)
    first, second = pages_of(response(1, b"x" * 1000) + response(2, HTML))
    assert first.reason.startswith("a page must have at most 500 bytes; got 10")
    assert second.data == HTML


@pytest.mark.parametrize("cut", [10, 30, 60])
def test_a_cut_archive_fails_as_a_whole(cut: int) -> None:
    with pytest.raises(CorpusError, match=r"crawl\.warc:2: must be a whole web archive; got \d+ of \d+ bytes"):
        pages_of(response(1, HTML) + response(2, HTML)[:-cut])


@pytest.mark.parametrize("junk", [b"hello\nworld\n" * 9, b"\0" * 1000])
def test_what_is_no_archive_is_refused(junk: bytes) -> None:
    with pytest.raises(CorpusError, match=r"crawl\.warc:1: must be a whole web archive; got "):
        pages_of(junk)


def test_an_empty_archive_has_no_pages() -> None:
    assert pages_of(b"") == []


def test_paragraphs_carry_their_address_and_rejects_their_record() -> None:
    collector = RecordCollector(RecordRules())
    bad = record("conversion", 2, b"It \xff rained.\nFine.\n", "text/plain")
    data = response(1, HTML) + bad + response(3, b"<meta charset=utf-8>\xff", "Content-Type: text/html")
    read_archive(io.BytesIO(data), source="crawl.warc", into=collector)
    assert [(r["page"], r["position"], r["text"], r["url"]) for r in collector.records] == [
        ("urn:uuid:1", 0, "Bridge opens", "https://a.example/1"),
        ("urn:uuid:1", 1, "It rained.", "https://a.example/1"),
        ("urn:uuid:1", 2, "More", "https://a.example/1"),
        ("urn:uuid:2", 1, "Fine.", "https://a.example/2"),
    ]
    assert collector.records[2]["link_density"] == 1.0
    assert [(r.line, r.reason.split(";")[0]) for r in collector.rejects] == [
        (2, "text must be valid UTF-8"),
        (3, "must be valid UTF-8"),
    ]


@pytest.mark.parametrize("name", ["crawl.warc", "crawl.warc.gz", "crawl.warc.wet.gz"])
def test_archives_are_known_by_suffix(name: str, tmp_path: Path) -> None:
    data = record("conversion", 8, b"Home\nIt rained.\n", "text/plain")
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    assert list(read_rows([tmp_path]).rows["text"]) == ["Home", "It rained."]


def test_without_fastwarc_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "fastwarc.warc", None)
    with pytest.raises(
        CorpusError, match=r"web archives need fastwarc; got no such package \(pip install 'newswinnow\[warc\]'\)"
    ):
        pages_of(b"")


def test_a_film_that_is_too_long_is_passed_over_and_a_page_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warc, "MAX_HTML_BYTES", 500)
    film = response(1, b"x" * 1000, "Content-Type: video/mp4")
    assert [page.page for page in pages_of(film + response(2, HTML))] == ["urn:uuid:2"]


@pytest.mark.parametrize("kind", ["metadata", "request", "conversion"])
def test_an_archive_cut_in_a_record_that_is_passed_over_fails_too(kind: str) -> None:
    last = record(kind, 2, b"x" * 50, "text/plain")
    for cut in (10, 75):
        with pytest.raises(CorpusError, match=r"crawl\.warc:2: must be a whole web archive; got "):
            pages_of(response(1, HTML) + last[:-cut])
