"""Training pages of the ladder: what is known of each paragraph, which fold its site is in, and parts of them as small pages.

What is learnt from them is left to :mod:`newswinnow.models.ladder.classifier`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from newswinnow.models.ladder.pages import PageTable
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import ALIGNED, ALIGNED_LABEL, ORIGIN, PAGE, SITE, TEXT, FloatArray, IntArray, texts_of

N_FOLDS: Final = 5
N_STRETCHES: Final = 3
N_THINNED: Final = 3
"""Stretches drawn of every page, and thinned copies of it."""

SHORTEST: Final = 2.5
LONGEST: Final = 40.5
"""Bounds between which the logarithm of a stretch's paragraphs is uniform."""

FEWEST: Final = 4.5
MOST: Final = 60.5
"""The same of a thinned page's."""


@dataclass(frozen=True)
class Corpus:
    """Training pages in order.

    Attributes
    ----------
    table
        The pages.
    targets
        Weight of each paragraph for each label, shape (n_paragraphs, 3).
    fold_of_row
        Fold of each paragraph's site, or of its page where no site is known.
    is_read
        Whether each paragraph has a label that was not derived by alignment, shape (n_paragraphs,).
    hints
        A one for the label that alignment gives each paragraph, shape (n_paragraphs, 3); zeros where it gives none.
    """

    table: PageTable
    targets: FloatArray
    fold_of_row: IntArray
    is_read: npt.NDArray[np.bool_]
    hints: FloatArray

    @property
    def fold_of_page(self) -> IntArray:
        """Fold of each page."""
        return self.fold_of_row[self.table.starts[:-1]]

    @property
    def n_folds(self) -> int:
        """How many folds there are."""
        return int(self.fold_of_row.max()) + 1

    def take(self, rows: IntArray, starts: IntArray, weights: FloatArray) -> "Corpus":
        """Some paragraphs, laid out as pages anew.

        Parameters
        ----------
        rows
            Numbers of the paragraphs, shape (n_taken,).
        starts
            Index of each new page's first paragraph, and last n_taken.
        weights
            Factor of each paragraph's targets, shape (n_taken,).

        Returns
        -------
        The new pages.
        """
        return Corpus(
            self.table.take(rows, starts),
            weights[:, None] * self.targets[rows],
            self.fold_of_row[rows],
            self.is_read[rows],
            self.hints[rows],
        )


@dataclass(frozen=True)
class Parts:
    """Parts of pages as pages of their own.

    Attributes
    ----------
    rows
        Numbers of the paragraphs, one part after the other.
    starts
        Index of each part's first one, and last their number.
    """

    rows: IntArray
    starts: IntArray


def stretches(starts: IntArray, n_stretches: int, rng: np.random.Generator) -> Parts:
    """Stretches of neighbouring paragraphs, drawn from every page that is longer than they are.

    Parameters
    ----------
    starts
        Index of each page's first paragraph, and last the number of paragraphs.
    n_stretches
        How many are drawn of every page.
    rng
        Draws them.

    Returns
    -------
    The stretches.

    Examples
    --------
    >>> found = stretches(np.array([0, 40, 42]), 3, np.random.default_rng(0))
    >>> found.rows[:3].tolist(), found.starts.tolist()
    ([2, 3, 4], [0, 14, 19, 21])
    """

    def stretch(n: int, size: int) -> IntArray:
        first = int(rng.integers(0, n - size + 1))
        return np.arange(first, first + size)

    return _parts(starts, n_stretches, stretch, rng, bounds=(SHORTEST, LONGEST))


def thinned(starts: IntArray, n_thinned: int, rng: np.random.Generator) -> Parts:
    """Pages of which only some paragraphs are left, drawn at random and in their order: small pages of the same make-up.

    Parameters
    ----------
    starts
        Index of each page's first paragraph, and last the number of paragraphs.
    n_thinned
        How often every page is thinned.
    rng
        Draws what is left.

    Returns
    -------
    What is left of them.

    Examples
    --------
    >>> found = thinned(np.array([0, 40, 42]), 3, np.random.default_rng(0))
    >>> found.rows[:5].tolist(), found.starts.tolist()
    ([0, 1, 3, 8, 12], [0, 23, 32, 37])
    """
    return _parts(starts, n_thinned, lambda n, size: np.sort(rng.choice(n, size, replace=False)), rng, bounds=(FEWEST, MOST))


