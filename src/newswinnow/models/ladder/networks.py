"""The context networks as they are deployed: measurements of whole pages in, logits out, in plain numpy and exact.

Weights and activations lie on grids of powers of two, so that every sum of their products is exact in double precision. The
result is therefore the same to the last bit whatever the order of a page's rows (at level ``bag``), the batch, the number of
threads, or the library that multiplies matrices. Finding the weights is left to :mod:`newswinnow.models.ladder.learning`, what
the measurements are to :mod:`newswinnow.models.ladder.inputs`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from newswinnow.paragraphs.table import FloatArray, IntArray

BAG: Final = "bag"
ORDER: Final = "order"
MARKUP: Final = "markup"
LEVELS: Final = (BAG, ORDER, MARKUP)

WIDTH: Final = 5
"""Neighbouring paragraphs that a convolution sees at once, its own among them."""

DILATIONS: Final = (1, 2, 4, 8)
N_PLACES: Final = 4
N_SCORES: Final = 3
"""The first columns of the inputs are the scores of the paragraph alone; the last layer sees them once more."""

WEIGHT_STEP: Final = 2.0**-12
ACTIVATION_STEP: Final = 2.0**-10
MAX_WEIGHT: Final = 32767 * WEIGHT_STEP
MAX_ACTIVATION: Final = 64.0
_MAX_STEPS: Final = MAX_ACTIVATION / ACTIVATION_STEP
STRETCH: Final = 256
"""Rows that are convolved at once: what stands around them, half a megabyte, stays in the second-level cache."""

MAX_LENGTH: Final = 100
"""Hundreds of characters at which a paragraph's length stops counting."""


def shapes_of(level: str, *, n_inputs: int, n_hidden: int) -> dict[str, tuple[int, ...]]:
    """Shapes of a network's weights.

    Parameters
    ----------
    level
        One of :data:`LEVELS`.
    n_inputs
        Columns of its inputs.
    n_hidden
        Channels of its hidden layers.

    Returns
    -------
    Name to shape; the names of biases end in ``_bias``.
    """
    h = n_hidden
    shapes: dict[str, tuple[int, ...]] = {"first": (n_inputs, 2 * h), "second": (2 * h, h), "pool": (3 * h + 1, h)}
    if level != BAG:
        shapes["place"] = (N_PLACES, h)
        shapes |= {f"around_{dilation}": (WIDTH * h, h) for dilation in DILATIONS}
    shapes |= {"mix": (2 * h + N_SCORES, h), "last": (h, 3)}
    biases = {f"{name}_bias": shape[1:] for name, shape in shapes.items() if name != "place"}
    return shapes | biases


@dataclass(frozen=True)
class Pages:
    """Where the pages of a batch lie, and what their layout alone says.

    Attributes
    ----------
    sizes
        Paragraphs of each page, all at least 1, shape (n_pages,).
    lengths
        Length of each paragraph in hundreds of characters, in 256ths and at most 100, shape (n_paragraphs, 1).
    n_above, n_whole
        Of pages of which only a stretch is here: how many paragraphs stand above it, and how many there are in all, shape
        (n_pages,); None where the pages are whole.
    """

    sizes: IntArray
    lengths: FloatArray
    n_above: IntArray | None = None
    n_whole: IntArray | None = None

    @property
    def begins(self) -> IntArray:
        """Index of each page's first paragraph."""
        return np.cumsum(self.sizes) - self.sizes

    @property
    def page_of(self) -> IntArray:
        """Number of each paragraph's page."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    def around(self, dilation: int) -> IntArray:
        """The rows around each row; the number of all rows stands for what lies outside its page.

        Parameters
        ----------
        dilation
            Steps between the rows that are taken.

        Returns
        -------
        Shape (n_paragraphs, WIDTH).
        """
        steps = dilation * np.arange(-(WIDTH // 2), WIDTH // 2 + 1)
        n = len(self.lengths)
        begins, ends = np.repeat(self.begins, self.sizes), np.repeat(self.begins + self.sizes, self.sizes)
        rows = np.arange(n)[:, None] + steps
        return np.where((rows >= begins[:, None]) & (rows < ends[:, None]), rows, n)

    @property
    def places(self) -> FloatArray:
        """Nearness to the beginning (two scales) and to the end, and share of the page above; shape (n_paragraphs, 4)."""
        sizes = np.repeat(self.sizes if self.n_whole is None else self.n_whole, self.sizes)
        first = self.begins if self.n_above is None else self.begins - self.n_above
        above = np.arange(len(self.lengths)) - np.repeat(first, self.sizes)
        return np.stack([np.exp(-above / 3), np.exp(-above / 20), np.exp(-(sizes - 1 - above) / 20), above / sizes], axis=1)

    @property
    def log_sizes(self) -> FloatArray:
        """Logarithm of each page's size, about -1.5 to 1; shape (n_pages, 1)."""
        sizes: FloatArray = np.log(self.sizes)[:, None] / 3 - 1.5
        return sizes

    def sums(self, values: Any) -> Any:
        """Sums of values over each page.

        Parameters
        ----------
        values
            Shape (n_paragraphs, n_columns).

        Returns
        -------
        Shape (n_pages, n_columns).
        """
        return np.add.reduceat(values, self.begins, axis=0)


