"""Texts through the feature definition: to a sparse matrix for training, straight to logits, or to sums of an embedding table.

All go through the same compiled walk (:mod:`newswinnow.features.kernel`), small inputs of a process that has not needed it yet
through the same definition in plain Python (:mod:`newswinnow.features.plain`). What the weights are is left to
:mod:`newswinnow.models`.
"""

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from newswinnow.features.batches import each_batch
from newswinnow.features.definition import N_BLOCKS, N_SURFACE, SURFACE_NAMES, CharacterNgrams, max_rows
from newswinnow.features.tables import encode, kernel_tables
from newswinnow.features.weights import CHUNK, NO_CHARACTERS, EmbeddingTable, LinearWeights, on_grid

__all__ = [
    "SURFACE_NAMES",
    "EmbeddingTable",
    "HashedFeatures",
    "LinearWeights",
    "embed",
    "hashed_features",
    "linear_codes",
    "linear_logits",
    "linear_probabilities",
    "on_grid",
    "pack",
    "warm_up",
]

_MAX_BYTES: Final = 16 << 20
"""Bytes that the kernel is given at once; it needs about as many again twice over."""

_PLAIN_CHARS: Final = 40_000
"""Characters a process scores in plain Python before it loads the compiled kernel: 0.1 s of the one against 1 s of the other."""


@dataclass(frozen=True)
class HashedFeatures:
    """Features for training.

    Attributes
    ----------
    matrix
        Hashed features, a SciPy CSR matrix of shape (n_paragraphs, n_rows).
    surface
        Surface features, shape (n_paragraphs, 38), columns as in :data:`SURFACE_NAMES`.
    """

    matrix: Any
    surface: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Embedded:
    """What :func:`embed` finds.

    Attributes
    ----------
    sums
        Scaled sum of each paragraph's rows, ``float32``, shape (n_paragraphs, d).
    surface
        Surface features, ``float32``, shape (n_paragraphs, 38), columns as in :data:`SURFACE_NAMES`.
    """

    sums: npt.NDArray[np.float32]
    surface: npt.NDArray[np.float32]


def pack(texts: Sequence[str]) -> npt.NDArray[np.uint8]:
    r"""Pack texts for the kernel: UTF-8, a newline after each; one inside a text becomes the blank it counts as.

    Parameters
    ----------
    texts
        The paragraphs.

    Returns
    -------
    The bytes.

    Raises
    ------
    ValueError
        If a text holds a lone surrogate, which no UTF-8 can hold.

    Examples
    --------
    >>> pack(["Share", "this"]).tobytes()
    b'Share\nthis\n'
    """
    buffer = _joined(texts)
    if np.count_nonzero(buffer == ord("\n")) != len(texts):
        return _joined([text.replace("\n", " ") for text in texts])
    return buffer


def _joined(texts: Sequence[str]) -> npt.NDArray[np.uint8]:
    """What :func:`pack` gives, provided that no text holds a newline."""
    return np.frombuffer(encode("\n".join([*texts, ""])), dtype=np.uint8)


def packed(
    texts: Sequence[str], begin: int, end: int, *, is_checked: bool = False
) -> Iterator[tuple[npt.NDArray[np.uint8], int, int]]:
    """Pack a stretch of texts in pieces that the kernel can be given at once.

    Parameters
    ----------
    texts
        The paragraphs.
    begin
        Index of the first.
    end
        Index after the last.
    is_checked
        Whether the caller looks for newlines inside texts.

    Yields
    ------
    Bytes as of :func:`pack`, with the index of their first text and that after their last.
    """
    buffer = (_joined if is_checked else pack)(texts[begin:end])
    if len(buffer) <= _MAX_BYTES or end - begin == 1:
        yield buffer, begin, end
        return
    middle = (begin + end) // 2
    yield from packed(texts, begin, middle, is_checked=is_checked)
    yield from packed(texts, middle, end, is_checked=is_checked)


def plan_of(n_rows: int, characters: CharacterNgrams) -> tuple[int, int, int]:
    """What the kernel must know of the features.

    Parameters
    ----------
    n_rows
        Rows that features are hashed to, a power of two.
    characters
        Which character n-grams are features.

    Returns
    -------
    Bits to shift a hash by, shortest and longest character n-gram.
    """
    return 64 - (n_rows.bit_length() - 1), characters.shortest, characters.longest


