from __future__ import annotations

from newswinnow.harvest.align_names import groups_around, groups_of_names


def test_words_of_no_group_are_passed_over() -> None:
    assert groups_of_names(("grid7", "x")) == frozenset()
    assert groups_of_names(("figcaption", "related", "posts")) == {"caption", "related"}


def test_groups_come_once_and_innermost_first() -> None:
    assert groups_around((("caption",), ("footer", "nav"), ("caption", "share"))) == ("caption", "footer", "menu", "share")
    assert groups_around(()) == ()
