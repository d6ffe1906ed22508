"""What holds for every reader: it is known by name, lists in order, and names what is wrong with a file."""

import gzip
from pathlib import Path

import pytest

from newswinnow.corpus.rejects import CorpusError
from newswinnow.harvest.html import MAX_HTML_BYTES
from newswinnow.harvest.sources import READERS, find_pages, load_page
from newswinnow.harvest.sources.page import MAX_BODY_BYTES, PageFiles, read_html_file, read_json_object, read_text_file
from newswinnow.harvest.sources.site import site_in_html

SHARED = Path(__file__).resolve().parents[4] / "shared" / "sources"


def test_readers_are_a_closed_list() -> None:
    assert list(READERS) == ["wcxb", "fundus", "folder"]
    assert all(reader.name == name for name, reader in READERS.items())


def test_unknown_reader(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^reader: must be one of wcxb, fundus, folder; got 'warc'$"):
        find_pages("warc", tmp_path, source="x")


@pytest.mark.parametrize("reader", sorted(READERS))
def test_a_folder_without_pages_is_refused_with_the_layout_it_should_have(reader: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"must hold pages as {READERS[reader].layout}; got none"):
        find_pages(reader, tmp_path, source="x")
    with pytest.raises(FileNotFoundError, match="must be an existing directory; got nothing there"):
        find_pages(reader, tmp_path / "absent", source="x")
    (tmp_path / "file").touch()
    with pytest.raises(FileNotFoundError, match="must be an existing directory; got a file"):
        find_pages(reader, tmp_path / "file", source="x")


@pytest.mark.parametrize(
    ("page", "site"),
    [
        (b'<link href="https://www.gazette.example/a" rel="canonical">', "gazette.example"),
        (b"<LINK REL=canonical HREF=http://news.paper.co.uk/x>", "paper.co.uk"),
        (b"<meta content='https://m.gazette.example/?a&amp;b' property='og:url'>", "gazette.example"),
        (b'<link rel="canonical" href="/bridge"><a href="https://other.example">', None),
        (b"<p>nothing</p>", None),
    ],
)
def test_site_is_read_from_the_address_a_page_gives_itself(page: bytes, site: str | None) -> None:
    assert site_in_html(b"<html><head>" + page) == site


@pytest.mark.parametrize("piece", [b"<link rel=canonical ", b"<meta property=og:url content", b"rel=canonical ", b"<link"])
def test_site_of_a_hostile_page_is_told_in_time(piece: bytes) -> None:
    # A pattern that starts over at every position would need minutes for this.
    assert site_in_html(b"<link " + piece * 30_000) is None


def test_large_files_are_read_to_their_limit_only(tmp_path: Path) -> None:
    path = tmp_path / "large.html"
    with path.open("wb") as file:
        file.truncate(MAX_HTML_BYTES + 1000)
    assert len(read_html_file(path)) == MAX_HTML_BYTES + 1
    with path.open("wb") as file:
        file.truncate(MAX_BODY_BYTES + 1)
    with pytest.raises(CorpusError, match=rf"large\.html: must have at most {MAX_BODY_BYTES} bytes; got more"):
        read_text_file(path)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"{", "must be valid JSON; got Expecting"),
        (b"[1]", "must be a JSON object; got list"),
        (b"[" * 100_000, "must be valid JSON; got "),
        (b'{"a": "\xff"}', "must be valid UTF-8; got byte 0xff at byte 7"),
    ],
)
def test_json_that_is_none_is_named(data: bytes, rule: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(data)
    with pytest.raises(CorpusError, match=rf"a\.json: {rule}"):
        read_json_object(tmp_path / "a.json")


def test_cut_gzip_is_named(tmp_path: Path) -> None:
    path = tmp_path / "page.html.gz"
    path.write_bytes(gzip.compress(b"<p>A bridge opened." * 100)[:-12])
    with pytest.raises(CorpusError, match=r"page\.html\.gz: must be a whole gzip file"):
        load_page(PageFiles("x/page", "x", "folder", path))


@pytest.mark.parametrize(("name", "n_pages", "n_without_body"), [("wcxb", 1050, 3), ("fundus", 84, 0)])
def test_the_shared_copy_is_read_whole(name: str, n_pages: int, n_without_body: int) -> None:
    if not SHARED.is_dir():
        pytest.skip("needs ../shared/sources, copies of the public collections")
    found = find_pages(name, SHARED / name, source=name)
    assert len(found) == n_pages
    some = found if name == "fundus" else [files for files in found if files.page.endswith(("1", "4893", "4542"))]
    pages = [load_page(files) for files in some]
    assert sum(not page.articles for page in pages) == n_without_body
    assert all(page.site and all(article.title for article in page.articles) for page in pages)
