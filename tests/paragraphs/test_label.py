"""The labels: their order, their spelling, and reading a list of them."""

import pytest

from newswinnow.paragraphs.label import LABELS, Label, parse_labels


def test_labels_stand_in_the_documented_order() -> None:
    assert [str(label) for label in LABELS] == ["news", "boilerplate", "related-link"]


def test_label_is_its_string() -> None:
    assert Label("related-link") is Label.RELATED_LINK
    assert {Label.NEWS: 1}["news"] == 1  # type: ignore[index]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("news", (Label.NEWS,)),
        (" related-link ,news ", (Label.RELATED_LINK, Label.NEWS)),
        ("news,boilerplate,related-link", LABELS),
    ],
)
def test_parse_labels_keeps_the_order_named(names: str, expected: tuple[Label, ...]) -> None:
    assert parse_labels(names) == expected


@pytest.mark.parametrize("names", ["", "News", "news,", "news;boilerplate", "related_link", "news,relatd"])
def test_parse_labels_refuses_what_is_none(names: str) -> None:
    with pytest.raises(ValueError, match=r"^labels: must be of news, boilerplate, related-link; got '"):
        parse_labels(names)