def _parts(
    starts: IntArray,
    n_parts: int,
    draw: Callable[[int, int], IntArray],
    rng: np.random.Generator,
    *,
    bounds: tuple[float, float],
) -> Parts:
    """Parts of every page that is longer than they are; the logarithms of their sizes are uniform."""
    parts = []
    for begin, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        sizes = np.exp(rng.uniform(np.log(bounds[0]), np.log(bounds[1]), n_parts)).astype(np.int64)
        parts += [begin + draw(end - begin, size) for size in sizes[sizes < end - begin].tolist()]
    rows = np.concatenate([np.empty(0, np.int64), *parts])
    return Parts(rows, np.cumsum([0, *map(len, parts)]))


def gather(X: Any, y: Any, sample_weight: Any) -> Corpus:
    """Pages to learn from.

    Parameters
    ----------
    X
        A paragraph table of whole pages; of texts alone, each is a page of its own.
    y
        Labels, shape (n_paragraphs,), None for what has none.
    sample_weight
        Weight of each paragraph, shape (n_paragraphs,); None for equal ones.

    Returns
    -------
    The pages, in the order of their first rows.

    Raises
    ------
    ValueError
        If lengths differ, a label is unknown, there is no column ``page``, or nothing weighs anything.
    """
    if not hasattr(X, "columns"):
        texts = texts_of(X)
        X = pd.DataFrame({PAGE: [str(number) for number in range(len(texts))], TEXT: texts})
    if PAGE not in X.columns:
        raise ValueError(f"X: a paragraph table must have a column 'page'; got {list(X.columns)}")
    targets = _targets(y, sample_weight, len(X))
    table = PageTable.of(X)
    rows = table.rows
    is_aligned = (X[ORIGIN] == ALIGNED).to_numpy() if ORIGIN in X.columns else np.zeros(len(X), dtype=bool)
    is_read = targets.any(axis=1) & ~is_aligned
    hints = _one_hot(X[ALIGNED_LABEL]) if ALIGNED_LABEL in X.columns else (targets > 0) * is_aligned[:, None].astype(float)
    return Corpus(table, targets[rows], _folds(X, targets)[rows], is_read[rows], hints[rows])


def _targets(y: Any, sample_weight: Any, n: int) -> FloatArray:
    """Weight of each paragraph for each label."""
    labels = np.asarray(y, dtype=object)
    if len(labels) != n:
        raise ValueError(f"y: must have one label per paragraph, {n}; got {len(labels)}")
    weights = np.ones(n) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if weights.shape != (n,) or not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError(f"sample_weight: must be one finite weight >= 0 per paragraph, {n}; got shape {weights.shape}")
    targets = np.zeros((n, len(LABELS)))
    for row, label in enumerate(labels.tolist()):
        if label in LABELS:
            targets[row, LABELS.index(label)] = weights[row]
        elif not pd.isna(label):
            raise ValueError(f"y: labels must be of {', '.join(LABELS)} or None; got {label!r}")
    if not targets.any():
        raise ValueError(f"y: must hold at least one label whose weight is not zero; got {n} paragraphs")
    return targets


def _one_hot(labels: Any) -> FloatArray:
    """A one for each label, zeros where there is none."""
    found: FloatArray = np.array([[label == one for one in LABELS] for label in labels], dtype=np.float64)
    return found.reshape(-1, len(LABELS))


def _folds(X: Any, targets: FloatArray) -> IntArray:
    """Fold of each row: sites, or pages where a page has none, spread so that folds weigh about the same."""
    pages = X[PAGE].astype(str)
    groups = pages
    if SITE in X.columns:
        groups = X[SITE].astype(object).where(X[SITE].notna(), "page " + pages).astype(str)
    number_of_row, names = pd.factorize(groups, sort=True)
    # A page belongs to the group of its first row, so that no page is cut.
    number_of_row = pd.Series(number_of_row).groupby(pages.to_numpy()).transform("first").to_numpy()
    weights = np.bincount(number_of_row, weights=targets.sum(axis=1) + 1e-3, minlength=len(names))
    loads = np.zeros(min(N_FOLDS, len(names)))
    fold_of = np.zeros(len(names), dtype=np.int64)
    for number in np.argsort(-weights, kind="stable").tolist():
        fold_of[number] = loads.argmin()
        loads[fold_of[number]] += weights[number]
    folds: IntArray = fold_of[number_of_row]
    return folds
