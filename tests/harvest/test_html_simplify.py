"""Rewriting big and odd pages: the paragraphs stay the same, and nothing is left that takes a parser more than linear time."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswinnow.harvest import html, html_simplify
from newswinnow.harvest.html import HtmlParagraph, split_html
from newswinnow.harvest.html_simplify import MAX_BYTES, MAX_DEPTH, MAX_TAG_BYTES, MAX_TAGS, is_risky, simplified


@pytest.mark.parametrize(
    ("page", "is_so"),
    [
        ("<p>a</p>" * (MAX_TAGS // 2), False),
        ("<p>a</p>" * (MAX_TAGS // 2) + "<p>", True),
        ("a" * MAX_BYTES, False),
        ("a" * (MAX_BYTES + 1), True),
        (f"<p a='{'b' * (MAX_TAG_BYTES // 2)}'>", False),
        (f"<p a='{'b' * MAX_TAG_BYTES}'>", False),
        ("c" * 100_000 + f"<p a='{'b' * MAX_TAG_BYTES}'>", True),
        ("<script>" + "b" * (5 * MAX_TAG_BYTES) + "</script>", False),
        ("<script>a<b;" + "c" * (5 * MAX_TAG_BYTES) + "</script>", True),
    ],
)
def test_limits(page: str, is_so: bool) -> None:
    assert is_risky(page.encode()) is is_so


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<DIV Class='a' ID=b>x</DIV >", "<div>x</div>"),
        ("<p HIDDEN style=\"a: '>'; display: none\" class=c>", '<p hidden="" style="a: \'>\'; display: none">'),
        ("<p style=color:red><p style=Display:none style=x>", "<p><p style=Display:none>"),
        ("<b>a</b><I hidden>b</I><a href=x>c</a>", '<var>a</var><var hidden="">b</var><a>c</a>'),
        ("<svg><path d=x /><g><title/></g></svg><br/>", "<svg><g><title/></g></svg><br/>"),
        ("<script a='>'>b</p>'</scripts></SCRIPT x>c", "c"),
        ("<style>a", ""),
        ("<TITLE id=a>a<b></title >b", "<title>a&lt;b></title>b"),
        ("<title>a<p>", "<title>a&lt;p></title>"),
        ("a<!-- <p> -->b<!>c<?d e>f</ g>h</>i<!--->j<!-- --!>k<!-- l", "abcfhijk"),
        ("1 < 2 <3 <", "1 &lt; 2 &lt;3 &lt;"),
        ("a<p class='b", "a"),
        ("<p a=b/>c<p/>d", "<p>c<p/>d"),
    ],
)
def test_what_is_left(page: str, expected: str) -> None:
    assert simplified(page) == expected


def test_attributes_asked_for_are_kept() -> None:
    page = "<a CLASS=b href='/c' id=d>x</a><meta property=e content=f>"
    assert simplified(page, keep=["class", "href", "content"]) == "<a class=b href='/c'>x</a><meta content=f>"


def deepest(page: str) -> int:
    depth = found = 0
    for end in re.findall(r"<(/?)(?!br>)[^>]*>", page):
        depth += -1 if end else 1
        found = max(found, depth)
    return found


@pytest.mark.parametrize("end", ["", "<!--</div>-->", "</x>", "<p a='</div>'></p>", "<script></div></script>"])
def test_depth_has_a_limit_whatever_pretends_to_end_it(end: str) -> None:
    assert deepest(simplified(f"<div>{end}" * 3000)) <= MAX_DEPTH


def test_number_of_attributes_has_a_limit() -> None:
    attributes = " ".join(f"hidden a{i} style=display:none" for i in range(3000))
    assert simplified(f"<p {attributes}>") == '<p hidden="" style=display:none>'


def test_below_the_deepest_level_blocks_still_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_simplify, "MAX_DEPTH", 2)
    assert simplified("<div><div><p>a<b>b</b></p></div></div><p>c") == "<div><div><br>ab<br></div></div><p>c"


# Formatting tags stand in pairs: where they cross other tags, the parser closes and reopens them, which is what is avoided.
PIECES = st.sampled_from(
    """<div> </div> <p> </p> <b>one</b> <a_href=x> </a> <ul> </ul> <li> <table> </table> <td> <h2> </h2> <br> <br/> </br> <img>
    <span_hidden> </span> <p_style="display:none"> <section_HIDDEN> </section> <svg><path/></svg> <script>x<y</script>
    <style></style> <!--_x_--> <template> </template> <button> </button> <select> <option> </select> <x-own> </x-own>
    <p_title='>'> <p_title=">"> one two , . < &lt; &amp;""".split()
).map(lambda piece: piece.replace("_", " "))


def both_ways(page: str) -> tuple[Sequence[HtmlParagraph], Sequence[HtmlParagraph]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(html, "is_risky", lambda page: True)
        rewritten = split_html(page.encode())
        patch.setattr(html, "is_risky", lambda page: False)
        return rewritten, split_html(page.encode())


@given(st.lists(PIECES, max_size=40))
@settings(deadline=None)
def test_paragraphs_stay_the_same(pieces: list[str]) -> None:
    rewritten, direct = both_ways(" ".join(pieces))
    assert rewritten == direct


@given(st.text(st.sampled_from("<>/!?-='\" apbr\n\x0c"), max_size=60))
@settings(deadline=None)
def test_a_page_rewritten_has_nothing_left_to_rewrite(page: str) -> None:
    once = simplified(page)
    assert simplified(once) == once
