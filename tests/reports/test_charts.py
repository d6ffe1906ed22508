"""Charts as coordinates."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswinnow.evaluation.calibration import ReliabilityBin
from newswinnow.evaluation.decisions import NewsLossPoint
from newswinnow.evaluation.intervals import Estimate
from newswinnow.evaluation.risk import SelectivePoint
from newswinnow.reports.charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    Scale,
    difference_scale,
    news_loss_chart,
    reliability_chart,
    risk_chart,
    score_scale,
)

shares = st.floats(0, 1)
X0, X1, Y0, Y1 = LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM, TOP


def pairs_of(points: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (point.split(",") for point in points.split())]


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0, 1, ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]),
        (0.5, 1, ["50 %", "60 %", "70 %", "80 %", "90 %", "100 %"]),
        (0, 0.2, ["0 %", "5 %", "10 %", "15 %", "20 %"]),
        (0, 0.02, ["0 %", "1 %", "2 %"]),
    ],
)
def test_ticks_are_round_and_where_their_values_lie(low: float, high: float, texts: list[str]) -> None:
    axis = Axis(low, high, 100, 200)
    ticks = axis.ticks()
    assert [tick.text for tick in ticks] == texts
    assert (ticks[0].at, ticks[-1].at) == (100, 200)
    steps = [b.at - a.at for a, b in pairwise(ticks)]
    assert steps == pytest.approx([100 / (len(ticks) - 1)] * (len(ticks) - 1))


@given(value=st.floats(-10, 10))
def test_what_is_outside_an_axis_stands_at_its_border(value: float) -> None:
    at = Axis(0, 1, 300, 100).at(value)
    assert 100 <= at <= 300
    assert at == 300 if value <= 0 else at < 300.1
    assert at == 100 if value >= 1 else at > 99.9


def test_reliability_puts_a_dot_where_probability_meets_truth() -> None:
    bins = (ReliabilityBin(0.5, 0.5, 1.0, 30, 0.9, 1.0), ReliabilityBin(0.9, 1.0, 0.5, 90, 0.25, 0.75))
    chart = reliability_chart(bins, name="news")
    assert chart.title == "Reliability: news"
    first, second = chart.dots
    assert (first.x, first.y) == pytest.approx(((X0 + X1) / 2, Y1))
    assert (second.x, second.y) == pytest.approx((X1, (Y0 + Y1) / 2))
    assert second.low > second.y > second.high
    assert second.radius > first.radius
    assert second.title == "90 paragraphs, given 100 %, were right 50 %"
    assert chart.summary.endswith("given 100 %, right 50 % of 90 paragraphs.")
    assert pairs_of(chart.lines[0].points) == [(X0, Y0), (X1, Y1)]
    assert chart.rows[1] == ("100.0 %", "50.0 %", "25.0–75.0 %", "90")


def test_risk_runs_from_the_surest_to_all_with_the_interval_around_it() -> None:
    points = (
        SelectivePoint(1.0, 0.3, Estimate(0.1, 0.05, 0.2)),
        SelectivePoint(0.5, 0.9, Estimate(0.0, 0.0, 0.05)),
    )
    chart = risk_chart(points)
    (line,) = chart.lines
    assert pairs_of(line.points) == [(X0, Y0), (X1, pytest.approx((Y0 + Y1) / 2))]
    assert pairs_of(chart.band)[1] == (X1, Y1)
    assert [tick.text for tick in chart.y_ticks][-1] == "20 %"
    assert chart.rows[0] == ("100.0 %", "30.0 %", "10.0 %", "5.0–20.0 %")
    assert chart.summary == "10.0 % wrong when 100 % are answered, 0.0 % when 50 % are."


def test_risk_without_any_error_or_below_half() -> None:
    chart = risk_chart((SelectivePoint(0.32, 1.0, Estimate(0.0, 0.0, 0.0)),))
    assert [tick.text for tick in chart.y_ticks] == ["0 %", "1 %"]
    assert chart.x_ticks[0].text == "40 %"
    assert len(pairs_of(chart.lines[0].points)) == 1


def test_lost_news_with_its_bound() -> None:
    chart = news_loss_chart((NewsLossPoint(0.0, 0.0, 0.1, 1.0), NewsLossPoint(0.5, 0.2, 0.4, 0.0)))
    bound, loss = chart.lines
    assert (bound.kind, loss.kind) == ("bound", "first")
    assert pairs_of(loss.points) == [(X1, Y0), (X0, pytest.approx((Y0 + Y1) / 2))]
    assert pairs_of(bound.points)[1] == (X0, Y1)
    assert chart.rows[1] == ("0.5", "20.0 %", "40.0 %", "0.0 %")


@given(values=st.lists(st.tuples(shares, shares, shares).map(sorted), min_size=1, max_size=5))
def test_a_scale_holds_every_score(values: list[list[float]]) -> None:
    estimates = [Estimate(value, low, high) for low, value, high in values]
    scale = score_scale(estimates)
    assert 0 <= scale.low <= 0.9
    assert scale.high == 1
    for estimate in estimates:
        strip = scale.strip(estimate)
        assert scale.low <= estimate.low
        assert 0 <= strip.low <= strip.at <= strip.high <= 200


@given(low=st.floats(-1, 1), high=st.floats(-1, 1))
def test_a_scale_of_differences_has_zero_in_the_middle(low: float, high: float) -> None:
    low, high = sorted((low, high))
    scale = difference_scale([Estimate((low + high) / 2, low, high)])
    assert scale.zero == 100
    assert scale.low <= low
    assert high <= scale.high


def test_strips_say_their_numbers() -> None:
    assert score_scale([]) == Scale(0.0, 1.0)
    assert Scale(0.5, 1.0).strip(Estimate(0.75, 0.7, 0.8)).text == "0.750, 0.700 to 0.800"
    signed = difference_scale([Estimate(0.01, -0.005, 0.015)])
    assert signed.strip(Estimate(0.01, -0.005, 0.015)).text == "+0.010, -0.005 to +0.015"
    assert signed.ends == ("-0.02", "+0.02")
    assert Scale(0.5, 1.0).ends == ("0.5", "1")
    assert difference_scale([]).ends == ("-0.01", "+0.01")
