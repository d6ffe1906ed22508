from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswinnow.harvest.align_shapes import _SHAPES, n_words_name, shapes_of


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("2 hours ago", "date"),
        ("Published 4 May 2024", "date"),
        ("By Jane Doe", "byline"),
        ("226 comments", "count"),
        ("5 min read", "read time"),
        ("© 2024 The Paper", "legal"),
        ("Read more", "button"),
        ("Sign up to our newsletter", "prompt"),
        ("Read more: Ferry crew praised", "pointer"),
        ("You may also like", "list heading"),
        ("Most read", "list heading"),
        ("Photo: A. Person", "credit"),
        ("Two people on a bridge (Getty Images)", "credit"),
        ("$4.99", "price"),
        ("desk@paper.example", "address"),
        ("Table of contents", "contents"),
        ("FAQ", "questions"),
        ("1,204", "number"),
        ("|", "sign"),
        ("https://paper.example/x", "web address"),
        ("[Listen here]", "bracketed"),
        ("News | Sport", "separated"),
        ("Ferry rescue May 4, 2024", "dated inside"),
        ("WorldFerry crew praised", "glued"),
        ("Who pays?", "question"),
        ("“We waited”", "quoted"),
        ("Tell us your story", "second person"),
        ("Doe J, et al. Bridges", "citation"),
        ("How bridges are built", "piece"),
    ],
)
def test_shapes(text: str, shape: str) -> None:
    assert shape in shapes_of(text)


def test_long_texts_have_no_short_shapes() -> None:
    text = "By the time the bridge opened " + "and closed " * 20
    assert "byline" not in shapes_of(text)
    assert "byline" in shapes_of("By the time")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("It opened.", ("end: sentence", "case: sentence")),
        ("“It opened.”", ("end: sentence", "case: sentence")),
        ("Who pays?", ("end: ?", "case: sentence")),
        ("Read on:", ("end: :", "case: sentence")),
        ("The bridge opened on…", ("end: ...", "case: sentence")),
        ("Ferry Crew Praised", ("end: open", "case: title")),
        ("TOP STORIES", ("end: open", "case: upper")),
        ("the Old bridge", ("end: open", "case: sentence")),
        ("the Old Bridge is", ("end: open", "case: mixed")),
        ("12", ("end: open", "case: none")),
    ],
)
def test_ending_and_case(text: str, names: tuple[str, str]) -> None:
    assert shapes_of(text)[1:3] == names


@pytest.mark.parametrize(
    ("n_words", "name"), [(1, "1"), (3, "3"), (4, "4-5"), (5, "4-5"), (6, "6-8"), (24, "15-24"), (25, "25+")]
)
def test_length_classes(n_words: int, name: str) -> None:
    assert n_words_name(n_words) == f"words: {name}"


@given(st.text(min_size=1, max_size=300))
def test_each_family_once(text: str) -> None:
    names = shapes_of(text)
    assert len(set(names)) == len(names)
    assert [name.partition(":")[0] for name in names[:3]] == ["words", "end", "case"]


@pytest.mark.parametrize("text", ["READ MORE", "Most Read", "© 2024 THE PAPER", "Newsletter"])
def test_capitals_change_no_shape_but_the_case(text: str) -> None:
    plain, lowered = ({shape for shape in shapes_of(t) if not shape.startswith("case: ")} for t in (text, text.lower()))
    assert plain == lowered


def test_no_pattern_waits_for_a_capital_that_lowering_takes_away() -> None:
    assert not [shape.name for shape in _SHAPES if not shape.is_cased and re.search(r"(?<!\\)[A-Z]", shape.pattern.pattern)]
