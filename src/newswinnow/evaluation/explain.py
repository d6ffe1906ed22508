"""Why a model judges a paragraph as it does: its features, its page, its neighbours, and what it would take to change its label.

Printing is left to :mod:`newswinnow.cli.explain`; each part has a module of its own.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from newswinnow.evaluation.explain_context import (
    LevelEffect,
    Neighbour,
    level_effects,
    logits_of,
    neighbour_effects,
    variants_of,
)
from newswinnow.evaluation.explain_flip import MAX_PAIRED_WORDS, Effort, Flip, smallest_flip
from newswinnow.models.explain_linear import Contribution, contributions, linear_weights_of
from newswinnow.models.predictor import ALONE, AUTO, Predictor
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.rows import Rows
from newswinnow.paragraphs.table import PAGE, POSITION, TEXT, FloatArray

MAX_ROWS_SCORED: Final = 20_000
"""Rows that the pairs of words of one paragraph may cost where each version of it is scored with its whole page."""


@dataclass(frozen=True)
class Explanation:
    """Why one paragraph has its label.

    Attributes
    ----------
    page, position, text
        The paragraph.
    label
        Number of its label.
    other
        Number of the label it is explained against: the one asked for, or the second most probable.
    probabilities
        In label order.
    logits
        Their logits: the sum of the contributions where the model knows no page, otherwise with mean 0.
    contributions
        What the features of the paragraph alone add; None for a model that does not judge it by a linear function. Of a model
        that knows pages they sum to the logits of the lowest level, less their mean.
    levels
        What each level of information adds; empty for a model that knows one.
    neighbours
        The other paragraphs of the page that change the most, the strongest first; empty likewise.
    flip
        The smallest edit that changes the label; None where none was found or none was asked for.
    """

    page: str
    position: int
    text: str
    label: int
    other: int
    probabilities: tuple[float, ...]
    logits: tuple[float, ...]
    contributions: tuple[Contribution, ...] | None
    levels: tuple[LevelEffect, ...]
    neighbours: tuple[Neighbour, ...]
    flip: Flip | None

    def ranked(self) -> list[Contribution]:
        """The contributions, those that speak most for or against the label first."""
        return sorted(self.contributions or (), key=lambda part: -abs(part.margin(self.label, self.other)))

    def as_dict(self) -> dict[str, Any]:
        """The explanation as plain values."""
        found = None if self.contributions is None else [_of_contribution(part) for part in self.ranked()]
        return {
            "page": self.page,
            "position": self.position,
            "text": self.text,
            "label": str(LABELS[self.label]),
            "against": str(LABELS[self.other]),
            "probabilities": _by_label(self.probabilities),
            "logits": _by_label(self.logits),
            "contributions": found,
            "levels": [
                {"context": level.context, "probabilities": _by_label(level.probabilities), "added": _by_label(level.added)}
                for level in self.levels
            ],
            "neighbours": [{"position": n.position, "text": n.text, "effect": _by_label(n.effect)} for n in self.neighbours],
            "flip": None if self.flip is None else _of_flip(self.flip),
        }


def _by_label(values: Sequence[float]) -> dict[str, float]:
    return {str(label): value for label, value in zip(LABELS, values, strict=True)}


def _of_contribution(part: Contribution) -> dict[str, Any]:
    return {"kind": part.name.kind, "name": part.name.text, "count": part.count, "logits": _by_label(part.logits)}


def _of_flip(flip: Flip) -> dict[str, Any]:
    return {
        "edits": list(flip.edits),
        "text": flip.text,
        "label": str(LABELS[flip.label]),
        "probabilities": _by_label(flip.probabilities),
        "is_smallest": flip.is_smallest,
    }


@dataclass(frozen=True)
class Wishes:
    """What an explanation should hold.

    Attributes
    ----------
    context
        Level of information to judge by.
    target
        Number of the label to explain against; None for the second most probable.
    n_neighbours
        How many neighbours to name at most.
    with_flip
        Whether to look for an edit that changes the label.
    n_left_out
        How many neighbours to leave out in turn, the nearest; None for 100.
    max_rows
        About how many rows may be scored for each stage of the search for an edit; None for as many as a single paragraph
        deserves.
    """

    context: str = AUTO
    target: int | None = None
    n_neighbours: int = 5
    with_flip: bool = True
    n_left_out: int | None = None
    max_rows: int | None = None


def explain_page(predictor: Predictor, page: Rows, numbers: Sequence[int], *, wishes: Wishes | None = None) -> list[Explanation]:
    """Explain paragraphs of one page.

    Parameters
    ----------
    predictor
        The model.
    page
        All paragraphs of the page, none of them empty.
    numbers
        Rows of those to explain.
    wishes
        What to tell.

    Returns
    -------
    An explanation for each.

    Raises
    ------
    ValueError
        If the model does not know the context.
    """
    wishes = wishes or Wishes()
    probabilities = predictor.predict_proba(page, context=wishes.context)
    knows_pages = predictor.contexts != (ALONE,)
    levels = level_effects(predictor, page, numbers=numbers) if knows_pages else [()] * len(numbers)
    return [
        _explained(predictor, page, number, probabilities[number], of_it, wishes)
        for number, of_it in zip(numbers, levels, strict=True)
    ]


def _explained(
    predictor: Predictor, page: Rows, number: int, found: FloatArray, levels: tuple[LevelEffect, ...], wishes: Wishes
) -> Explanation:
    text = page[TEXT][number]
    label = int(found.argmax())
    ranked = [int(code) for code in np.argsort(-found, kind="stable") if code != label]
    other = wishes.target if wishes.target not in (None, label) else ranked[0]
    weights = linear_weights_of(predictor)
    parts = contributions(text, weights) if weights is not None else None
    logits = logits_of(found).tolist() if levels or parts is None else _sum_of(parts)
    neighbours: list[Neighbour] = []
    if levels and wishes.context != ALONE:
        every = neighbour_effects(predictor, page, number, context=wishes.context, n_nearest=wishes.n_left_out)
        neighbours = sorted(every, key=lambda n: -abs(n.effect[label] - n.effect[other]))[: wishes.n_neighbours]
    return Explanation(
        page=str(page[PAGE][number]),
        position=int(page[POSITION][number]),
        text=text,
        label=label,
        other=other,
        probabilities=tuple(found.tolist()),
        logits=tuple(map(float, logits)),
        contributions=parts,
        levels=levels,
        neighbours=tuple(neighbours),
        flip=_flip(predictor, page, number, wishes) if wishes.with_flip else None,
    )


def _sum_of(parts: Sequence[Contribution]) -> list[float]:
    return [math.fsum(values) for values in zip(*(part.logits for part in parts), strict=True)]


def _flip(predictor: Predictor, page: Rows, number: int, wishes: Wishes) -> Flip | None:
    text = page[TEXT][number]
    if predictor.contexts == (ALONE,) or wishes.context == ALONE:
        return smallest_flip(text, partial(_score_alone, predictor), target=wishes.target, effort=_effort(text, 1, wishes))
    in_page = partial(_score_in_page, predictor, page, number, wishes.context)
    return smallest_flip(text, in_page, target=wishes.target, effort=_effort(text, len(page), wishes))


def _effort(text: str, n_rows: int, wishes: Wishes) -> Effort:
    """What may be tried where each version of a paragraph costs so many rows."""
    if wishes.max_rows is not None:
        return Effort.within(wishes.max_rows // n_rows, len(text.split()))
    return Effort(max_paired_words=max(4, min(MAX_PAIRED_WORDS, math.isqrt(2 * MAX_ROWS_SCORED // n_rows))))


def _score_alone(predictor: Predictor, texts: Sequence[str]) -> FloatArray:
    return predictor.predict_proba(list(texts), context=ALONE)


def _score_in_page(predictor: Predictor, page: Rows, number: int, context: str, texts: Sequence[str]) -> FloatArray:
    """Probabilities of versions of one paragraph, each with the rest of its page around it."""
    found = []
    everything = [True] * len(page)
    n_at_once = max(1, MAX_ROWS_SCORED // len(page))
    for begin in range(0, len(texts), n_at_once):
        part = texts[begin : begin + n_at_once]
        changed = [[*page[TEXT][:number], text, *page[TEXT][number + 1 :]] for text in part]
        table = variants_of(page, [(everything, {TEXT: changed_texts}) for changed_texts in changed])
        found.append(predictor.predict_proba(table, context=context)[number :: len(page)])
    return np.concatenate(found)