def blocks_of(scales: Sequence[float] | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Weights of all blocks.

    Parameters
    ----------
    scales
        Those of the first blocks.

    Returns
    -------
    Shape (N_BLOCKS,); the blocks not named weigh nothing.
    """
    blocks = np.zeros(N_BLOCKS)
    blocks[: len(scales)] = scales
    return blocks


def hashed_features(
    texts: Sequence[str], *, bits: int, scales: Sequence[float], characters: CharacterNgrams = NO_CHARACTERS
) -> HashedFeatures:
    """Features of texts as matrices.

    Parameters
    ----------
    texts
        The paragraphs.
    bits
        Binary logarithm of the number of hashed columns.
    scales
        Weight of each block: words, edges, categories and, where there are any, character n-grams.
    characters
        Which character n-grams are features.

    Returns
    -------
    The features; equal hashes of a paragraph are summed.
    """
    from scipy.sparse import csr_matrix

    surface = np.empty((len(texts), N_SURFACE), dtype=np.float32)
    parts: list[_Part] = [_Part(np.empty(0, np.int32), np.empty(0, np.float32), np.empty(0, np.int64))]

    def run(begin: int, end: int) -> None:
        for buffer, first, last in packed(texts, begin, end):
            parts.append(_part_of(buffer, plan_of(1 << bits, characters), blocks_of(scales), characters, surface[first:last]))

    each_batch(run, len(texts), n_threads=1)
    pointers = np.concatenate([[0], np.cumsum(np.concatenate([part.counts for part in parts]))])
    indices, values = np.concatenate([part.indices for part in parts]), np.concatenate([part.values for part in parts])
    matrix = csr_matrix((values, indices, pointers), shape=(len(texts), 1 << bits))
    matrix.sum_duplicates()
    return HashedFeatures(matrix, surface)


@dataclass(frozen=True)
class _Part:
    """Columns and values of some paragraphs, and how many each of them has."""

    indices: npt.NDArray[np.int32]
    values: npt.NDArray[np.float32]
    counts: npt.NDArray[np.int64]


def _part_of(buffer: Any, plan: Any, blocks: Any, characters: CharacterNgrams, surface: Any) -> _Part:
    from newswinnow.features import kernel

    # A token gives seven rows, a paragraph sixteen more; to a byte come at most three n-grams of each size, blanks counted.
    n_sizes = max(characters.longest - characters.shortest + 1, 0)
    room = (7 + 3 * n_sizes) * len(buffer) + 16 * len(surface)
    indices, values, pointers = np.empty(room, np.int32), np.empty(room, np.float32), np.empty(len(surface) + 1, np.int64)
    scratch = kernel.make_scratch(len(buffer), max_rows(characters))
    kernel.to_csr(buffer, kernel_tables(), plan, blocks, scratch, indices, values, pointers, surface)
    return _Part(indices[: pointers[-1]].copy(), values[: pointers[-1]].copy(), np.diff(pointers))


class _Plain:
    """How much this process has scored in plain Python."""

    n_chars = 0


def is_small(texts: Sequence[str]) -> bool:
    """Whether plain Python will have scored texts before the compiled kernel would be loaded; they are counted.

    Parameters
    ----------
    texts
        The paragraphs.

    Returns
    -------
    False once the kernel is loaded, or this process has been given much.
    """
    if "newswinnow.features.kernel" in sys.modules or len(texts) > _PLAIN_CHARS:
        return False
    _Plain.n_chars += sum(map(len, texts))
    return _Plain.n_chars <= _PLAIN_CHARS


def linear_logits(texts: Sequence[str], weights: LinearWeights, *, n_threads: int | None = None) -> npt.NDArray[np.float64]:
    """Logits of texts in one pass.

    Parameters
    ----------
    texts
        The paragraphs.
    weights
        The model.
    n_threads
        Threads at most; None for ``NEWSWINNOW_THREADS`` or, where that is not set, as many as there are cores, one for a small
        input.

    Returns
    -------
    Shape (n_paragraphs, 3); the same whatever the number of threads.
    """
    return _linear(texts, weights, n_threads, is_probability=False)


def linear_probabilities(
    texts: Sequence[str], weights: LinearWeights, *, n_threads: int | None = None
) -> npt.NDArray[np.float64]:
    """Probabilities of texts in one pass.

    Parameters
    ----------
    texts
        The paragraphs.
    weights
        The model.
    n_threads
        As for :func:`linear_logits`.

    Returns
    -------
    Shape (n_paragraphs, 3), rows summing to 1; the same whatever the number of threads.
    """
    return _linear(texts, weights, n_threads, is_probability=True)


def linear_codes(texts: Sequence[str], weights: LinearWeights, *, n_threads: int | None = None) -> npt.NDArray[np.uint8]:
    """Which label's logit is the largest, of texts in one pass.

    Parameters
    ----------
    texts
        The paragraphs.
    weights
        The model.
    n_threads
        As for :func:`linear_logits`.

    Returns
    -------
    Columns of the logits, shape (n_paragraphs,); of equal logits the first.
    """
    codes = np.empty(len(texts), dtype=np.uint8)
    if is_small(texts):
        from newswinnow.features import plain

        codes[:] = plain.logits(texts, weights).argmax(axis=1)
    else:
        from newswinnow.features import kernel

        _score(texts, weights, n_threads, lambda logits, begin, end: kernel.best_of(logits, codes[begin:end]))
    return codes


def _linear(
    texts: Sequence[str], weights: LinearWeights, n_threads: int | None, *, is_probability: bool
) -> npt.NDArray[np.float64]:
    if is_small(texts):
        from newswinnow.features import plain

        logits = plain.logits(texts, weights)
        return plain.softmax(logits) if is_probability else logits
    from newswinnow.features import kernel

    scores = np.empty((len(texts), 3), dtype=np.float64)

    def keep(logits: npt.NDArray[np.float64], begin: int, end: int) -> None:
        if is_probability:
            kernel.softmax(logits)
        scores[begin:end] = logits

    _score(texts, weights, n_threads, keep)
    return scores


def _score(
    texts: Sequence[str],
    weights: LinearWeights,
    n_threads: int | None,
    keep: Callable[[npt.NDArray[np.float64], int, int], None],
) -> None:
    """Logits from the compiled kernel, batch by batch to ``keep`` with the indices they are of."""
    from newswinnow.features import kernel

    lanes, tables, blocks = weights.lanes, kernel_tables(), blocks_of(weights.scales)
    plan, n_rows = plan_of(len(weights.hashed), weights.characters), max_rows(weights.characters)
    dense, bias = weights.dense_table, weights.bias.astype(np.float64)
    own = threading.local()

    def score(buffer: npt.NDArray[np.uint8], out: npt.NDArray[np.float64], scratch: Any) -> int:
        if lanes:
            return int(kernel.score(buffer, tables, plan, blocks, lanes.table, lanes.step, dense, bias, scratch, out))
        return int(kernel.score_floats(buffer, tables, plan, blocks, weights.hashed, dense, bias, scratch, out))

    def run(begin: int, end: int) -> None:
        # The kernel finds newlines inside texts for nothing; to look for them here, threads would hand over the GIL twice more.
        for buffer, first, last in packed(texts, begin, end, is_checked=True):
            # Each thread keeps its working arrays: fresh ones are fresh pages, which the threads would wait for in turn.
            if getattr(own, "size", -1) < len(buffer):
                own.size = len(buffer) + len(buffer) // 4
                own.scratch = kernel.make_scratch(own.size, n_rows)
            out = np.empty((last - first, 3))
            if score(buffer, out, own.scratch) < len(buffer):
                score(pack(texts[first:last]), out, own.scratch)
            keep(out, first, last)

    each_batch(run, len(texts), n_threads=n_threads)


def warm_up() -> None:
    """Compile, or load, what scoring needs: after an installation, so that no prediction has to wait for it."""
    from newswinnow.features import kernel
    from newswinnow.features.paragraphs import read
    from newswinnow.features.relations import RARITY_BITS, Rarity, relations

    empty = np.zeros((2, 3), np.float32), np.zeros((N_SURFACE, 3), np.float32), np.zeros(3, np.float32), np.ones(3)

    def keep(logits: npt.NDArray[np.float64], begin: int, end: int) -> None:
        kernel.best_of(logits, np.empty(end - begin, dtype=np.uint8))
        kernel.softmax(logits)

    weights = LinearWeights(*empty)
    _score([""], weights, 1, keep)
    rarity = Rarity(np.zeros(1 << RARITY_BITS, np.uint8), 1)
    relations(read([""], weights), np.array([0, 1]), np.zeros(1, np.int64), rarity)


def embed(
    texts: Sequence[str],
    table: EmbeddingTable,
    *,
    scales: Sequence[float],
    characters: CharacterNgrams = NO_CHARACTERS,
    n_threads: int | None = None,
) -> Embedded:
    """Sums of an embedding table's rows, and surface features, of texts in one pass.

    Parameters
    ----------
    texts
        The paragraphs.
    table
        The vectors.
    scales
        Weight of each block; each of its features has it divided by the root of their number.
    characters
        Which character n-grams are features.
    n_threads
        As for :func:`linear_logits`.

    Returns
    -------
    Sums and surface features; the same whatever the number of threads.
    """
    from newswinnow.features import kernel

    padded, tables = table.padded, kernel_tables()
    steps = np.ones(1, np.float32) if table.steps is None else np.ascontiguousarray(table.steps, dtype=np.float32)
    sums = np.empty((len(texts), padded.shape[1]), dtype=np.float32)
    surface = np.empty((len(texts), N_SURFACE), dtype=np.float32)
    plan, blocks, n_rows = plan_of(len(padded), characters), blocks_of(scales), max_rows(characters)

    def run(begin: int, end: int) -> None:
        for buffer, first, last in packed(texts, begin, end):
            out, measured, scratch = sums[first:last], surface[first:last], kernel.make_scratch(len(buffer), n_rows)
            total = np.empty(CHUNK, np.float32)
            kernel.embed(buffer, tables, plan, blocks, padded, steps, scratch, total, out, measured)

    each_batch(run, len(texts), n_threads=n_threads)
    return Embedded(sums[:, : table.rows.shape[1]], surface)
