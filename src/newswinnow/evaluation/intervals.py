"""95 % intervals of scores measured on pages: how far a score would wander on other pages of the same kind.

Pages are resampled for the spread; the spread is turned into an interval by a rule that still covers with a dozen pages. What is
scored is left to :mod:`newswinnow.evaluation.scores`.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.special import betaincinv, stdtr, stdtrit

from newswinnow.paragraphs.table import FloatArray, IntArray

N_RESAMPLES: Final = 2000
TAIL: Final = 0.025
"""Chance left on each side of an interval."""

CRITICAL: Final = 1.959963984540054
"""The normal quantile at ``1 - TAIL``."""

ASSUMED_CORRELATION: Final = 0.25
"""How alike a page's paragraphs are taken to be where no page differs from another, so that it cannot be measured: above the
intraclass correlations of 0.03 to 0.23 that the errors of experiments 005 and 017 have on the dev pages."""

_NO_SPREAD: Final = 1e-12
_EXACT: Final = 2.0**30


@dataclass(frozen=True)
class Estimate:
    """A score with its 95 % interval."""

    value: float
    low: float
    high: float


def page_draws(n_pages: int, *, seed: int, n_resamples: int = N_RESAMPLES) -> FloatArray:
    """How often each page stands in corpora whose pages are drawn with replacement.

    Parameters
    ----------
    n_pages
        Pages to draw from.
    seed
        Seed of the draw.
    n_resamples
        How many corpora.

    Returns
    -------
    Counts, shape (n_resamples, n_pages), each row summing to ``n_pages``.
    """
    # Drawing pages and counting them is ten times as fast as drawing multinomial counts.
    drawn = np.random.default_rng(seed).integers(n_pages, size=(n_resamples, n_pages))
    drawn += np.arange(n_resamples)[:, None] * n_pages
    counts = np.bincount(drawn.ravel(), minlength=n_resamples * n_pages).reshape(n_resamples, n_pages)
    # As floats, whose products with matrices are compiled ones; sums of counts stay exact.
    return counts.astype(np.float64)


def spread(resampled: FloatArray, n_pages: int) -> float:
    """Variance of a score over resampled corpora, corrected for the page that resampling takes from its freedom.

    Parameters
    ----------
    resampled
        The score on each resampled corpus, shape (n_resamples,); NaN where it is undefined there.
    n_pages
        Pages behind it, at least 2.

    Returns
    -------
    The variance; 0 where at most one corpus defines the score.
    """
    defined = resampled[~np.isnan(resampled)]
    return float(defined.var()) * n_pages / (n_pages - 1) if len(defined) > 1 else 0.0


def share_interval(value: float, resampled: FloatArray, *, n_pages: int, n_trials: int) -> Estimate:
    """Interval of a score between 0 and 1: Clopper and Pearson's, for as many independent trials as would spread as much.

    Korn and Graubard (Survey Methodology 24, 1998) made this rule for shares in clustered samples. With 12 to 48 pages it holds
    the truth of macro-F1 and of each label's F1 in 93 to 97 % of corpora; that of other scores in 92 to 97 %, and in up to
    99.5 % where one or two dozen pages have little of what is counted. Percentiles of the resampled scores hold macro-F1 in 88
    to 94 % (experiments/023-interval-coverage).

    Parameters
    ----------
    value
        The score.
    resampled
        The score on each resampled corpus, shape (n_resamples,); NaN where it is undefined there.
    n_pages
        Pages that the score depends on.
    n_trials
        Paragraphs that the score depends on: more independent trials than these it cannot have.

    Returns
    -------
    The value with its interval; 0 to 1 where fewer than two pages or no paragraphs stand behind it.

    Examples
    --------
    >>> found = share_interval(1.0, np.ones(100), n_pages=20, n_trials=200)
    >>> round(found.low, 3), found.high
    (0.934, 1.0)
    """
    if n_pages < 2 or n_trials < 1:
        return Estimate(value, 0.0, 1.0)
    variance = spread(resampled, n_pages)
    if variance <= _NO_SPREAD or not 0 < value < 1:
        n = n_trials / (1 + max(n_trials / n_pages - 1, 0) * ASSUMED_CORRELATION)
    else:
        n = min(value * (1 - value) / variance, n_trials)
    n *= (CRITICAL / float(stdtrit(n_pages - 1, 1 - TAIL))) ** 2
    hits, misses = value * n, (1 - value) * n
    low = float(betaincinv(hits, misses + 1, TAIL)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, misses, 1 - TAIL)) if misses > 0 else 1.0
    return Estimate(value, min(low, value), max(high, value))


def mean_interval(value: float, resampled: FloatArray, *, n_pages: int) -> Estimate:
    """Student's interval of any other number, such as a difference of two scores.

    Parameters
    ----------
    value
        The number.
    resampled
        The number on each resampled corpus, shape (n_resamples,); NaN where it is undefined there.
    n_pages
        Pages behind it, at least 2.

    Returns
    -------
    The value with its interval; of no width where resampling changes nothing.

    Raises
    ------
    ValueError
        If there are fewer than two pages.
    """
    if n_pages < 2:
        raise ValueError(f"interval: needs at least two pages; got {n_pages}")
    half = float(stdtrit(n_pages - 1, 1 - TAIL)) * spread(resampled, n_pages) ** 0.5
    return Estimate(value, value - half, value + half)


def ratio_interval(parts: FloatArray, wholes: FloatArray, draws: FloatArray) -> Estimate:
    """A ratio of sums over pages, such as a mean over paragraphs, with Student's interval.

    Parameters
    ----------
    parts
        Numerator of each page, shape (n_pages,).
    wholes
        Denominator of each page, shape (n_pages,), of a sum above 0.
    draws
        As :func:`page_draws` gives them.

    Returns
    -------
    The ratio; its interval is the ratio alone where there is a single page.
    """
    value = float(parts.sum() / wholes.sum())
    if len(parts) < 2:
        return Estimate(value, value, value)
    bottom = draws @ wholes
    resampled = np.divide(draws @ parts, bottom, out=np.full(len(draws), np.nan), where=bottom > 0)
    return mean_interval(value, resampled, n_pages=len(parts))


def page_share(is_in: Any, is_hit: Any, page_codes: IntArray, draws: FloatArray) -> Estimate:
    """Share of hits among some of the paragraphs, with its interval over pages.

    Parameters
    ----------
    is_in
        Which paragraphs count, at least one, shape (n_paragraphs,).
    is_hit
        Which are hits, shape (n_paragraphs,).
    page_codes
        Page of each paragraph, shape (n_paragraphs,).
    draws
        As :func:`page_draws` gives them.

    Returns
    -------
    The share.
    """
    n_in = np.bincount(page_codes[is_in], minlength=draws.shape[1])
    n_hits = np.bincount(page_codes[is_in & is_hit], minlength=draws.shape[1])
    drawn = draws @ n_in
    resampled = np.divide(draws @ n_hits, drawn, out=np.full(len(drawn), np.nan), where=drawn > 0)
    n = int(n_in.sum())
    return share_interval(float(n_hits.sum() / n), resampled, n_pages=int((n_in > 0).sum()), n_trials=n)


def p_value_of(estimate: Estimate, *, n_pages: int) -> float:
    """Two-sided chance of a number as far from 0, by Student's test that goes with :func:`mean_interval`.

    Parameters
    ----------
    estimate
        The number with its interval.
    n_pages
        Pages behind it, at least 2.

    Returns
    -------
    The p value; 1 where number and interval are both 0.
    """
    half = (estimate.high - estimate.low) / 2
    if half == 0:
        return 1.0 if estimate.value == 0 else 0.0
    t = abs(estimate.value) / half * float(stdtrit(n_pages - 1, 1 - TAIL))
    return 2 * float(stdtr(n_pages - 1, -t))


def sums_by_page(page_codes: IntArray, values: Any) -> FloatArray:
    """Sums of paragraph values over pages.

    Parameters
    ----------
    page_codes
        Page of each paragraph, 0 to n_pages - 1, shape (n_paragraphs,).
    values
        Numbers, shape (n_paragraphs,).

    Returns
    -------
    Shape (n_pages,), rounded to multiples of 2**-30.
    """
    sums = np.bincount(page_codes, weights=np.asarray(values, dtype=np.float64))
    # Binary fractions of 30 digits add up exactly in any order, so that no number of threads changes a digit of a report.
    exact: FloatArray = np.rint(sums * _EXACT).astype(np.float64) / _EXACT
    return exact
