import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from newswinnow.harvest.align import Article
from newswinnow.harvest.sources import find_pages, load_page
from newswinnow.harvest.sources.page import SourcePage

FERRY = {
    "title": "Ferry crew praised",
    "body": {
        "summary": ["The crew put out at two."],
        "sections": [
            {"headline": [], "paragraphs": ["Nobody was hurt."]},
            {"headline": ["What next"], "paragraphs": ["A  review."]},
        ],
    },
}
BRIDGE = {"title": "Bridge closed", "body": {"summary": [], "sections": [{"headline": [], "paragraphs": ["The bridge closed."]}]}}


def page_of(*texts: str) -> str:
    return "".join(f"<p>{text}</p>" for text in ("Home", *texts, "Terms"))


FERRY_PAGE = page_of("The crew put out at two.", "Nobody was hurt.", "What next", "A review.")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One publisher with two pages and both bodies in one file, the later page first."""
    country = tmp_path / "xx"
    country.mkdir()
    pages = {"Gazette_2024_01_02": page_of("The bridge closed."), "Gazette_2025_03_04": FERRY_PAGE}
    for name, page in pages.items():
        (country / f"{name}.html.gz").write_bytes(gzip.compress(page.encode()))
    (country / "Gazette.json").write_text(json.dumps({"V1": FERRY, "V1_1": BRIDGE}))
    urls = {f"{name}.html.gz": {"url": f"https://www.gazette.example/{name}"} for name in (*pages, "Gazette_2019_01_01")}
    (country / "meta.info").write_text(json.dumps(urls))
    return tmp_path


def load(folder: Path) -> list[SourcePage]:
    return [load_page(files) for files in find_pages("fundus", folder, source="f")]


def test_each_page_gets_all_articles_of_its_publisher(folder: Path) -> None:
    bridge, ferry = load(folder)
    assert (bridge.page, ferry.page) == ("f/xx/Gazette_2024_01_02", "f/xx/Gazette_2025_03_04")
    url = "https://www.gazette.example/Gazette_2025_03_04"
    paragraphs = ("The crew put out at two.", "Nobody was hurt.", "What next", "A review.")
    assert ferry.articles[0] == Article(paragraphs, "Ferry crew praised", url)
    assert ferry.articles[1] == Article(("The bridge closed.",), "Bridge closed", url)
    assert ferry.html == FERRY_PAGE.encode()
    assert {bridge.site, ferry.site} == {"gazette.example"}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"V1": None},
        {"V1": {"title": "x"}},
        {"V1": {"body": None}},
        {"V1": {"body": {"summary": None, "sections": None}}},
        {"V1": {"body": {"summary": [None, 3], "sections": ["x", {"paragraphs": [{}]}]}}},
    ],
)
def test_what_is_no_body_is_passed_over(fields: dict[str, Any], folder: Path) -> None:
    (folder / "xx" / "Gazette.json").write_text(json.dumps(fields))
    assert [page.articles for page in load(folder)] == [(), ()]


def test_missing_lists_and_bodies(folder: Path) -> None:
    for name in ("Gazette.json", "meta.info"):
        (folder / "xx" / name).unlink()
    assert [(page.articles, page.site) for page in load(folder)] == [((), None), ((), None)]


def test_only_dated_pages_count(folder: Path) -> None:
    (folder / "xx" / "Gazette.html.gz").write_bytes(gzip.compress(b"<p>old"))
    (folder / "xx" / "Gazette_2026_01_01.html.gz").symlink_to(folder / "xx" / "Gazette.html.gz")
    (folder / "xx" / "live_ticker").mkdir()
    (folder / "xx" / "live_ticker" / "Gazette_2026_01_01.html.gz").write_bytes(gzip.compress(b"<p>now"))
    (folder / "xx" / "meta.info").write_text('{"Gazette_2024_01_02.html.gz": "not an object"}')
    names = [page.page for page in load(folder)]
    assert names == ["f/xx/Gazette_2024_01_02", "f/xx/Gazette_2025_03_04", "f/xx/live_ticker/Gazette_2026_01_01"]
