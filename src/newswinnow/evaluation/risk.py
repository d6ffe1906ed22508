"""Bounds on the news a model loses, and what it costs to let a model abstain.

A bound holds with a stated chance if the pages it was calibrated on and those it is used on are exchangeable. Applying a
threshold is left to :mod:`newswinnow.evaluation.decisions`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from newswinnow.evaluation.decisions import NewsLossCurve, NewsLossPoint
from newswinnow.evaluation.intervals import N_RESAMPLES, Estimate, page_draws, page_share
from newswinnow.evaluation.scores import label_codes
from newswinnow.paragraphs.label import LABELS, Label
from newswinnow.paragraphs.table import (
    LABEL,
    PAGE,
    PROBABILITY_COLUMNS,
    FloatArray,
    labelled_rows,
    require_columns,
)

CONFIDENCE: Final = 0.95
THRESHOLDS: Final = (0.0, *(float(t) for t in np.geomspace(1e-4, 0.1, 61).round(6)), *(i / 100 for i in range(11, 100)))
"""Fixed before any data is seen, as the bound demands; finest where little news lies."""

COVERAGES: Final = (1.0, 0.99, 0.98, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5)
_NEWS: Final = LABELS.index(Label.NEWS)
_STEPS: Final = 40


def upper_bounds(losses: FloatArray, *, confidence: float = CONFIDENCE) -> FloatArray:
    """Upper confidence bounds of means of numbers between 0 and 1, for any distribution and number of rows.

    A gambler bets against every mean that is too small; a mean is out once its gambler is rich (Waudby-Smith and Ramdas 2024, as
    used by Bates et al. 2021). Much tighter than Hoeffding's inequality where most losses are 0.

    Parameters
    ----------
    losses
        Independent rows in an order that does not depend on them, shape (n_rows, n_columns), in [0, 1].
    confidence
        Chance with which each column's mean is at most its bound, at least.

    Returns
    -------
    Shape (n_columns,); 1 where there are no rows.
    """
    if len(losses) == 0:
        return np.ones(losses.shape[1])
    rich = np.log(1 / (1 - confidence))
    bets = _bets(losses, rich)
    low, high = np.zeros(losses.shape[1]), np.ones(losses.shape[1])
    for _ in range(_STEPS):
        middle = (low + high) / 2
        is_out = _best_wealth(losses, bets, middle) >= rich
        low, high = np.where(is_out, low, middle), np.where(is_out, middle, high)
    return high


def is_bounded(losses: FloatArray, limit: float, *, confidence: float = CONFIDENCE) -> Any:
    """Whether the upper confidence bound of each mean is within a limit: one step of :func:`upper_bounds`, for simulations.

    Parameters
    ----------
    losses
        As for :func:`upper_bounds`, one row at least.
    limit
        The limit.
    confidence
        As for :func:`upper_bounds`.

    Returns
    -------
    Claims, shape (n_columns,).
    """
    rich = np.log(1 / (1 - confidence))
    return _best_wealth(losses, _bets(losses, rich), np.full(losses.shape[1], limit)) >= rich


def _best_wealth(losses: FloatArray, bets: FloatArray, means: FloatArray) -> FloatArray:
    """Logarithm of the most that gamblers own at any time who bet that the losses' means are below those given."""
    best: FloatArray = np.cumsum(np.log1p(-bets * (losses - means)), axis=0).max(axis=0)
    return best


def _bets(losses: FloatArray, rich: float) -> FloatArray:
    """Stakes, each from the losses before it; below 1, so that no loss ruins the gambler."""
    n = len(losses)
    counts = np.arange(1, n + 1)[:, None]
    means = (0.5 + np.cumsum(losses, axis=0)) / (counts + 1)
    variances = (0.25 + np.cumsum((losses - means) ** 2, axis=0)) / (counts + 1)
    before = np.vstack([np.full((1, losses.shape[1]), 0.25), variances[:-1]])
    stakes: FloatArray = np.minimum(np.sqrt(2 * rich / (n * before)), 1 - 1e-9)
    return stakes


