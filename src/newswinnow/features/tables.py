"""The tables that a walk over a paragraph looks up, made once per process.

What is looked up in them is left to :mod:`newswinnow.features.walk` and :mod:`newswinnow.features.measure`.
"""

from functools import cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from newswinnow.features import definition as d
from newswinnow.features.characters import character_tables
from newswinnow.features.words import CALENDAR_WORDS, DURATION_WORDS, IMPERATIVES, PRONOUNS, STOP_WORDS

SETS: Final = (STOP_WORDS, IMPERATIVES, PRONOUNS, CALENDAR_WORDS, DURATION_WORDS)
"""The word sets, in the order of their bits."""

N_LOGARITHMS: Final = 4096
_FULL: Final = (1 << 64) - 1
_SET_MASK: Final = (1 << len(SETS)) - 1


class Tables(NamedTuple):
    """What compiled code looks up; a named tuple because that is what it can take as one argument.

    Attributes
    ----------
    ascii_kinds
        Kind of each ASCII character, ``uint8``, shape (128,).
    pages
        As in :class:`newswinnow.features.characters.CharacterTables`.
    entries
        As there.
    sets
        Words of the word sets: hashes, the sets of each word in the lowest five bits; ``uint64``, shape (1024,), 0 where free.
    logarithms
        ``log(1 + n)`` of the first 4096 integers, ``float64``.
    length_buckets
        Number of the length bucket of so many words, ``int64``; the last holds for all beyond.
    """

    ascii_kinds: npt.NDArray[np.uint8]
    pages: npt.NDArray[np.uint16]
    entries: npt.NDArray[np.uint32]
    sets: npt.NDArray[np.uint64]
    logarithms: npt.NDArray[np.float64]
    length_buckets: npt.NDArray[np.int64]


def encode(text: str) -> bytes:
    """A text as UTF-8.

    Parameters
    ----------
    text
        A text, or several joined.

    Returns
    -------
    The bytes.

    Raises
    ------
    ValueError
        If the text holds a lone surrogate, which no UTF-8 can hold.
    """
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"texts: must be valid Unicode; got a lone surrogate U+{ord(text[error.start]):04X}") from error


def finish(value: int) -> int:
    """Spread a hash's bits to the high end.

    Parameters
    ----------
    value
        At most 64 bits.

    Returns
    -------
    At most 64 bits.
    """
    return (value ^ value >> 32) * d.MIX & _FULL


def hash_word(word: str) -> int:
    """Hash of a folded word.

    Parameters
    ----------
    word
        The word.

    Returns
    -------
    At most 64 bits.

    Examples
    --------
    >>> hex(hash_word("harbour"))
    '0xbf7dc0bb32ea1efc'
    """
    data, value = word.encode(), d.SEED
    for i in range(0, len(data), 8):
        value = (value ^ int.from_bytes(data[i : i + 8], "little")) * d.PRIME & _FULL
        value ^= value >> 32
    return value * d.MIX & _FULL


def sets_of(word: str) -> int:
    """Which word sets a word belongs to.

    Parameters
    ----------
    word
        A folded word.

    Returns
    -------
    Bit mask.
    """
    return sum(1 << k for k, words in enumerate(SETS) if word in words)


def _word_sets() -> npt.NDArray[np.uint64]:
    """Every word in one of its two slots; one that finds both taken pushes another to its other slot (cuckoo hashing)."""
    table = [0] * d.N_SLOTS
    for word in sorted(frozenset().union(*SETS)):
        value, use_second = hash_word(word) & ~_SET_MASK | sets_of(word), False
        while value:
            slots = value >> 54, value >> 44 & d.N_SLOTS - 1
            at = next((slot for slot in slots if not table[slot]), slots[use_second])
            table[at], value = value, table[at]
            use_second = not use_second
    return np.array(table, dtype=np.uint64)


@cache
def kernel_tables() -> Tables:
    """The tables.

    Returns
    -------
    The same ones on every call.
    """
    characters = character_tables()
    return Tables(
        np.array([characters.kind(code) for code in range(128)], dtype=np.uint8),
        characters.pages,
        characters.entries,
        _word_sets(),
        np.log1p(np.arange(N_LOGARITHMS, dtype=np.float64)),
        np.searchsorted(d.LENGTH_EDGES, np.arange(d.LENGTH_EDGES[-1] + 1), side="right").astype(np.int64),
    )
