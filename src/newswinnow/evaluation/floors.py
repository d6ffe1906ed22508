"""Has a model become worse? New answers against stored ones to the same paragraphs, by measures with tolerances and floors.

Macro-F1 alone is too blunt: with 3 % of the training labels flipped it rises as often as not, while the log loss rises surely
(experiments/026-gate). Where the stored answers come from is left to :mod:`newswinnow.experiments.gate`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from newswinnow.evaluation.calibration import log_losses
from newswinnow.evaluation.intervals import (
    N_RESAMPLES,
    Estimate,
    mean_interval,
    page_draws,
    share_interval,
    sums_by_page,
)
from newswinnow.evaluation.scores import confusion_by_page, label_codes, score_confusion
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import (
    LABEL,
    PAGE,
    POSITION,
    PREDICTED,
    PROBABILITY_COLUMNS,
    FloatArray,
    IntArray,
    labelled_rows,
)

LOSS_UNITS: Final = 100
"""Log losses are kept in hundredths, for files of a readable size; rounding moves the mean of 1,000 by 0.0001."""

_LOG_LOSS: Final = "log_loss"


@dataclass(frozen=True)
class Measure:
    """Something that must not become worse.

    Attributes
    ----------
    name
        What reports call it.
    tolerance
        Change for the worse that is accepted however sure it is.
    sign
        1 where more is better, -1 where less is.
    of
        The measure of confusion matrices, shape (..., 3, 3); None for the log loss, which they do not hold.
    """

    name: str
    tolerance: float
    sign: int
    of: Callable[[Any], FloatArray] | None


def _f1_of(label: int) -> Callable[[Any], FloatArray]:
    return lambda confusion: score_confusion(confusion).f1[..., label]


MEASURES: Final = (
    Measure("macro_f1", 0.005, 1, lambda confusion: score_confusion(confusion).macro_f1),
    *(Measure(f"f1_{label.replace('-', '_')}", 0.01, 1, _f1_of(i)) for i, label in enumerate(LABELS)),
    Measure("related_as_news", 0.01, -1, lambda confusion: score_confusion(confusion).related_as_news),
    Measure(_LOG_LOSS, 0.003, -1, None),
)


@dataclass(frozen=True)
class Outcome:
    """A model's answers to labelled paragraphs, as far as floors look at them.

    Attributes
    ----------
    pages, positions
        Where each paragraph stands, shape (n_paragraphs,); sorted by both.
    truth, answers
        True and predicted label codes, shape (n_paragraphs,).
    losses
        Log losses in units of 0.01, shape (n_paragraphs,).
    """

    pages: Any
    positions: IntArray
    truth: IntArray
    answers: IntArray
    losses: IntArray

    @classmethod
    def of(cls, table: pd.DataFrame) -> "Outcome":
        """The outcome of the labelled rows of a table with predictions."""
        rows = labelled_rows(table).sort_values([PAGE, POSITION], kind="stable")
        truth = label_codes(rows[LABEL])
        losses = log_losses(rows[list(PROBABILITY_COLUMNS)].to_numpy(dtype=np.float64), truth)
        return cls(
            rows[PAGE].to_numpy(dtype=object),
            rows[POSITION].to_numpy(dtype=np.int64),
            truth,
            label_codes(rows[PREDICTED]),
            np.rint(losses * LOSS_UNITS).astype(np.int64),
        )


@dataclass(frozen=True)
class Check:
    """One measure against its baseline and its floor.

    Attributes
    ----------
    measure
        Its name.
    baseline
        The stored model's value.
    value
        The new model's, with its own 95 % interval over pages.
    difference
        New less stored, with its 95 % interval over pages, paired.
    tolerance
        Change for the worse that is accepted.
    floor
        What the value must not fall below, or, where less is better, not rise above.
    failure
        Why it fails; empty where it does not.
    """

    measure: str
    baseline: float
    value: Estimate
    difference: Estimate
    tolerance: float
    floor: float
    failure: str


@dataclass(frozen=True)
class _Sample:
    """Pages of two outcomes, drawn the same way for both."""

    codes: IntArray
    draws: FloatArray
    matrices: IntArray
    losses: FloatArray

    @classmethod
    def of(cls, outcomes: tuple[Outcome, ...], *, seed: int, n_resamples: int) -> "_Sample":
        codes, unique = pd.factorize(outcomes[0].pages)
        matrices = np.stack([confusion_by_page(o.truth, o.answers, o.pages) for o in outcomes])
        losses = np.stack([sums_by_page(codes, o.losses) / LOSS_UNITS for o in outcomes])
        return cls(codes, page_draws(len(unique), seed=seed, n_resamples=n_resamples), matrices, losses)

    @property
    def n_pages(self) -> int:
        return int(self.draws.shape[1])

    def values(self, measure: Measure) -> tuple[FloatArray, FloatArray]:
        """The measure of each outcome, and on each resampled corpus, outcomes first."""
        if measure.of is None:
            sizes = sums_by_page(self.codes, np.ones(len(self.codes)))
            return self.losses.sum(axis=1) / sizes.sum(), (self.losses @ self.draws.T) / (self.draws @ sizes)
        n, shape = len(self.matrices), self.matrices.shape
        flat = self.matrices.reshape(n, shape[1], -1).astype(np.float64)
        drawn = (self.draws @ flat).reshape(n, len(self.draws), *shape[2:])
        return measure.of(self.matrices.sum(axis=1)), measure.of(drawn)

    def interval(self, measure: Measure, value: float, resampled: FloatArray) -> Estimate:
        if measure.of is None:
            return mean_interval(value, resampled, n_pages=self.n_pages)
        return share_interval(value, resampled, n_pages=self.n_pages, n_trials=len(self.codes))


def _checked(stored: Outcome, new: Outcome) -> None:
    is_same = len(stored.truth) == len(new.truth) and all(
        bool((np.asarray(a) == np.asarray(b)).all())
        for a, b in ((stored.pages, new.pages), (stored.positions, new.positions), (stored.truth, new.truth))
    )
    if not is_same:
        raise ValueError(f"gate: needs the same labelled paragraphs; got {len(stored.truth)} and {len(new.truth)} that differ")
    if len(set(new.pages)) < 2:
        raise ValueError("gate: needs at least two pages; got fewer")


def check_floors(
    stored: Outcome, new: Outcome, floors: dict[str, float], *, seed: int = 0, n_resamples: int = N_RESAMPLES
) -> tuple[Check, ...]:
    """Check every measure of a new model against a stored outcome and its floors.

    A measure fails where the model is surely worse, that is where the whole 95 % interval of the paired difference lies beyond
    the tolerance; and where its value is beyond the floor, which stops a slide in steps too small to be sure of. The tolerance of
    the log loss lies between what a new seed surely does and what the planted regressions of experiments/026-gate surely do.

    Parameters
    ----------
    stored
        The baseline's answers.
    new
        The new model's answers to the same paragraphs.
    floors
        Floor of each measure; a measure without one is not held to any.
    seed
        Seed of the intervals.
    n_resamples
        Resampled corpora behind them.

    Returns
    -------
    One check for each of :data:`MEASURES`.

    Raises
    ------
    ValueError
        If the outcomes are not of the same labelled paragraphs, or there are fewer than two pages.
    """
    _checked(stored, new)
    sample = _Sample.of((stored, new), seed=seed, n_resamples=n_resamples)
    return tuple(_checks(sample, floors))


def _checks(sample: _Sample, floors: dict[str, float]) -> Iterator[Check]:
    for measure in MEASURES:
        values, resampled = sample.values(measure)
        difference = mean_interval(float(values[1] - values[0]), resampled[1] - resampled[0], n_pages=sample.n_pages)
        value = sample.interval(measure, float(values[1]), resampled[1])
        floor = floors.get(measure.name, -np.inf * measure.sign)
        best = difference.high if measure.sign > 0 else -difference.low
        failure = "surely worse than the baseline" if best < -measure.tolerance else ""
        if measure.sign * (value.value - floor) < 0:
            failure = f"{failure}, and beyond the floor" if failure else "beyond the floor"
        yield Check(measure.name, float(values[0]), value, difference, measure.tolerance, float(floor), failure)


def floors_of(outcome: Outcome, *, seed: int = 0, n_resamples: int = N_RESAMPLES) -> dict[str, float]:
    """Floors that an outcome sets: the worse end of each measure's own 95 % interval.

    Parameters
    ----------
    outcome
        A model's answers.
    seed
        Seed of the intervals.
    n_resamples
        Resampled corpora behind them.

    Returns
    -------
    Floor of each measure.
    """
    checks = check_floors(outcome, outcome, {}, seed=seed, n_resamples=n_resamples)
    signs = {measure.name: measure.sign for measure in MEASURES}
    return {c.measure: c.value.low if signs[c.measure] > 0 else c.value.high for c in checks}


def tightest(old: dict[str, float], new: dict[str, float]) -> dict[str, float]:
    """The stricter of two sets of floors, measure by measure.

    Parameters
    ----------
    old
        Floors.
    new
        Floors.

    Returns
    -------
    Floors for every measure of either.
    """
    return {
        measure.name: max((f[measure.name] for f in (old, new) if measure.name in f), key=lambda floor: measure.sign * floor)
        for measure in MEASURES
        if measure.name in old or measure.name in new
    }
