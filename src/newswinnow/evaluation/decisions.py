"""From probabilities to labels when the most probable label is not the best answer: costs, abstention, and a limit on lost news.

A decision is a small file beside a saved model, and applying it needs numbers only; calibrating it is left to
:mod:`newswinnow.evaluation.risk`.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from newswinnow.paragraphs.label import LABELS, Label
from newswinnow.paragraphs.table import FloatArray

FORMAT: Final = 1
UNSURE: Final = "unsure"
MAX_BYTES: Final = 4 << 20
_NEWS: Final = LABELS.index(Label.NEWS)
_N: Final = len(LABELS)
_KEYS: Final = frozenset({"format", "model_sha256", "context", "costs", "news_loss"})


@dataclass(frozen=True)
class Costs:
    """What mistakes cost.

    Attributes
    ----------
    mistakes
        Cost of each answer, true label before answer, in label order; 0 or more, 0 for the right one.
    unsure
        Cost of giving no label; None where every paragraph must get one.
    """

    mistakes: tuple[tuple[float, ...], ...] = ((0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, 0.0))
    unsure: float | None = None

    def __post_init__(self) -> None:
        matrix = np.asarray(self.mistakes, dtype=object)
        if matrix.shape != (_N, _N) or not all(_is_cost(cost) for cost in matrix.flat) or any(matrix.diagonal()):
            raise ValueError(f"costs.mistakes: must be {_N} rows of {_N} numbers >= 0, 0 on the diagonal; got {self.mistakes}")
        if self.unsure is not None and not _is_cost(self.unsure):
            raise ValueError(f"costs.unsure: must be a number >= 0; got {self.unsure!r}")

    def labels(self, probabilities: FloatArray) -> list[str]:
        """The answers of least expected cost; of equal ones the first in label order, and no answer only where it is cheaper.

        Parameters
        ----------
        probabilities
            Shape (n_paragraphs, 3), in label order.

        Returns
        -------
        Labels or ``unsure``.

        Examples
        --------
        >>> Costs(unsure=0.4).labels(np.array([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1]]))
        ['news', 'unsure']
        """
        expected = probabilities @ np.asarray(self.mistakes, dtype=np.float64)
        best = [str(LABELS[i]) for i in expected.argmin(axis=1)]
        if self.unsure is None:
            return best
        cheapest = expected.min(axis=1)
        return [UNSURE if cost > self.unsure else label for label, cost in zip(best, cheapest, strict=True)]


def _is_cost(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")


def labels_keeping_news(probabilities: FloatArray, threshold: float) -> list[str]:
    """News wherever its probability reaches a threshold; elsewhere the more probable of the other labels.

    Parameters
    ----------
    probabilities
        Shape (n_paragraphs, 3), in label order.
    threshold
        Least probability of news.

    Returns
    -------
    Labels.

    Examples
    --------
    >>> labels_keeping_news(np.array([[0.3, 0.6, 0.1], [0.1, 0.4, 0.5]]), 0.2)
    ['news', 'related-link']
    """
    others = probabilities.copy()
    others[:, _NEWS] = -1.0
    best = np.where(probabilities[:, _NEWS] >= threshold, _NEWS, others.argmax(axis=1))
    return [str(LABELS[i]) for i in best]


@dataclass(frozen=True)
class NewsLossPoint:
    """What a threshold on the probability of news costs and spares.

    Attributes
    ----------
    threshold
        Paragraphs below it are not kept as news.
    loss
        Share of a page's news paragraphs that is lost, in the mean over the calibration pages.
    bound
        Upper confidence bound of that mean over all pages like these.
    rest_kept
        Share of the other paragraphs that is kept.
    """

    threshold: float
    loss: float
    bound: float
    rest_kept: float


@dataclass(frozen=True)
class NewsLossCurve:
    """Thresholds on the probability of news, ascending, with a bound on the news they lose.

    With a chance of at least ``confidence`` over the draw of the calibration pages, a threshold taken by :meth:`threshold_for`
    loses in the mean over new pages at most the share of each page's news paragraphs asked for. That holds if the calibration
    pages and the new ones are exchangeable, as if drawn from one pile; it is no promise for any single page.

    Attributes
    ----------
    points
        The thresholds; the first is 0, which keeps everything.
    n_pages
        Calibration pages that have news.
    confidence
        As above.
    """

    points: tuple[NewsLossPoint, ...]
    n_pages: int
    confidence: float

    def threshold_for(self, max_loss: float) -> float:
        """The largest threshold whose bound, and that of every smaller one, is within a limit (Bates et al. 2021).

        Parameters
        ----------
        max_loss
            Largest mean share of a page's news to lose, above 0 and below 1.

        Returns
        -------
        The threshold, above 0.

        Raises
        ------
        ValueError
            If the limit is out of range, or the calibration pages are too few or the model too weak for it.
        """
        if not 0 < max_loss < 1:
            raise ValueError(f"max-news-loss: must be above 0 and below 1; got {max_loss}")
        chosen = 0.0
        for point in self.points:
            if point.bound > max_loss:
                break
            chosen = point.threshold
        if chosen > 0:
            return chosen
        least = int(np.ceil(np.log(1 / (1 - self.confidence)) / np.log1p(max_loss)))
        if self.n_pages < least:
            raise ValueError(f"max-news-loss: {max_loss} needs at least {least} calibration pages with news; got {self.n_pages}")
        raise ValueError(
            f"max-news-loss: must be within the model's reach; got {max_loss}, which only keeping everything ensures"
        )


@dataclass(frozen=True)
class Decision:
    """How a model's probabilities become labels.

    Attributes
    ----------
    model_sha256
        Of the saved model's member that this was calibrated for.
    context
        Level of information it was calibrated at.
    costs
        What mistakes cost.
    news_loss
        Thresholds with their bounds; None where none were calibrated.
    """

    model_sha256: str
    context: str
    costs: Costs = Costs()
    news_loss: NewsLossCurve | None = None

    def news_threshold(self, max_news_loss: float) -> float:
        """Least probability of news that keeps a limit on lost news.

        Parameters
        ----------
        max_news_loss
            Largest mean share of a page's news to lose.

        Returns
        -------
        The threshold.

        Raises
        ------
        ValueError
            If nothing was calibrated, or the limit cannot be ensured.
        """
        if self.news_loss is None:
            raise ValueError("max-news-loss: needs a calibrated decision; got one of costs alone (newswinnow experiments decide)")
        return self.news_loss.threshold_for(max_news_loss)

    def as_json(self) -> str:
        """The decision as a JSON document."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, sort_keys=True, allow_nan=False) + "\n"


