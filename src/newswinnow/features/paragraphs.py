"""Paragraphs read once for everything that models of whole pages need: scores alone, surface features, tokens and marks.

The features are those of :mod:`newswinnow.features.definition`; what tokens and marks are good for is said in
:mod:`newswinnow.features.relations`.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from newswinnow.features import definition as d
from newswinnow.features.hashed import blocks_of, is_small, packed, plan_of
from newswinnow.features.tables import finish, kernel_tables
from newswinnow.features.weights import LinearWeights

N_MARKS: Final = 3


@dataclass(frozen=True)
class Paragraphs:
    """What was read.

    Attributes
    ----------
    logits
        Of the linear model, shape (n_paragraphs, 3).
    surface
        Surface features, ``float32``, shape (n_paragraphs, 38).
    tokens
        Highest 32 bits of each token's hash, at most 256 tokens a paragraph, ``uint32``.
    pointers
        Index of each paragraph's first token, and last the number of tokens, shape (n_paragraphs + 1,).
    marks
        Hashes that only like paragraphs share, ``uint64``, shape (n_paragraphs, 3): of all tokens, of the first two, and of the
        shapes of the first four.
    """

    logits: npt.NDArray[np.float64]
    surface: npt.NDArray[np.float32]
    tokens: npt.NDArray[np.uint32]
    pointers: npt.NDArray[np.int64]
    marks: npt.NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.logits)

    def take(self, rows: npt.NDArray[np.int64]) -> "Paragraphs":
        """Some of the paragraphs.

        Parameters
        ----------
        rows
            Their numbers, in any order and repeated at will.

        Returns
        -------
        What was read of them.
        """
        counts = np.diff(self.pointers)[rows]
        pointers = np.concatenate([[0], np.cumsum(counts)])
        tokens = np.arange(pointers[-1]) + np.repeat(self.pointers[rows] - pointers[:-1], counts)
        return Paragraphs(self.logits[rows], self.surface[rows], self.tokens[tokens], pointers, self.marks[rows])


def is_compiled() -> bool:
    """Whether this process has loaded the compiled kernel.

    Returns
    -------
    False while it scores in plain Python, because it has been given little so far.
    """
    return "newswinnow.features.kernel" in sys.modules


def read(texts: Sequence[str], weights: LinearWeights) -> Paragraphs:
    """Read texts.

    Parameters
    ----------
    texts
        The paragraphs.
    weights
        The linear model.

    Returns
    -------
    What was read, the same in plain Python and compiled up to rounding of the logits.

    Raises
    ------
    ValueError
        If a text holds a lone surrogate, which no UTF-8 can hold.
    """
    if is_small(texts):
        return _read_plain(texts, weights)
    from newswinnow.features import kernel

    lanes = weights.lanes
    if lanes is None:
        raise ValueError("weights: must lie on a grid of 12 bits to be read with; got others")
    plan, blocks, tables = plan_of(len(weights.hashed), weights.characters), blocks_of(weights.scales), kernel_tables()
    bias = weights.bias.astype(np.float64)
    logits, surface = np.empty((len(texts), 3)), np.empty((len(texts), d.N_SURFACE), np.float32)
    marks, counts = np.empty((len(texts), N_MARKS), np.uint64), np.empty(len(texts), np.int64)
    parts = [np.empty(0, np.uint32)]
    for buffer, begin, end in packed(texts, 0, len(texts)) if texts else ():
        scratch = kernel.make_scratch(len(buffer), d.max_rows(weights.characters))
        tokens = np.empty(len(buffer), np.uint32)
        kernel.read(
            *(buffer, tables, plan, blocks, lanes.table, lanes.step, weights.dense_table, bias, scratch),
            *(logits[begin:end], surface[begin:end], tokens, counts[begin:end], marks[begin:end]),
        )
        parts.append(tokens[: counts[begin:end].sum()])
    return Paragraphs(logits, surface, np.concatenate(parts), np.concatenate([[0], np.cumsum(counts)]), marks)


def _read_plain(texts: Sequence[str], weights: LinearWeights) -> Paragraphs:
    from newswinnow.features import plain

    readings = [plain.reading_of(text) for text in texts]
    hashes = [reading.hashes for reading in readings]
    marks = [
        (_chain(own), _chain(own[: d.N_OPENING]), _chain(reading.shapes[: d.N_FORM]))
        for own, reading in zip(hashes, readings, strict=True)
    ]
    return Paragraphs(
        logits=plain.logits_of(readings, weights),
        surface=np.array([plain.surface_of(reading) for reading in readings], np.float32).reshape(-1, d.N_SURFACE),
        tokens=np.array([value >> 32 for own in hashes for value in own], dtype=np.uint32),
        pointers=np.cumsum([0, *map(len, hashes)], dtype=np.int64),
        marks=np.array(marks, dtype=np.uint64).reshape(-1, N_MARKS),
    )


def _chain(values: Sequence[int]) -> int:
    """Hash of a sequence of hashes."""
    total = d.PRIME
    for value in values:
        total = finish(total ^ value)
    return total
