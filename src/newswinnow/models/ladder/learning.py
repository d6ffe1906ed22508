"""Finding a context network's weights: back-propagation in numpy, Adam with weight decay, dropout, a cosine schedule.

The layers are those of :mod:`newswinnow.models.ladder.networks`, in single precision and without its grids, which cost nothing
afterwards. Which pages and labels are learnt from is left to :mod:`newswinnow.models.ladder.classifier`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from newswinnow.features.plain import softmax
from newswinnow.models.ladder.networks import (
    BAG,
    DILATIONS,
    N_SCORES,
    WIDTH,
    Pages,
    shapes_of,
)
from newswinnow.paragraphs.table import FloatArray, IntArray

Floats = npt.NDArray[np.float32]

HINT_DROPOUT: Final = 0.15
"""Share of pages on which the hints are dropped."""

REACH: Final = (WIDTH // 2) * max(DILATIONS)
"""Rows of zeros that keep pages apart."""

_WARM_UP: Final = 60
_LEAST_RATE: Final = 0.005
_MAX_NORM: Final = 2.0
_DECAYS: Final = (0.9, 0.999)
_TINY: Final = 1e-8


@dataclass(frozen=True)
class Schedule:
    """How a network learns.

    Attributes
    ----------
    n_epochs
        Passes over the pages.
    least_steps
        With few pages there are as many passes more as it takes for so many steps.
    batch_pages
        Pages to a step.
    longest
        Of a longer page a stretch of so many paragraphs is taken, drawn anew in every pass.
    rate
        Highest learning rate of Adam; a cosine brings it down.
    decay
        Weight decay.
    dropout
        Share of activations dropped at each of a network's dropouts.
    """

    n_epochs: int = 12
    least_steps: int = 0
    batch_pages: int = 8
    longest: int = 500
    rate: float = 4e-3
    decay: float = 0.01
    dropout: float = 0.3


class Weights:
    """All weights of a network in one vector, and views of them by name; the same for gradients.

    Parameters
    ----------
    shapes
        Name to shape.
    rng
        Draws what they start from; biases start from 0.
    """

    def __init__(self, shapes: dict[str, tuple[int, ...]], rng: np.random.Generator) -> None:
        n = sum(int(np.prod(shape)) for shape in shapes.values())
        self.values, self.gradients, self.decays = (np.zeros(n, np.float32) for _ in range(3))
        self.value: dict[str, Floats] = {}
        self.gradient: dict[str, Floats] = {}
        at = 0
        for name, shape in shapes.items():
            part = slice(at, at + int(np.prod(shape)))
            at = part.stop
            self.value[name], self.gradient[name] = self.values[part].reshape(shape), self.gradients[part].reshape(shape)
            if len(shape) == 2:
                self.value[name][...] = rng.uniform(-1, 1, shape) / np.sqrt(shape[0])
                self.decays[part] = 1


class _Dense:
    """A layer: a product and a bias, rectified or not."""

    def __init__(self, weights: Weights, name: str, *, is_rectified: bool = True) -> None:
        self.weights, self.name, self.is_rectified = weights, name, is_rectified

    def forward(self, inputs: Floats) -> Floats:
        value = self.weights.value
        self.inputs = inputs
        self.outputs = inputs @ value[self.name] + value[f"{self.name}_bias"]
        if self.is_rectified:
            np.maximum(self.outputs, 0, out=self.outputs)
        return self.outputs

    def backward(self, gradient: Floats) -> Floats:
        """Gradient at the inputs; that of the weights is kept."""
        if self.is_rectified:
            gradient = gradient * (self.outputs > 0)
        kept = self.weights.gradient
        np.matmul(self.inputs.T, gradient, out=kept[self.name])
        gradient.sum(axis=0, out=kept[f"{self.name}_bias"])
        passed: Floats = gradient @ self.weights.value[self.name].T
        return passed


@dataclass
class _Dropout:
    """Some activations made zero and the others larger, while a network learns."""

    rate: float
    rng: np.random.Generator
    mask: Any = None

    def forward(self, values: Floats) -> Floats:
        if not self.rate:
            return values
        self.mask = (self.rng.random(values.shape, dtype=np.float32) >= self.rate) * np.float32(1 / (1 - self.rate))
        return values * self.mask  # type: ignore[no-any-return]

    def backward(self, gradient: Floats) -> Floats:
        return gradient * self.mask if self.rate else gradient


@dataclass(frozen=True)
class _Layout:
    """What a batch's layout says, made once for forward and backward; ``slots`` are rows where pages are kept apart by zeros."""

    pages: Pages
    page_of: IntArray
    slots: IntArray
    n_slots: int
    sizes: Floats
    lengths: Floats
    length_sums: Floats
    log_sizes: Floats
    places: Floats
    is_inner: Floats

    @classmethod
    def of(cls, pages: Pages) -> "_Layout":
        page_of, lengths = pages.page_of, pages.lengths.astype(np.float32)
        slots, n_slots = np.arange(len(page_of)) + REACH * (page_of + 1), len(page_of) + REACH * (len(pages.sizes) + 1)
        is_inner = np.zeros((n_slots, 1), np.float32)
        is_inner[slots] = 1
        return cls(
            pages=pages,
            page_of=page_of,
            slots=slots,
            n_slots=n_slots,
            sizes=pages.sizes[:, None].astype(np.float32),
            lengths=lengths,
            length_sums=pages.sums(lengths) + np.float32(1e-3),
            log_sizes=pages.log_sizes.astype(np.float32),
            places=pages.places.astype(np.float32),
            is_inner=is_inner[REACH:-REACH],
        )


