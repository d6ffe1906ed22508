from __future__ import annotations

import pytest

from newswinnow.harvest.align_body import find_body
from newswinnow.harvest.align_links import PageLinks, level_name
from newswinnow.harvest.structure import structure_html

URL = "https://paper.example/news/old-bridge-opens-after-repairs"
FIRST = "The old bridge over the river opened again on Monday after three years of repairs."
SECOND = "The council said on Tuesday that the work had cost far more than anybody had planned."


def card(number: int, headline: str, teaser: str) -> str:
    slug = "-".join(headline.lower().split())
    head = f"<img src=x><a href=/news/{slug}><h3>{headline}</h3></a>"
    return f"<li class=item-{number}>{head}<p>{teaser}</p><time>May {number}</time></li>"


CARDS = "".join(
    card(i, f"Ferry crew {verb} after night rescue", f"They had been at sea {verb} for two whole days and nights.")
    for i, verb in enumerate(["praised", "rewarded", "questioned", "honoured"], start=1)
)
MENU = "".join(f"<li><a href=/{name}>{name.title()}</a></li>" for name in ("news", "sport", "arts"))
PAGE = f"""<nav class=mainNav><ul>{MENU}</ul></nav><main class=story><h1>Bridge</h1><p>{FIRST}</p><p>{SECOND}</p></main>
<section class="related-stories"><h2>Related stories</h2><ul>{CARDS}</ul></section>
<footer><p>News</p><a href="https://other.example/a-b-c-d">One <b>two</b> three four</a> and <a href=#top>up</a></footer>"""


def evidence(text: str, *, html: str = PAGE, url: str = URL) -> set[str]:
    page = structure_html(html.encode())
    links = PageLinks(page, find_body(page, [FIRST, SECOND]), url)
    return set(links.evidence([block.text for block in page.blocks].index(text)))


@pytest.mark.parametrize(("value", "name"), [(0, "<=0"), (0.1, "<=1"), (1, "<=1"), (9, ">2.5")])
def test_levels(value: float, name: str) -> None:
    assert level_name(value, (0, 1, 2.5)) == name


def test_a_menu_entry() -> None:
    assert evidence("Sport") >= {
        *("target: section", "target's site: own", "linked: >0.95", "near menu", "in <nav>", "list of: <=4", "list words: <=1.5"),
        *("list pointing: <=0.05", "no card", "heading above: none"),
    }


def test_the_headline_of_a_card() -> None:
    found = evidence("Ferry crew rewarded after night rescue")
    assert found >= {
        *(
            "headline link",
            "target: article",
            "target beside the page",
            "long slug in text: >0.8",
            "inside related",
            "list pointing: >0.9",
        ),
        *(
            "list with pictures",
            "heading above: list",
            "list heading above: <=10",
            "headlines before: <=1",
            "headlines after: <=3",
        ),
    }


def test_the_teaser_of_a_card() -> None:
    found = evidence("They had been at sea rewarded for two whole days and nights.")
    assert found >= {"after card head", "longer than card head", "card blocks: <=4", "card heads: <=1", "card with picture"}
    assert "headline link" not in found


def test_a_list_heading_over_headlines() -> None:
    assert "unlinked list heading over headlines: >1" in evidence("Related stories")


def test_an_unlinked_text_in_the_footer() -> None:
    found = evidence("News", html=PAGE.replace("<li><a href=/news>News</a></li>", ""))
    assert found >= {"linked: <=0", "in <footer>", "no list", "previous: unlinked words <=3"}
    assert not any(name.startswith("target") for name in found)


def test_a_paragraph_with_several_links() -> None:
    assert evidence("One two three four and up") >= {"several links", "target's site: other", "linked: <=0.95"}


def test_a_text_that_stands_twice() -> None:
    assert "text repeated" in evidence("News")
    assert "text repeated" not in evidence("Arts")


def test_neighbours_in_the_body() -> None:
    assert evidence(SECOND) >= {"previous: in body", "heading above: other"}


def test_a_linked_part_of_one_card_shares_its_headline_target() -> None:
    html = "<div><a href=/2024/05/one-two-three-four><p>Some other story of today</p><p>By Someone</p></a></div>" + PAGE
    assert evidence("By Someone", html=html) >= {"card head's target", "after card head"}
    assert "before card head" in evidence("Kicker", html=html.replace("<p>Some", "<p>Kicker</p><p>Some"))


def test_without_an_address_no_target_lies_beside_the_page() -> None:
    assert "target beside the page" not in evidence("Ferry crew rewarded after night rescue", url="")


def test_lists_within_lists() -> None:
    inner = "<ul>" + "<li><a href=/a>Aa</a>" * 3 + "</ul>"
    html = "<div><ul>" + f"<li class=outer>{inner}</li>" * 3 + "</ul></div>"
    assert evidence("Aa", html=html) >= {
        "list of: <=4",
        "outer list of: <=4",
        "outer list item blocks: <=3",
        "list item blocks: <=1",
    }
