"""What a report shows of an evaluation: worst mistakes with their neighbours, whole pages, rows of tables.

Laying it out is left to the templates.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from newswinnow.evaluation.evaluate import Evaluation
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import LABEL, PAGE, POSITION, PREDICTED, PROBABILITY_COLUMNS, TEXT

N_MISTAKES: Final = 12
MAX_PER_PAGE: Final = 2
N_NEIGHBOURS: Final = 2
N_PAGES: Final = 4
MAX_PAGE_PARAGRAPHS: Final = 160
MAX_CHARS: Final = 420


@dataclass(frozen=True)
class ParagraphView:
    """One paragraph as shown: text, label if known, prediction and its probability."""

    position: int
    text: str
    label: str | None
    predicted: str
    probability: float

    @property
    def is_wrong(self) -> bool:
        """Whether the prediction contradicts a known label."""
        return self.label is not None and self.label != self.predicted


@dataclass(frozen=True)
class MistakeView:
    """A wrong prediction between its neighbours on the page."""

    page: str
    before: tuple[ParagraphView, ...]
    paragraph: ParagraphView
    after: tuple[ParagraphView, ...]


@dataclass(frozen=True)
class PageView:
    """A whole page, cut after 160 paragraphs, with how many labelled ones were right."""

    page: str
    paragraphs: tuple[ParagraphView, ...]
    n_hidden: int
    n_labelled: int
    n_right: int


def _cut(text: str) -> str:
    return text if len(text) <= MAX_CHARS else text[: MAX_CHARS - 1].rstrip() + "…"


def _paragraphs(rows: pd.DataFrame) -> tuple[ParagraphView, ...]:
    probability = rows[list(PROBABILITY_COLUMNS)].max(axis=1)
    labels = rows[LABEL].where(rows[LABEL].notna(), None)
    return tuple(
        ParagraphView(int(place), _cut(text), label if isinstance(label, str) else None, predicted, float(p))
        for place, text, label, predicted, p in zip(rows[POSITION], rows[TEXT], labels, rows[PREDICTED], probability, strict=True)
    )


def _pages(evaluation: Evaluation) -> dict[str, pd.DataFrame]:
    table = evaluation.table[evaluation.table[PREDICTED].notna()]
    ordered = table.sort_values([PAGE, POSITION], kind="stable")
    return {str(page): rows.reset_index(drop=True) for page, rows in ordered.groupby(PAGE, sort=False)}


def worst_mistakes(evaluation: Evaluation) -> tuple[MistakeView, ...]:
    """The wrong predictions that were surest, at most two of a page, each between its neighbours.

    Parameters
    ----------
    evaluation
        What was measured.

    Returns
    -------
    At most twelve, surest first.
    """
    found: list[tuple[float, MistakeView]] = []
    for page, rows in _pages(evaluation).items():
        is_wrong = rows[LABEL].notna() & (rows[LABEL] != rows[PREDICTED])
        sureness = rows[list(PROBABILITY_COLUMNS)].max(axis=1).where(is_wrong, -1.0)
        for at in sureness.sort_values(ascending=False, kind="stable").index[:MAX_PER_PAGE]:
            if not is_wrong[at]:
                continue
            start = max(int(at) - N_NEIGHBOURS, 0)
            views = _paragraphs(rows.iloc[start : int(at) + N_NEIGHBOURS + 1])
            here = int(at) - start
            found.append((float(sureness[at]), MistakeView(page, views[:here], views[here], views[here + 1 :])))
    found.sort(key=lambda item: -item[0])
    return tuple(view for _, view in found[:N_MISTAKES])


def _page_view(page: str, rows: pd.DataFrame) -> PageView:
    is_labelled = rows[LABEL].notna()
    n_right = int((rows[LABEL] == rows[PREDICTED])[is_labelled].sum())
    shown = rows.iloc[:MAX_PAGE_PARAGRAPHS]
    return PageView(page, _paragraphs(shown), len(rows) - len(shown), int(is_labelled.sum()), n_right)


def sample_pages(evaluation: Evaluation) -> tuple[PageView, ...]:
    """Whole pages spread from the worst to the best by share of right paragraphs.

    Parameters
    ----------
    evaluation
        What was measured.

    Returns
    -------
    At most four; pages of at least eight labelled paragraphs are preferred.
    """
    views = [_page_view(page, rows) for page, rows in _pages(evaluation).items()]
    labelled = [view for view in views if view.n_labelled]
    large = [view for view in labelled if view.n_labelled >= 8] or labelled
    ranked = sorted(large, key=lambda view: (view.n_right / view.n_labelled, view.page))
    picks = np.unique(np.linspace(0, len(ranked) - 1, min(N_PAGES, len(ranked))).round().astype(int))
    return tuple(ranked[i] for i in picks)


@dataclass(frozen=True)
class ConfusionCell:
    """One cell of the confusion matrix: a count and its share of the true label."""

    count: int
    share: float
    is_right: bool


def confusion_rows(evaluation: Evaluation) -> Iterator[tuple[str, int, list[ConfusionCell]]]:
    """Rows of the confusion matrix.

    Parameters
    ----------
    evaluation
        What was measured.

    Yields
    ------
    True label, its support, and its three cells in label order.
    """
    for i, counts in enumerate(evaluation.scores.confusion):
        total = sum(counts)
        cells = [ConfusionCell(n, n / total if total else 0.0, i == j) for j, n in enumerate(counts)]
        yield str(LABELS[i]), total, cells


def evaluation_view(evaluation: Evaluation) -> dict[str, Any]:
    """Everything a template needs of one evaluation.

    Parameters
    ----------
    evaluation
        What was measured.

    Returns
    -------
    Names to values.
    """
    return {
        "name": evaluation.name,
        "context": evaluation.context,
        "scores": evaluation.scores,
        "confusion": list(confusion_rows(evaluation)),
        "slices": evaluation.slices,
        "calibration": evaluation.calibration,
        "levels": evaluation.levels,
        "mistakes": worst_mistakes(evaluation),
        "pages": sample_pages(evaluation),
        "data_digest": evaluation.data_digest,
    }
