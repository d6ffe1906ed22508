"""Two models on the same pages."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import html
from tests.reports.hostile import PAYLOADS, assert_harmless

from newswinnow.evaluation.comparison import compare
from newswinnow.evaluation.intervals import Estimate
from newswinnow.paragraphs.table import LABEL, PAGE, POSITION, PREDICTED, TEXT
from newswinnow.reports.side_by_side import (
    FIRST,
    SECOND,
    ComparedCorpus,
    ComparedLevel,
    ComparedRun,
    label_outcomes,
    pair_pages,
    render_comparison,
)

Rows = Callable[..., list[dict[str, Any]]]
A, B = ComparedRun("001-a", "The first"), ComparedRun("002-b", "The second")
PLENTY = 10**9


@pytest.fixture
def compared(rows_of: Rows) -> Callable[..., ComparedCorpus]:
    """A comparison from page to true letters and both models' letters."""

    def build(
        pages: dict[str, tuple[str, str, str]],
        *,
        name: str = "mine",
        note: str = "",
        text: str = "",
        contexts: tuple[str, ...] = ("alone",),
    ) -> ComparedCorpus:
        first, second = (
            pd.DataFrame([row for page, letters in pages.items() for row in rows_of(page, letters[0], letters[i])])
            for i in (1, 2)
        )
        if text:
            for table in (first, second):
                table[TEXT] = [f"{text} {i}" for i in range(len(table))]
        estimate = Estimate(0.5, 0.25, 0.75)
        comparison = compare(first, second, n_resamples=50)
        table = first[[PAGE, POSITION, TEXT, LABEL]].assign(**{FIRST: first[PREDICTED], SECOND: second[PREDICTED]})
        table.loc[table[LABEL].isna(), [FIRST, SECOND]] = None
        if note:
            table = table[table[LABEL].notna()].drop(columns=TEXT)
        levels = tuple(ComparedLevel(context, estimate, estimate, comparison) for context in contexts)
        return ComparedCorpus(name, levels, table, note)

    return build


Compared = Callable[..., ComparedCorpus]
PAGES = {"quiet": ("NB", "NB", "NB"), "busy": ("NBR-N", "NNRNN", "BBRNR"), "some": ("NB", "NB", "NN")}


def test_pages_with_most_changes_come_first(compared: Compared) -> None:
    pages, n_left_out = pair_pages(compared(PAGES), max_bytes=PLENTY)
    assert [(p.page, p.n_changed, p.n_won, p.n_lost) for p in pages] == [
        ("busy", 3, 1, 2),
        ("some", 1, 0, 1),
        ("quiet", 0, 0, 0),
    ]
    assert n_left_out == 0
    assert [p.outcome for p in pages[0].paragraphs] == ["is-lost", "is-won", "both-right", "", "is-lost"]
    assert [p.is_changed for p in pages[0].paragraphs] == [True, True, False, False, True]
    assert pages[0].paragraphs[3].first is None


def test_both_wrong_in_different_ways_is_a_change_for_neither(compared: Compared) -> None:
    (page,), _ = pair_pages(compared({"a": ("N", "B", "R")}), max_bytes=PLENTY)
    assert (page.n_changed, page.n_won, page.n_lost, page.paragraphs[0].outcome) == (1, 0, 0, "both-wrong")


def test_without_texts_the_places_of_what_changed_are_shown(compared: Compared) -> None:
    corpus = compared(PAGES, note="The texts are not at hand.")
    pages, _ = pair_pages(corpus, max_bytes=PLENTY)
    assert [(p.page, [q.position for q in p.paragraphs]) for p in pages] == [("busy", [0, 1, 4]), ("some", [1])]
    document = render_comparison(A, B, corpora=[corpus])
    tree = assert_harmless(document)
    assert "The texts are not at hand." in document
    shown = ["".join(t.itertext()) for t in tree.xpath("//details[1]//span[@class='t']")]
    assert shown == ["paragraph 0 ✗ is news", "paragraph 1 ✓ is boilerplate", "paragraph 4 ✗ is news"]


def test_pages_that_do_not_fit_are_counted(compared: Compared) -> None:
    corpus = compared(PAGES)
    everything, _ = pair_pages(corpus, max_bytes=PLENTY)
    n_bytes = sum(page.n_bytes for page in everything[:2])
    assert pair_pages(corpus, max_bytes=n_bytes) == (everything[:2], 1)
    assert pair_pages(corpus, max_bytes=n_bytes - 1) == (everything[:1], 2)


