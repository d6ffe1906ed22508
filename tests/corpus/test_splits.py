"""Splits by site: nothing shared, labels even, the same for the same seed."""

import itertools
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswinnow.corpus.dedup import find_duplicates
from newswinnow.corpus.sites import registrable_domain
from newswinnow.corpus.splits import GENERIC_SITES, Split, SplitOptions, assign_groups, parse_fractions, sites_of, split_by_site
from newswinnow.paragraphs.label import LABELS

HALVES = {"train": 0.5, "test": 0.5}
COOKIES = "We use cookies to give you the best experience on our website, as you may well know"


def sentence(*key: object) -> str:
    source = random.Random(repr(key))
    return " ".join(f"word{source.randrange(10_000)}" for _ in range(14))


def site_rows(site: str, *extra: str, page: str | None = None) -> list[dict[str, Any]]:
    page = page or f"{site}/1"
    texts = [("Share", "boilerplate"), (sentence(page), "news"), (sentence(page, "link"), "related-link")]
    rows = [{"page": page, "position": i, "text": text, "label": label, "site": site} for i, (text, label) in enumerate(texts)]
    first = len(rows)
    return rows + [{**rows[0], "position": first + i, "text": text} for i, text in enumerate(extra)]


def corpus(*sites: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(list(itertools.chain.from_iterable(sites)))


def sites_in(split: Split, part: str) -> set[str | None]:
    return {registrable_domain(site) for site in split.parts[part].table["site"]}


def assert_nothing_shared(split: Split) -> None:
    """No site and no near-duplicate pair of long paragraphs across the parts."""
    tables = [part.table.assign(part=name) for name, part in split.parts.items()]
    whole = pd.concat(tables, ignore_index=True)
    assert whole.groupby(sites_of(whole))["part"].nunique().max() == 1
    for rows in find_duplicates(whole["text"].tolist()).groups(only_long=True):
        assert len(set(whole["part"].iloc[rows])) == 1


MANY = corpus(*(site_rows(f"s{i}.example", COOKIES) for i in range(30)))


def test_nothing_is_shared_and_no_row_is_lost_without_a_count() -> None:
    split = split_by_site(MANY)
    assert_nothing_shared(split)
    kept = sum(len(part.table) for part in split.parts.values())
    assert kept + sum(part.n_dropped for part in split.parts.values()) == len(MANY)
    assert split.n_sites == 30


def test_a_line_on_many_sites_stays_in_the_largest_part_and_is_dropped_elsewhere() -> None:
    split = split_by_site(MANY)
    dropped = {name: (part.n_dropped, part.n_dropped_labelled) for name, part in split.parts.items()}
    assert dropped == {"train": (0, 0), "dev": (3, 3), "test": (3, 3)}
    assert split.joined == ()


def test_short_lines_may_stand_on_both_sides() -> None:
    split = split_by_site(MANY)
    assert all((part.table["text"] == "Share").any() for part in split.parts.values())


def test_hosts_of_one_registrable_domain_are_one_site() -> None:
    hosts = ["news.a.example", "sport.a.example", "www.b.co.uk", "c.co.uk"]
    split = split_by_site(corpus(*map(site_rows, hosts)), SplitOptions({"x": 0.4, "y": 0.3, "z": 0.3}))
    assert split.n_sites == 3
    assert_nothing_shared(split)


@pytest.mark.parametrize("n_shared", [2, 3])
def test_sites_of_one_house_stay_together(n_shared: int) -> None:
    house = [sentence("house", i) for i in range(n_shared)]
    table = corpus(site_rows("p.example", *house), site_rows("q.example", *house), site_rows("r.example"), site_rows("s.example"))
    for seed in range(4):
        split = split_by_site(table, SplitOptions(HALVES, seed=seed))
        assert_nothing_shared(split)
        together = {"p.example", "q.example"} <= sites_in(split, "train") or {"p.example", "q.example"} <= sites_in(split, "test")
        assert split.joined == ((("p.example", "q.example"),) if n_shared == 3 else ())
        assert together or n_shared < 3
    assert split_by_site(table, SplitOptions(HALVES, join_from=0)).joined == ()
    assert split_by_site(table, SplitOptions(HALVES, join_from=2)).joined == (("p.example", "q.example"),)


def test_lines_on_very_many_sites_make_no_house() -> None:
    generic = [sentence("generic", i) for i in range(5)]
    at_limit = corpus(*(site_rows(f"s{i}.example", *generic) for i in range(GENERIC_SITES)), site_rows("other.example"))
    assert [len(group) for group in split_by_site(at_limit, SplitOptions(HALVES)).joined] == [GENERIC_SITES]
    above = corpus(*(site_rows(f"s{i}.example", *generic) for i in range(GENERIC_SITES + 1)))
    assert split_by_site(above, SplitOptions(HALVES)).joined == ()
    assert_nothing_shared(split_by_site(above, SplitOptions(HALVES)))


@pytest.mark.parametrize("site", [None, ""])
def test_a_page_without_a_site_is_a_site_of_its_own(site: str | None) -> None:
    pages = [[{**row, "site": site} for row in site_rows("x.example", page=f"page{i}")] for i in range(4)]
    split = split_by_site(corpus(*pages), SplitOptions(HALVES))
    assert (split.n_sites, split.n_pages_without_site) == (0, 4)
    parts = [set(part.table["page"]) for part in split.parts.values()]
    assert [len(part) for part in parts] == [2, 2]


def test_rows_without_a_site_go_with_their_page() -> None:
    rows = corpus(site_rows("www.a.example"), site_rows("b.example"))
    rows.loc[1, "site"] = None
    assert sites_of(rows).tolist() == ["a.example"] * 3 + ["b.example"] * 3
    assert sites_of(rows.drop(columns="site")).tolist() == ["page:www.a.example/1"] * 3 + ["page:b.example/1"] * 3


def test_the_same_seed_gives_the_same_parts_another_seed_others() -> None:
    first, again, other = (split_by_site(MANY, SplitOptions(seed=seed)) for seed in (1, 1, 2))
    assert all(first.parts[name].table.equals(again.parts[name].table) for name in first.parts)
    assert any(sites_in(first, name) != sites_in(other, name) for name in first.parts)


def test_rows_keep_the_order_of_the_corpus() -> None:
    for part in split_by_site(MANY.sample(frac=1, random_state=1).reset_index(drop=True)).parts.values():
        assert part.table.index.is_monotonic_increasing


def test_labels_are_spread_evenly() -> None:
    source = random.Random(4)
    labels = [str(label) for label in LABELS]
    rows = [
        {"page": f"s{s}.example/{i}", "position": 0, "text": sentence(s, i), "site": f"s{s}.example", "label": label}
        for s in range(80)
        for main in [source.choice(labels)]
        for i, label in enumerate([main] * source.randrange(1, 30) + [source.choice(labels)])
    ]
    table = pd.DataFrame(rows)
    split = split_by_site(table)
    for name, share in SplitOptions().fractions.items():
        for label in labels:
            found = (split.parts[name].table["label"] == label).sum() / (table["label"] == label).sum()
            assert abs(found - share) < 0.03


def test_a_corpus_without_labels_is_split_by_its_pages() -> None:
    split = split_by_site(MANY.drop(columns="label"))
    assert [part.table["page"].nunique() for part in split.parts.values()] == [24, 3, 3]
    assert split.parts["dev"].n_dropped_labelled == 0


TWO_SITES = [{**row, "position": 9 + i} for i, row in enumerate(site_rows("b.example", page="a.example/1"))]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (MANY.iloc[:0], "corpus: must have paragraphs to split; got none"),
        (corpus(site_rows("a.example"), site_rows("b.example")), "as many independent sites as parts, 3; got 2"),
        (
            corpus(site_rows("a.example"), TWO_SITES),
            "a page must belong to one site; got a.example, b.example on 'a.example/1'",
        ),
    ],
)
def test_a_corpus_that_cannot_be_split_is_refused(table: pd.DataFrame, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        split_by_site(table)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"fractions": {}}, "at least two parts; got none"),
        ({"fractions": {"train": 0.9}}, "at least two parts; got train"),
        ({"fractions": {"a": 0.9, "b": 0.2}}, "add up to 1; got a=0.9, b=0.2"),
        ({"fractions": {"a": 1.0, "b": 0.0}}, "each lie between 0 and 1"),
        ({"seed": -1}, "seed, join_from: must be >= 0; got -1, 3"),
        ({"join_from": -2}, "seed, join_from: must be >= 0; got 0, -2"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SplitOptions(**options)


@pytest.mark.parametrize("named", ["train", "train=x", "train=nan", "a=0.5,a=0.5", "../x=1", "=1", "a b=0.5", "a=0.5,,b=0.5", ""])
def test_fractions_that_cannot_be_read_are_refused(named: str) -> None:
    with pytest.raises(ValueError, match="fractions: must be a list of different name=number"):
        parse_fractions(named)


weights = st.lists(st.lists(st.floats(0.001, 1), min_size=2, max_size=2), min_size=3, max_size=25)


@settings(max_examples=60)
@given(weights, st.integers(0, 5), st.sampled_from([(0.8, 0.1, 0.1), (0.5, 0.5), (0.98, 0.01, 0.01)]))
def test_no_part_is_left_empty(rows: list[list[float]], seed: int, fractions: Sequence[float]) -> None:
    matrix = np.array(rows)
    part_of = assign_groups(matrix / matrix.sum(axis=0), fractions, seed=seed)
    assert sorted(set(part_of.tolist())) == list(range(len(fractions)))
