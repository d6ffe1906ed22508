from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswinnow.harvest.align_targets import LinkTarget, Target, target_of

PAGE = "https://www.paper.example/news/2024/05/the-bridge-that-opened-late"


@pytest.mark.parametrize(
    ("href", "kind"),
    [
        ("", Target.NONE),
        ("#", Target.ACTION),
        ("#comments", Target.SAME_PAGE),
        (PAGE + "#part", Target.SAME_PAGE),
        (PAGE, Target.ACTION),
        ("javascript:void(0)", Target.ACTION),
        ("mailto:desk@paper.example", Target.ACTION),
        ("https://www.facebook.com/sharer.php?u=x", Target.SHARE),
        ("https://twitter.com/paper", Target.SHARE),
        ("https://trc.taboola.com/x/log", Target.ADVERT),
        ("/tag/bridges", Target.TAG),
        ("/author/jane-doe/", Target.PERSON),
        ("/privacy-policy", Target.SERVICE),
        ("/", Target.HOME),
        ("/en", Target.HOME),
        ("/?page=2", Target.OTHER),
        ("/files/plan.pdf", Target.OTHER),
        ("/sport", Target.SECTION),
        ("/sport/ferry-crew-praised-after-rescue", Target.ARTICLE),
        ("/2024/05/12/ferry", Target.ARTICLE),
        ("/sport/ferry-rescue-1234567", Target.ARTICLE),
        ("/ferry-night-rescue", Target.LEAF),
        ("/x/report.html", Target.LEAF),
        ("http://[bad", Target.NONE),
    ],
)
def test_kinds(href: str, kind: Target) -> None:
    assert target_of(href, PAGE).kind is kind


def test_what_else_an_address_tells() -> None:
    assert target_of("/news/2024/05/ferry-crew-praised-9.html", PAGE) == LinkTarget(
        Target.ARTICLE, False, ("ferry", "crew", "praised"), "/news/2024/05"
    )


@pytest.mark.parametrize(
    ("href", "is_external"),
    [
        ("https://shop.paper.example/x", False),
        ("/x", False),
        ("https://other.example/x", True),
        ("//cdn.paper.example/x", False),
    ],
)
def test_other_sites(href: str, is_external: bool) -> None:
    assert target_of(href, PAGE).is_external is is_external


def test_two_sites_below_a_short_suffix_are_two() -> None:
    assert target_of("https://b.co.uk/x", "https://a.co.uk/y").is_external


def test_without_the_page_address_every_absolute_link_leads_elsewhere() -> None:
    assert target_of("https://paper.example/x", "").is_external
    assert not target_of("/x", "").is_external


@given(st.text(max_size=40), st.text(max_size=20))
def test_any_address_has_a_kind(href: str, page_url: str) -> None:
    assert isinstance(target_of(href, page_url).kind, Target)
