"""Charts as coordinates: reliability, coverage and risk, lost news; lines of intervals on a common scale.

Drawing them as SVG is left to the templates, measuring to :mod:`newswinnow.evaluation`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from newswinnow.evaluation.calibration import ReliabilityBin
from newswinnow.evaluation.decisions import NewsLossPoint
from newswinnow.evaluation.intervals import Estimate
from newswinnow.evaluation.risk import SelectivePoint

WIDTH: Final = 350
HEIGHT: Final = 270
LEFT: Final = 46
RIGHT: Final = 22
TOP: Final = 12
BOTTOM: Final = 44
_STEPS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_N_TICKS: Final = 5


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where, in the chart's units, and what it says."""

    at: float
    text: str


@dataclass(frozen=True)
class Dot:
    """A measured point with its interval, in the chart's units; ``title`` says it in words."""

    x: float
    y: float
    low: float
    high: float
    radius: float
    title: str


@dataclass(frozen=True)
class Line:
    """A line through points as SVG writes them; ``kind`` is its style, ``name`` what it shows."""

    points: str
    kind: str
    name: str


@dataclass(frozen=True)
class Chart:
    """One chart.

    Attributes
    ----------
    title, summary
        What it shows, and what it says for those who cannot see it.
    x_name, y_name
        Of the axes.
    x_ticks, y_ticks
        Marks.
    lines
        From the lowest layer to the highest.
    band
        Outline of an interval's area; empty for none.
    dots
        Measured points.
    columns, rows
        The same numbers as a table.
    """

    title: str
    summary: str
    x_name: str
    y_name: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[Line, ...]
    band: str
    dots: tuple[Dot, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Axis:
    """A range of values laid out between two ends, in the chart's units."""

    low: float
    high: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        """Where a value lies, to a tenth of a unit; values outside stand at the border."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.begin + share * (self.end - self.begin), 1)

    def ticks(self) -> tuple[Tick, ...]:
        """Up to six round values, in percent."""
        step = _step(self.high - self.low)
        values = np.arange(round(self.low / step), round(self.high / step) + 1) * step
        return tuple(Tick(self.at(value), _percent(value)) for value in values.tolist() if self.low - 1e-9 <= value)


def _step(extent: float) -> float:
    return next((step for step in _STEPS if extent / step <= _N_TICKS + 1e-9), _STEPS[-1])


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def _upper(values: Iterable[float]) -> float:
    """A round value above all others, 1 at most."""
    top = max([*values, _STEPS[0]])
    step = _step(top)
    return float(min(np.ceil(top / step - 1e-9) * step, 1.0))


def _x_axis(low: float = 0.0, high: float = 1.0) -> Axis:
    return Axis(low, high, LEFT, WIDTH - RIGHT)


def _y_axis(high: float = 1.0) -> Axis:
    return Axis(0.0, high, HEIGHT - BOTTOM, TOP)


def _points(x: Axis, y: Axis, pairs: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x.at(a):g},{y.at(b):g}" for a, b in pairs)


def reliability_chart(bins: Sequence[ReliabilityBin], *, name: str) -> Chart:
    """How often predictions of each tenth of probability were right.

    Parameters
    ----------
    bins
        Of one calibration.
    name
        Whose probability it is.

    Returns
    -------
    A dot for each bin, larger where it holds more, and the diagonal of perfect calibration.
    """
    x, y = _x_axis(), _y_axis()
    total = sum(b.n_paragraphs for b in bins)
    dots = tuple(
        Dot(
            x.at(b.confidence),
            y.at(b.accuracy),
            y.at(b.accuracy_low),
            y.at(b.accuracy_high),
            round(3 + 6 * (b.n_paragraphs / total) ** 0.5, 1),
            f"{b.n_paragraphs} paragraphs, given {100 * b.confidence:.0f} %, were right {100 * b.accuracy:.0f} %",
        )
        for b in bins
    )
    farthest = max(bins, key=lambda b: b.n_paragraphs * abs(b.confidence - b.accuracy))
    return Chart(
        f"Reliability: {name}",
        f"{len(bins)} groups by probability. The group that is off by most paragraphs: {_dot_title(farthest)}.",
        "probability given",
        "share right",
        x.ticks(),
        y.ticks(),
        (Line(_points(x, y, [(0, 0), (1, 1)]), "ideal", "perfectly calibrated"),),
        "",
        dots,
        ("probability given", "right", "95 % interval", "paragraphs"),
        tuple(
            (
                f"{100 * b.confidence:.1f} %",
                f"{100 * b.accuracy:.1f} %",
                f"{100 * b.accuracy_low:.1f}–{100 * b.accuracy_high:.1f} %",
                str(b.n_paragraphs),
            )
            for b in bins
        ),
    )


def _dot_title(b: ReliabilityBin) -> str:
    return f"given {100 * b.confidence:.0f} %, right {100 * b.accuracy:.0f} % of {b.n_paragraphs} paragraphs"


def risk_chart(points: Sequence[SelectivePoint]) -> Chart:
    """Errors that are left when only the surest predictions are answered.

    Parameters
    ----------
    points
        Coverage and risk, the largest coverage first.

    Returns
    -------
    A line with the area of its intervals.
    """
    ordered = sorted(points, key=lambda point: point.coverage)
    low = min(0.5, float(np.floor(10 * ordered[0].coverage) / 10))
    x, y = _x_axis(low), _y_axis(_upper(point.error.high for point in points))
    band = [(p.coverage, p.error.high) for p in ordered] + [(p.coverage, p.error.low) for p in reversed(ordered)]
    line = Line(_points(x, y, [(p.coverage, p.error.value) for p in ordered]), "first", "wrong among the answered")
    most, least = ordered[-1], ordered[0]
    return Chart(
        "Coverage and risk: answering only the surest",
        f"{100 * most.error.value:.1f} % wrong when {100 * most.coverage:.0f} % are answered, "
        f"{100 * least.error.value:.1f} % when {100 * least.coverage:.0f} % are.",
        "share of paragraphs answered",
        "wrong among them",
        x.ticks(),
        y.ticks(),
        (line,),
        _points(x, y, band),
        (),
        ("answered", "probability of at least", "wrong", "95 % interval"),
        tuple(
            (
                f"{100 * p.coverage:.1f} %",
                f"{100 * p.threshold:.1f} %",
                f"{100 * p.error.value:.1f} %",
                f"{100 * p.error.low:.1f}–{100 * p.error.high:.1f} %",
            )
            for p in points
        ),
    )


def news_loss_chart(points: Sequence[NewsLossPoint]) -> Chart:
    """What thresholds on the probability of news lose and let through.

    Parameters
    ----------
    points
        Thresholds, ascending, one at least.

    Returns
    -------
    News lost over other paragraphs kept, and the upper confidence bound of the loss.
    """
    x, y = _x_axis(), _y_axis(_upper(max(p.loss, min(p.bound, 1.0)) for p in points))
    loss = Line(_points(x, y, [(p.rest_kept, p.loss) for p in points]), "first", "news lost")
    bound = Line(_points(x, y, [(p.rest_kept, p.bound) for p in points]), "bound", "95 % upper bound for pages like these")
    last = points[-1]
    return Chart(
        "News lost and other text kept, by threshold",
        f"At the strictest threshold shown, {last.threshold:g}, {100 * last.loss:.1f} % of a page's news is lost in the mean and "
        f"{100 * last.rest_kept:.1f} % of the other paragraphs are kept.",
        "other paragraphs kept as news",
        "news lost",
        x.ticks(),
        y.ticks(),
        (bound, loss),
        "",
        (),
        ("threshold on p(news)", "news lost", "upper bound", "others kept"),
        tuple(
            (f"{p.threshold:g}", f"{100 * p.loss:.1f} %", f"{100 * p.bound:.1f} %", f"{100 * p.rest_kept:.1f} %") for p in points
        ),
    )


@dataclass(frozen=True)
class Strip:
    """An interval on a scale 200 units wide: its ends, the value, and the same in words."""

    low: float
    at: float
    high: float
    text: str


@dataclass(frozen=True)
class Scale:
    """A common scale for strips.

    Attributes
    ----------
    low, high
        Its ends.
    is_signed
        Whether values are differences.
    """

    low: float
    high: float
    is_signed: bool = False

    def strip(self, estimate: Estimate) -> Strip:
        """An estimate on this scale."""
        axis = Axis(self.low, self.high, 0, 200)
        low, value, high = (_number(v, is_signed=self.is_signed) for v in (estimate.low, estimate.value, estimate.high))
        return Strip(axis.at(estimate.low), axis.at(estimate.value), axis.at(estimate.high), f"{value}, {low} to {high}")

    @property
    def zero(self) -> float:
        """Where 0 lies."""
        return Axis(self.low, self.high, 0, 200).at(0)

    @property
    def ends(self) -> tuple[str, str]:
        """The ends in words."""
        return f"{self.low:+g}" if self.is_signed else f"{self.low:g}", f"{self.high:+g}" if self.is_signed else f"{self.high:g}"


def _number(value: float, *, is_signed: bool) -> str:
    return f"{value:+.3f}" if is_signed else f"{value:.3f}"


def score_scale(estimates: Iterable[Estimate]) -> Scale:
    """A scale for scores: from the tenth below the lowest end to 1.

    Parameters
    ----------
    estimates
        What it is for.

    Returns
    -------
    The scale.

    Examples
    --------
    >>> score_scale([Estimate(0.8, 0.75, 0.85)])
    Scale(low=0.7, high=1.0, is_signed=False)
    """
    lowest = min((estimate.low for estimate in estimates), default=0.0)
    return Scale(min(max(np.floor(10 * lowest).item() / 10, 0.0), 0.9), 1.0)


def difference_scale(estimates: Iterable[Estimate]) -> Scale:
    """A scale for differences: as far to the left of 0 as to the right.

    Parameters
    ----------
    estimates
        What it is for.

    Returns
    -------
    The scale.

    Examples
    --------
    >>> difference_scale([Estimate(0.02, -0.01, 0.05)])
    Scale(low=-0.05, high=0.05, is_signed=True)
    """
    farthest = max((max(abs(estimate.low), abs(estimate.high)) for estimate in estimates), default=0.0)
    end = next((step for step in _STEPS if farthest <= step + 1e-9), 1.0)
    return Scale(-end, end, is_signed=True)
