"""Whether a page's order can be trusted: pages in order have runs, of menus, of body text, of links; shuffled ones have none.

What to do with the answer is left to :mod:`newswinnow.models.ladder.model`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from newswinnow.paragraphs.table import FloatArray, IntArray

N_SERIES: Final = 5
N_SIGNS: Final = N_SERIES + 2
_MOST: Final = 12.0
_NO_SPREAD: Final = 1e-9
_LEAST_SERIES: Final = 3
"""Of shorter pages nothing can be said."""

SHORT: Final = 160
"""A page of n paragraphs is trusted at odds of 1 + 160 / n to 1. To take an order for granted that was lost costs 15 points of
macro-F1 on whole pages; not to use one costs 6 there, and nothing on stretches of 16 paragraphs (experiments/029-small-pages)."""

LONG: Final = 120
FEW: Final = 5
"""A page of n paragraphs with markup is trusted at odds of n / 120 to 1, of 120 and more at even ones; one of fewer than 5 as if
it had none. Markup in order is worth 4 to 9 points more than the bag from 12 paragraphs on; where the order was lost it costs 7
on whole pages, and 0 to 2 on small ones (experiments/036-order-of-markup)."""

LONG_TEXT: Final = 40
"""A page known to be in order is taken so from FEW paragraphs on if it has markup, from 40 on if not: shorter ones are better as
a bag unless their order shows (experiments/036-order-of-markup)."""


def series(probabilities: FloatArray, log_chars: npt.NDArray[np.float32], closes: npt.NDArray[np.float32]) -> FloatArray:
    """What is followed along a page.

    Parameters
    ----------
    probabilities
        Of the paragraphs alone, shape (n_paragraphs, 3).
    log_chars
        Logarithm of the number of characters of each.
    closes
        Whether each ends as a sentence does.

    Returns
    -------
    Shape (n_paragraphs, N_SERIES).
    """
    return np.column_stack([probabilities, log_chars.astype(np.float64), closes.astype(np.float64)])


def signs(followed: FloatArray, starts: IntArray) -> FloatArray:
    """Signs of order: for each series how much neighbours are alike, in standard deviations of what chance makes them.

    The lag-1 serial correlation of a shuffled series of n values has a mean of -1/n and a variance of about 1/n.

    Parameters
    ----------
    followed
        Of :func:`series`.
    starts
        Index of each page's first paragraph, and last the number of paragraphs.

    Returns
    -------
    Shape (n_pages, N_SIGNS): one a series, their mean, and the logarithm of the page's size.
    """
    begins, sizes = starts[:-1], np.diff(starts)[:, None]
    found = np.zeros((len(sizes), N_SIGNS))
    if not len(sizes):
        return found
    centred = followed - np.repeat(np.add.reduceat(followed, begins) / sizes, sizes[:, 0], axis=0)
    products = np.zeros_like(centred)
    np.multiply(centred[1:], centred[:-1], out=products[1:])
    products[begins] = 0
    squares, alike = np.add.reduceat(centred * centred, begins), np.add.reduceat(products, begins)
    chance = np.broadcast_to(1 / sizes, squares.shape)
    correlation = np.divide(alike, squares, out=-chance, where=squares > _NO_SPREAD)
    is_long = sizes >= _LEAST_SERIES
    found[:, :N_SERIES] = np.where(is_long, ((correlation + chance) * np.sqrt(sizes)).clip(-_MOST, _MOST), 0)
    found[:, N_SERIES] = found[:, :N_SERIES].mean(axis=1)
    found[:, -1] = np.log(sizes[:, 0])
    return found


@dataclass(frozen=True)
class OrderTrust:
    """A logistic regression of whether a page is in order.

    Attributes
    ----------
    weights
        ``float64``, shape (N_SIGNS + 1,), the last one the intercept.
    """

    weights: FloatArray

    def trusts(
        self, found: FloatArray, has_hints: npt.NDArray[np.bool_], is_known: npt.NDArray[np.bool_] | None = None
    ) -> npt.NDArray[np.bool_]:
        """Which pages are known or seem to be in order, surely enough for their size and for what is lost if they are not.

        Parameters
        ----------
        found
            Of :func:`signs`.
        has_hints
            Which pages have markup, shape (n_pages,).
        is_known
            Which pages are known to be in order, shape (n_pages,); None where nothing is known.

        Returns
        -------
        Shape (n_pages,).
        """
        sizes = np.exp(found[:, -1])
        counts_hints = has_hints & (sizes > FEW - 0.5)
        odds = np.where(counts_hints, np.minimum(sizes / LONG, 1), 1 + SHORT / sizes)
        is_trusted: npt.NDArray[np.bool_] = found @ self.weights[:-1] + self.weights[-1] > np.log(odds)
        if is_known is not None:
            is_trusted |= is_known & (counts_hints | (sizes > LONG_TEXT - 0.5))
        return is_trusted


def learn_trust(followed: FloatArray, starts: IntArray, *, seed: int, n_shuffles: int = 3) -> OrderTrust:
    """Learn to tell pages in order from the same pages shuffled.

    Parameters
    ----------
    followed
        Of :func:`series`, pages in order.
    starts
        Index of each page's first paragraph, and last the number of paragraphs.
    seed
        Seed of the shuffles.
    n_shuffles
        Shuffled copies of each page.

    Returns
    -------
    The regression; with no page of three paragraphs, one that trusts every page.
    """
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(seed)
    is_long = np.diff(starts) >= _LEAST_SERIES
    if not is_long.any():
        return OrderTrust(np.array([0.0] * N_SIGNS + [100.0]))
    shuffled = [signs(followed[_shuffled(starts, rng)], starts)[is_long] for _ in range(n_shuffles)]
    found = np.concatenate([signs(followed, starts)[is_long], *shuffled])
    is_ordered = np.repeat([True, False], [is_long.sum(), n_shuffles * is_long.sum()])
    fitted = LogisticRegression(C=1.0, class_weight="balanced", max_iter=1000).fit(found, is_ordered)
    return OrderTrust(np.concatenate([fitted.coef_[0], fitted.intercept_]))


def _shuffled(starts: IntArray, rng: np.random.Generator) -> IntArray:
    """Rows of every page in an order drawn at random."""
    pairs = zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)
    return np.concatenate([begin + rng.permutation(end - begin) for begin, end in pairs])
