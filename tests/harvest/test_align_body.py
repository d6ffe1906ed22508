from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswinnow.harvest.align_body import find_body, words_of
from newswinnow.harvest.structure import NO_NODE, structure_html

FIRST = "The old bridge over the river opened again on Monday after three years of repairs."
SECOND = "The council said on Tuesday that the work had cost far more than anybody had planned."
THIRD = "Drivers who had waited for the day crossed it in a long line with their lights on."
BODY = [FIRST, "What happened", SECOND, THIRD]


def page_of(*paragraphs: str, around: str = "article") -> bytes:
    return f"<p>Home</p><{around}>{''.join(f'<p>{text}</p>' for text in paragraphs)}</{around}><p>Legal</p>".encode()


def members(data: bytes, body: str | list[str]) -> list[str]:
    page = structure_html(data)
    match = find_body(page, body)
    return [block.text for block, place in zip(page.blocks, match.places, strict=True) if place.is_member]


@pytest.mark.parametrize("body", [BODY, "\n".join(BODY), "\n\n".join(BODY), " ".join(BODY)])
def test_body_in_order_is_found_however_it_is_cut(body: str | list[str]) -> None:
    assert members(page_of(*BODY), body) == BODY


def test_what_stands_between_is_no_member() -> None:
    assert members(page_of(FIRST, "Advertisement", "What happened", SECOND, "Read next"), BODY) == [
        FIRST,
        "What happened",
        SECOND,
    ]


def test_apostrophes_case_and_punctuation_do_not_matter() -> None:
    assert words_of("The bridge’s END – at 9.30!") == words_of("the bridges end at 9 30")


def test_a_short_line_counts_only_where_the_order_puts_it() -> None:
    page = structure_html(page_of("What happened", FIRST, "What happened", SECOND, "What happened", THIRD))
    match = find_body(page, BODY)
    assert [place.is_placed for place in match.places] == [False, False, False, True, False, False, False, False]
    assert all(place.is_line for block, place in zip(page.blocks, match.places, strict=True) if block.text == "What happened")


def test_a_copy_of_a_long_text_out_of_order_is_no_anchor() -> None:
    page = structure_html(page_of(THIRD, FIRST, "What happened", SECOND, "Something else of its own"))
    match = find_body(page, [FIRST, "What happened", SECOND, THIRD])
    assert [place.is_anchor for place in match.places] == [False, False, True, False, True, False, False]
    assert match.places[1].cover == 1.0


def test_distances_and_gaps() -> None:
    match = find_body(structure_html(page_of(FIRST, "Share", SECOND)), BODY)
    home, first, share, second, legal = match.places
    assert [place.n_blocks_away for place in match.places] == [1, 0, 1, 0, 1]
    assert (share.is_between, share.gap_words) == (True, 2)
    assert (home.is_between, home.gap_words, first.is_between) == (False, 0, True)
    assert (legal.gap_words, second.is_between) == (len(words_of(THIRD)), False)


def test_container_and_share_found() -> None:
    page = structure_html(page_of(FIRST, "What happened", SECOND))
    match = find_body(page, BODY)
    assert page.nodes[match.container].tag == "article"
    assert {page.nodes[node].tag for node in match.path} == {"article", "body"}
    n_words = [len(words_of(text)) for text in BODY]
    assert match.share_found == pytest.approx(sum(n_words[:3]) / sum(n_words))
    assert match.n_members(0, len(page.blocks) - 1) == 3
    assert match.n_members(0, 0) == 0


@pytest.mark.parametrize("body", ["", [], "An altogether other text that has nothing in common with this page, not one line."])
def test_a_body_that_is_not_on_the_page(body: str | list[str]) -> None:
    match = find_body(structure_html(page_of(*BODY)), body)
    assert not any(place.is_member for place in match.places)
    assert (match.container, match.share_found, match.path) == (NO_NODE, 0.0, frozenset())


def test_a_page_without_paragraphs() -> None:
    assert find_body(structure_html(b""), BODY).places == ()


SENTENCES = st.lists(st.sampled_from("alpha beta gamma delta epsilon zeta eta theta iota kappa".split()), min_size=1, max_size=14)


@given(st.lists(SENTENCES.map(" ".join), min_size=1, max_size=8), st.data())
@settings(max_examples=80, deadline=None)
def test_covers_are_shares_and_a_page_of_nothing_but_body_is_found(body: list[str], data: st.DataObject) -> None:
    unique = [f"{text} {' '.join(f'w{i}x{k}' for k in range(8))}" for i, text in enumerate(body)]
    match = find_body(structure_html(page_of(*unique)), unique)
    assert all(0.0 <= place.cover <= 1.0 for place in match.places)
    assert [place.is_anchor for place in match.places] == [False, *[True] * len(unique), False]
    assert match.share_found == 1.0
    kept = data.draw(st.sets(st.sampled_from(range(len(unique)))))
    part = find_body(structure_html(page_of(*unique)), [unique[i] for i in sorted(kept)])
    assert [place.is_anchor for place in part.places[1:-1]] == [i in kept for i in range(len(unique))]
