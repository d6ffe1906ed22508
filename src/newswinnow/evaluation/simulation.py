"""Simulated corpora of pages whose paragraphs err alike, to check intervals and verdicts where the truth is known.

Nothing here measures a model; what is checked stands in the other modules of this package.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import FloatArray, IntArray

_N: Final = len(LABELS)


@dataclass(frozen=True)
class PageModel:
    """How pages and a model's answers to them come about.

    Each page draws its size, its shares of labels, and for each true label its own chances of answers; paragraphs of a page err
    alike because they share these.

    Attributes
    ----------
    confusion
        Chance of each answer in the mean over pages, true label before answer, in label order.
    concentration
        How alike pages are in their chances of answers: the intraclass correlation of errors is 1 / (concentration + 1).
    shares
        Share of each label in the mean over pages.
    share_concentration
        How alike pages are in their shares of labels.
    sizes
        Fewest and most labelled paragraphs of a page.
    """

    confusion: tuple[tuple[float, ...], ...]
    concentration: float
    shares: tuple[float, ...] = (0.43, 0.42, 0.15)
    share_concentration: float = 5.0
    sizes: tuple[int, int] = (15, 80)

    def draw_labels(self, n_pages: int, rng: np.random.Generator) -> IntArray:
        """Paragraphs of each label on each page, shape (n_pages, 3)."""
        sizes = rng.integers(self.sizes[0], self.sizes[1] + 1, size=n_pages)
        shares = rng.dirichlet(np.asarray(self.shares) * self.share_concentration, size=n_pages)
        return rng.multinomial(sizes, shares)

    def draw_chances(self, n_pages: int, rng: np.random.Generator) -> FloatArray:
        """Chances of answers of each page, shape (n_pages, 3, 3)."""
        rows = [rng.dirichlet(np.asarray(row) * self.concentration, size=n_pages) for row in self.confusion]
        return np.stack(rows, axis=1)

    def draw(self, n_pages: int, rng: np.random.Generator) -> IntArray:
        """Confusion matrix of each page of a corpus.

        Parameters
        ----------
        n_pages
            Size of the corpus.
        rng
            Source of chance.

        Returns
        -------
        Shape (n_pages, 3, 3).
        """
        labels = self.draw_labels(n_pages, rng)
        return rng.multinomial(labels, self.draw_chances(n_pages, rng))