def columns_around(rows: Any, dilation: int) -> Any:
    """The rows around each row, side by side, for all rows but the outermost REACH.

    Parameters
    ----------
    rows
        Shape (n_slots, h), C order.
    dilation
        Steps between the rows that are taken.

    Returns
    -------
    Shape (n_slots - 2 * REACH, WIDTH * h).
    """
    n, h = len(rows) - 2 * REACH, rows.shape[1]
    step, cell = rows.strides
    view = np.lib.stride_tricks.as_strided(rows[REACH - WIDTH // 2 * dilation :], (n, WIDTH, h), (step, dilation * step, cell))
    return view.reshape(n, WIDTH * h)


class Learner:
    """A network while it learns: forward, then backward on the same batch.

    Parameters
    ----------
    level
        One of :data:`~newswinnow.models.ladder.networks.LEVELS`.
    n_inputs
        Columns of its inputs.
    n_hidden
        Channels of its hidden layers.
    dropout
        Share of activations dropped.
    rng
        Draws what weights start from and what is dropped.
    """

    def __init__(self, level: str, *, n_inputs: int, n_hidden: int, dropout: float, rng: np.random.Generator) -> None:
        self.level, self.n_hidden = level, n_hidden
        self.weights = Weights(shapes_of(level, n_inputs=n_inputs, n_hidden=n_hidden), rng)
        self._first, self._second, self._pool, self._mix = (
            _Dense(self.weights, name) for name in ("first", "second", "pool", "mix")
        )
        self._last = _Dense(self.weights, "last", is_rectified=False)
        self._around = [_Dense(self.weights, f"around_{dilation}") for dilation in DILATIONS] if level != BAG else []
        self._drops = [_Dropout(dropout, rng) for _ in range(3)]
        self._drops_around = [_Dropout(dropout, rng) for _ in self._around]

    def forward(self, inputs: Floats, pages: Pages) -> Floats:
        """Logits, with dropout.

        Parameters
        ----------
        inputs
            Shape (n_paragraphs, n_inputs).
        pages
            Where the pages lie.

        Returns
        -------
        Shape (n_paragraphs, 3).
        """
        self._layout = layout = _Layout.of(pages)
        first, second, third = self._drops
        own = self._second.forward(first.forward(self._first.forward(inputs)))
        page = self._pooled(own)[layout.page_of]
        if self.level != BAG:
            own = self._convolved(own + page + layout.places @ self.weights.value["place"])
        mixed = second.forward(np.concatenate([own, page, inputs[:, :N_SCORES]], axis=1))
        return self._last.forward(third.forward(self._mix.forward(mixed)))

    def backward(self, gradient: Floats) -> None:
        """Gradients of the weights, into ``weights.gradients``.

        Parameters
        ----------
        gradient
            Of the loss by each logit of the last :meth:`forward`, shape (n_paragraphs, 3).
        """
        first, second, third = self._drops
        gradient = second.backward(self._mix.backward(third.backward(self._last.backward(gradient))))
        of_own, of_page = np.ascontiguousarray(gradient[:, : self.n_hidden]), gradient[:, self.n_hidden : 2 * self.n_hidden]
        if self.level != BAG:
            of_own = self._back_through_convolutions(of_own)
            np.matmul(self._layout.places.T, of_own, out=self.weights.gradient["place"])
            of_page = of_page + of_own
        of_own = of_own + self._back_through_pool(of_page)
        self._first.backward(first.backward(self._second.backward(of_own)))

    def _pooled(self, own: Floats) -> Floats:
        layout, sums = self._layout, self._layout.pages.sums
        self._own = own
        self._root = np.sqrt(sums(own * own) / layout.sizes + np.float32(1e-4))
        by_length = sums(own * layout.lengths) / layout.length_sums
        return self._pool.forward(np.concatenate([sums(own) / layout.sizes, self._root, by_length, layout.log_sizes], axis=1))

    def _back_through_pool(self, gradient: Floats) -> Floats:
        layout, h = self._layout, self.n_hidden
        found = self._pool.backward(layout.pages.sums(gradient))
        page_of = layout.page_of
        of_mean, of_root = found[:, :h] / layout.sizes, found[:, h : 2 * h] / layout.sizes / self._root
        of_length = found[:, 2 * h : 3 * h] / layout.length_sums
        total: Floats = of_mean[page_of] + self._own * of_root[page_of] + layout.lengths * of_length[page_of]
        return total

    def _convolved(self, own: Floats) -> Floats:
        layout = self._layout
        rows = np.zeros((layout.n_slots, self.n_hidden), np.float32)
        rows[layout.slots] = own
        for dilation, layer, drop in zip(DILATIONS, self._around, self._drops_around, strict=True):
            found = drop.forward(layer.forward(columns_around(rows, dilation)))
            rows[REACH:-REACH] += found * layout.is_inner
        convolved: Floats = rows[layout.slots]
        return convolved

    def _back_through_convolutions(self, gradient: Floats) -> Floats:
        layout, h = self._layout, self.n_hidden
        rows = np.zeros((layout.n_slots, h), np.float32)
        rows[layout.slots] = gradient
        layers = list(zip(DILATIONS, self._around, self._drops_around, strict=True))
        for dilation, layer, drop in reversed(layers):
            of_columns = layer.backward(drop.backward(rows[REACH:-REACH] * layout.is_inner))
            for k in range(WIDTH):
                begin = REACH + (k - WIDTH // 2) * dilation
                rows[begin : begin + len(of_columns)] += of_columns[:, k * h : (k + 1) * h]
        passed: Floats = rows[layout.slots]
        return passed


@dataclass
class _Adam:
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019) and gradients clipped by their norm."""

    weights: Weights
    decay: float
    n_steps: int = 0
    moments: tuple[Floats, Floats] = field(init=False)

    def __post_init__(self) -> None:
        self.moments = np.zeros_like(self.weights.values), np.zeros_like(self.weights.values)

    def step(self, rate: float) -> None:
        gradient, (mean, square) = self.weights.gradients, self.moments
        norm = float(np.sqrt(gradient @ gradient))
        if norm > _MAX_NORM:
            gradient *= np.float32(_MAX_NORM / norm)
        self.n_steps += 1
        mean += np.float32(1 - _DECAYS[0]) * (gradient - mean)
        square += np.float32(1 - _DECAYS[1]) * (gradient * gradient - square)
        bias = [1 - decay**self.n_steps for decay in _DECAYS]
        self.weights.values *= 1 - np.float32(rate * self.decay) * self.weights.decays
        self.weights.values -= np.float32(rate / bias[0]) * mean / (np.sqrt(square / np.float32(bias[1])) + np.float32(_TINY))


@dataclass(frozen=True)
class Lesson:
    """What a network learns from.

    Attributes
    ----------
    inputs
        Measurements of all paragraphs, ``float32``, pages one after the other.
    lengths
        Of :func:`~newswinnow.models.ladder.networks.lengths_of`.
    starts
        Index of each page's first paragraph, and last the number of paragraphs.
    targets
        Weight of each paragraph for each label, shape (n_paragraphs, 3); zeros where nothing is known.
    pages
        Numbers of the pages to learn from.
    n_hints
        Last columns of the inputs that are zero on some pages of every batch, drawn at random, so that no network needs them.
    """

    inputs: Floats
    lengths: FloatArray
    starts: IntArray
    targets: Floats
    pages: IntArray
    n_hints: int = 0

    def inputs_of(self, rows: IntArray, pages: Pages, rng: np.random.Generator) -> Floats:
        """Inputs of a batch.

        Parameters
        ----------
        rows
            Of :meth:`batch`.
        pages
            Of the same.
        rng
            Draws the pages whose hints are dropped.

        Returns
        -------
        Shape (n_paragraphs, n_inputs).
        """
        inputs = self.inputs[rows]
        if self.n_hints:
            is_dropped = rng.random(len(pages.sizes)) < HINT_DROPOUT
            inputs[is_dropped[pages.page_of], -self.n_hints :] = 0
        return inputs

    def batch(self, numbers: IntArray, longest: int, rng: np.random.Generator) -> tuple[IntArray, Pages]:
        """Some pages, of long ones a stretch.

        Parameters
        ----------
        numbers
            Of the pages.
        longest
            Paragraphs of a page at most.
        rng
            Draws the stretch.

        Returns
        -------
        Their rows and their layout.
        """
        rows = [self._stretch(int(number), longest, rng) for number in np.sort(numbers)]
        together = np.concatenate(rows)
        first = self.starts[np.sort(numbers)]
        n_above = np.array([part[0] for part in rows]) - first
        n_whole = self.starts[np.sort(numbers) + 1] - first
        return together, Pages(np.array([len(part) for part in rows]), self.lengths[together], n_above, n_whole)

    def _stretch(self, number: int, longest: int, rng: np.random.Generator) -> IntArray:
        begin, end = int(self.starts[number]), int(self.starts[number + 1])
        if end - begin > longest:
            begin += int(rng.integers(0, end - begin - longest + 1))
            end = begin + longest
        return np.arange(begin, end)


def _batches(pages: IntArray, schedule: Schedule, rng: np.random.Generator) -> Iterator[tuple[IntArray, float]]:
    """Pages of each step and its learning rate."""
    n_batches = -(-len(pages) // schedule.batch_pages)
    n_epochs = max(schedule.n_epochs, -(-schedule.least_steps // n_batches))
    n_steps, step = n_epochs * n_batches, 0
    for _ in range(n_epochs):
        drawn = rng.permutation(pages)
        for begin in range(0, len(pages), schedule.batch_pages):
            fall = (1 + np.cos(np.pi * step / n_steps)) / 2 + _LEAST_RATE
            step += 1
            yield drawn[begin : begin + schedule.batch_pages], schedule.rate * fall * min(1, step / _WARM_UP)


def learn(
    lesson: Lesson,
    level: str,
    *,
    n_hidden: int,
    schedule: Schedule,
    seed: int,
    progress: Callable[[], None] = lambda: None,
) -> dict[str, Floats]:
    """Learn one level's network.

    Parameters
    ----------
    lesson
        What from.
    level
        One of :data:`~newswinnow.models.ladder.networks.LEVELS`.
    n_hidden
        Channels of its hidden layers.
    schedule
        How.
    seed
        Seed of the first weights, the order of pages, and what is dropped.
    progress
        Called after every step.

    Returns
    -------
    Name to weights, as :func:`~newswinnow.models.ladder.networks.shapes_of` names them.
    """
    rng = np.random.default_rng(seed)
    learner = Learner(level, n_inputs=lesson.inputs.shape[1], n_hidden=n_hidden, dropout=schedule.dropout, rng=rng)
    adam = _Adam(learner.weights, schedule.decay)
    for numbers, rate in _batches(lesson.pages, schedule, rng):
        rows, pages = lesson.batch(numbers, schedule.longest, rng)
        targets = lesson.targets[rows]
        total = targets.sum()
        if total > 0:
            found = softmax(learner.forward(lesson.inputs_of(rows, pages, rng), pages))
            learner.backward((found * targets.sum(axis=1, keepdims=True) - targets) / total)
            adam.step(rate)
        progress()
    return learner.weights.value
