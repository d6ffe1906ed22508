from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswinnow.evaluation.behaviour_pages import CHANGES, ORDER_CHANGES, Line, Page, alone, parse_page, table_of

PAGE = """
b li@1 | Home
b li@1 | News
n* h1 | Ferry sinks at its berth
? | It was empty | so to speak
"""


def test_the_notation_gives_labels_tags_links_and_what_counts() -> None:
    assert parse_page(PAGE, where="here") == (
        Line("Home", "boilerplate", False, "li", 1.0),
        Line("News", "boilerplate", False, "li", 1.0),
        Line("Ferry sinks at its berth", "news", True, "h1", 0.0),
        Line("It was empty | so to speak", "", False, "p", 0.0),
    )


def test_without_a_star_every_labelled_line_counts() -> None:
    assert [line.is_target for line in parse_page("b | Home\n? | x\nn | It rained.", where="here")] == [True, False, True]


@pytest.mark.parametrize("line", ["x | Home", "Home", "b li@2 | Home", "b |", "b |  ", "", "b  | Home"])
def test_other_notations_are_refused_with_their_line(line: str) -> None:
    with pytest.raises(ValueError, match=r"^here, line 2: a line must be LABEL\[\*\] \[TAG\[@1\]\] \| TEXT; got "):
        parse_page(f"b | Share\n{line}\nb | Home", where="here")


def test_a_page_must_ask_something() -> None:
    with pytest.raises(ValueError, match="here: a page must have a line with a label; got none"):
        parse_page("? | Home", where="here")


def test_tables_hold_pages_in_order_with_markup_on_demand() -> None:
    pages = {"a": parse_page(PAGE, where="here"), "b": alone("Share")}
    table = table_of(pages, markup=False)
    assert table.columns.tolist() == ["page", "position", "text"]
    assert table["page"].tolist() == ["a"] * 4 + ["b"]
    assert table["position"].tolist() == [0, 1, 2, 3, 0]
    marked = table_of(pages, markup=True)
    assert marked["tag"].tolist() == ["li", "li", "h1", "p", "p"]
    assert marked["link_density"].tolist() == [1.0, 1.0, 0.0, 0.0, 0.0]


@given(st.lists(st.text("ab ‘’“”\xa0", min_size=1), min_size=1, max_size=9), st.sampled_from(sorted(CHANGES)))
def test_a_change_keeps_every_line_and_says_where_it_came_from(texts: list[str], name: str) -> None:
    page: Page = tuple(Line(text, tag="li", link_density=1.0) for text in texts)
    changed = CHANGES[name](page)
    assert sorted(origin for origin in changed.came_from if origin >= 0) == list(range(len(page)))
    assert len(changed.page) == len(changed.came_from)
    for line, origin in zip(changed.page, changed.came_from, strict=True):
        if origin >= 0 and name in (*ORDER_CHANGES, "menu repeated"):
            assert line == page[origin]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("upper case", ["IT’S A “DAY”", "NO 2"]),
        ("lower case", ["it’s a “day”", "no 2"]),
        ("straight quotes", ['It\'s a "day"', "No 2"]),
        ("non-breaking spaces", ["It’s\xa0a\xa0“day”", "No\xa02"]),
        ("doubled spaces", ["It’s  a  “day”", "No  2"]),
        ("trailing spaces", ["It’s a “day”  ", "No 2  "]),
        ("leading spaces", ["  It’s a “day”", "  No 2"]),
        ("lines reversed", ["No 2", "It’s a “day”"]),
        ("menu repeated", ["It’s a “day”", "No 2"]),
    ],
)
def test_changes_do_what_they_are_called(name: str, expected: list[str]) -> None:
    page = (*alone("It’s a “day”"), *alone("No 2"))
    assert [line.text for line in CHANGES[name](page).page] == expected


def test_the_menu_comes_again_at_the_foot_and_neighbours_are_torn_apart() -> None:
    page = parse_page(PAGE, where="here")
    assert [line.text for line in CHANGES["menu repeated"](page).page][-2:] == ["Home", "News"]
    assert CHANGES["menu repeated"](page).came_from == (0, 1, 2, 3, -1, -1)
    assert CHANGES["lines riffled"](page).came_from == (0, 3, 1, 2)
