"""Whether probabilities mean what they say: calibration error, reliability diagrams and proper scores, with intervals over pages.

Turning probabilities into decisions is left to :mod:`newswinnow.evaluation.decisions`.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from newswinnow.evaluation.intervals import N_RESAMPLES, Estimate, page_draws, page_share, ratio_interval, sums_by_page
from newswinnow.evaluation.scores import label_codes
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import FloatArray, IntArray

N_BINS: Final = 10
LEAST_PROBABILITY: Final = 1e-6
"""Probabilities are rounded to six digits; the log loss takes none as smaller than the last of them."""


@dataclass(frozen=True)
class ReliabilityBin:
    """Predictions whose probability falls into one tenth: how sure they were and how often right.

    Attributes
    ----------
    low
        Lower border of the bin.
    confidence
        Mean probability.
    accuracy, accuracy_low, accuracy_high
        Share that was right, with its 95 % interval over pages.
    n_paragraphs
        Predictions in the bin.
    """

    low: float
    confidence: float
    accuracy: float
    n_paragraphs: int
    accuracy_low: float
    accuracy_high: float


@dataclass(frozen=True)
class Calibration:
    """How far probabilities can be believed.

    Attributes
    ----------
    ece
        Expected calibration error (Naeini et al. 2015) of the highest probability over ten equal bins.
    ece_by_chance
        What a perfectly calibrated model with the same probabilities would show on as many independent paragraphs, in the mean.
    bins
        Reliability of the highest probability; bins that hold nothing are left out.
    label_bins
        Reliability of each label's probability.
    confidence_gap
        Mean highest probability less accuracy: above 0 where the model is too sure.
    brier
        Mean squared distance of the probabilities from the truth, 0 to 2 (Brier 1950).
    log_loss
        Mean negative logarithm of the true label's probability.
    """

    ece: float
    ece_by_chance: float
    bins: tuple[ReliabilityBin, ...]
    label_bins: dict[str, tuple[ReliabilityBin, ...]]
    confidence_gap: Estimate
    brier: Estimate
    log_loss: Estimate


def log_losses(probabilities: FloatArray, truth: IntArray) -> FloatArray:
    """Negative logarithm of the true label's probability.

    Parameters
    ----------
    probabilities
        Shape (n_paragraphs, 3), in label order.
    truth
        True label codes, shape (n_paragraphs,).

    Returns
    -------
    Shape (n_paragraphs,), at most about 13.8.
    """
    losses: FloatArray = -np.log(np.maximum(probabilities[np.arange(len(truth)), truth], LEAST_PROBABILITY))
    return losses


@dataclass(frozen=True)
class _Pages:
    """Pages of the paragraphs and the corpora drawn from them."""

    codes: IntArray
    draws: FloatArray

    def mean(self, values: Any) -> Estimate:
        counts = sums_by_page(self.codes, np.ones(len(self.codes)))
        return ratio_interval(sums_by_page(self.codes, values), counts, self.draws)


def _bins(confidence: FloatArray, is_right: Any, pages: _Pages) -> tuple[ReliabilityBin, ...]:
    index = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    return tuple(_bin(i, index == i, confidence, is_right, pages) for i in np.unique(index).tolist())


def _bin(i: int, here: Any, confidence: FloatArray, is_right: Any, pages: _Pages) -> ReliabilityBin:
    share = page_share(here, is_right, pages.codes, pages.draws)
    return ReliabilityBin(i / N_BINS, float(confidence[here].mean()), share.value, int(here.sum()), share.low, share.high)


def _ece_by_chance(confidence: FloatArray) -> float:
    """Mean absolute deviation of a binomial share, summed over bins, by its normal approximation."""
    index = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    variance = np.bincount(index, weights=confidence * (1 - confidence), minlength=N_BINS)
    return float((2 / np.pi) ** 0.5 * np.sqrt(np.maximum(variance, 0)).sum() / len(confidence))


def calibration_of(
    probabilities: FloatArray, y_true: Any, pages: Any, *, seed: int = 0, n_resamples: int = N_RESAMPLES
) -> Calibration:
    """Calibration of the probabilities of labelled paragraphs.

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
    Errors, proper scores, and the bins that hold any paragraph.
    """
    truth = label_codes(y_true)
    codes, unique = pd.factorize(np.asarray(pages, dtype=object))
    where = _Pages(codes, page_draws(len(unique), seed=seed, n_resamples=n_resamples))
    confidence = probabilities.max(axis=1)
    is_right = probabilities.argmax(axis=1) == truth
    bins = _bins(confidence, is_right, where)
    one_hot = np.eye(len(LABELS))[truth]
    return Calibration(
        ece=float(sum(b.n_paragraphs * abs(b.confidence - b.accuracy) for b in bins) / len(confidence)),
        ece_by_chance=_ece_by_chance(confidence),
        bins=bins,
        label_bins={str(label): _bins(probabilities[:, i], truth == i, where) for i, label in enumerate(LABELS)},
        confidence_gap=where.mean(confidence - is_right),
        brier=where.mean(((probabilities - one_hot) ** 2).sum(axis=1)),
        log_loss=where.mean(log_losses(probabilities, truth)),
    )
