"""HTML into paragraphs: where text is cut, what is invisible, and the two hints that markup gives."""

import gzip
import json
import re
import socket
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from newswinnow.harvest import html
from newswinnow.harvest.html import BLOCKS, SKIPPED, HtmlParagraph, split_html, table_from_html


def texts(page: str | bytes) -> list[str]:
    return [p.text for p in split_html(page.encode() if isinstance(page, str) else page)]


@pytest.mark.parametrize(
    "tag", ["a", "abbr", "b", "cite", "code", "em", "font", "i", "mark", "q", "span", "strong", "sub", "u", "x-own"]
)
def test_inline_tags_never_cut_a_sentence(tag: str) -> None:
    assert texts(f"<p>The <{tag}>fer</{tag}>ry sails <{tag} class=c>again</{tag}>.</p>") == ["The ferry sails again."]


@pytest.mark.parametrize("tag", sorted(BLOCKS - SKIPPED - {"body", "plaintext"}))
def test_blocks_cut_on_both_sides(tag: str) -> None:
    table_part = tag in {"caption", "tbody", "td", "tfoot", "th", "thead", "tr", "table"}
    inside = "" if tag == "hr" else "inside"
    page = f"<table><{tag}>inside</{tag}></table>" if table_part else f"<div>before <{tag}>{inside}</{tag}> after</div>"
    found = texts(page)
    assert found == (["inside"] if table_part else [text for text in ("before", inside, "after") if text])


@pytest.mark.parametrize("page", ["one<br>two", "one<br/>two", "<p>one<br clear=all><br> two</p>", "<b>one<br>two</b>"])
def test_line_break_cuts(page: str) -> None:
    assert texts(page) == ["one", "two"]


def test_whitespace_is_collapsed_and_blank_blocks_are_dropped() -> None:
    page = "<p> The\n\tferry&nbsp; sails </p><p>&#8232; </p><p></p>\n<div> <span> </span></div>"
    assert texts(page) == ["The ferry sails"]


def test_what_has_no_width_is_no_paragraph_but_stays_inside_one() -> None:
    assert texts("<p>\u200b</p><p>&zwnj; &shy;</p><p>a\u200db</p><p>\u200b&#65279;c</p>") == ["a\u200db", "\u200b\ufeffc"]


def test_tight_inline_tags_do_not_make_a_space_and_blocks_do_not_join() -> None:
    assert texts("<p>a<b>b</b>c</p>d<ul><li>e<li>f</ul>") == ["abc", "d", "e", "f"]


@pytest.mark.parametrize(
    "tag", ["script", "style", "noscript", "template", "svg", "math", "iframe", "object", "canvas", "textarea"]
)
def test_skipped_elements_show_nothing_and_keep_what_follows(tag: str) -> None:
    assert texts(f"<p>The <{tag}>hidden words</{tag}>ferry</p>") == ["The ferry"]


@pytest.mark.parametrize("void", ["img src=x alt=words", "input value=words", "wbr", "meta name=x content=words", "link href=x"])
def test_void_elements_keep_what_follows(void: str) -> None:
    assert texts(f"<p>The <{void}>ferry</p>") == ["The ferry"]


@pytest.mark.parametrize(
    "attribute",
    [
        "hidden",
        'hidden=""',
        'style="display:none"',
        'style="color:red; DISPLAY : None !important"',
        'style="visibility: hidden;"',
        "style=display:none",
    ],
)
def test_hidden_elements_are_invisible_with_all_inside(attribute: str) -> None:
    page = f"<p>The <span {attribute}>not <b>at</b> all</span>ferry</p><div {attribute}><p>gone</p></div>sails"
    assert texts(page) == ["The ferry", "sails"]


@pytest.mark.parametrize(
    "attribute",
    [
        'style="backface-visibility:hidden"',
        'style="visibility:visible"',
        'style="display:none-such"',
        'style="overflow:hidden"',
        'class="hidden"',
        'aria-hidden="true"',
        'data-style="display:none"',
    ],
)
def test_what_only_looks_hidden_is_visible(attribute: str) -> None:
    assert texts(f"<p {attribute}>Seen</p>") == ["Seen"]


def test_hidden_body_and_nested_hidden_parts() -> None:
    assert texts("<body hidden><p>gone</p></body>") == []
    assert texts("<div hidden><div hidden>a</div>b<script>c</script></div>d<i hidden>e</i>f<p>g</p>") == ["df", "g"]


