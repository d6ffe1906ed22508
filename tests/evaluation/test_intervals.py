from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_1samp
from statsmodels.stats.proportion import proportion_confint  # type: ignore[import-untyped]

from newswinnow.evaluation.intervals import (
    Estimate,
    mean_interval,
    p_value_of,
    page_draws,
    ratio_interval,
    share_interval,
    spread,
    sums_by_page,
)


def test_draws_keep_the_number_of_pages_and_follow_the_seed() -> None:
    draws = page_draws(7, seed=1, n_resamples=500)
    assert draws.shape == (500, 7)
    assert (draws.sum(axis=1) == 7).all()
    assert (page_draws(7, seed=1, n_resamples=500) == draws).all()
    assert (page_draws(7, seed=2, n_resamples=500) != draws).any()


def test_spread_of_a_mean_is_its_squared_standard_error() -> None:
    values = np.random.default_rng(0).normal(size=30)
    resampled = page_draws(30, seed=0, n_resamples=40_000) @ values / 30
    assert spread(resampled, 30) == pytest.approx(values.var(ddof=1) / 30, rel=0.03)


def test_corpora_that_leave_a_score_undefined_do_not_count() -> None:
    assert spread(np.array([np.nan, 1.0, 3.0, np.nan]), 2) == pytest.approx(2.0)
    assert spread(np.array([np.nan, 1.0]), 2) == 0.0


def test_as_many_trials_as_independent_ones_give_clopper_and_pearsons_interval() -> None:
    # A variance of p(1-p)/n is that of n independent trials; Student's quantile of many pages is nearly the normal one.
    p, n = 0.3, 500
    resampled = p + np.sqrt(p * (1 - p) / n) * np.array([-1.0, 1.0])
    found = share_interval(p, resampled, n_pages=100_000, n_trials=10_000)
    assert (found.low, found.high) == pytest.approx(proportion_confint(p * n, n, method="beta"), abs=1e-4)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_share_without_spread_is_not_certain(value: float) -> None:
    found = share_interval(value, np.full(50, value), n_pages=20, n_trials=400)
    more = share_interval(value, np.full(50, value), n_pages=80, n_trials=1600)
    assert 0.02 < found.high - found.low < 0.1
    assert more.high - more.low < found.high - found.low
    assert value in (found.low, found.high)


@pytest.mark.parametrize(("n_pages", "n_trials"), [(0, 0), (1, 9), (5, 0)])
def test_without_pages_or_paragraphs_everything_is_possible(n_pages: int, n_trials: int) -> None:
    assert share_interval(0.7, np.full(9, 0.7), n_pages=n_pages, n_trials=n_trials) == Estimate(0.7, 0.0, 1.0)


@settings(deadline=None, max_examples=100)
@given(st.floats(0, 1), st.floats(0, 0.5), st.integers(2, 60), st.integers(1, 500))
def test_intervals_of_shares_hold_their_value_and_stay_in_bounds(value: float, width: float, n_pages: int, n: int) -> None:
    found = share_interval(value, value + width * np.array([-1.0, 1.0]), n_pages=n_pages, n_trials=n)
    assert 0 <= found.low <= value <= found.high <= 1


def test_mean_interval_and_p_value_are_students() -> None:
    values = np.random.default_rng(3).normal(0.3, 1, size=15)
    resampled = page_draws(15, seed=0, n_resamples=60_000) @ values / 15
    found = mean_interval(float(values.mean()), resampled, n_pages=15)
    expected = ttest_1samp(values, 0)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval()), abs=0.02)
    assert p_value_of(found, n_pages=15) == pytest.approx(expected.pvalue, rel=0.05)


def test_p_values_without_spread() -> None:
    assert p_value_of(Estimate(0.0, 0.0, 0.0), n_pages=9) == 1.0
    assert p_value_of(Estimate(0.1, 0.1, 0.1), n_pages=9) == 0.0


def test_mean_of_one_page_has_no_interval() -> None:
    with pytest.raises(ValueError, match=r"interval: needs at least two pages; got 1"):
        mean_interval(0.5, np.array([0.5]), n_pages=1)
    assert ratio_interval(np.array([3.0]), np.array([4.0]), page_draws(1, seed=0)) == Estimate(0.75, 0.75, 0.75)


def test_ratio_of_sums_over_pages() -> None:
    codes = np.array([0, 0, 1, 2, 2, 2])
    parts, wholes = sums_by_page(codes, [1, 0, 1, 0, 0, 1]), sums_by_page(codes, np.ones(6))
    assert parts.tolist() == [1.0, 1.0, 1.0]
    found = ratio_interval(parts, wholes, page_draws(3, seed=0))
    assert found.low < found.value == 0.5 < found.high
