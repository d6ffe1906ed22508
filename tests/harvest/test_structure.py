from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswinnow.harvest.html import split_html
from newswinnow.harvest.structure import NO_NODE, StructuredPage, structure_html

SHARED = Path(__file__).parents[3] / "shared" / "sources"

CARDS = b"""<html><head><title> The  page </title><link rel=canonical href="https://a.example/x"></head><body>
<nav class="siteNav topMenu-2"><ul><li><a href="/news">News</a><li><a href="/sport">Sport</a>
<li><a href="/arts">Arts</a></ul></nav>
<main id=story><h1>A <em>bridge</em> opens</h1><p>It is <a href="/long">long</a> and <a href="/wide">wide</a>.</p></main>
<div class="card card-1"><img src=x><a href="/1"><h3>One</h3><span>Teaser</span></a></div>
<div class="card card-2"><a href="/2"><h3>Two</h3></a></div><div class=other>Three</div></body></html>"""


def texts(page: StructuredPage) -> list[tuple[str, str, float]]:
    return [(block.text, block.tag, block.link_density) for block in page.blocks]


def split(data: bytes) -> list[tuple[str, str, float]]:
    return [(paragraph.text, paragraph.tag, paragraph.link_density) for paragraph in split_html(data)]


def signatures(page: StructuredPage, text: str) -> list[str]:
    index = [block.text for block in page.blocks].index(text)
    return [page.nodes[node].signature for node in page.ancestors(index)]


def test_links_keep_their_targets_and_characters() -> None:
    page = structure_html(CARDS)
    block = next(block for block in page.blocks if block.text.startswith("It is"))
    assert [(link.href, link.n_chars) for link in block.links] == [("/long", 4), ("/wide", 4)]
    assert block.heading_level == 0


def test_a_link_around_blocks_belongs_to_each_of_them() -> None:
    page = structure_html(CARDS)
    linked = {block.text: [link.href for link in block.links] for block in page.blocks}
    assert linked["One"] == linked["Teaser"] == ["/1"]
    assert linked["Three"] == []


def test_links_inside_one_paragraph_that_share_a_target_stay_apart() -> None:
    page = structure_html(b"<p><a href=/a>One</a> <a href=/a>two</a> <a>three</a>")
    assert [(link.href, link.n_chars) for link in page.blocks[0].links] == [("/a", 3), ("/a", 3), ("", 5)]


def test_ancestors_begin_with_the_innermost_that_holds_all_of_the_text() -> None:
    page = structure_html(CARDS)
    assert signatures(page, "A bridge opens") == ["h1", "main", "body"]
    assert signatures(page, "Sport") == ["a", "li", "ul", "nav siteNav", "body"]


def test_names_are_the_words_of_classes_and_ids() -> None:
    page = structure_html(CARDS)
    nav = next(node for node in page.nodes if node.tag == "nav")
    assert nav.names == ("site", "nav", "top", "menu")
    assert next(node for node in page.nodes if node.tag == "main").names == ("story",)


@pytest.mark.parametrize(("text", "level"), [("A bridge opens", 1), ("One", 3), ("Teaser", 0), ("Three", 0)])
def test_heading_level(text: str, level: int) -> None:
    assert {block.text: block.heading_level for block in structure_html(CARDS).blocks}[text] == level


def test_alike_siblings_are_counted_whatever_numbers_their_classes_hold() -> None:
    page = structure_html(CARDS)
    cards = [node for node in page.nodes if node.signature == "div card"]
    assert [(card.n_alike, card.rank, card.n_blocks, card.has_picture) for card in cards] == [(2, 0, 2, True), (2, 1, 1, False)]
    assert {node.n_alike for node in page.nodes if node.tag == "li"} == {3}
    assert next(node for node in page.nodes if node.signature == "div other").n_alike == 1


def test_extents_cover_the_blocks_inside() -> None:
    page = structure_html(CARDS)
    main = next(node for node in page.nodes if node.tag == "main")
    assert [block.text for block in page.blocks[main.first : main.last + 1]] == ["A bridge opens", "It is long and wide."]
    assert page.nodes[0].n_blocks == len(page.blocks)


def test_title_and_canonical_address() -> None:
    page = structure_html(CARDS)
    assert (page.title, page.canonical) == ("The page", "https://a.example/x")
    bare = structure_html(b"<meta property='og:url' content=' https://b.example/y '><p>Text")
    assert (bare.title, bare.canonical) == ("", "https://b.example/y")
    assert structure_html(b"<p>Text").canonical == ""


@pytest.mark.parametrize("data", [b"", b"  ", b"<!-- only a comment -->", b"<script>x</script>"])
def test_pages_without_text(data: bytes) -> None:
    assert structure_html(data).blocks == ()


def test_a_page_too_long_is_refused_as_by_the_splitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newswinnow.harvest.html.MAX_HTML_BYTES", 10)
    with pytest.raises(ValueError, match="must have at most 10 bytes; got 14"):
        structure_html(b"<p>Long enough")


def test_a_big_page_keeps_its_addresses_and_names(monkeypatch: pytest.MonkeyPatch) -> None:
    data = CARDS.replace(b"em>", b"q>")
    plain = structure_html(data)
    monkeypatch.setattr("newswinnow.harvest.html.is_risky", lambda page: True)
    assert structure_html(data) == plain
    assert (plain.title, plain.canonical) == ("The page", "https://a.example/x")


def test_other_encodings() -> None:
    page = structure_html("<meta charset=iso-8859-1><p>Café <a href=/x>crème</a>".encode("latin-1"))
    assert [(block.text, block.node != NO_NODE) for block in page.blocks] == [("Café crème", True)]


PIECES = st.sampled_from(
    [
        *(
            "<p>",
            "</p>",
            "<div class='a b1'>",
            "</div>",
            "<a href=/x>",
            "</a>",
            "<b>",
            "</b>",
            "<br>",
            "<ul><li>",
            "</li>",
            "</ul>",
        ),
        *("<h2>", "</h2>", "<span hidden>", "</span>", "<script>x", "</script>", "<!-- c -->", "<table><tr><td>", "</table>"),
        *("One ", "two", " three.", "&amp;", "\u2028", "é", "<", "<p style='display:none'>", "<img src=x>", "<?pi x?>"),
    ]
)


@given(st.lists(PIECES, max_size=25))
@settings(max_examples=150, deadline=None)
def test_paragraphs_are_those_of_the_splitter(pieces: list[str]) -> None:
    data = "".join(pieces).encode()
    page = structure_html(data)
    assert texts(page) == split(data)
    for i, block in enumerate(page.blocks):
        assert block.node != NO_NODE
        assert all(page.nodes[node].first <= i <= page.nodes[node].last for node in page.ancestors(i))
        n_chars = len(block.text.replace(" ", ""))
        assert round(min(1.0, sum(link.n_chars for link in block.links) / n_chars), 4) == block.link_density


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the public collections in ../shared/sources")
def test_real_pages_have_all_their_paragraphs_in_the_tree() -> None:
    paths = [*sorted((SHARED / "fundus").rglob("*.html.gz"))[::12], *sorted((SHARED / "wcxb" / "dev").rglob("*.html.gz"))[::80]]
    for path in paths:
        data = gzip.decompress(path.read_bytes())
        page = structure_html(data)
        assert texts(page) == split(data), path.name
        assert all(block.node != NO_NODE for block in page.blocks), path.name
