from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from newswinnow.evaluation.risk import (
    THRESHOLDS,
    is_bounded,
    news_loss_curve,
    news_losses,
    selective_curve,
    upper_bounds,
)


def reference_bound(losses: list[float], *, delta: float, step: float = 1e-3) -> float:
    """The same bound as its paper writes it (Bates et al. 2021, section 3.1.3), loss by loss, on a grid of means."""
    n, total, squares, bets, variance = len(losses), 0.0, 0.0, [], 0.25
    for i, loss in enumerate(losses, start=1):
        bets.append(min(1.0, (2 * np.log(1 / delta) / (n * variance)) ** 0.5))
        total += loss
        squares += (loss - (0.5 + total) / (i + 1)) ** 2
        variance = (0.25 + squares) / (i + 1)
    mean = 0.0
    while mean < 1:
        wealth, best = 1.0, 0.0
        for loss, bet in zip(losses, bets, strict=True):
            wealth *= 1 - bet * (loss - mean)
            best = max(best, wealth)
        if best >= 1 / delta:
            return mean
        mean += step
    return 1.0


@pytest.mark.parametrize(("share", "n"), [(0.0, 60), (0.1, 40), (0.5, 80), (0.02, 300)])
def test_bound_is_that_of_the_paper(share: float, n: int) -> None:
    rng = np.random.default_rng(0)
    losses = (rng.random(n) < share) * rng.random(n)
    assert upper_bounds(losses[:, None])[0] == pytest.approx(reference_bound(losses.tolist(), delta=0.05), abs=1.1e-3)


def test_bound_holds_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    losses = (rng.random((200, 2000)) < 0.08) * rng.beta(1, 3, (200, 2000))
    assert (upper_bounds(losses) >= 0.08 * 0.25).mean() >= 0.95
    assert (upper_bounds(losses, confidence=0.8) >= 0.08 * 0.25).mean() >= 0.8
    assert np.median(upper_bounds(losses)) < 0.06


def test_bound_of_nothing_and_of_few() -> None:
    assert upper_bounds(np.zeros((0, 2))).tolist() == [1.0, 1.0]
    assert upper_bounds(np.zeros((302, 1)))[0] < 0.011
    assert upper_bounds(np.zeros((290, 1)))[0] > 0.01
    assert upper_bounds(np.ones((50, 1)))[0] == 1.0


@pytest.mark.parametrize("limit", [0.01, 0.05, 0.2])
def test_one_step_agrees_with_the_bound(limit: float) -> None:
    losses = np.random.default_rng(2).beta(0.2, 8, (150, 60)) * np.linspace(0, 3, 60).clip(max=1)
    assert (is_bounded(losses, limit) == (upper_bounds(losses) <= limit)).all()


def test_losses_against_a_count_by_hand() -> None:
    p_news = np.array([0.9, 0.2, 0.05, 0.5, 0.5, 0.0])
    is_news = [True, True, True, False, True, True]
    found = news_losses(p_news, is_news, ["q", "q", "q", "q", "p", "p"], thresholds=(0.0, 0.05, 0.2, 0.5, 0.91))
    assert found.tolist() == [
        pytest.approx([0, 0, 1 / 3, 2 / 3, 1]),
        pytest.approx([0, 1 / 2, 1 / 2, 1 / 2, 1]),
    ]


def pages(n: int, *, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    is_news = rng.random(n * 10) < 0.5
    p = np.where(is_news, rng.beta(9, 1, n * 10), rng.beta(1, 9, n * 10)).round(6)
    return pd.DataFrame(
        {
            "page": np.repeat(np.arange(n), 10),
            "label": np.where(is_news, "news", "boilerplate"),
            "p_news": p,
            "p_boilerplate": 1 - p,
            "p_related_link": 0.0,
        }
    )


def test_curve_begins_with_keeping_everything_and_only_loses() -> None:
    found = news_loss_curve(pages(120))
    assert [point.threshold for point in found.points] == list(THRESHOLDS)
    losses = [point.loss for point in found.points]
    assert losses[0] == 0
    assert losses == sorted(losses)
    assert all(point.loss < point.bound for point in found.points)
    kept = [point.rest_kept for point in found.points]
    assert kept[0] == 1
    assert kept == sorted(kept, reverse=True)
    assert (found.n_pages, found.confidence) == (120, 0.95)
    assert 0 < found.threshold_for(0.1) < 1


def test_a_threshold_keeps_its_promise_on_new_pages() -> None:
    fresh = pages(3000, seed=99)
    is_news = (fresh["label"] == "news").to_numpy()
    losses = news_losses(fresh["p_news"].to_numpy(), is_news, fresh["page"]).mean(axis=0)
    kept = []
    for seed in range(40):
        threshold = news_loss_curve(pages(150, seed=seed), seed=seed).threshold_for(0.05)
        kept.append(losses[THRESHOLDS.index(threshold)] <= 0.05)
    assert sum(kept) >= 38


def test_curve_without_the_rest_and_without_news() -> None:
    table = pages(5)
    only_news = table[table["label"] == "news"]
    assert {point.rest_kept for point in news_loss_curve(only_news).points} == {0.0}
    with pytest.raises(ValueError, match=r"calibration: needs labelled news paragraphs; got none among"):
        news_loss_curve(table[table["label"] != "news"])
    with pytest.raises(ValueError, match=r"confidence: must be at least 0.5 and below 1; got 1.0"):
        news_loss_curve(table, confidence=1.0)
    with pytest.raises(ValueError, match=r"calibration: must have the columns"):
        news_loss_curve(table.drop(columns="p_news"))


def test_abstaining_from_the_least_sure_leaves_fewer_errors() -> None:
    table = pages(60)
    probabilities = table[["p_news", "p_boilerplate", "p_related_link"]].to_numpy()
    found = selective_curve(probabilities, table["label"], table["page"])
    assert found[0].coverage == 1.0
    is_wrong = (table["p_news"] > 0.5) != (table["label"] == "news")
    assert found[0].error.value == pytest.approx(is_wrong.mean())
    assert found[-1].error.value < found[0].error.value
    assert all(point.error.low <= point.error.value <= point.error.high for point in found)
    assert [point.coverage for point in found] == sorted((point.coverage for point in found), reverse=True)


def test_equally_sure_predictions_are_answered_together() -> None:
    found = selective_curve(np.array([[1.0, 0.0, 0.0]] * 8), ["news"] * 6 + ["boilerplate"] * 2, list("aabbccdd"))
    assert [(point.coverage, point.error.value) for point in found] == [(1.0, 0.25)]
