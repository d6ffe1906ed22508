import gzip
import os
from pathlib import Path

import pytest

from newswinnow.corpus.rejects import CorpusError
from newswinnow.harvest.align import Article
from newswinnow.harvest.sources import find_pages, load_page
from newswinnow.harvest.sources.page import SourcePage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    (folder / "www.gazette.example").mkdir(parents=True)
    (folder / "www.gazette.example" / "bridge.html").write_text("<p>The bridge closed.")
    (folder / "www.gazette.example" / "bridge.txt").write_text("\ufeffThe bridge closed.\r\n", encoding="utf-8")
    (folder / "ferry.HTM.gz").write_bytes(gzip.compress(b"<p>The ferry sailed."))
    return folder


def load(folder: Path) -> dict[str, SourcePage]:
    return {files.page: load_page(files) for files in find_pages("folder", folder, source="mine")}


def test_pages_with_the_text_beside_them(folder: Path) -> None:
    pages = load(folder)
    assert list(pages) == ["mine/ferry", "mine/www.gazette.example/bridge"]
    bridge = pages["mine/www.gazette.example/bridge"]
    assert (bridge.articles, bridge.site) == ((Article("The bridge closed."),), "gazette.example")
    assert (pages["mine/ferry"].articles, pages["mine/ferry"].site) == ((), None)
    assert pages["mine/ferry"].html == b"<p>The ferry sailed."


def test_compressed_text(folder: Path) -> None:
    (folder / "ferry.txt.gz").write_bytes(gzip.compress(b"The ferry sailed."))
    assert load(folder)["mine/ferry"].articles == (Article("The ferry sailed."),)


def test_pages_csv_tells_title_and_site(folder: Path) -> None:
    (folder / "pages.csv").write_bytes(
        b"page,title,url,site\r\n"
        b'ferry,"Ferry, at last",https://news.paper.co.uk/1,\r\n'
        b"www.gazette.example/bridge,Bridge,https://a.example/2,agency.example\r\n"
    )
    (folder / "ferry.txt").write_text("The ferry sailed.")
    pages = load(folder)
    ferry = pages["mine/ferry"]
    assert ferry.articles == (Article("The ferry sailed.", "Ferry, at last", "https://news.paper.co.uk/1"),)
    assert ferry.site == "paper.co.uk"
    bridge = pages["mine/www.gazette.example/bridge"]
    assert (bridge.articles[0].title, bridge.site) == ("Bridge", "agency.example")


def test_the_address_in_the_page_is_the_last_resort(folder: Path) -> None:
    (folder / "ferry.HTM.gz").write_bytes(gzip.compress(b'<link rel="canonical" href="https://coast.example/ferry">'))
    assert load(folder)["mine/ferry"].site == "coast.example"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "must have the column page and may have url, title, site; got "),
        ("url\n", "must have the column page .*; got url"),
        ("page,author\nferry,A\n", "must have the column page .*; got page, author"),
        ("page,title\nferry,a\nferry,b\n", r":3: page must stand once; got 'ferry' again"),
        ("page,title\nferry\n", ":2: must have as many fields as columns; got another number"),
        ("page,title\nferry,a,b\n", ":2: must have as many fields as columns"),
        ('page,title\nferry,"a\n', ": must be valid CSV; got unexpected end of data"),
        ("page\nabsent\n", "page must be the path of an HTML file without its suffix; got 'absent'"),
    ],
)
def test_a_malformed_list_is_refused(text: str, rule: str, folder: Path) -> None:
    (folder / "pages.csv").write_text(text)
    with pytest.raises(CorpusError, match=rf"pages\.csv.*{rule}"):
        load(folder)


def test_two_files_for_one_page_are_refused(folder: Path) -> None:
    (folder / "ferry.html").write_text("<p>Again")
    with pytest.raises(
        CorpusError, match=r"ferry\.html: must differ from other pages in more than its suffix; got ferry\.HTM\.gz"
    ):
        load(folder)


def test_links_hidden_files_and_pipes_are_passed_over(folder: Path) -> None:
    (folder / "linked.html").symlink_to(folder / "www.gazette.example" / "bridge.html")
    (folder / "loop").symlink_to(folder)
    (folder / ".hidden.html").write_text("<p>x")
    (folder / ".cache").mkdir()
    (folder / ".cache" / "page.html").write_text("<p>x")
    os.mkfifo(folder / "pipe.html")
    assert len(load(folder)) == 2
