"""Explanations as reports show them: what speaks for the answer, what for the true label, which edit would give the latter.

Finding out is left to :mod:`newswinnow.evaluation.explain`, laying it out to the templates.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from newswinnow.evaluation.explain import Explanation
from newswinnow.evaluation.explain_context import LevelEffect, Neighbour
from newswinnow.evaluation.explain_flip import Flip
from newswinnow.paragraphs.label import LABELS
from newswinnow.reports.texts import cut_text, html_bytes

N_FEATURES: Final = 8
BAR_WIDTH: Final = 200
MAX_FEATURE_CHARS: Final = 90
MAX_NEIGHBOUR_CHARS: Final = 140
MAX_EDITED_CHARS: Final = 420
_LEAST_SHOWN: Final = 0.005
_PART_BYTES: Final = 350
_FRAME_BYTES: Final = 1300
ALONE: Final = "Its own words and shape"
LEVELS: Final = "What each level of information adds"
NEIGHBOURS: Final = "What the strongest of the nearest paragraphs add, found by leaving each out"


@dataclass(frozen=True)
class PartView:
    """One line: what it is, more about it, what it adds for the answer, and the bar of that, in units of its drawing."""

    what: str
    detail: str
    margin: float
    begin: float
    width: float
    is_sum: bool = False


@dataclass(frozen=True)
class GroupView:
    """Lines of one kind; ``is_quoted`` where what they are is text of the page."""

    title: str
    parts: tuple[PartView, ...]
    is_quoted: bool = False


@dataclass(frozen=True)
class FlipView:
    """An edit: its steps, the edited text, the label it has then with its probability, and whether no smaller edit exists."""

    edits: tuple[str, ...]
    text: str
    label: str
    probability: float
    is_smallest: bool


@dataclass(frozen=True)
class ExplanationView:
    """Why a paragraph got its label and not another: what adds to it, and the edit that gives the other, if one was found."""

    label: str
    other: str
    groups: tuple[GroupView, ...]
    flip: FlipView | None

    @property
    def n_bytes(self) -> int:
        """About how much of a document it takes."""
        parts = [part for group in self.groups for part in group.parts]
        edit = sum(map(html_bytes, (*self.flip.edits, self.flip.text))) if self.flip else 0
        return _FRAME_BYTES + sum(_PART_BYTES + html_bytes(part.what) + html_bytes(part.detail) for part in parts) + edit


@dataclass(frozen=True)
class _Line:
    what: str
    detail: str
    margin: float
    is_sum: bool = False


def explanation_view(explanation: Explanation) -> ExplanationView:
    """What a report shows of an explanation, all bars on one scale.

    Parameters
    ----------
    explanation
        Why a paragraph got its label.

    Returns
    -------
    Its view.
    """
    found = {
        ALONE: list(_feature_lines(explanation)),
        LEVELS: list(_level_lines(explanation)),
        NEIGHBOURS: list(_neighbour_lines(explanation)),
    }
    largest = max((abs(line.margin) for lines in found.values() for line in lines), default=0.0)
    groups = [
        GroupView(title, tuple(_part(line, largest) for line in lines), title == NEIGHBOURS)
        for title, lines in found.items()
        if lines
    ]
    flip = _flip_view(explanation.flip) if explanation.flip else None
    return ExplanationView(str(LABELS[explanation.label]), str(LABELS[explanation.other]), tuple(groups), flip)


def _part(line: _Line, largest: float) -> PartView:
    zero = BAR_WIDTH / 2
    end = zero * (1 + line.margin / largest) if largest else zero
    return PartView(line.what, line.detail, line.margin, min(zero, end), abs(end - zero), line.is_sum)


def _feature_lines(explanation: Explanation) -> Iterator[_Line]:
    label, other = explanation.label, explanation.other
    ranked = explanation.ranked()
    for part in ranked[:N_FEATURES]:
        times = f" × {part.count}" if part.count > 1 else ""
        yield _Line(cut_text(part.name.text, MAX_FEATURE_CHARS), f"{part.name.kind}{times}", part.margin(label, other))
    rest = [part.margin(label, other) for part in ranked[N_FEATURES:]]
    if rest:
        yield _Line(f"{len(rest)} others together", "", sum(rest))
    if ranked and not explanation.levels:
        yield _Line("in all", _chances(explanation.probabilities, label, other), _margin(explanation.logits, label, other), True)


def _level_lines(explanation: Explanation) -> Iterator[_Line]:
    label, other = explanation.label, explanation.other
    for i, level in enumerate(explanation.levels):
        chances = f"then {_chances(level.probabilities, label, other)}"
        yield _Line(f"{'and ' if i else ''}{level.context}", chances, _margin(level.added, label, other))
    if explanation.levels:
        given = _margin(explanation.logits, label, other)
        yield _Line("as answered", _chances(explanation.probabilities, label, other), given, True)


def _chances(probabilities: Sequence[float], label: int, other: int) -> str:
    # A number stays on one line with its sign.
    return ", ".join(f"{LABELS[code]} {100 * probabilities[code]:.0f}\N{NO-BREAK SPACE}%" for code in (label, other))


def _neighbour_lines(explanation: Explanation) -> Iterator[_Line]:
    for neighbour in explanation.neighbours:
        margin = _margin(neighbour.effect, explanation.label, explanation.other)
        if abs(margin) >= _LEAST_SHOWN:
            yield _Line(cut_text(neighbour.text, MAX_NEIGHBOUR_CHARS), _place(neighbour, explanation.position), margin)


def _place(neighbour: Neighbour, position: int) -> str:
    away = neighbour.position - position
    return f"{abs(away)} {'below' if away > 0 else 'above'}" if away else "at the same position"


def _margin(values: Sequence[float], label: int, other: int) -> float:
    return values[label] - values[other]


def _flip_view(flip: Flip) -> FlipView:
    edits = tuple(cut_text(edit, MAX_FEATURE_CHARS) for edit in flip.edits)
    text = cut_text(flip.text, MAX_EDITED_CHARS)
    return FlipView(edits, text, str(LABELS[flip.label]), flip.probabilities[flip.label], flip.is_smallest)


@dataclass(frozen=True)
class LevelMean:
    """A level of information, and what it adds on average for wrong answers against the true labels, in logits."""

    context: str
    added: float


@dataclass(frozen=True)
class ExplainedSummary:
    """Explained mistakes in a few numbers, no text of theirs among them.

    Attributes
    ----------
    n
        How many were explained.
    steps
        Numbers of steps that gave the true label, with how many mistakes each, ascending.
    n_without
        Mistakes for which no edit was found.
    levels
        What each level adds on average, the lowest first; empty for a model that knows one.
    """

    n: int
    steps: tuple[tuple[int, int], ...]
    n_without: int
    levels: tuple[LevelMean, ...]


def summary_of(explained: Sequence[Explanation]) -> ExplainedSummary | None:
    """Explanations in a few numbers.

    Parameters
    ----------
    explained
        Of the mistakes of one evaluation.

    Returns
    -------
    The numbers; None where nothing was explained.
    """
    if not explained:
        return None
    steps = Counter(len(e.flip.edits) for e in explained if e.flip)
    found = tuple(sorted(steps.items()))
    return ExplainedSummary(len(explained), found, len(explained) - steps.total(), tuple(_level_means(explained)))


def _level_means(explained: Sequence[Explanation]) -> Iterator[LevelMean]:
    by_context: dict[str, list[float]] = {}
    for explanation in explained:
        for level in explanation.levels:
            by_context.setdefault(level.context, []).append(_added(level, explanation))
    for context, values in by_context.items():
        yield LevelMean(context, float(np.mean(values)))


def _added(level: LevelEffect, explanation: Explanation) -> float:
    return _margin(level.added, explanation.label, explanation.other)
