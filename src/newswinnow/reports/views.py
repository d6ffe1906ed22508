"""What a report shows of an evaluation: numbers, charts, mistakes to sort and filter, whole pages.

Paragraphs and pages stand in :mod:`newswinnow.reports.shown`; laying all of it out is left to the templates.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from newswinnow.evaluation.evaluate import Evaluation
from newswinnow.evaluation.scores import Scores
from newswinnow.paragraphs.label import LABELS
from newswinnow.reports.charts import Chart, news_loss_chart, reliability_chart, risk_chart, score_scale
from newswinnow.reports.explained import summary_of
from newswinnow.reports.shown import Mistakes, ShownTable, mistakes_of, pages_of

MAX_BYTES: Final = 4_400_000
"""About what mistakes and pages of a whole report may take, so that the document stays below 5 MB."""


@dataclass(frozen=True)
class ConfusionCell:
    """One cell of the confusion matrix: a count, its share of the true label, where its bar begins, and its shade, 0 to 9."""

    count: int
    share: float
    begin: float
    is_right: bool

    @property
    def shade(self) -> int:
        """The share in tenths; 0 only for none at all."""
        return int(np.ceil(9 * self.share))


def confusion_rows(scores: Scores) -> Iterator[tuple[str, int, list[ConfusionCell]]]:
    """Rows of the confusion matrix.

    Parameters
    ----------
    scores
        What was measured.

    Yields
    ------
    True label, its support, and its three cells in label order.
    """
    for i, counts in enumerate(scores.confusion):
        total = sum(counts)
        shares = [n / total if total else 0.0 for n in counts]
        begins = np.cumsum([0.0, *shares[:-1]]).tolist()
        cells = [ConfusionCell(n, shares[j], begins[j], i == j) for j, n in enumerate(counts)]
        yield str(LABELS[i]), total, cells


def charts_of(evaluation: Evaluation) -> tuple[list[Chart], list[Chart]]:
    """Charts of an evaluation: the main ones, and the reliability of each label's probability.

    Parameters
    ----------
    evaluation
        What was measured.

    Returns
    -------
    Both lists.
    """
    main = [reliability_chart(evaluation.calibration.bins, name="the predicted label"), risk_chart(evaluation.selective)]
    if evaluation.news_loss:
        main.append(news_loss_chart(evaluation.news_loss))
    by_label = [reliability_chart(bins, name=label) for label, bins in evaluation.calibration.label_bins.items()]
    return main, by_label


def evaluation_view(evaluation: Evaluation) -> dict[str, Any]:
    """The numbers of one evaluation as templates need them, without texts of pages.

    Parameters
    ----------
    evaluation
        What was measured.

    Returns
    -------
    Names to values.
    """
    levels = list(evaluation.by_context.values()) if evaluation.levels else []
    charts, label_charts = charts_of(evaluation)
    return {
        "name": evaluation.name,
        "context": evaluation.context,
        "scores": evaluation.scores,
        "n_seen": evaluation.n_seen,
        "confusion": list(confusion_rows(evaluation.scores)),
        "slices": evaluation.slices,
        "slice_scale": score_scale(part.scores.macro_f1 for part in evaluation.slices),
        "label_scale": score_scale(label.f1 for label in evaluation.scores.labels),
        "calibration": evaluation.calibration,
        "levels": levels,
        "level_scale": score_scale(level.scores.macro_f1 for level in levels),
        "charts": charts,
        "label_charts": label_charts,
        "data_digest": evaluation.data_digest,
        "explained": summary_of(evaluation.explained),
    }


def full_view(evaluation: Evaluation, *, max_bytes: int) -> dict[str, Any]:
    """What :func:`evaluation_view` gives, with mistakes and whole pages.

    Parameters
    ----------
    evaluation
        What was measured.
    max_bytes
        About how much of a document mistakes and pages may take; the former get up to half of it.

    Returns
    -------
    Names to values.
    """
    table = ShownTable(evaluation)
    mistakes = mistakes_of(table, max_bytes=max_bytes // 2)
    n_bytes = sum(view.n_bytes for view in mistakes.shown)
    pages = pages_of(table, max_bytes=max_bytes - n_bytes)
    return {
        **evaluation_view(evaluation),
        "mistakes": mistakes,
        "pages": pages,
        "n_bytes": n_bytes + sum(view.n_bytes for view in pages.shown),
    }


def fit_views(view_of: Callable[[int, int], dict[str, Any]], *, sizes: Sequence[int]) -> list[dict[str, Any]]:
    """Views of several corpora that together keep below 5 MB; what a small one leaves is for the larger ones.

    Parameters
    ----------
    view_of
        Called with the number of a corpus and about how many bytes it may take; what it took stands under ``n_bytes``.
    sizes
        Paragraphs of each corpus.

    Returns
    -------
    The views, in the order of the corpora.
    """
    left, views = MAX_BYTES, {}
    ascending = sorted(range(len(sizes)), key=lambda i: sizes[i])
    for n_before, i in enumerate(ascending):
        views[i] = view_of(i, left // (len(sizes) - n_before))
        left -= views[i]["n_bytes"]
    return [views[i] for i in range(len(sizes))]


def explorer_rules(mistakes: Sequence[Mistakes]) -> str:
    """Style rules by which mistakes are filtered by slice and sorted, so that the document needs no script.

    Parameters
    ----------
    mistakes
        Of every evaluation, in the order of the report.

    Returns
    -------
    Rules of numbers only: names of slices, pages and labels stay out of the sheet.
    """
    n_slices = max((number + 1 for found in mistakes for f in found.filters for number, _ in f.names), default=0)
    n_orders = max((len(found.orders) for found in mistakes), default=0)
    rules = [f'.explore:has(option[value="s{i}"]:checked) .mistake:not(.s{i}){{display:none}}' for i in range(n_slices)]
    rules += [f'.explore:has(option[value="o{i}"]:checked) .mistake{{order:var(--o{i})}}' for i in range(n_orders)]
    for e, found in enumerate(mistakes):
        for m in range(len(found.shown)):
            ranks = ";".join(f"--o{i}:{order[m]}" for i, order in enumerate(found.orders.values()))
            rules.append(f"#m{e}>:nth-child({m + 1}){{{ranks}}}")
    return "\n".join(rules)