def test_comments_and_instructions_show_nothing_and_keep_what_follows() -> None:
    assert texts("<p>The <!-- no -->ferry<?php no ?> sails</p><!-- <p>no</p> -->again") == ["The ferry sails", "again"]
    assert texts("<div hidden><!-- a -->b</div>c") == ["c"]


def test_head_is_not_text_but_a_frameset_without_frames_is() -> None:
    assert texts("<html><head><title>No</title><meta name=a></head><body>Yes</body></html>") == ["Yes"]
    assert texts("<html><head><title>No</title></head><frameset><noframes>Yes</noframes></frameset></html>") == ["Yes"]


def test_entities_are_resolved_once() -> None:
    assert texts("<p>Fish &amp; chips &lt;now&gt; &eacute;&#x2019;&amp;lt;</p>") == ["Fish & chips <now> é’&lt;"]


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<p>plain</p>", 0.0),
        ("<p><a href=x>all of it</a></p>", 1.0),
        ("<p><a href=x> half </a> <b>full</b></p>", 0.5),
        ("<p>a <a href=x>b</a> <a href=y>c</a></p>", 0.6667),
        ("<p><a href=x>on<b>e</b></a> t<a href=y>w</a>o</p>", 0.6667),
        ("<a href=x><p>block in a link</p></a>", 1.0),
        ("<p><a href=x><span hidden>hidden</span>a</a> bcd</p>", 0.25),
        ("<p><a href=x><img alt=x></a>after</p>", 0.0),
    ],
)
def test_link_density_is_the_share_of_non_space_characters(page: str, expected: float) -> None:
    assert [p.link_density for p in split_html(page.encode())] == [expected]


def test_link_ends_with_its_tag_across_blocks() -> None:
    page = b"<div><a href=x>one<div>two</div></a>three</div>"
    assert [(p.text, p.link_density) for p in split_html(page)] == [("one", 1.0), ("two", 1.0), ("three", 0.0)]


def test_tag_is_that_of_the_innermost_block() -> None:
    page = b"out<article>a<h1><span>b</span></h1>c<ul><li>d<br>e<p>f</p>g</li></ul>h</article><table><tr><td>i</td></tr></table>j"
    assert [(p.text, p.tag) for p in split_html(page)] == [
        ("out", "body"),
        ("a", "article"),
        ("b", "h1"),
        ("c", "article"),
        ("d", "li"),
        ("e", "li"),
        ("f", "p"),
        ("g", "li"),
        ("h", "article"),
        ("i", "td"),
        ("j", "body"),
    ]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("<p>Überfahrt „heute“</p>".encode("utf-16"), "Überfahrt „heute“"),
        ("<meta charset=iso-8859-1><p>„heute“ €</p>".encode("cp1252"), "„heute“ €"),
        ("<?xml version='1.0' encoding='latin-1'?><p>é</p>".encode(), "é"),
        (b"<\x00?xml version='1.0' encoding='latin-1'?><p>e</p>", "e"),
        (b"<p>nul\x00l</p>", "null"),
        (b"<p>a lone surrogate &#xd800; is none</p>", "a lone surrogate \ufffd is none"),
    ],
)
def test_pages_are_read_in_their_encoding(data: bytes, expected: str) -> None:
    assert texts(data) == [expected]


def test_bytes_that_are_no_text_are_named_never_replaced() -> None:
    with pytest.raises(ValueError, match=r"^must be valid UTF-8; got byte 0xef at byte 25 of the page$"):
        split_html(b"<meta charset=utf-8><p>na\xefve</p>")


@pytest.mark.parametrize(
    "data", [b"", b" \n", b"\xef\xbb\xbf", b"\x00", b"<!-- only -->", b"<html></html>", b"<p>", b"<!doctype html>"]
)
def test_pages_without_text_have_no_paragraphs(data: bytes) -> None:
    assert split_html(data) == []


def test_plain_text_is_one_paragraph() -> None:
    assert split_html(b"No markup, 1 < 2 here.") == [HtmlParagraph("No markup, 1 < 2 here.", "body", 0.0)]


def test_page_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "MAX_HTML_BYTES", 20)
    assert texts("<p>0123456789012</p>") == ["0123456789012"]
    with pytest.raises(ValueError, match=r"^an HTML page must have at most 20 bytes; got 21$"):
        split_html(b"<p>01234567890123</p>")