def read_decision(path: str | Path) -> Decision:
    """Read a decision.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    The decision.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it does not hold a decision.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: must be a decision; got nothing there (newswinnow experiments decide makes it)")
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path}: must have at most {MAX_BYTES} bytes; got {path.stat().st_size}")
    try:
        return _decision_of(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path}: must hold a decision; got {type(error).__name__}: {error}") from error


def _decision_of(values: dict[str, Any]) -> Decision:
    if set(values) != _KEYS or values["format"] != FORMAT:
        raise ValueError(f"keys {', '.join(sorted(values))} in place of {', '.join(sorted(_KEYS))} of format {FORMAT}")
    mistakes = tuple(tuple(row) for row in values["costs"]["mistakes"])
    curve = values["news_loss"]
    if curve is not None:
        points = tuple(NewsLossPoint(**{name: float(value) for name, value in point.items()}) for point in curve["points"])
        if any(not 0 <= p.threshold <= 1 or not 0 <= p.bound <= 1 for p in points):
            raise ValueError("a threshold or bound outside 0 to 1")
        if list(points) != sorted(points, key=lambda point: point.threshold):
            raise ValueError("thresholds out of order")
        curve = NewsLossCurve(points, int(curve["n_pages"]), float(curve["confidence"]))
    return Decision(str(values["model_sha256"]), str(values["context"]), Costs(mistakes, values["costs"]["unsure"]), curve)
