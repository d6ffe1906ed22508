"""What is in a corpus, and what is doubtful about it."""

from typing import Any

import pandas as pd
import pytest

from newswinnow.corpus.inspect import Clash, clashing_labels, corpus_stats, warnings_of

LONG = "The ferry sails again on Monday."


def table_of(*rows: tuple[str, int, str, str | None], **columns: list[Any]) -> pd.DataFrame:
    table = pd.DataFrame(list(rows), columns=["page", "position", "text", "label"]).astype({"label": "str"})
    return table.assign(**columns)


@pytest.fixture
def table() -> pd.DataFrame:
    return table_of(
        ("a", 0, LONG, "news"),
        ("a", 1, "Share", "boilerplate"),
        ("a", 2, "Share", None),
        ("b", 0, LONG, "related-link"),
        ("b", 1, "Share", "boilerplate"),
        ("b", 2, LONG, "news"),
        site=["x.org", "x.org", "x.org", "y.org", "y.org", "y.org"],
        source=["own"] * 4 + ["other", None],
    )


def test_clashes_name_the_first_place_of_each_label(table: pd.DataFrame) -> None:
    assert clashing_labels(table) == [Clash(LONG, {"news": "a:0", "related-link": "b:0"})]


def test_an_unlabelled_repeat_is_no_clash() -> None:
    assert clashing_labels(table_of(("a", 0, "Share", "news"), ("a", 1, "Share", None))) == []
    assert clashing_labels(table_of(("a", 0, "NA", None))) == []


def test_stats_count_everything(table: pd.DataFrame) -> None:
    stats = corpus_stats(table)
    one_word = {"5%": 1.0, "25%": 1.0, "50%": 1.0, "75%": 1.0, "95%": 1.0}
    six_words = dict.fromkeys(one_word, 6.0)
    assert stats.as_dict() == {
        "n_paragraphs": 6,
        "n_labelled": 5,
        "n_pages": 2,
        "n_sites": 2,
        "labels": {"news": 2, "boilerplate": 2, "related-link": 1},
        "sources": {"own": 4, "other": 1},
        "sites": {"x.org": 3, "y.org": 3},
        "words_quantiles": {"news": six_words, "boilerplate": one_word, "related-link": six_words},
        "n_duplicate_texts": 4,
        "n_clashing_texts": 1,
    }


def test_quantiles_are_of_labelled_paragraphs_only() -> None:
    rows = [("a", n, " ".join(["word"] * n), "news") for n in range(1, 6)]
    stats = corpus_stats(table_of(*rows, ("a", 9, "word " * 90, None)))
    assert stats.words_quantiles == {"news": pytest.approx({"5%": 1.2, "25%": 2, "50%": 3, "75%": 4, "95%": 4.8})}


def test_stats_of_a_table_without_labels_and_sites() -> None:
    stats = corpus_stats(pd.DataFrame({"page": ["a", "a"], "position": [0, 1], "text": ["x", "x"]}))
    assert (stats.n_paragraphs, stats.n_labelled, stats.n_sites, stats.n_duplicate_texts) == (2, 0, 0, 1)
    assert stats.labels == {"news": 0, "boilerplate": 0, "related-link": 0}
    assert (stats.sources, stats.words_quantiles, stats.n_clashing_texts) == ({}, {}, 0)


def test_warnings_say_what_is_doubtful(table: pd.DataFrame) -> None:
    assert warnings_of(table) == [f"clashing labels: {LONG!r} is news at a:0, related-link at b:0"]
    assert warnings_of(table.drop(columns="site").query("label != 'related-link'")) == [
        "no paragraph is labelled related-link",
        "rows without a site: splits cannot keep sites apart (add a 'site' column)",
    ]
    assert "rows without a site" in warnings_of(table.assign(site=table["site"].where(table["page"] == "a")))[0]


def test_short_texts_may_clash_in_silence() -> None:
    labels = ("news", "boilerplate", "related-link")
    rows = [("a", n, "Ferry sails again today", label) for n, label in enumerate(labels)]
    assert warnings_of(table_of(*rows, site=["x.org"] * 3)) == []


def test_many_clashes_are_cut_at_ten_and_counted() -> None:
    rows = [
        (page, n, f"The ferry number {n} sails again.", label)
        for page, label in (("a", "news"), ("b", "related-link"), ("c", "boilerplate"))
        for n in range(13)
    ]
    warnings = warnings_of(table_of(*rows, site=["x.org"] * len(rows)))
    assert len(warnings) == 11
    assert warnings[0].startswith(
        "clashing labels: 'The ferry number 0 sails again.' is news at a:0, related-link at b:0, boilerpl"
    )
    assert warnings[-1] == "... and 3 more texts with clashing labels"


def test_a_corpus_without_doubts_warns_of_nothing() -> None:
    rows = table_of(
        ("a", 0, LONG, "news"), ("a", 1, "Share", "boilerplate"), ("a", 2, "More", "related-link"), site=["x.org"] * 3
    )
    assert warnings_of(rows) == []
