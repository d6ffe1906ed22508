from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswinnow.features.edges import edge_tokens


def of_kind(text: str, kind: str) -> list[str]:
    return [token[1:] for token in edge_tokens(text) if token[0] == kind]


def test_tokens_of_a_sentence() -> None:
    text = "The ABC2 won."
    assert of_kind(text, "F") == ["the", "the abc2", "the abc2 won"]
    assert of_kind(text, "L") == [".", "won .", "abc2 won ."]
    assert of_kind(text, "S") == [
        *("^ Xx", "Xx X9", "X9 x", "x .", ". $"),
        *("^ Xx X9", "Xx X9 x", "X9 x .", "x . $"),
        *("^ Xx X9 x", "Xx X9 x .", "X9 x . $"),
    ]
    assert of_kind(text, "K") == [
        *("^ the", "the X9", "X9 x", "x .", ". $"),
        *("^ the X9", "the X9 x", "X9 x .", "x . $"),
    ]


@pytest.mark.parametrize(
    ("word", "shape"),
    [
        ("Council", "Xx"),
        ("COUNCIL", "X"),
        ("council", "x"),
        ("iPhone", "xXx"),
        ("2024", "9"),
        ("A1b", "X9x"),
        ("Ärzte", "Xx"),
        ("a_b", "x_x"),
        ("东京", "x"),
        ("٣", "9"),
        ("!", "!"),
    ],
)
def test_shape_of_a_word(word: str, shape: str) -> None:
    assert of_kind(word, "S")[0] == f"^ {shape}"


def test_first_and_last_words_ignore_case() -> None:
    for kind in "FL":
        assert of_kind("READ MORE", kind) == of_kind("Read more", kind)
    assert of_kind("READ MORE", "S") != of_kind("Read more", "S")


@pytest.mark.parametrize(("n_words", "expected"), [(0, 0), (1, 1), (2, 2), (3, 3), (4, 3), (9, 3)])
def test_at_most_three_words_at_each_edge(n_words: int, expected: int) -> None:
    text = " ".join("abcdefghi"[:n_words])
    assert len(of_kind(text, "F")) == expected
    assert len(of_kind(text, "L")) == expected


def test_empty_text_has_its_borders_only() -> None:
    assert edge_tokens("") == ["S^ $", "K^ $"]


def test_only_the_first_forty_tokens_are_shaped_but_the_true_end_is_kept() -> None:
    text = " ".join(["ox"] * 40 + ["THE", "end"])
    assert of_kind(text, "L")[:2] == ["end", "the end"]
    assert len(of_kind(text, "S")) == 41 + 40 + 39
    assert len(of_kind(text, "K")) == 41 + 40
    assert not any("X" in token for token in of_kind(text, "S"))
    assert not any("the" in token for token in of_kind(text, "K"))


def test_skeleton_keeps_function_words_and_hides_the_others() -> None:
    assert of_kind("Where the river runs", "K") == of_kind("Where the council met", "K")
    assert of_kind("Where the river runs", "K") != of_kind("Where his river runs", "K")


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=120))
def test_tokens_are_bounded_and_of_four_kinds(text: str) -> None:
    tokens = edge_tokens(text)
    assert tokens == edge_tokens(text)
    assert {token[0] for token in tokens} <= set("FLSK")
    assert len(tokens) <= 6 + 120 + 81
