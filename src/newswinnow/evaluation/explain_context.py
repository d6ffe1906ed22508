"""What the page around a paragraph adds to its judgement: by level of information, and by leaving out one neighbour at a time.

It asks the model for nothing but probabilities, so it holds for every model that knows contexts. What the words of the paragraph
itself add is left to :mod:`newswinnow.models.explain_linear`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from newswinnow.models.predictor import CONTEXTS, Predictor
from newswinnow.paragraphs.rows import Rows
from newswinnow.paragraphs.table import PAGE, POSITION, TEXT, FloatArray

MAX_NEIGHBOURS: Final = 100
"""Paragraphs of a page, the nearest by position, that are left out in turn for one of them."""
_FLOOR: Final = 1e-12
_MARKUP: Final = ("tag", "link_density")


@dataclass(frozen=True)
class LevelEffect:
    """What a level of information adds to the one below it.

    Attributes
    ----------
    context
        The level.
    probabilities
        At this level, in label order.
    added
        Change of the logits against the level below, in label order; the logits themselves at the lowest level.
    """

    context: str
    probabilities: tuple[float, ...]
    added: tuple[float, ...]


@dataclass(frozen=True)
class Neighbour:
    """What one other paragraph of the page does to this one.

    Attributes
    ----------
    position
        Its place.
    text
        Its text.
    effect
        Logits with it less those without it, in label order.
    """

    position: int
    text: str
    effect: tuple[float, ...]


def logits_of(probabilities: FloatArray) -> FloatArray:
    """Logits whose mean is 0, from probabilities.

    Parameters
    ----------
    probabilities
        Shape (..., n_labels); less than 1e-12 counts as that much.

    Returns
    -------
    Same shape.

    Examples
    --------
    >>> logits_of(np.array([0.5, 0.25, 0.25])).round(3).tolist()
    [0.462, -0.231, -0.231]
    """
    logarithms = np.log(np.maximum(probabilities, _FLOOR))
    centred: FloatArray = logarithms - logarithms.mean(axis=-1, keepdims=True)
    return centred


def levels_for(predictor: Predictor, page: Rows) -> list[str]:
    """Levels of information that the model knows and the page carries, the lowest first.

    Parameters
    ----------
    predictor
        The model.
    page
        One page.

    Returns
    -------
    Of ``alone``, ``bag``, ``order`` and ``markup``.
    """
    has_markup = any(value is not None for name in _MARKUP if name in page for value in page[name])
    return [level for level in CONTEXTS if level in predictor.contexts and (level != CONTEXTS[-1] or has_markup)]


def level_effects(predictor: Predictor, page: Rows, *, numbers: Sequence[int] | None = None) -> list[tuple[LevelEffect, ...]]:
    """What each level adds for paragraphs of a page.

    Parameters
    ----------
    predictor
        The model.
    page
        One page.
    numbers
        Rows of those to tell of; None for all.

    Returns
    -------
    For each paragraph its effects, the lowest level first; what is added sums to the logits at the highest.
    """
    levels = levels_for(predictor, page)
    found = [predictor.predict_proba(page, context=level) for level in levels]
    effects: list[tuple[LevelEffect, ...]] = []
    for i in range(len(page)) if numbers is None else numbers:
        logits = logits_of(np.array([probabilities[i] for probabilities in found]))
        added = np.diff(logits, axis=0, prepend=np.zeros((1, logits.shape[1])))
        rows = zip(levels, found, added, strict=True)
        effects.append(tuple(LevelEffect(level, tuple(p[i].tolist()), tuple(change.tolist())) for level, p, change in rows))
    return effects


def variants_of(page: Rows, changes: Sequence[tuple[Sequence[bool], Mapping[str, Sequence[Any]]]]) -> Rows:
    """Several versions of a page as pages of one table.

    Parameters
    ----------
    page
        One page.
    changes
        For each version, which rows it keeps and the columns it replaces before that.

    Returns
    -------
    All versions one after the other, their page ids the numbers from 0.
    """
    versions = [page.with_columns(columns).where(kept) for kept, columns in changes]
    columns: dict[str, list[Any]] = {name: [v for version in versions for v in version[name]] for name in page.columns}
    return Rows({**columns, PAGE: [str(i) for i, version in enumerate(versions) for _ in range(len(version))]})


def neighbour_effects(
    predictor: Predictor, page: Rows, number: int, *, context: str, n_nearest: int | None = None
) -> list[Neighbour]:
    """What each of the nearest paragraphs does to one.

    Parameters
    ----------
    predictor
        A model that knows contexts.
    page
        One page.
    number
        Row of the paragraph.
    context
        Level of information.
    n_nearest
        How many to leave out in turn; None for 100.

    Returns
    -------
    The neighbours in the order of their positions.
    """
    positions: list[int] = list(page[POSITION])
    others = sorted((i for i in range(len(page)) if i != number), key=lambda i: (abs(positions[i] - positions[number]), i))
    others = sorted(others[: MAX_NEIGHBOURS if n_nearest is None else n_nearest], key=lambda i: (positions[i], i))
    if not others:
        return []
    kept = [[i != left for i in range(len(page))] for left in others]
    table = variants_of(page, [(is_kept, {}) for is_kept in kept])
    n_kept = len(page) - 1
    at = [k * n_kept + number - (left < number) for k, left in enumerate(others)]
    without = logits_of(predictor.predict_proba(table, context=context)[at])
    effects = logits_of(predictor.predict_proba(page, context=context)[number]) - without
    return [Neighbour(positions[i], page[TEXT][i], tuple(effect.tolist())) for i, effect in zip(others, effects, strict=True)]
