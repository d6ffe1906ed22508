from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswinnow.experiments.peers_match import body_f1, kept_paragraphs, tokens_of

BODY = [
    "The council voted on Monday to repair the old bridge over the Tarn before the winter.",
    "“It should have been done years ago,” said the mayor, who had asked for it in 2019.",
    "Share prices of the builder rose by four percent.",
]
PAGE = ["Home", "Share", *BODY, "By Jane Okafor", "Harbour wall to be raised after storm", "© 2024"]


def test_an_extraction_of_the_body_keeps_the_body_alone() -> None:
    assert kept_paragraphs(PAGE, "\n".join(BODY)) == [False, False, True, True, True, False, False, False]


def test_lines_may_be_joined_and_typography_may_change() -> None:
    text = " ".join(BODY).replace("“", '"').replace("”", '"').upper() + " • By Jane Okafor"
    assert kept_paragraphs(PAGE, text) == [False, False, True, True, True, True, False, False]


def test_four_fifths_of_a_paragraph_are_enough_and_less_is_not() -> None:
    words = [f"w{i}" for i in range(13)]  # ten runs of four
    assert kept_paragraphs([" ".join(words)], " ".join(words[:11])) == [True]  # eight of them
    assert kept_paragraphs([" ".join(words)], " ".join(words[:10])) == [False]


def test_a_short_paragraph_is_not_found_inside_one_that_was_kept() -> None:
    assert kept_paragraphs(["Share", BODY[2]], BODY[2]) == [False, True]
    assert kept_paragraphs(["Share", BODY[2]], f"Share\n{BODY[2]}") == [True, True]
    assert kept_paragraphs(["the mayor", BODY[1]], BODY[1]) == [False, True]


def test_a_short_paragraph_must_stand_there_whole_and_in_one_run() -> None:
    assert kept_paragraphs(["By Jane Okafor", BODY[0]], f"By Jane\n{BODY[0]}\nOkafor") == [False, True]


def test_equal_paragraphs_share_an_answer_and_bare_signs_are_never_kept() -> None:
    assert kept_paragraphs(["Share", "»", "Share", "»"], "Share »") == [True, False, True, False]


@pytest.mark.parametrize("text", ["", " \n", "…"])
def test_of_nothing_nothing_was_kept(text: str) -> None:
    assert kept_paragraphs(PAGE, text) == [False] * len(PAGE)


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=9).map(" ".join), min_size=1, max_size=6))
def test_everything_kept_keeps_every_paragraph_of_four_words_or_more(paragraphs: list[str]) -> None:
    found = kept_paragraphs(paragraphs, "\n".join(paragraphs))
    assert all(kept for kept, text in zip(found, paragraphs, strict=True) if len(text.split()) >= 4)


def test_tokens_know_neither_case_nor_kinds_of_spaces() -> None:
    assert tokens_of("Ｆｕｌｌ width\u00a0STRASSE straße") == ["full", "width", "strasse", "strasse"]


def test_the_body_counts_runs_with_their_repetitions() -> None:
    assert body_f1("a b c d", "a b c d") == 1.0
    assert body_f1("a b c d e", ["a b c", "d"]) == pytest.approx(2 / 3)
    assert body_f1("a a a a a a", "a a a a") == pytest.approx(2 * 1 / (3 + 1))
    assert body_f1("a b", "a b") == 1.0
    assert body_f1("", "a b c d") == body_f1("w x y z", "a b c d") == body_f1("", "") == 0.0
