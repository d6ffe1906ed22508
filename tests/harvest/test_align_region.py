from __future__ import annotations

import pytest

from newswinnow.harvest.align_body import find_body
from newswinnow.harvest.align_region import PageRegion
from newswinnow.harvest.structure import structure_html

FIRST = "The old bridge over the river opened again on Monday after three years of repairs."
SECOND = "The council said on Tuesday that the work had cost far more than anybody had planned."
TITLE = "Old bridge opens again after three years"
PAGE = f"""<title>{TITLE} | The Paper</title><body><nav>Home</nav><main><h1>{TITLE}</h1><div class=text><p>{FIRST}</p>
<div class=box><figure><figcaption>Cars on the bridge</figcaption></figure><span>More</span></div><p>{SECOND}</p></div>
<p>News / {TITLE}</p><p>Bridge opens again</p><p>Old bridge opens again after years</p></main>"""


def evidence(text: str, *, title: str = TITLE, body: list[str] | None = None) -> set[str]:
    page = structure_html(PAGE.encode())
    region = PageRegion(page, find_body(page, body or [FIRST, SECOND]), title)
    return set(region.evidence([block.text for block in page.blocks].index(text)))


def test_a_paragraph_of_the_body() -> None:
    assert evidence(FIRST) >= {
        *("body: long text in order", "cover: >0.9", "order: from the body's first", "container: inside"),
        *("markup: as the body", "blocks to body: <=0 between"),
    }


def test_a_caption_between_two_paragraphs() -> None:
    assert evidence("Cars on the bridge") >= {
        *("body: not in it", "cover: <=0", "gap in body: <=0 between", "blocks to body: <=1 between", "container: inside"),
        *("markup: other", "body in node 1: <=0"),
    }


def test_a_paragraph_before_the_body() -> None:
    found = evidence("Home")
    assert found >= {"order: before the body's first", "container: outside", "blocks to body: <=2 outside"}


def test_a_block_that_shares_no_node_below_the_container() -> None:
    assert "directly in the body's node" in evidence(SECOND)


@pytest.mark.parametrize(
    ("text", "relation"),
    [
        (TITLE, "title equal"),
        ("Old bridge opens again after years", "title near"),
        ("Bridge opens again", "title part"),
        (f"News / {TITLE}", "title near"),
        ("Home", None),
        (FIRST, None),
    ],
)
def test_titles(text: str, relation: str | None) -> None:
    found = [name for name in evidence(text) if name.startswith("title")]
    assert found == ([relation] if relation else [])


def test_a_short_title_inside_a_paragraph() -> None:
    page = structure_html(b"<p>You are here: World news and The lost ferry found, read by many people everywhere today</p>")
    region = PageRegion(page, find_body(page, FIRST), "The lost ferry")
    assert "title inside" in set(region.evidence(0))


def test_without_any_title_or_body() -> None:
    page = structure_html(b"<p>Alone")
    found = set(PageRegion(page, find_body(page, ""), "").evidence(0))
    assert found >= {"container: outside", "order: before the body's first", "body nearby: <=0"}
    assert not any(name.startswith("title") for name in found)
