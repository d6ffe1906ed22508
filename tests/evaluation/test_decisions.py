from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswinnow.evaluation.decisions import (
    Costs,
    Decision,
    NewsLossCurve,
    NewsLossPoint,
    labels_keeping_news,
    read_decision,
)

PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.3, 0.4, 0.3], [0.05, 0.05, 0.9]])


def curve(*bounds: float, n_pages: int = 400) -> NewsLossCurve:
    points = tuple(NewsLossPoint(i / 10, i / 100, bound, 0.5) for i, bound in enumerate(bounds))
    return NewsLossCurve(points, n_pages, 0.95)


def test_equal_costs_choose_the_most_probable_label() -> None:
    assert Costs().labels(PROBABILITIES) == ["news", "boilerplate", "related-link"]


def test_dear_mistakes_move_the_threshold() -> None:
    # Losing news costs five times as much as keeping something else: news from a probability of 1/6 on.
    costs = Costs(((0.0, 5.0, 5.0), (1.0, 0.0, 1.0), (1.0, 1.0, 0.0)))
    at = np.array([[0.17, 0.83, 0.0], [0.16, 0.84, 0.0]])
    assert costs.labels(at) == ["news", "boilerplate"]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 50), min_size=3, max_size=3), st.floats(0, 1))
def test_abstains_exactly_where_every_answer_costs_more(weights: list[int], unsure: float) -> None:
    p = np.array([weights]) / sum(weights)
    found = Costs(unsure=unsure).labels(p)
    assert (found == ["unsure"]) is bool(1 - p.max() > unsure or (p @ (1 - np.eye(3))).min() > unsure)


def test_news_is_kept_from_the_threshold_on() -> None:
    assert labels_keeping_news(PROBABILITIES, 0.3) == ["news", "news", "related-link"]
    assert labels_keeping_news(PROBABILITIES, 0.31) == ["news", "boilerplate", "related-link"]
    assert labels_keeping_news(PROBABILITIES, 0.0) == ["news"] * 3


def test_threshold_is_the_last_before_the_first_bound_beyond_the_limit() -> None:
    found = curve(0.004, 0.006, 0.009, 0.02, 0.008)
    assert found.threshold_for(0.01) == 0.2
    assert found.threshold_for(0.5) == 0.4
    decision = Decision("abc", "alone", news_loss=found)
    assert decision.news_threshold(0.015) == 0.2
    assert labels_keeping_news(PROBABILITIES, 0.2) == ["news", "news", "related-link"]
    assert decision.costs.labels(PROBABILITIES) == ["news", "boilerplate", "related-link"]


@pytest.mark.parametrize("limit", [0.0, 1.0, -0.1, float("nan")])
def test_limits_out_of_range_are_refused(limit: float) -> None:
    with pytest.raises(ValueError, match=r"max-news-loss: must be above 0 and below 1; got"):
        curve(0.001, 0.002).threshold_for(limit)


def test_what_cannot_be_ensured_is_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match=r"max-news-loss: 0.01 needs at least 302 calibration pages with news; got 100"):
        curve(0.03, 0.04, n_pages=100).threshold_for(0.01)
    with pytest.raises(ValueError, match=r"max-news-loss: must be within the model's reach; got 0.01"):
        curve(0.007, 0.04).threshold_for(0.01)
    with pytest.raises(ValueError, match=r"max-news-loss: needs a calibrated decision; got one of costs alone"):
        Decision("abc", "alone").news_threshold(0.01)


@pytest.mark.parametrize(
    "mistakes", [((0.0, 1.0), (1.0, 0.0)), ((1.0, 1, 1),) * 3, ((0, -1, 1), (1, 0, 1), (1, 1, 0)), ((0, "x", 1),) * 3]
)
def test_costs_that_are_none_are_refused(mistakes: tuple[tuple[float, ...], ...]) -> None:
    with pytest.raises(ValueError, match=r"costs.mistakes: must be 3 rows of 3 numbers >= 0, 0 on the diagonal; got"):
        Costs(mistakes)
    with pytest.raises(ValueError, match=r"costs.unsure: must be a number >= 0; got -1"):
        Costs(unsure=-1)


@pytest.mark.parametrize("news_loss", [None, curve(0.001, 0.1)])
def test_what_is_written_reads_back(news_loss: NewsLossCurve | None, tmp_path: Path) -> None:
    decision = Decision("a" * 64, "order", Costs(unsure=0.3), news_loss)
    path = tmp_path / "decision.json"
    path.write_text(decision.as_json(), encoding="utf-8")
    assert read_decision(path) == decision


def test_missing_and_damaged_decisions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"absent.json: must be a decision; got nothing there"):
        read_decision(tmp_path / "absent.json")
    good = json.loads(Decision("a", "alone", news_loss=curve(0.001, 0.1)).as_json())
    points = good["news_loss"]["points"]
    damaged = [
        "{",
        "[]",
        {**good, "extra": 1},
        {**good, "format": 9},
        {**good, "costs": {"mistakes": [], "unsure": None}},
        {**good, "news_loss": {**good["news_loss"], "points": points[::-1]}},
        {**good, "news_loss": {**good["news_loss"], "points": [{**points[0], "bound": 2}]}},
        {**good, "news_loss": {**good["news_loss"], "points": [{"threshold": 1}]}},
    ]
    for i, content in enumerate(damaged):
        path = tmp_path / f"{i}.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        with pytest.raises(ValueError, match=rf"{i}.json: must hold a decision; got "):
            read_decision(path)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate((4 << 20) + 1)
    with pytest.raises(ValueError, match=r"huge.json: must have at most 4194304 bytes; got 4194305"):
        read_decision(path)
