"""Clusters of duplicates, near-duplicate pages, and the corpus without them."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswinnow.corpus.dedup import clashing_clusters, deduplicate, duplicate_pages, find_duplicates
from newswinnow.corpus.similar import DuplicateRule

MAYOR = "The mayor opened the new bridge over the river Tarn on Monday morning"
COOKIES = "We use cookies to give you the best experience on our website, as you may well know"
HARBOUR = "The harbour will close for two weeks in March so that divers can lift the wreck"
FERRY = "The ferry crew were praised for the rescue of nine people from a sinking boat at night"


def table(*rows: tuple[str, str, str | None], **columns: Any) -> pd.DataFrame:
    pages, texts, labels = zip(*rows, strict=True)
    frame = pd.DataFrame({"page": pages, "text": texts, "label": pd.Series(labels, dtype="str")}).assign(**columns)
    return frame.assign(position=frame.groupby("page").cumcount())


def clusters(*texts: str, **rule: Any) -> list[int]:
    found: list[int] = find_duplicates(texts, DuplicateRule(**rule)).cluster.tolist()
    return found


def test_near_duplicates_of_long_paragraphs_share_a_cluster() -> None:
    assert clusters(MAYOR, "Menu", f"{MAYOR}, at last.", FERRY, f"“{MAYOR.upper()}”") == [0, 1, 0, 2, 0]


def test_short_lines_are_duplicates_only_where_equal_but_for_case_and_width() -> None:
    assert clusters("Share", "SHARE", "Share this", "ｓｈａｒｅ", "Share!") == [0, 0, 1, 0, 2]
    seven, other = "One two three four five six seven", "One two three four five six eight"
    assert clusters(seven, other) == [0, 1]
    assert clusters(f"{seven} and on and on it goes", f"{other} and on and on it goes", threshold=0.6) == [0, 0]


def test_what_others_link_is_one_cluster() -> None:
    words = [f"w{i}" for i in range(20)]
    chain = [" ".join([*words[i:], *(f"x{j}" for j in range(i))]) for i in (0, 2, 4)]
    assert clusters(*chain) == [0, 0, 0]
    assert clusters(chain[0], chain[2]) == [0, 1]


def test_counts_of_exact_and_near_duplicates() -> None:
    found = find_duplicates(["Menu", "menu", MAYOR, f"{MAYOR}!", f"{MAYOR} early", "Other"])
    assert (found.n_exact, found.n_near) == (2, 1)
    assert found.is_long.tolist() == [False, False, True, True, True, False]
    assert [group.tolist() for group in found.groups()] == [[0, 1], [2, 3, 4]]
    assert [group.tolist() for group in found.groups(only_long=True)] == [[2, 3, 4]]


def test_nothing_at_all() -> None:
    found = find_duplicates([])
    assert found.cluster.tolist() == []
    assert found.groups() == []


texts = st.lists(
    st.sampled_from(["Menu", "menu", MAYOR, f"{MAYOR}.", f"{MAYOR} now", FERRY, f"So {FERRY}", COOKIES, "»"]), max_size=12
)


@settings(max_examples=40)
@given(texts, st.integers(0, 3))
def test_clusters_are_numbered_by_first_appearance_and_keep_equal_texts_together(some: list[str], seed: int) -> None:
    found = find_duplicates(some, DuplicateRule(seed=seed))
    seen: list[int] = []
    for number in found.cluster.tolist():
        assert number <= len(seen)
        seen += [number] if number == len(seen) else []
    for text in set(some):
        assert len({int(number) for number, other in zip(found.cluster, some, strict=True) if other == text}) == 1
    again = find_duplicates(some, DuplicateRule(seed=seed))
    assert np.array_equal(found.cluster, again.cluster)


SYNDICATED = table(
    ("a", "A menu", "boilerplate"),
    ("a", MAYOR, "news"),
    ("a", FERRY, None),
    ("a", HARBOUR, "news"),
    ("b", "B menu", "boilerplate"),
    ("b", f"{MAYOR}.", "news"),
    ("b", f"{FERRY} again", "news"),
    ("b", HARBOUR, "news"),
    ("c", COOKIES, "boilerplate"),
    ("c", MAYOR, "related-link"),
    ("c", "A page of its own that has rather more to say than the other two", "news"),
)


def test_pages_that_share_half_of_their_long_paragraphs_are_duplicates() -> None:
    found = find_duplicates(SYNDICATED["text"].tolist())
    assert duplicate_pages(SYNDICATED, found) == [("a", "b")]


@pytest.mark.parametrize("shared", [["Menu"], [COOKIES], ["Menu", COOKIES, FERRY]])
def test_pages_with_little_to_compare_are_no_duplicates(shared: list[str]) -> None:
    menus = table(*((page, text, None) for page in "ab" for text in shared))
    assert duplicate_pages(menus, find_duplicates(menus["text"].tolist())) == []


def test_clashing_labels_of_near_duplicates_are_listed_with_their_places() -> None:
    found = clashing_clusters(SYNDICATED, find_duplicates(SYNDICATED["text"].tolist()))
    assert [(clash.text, clash.labels) for clash in found] == [(MAYOR, {"news": "a:1", "related-link": "c:1"})]


def test_clashes_need_labels() -> None:
    bare = SYNDICATED.drop(columns="label")
    with pytest.raises(ValueError, match="table: must have the columns label"):
        clashing_clusters(bare, find_duplicates(bare["text"].tolist()))


def test_of_duplicate_pages_the_one_with_most_labels_is_kept_whole() -> None:
    found = deduplicate(SYNDICATED)
    assert found.pages == (("b", "a"),)
    assert found.table.index.tolist() == [4, 5, 6, 7, 8, 9, 10]
    assert (found.n_page_rows, found.n_paragraph_rows) == (4, 0)


def test_repeated_paragraphs_are_dropped_where_wanted_the_labelled_one_kept() -> None:
    rows = [("a", COOKIES, None), ("a", "Menu", None), ("b", COOKIES, "boilerplate"), ("b", "Menu", None), ("b", FERRY, "news")]
    corpus = table(*rows, ("c", HARBOUR, None))
    found = deduplicate(corpus, paragraphs=True)
    assert found.table.index.tolist() == [1, 2, 3, 4, 5]
    assert (found.n_page_rows, found.n_paragraph_rows) == (0, 1)
    assert len(corpus) == len(found.table) + found.n_page_rows + found.n_paragraph_rows


def test_a_table_without_labels_keeps_the_first_of_each() -> None:
    corpus = SYNDICATED.drop(columns="label")
    found = deduplicate(corpus, paragraphs=True)
    assert found.pages == (("a", "b"),)
    assert found.table.index.tolist() == [0, 1, 2, 3, 8, 10]
    assert found.clashes == ()


def test_a_corpus_without_its_duplicates_has_none() -> None:
    once = deduplicate(SYNDICATED, paragraphs=True).table
    again = deduplicate(once, paragraphs=True)
    assert again.table.equals(once)
    assert again.duplicates.groups(only_long=True) == []