def news_losses(p_news: FloatArray, is_news: Any, pages: Any, thresholds: Sequence[float] = THRESHOLDS) -> FloatArray:
    """Share of each page's news paragraphs that fall below each threshold.

    Parameters
    ----------
    p_news
        Probability of news, shape (n_paragraphs,).
    is_news
        Whether a paragraph is news, shape (n_paragraphs,).
    pages
        Page ids, shape (n_paragraphs,).
    thresholds
        Least probabilities of news.

    Returns
    -------
    Shape (n_pages, n_thresholds), pages with news in order of first appearance.
    """
    is_news = np.asarray(is_news, dtype=bool)
    codes, unique = pd.factorize(np.asarray(pages, dtype=object)[is_news])
    # How many thresholds a paragraph survives: all up to its probability.
    survived = np.searchsorted(np.asarray(thresholds), p_news[is_news], side="right")
    counts = np.zeros((len(unique), len(thresholds) + 1))
    np.add.at(counts, (codes, survived), 1)
    n_news = counts.sum(axis=1, keepdims=True)
    losses: FloatArray = np.cumsum(counts, axis=1)[:, :-1] / n_news
    return losses


def news_loss_curve(table: pd.DataFrame, *, confidence: float = CONFIDENCE, seed: int = 0) -> NewsLossCurve:
    """Calibrate thresholds on the probability of news.

    Parameters
    ----------
    table
        A paragraph table with labels and predictions, of pages that the model was not trained on.
    confidence
        Chance with which a threshold's bound holds.
    seed
        Seed of the order in which pages are looked at.

    Returns
    -------
    The curve; its guarantee and the assumption behind it stand in :class:`~newswinnow.evaluation.decisions.NewsLossCurve`.

    Raises
    ------
    ValueError
        If a column is missing, the confidence is out of range, or no labelled paragraph is news.
    """
    if not 0.5 <= confidence < 1:
        raise ValueError(f"confidence: must be at least 0.5 and below 1; got {confidence}")
    rows = labelled_rows(table)
    require_columns(rows, [PAGE, *PROBABILITY_COLUMNS], where="calibration")
    p_news = rows[PROBABILITY_COLUMNS[_NEWS]].to_numpy(dtype=np.float64)
    is_news = label_codes(rows[LABEL]) == _NEWS
    if not is_news.any():
        raise ValueError(f"calibration: needs labelled news paragraphs; got none among {len(rows)}")
    losses = news_losses(p_news, is_news, rows[PAGE])
    order = np.random.default_rng(seed).permutation(len(losses))
    bounds = upper_bounds(losses[order], confidence=confidence)
    rest = np.sort(p_news[~is_news])
    kept = 1 - np.searchsorted(rest, THRESHOLDS) / len(rest) if len(rest) else np.zeros(len(THRESHOLDS))
    points = tuple(map(NewsLossPoint, THRESHOLDS, losses.mean(axis=0).tolist(), bounds.tolist(), kept.tolist()))
    return NewsLossCurve(points, len(losses), confidence)


@dataclass(frozen=True)
class SelectivePoint:
    """What is left of the errors when only the surest predictions count.

    Attributes
    ----------
    coverage
        Share of paragraphs answered.
    threshold
        Least highest probability among them.
    error
        Share of them that is wrong, with its interval.
    """

    coverage: float
    threshold: float
    error: Estimate


def selective_curve(
    probabilities: FloatArray, y_true: Any, pages: Any, *, seed: int = 0, n_resamples: int = N_RESAMPLES
) -> tuple[SelectivePoint, ...]:
    """Coverage and risk of abstaining from the least sure predictions.

    Parameters
    ----------
    probabilities
        Shape (n_paragraphs, 3), in label order.
    y_true
        Label strings, shape (n_paragraphs,).
    pages
        Page ids, shape (n_paragraphs,).
    seed
        Seed of the intervals.
    n_resamples
        Resampled corpora behind each interval.

    Returns
    -------
    One point for each of :data:`COVERAGES`; equally sure predictions are answered together, so that the coverage can be more.
    """
    confidence = probabilities.max(axis=1)
    is_wrong = probabilities.argmax(axis=1) != label_codes(y_true)
    codes, unique = pd.factorize(np.asarray(pages, dtype=object))
    draws = page_draws(len(unique), seed=seed, n_resamples=n_resamples)
    ranked = np.sort(confidence)[::-1]
    points = []
    for coverage in COVERAGES:
        threshold = float(ranked[max(int(np.ceil(coverage * len(ranked))), 1) - 1])
        is_answered = confidence >= threshold
        error = page_share(is_answered, is_wrong, codes, draws)
        points.append(SelectivePoint(float(is_answered.mean()), threshold, error))
    return tuple(dict.fromkeys(points))
