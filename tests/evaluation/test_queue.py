"""What to label next: doubt, spread, the limit per site, and the same picks for the same seed."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from newswinnow.evaluation.queue import (
    STRATEGIES,
    Candidates,
    TextVectors,
    label_queue,
    pick,
    queue_model,
    queued_rows,
    sites_of,
)

SURE, HALF, TORN = [0.98, 0.01, 0.01], [0.6, 0.3, 0.1], [0.41, 0.4, 0.19]


def candidates(
    probabilities: list[list[float]] | None, words: Any, *, pages: str | None = None, sites: str | None = None
) -> Candidates:
    """Candidates with one letter per page and site, by default each its own."""
    n = len(words)
    letters = [chr(ord("a") + i) for i in range(n)]
    names = (list(pages or letters), list(sites or letters))
    rows = None if probabilities is None else np.asarray(probabilities)
    return Candidates(rows, csr_matrix(np.asarray(words, dtype=float)), *(np.asarray(name, dtype=object) for name in names))


@pytest.mark.parametrize("strategy", ["margin", "entropy", "margin-diverse", "margin-page"])
def test_the_most_doubtful_come_first(strategy: str) -> None:
    found = pick(candidates([SURE, TORN, HALF], np.eye(3)), 3, strategy=strategy)
    assert found.tolist() == [1, 2, 0]


def test_margin_asks_between_two_entropy_among_three() -> None:
    two, three = [0.5, 0.5, 0.0], [0.5, 0.26, 0.24]
    assert pick(candidates([two, three], np.eye(2)), 1, strategy="margin").tolist() == [0]
    assert pick(candidates([two, three], np.eye(2)), 1, strategy="entropy").tolist() == [1]


def test_copies_of_a_pick_wait_until_the_end() -> None:
    words = [[1, 0], [1, 0], [0, 1], [1, 0]]
    asked = candidates([TORN, TORN, HALF, TORN], words)
    assert sorted(pick(asked, 2, strategy="margin").tolist()) != [0, 2]
    first, second, *rest = pick(asked, 4, strategy="margin-diverse").tolist()
    assert first in (0, 1, 3)
    assert second == 2
    assert sorted([first, *rest]) == [0, 1, 3]


def test_what_is_like_a_pick_gives_way_in_proportion() -> None:
    like, words = [0.8, 0.6, 0.0], np.eye(3)
    words[1] = like
    found = pick(candidates([TORN, [0.42, 0.4, 0.18], HALF], words), 3, strategy="margin-diverse")
    assert found.tolist() == [0, 2, 1]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_at_most_so_many_of_a_site(strategy: str) -> None:
    asked = candidates([TORN, TORN, TORN, HALF, SURE], np.eye(5), sites="xxxyz")
    found = pick(asked, 5, strategy=strategy, per_site=1)
    assert sorted(asked.sites[found]) == ["x", "y", "z"]
    assert sorted(pick(asked, 5, strategy=strategy, per_site=None).tolist()) == [0, 1, 2, 3, 4]


def test_a_limit_reaches_beyond_the_shortlist() -> None:
    n = 40
    asked = candidates([TORN] * 39 + [SURE], np.eye(n), sites="x" * 39 + "y")
    assert asked.sites[pick(asked, 2, strategy="margin-diverse", per_site=1)].tolist() == ["x", "y"]


def test_pages_go_whole_the_most_doubtful_first() -> None:
    asked = candidates([SURE, TORN, HALF, HALF, SURE], np.eye(5), pages="ppqqr")
    assert pick(asked, 5, strategy="margin-page").tolist()[:4] in ([2, 3, 1, 0], [3, 2, 1, 0])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_without_a_model_chance_picks(strategy: str) -> None:
    asked = candidates(None, np.eye(30))
    found = pick(asked, 30, strategy=strategy, seed=3).tolist()
    assert found == pick(asked, 30, strategy="random", seed=3).tolist()
    assert sorted(found) == list(range(30))


@given(
    margins=st.lists(st.floats(0, 1), min_size=1, max_size=12),
    data=st.data(),
    strategy=st.sampled_from(list(STRATEGIES)),
    n=st.integers(1, 15),
    per_site=st.none() | st.integers(1, 3),
    seed=st.integers(0, 5),
)
@settings(max_examples=200, deadline=None)
def test_picks_are_distinct_within_the_limit_and_as_many_as_there_can_be(
    margins: list[float], data: st.DataObject, strategy: str, n: int, per_site: int | None, seed: int
) -> None:
    size = len(margins)
    letters = st.text("xyz", min_size=size, max_size=size)
    rows = [[(1 + m) / 2, (1 - m) / 2, 0.0] for m in margins]
    words = np.eye(3)[data.draw(st.lists(st.integers(0, 2), min_size=size, max_size=size))]
    asked = candidates(rows, words, pages=data.draw(letters), sites=data.draw(letters))
    found = pick(asked, n, strategy=strategy, per_site=per_site, seed=seed)
    assert len(set(found.tolist())) == len(found)
    counts = pd.Series(asked.sites).value_counts()
    room = int(counts.clip(upper=per_site).sum()) if per_site else size
    assert len(found) == min(n, room)
    if per_site:
        assert pd.Series(asked.sites[found]).value_counts().max() <= per_site
    assert found.tolist() == pick(asked, n, strategy=strategy, per_site=per_site, seed=seed).tolist()


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"n": 1, "strategy": "best"}, r"^strategy: must be one of margin-diverse, .*; got 'best'$"),
        ({"n": 0}, r"^queue: numbers of paragraphs must be >= 1; got 0 in all, 10 per site$"),
        ({"n": 1, "per_site": 0}, r"^queue: numbers of paragraphs must be >= 1; got 1 in all, 0 per site$"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        pick(candidates([SURE], np.eye(1)), **options)


def test_a_page_without_a_site_is_a_site_of_its_own() -> None:
    table = pd.DataFrame({"page": ["p", "p", "q", "r"], "site": pd.Series(["a.example", None, "", "a.example"], dtype=object)})
    assert sites_of(table).tolist() == ["a.example", "page:p", "page:q", "a.example"]
    assert sites_of(table.drop(columns="site")).tolist() == ["page:p", "page:p", "page:q", "page:r"]


NEWS = "The council voted on Monday to repair the old bridge number {}."
MENU = "Share page {}"
DOUBTFUL = "Bridge repair voted {}"


def page_rows(page: str, *, labelled: bool) -> list[dict[str, Any]]:
    texts = [(NEWS.format(page), "news"), (MENU.format(page), "boilerplate"), (DOUBTFUL.format(page), None)]
    return [
        {"page": page, "position": i, "text": text, "label": label if labelled else None, "site": f"{page[0]}.example"}
        for i, (text, label) in enumerate(texts)
    ]


@pytest.fixture
def table() -> pd.DataFrame:
    """Six labelled pages and six unlabelled ones, each with a line of news, a button and a line in between."""
    rows = [row for i in range(6) for row in page_rows(f"a{i}", labelled=True)]
    rows += [row for i in range(6) for row in page_rows(f"{'bcdbcd'[i]}{i}", labelled=False)]
    return pd.DataFrame(rows).set_index(pd.Index(range(100, 136)))


def test_ranks_go_to_doubtful_unlabelled_rows_only(table: pd.DataFrame) -> None:
    ranked = label_queue(table, 6)
    ranks = [rank for rank in ranked["queue"] if rank is not None]
    assert sorted(ranks) == [1, 2, 3, 4, 5, 6]
    picked = ranked[ranked["queue"].notna()]
    assert picked["label"].isna().all()
    assert picked["text"].str.startswith("Bridge repair").all()
    pd.testing.assert_frame_equal(ranked.drop(columns="queue"), table)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_same_seed_gives_the_same_ranks(strategy: str, table: pd.DataFrame) -> None:
    first, second = (label_queue(table, 5, strategy=strategy, seed=1) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    if strategy.startswith("random"):
        assert label_queue(table, 5, strategy=strategy, seed=2)["queue"].tolist() != first["queue"].tolist()


def test_the_limit_counts_sites(table: pd.DataFrame) -> None:
    ranked = label_queue(table, 12, per_site=2)
    assert queued_rows(ranked, whole_pages=False)["site"].value_counts().to_dict() == {
        "a.example": 2,
        "b.example": 2,
        "c.example": 2,
        "d.example": 2,
    }


@pytest.mark.parametrize("labels", [None, "one"])
def test_with_too_few_labels_chance_picks(labels: str | None, table: pd.DataFrame) -> None:
    bare = table.drop(columns="label")
    if labels:
        bare = bare.assign(label=pd.Series(["news", *[None] * 35], index=table.index, dtype=object))
    ranked = label_queue(bare, 4, seed=1)
    random = label_queue(bare, 4, strategy="random", seed=1)
    assert ranked["queue"].tolist() == random["queue"].tolist()


def test_queued_rows_come_with_their_pages(table: pd.DataFrame) -> None:
    ranked = label_queue(table, 2, per_site=1)
    picked, whole = queued_rows(ranked, whole_pages=False), queued_rows(ranked, whole_pages=True)
    assert len(picked) == 2
    assert whole["page"].nunique() == picked["page"].nunique() == 2
    assert len(whole) == 6


def test_tables_that_cannot_be_ranked_are_refused(table: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match=r"^table: must have paragraphs without a label; got 36 labelled ones$"):
        label_queue(table.assign(label="news"), 1)
    with pytest.raises(ValueError, match=r"^table: must have the columns page, position, text; got "):
        label_queue(table.drop(columns="text"), 1)


def test_vectors_are_of_length_one_and_tell_the_model_more_than_words() -> None:
    vectors = TextVectors.of([NEWS, MENU, DOUBTFUL])
    norms = np.linalg.norm(vectors.words.toarray(), axis=1)
    assert norms == pytest.approx(1.0)
    assert vectors.features.shape[1] > vectors.words.shape[1]


def test_the_model_gives_probabilities_and_repeats_itself() -> None:
    features = TextVectors.of([NEWS, MENU, DOUBTFUL]).features
    one, two = (queue_model(4).fit(features, ["news", "boilerplate", "news"]).predict_proba(features) for _ in range(2))
    assert (one == two).all()
    assert one.sum(axis=1) == pytest.approx(1.0)