@pytest.mark.parametrize("depth", [1000, 2047, 5000, 50_000])
@pytest.mark.parametrize("tag", ["div", "b", "DIV class='a>b'"])
@pytest.mark.parametrize("is_closed", [True, False], ids=["closed", "open"])
def test_deep_nesting_loses_no_text(depth: int, tag: str, is_closed: bool) -> None:
    end = f"</{tag.split()[0]}>"
    page = "<p>first</p>" + f"<{tag}>" * depth + "deep<script>no</script><br>deeper" + end * depth * is_closed + "<p>last</p>"
    assert texts(page) == ["first", "deep", "deeper", "last"]


def test_deep_blocks_still_cut_and_inline_tags_do_not() -> None:
    page = "<div>" * 3000 + "one<p>t<b>w</b>o<img src=x></p>three" + "</div>" * 3000 + "<p>f<i>o</i>ur</p>"
    assert texts(page) == ["one", "two", "three", "four"]


def test_deep_skipped_elements_end_where_they_should() -> None:
    for tag in ("svg", "object", "template"):
        assert texts("<p>first</p>" + f"<{tag}>" * 3000 + "no" + f"</{tag}>" * 3000 + "<p>last</p>") == ["first", "last"]


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<html><body><p>a</body></html><div><p>b</p></div>", ["a", "b"]),
        ("<body><p>a<html><body><p>b", ["a", "b"]),
        ("<span>a</span></br><span>b</span>", ["a", "b"]),
        ("a</p>b", ["a", "b"]),
        ("<svg><path d=x><div>a</div></svg>b", ["a", "b"]),
        ("<ul><template><li>no</li></template><li><a>a</a></ul>", ["a"]),
        ("<table>a<tr><td>b</table>c", ["a", "b", "c"]),
        ("<p>a<b>b<p>c</b>d</p>", ["ab", "cd"]),
        ("<a href=x>a<a href=y>b", ["ab"]),
        ("<p title='>'>a<p title=\">\">b", ["a", "b"]),
        ('<p a"b>a</p><p>b', ["a", "b"]),
        ("<head><noscript>no<img></noscript><title>no</title></head><p>a", ["a"]),
        ("a < b <3 <", ["a < b <3 <"]),
        ("<p>a<!-- > --!>b<!--->c<!>d</>e<?f>g", ["abcdeg"]),
        ("<xmp><b>a</b></xmp>b", ["<b>a</b>", "b"]),
        ("<select><option>a<option>b</select>", ["a", "b"]),
        ("<p>a<ruby>b<rp>(</rp><rt>c</rt></ruby>", ["abc"]),
        ("<input list=x><datalist id=x><option>no</datalist>a", ["a"]),
    ],
)
def test_broken_markup_is_read_as_browsers_read_it(page: str, expected: list[str]) -> None:
    assert texts(page) == expected


def test_no_file_is_read_for_an_entity(tmp_path: Path) -> None:
    (tmp_path / "canary.txt").write_text("CANARY", encoding="utf-8")
    page = f'<!DOCTYPE html [<!ENTITY x SYSTEM "{(tmp_path / "canary.txt").as_uri()}">]><p>a &x; b</p>'
    assert not any("CANARY" in text for text in texts(page))


def test_nothing_is_fetched() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        host = f"http://127.0.0.1:{server.getsockname()[1]}"
        page = (
            f'<!DOCTYPE html SYSTEM "{host}/a.dtd"><!ENTITY x SYSTEM "{host}/b"><base href="{host}/"><link rel=stylesheet href=c>'
            f'<script src="{host}/d.js"></script><meta http-equiv=refresh content="0; url={host}/e"><p>a &x; b<img src=f>'
            f'<iframe src="{host}/g"></iframe><object data=h></object><svg><use href="{host}/i"/></svg><video src=j></video>'
        )
        assert texts(page) == ["a &x; b"]
        with pytest.raises(BlockingIOError, match="temporarily unavailable"):
            server.accept()


