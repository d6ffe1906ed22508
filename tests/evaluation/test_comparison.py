from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, t
from sklearn.metrics import f1_score
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar  # type: ignore[import-untyped]
from statsmodels.stats.multitest import multipletests  # type: ignore[import-untyped]

from newswinnow.evaluation.comparison import Comparison, compare, holm, mcnemar

Answers = Callable[..., pd.DataFrame]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=80))
def test_mcnemar_is_the_binomial_test_of_the_disagreements(rows: list[tuple[bool, bool]]) -> None:
    only_first, only_second, p_value = mcnemar([a for a, _ in rows], [b for _, b in rows])
    assert only_first == sum(a and not b for a, b in rows)
    assert only_second == sum(b and not a for a, b in rows)
    n = only_first + only_second
    assert p_value == (pytest.approx(binomtest(only_first, n, 0.5, alternative="two-sided").pvalue) if n else 1.0)


@pytest.mark.parametrize(
    ("only_first", "only_second", "expected"), [(0, 5, 2 / 32), (5, 0, 2 / 32), (3, 3, 1.0), (1, 9, 22 / 1024)]
)
def test_mcnemar_against_a_hand_calculation(only_first: int, only_second: int, expected: float) -> None:
    first = [True] * only_first + [False] * only_second + [True, False]
    second = [False] * only_first + [True] * only_second + [True, False]
    found = mcnemar(first, second)
    assert found[:2] == (only_first, only_second)
    assert found[2] == pytest.approx(expected)


def more_pages(comparison: Comparison) -> int:
    found = re.fullmatch(r"not enough data \(about (\d+) more pages\)", comparison.verdict)
    assert found, comparison.verdict
    return int(found[1])


def test_clearly_better_and_clearly_worse(answers: Answers) -> None:
    weak, strong = answers(60, right=0.6, seed=1), answers(60, right=0.9, seed=2)
    up, down = compare(weak, strong), compare(strong, weak)
    assert (up.verdict, down.verdict) == ("better", "worse")
    assert up.difference.value == pytest.approx(-down.difference.value)
    assert 0 < up.difference.low < up.difference.value < up.difference.high
    assert up.p_value == down.p_value < 1e-6
    assert (up.n_only_first, up.n_only_second) == (down.n_only_second, down.n_only_first)


def test_difference_is_that_of_macro_f1(answers: Answers) -> None:
    first, second = answers(20, right=0.6, seed=1), answers(20, right=0.7, seed=2)
    expected = [f1_score(table["label"], table["predicted"], average="macro") for table in (first, second)]
    found = compare(first, second)
    assert found.difference.value == pytest.approx(expected[1] - expected[0])
    is_right = [table["predicted"] == table["label"] for table in (first, second)]
    assert (found.n_only_first, found.n_only_second) == ((is_right[0] & ~is_right[1]).sum(), (is_right[1] & ~is_right[0]).sum())


def test_the_same_answers_are_tied(answers: Answers) -> None:
    table = answers(20, right=0.8)
    found = compare(table, table)
    assert found.verdict == "tied"
    assert (found.difference.value, found.difference.low, found.difference.high, found.p_value) == (0, 0, 0, 1)


def test_a_surely_small_difference_is_tied(answers: Answers) -> None:
    first = answers(200, right=0.8)
    second = first.copy()
    rows = second.index[second["predicted"] == second["label"]][:2]
    second.loc[rows, "predicted"] = second.loc[rows, "label"].map({"news": "boilerplate", "boilerplate": "news"}).fillna("news")
    found = compare(first, second)
    assert found.difference.value < 0
    assert found.verdict == "tied"


def test_few_pages_are_not_enough_and_the_number_named_would_do(answers: Answers) -> None:
    n_pages = 12
    found = compare(answers(n_pages, right=0.75, seed=1), answers(n_pages, right=0.79, seed=2))
    more = more_pages(found)
    assert 10 < more < 800
    enough = 2 * (n_pages + more)
    again = compare(answers(enough, right=0.75, seed=1), answers(enough, right=0.79, seed=2))
    assert again.verdict == "better"


