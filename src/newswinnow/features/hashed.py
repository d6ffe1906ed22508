"""Texts through the n-gram kernel: to a sparse matrix for training, or straight to logits.

Both go through the same compiled definition of the features; what the weights are is left to :mod:`newswinnow.models`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from newswinnow.features import kernel
from newswinnow.features.characters import character_tables
from newswinnow.features.words import CALENDAR_WORDS, DURATION_WORDS, IMPERATIVES, PRONOUNS, STOP_WORDS

SURFACE_NAMES: Final = tuple(
    """log_chars log_words mean_word_chars log_sentence_ends words_per_sentence closes_sentence has_quote ends_colon
    ends_question ends_ellipsis opens_quote opens_lower opens_digit log_commas log_quotes log_apostrophes log_colons
    log_brackets separator_share digit_share upper_share symbol_share non_ascii_share capitalised_share all_caps_share
    long_word_share number_share glued_share stop_share pronoun_share past_share first_is_stop first_is_imperative
    log_durations log_calendar has_at has_rights is_doubled""".split()
)
"""Columns of the surface features; their sources are those of :data:`newswinnow.features.surface.FEATURES`."""

_SETS: Final = (STOP_WORDS, IMPERATIVES, PRONOUNS, CALENDAR_WORDS, DURATION_WORDS)
_SET_BITS: Final = 10


@dataclass(frozen=True)
class Packed:
    """Paragraphs as the kernel wants them: UTF-8 bytes with newlines between, and where each begins."""

    buffer: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]


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
class LinearWeights:
    """A linear model over the kernel's features.

    Attributes
    ----------
    hashed
        ``float32``, shape (n_rows, 3), n_rows a power of two.
    dense
        ``float32``, shape (38, 3), for the surface features.
    bias
        ``float32``, shape (3,).
    scales
        Weight of each block of features, ``float64``, shape (3,).
    """

    hashed: npt.NDArray[np.float32]
    dense: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    scales: npt.NDArray[np.float64]


def pack(texts: Sequence[str]) -> Packed:
    """Pack texts for the kernel; a newline inside a text counts as the space it is.

    Parameters
    ----------
    texts
        The paragraphs.

    Returns
    -------
    The packed paragraphs.

    Raises
    ------
    ValueError
        If a text holds a lone surrogate, which no UTF-8 can hold.
    """
    joined = "\n".join(texts)
    if joined.count("\n") != max(len(texts) - 1, 0):
        joined = "\n".join([text.replace("\n", " ") for text in texts])
    try:
        data = joined.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"texts: must be valid Unicode; got a lone surrogate U+{ord(joined[error.start]):04X}") from error
    buffer = np.frombuffer(data, dtype=np.uint8)
    return Packed(buffer, kernel.find_offsets(buffer, len(texts)))


@cache
def word_sets() -> npt.NDArray[np.uint64]:
    """Hash table of the word sets: which of them each word belongs to, as a bit mask in the order the kernel counts them.

    Returns
    -------
    Hashes (0 where free) and masks, shape (2, 1024).
    """
    size = 1 << _SET_BITS
    table = np.zeros((2, size), dtype=np.uint64)
    for word in sorted(frozenset().union(*_SETS)):
        value = kernel.hash_codes(np.array(list(map(ord, word)), dtype=np.uint32), 0, len(word))
        at = int(value) & (size - 1)
        while table[0, at]:
            at = (at + 1) & (size - 1)
        table[0, at] = value
        table[1, at] = sum(1 << k for k, words in enumerate(_SETS) if word in words)
    return table


def hashed_features(texts: Sequence[str], *, bits: int, scales: Sequence[float]) -> HashedFeatures:
    """Features of texts as matrices.

    Parameters
    ----------
    texts
        The paragraphs.
    bits
        Binary logarithm of the number of hashed columns.
    scales
        Weight of each block.

    Returns
    -------
    The features; equal hashes of a paragraph are summed.
    """
    from scipy.sparse import csr_matrix

    packed, tables = pack(texts), character_tables()
    indices, values, pointers, surface = kernel.to_csr(
        packed.buffer,
        packed.offsets,
        tables.kinds,
        tables.folded,
        word_sets(),
        np.uint64((1 << bits) - 1),
        np.asarray(scales, dtype=np.float64),
    )
    matrix = csr_matrix((values, indices, pointers), shape=(len(texts), 1 << bits))
    matrix.sum_duplicates()
    return HashedFeatures(matrix, surface)


def linear_logits(texts: Sequence[str], weights: LinearWeights) -> npt.NDArray[np.float64]:
    """Logits of texts in one compiled pass.

    Parameters
    ----------
    texts
        The paragraphs.
    weights
        The model.

    Returns
    -------
    Shape (n_paragraphs, 3).
    """
    logits = np.empty((len(texts), 3), dtype=np.float64)
    if len(texts):
        packed, tables = pack(texts), character_tables()
        kernel.score(
            packed.buffer,
            packed.offsets,
            tables.kinds,
            tables.folded,
            word_sets(),
            weights.scales,
            weights.hashed,
            weights.dense,
            weights.bias,
            logits,
        )
    return logits
