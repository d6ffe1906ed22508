"""HTML page and known article body to labelled paragraphs: each with its label and the reason, or none where that is doubtful.

Finding the body, reading links and weighing evidence stand in the ``align_*`` modules; reading collections stands elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from newswinnow.harvest.align_body import BodyMatch, find_body
from newswinnow.harvest.align_links import PageLinks
from newswinnow.harvest.align_region import PageRegion
from newswinnow.harvest.align_scorecard import Scorecard, packaged_scorecard
from newswinnow.harvest.align_shapes import shapes_of
from newswinnow.harvest.structure import StructuredPage, structure_html
from newswinnow.paragraphs.label import Label
from newswinnow.paragraphs.table import LABEL, LINK_DENSITY, ORIGIN, PAGE, POSITION, TAG, TEXT

REASON: Final = "reason"
ALIGNED: Final = "aligned"
# experiments/014-aligned-quality has the trade of null against macro-F1 at other thresholds.
MIN_PROBABILITY: Final = 0.75
MIN_SHARE_FOUND: Final = 0.2
NO_BODY: Final = "body not found on the page"


@dataclass(frozen=True)
class Article:
    """What is known of a page's article.

    Attributes
    ----------
    body
        Its text: one string with lines apart, or its paragraphs.
    title
        Its title; empty where unknown, the page's own ``<title>`` is looked at anyway.
    url
        Address of the page; empty where unknown, the page's own canonical address is taken then.
    """

    body: str | Sequence[str]
    title: str = ""
    url: str = ""


@dataclass(frozen=True)
class Alignment:
    """A paragraph's label and what speaks for it.

    Attributes
    ----------
    label
        None where it is too doubtful.
    reason
        The heaviest evidence; for a doubtful paragraph the label it leans to and why.
    probability
        Of the likeliest label; 0 where the body was not found.
    """

    label: Label | None
    reason: str
    probability: float


def closest_article(page: StructuredPage, articles: Sequence[Article]) -> Article:
    """Of several versions of an article, the one that most of stands on the page.

    Parameters
    ----------
    page
        The page.
    articles
        Versions, at least one.

    Returns
    -------
    The version whose words found on the page are most; of equals the first.

    Raises
    ------
    ValueError
        If there is no version.
    """
    if not articles:
        raise ValueError("articles: need at least one version; got none")
    if len(articles) == 1:
        return articles[0]
    return max(articles, key=lambda article: _n_chars_found(page, find_body(page, article.body)))


def _n_chars_found(page: StructuredPage, match: BodyMatch) -> int:
    return sum(len(block.text) for block, place in zip(page.blocks, match.places, strict=True) if place.is_member)


def page_evidence(page: StructuredPage, match: BodyMatch, article: Article) -> list[tuple[str, ...]]:
    """Everything known of every paragraph, by name.

    Parameters
    ----------
    page
        The page.
    match
        Where the body stands on it.
    article
        The article.

    Returns
    -------
    Names of evidence per paragraph, each once.
    """
    links = PageLinks(page, match, article.url or page.canonical)
    region = PageRegion(page, match, article.title)
    return [
        tuple(
            dict.fromkeys(
                (
                    *shapes_of(block.text),
                    f"tag: {block.tag}",
                    f"heading level: {block.heading_level}",
                    *region.evidence(i),
                    *links.evidence(i),
                )
            )
        )
        for i, block in enumerate(page.blocks)
    ]


def align_page(page: StructuredPage, article: Article, *, scorecard: Scorecard | None = None) -> list[Alignment]:
    """Label the paragraphs of a page by its article.

    Parameters
    ----------
    page
        The page.
    article
        Its article.
    scorecard
        What weighs the evidence; the packaged one by default.

    Returns
    -------
    One alignment per paragraph; all without a label where less than a fifth of the body is on the page.
    """
    match = find_body(page, article.body)
    if match.share_found < MIN_SHARE_FOUND:
        return [Alignment(None, NO_BODY, 0.0)] * len(page.blocks)
    card = packaged_scorecard() if scorecard is None else scorecard
    return [align_paragraph(names, card) for names in page_evidence(page, match, article)]


def align_paragraph(evidence: Sequence[str], scorecard: Scorecard, *, min_probability: float = MIN_PROBABILITY) -> Alignment:
    """Label one paragraph by its evidence.

    Parameters
    ----------
    evidence
        As :func:`page_evidence` gives it.
    scorecard
        What weighs it.
    min_probability
        A likeliest label below this stays out.

    Returns
    -------
    The alignment.
    """
    verdict = scorecard.weigh(evidence)
    because = "; ".join(verdict.because)
    if verdict.probability < min_probability:
        return Alignment(None, f"doubtful, rather {verdict.label}: {because}", verdict.probability)
    return Alignment(verdict.label, because, verdict.probability)


def table_from_alignment(page: StructuredPage, alignments: Sequence[Alignment], *, name: str) -> pd.DataFrame:
    """Alignments of a page as a paragraph table.

    Parameters
    ----------
    page
        The page.
    alignments
        One per paragraph.
    name
        Id of the page.

    Returns
    -------
    Columns ``page``, ``position``, ``text``, ``tag``, ``link_density``, ``label``, ``reason`` and ``origin``; label and origin
    are missing where a paragraph is doubtful.
    """
    labels = [None if alignment.label is None else str(alignment.label) for alignment in alignments]
    return pd.DataFrame(
        {
            PAGE: pd.Series([name] * len(labels), dtype="str"),
            POSITION: range(len(labels)),
            TEXT: pd.Series([block.text for block in page.blocks], dtype="str"),
            TAG: pd.Series([block.tag for block in page.blocks], dtype="str"),
            LINK_DENSITY: pd.Series([block.link_density for block in page.blocks], dtype="float64"),
            LABEL: pd.Series(labels, dtype=object),
            REASON: pd.Series([alignment.reason for alignment in alignments], dtype="str"),
            ORIGIN: pd.Series([None if label is None else ALIGNED for label in labels], dtype=object),
        }
    )


def align_html(data: bytes, *articles: Article, page: str, scorecard: Scorecard | None = None) -> pd.DataFrame:
    """Label the paragraphs of an HTML page by its known article.

    Parameters
    ----------
    data
        The page.
    *articles
        The article, or versions of it of which the closest to the page is taken.
    page
        Id of the page.
    scorecard
        What weighs the evidence; the packaged one by default.

    Returns
    -------
    The table described at :func:`table_from_alignment`.

    Raises
    ------
    ValueError
        If the page cannot be split or no article is given.

    Examples
    --------
    >>> body = ["The old bridge over the river opened on Monday after long repairs.", "It is narrow and it is loved by all.",
    ...         "It had been shut for three years, the council said on Tuesday."]
    >>> html = f"<nav><a href=/>Home</a></nav><main><h1>Bridge opens</h1><p>{'<p>'.join(body)}</main>"
    >>> table = align_html(html.encode(), Article(body, title="Bridge opens"), page="p")
    >>> table["label"].tolist()
    ['boilerplate', 'news', 'news', 'news', 'news']
    >>> table["reason"][1]
    'title equal; heading level: 1; tag: h1'
    """
    structured = structure_html(data)
    article = closest_article(structured, articles)
    return table_from_alignment(structured, align_page(structured, article, scorecard=scorecard), name=page)