def test_who_is_right_on_which_label(compared: Compared) -> None:
    found = label_outcomes(compared(PAGES).table)
    assert [(o.label, o.n_paragraphs, o.n_first, o.n_second, o.n_won, o.n_lost) for o in found] == [
        ("news", 4, 4, 2, 0, 2),
        ("boilerplate", 3, 2, 2, 1, 1),
        ("related-link", 1, 1, 1, 0, 0),
    ]


def test_the_page_tells_verdicts_levels_slices_and_both_answers(compared: Compared) -> None:
    corpus = compared(PAGES, contexts=("auto", "alone"))
    tree = assert_harmless(render_comparison(A, B, corpora=[corpus]))
    comparison = corpus.levels[0].comparison
    assert tree.findtext(".//h1") == "002-b against 001-a"
    cards = {card[0].text: "".join(card[1].itertext()) for card in tree.xpath("//li[@class='card']")}
    assert cards["B against A"] == "not enough data"
    assert (cards["right in B only"], cards["right in A only"]) == ("1", "3")
    assert cards["macro-F1, A"] == "0.500"
    levels = tree.xpath("//div[@aria-label='Differences by context']//tbody/tr")
    assert [row[0].text for row in levels] == ["auto", "alone"]
    assert levels[0].xpath("./td/b/text()") == [f"{comparison.difference.value:+.3f}"]
    slices = tree.xpath("//div[@aria-label='Differences by slice']//tbody/tr[td]")
    assert [row[0].text.strip() for row in slices] == [part.name for part in comparison.slices]
    first = tree.xpath("//details[1]//div[contains(@class,'pair')]")[0]
    assert ["".join(v.itertext()) for v in first.xpath("./span[contains(@class,'v ')]")] == ["A news", "B boilerplate ✗"]
    assert "".join(first.xpath("./span[@class='t']")[0].itertext()) == "busy paragraph 0 ✗ is news"
    assert all(th.get("scope") for th in tree.iter("th"))


def test_no_change_at_all_is_said(compared: Compared) -> None:
    corpus = compared({"a": ("NB", "NB", "NB")}, note="No texts.")
    assert "Both give the same answers everywhere." in render_comparison(A, B, corpora=[corpus])


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_from_the_data_becomes_markup(payload: str, compared: Compared) -> None:
    corpus = compared({payload: ("NBR-", "NNRN", "BBRN"), "p": ("N", "N", "N")}, name=payload, text=payload, note="")
    document = render_comparison(ComparedRun(payload, payload), ComparedRun(payload, payload), corpora=[corpus])
    tree = assert_harmless(document)
    if "\x00" not in payload:
        assert any(text.startswith(payload) for text in tree.xpath("//span[@class='where']/text()"))
        assert any(text.startswith(payload) for text in tree.xpath("//span[@class='t']/text()"))
    without = compared({payload: ("NBR", "NNR", "BBR")}, name=payload, note=payload)
    assert_harmless(render_comparison(A, B, corpora=[without]))


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payload=st.text(st.sampled_from("<>&\"'=/;:{}%#-! \\scriptonlad\u2028`"), min_size=1, max_size=30))
def test_no_string_becomes_markup(payload: str, compared: Compared) -> None:
    corpus = compared({payload: ("NB", "NN", "BB"), "p": ("N", "N", "N")}, name=payload, text=payload)
    assert_harmless(render_comparison(ComparedRun(payload, payload), B, corpora=[corpus]))


def test_the_document_stays_below_5_mb(compared: Compared) -> None:
    pages = {f"<{i}>": ("NBR-" * 30, "RNBN" * 30, "BBRN" * 30) for i in range(40)}
    corpora = [compared(pages, text="<\U0001f5de" * 400, name=name) for name in "ab"]
    document = render_comparison(A, B, corpora=corpora)
    assert 3_000_000 < len(document.encode("utf-8")) < 5_000_000
    tree = html.document_fromstring(document)
    for section in tree.findall(".//section"):
        n_pages = len(section.xpath(".//details"))
        assert f"{n_pages} pages; {40 - n_pages} others are left out" in "".join(
            section.xpath(".//p[@class='count']")[0].itertext()
        )
