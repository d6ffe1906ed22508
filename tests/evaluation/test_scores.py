from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

from newswinnow.evaluation.scores import confusion_by_page, label_codes, resample_pages, score, score_confusion, score_pages
from newswinnow.evaluation.simulation import PageModel
from newswinnow.paragraphs.label import Label

NAMES = ["news", "boilerplate", "related-link"]
LABEL = st.sampled_from(NAMES)
ROWS = st.lists(st.tuples(LABEL, LABEL, st.sampled_from("pqrs")), min_size=1, max_size=60)


@pytest.mark.parametrize("kind", [list, tuple, np.array, pd.Series, pd.Categorical])
def test_codes_follow_the_order_of_the_labels(kind: Callable[[list[str]], Any]) -> None:
    assert label_codes(kind(["related-link", "news", "boilerplate", "news"])).tolist() == [2, 0, 1, 0]


def test_codes_of_members_and_of_nothing() -> None:
    assert label_codes([Label.RELATED_LINK, Label.NEWS]).tolist() == [2, 0]
    assert label_codes([]).shape == (0,)


@pytest.mark.parametrize(
    ("labels", "value"),
    [
        (["news", "relatd"], "'relatd'"),
        (["News"], "'News'"),
        (["news", None], "None"),
        (["news", float("nan")], "nan"),
        ([""], "''"),
    ],
)
def test_codes_refuse_other_labels(labels: list[Any], value: str) -> None:
    with pytest.raises(ValueError, match=rf"labels: must be of news, boilerplate, related-link; got {value}"):
        label_codes(labels)


@settings(deadline=None, max_examples=100)
@given(ROWS)
def test_scores_are_those_of_scikit_learn(rows: list[tuple[str, str, str]]) -> None:
    truth, found, pages = (list(column) for column in zip(*rows, strict=True))
    scores = score(truth, found, pages, n_resamples=2)
    expected = precision_recall_fscore_support(truth, found, labels=NAMES, zero_division=0)
    assert [part.label for part in scores.labels] == NAMES
    assert [part.precision.value for part in scores.labels] == pytest.approx(list(expected[0]))
    assert [part.recall.value for part in scores.labels] == pytest.approx(list(expected[1]))
    assert [part.f1.value for part in scores.labels] == pytest.approx(list(expected[2]))
    assert [part.support for part in scores.labels] == list(expected[3])
    assert scores.news_f1 == scores.labels[0].f1
    assert scores.macro_f1.value == pytest.approx(f1_score(truth, found, average="macro", zero_division=0))
    assert scores.accuracy.value == pytest.approx(accuracy_score(truth, found))
    assert [list(row) for row in scores.confusion] == confusion_matrix(truth, found, labels=NAMES).tolist()
    assert scores.n_paragraphs == len(rows)
    assert scores.n_pages == len(set(pages))


@settings(deadline=None, max_examples=100)
@given(ROWS)
def test_confusion_of_every_page_is_that_of_its_rows(rows: list[tuple[str, str, str]]) -> None:
    truth, found, pages = (list(column) for column in zip(*rows, strict=True))
    by_page = confusion_by_page(label_codes(truth), label_codes(found), pages)
    for i, page in enumerate(dict.fromkeys(pages)):
        here = [(a, b) for a, b, place in rows if place == page]
        assert by_page[i].tolist() == confusion_matrix(*zip(*here, strict=True), labels=NAMES).tolist()


def test_related_as_news_is_the_share_of_related_links_let_through() -> None:
    truth = ["related-link"] * 5 + ["news", "boilerplate"]
    found = ["news", "news", "boilerplate", "related-link", "related-link", "news", "news"]
    assert score(truth, found, ["p"] * 7).related_as_news.value == pytest.approx(0.4)
    assert score(["news"], ["news"], ["p"]).related_as_news.value == 0.0


def test_macro_f1_leaves_out_a_label_that_nobody_mentions() -> None:
    assert score(["news", "boilerplate"], ["news", "boilerplate"], ["p", "p"]).macro_f1.value == 1.0
    assert score(["news", "boilerplate"], ["news", "related-link"], ["p", "p"]).macro_f1.value == pytest.approx(1 / 3)


def test_many_confusion_matrices_are_scored_at_once() -> None:
    matrices = np.random.default_rng(0).integers(0, 9, (4, 5, 3, 3))
    at_once = score_confusion(matrices)
    assert at_once.f1.shape == (4, 5, 3)
    assert at_once.macro_f1[2, 3] == score_confusion(matrices[2, 3]).macro_f1
    assert at_once.related_as_news[1, 4] == score_confusion(matrices[1, 4]).related_as_news


def test_scores_of_an_empty_matrix_are_zero() -> None:
    found = score_confusion(np.zeros((3, 3), dtype=int))
    assert [float(found.macro_f1), float(found.accuracy), float(found.related_as_news)] == [0, 0, 0]