def test_a_smaller_difference_asks_for_more_pages(answers: Answers) -> None:
    base = answers(30, right=0.8, seed=1)
    numbers = []
    for n_changed in (12, 6):
        second = base.copy()
        wrong = second.index[second["predicted"] != second["label"]]
        gained, right = wrong[:n_changed], second.index[second["predicted"] == second["label"]]
        second.loc[gained, "predicted"] = second.loc[gained, "label"]
        lost = right[:: len(right) // 5][:5]
        second.loc[lost, "predicted"] = np.where(second.loc[lost, "label"] == "news", "boilerplate", "news")
        found = compare(base, second)
        assert found.p_value > 0.05
        numbers.append(more_pages(found))
    assert numbers[0] < numbers[1]


def planted(moves: list[tuple[str, str, str, int]], *, n_pages: int = 40) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two models on equal pages; a move is (true label, first answer, second answer, times per page)."""
    rows = [move[:3] for move in moves for _ in range(move[3])] * n_pages
    table = pd.DataFrame(rows, columns=["label", "first", "second"])
    n = len(rows) // n_pages
    table = table.assign(page=np.repeat(np.arange(n_pages), n), position=np.tile(np.arange(n), n_pages))
    keys = table[["page", "position", "label"]]
    return keys.assign(predicted=table["first"]), keys.assign(predicted=table["second"])


CONFLICT = [
    ("related-link", "news", "related-link", 1),  # the rare label is found
    ("news", "news", "boilerplate", 4),  # at the price of four paragraphs of a frequent one
    ("news", "news", "news", 60),
    ("boilerplate", "boilerplate", "boilerplate", 60),
]


def test_higher_macro_f1_with_significantly_more_errors_is_not_better() -> None:
    first, second = planted(CONFLICT)
    up, down = compare(first, second), compare(second, first)
    assert up.difference.low > 0
    assert up.p_value < 0.05
    assert up.n_only_first > up.n_only_second
    assert up.p_difference < 0.05
    assert up.p_verdict == 1
    assert more_pages(up) > 1000
    assert more_pages(down) > 1000


def test_a_separate_interval_without_significance_asks_for_pages_by_mcnemar() -> None:
    first, second = planted([("related-link", "news", "related-link", 1), ("news", "news", "news", 8)], n_pages=4)
    found = compare(first, second)
    assert found.difference.low > 0
    assert found.p_value == pytest.approx(2 / 16)
    assert found.p_verdict == max(found.p_value, found.p_difference)
    assert 0 < more_pages(found) <= 8
    enough = planted([("related-link", "news", "related-link", 1), ("news", "news", "news", 8)], n_pages=4 + 8)
    assert compare(*enough).verdict == "better"


def test_number_of_pages_by_mcnemar_against_a_hand_calculation() -> None:
    moves = [("related-link", "news", "related-link", 2), ("news", "news", "boilerplate", 1), ("news", "news", "news", 40)]
    found = compare(*planted(moves, n_pages=8))
    assert found.difference.low > 0
    assert (found.n_only_first, found.n_only_second) == (8, 16)
    assert found.p_value > 0.05
    # z = 8 / sqrt(24) on 8 pages must grow to 1.96 + 0.84: 8 * (2.8**2 * 24 / 8**2 - 1) = 15.5 more.
    assert more_pages(found) == found.more_pages == 16


def test_number_of_pages_by_the_interval_against_a_hand_calculation(answers: Answers) -> None:
    found = compare(answers(12, right=0.75, seed=1), answers(12, right=0.79, seed=2))
    value, low, high = found.difference.value, found.difference.low, found.difference.high
    assert low < 0 < value < high
    assert value > 0.01
    error = (high - low) / 2 / t.ppf(0.975, 11)
    lead = found.n_only_second - found.n_only_first
    by_mcnemar = (found.n_only_first + found.n_only_second) / lead**2
    assert more_pages(found) == math.ceil(12 * (2.80158**2 * max((error / value) ** 2, by_mcnemar) - 1))


def test_seed_decides_the_interval_and_nothing_else(answers: Answers) -> None:
    first, second = answers(20, right=0.7, seed=1), answers(20, right=0.75, seed=2)
    a, again, b = compare(first, second, seed=1), compare(first, second, seed=1), compare(first, second, seed=2)
    assert a == again
    assert a.difference.low != b.difference.low
    assert (a.difference.value, a.p_value) == (b.difference.value, b.p_value)


def test_pages_are_resampled_in_pairs(answers: Answers) -> None:
    first = answers(30, right=0.7)
    second = first.copy()
    second.loc[::40, "predicted"] = second.loc[::40, "label"]
    found = compare(first, second).difference
    assert found.high - found.low < 0.04


def test_duplicated_paragraphs_do_not_narrow_the_interval(answers: Answers) -> None:
    def copies(table: pd.DataFrame) -> pd.DataFrame:
        return pd.concat([table.assign(position=table["position"] + 100 * i) for i in range(8)], ignore_index=True)

    first, second = answers(15, right=0.7, seed=1), answers(15, right=0.75, seed=2)
    assert compare(copies(first), copies(second)).difference == compare(first, second).difference


def test_order_of_rows_and_unlabelled_rows_do_not_matter(answers: Answers) -> None:
    first, second = answers(10, right=0.7, seed=1), answers(10, right=0.8, seed=2)
    extra = second.iloc[:4].assign(page="unlabelled", label=None, predicted=None)
    shuffled = pd.concat([extra, second.sample(frac=1, random_state=0)], ignore_index=True)
    assert compare(first, shuffled) == compare(first, second)


@pytest.mark.parametrize(
    ("column", "value"), [("page", "elsewhere"), ("position", 77), ("label", "another"), ("text", "Not the same line")]
)
def test_refuses_different_paragraphs(answers: Answers, column: str, value: object) -> None:
    first = answers(5, right=0.8)
    second = first.copy()
    if value == "another":
        value = "news" if first.loc[0, "label"] != "news" else "boilerplate"
    second[column] = [value, *second[column].tolist()[1:]]
    with pytest.raises(ValueError, match=r"comparison: needs the same labelled paragraphs in both; got 60 and 60 that differ"):
        compare(first, second)


def test_refuses_a_different_number_of_paragraphs(answers: Answers) -> None:
    first = answers(5, right=0.8)
    with pytest.raises(ValueError, match=r"needs the same labelled paragraphs in both; got 60 and 59 that differ"):
        compare(first, first.iloc[1:])


def test_texts_are_compared_only_where_both_have_them(answers: Answers) -> None:
    first, second = answers(5, right=0.6, seed=1), answers(5, right=0.9, seed=2)
    assert replace(compare(first.drop(columns="text"), second), slices=()) == replace(compare(first, second), slices=())


def test_refuses_tables_without_labelled_paragraphs(answers: Answers) -> None:
    table = answers(2, right=0.8).assign(label=None)
    with pytest.raises(ValueError, match=r"comparison: needs at least one labelled paragraph; got none"):
        compare(table, table)


@pytest.mark.parametrize("column", ["page", "position", "label", "predicted"])
def test_refuses_tables_without_a_column(answers: Answers, column: str) -> None:
    table = answers(2, right=0.8)
    with pytest.raises(ValueError, match=r"first: must have the columns page, position, label, predicted; got"):
        compare(table.drop(columns=column), table)
    with pytest.raises(ValueError, match=r"second: must have the columns page, position, label, predicted; got"):
        compare(table, table.drop(columns=column))


def test_comparison_as_plain_values_survives_json(answers: Answers) -> None:
    found = compare(answers(10, right=0.7, seed=1), answers(10, right=0.8, seed=2))
    plain = json.loads(json.dumps(found.as_dict()))
    assert plain["difference"]["value"] == found.difference.value
    assert plain["verdict"] == found.verdict


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_is_that_of_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


def test_holm_of_nothing() -> None:
    assert holm([]) == []


@pytest.mark.parametrize("seed", range(5))
def test_mcnemar_is_that_of_statsmodels(seed: int) -> None:
    first, second = np.random.default_rng(seed).random((2, 60)) < [[0.7], [0.85]]
    table = [[(first & second).sum(), (first & ~second).sum()], [(~first & second).sum(), (~first & ~second).sum()]]
    assert mcnemar(first, second)[2] == pytest.approx(reference_mcnemar(table, exact=True).pvalue)


def test_every_slice_has_a_verdict_of_its_own(answers: Answers) -> None:
    first = answers(60, right=0.7, seed=1).assign(slice_kind=["a", "b"] * 360)
    second = first.copy()
    in_a = second["slice_kind"] == "a"
    second.loc[in_a, "predicted"] = second.loc[in_a, "label"]
    found = compare(first, second)
    assert [(part.kind, part.name, part.n_paragraphs, part.n_pages) for part in found.slices] == [
        ("kind", "a", 360, 60),
        ("kind", "b", 360, 60),
    ]
    assert [part.verdict for part in found.slices] == ["better", "tied"]
    assert [part.is_small for part in found.slices] == [False, False]
    assert found.slices[1].p_value == 1.0


def test_slices_pay_for_their_number(answers: Answers) -> None:
    first, second = answers(40, right=0.78, seed=1), answers(40, right=0.85, seed=2)
    alone = compare(first.assign(slice_one="all"), second).slices[0]
    many = {f"slice_{i}": "all" for i in range(20)}
    crowded = compare(first.assign(**many), second).slices[0]
    assert 0 < alone.p_value < crowded.p_value
    assert crowded.p_value == pytest.approx(min(20 * alone.p_value, 1))
    assert crowded.difference == alone.difference


def test_slices_come_from_texts_and_hints_where_none_are_given(answers: Answers) -> None:
    first = answers(12, right=0.8).assign(link_density=0.0, source=["a", "b"] * 72)
    kinds = {part.kind for part in compare(first, answers(12, right=0.8, seed=3)).slices}
    assert kinds == {"length", "position", "links", "source"}
    bare = first[["page", "position", "label", "predicted"]]
    assert compare(bare, bare).slices == ()


def test_one_page_decides_nothing(answers: Answers) -> None:
    first, second = answers(1, right=0.5, seed=1, n_rows=60), answers(1, right=1.0, seed=2, n_rows=60)
    found = compare(first, second)
    assert found.verdict.startswith("not enough data (about ")
    assert (found.difference.low, found.difference.high) == (-1.0, 1.0)
    assert compare(first, first).verdict == "tied"
