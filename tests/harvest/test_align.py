from __future__ import annotations

import pandas as pd
import pytest

from newswinnow.harvest.align import (
    ALIGNED,
    NO_BODY,
    Article,
    align_html,
    align_page,
    align_paragraph,
    closest_article,
    page_evidence,
    table_from_alignment,
)
from newswinnow.harvest.align_body import find_body
from newswinnow.harvest.align_scorecard import Scorecard
from newswinnow.harvest.html import table_from_html
from newswinnow.harvest.structure import structure_html
from newswinnow.paragraphs.label import Label

TITLE = "Old bridge opens again after three years"
BODY = (
    "The old bridge over the river opened again on Monday after three years of repairs.",
    "What it cost",
    "The council said on Tuesday that the work had cost far more than anybody had planned.",
    "Drivers who had waited for the day crossed it in a long line with their lights on.",
)
URL = "https://paper.example/news/old-bridge-opens-again-after-three-years"
ARTICLE = Article(BODY, title=TITLE, url=URL)
STORIES = (
    "Ferry crew praised after night rescue at sea",
    "Harbour fees to rise by a tenth next spring",
    "School reopens after long strike ends",
)
CARDS = "".join(
    f'<article class="teaser"><a href="/news/{"-".join(story.lower().split())}"><h3>{story}</h3></a></article>'
    for story in STORIES
)
PAGE = f"""<html><body><nav class="main-nav"><ul><li><a href="/">Home</a></li><li><a href="/sport">Sport</a></li>
<li><a href="/arts">Arts</a></li></ul></nav><main><h1>{TITLE}</h1><div class="byline">By Jane Doe</div>
<div class="share"><button>Share</button></div><div class="article-body"><p>{BODY[0]}</p>
<figure><figcaption class="caption">The bridge on Monday morning, seen from the ferry</figcaption></figure>
<h2>{BODY[1]}</h2><p>{BODY[2]}</p><p>{BODY[3]}</p></div></main>
<section class="related"><h2>Related stories</h2>{CARDS}</section>
<footer class="footer"><p>© 2024 The Paper. All rights reserved.</p></footer></body></html>""".encode()


def labels(table: pd.DataFrame) -> dict[str, str | None]:
    return dict(zip(table["text"], table["label"], strict=True))


def test_a_news_page() -> None:
    found = labels(align_html(PAGE, ARTICLE, page="p1"))
    news = {TITLE, *BODY, "The bridge on Monday morning, seen from the ferry"}
    assert {text for text, label in found.items() if label == "news"} == news
    assert {text for text, label in found.items() if label == "related-link"} == {"Related stories", *STORIES}
    assert {"Home", "Sport", "By Jane Doe", "Share", "© 2024 The Paper. All rights reserved."} <= {
        text for text, label in found.items() if label == "boilerplate"
    }


def test_the_table_keeps_the_splitters_paragraphs_and_says_why() -> None:
    table = align_html(PAGE, ARTICLE, page="p1")
    assert list(table.columns) == ["page", "position", "text", "tag", "link_density", "label", "reason", "origin"]
    split = table_from_html(PAGE, page="p1")
    pd.testing.assert_frame_equal(table[split.columns], split)
    reasons = dict(zip(table["text"], table["reason"], strict=True))
    assert "body: long text in order" in reasons[BODY[0]]
    assert reasons.keys() == set(split["text"])
    assert all(reasons.values())


def test_origin_stands_only_where_there_is_a_label() -> None:
    page = structure_html(PAGE)
    card = Scorecard({"(any paragraph)": (0.3, 0.0, 0.0), "body: long text in order": (9.0, 0.0, 0.0)})
    table = table_from_alignment(page, align_page(page, ARTICLE, scorecard=card), name="p1")
    assert table["label"].notna().sum() == 3
    assert table.loc[table["label"].notna(), "origin"].tolist() == [ALIGNED] * 3
    assert table.loc[table["label"].isna(), "origin"].isna().all()
    assert table.loc[table["label"].isna(), "reason"].str.startswith("doubtful, rather news").all()


@pytest.mark.parametrize("body", ["\n".join(BODY), "\n\n".join(BODY), BODY, list(BODY)])
def test_a_body_may_be_a_text_or_its_paragraphs(body: str | list[str]) -> None:
    expected = align_html(PAGE, ARTICLE, page="p1")
    pd.testing.assert_frame_equal(align_html(PAGE, Article(body, title=TITLE, url=URL), page="p1"), expected)


def test_a_page_that_does_not_hold_the_body_gets_no_labels() -> None:
    table = align_html(PAGE, Article("Quite another story about a lost dog that was found in a park at night."), page="p1")
    assert table["label"].isna().all()
    assert set(table["reason"]) == {NO_BODY}


def test_the_closest_of_several_versions_is_taken() -> None:
    other = Article("Quite another story about a lost dog that was found in a park at night.")
    page = structure_html(PAGE)
    part = Article(BODY[:1])
    assert closest_article(page, [other, part, ARTICLE]) is ARTICLE
    assert closest_article(page, [ARTICLE, Article(BODY)]) is ARTICLE
    pd.testing.assert_frame_equal(align_html(PAGE, other, ARTICLE, page="p1"), align_html(PAGE, ARTICLE, page="p1"))


def test_without_any_version_there_is_nothing_to_align() -> None:
    with pytest.raises(ValueError, match="articles: need at least one version; got none"):
        align_html(PAGE, page="p1")


def test_evidence_comes_once_each() -> None:
    page = structure_html(PAGE)
    for names in page_evidence(page, find_body(page, BODY), ARTICLE):
        families = [name.partition(":")[0] for name in names]
        assert len(families) == len(set(families))


def test_the_page_own_address_serves_where_none_is_known() -> None:
    page = structure_html(PAGE.replace(b"<html>", f'<html><head><link rel="canonical" href="{URL}"></head>'.encode()))
    evidence = page_evidence(page, find_body(page, BODY), Article(BODY))
    assert any("target beside the page" in names for names in evidence)


def test_the_threshold_decides_what_is_doubtful() -> None:
    card = Scorecard({"a": (1.0, 0.0, 0.0)})
    assert align_paragraph(["a"], card, min_probability=0.5).label is Label.NEWS
    doubtful = align_paragraph(["a"], card, min_probability=0.6)
    assert (doubtful.label, doubtful.reason) == (None, "doubtful, rather news: a")
    assert doubtful.probability == pytest.approx(0.5761, abs=1e-4)


def test_an_empty_page() -> None:
    assert align_html(b"", ARTICLE, page="p1").empty
