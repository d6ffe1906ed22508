"""Paragraphs, mistakes and pages as reports show them, and how many of them fit.

What a report says of an evaluation as a whole is left to :mod:`newswinnow.reports.views`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from newswinnow.evaluation.evaluate import Evaluation
from newswinnow.evaluation.slices import slice_names, slices_of
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import LABEL, PAGE, POSITION, PREDICTED, PROBABILITY_COLUMNS, TEXT, IntArray
from newswinnow.reports.explained import ExplanationView, explanation_view
from newswinnow.reports.texts import cut_text, html_bytes

MAX_MISTAKES: Final = 400
"""Of one evaluation; more are slow to filter and sort in a browser."""

N_NEIGHBOURS: Final = 2
MAX_PAGE_PARAGRAPHS: Final = 400
MAX_CHARS: Final = 420
MAX_PAGE_CHARS: Final = 1200
MARKUP_BYTES: Final = 165
"""Tags around one paragraph, at most."""

GLANCE_BYTES: Final = 80
"""One mark of a page at a glance, at most."""

_LEVEL_BYTES: Final = 52


@dataclass(frozen=True)
class Said:
    """What the model said of a paragraph at another level of information."""

    context: str
    predicted: str


@dataclass(frozen=True)
class ParagraphView:
    """One paragraph as shown: text, label if known, prediction and its probability, and other levels that say otherwise."""

    position: int
    text: str
    label: str | None
    predicted: str
    probability: float
    others: tuple[Said, ...] = ()

    @property
    def is_wrong(self) -> bool:
        """Whether the prediction contradicts a known label."""
        return self.label is not None and self.label != self.predicted

    @property
    def n_bytes(self) -> int:
        """About how much of a document it takes."""
        return MARKUP_BYTES + _LEVEL_BYTES * len(self.others) + html_bytes(self.text)


@dataclass(frozen=True)
class MistakeView:
    """A wrong prediction between its neighbours on the page; ``slices`` are numbers of filters for it, ``why`` explains it."""

    page: str
    before: tuple[ParagraphView, ...]
    paragraph: ParagraphView
    after: tuple[ParagraphView, ...]
    slices: tuple[int, ...] = ()
    why: ExplanationView | None = None

    @property
    def n_bytes(self) -> int:
        """About how much of a document it takes."""
        paragraphs = sum(p.n_bytes for p in (*self.before, self.paragraph, *self.after))
        return 3 * MARKUP_BYTES + html_bytes(self.page) + paragraphs + (self.why.n_bytes if self.why else 0)


@dataclass(frozen=True)
class Filter:
    """A kind of slice to filter by: numbers and names of its slices."""

    kind: str
    names: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Run:
    """Neighbouring paragraphs of one prediction on a page, for the page at a glance."""

    at: int
    length: int
    predicted: str


@dataclass(frozen=True)
class PageView:
    """A whole page, cut after 400 paragraphs, with how many labelled ones were right."""

    page: str
    paragraphs: tuple[ParagraphView, ...]
    n_hidden: int
    n_labelled: int
    n_right: int

    @property
    def n_bytes(self) -> int:
        """About how much of a document it takes."""
        marks = GLANCE_BYTES * (len(self.runs) + len(self.wrong))
        return 3 * MARKUP_BYTES + html_bytes(self.page) + marks + sum(p.n_bytes for p in self.paragraphs)

    @property
    def runs(self) -> list[Run]:
        """The page at a glance."""
        return runs_of([p.predicted for p in self.paragraphs])

    @property
    def wrong(self) -> list[int]:
        """Which of the paragraphs shown are wrong."""
        return [i for i, p in enumerate(self.paragraphs) if p.is_wrong]


def runs_of(labels: Sequence[str]) -> list[Run]:
    """Neighbours of one label put together.

    Parameters
    ----------
    labels
        In order.

    Returns
    -------
    The runs.

    Examples
    --------
    >>> [(run.at, run.length) for run in runs_of(["news", "news", "boilerplate"])]
    [(0, 2), (2, 1)]
    """
    starts = [i for i, label in enumerate(labels) if i == 0 or labels[i - 1] != label]
    return [Run(i, end - i, labels[i]) for i, end in zip(starts, [*starts[1:], len(labels)], strict=True)]


class ShownTable:
    """A predicted table in page order, from which single paragraphs and pages are taken."""

    def __init__(self, evaluation: Evaluation) -> None:
        table = evaluation.table.reset_index(drop=True)
        order = table[table[PREDICTED].notna()].sort_values([PAGE, POSITION], kind="stable").index
        rows = table.loc[order]
        self.pages: list[str] = rows[PAGE].astype(str).tolist()
        self.positions: list[int] = rows[POSITION].astype(int).tolist()
        self.texts: list[str] = rows[TEXT].astype(str).tolist()
        self.labels: list[str | None] = [label if isinstance(label, str) else None for label in rows[LABEL]]
        self.predicted: list[str] = rows[PREDICTED].astype(str).tolist()
        self.sureness = rows[list(PROBABILITY_COLUMNS)].to_numpy(dtype=np.float64).max(axis=1)
        self.levels = {
            level.context: level.table.reset_index(drop=True)[PREDICTED].loc[order].tolist() for level in evaluation.levels
        }
        slices = slices_of(table, known_sites=evaluation.known_sites)
        self.slices: dict[str, list[str]] = {kind: values.loc[order].astype(str).tolist() for kind, values in slices.items()}
        self.is_wrong = np.array([a is not None and a != b for a, b in zip(self.labels, self.predicted, strict=True)], dtype=bool)
        changes = [i for i in range(len(self.pages)) if i == 0 or self.pages[i] != self.pages[i - 1]]
        self.explained = {(e.page, e.position, e.text, str(LABELS[e.label])): e for e in evaluation.explained}
        self.spans = list(zip(changes, [*changes[1:], len(self.pages)], strict=True))

    def paragraph(self, i: int, *, max_chars: int = MAX_CHARS) -> ParagraphView:
        """One paragraph.

        Parameters
        ----------
        i
            Its row.
        max_chars
            Where its text is cut.

        Returns
        -------
        Its view.
        """
        predicted = self.predicted[i]
        said = [(context, answers[i]) for context, answers in self.levels.items()]
        differs = any(isinstance(answer, str) and answer != predicted for _, answer in said)
        others = tuple(Said(context, answer) for context, answer in said if isinstance(answer, str)) if differs else ()
        text = cut_text(self.texts[i], max_chars)
        return ParagraphView(self.positions[i], text, self.labels[i], predicted, float(self.sureness[i]), others)

    def why(self, i: int) -> ExplanationView | None:
        """Why one paragraph got its label.

        Parameters
        ----------
        i
            Its row.

        Returns
        -------
        The explanation's view; None where there is none.
        """
        found = self.explained.get((self.pages[i], self.positions[i], self.texts[i], self.predicted[i]))
        return explanation_view(found) if found else None

    def page(self, span: tuple[int, int]) -> PageView:
        """One page.

        Parameters
        ----------
        span
            Its first row and the one after its last.

        Returns
        -------
        Its view.
        """
        begin, end = span
        shown = min(end, begin + MAX_PAGE_PARAGRAPHS)
        paragraphs = tuple(self.paragraph(i, max_chars=MAX_PAGE_CHARS) for i in range(begin, shown))
        n_labelled, n_right = self.counts(span)
        return PageView(self.pages[begin], paragraphs, end - shown, n_labelled, n_right)

    def counts(self, span: tuple[int, int]) -> tuple[int, int]:
        """How many paragraphs of a page are labelled, and how many of them are right.

        Parameters
        ----------
        span
            Its first row and the one after its last.

        Returns
        -------
        The two numbers.
        """
        n_labelled = sum(label is not None for label in self.labels[slice(*span)])
        return n_labelled, n_labelled - int(self.is_wrong[slice(*span)].sum())

    def filters(self) -> list[Filter]:
        """Kinds of slices that mistakes are in, their slices numbered through."""
        found, number = [], 0
        for kind, values in self.slices.items():
            names = slice_names(kind, pd.Series(values)[self.is_wrong])
            if len(names) > 1:
                found.append(Filter(kind, tuple(enumerate(names, start=number))))
                number += len(names)
        return found


@dataclass(frozen=True)
class Mistakes:
    """Wrong predictions, surest first, as many as fit.

    Attributes
    ----------
    shown
        The mistakes.
    n_left_out
        Less sure ones that are not shown.
    filters
        Slices to filter them by.
    orders
        Name of a way to sort to the rank of each mistake.
    """

    shown: tuple[MistakeView, ...]
    n_left_out: int
    filters: tuple[Filter, ...]
    orders: dict[str, tuple[int, ...]]


def mistakes_of(table: ShownTable, *, max_bytes: int) -> Mistakes:
    """The wrong predictions that were surest, each between its neighbours.

    Parameters
    ----------
    table
        What was predicted.
    max_bytes
        About how much of a document they may take.

    Returns
    -------
    The mistakes and how many are left out.
    """
    wrong = np.flatnonzero(table.is_wrong)
    ranked: IntArray = wrong[np.argsort(-table.sureness[wrong], kind="stable")]
    filters = tuple(table.filters())
    spans = dict(table.spans)
    begins = np.array(list(spans))
    shown: list[MistakeView] = []
    n_bytes = 0
    for i in ranked[:MAX_MISTAKES].tolist():
        begin = int(begins[np.searchsorted(begins, i, side="right") - 1])
        view = _mistake(table, i, (begin, spans[begin]), filters)
        n_bytes += view.n_bytes
        if n_bytes > max_bytes:
            break
        shown.append(view)
    return Mistakes(tuple(shown), len(wrong) - len(shown), filters, _orders(shown))


def _mistake(table: ShownTable, i: int, span: tuple[int, int], filters: Sequence[Filter]) -> MistakeView:
    begin, end = max(span[0], i - N_NEIGHBOURS), min(span[1], i + N_NEIGHBOURS + 1)
    numbers = tuple(n for f in filters for n, name in f.names if table.slices[f.kind][i] == name)
    return MistakeView(
        table.pages[i],
        tuple(table.paragraph(k) for k in range(begin, i)),
        table.paragraph(i),
        tuple(table.paragraph(k) for k in range(i + 1, end)),
        numbers,
        table.why(i),
    )


def _orders(shown: Sequence[MistakeView]) -> dict[str, tuple[int, ...]]:
    label = {str(name): i for i, name in enumerate(LABELS)}
    keys: dict[str, list[tuple[Any, ...]]] = {
        "by page and place": [(m.page, m.paragraph.position) for m in shown],
        "by label and prediction": [(label[str(m.paragraph.label)], label[m.paragraph.predicted]) for m in shown],
        "longest text first": [(-len(m.paragraph.text),) for m in shown],
    }
    return {name: _ranks(values) for name, values in keys.items()}


def _ranks(values: Sequence[tuple[Any, ...]]) -> tuple[int, ...]:
    order = sorted(range(len(values)), key=lambda i: values[i])
    ranks = [0] * len(values)
    for rank, i in enumerate(order):
        ranks[i] = rank
    return tuple(ranks)


@dataclass(frozen=True)
class Pages:
    """Whole pages from the worst to the best, and how many are left out."""

    shown: tuple[PageView, ...]
    n_left_out: int


def pages_of(table: ShownTable, *, max_bytes: int) -> Pages:
    """Whole pages from the worst to the best by share of right paragraphs; where not all fit, spread over that range.

    Parameters
    ----------
    table
        What was predicted.
    max_bytes
        About how much of a document they may take.

    Returns
    -------
    The pages; those without a label are left out.
    """
    counted = [(*table.counts(span), span) for span in table.spans]
    labelled = [(n_right / n, table.pages[span[0]], span) for n, n_right, span in counted if n]
    ranked = [span for _, _, span in sorted(labelled)]
    n_shown = min(len(ranked), max_bytes // (3 * MARKUP_BYTES))
    while n_shown:
        views = [table.page(ranked[i]) for i in spread(len(ranked), n_shown)]
        n_bytes = sum(view.n_bytes for view in views)
        if n_bytes <= max_bytes:
            return Pages(tuple(views), len(ranked) - len(views))
        n_shown = min(n_shown - 1, int(n_shown * max_bytes / n_bytes))
    return Pages((), len(ranked))


def spread(n: int, n_picked: int) -> list[int]:
    """Places spread evenly over a ranking, both ends among them.

    Parameters
    ----------
    n
        Length of the ranking.
    n_picked
        How many.

    Returns
    -------
    Ascending.

    Examples
    --------
    >>> spread(7, 3)
    [0, 3, 6]
    """
    return [int(i) for i in np.unique(np.linspace(0, n - 1, n_picked).round().astype(int))]