def test_table_has_the_hints_and_typed_columns() -> None:
    table = table_from_html(b"<h2>Most read</h2><p><a href=x>Ferry</a></p>", page="news/a")
    assert table.to_dict("list") == {
        "page": ["news/a", "news/a"],
        "position": [0, 1],
        "text": ["Most read", "Ferry"],
        "tag": ["h2", "p"],
        "link_density": [0.0, 1.0],
    }
    assert table_from_html("<h2>Most read</h2><p><a href=x>Ferry</a></p>", page="news/a").equals(table)
    empty = table_from_html(b"", page="p")
    assert list(empty.columns) == list(table.columns)
    assert len(empty) == 0


def test_decoded_text_is_what_it_says_whatever_the_page_declares() -> None:
    page = '<meta charset="windows-1252"><p>Café “Zürich” \ud800</p>'
    assert table_from_html(page)["text"].tolist() == ["Café “Zürich” ?"]
    assert table_from_html(page)["page"].tolist() == ["page"]


VISIBLE_TAGS = st.sampled_from(["div", "p", "span", "a", "b", "li", "ul", "h2", "td", "section", "label", "br", "img", "x-own"])
WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn", "Cf"], exclude_characters="<>&"), max_size=8)
PIECES = st.recursive(
    WORDS,
    lambda inner: st.tuples(VISIBLE_TAGS, st.lists(inner, max_size=4)).map(
        lambda element: f"<{element[0]}>{''.join(element[1])}</{element[0]}>"
    ),
    max_leaves=25,
)


def non_space(text: str) -> str:
    return "".join(text.split())


@given(st.lists(PIECES, max_size=5))
@settings(deadline=None)
def test_no_visible_text_is_lost_or_moved(pieces: list[str]) -> None:
    page = f"<html><body><div>{''.join(pieces)}</div></body></html>"
    body = LexborHTMLParser(page).body
    assert body is not None
    expected = body.text(deep=True)
    assert "".join(map(non_space, texts(page))) == non_space(expected)


@given(
    st.lists(PIECES, max_size=4),
    st.sampled_from(["script", "style", "noscript", "template", "div hidden", "p style=display:none"]),
)
@settings(deadline=None)
def test_an_invisible_element_takes_away_only_itself(pieces: list[str], tag: str) -> None:
    inserted = f"<{tag}>NEVER-SHOWN</{tag.split()[0]}>"
    with_it = f"<div>{''.join(piece + inserted for piece in pieces)}</div>"
    without = f"<div>{''.join(pieces)}</div>"
    assert non_space("".join(texts(with_it))) == non_space("".join(texts(without)))


HTML_LIKE = st.lists(
    st.sampled_from(
        [b"<", b">", b"</", b"<p>", b"<a href='", b"<!--", b"-->", b"<script>", b"&#", b";", b"x", b'"', b"\x00", b"<table>"]
    ),
    max_size=30,
).map(b"".join)


@given(st.binary(max_size=200) | HTML_LIKE)
@settings(deadline=None)
def test_any_bytes_give_good_paragraphs_or_a_typed_refusal(data: bytes) -> None:
    found: Sequence[HtmlParagraph] = []
    refusal = ""
    try:
        found = split_html(data)
    except ValueError as error:
        refusal = str(error)
    assert re.fullmatch(r"|must be valid [A-Z0-9-]+; got byte 0x.. at byte \d+ of the page", refusal)
    for paragraph in found:
        assert paragraph.text
        assert paragraph.text == " ".join(paragraph.text.split())
        assert 0.0 <= paragraph.link_density <= 1.0
        assert paragraph.tag in BLOCKS


SHARED = Path(__file__).parents[3] / "shared"


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the hand-read labels and the public collections in ../shared")
def test_paragraphs_that_people_read_are_found_on_their_pages() -> None:
    read: dict[Path, set[str]] = defaultdict(set)
    for line in (SHARED / "gold" / "train.jsonl").read_text(encoding="utf-8").split("\n"):
        row = json.loads(line or "{}")
        origin, _, name = row.get("page", "").partition("/")
        if row.get("label") and origin in ("wcxb", "fundus"):
            path = name.replace("dev/", "dev/html/") if origin == "wcxb" else name
            read[SHARED / "sources" / origin / f"{path}.html.gz"].add(" ".join(row["text"].split()))
    pages = sorted(read)[::12]
    found = sum(len(read[path] & set(texts(gzip.decompress(path.read_bytes())))) for path in pages)
    assert found >= 0.999 * sum(len(read[path]) for path in pages) > 1000