def lengths_of(log_chars: npt.NDArray[Any]) -> FloatArray:
    """Lengths of paragraphs as :class:`Pages` takes them.

    Parameters
    ----------
    log_chars
        The surface feature of that name, shape (n_paragraphs,).

    Returns
    -------
    Shape (n_paragraphs, 1).
    """
    lengths: FloatArray = np.rint(256 * np.minimum(np.exp(log_chars.astype(np.float64)) / 100, MAX_LENGTH)) / 256
    return lengths[:, None]


def on_grid(weights: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[np.int16]]:
    """Weights rounded to the grid they are kept and used on.

    Parameters
    ----------
    weights
        Name to weights, at most 8 in size; larger ones are cut.

    Returns
    -------
    Name to whole steps of 2**-12.
    """
    limit = 32767
    return {name: np.rint(values / WEIGHT_STEP).clip(-limit, limit).astype(np.int16) for name, values in weights.items()}


def rounded(values: Any) -> Any:
    """Activations on their grid, in place.

    Parameters
    ----------
    values
        ``float64``.

    Returns
    -------
    The same array.
    """
    values *= 1 / ACTIVATION_STEP
    np.rint(values, out=values)
    values *= ACTIVATION_STEP
    return values


def _active(values: Any) -> Any:
    """A layer's output in whole steps: nothing negative, and nothing beyond MAX_ACTIVATION."""
    np.clip(values, 0, _MAX_STEPS, out=values)
    return np.rint(values, out=values)


def _in_steps(name: str, values: npt.NDArray[np.int16]) -> FloatArray:
    """Weights as they are used: activations are counted in steps, which inputs and logits are not."""
    weights = values.astype(np.float64) * WEIGHT_STEP
    if name == "last":
        return weights * ACTIVATION_STEP
    if name == "mix":
        weights[-N_SCORES:] /= ACTIVATION_STEP
    elif name == "first" or (name.endswith("_bias") and name != "last_bias"):
        weights /= ACTIVATION_STEP
    return weights


class Network:
    """One level's network.

    Parameters
    ----------
    level
        One of :data:`LEVELS`.
    weights
        Name to whole steps of 2**-12, shapes as :func:`shapes_of` says.
    """

    def __init__(self, level: str, weights: Mapping[str, npt.NDArray[np.int16]]) -> None:
        self.level = level
        self.weights = dict(weights)
        self._n_hidden = len(self.weights["last"])
        self._weights = {name: _in_steps(name, values) for name, values in weights.items()}

    @property
    def n_inputs(self) -> int:
        """Columns of its inputs."""
        return len(self.weights["first"])

    def logits(self, inputs: FloatArray, pages: Pages) -> FloatArray:
        """Logits of every paragraph of some pages.

        Parameters
        ----------
        inputs
            Shape (n_paragraphs, n_inputs), on the activations' grid.
        pages
            Where the pages lie.

        Returns
        -------
        Shape (n_paragraphs, 3).
        """
        w = self._weights
        own = _active(_active(inputs @ w["first"] + w["first_bias"]) @ w["second"] + w["second_bias"])
        pooled, page_of = self._pooled(own, pages), pages.page_of
        if self.level != BAG:
            own += pooled[page_of]
            own += np.rint(pages.places / ACTIVATION_STEP) @ w["place"]
            own = self._convolved(np.rint(own, out=own), pages)
        of_own, of_page, of_scores = np.split(w["mix"], [self._n_hidden, 2 * self._n_hidden])
        mixed = own @ of_own
        mixed += (pooled @ of_page + w["mix_bias"])[page_of]
        mixed += inputs[:, :N_SCORES] @ of_scores
        found: FloatArray = _active(mixed) @ w["last"] + w["last_bias"]
        return found

    def _pooled(self, own: FloatArray, pages: Pages) -> FloatArray:
        """What a page is like as a whole: mean, root of the mean square, mean by length, and size."""
        sizes = pages.sizes[:, None].astype(np.float64)
        parts = (
            pages.sums(own) / sizes,
            np.sqrt(pages.sums(own * own) / sizes + 1e-4 / ACTIVATION_STEP**2),
            pages.sums(own * pages.lengths) / (pages.sums(pages.lengths) + 1e-3),
            pages.log_sizes / ACTIVATION_STEP,
        )
        pooled = np.rint(np.concatenate(parts, axis=1))
        return _active(pooled @ self._weights["pool"] + self._weights["pool_bias"])  # type: ignore[no-any-return]

    def _convolved(self, own: FloatArray, pages: Pages) -> FloatArray:
        n, h = own.shape
        rows = np.concatenate([own, np.zeros((1, h))])  # the last stands for all that lies outside a page
        found, columns = np.empty((n, h)), np.empty((min(n, STRETCH), WIDTH, h))
        for dilation in DILATIONS:
            weights, bias = self._weights[f"around_{dilation}"], self._weights[f"around_{dilation}_bias"]
            around = pages.around(dilation)
            for begin in range(0, n, STRETCH):
                end = min(begin + STRETCH, n)
                part = columns[: end - begin]
                np.take(rows, around[begin:end], axis=0, out=part, mode="clip")
                out = found[begin:end]
                np.matmul(part.reshape(end - begin, WIDTH * h), weights, out=out)
                out += bias
                _active(out)
            rows[:n] += found
        return rows[:n]
