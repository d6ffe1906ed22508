"""Scores of predictions against labels, with intervals from resampling whole pages.

Paragraphs of a page are alike, so an interval over paragraphs would be too narrow; every interval here resamples pages, as
:mod:`newswinnow.evaluation.intervals` says. Comparing two models is left to :mod:`newswinnow.evaluation.comparison`.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from newswinnow.evaluation.intervals import N_RESAMPLES, Estimate, page_draws, share_interval
from newswinnow.paragraphs.label import LABELS, Label
from newswinnow.paragraphs.table import FloatArray, IntArray

_N = len(LABELS)
_CODES: Final[dict[str, int]] = {str(label): code for code, label in enumerate(LABELS)}
_NEWS = LABELS.index(Label.NEWS)
_RELATED = LABELS.index(Label.RELATED_LINK)


@dataclass(frozen=True)
class LabelScore:
    """How well one label is found."""

    label: str
    precision: Estimate
    recall: Estimate
    f1: Estimate
    support: int


def label_codes(labels: Any) -> IntArray:
    """Labels as indices into :data:`~newswinnow.paragraphs.label.LABELS`.

    Parameters
    ----------
    labels
        Label strings, shape (n_paragraphs,).

    Returns
    -------
    Indices 0-2, shape (n_paragraphs,).

    Raises
    ------
    ValueError
        If a value is not one of the three labels.
    """
    names = list(labels)
    codes = np.fromiter((_CODES.get(name, -1) for name in names), dtype=np.int64, count=len(names))
    if (codes < 0).any():
        raise ValueError(f"labels: must be of {', '.join(LABELS)}; got {names[int(np.argmax(codes < 0))]!r}")
    return codes


def confusion_by_page(y_true: IntArray, y_pred: IntArray, pages: Any) -> IntArray:
    """Confusion matrix of every page.

    Parameters
    ----------
    y_true
        True label codes, shape (n_paragraphs,).
    y_pred
        Predicted label codes, shape (n_paragraphs,).
    pages
        Page ids, shape (n_paragraphs,).

    Returns
    -------
    Counts, shape (n_pages, 3, 3): page in order of first appearance, true label, predicted label.
    """
    page_codes, unique = pd.factorize(np.asarray(pages, dtype=object))
    cells = (page_codes * _N + y_true) * _N + y_pred
    return np.bincount(cells, minlength=len(unique) * _N * _N).reshape(len(unique), _N, _N)


@dataclass(frozen=True)
class ScoreArrays:
    """Scores of one or many confusion matrices; leading axes are those of the matrices.

    Attributes
    ----------
    precision, recall, f1
        Shape (..., 3), 0 where undefined.
    macro_f1, accuracy, news_f1, related_as_news
        Shape (...); macro-F1 averages the labels present in truth or prediction; ``related_as_news`` is the share of true
        related links predicted as news.
    """

    precision: FloatArray
    recall: FloatArray
    f1: FloatArray
    macro_f1: FloatArray
    accuracy: FloatArray
    news_f1: FloatArray
    related_as_news: FloatArray


def _ratio(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> FloatArray:
    """Elementwise quotient, 0 where the whole is 0."""
    quotient: FloatArray = np.divide(part, whole, out=np.zeros(np.broadcast(part, whole).shape), where=whole > 0)
    return quotient


def score_confusion(confusion: npt.NDArray[Any]) -> ScoreArrays:
    """Scores from confusion matrices.

    Parameters
    ----------
    confusion
        Counts, shape (..., 3, 3), true label before predicted label.

    Returns
    -------
    All scores.
    """
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    n_true, n_predicted = confusion.sum(axis=-1), confusion.sum(axis=-2)
    f1 = _ratio(2 * hits, n_true + n_predicted)
    n_present = ((n_true + n_predicted) > 0).sum(axis=-1)
    return ScoreArrays(
        precision=_ratio(hits, n_predicted),
        recall=_ratio(hits, n_true),
        f1=f1,
        macro_f1=_ratio(f1.sum(axis=-1), n_present),
        accuracy=_ratio(hits.sum(axis=-1), n_true.sum(axis=-1)),
        news_f1=f1[..., _NEWS],
        related_as_news=_ratio(confusion[..., _RELATED, _NEWS], n_true[..., _RELATED]),
    )


def resample_pages(confusions: IntArray, *, seed: int, n_resamples: int = N_RESAMPLES) -> IntArray:
    """Confusion matrices of corpora whose pages were drawn with replacement.

    Parameters
    ----------
    confusions
        One matrix per page, shape (n_pages, 3, 3).
    seed
        Seed of the draw.
    n_resamples
        How many corpora.

    Returns
    -------
    Shape (n_resamples, 3, 3).
    """
    n_pages = len(confusions)
    draws = page_draws(n_pages, seed=seed, n_resamples=n_resamples)
    sums = draws @ confusions.reshape(n_pages, -1).astype(np.float64)
    return np.rint(sums).astype(np.int64).reshape(n_resamples, _N, _N)


@dataclass(frozen=True)
class _Trials:
    """Paragraphs that each score of a confusion matrix depends on; leading axes are those of the matrices.

    An F1 is the share of hits among labels given and found, two for each hit: its trials are both together.
    """

    precision: IntArray
    recall: IntArray
    f1: IntArray
    macro_f1: IntArray
    accuracy: IntArray
    news_f1: IntArray
    related_as_news: IntArray


def _trials(confusion: IntArray) -> _Trials:
    n_true, n_predicted = confusion.sum(axis=-1), confusion.sum(axis=-2)
    both = n_true + n_predicted
    total = n_true.sum(axis=-1)
    return _Trials(n_predicted, n_true, both, 2 * total, total, both[..., _NEWS], n_true[..., _RELATED])


class _Intervals:
    """Intervals of all scores of a set of pages; the pages are resampled once."""

    def __init__(self, by_page: IntArray, *, seed: int, n_resamples: int) -> None:
        resampled = resample_pages(by_page, seed=seed, n_resamples=n_resamples)
        self._values = score_confusion(by_page.sum(axis=0))
        self._trials = _trials(by_page.sum(axis=0))
        self._page_trials = _trials(by_page)
        self._resampled, self._resampled_trials = score_confusion(resampled), _trials(resampled)

    def of(self, name: str, label: int | None = None) -> Estimate:
        """One score by the name it has in :class:`ScoreArrays`, of one label where it has three values."""
        at = ... if label is None else (..., label)
        resampled = getattr(self._resampled, name)[at]
        return share_interval(
            float(getattr(self._values, name)[at]),
            np.where(getattr(self._resampled_trials, name)[at] > 0, resampled, np.nan),
            n_pages=int((getattr(self._page_trials, name)[at] > 0).sum()),
            n_trials=int(getattr(self._trials, name)[at]),
        )


@dataclass(frozen=True)
class Scores:
    """All scores of one set of predictions.

    Attributes
    ----------
    n_paragraphs, n_pages
        How much was measured.
    macro_f1, accuracy, news_f1, related_as_news
        As in :class:`ScoreArrays`, with intervals.
    labels
        Per label, in label order.
    confusion
        Counts, true label before predicted label.
    """

    n_paragraphs: int
    n_pages: int
    macro_f1: Estimate
    accuracy: Estimate
    news_f1: Estimate
    related_as_news: Estimate
    labels: tuple[LabelScore, ...]
    confusion: tuple[tuple[int, ...], ...]

    def as_dict(self) -> dict[str, Any]:
        """The scores as plain values, for ``metrics.json``."""
        return asdict(self)


def score(y_true: Any, y_pred: Any, pages: Any, *, seed: int = 0, n_resamples: int = N_RESAMPLES) -> Scores:
    """Score predictions.

    Parameters
    ----------
    y_true
        True label strings, shape (n_paragraphs,).
    y_pred
        Predicted label strings, shape (n_paragraphs,).
    pages
        Page ids, shape (n_paragraphs,).
    seed
        Seed of the intervals.
    n_resamples
        Resampled corpora behind each interval.

    Returns
    -------
    Scores with 95 % intervals over pages.

    Raises
    ------
    ValueError
        If there is nothing to score, a label is unknown, or the three differ in length.

    Examples
    --------
    >>> s = score(["news", "boilerplate"], ["news", "news"], ["p", "p"])
    >>> round(s.macro_f1.value, 3), s.confusion[1]
    (0.333, (1, 0, 0))
    """
    if len(y_true) == 0:
        raise ValueError("scores: need at least one labelled paragraph; got none")
    if not len(y_true) == len(y_pred) == len(pages):
        raise ValueError(
            f"scores: need one prediction and one page per label; got {len(y_true)}, {len(y_pred)} and {len(pages)} of them"
        )
    by_page = confusion_by_page(label_codes(y_true), label_codes(y_pred), pages)
    return score_pages(by_page, seed=seed, n_resamples=n_resamples)


def score_pages(by_page: IntArray, *, seed: int = 0, n_resamples: int = N_RESAMPLES) -> Scores:
    """Score predictions that are counted already.

    Parameters
    ----------
    by_page
        Confusion matrix of every page, shape (n_pages, 3, 3), true label before predicted label.
    seed
        Seed of the intervals.
    n_resamples
        Resampled corpora behind each interval.

    Returns
    -------
    Scores with 95 % intervals over pages.
    """
    confusion = by_page.sum(axis=0)
    intervals = _Intervals(by_page, seed=seed, n_resamples=n_resamples)
    labels = tuple(
        LabelScore(
            str(label),
            precision=intervals.of("precision", i),
            recall=intervals.of("recall", i),
            f1=intervals.of("f1", i),
            support=int(confusion[i].sum()),
        )
        for i, label in enumerate(LABELS)
    )
    return Scores(
        n_paragraphs=int(confusion.sum()),
        n_pages=len(by_page),
        macro_f1=intervals.of("macro_f1"),
        accuracy=intervals.of("accuracy"),
        news_f1=intervals.of("news_f1"),
        related_as_news=intervals.of("related_as_news"),
        labels=labels,
        confusion=tuple(tuple(map(int, row)) for row in confusion),
    )