def test_resampling_draws_whole_pages() -> None:
    pages = np.stack([np.full((3, 3), 1), np.full((3, 3), 10), np.full((3, 3), 100)])
    drawn = resample_pages(pages, seed=0, n_resamples=500)
    assert drawn.shape == (500, 3, 3)
    assert (drawn == drawn[:, :1, :1]).all()
    counts = drawn[:, 0, 0]
    digits = np.array([[count // 100, count // 10 % 10, count % 10] for count in counts])
    assert (digits.sum(axis=1) == 3).all()
    assert len(np.unique(counts)) == 10
    assert digits.mean(axis=0) == pytest.approx([1, 1, 1], abs=0.15)


def score_table(table: pd.DataFrame, **options: Any) -> Any:
    return score(table["label"], table["predicted"], table["page"], **options)


def width(estimate: Any) -> float:
    return float(estimate.high - estimate.low)


def test_interval_is_seeded(answers: Callable[..., pd.DataFrame]) -> None:
    table = answers(20, right=0.8)
    assert score_table(table, seed=1) == score_table(table, seed=1)
    assert score_table(table, seed=1).macro_f1 != score_table(table, seed=2).macro_f1
    assert score_table(table, seed=1).macro_f1.value == score_table(table, seed=2).macro_f1.value


@pytest.mark.parametrize("seed", range(5))
def test_intervals_contain_their_values(answers: Callable[..., pd.DataFrame], seed: int) -> None:
    scores = score_table(answers(40, right=0.8, seed=seed), seed=seed)
    estimates = [scores.macro_f1, scores.accuracy, scores.news_f1, scores.related_as_news]
    estimates += [estimate for part in scores.labels for estimate in (part.precision, part.recall, part.f1)]
    for estimate in estimates:
        assert 0 <= estimate.low < estimate.value < estimate.high <= 1


def test_interval_shrinks_with_the_root_of_the_number_of_pages(answers: Callable[..., pd.DataFrame]) -> None:
    few, many = (score_table(answers(n_pages, right=0.8)).macro_f1 for n_pages in (25, 400))
    assert width(many) == pytest.approx(width(few) / 4, rel=0.35)


def test_interval_of_a_share_of_pages_is_the_normal_one_at_95_percent() -> None:
    found = score(["news"] * 600, ["news", "boilerplate"] * 300, range(600), n_resamples=4000).accuracy
    assert (found.low, found.high) == pytest.approx((0.5 - 1.96 * 0.5 / 600**0.5, 0.5 + 1.96 * 0.5 / 600**0.5), abs=0.004)


def test_interval_covers_the_true_accuracy_nineteen_times_in_twenty(answers: Callable[..., pd.DataFrame]) -> None:
    found = [score_table(answers(60, right=0.8, seed=seed), n_resamples=300).accuracy for seed in range(200)]
    covered = sum(estimate.low <= 0.8 <= estimate.high for estimate in found)
    assert 178 <= covered <= 198


def test_interval_covers_where_the_paragraphs_of_a_page_err_alike() -> None:
    model = PageModel(((0.85, 0.08, 0.07), (0.05, 0.87, 0.08), (0.10, 0.12, 0.78)), concentration=3)
    truth = float(np.diag(model.confusion) @ model.shares)
    rng = np.random.default_rng(0)
    n_covered, n_covered_as_if_alone = 0, 0
    for i in range(400):
        found = score_pages(model.draw(24, rng), seed=i, n_resamples=300)
        n_covered += found.accuracy.low <= truth <= found.accuracy.high
        # What the textbook says of as many independent paragraphs.
        half = 1.96 * (found.accuracy.value * (1 - found.accuracy.value) / found.n_paragraphs) ** 0.5
        n_covered_as_if_alone += abs(found.accuracy.value - truth) <= half
    assert 0.93 <= n_covered / 400 <= 0.97
    assert n_covered_as_if_alone / 400 < 0.7


def test_more_of_the_same_page_does_not_narrow_the_interval(answers: Callable[..., pd.DataFrame]) -> None:
    table = answers(20, right=0.8)
    copied = pd.concat([table] * 10, ignore_index=True)
    once, ten_times = score_table(table), score_table(copied)
    assert ten_times.n_paragraphs == 10 * once.n_paragraphs
    assert ten_times.macro_f1 == once.macro_f1
    as_if_alone = score(copied["label"], copied["predicted"], range(len(copied)))
    assert width(as_if_alone.macro_f1) < width(once.macro_f1) / 2


def test_a_single_page_says_nothing_of_others() -> None:
    found = score(["news", "boilerplate"], ["news", "news"], ["p", "p"]).macro_f1
    assert (found.low, found.high) == (0.0, 1.0)


def test_pages_of_any_kind_and_order_count_alike(answers: Callable[..., pd.DataFrame]) -> None:
    table = answers(10, right=0.7)
    expected = score_table(table)
    numbered = score(table["label"], table["predicted"], pd.factorize(table["page"])[0])
    assert numbered == expected


def test_nothing_to_score_is_refused() -> None:
    with pytest.raises(ValueError, match=r"scores: need at least one labelled paragraph; got none"):
        score([], [], [])


@pytest.mark.parametrize(("n_found", "n_pages", "got"), [(1, 3, "3, 1 and 3"), (3, 1, "3, 3 and 1"), (4, 3, "3, 4 and 3")])
def test_different_lengths_are_refused(n_found: int, n_pages: int, got: str) -> None:
    with pytest.raises(ValueError, match=rf"scores: need one prediction and one page per label; got {got} of them"):
        score(["news"] * 3, ["news"] * n_found, ["p"] * n_pages)


def test_unknown_prediction_is_refused() -> None:
    with pytest.raises(ValueError, match=r"labels: must be of .*; got 'advert'"):
        score(["news"], ["advert"], ["p"])


def test_scores_as_plain_values_survive_json() -> None:
    scores = score(["news", "related-link"], ["news", "news"], ["p", "q"], n_resamples=50)
    plain = json.loads(json.dumps(scores.as_dict()))
    assert plain["macro_f1"] == {"value": scores.macro_f1.value, "low": scores.macro_f1.low, "high": scores.macro_f1.high}
    assert plain["labels"][2]["label"] == "related-link"
    assert plain["confusion"] == [[1, 0, 0], [0, 0, 0], [1, 0, 0]]
