"""The kernel's third step: from a paragraph's counts to its surface features and crossed categories.

Counting is left to :mod:`newswinnow.features.walk`.
"""

from typing import Any, Final

import numpy as np

from newswinnow.features import definition as d
from newswinnow.features.characters import (
    APOSTROPHE,
    AT,
    CLOSING,
    COLON,
    COMMA,
    DIGIT,
    LOWER,
    OPENING,
    OPENING_QUOTE,
    QUOTE,
    RIGHTS,
    SEPARATOR,
    STOP,
)
from newswinnow.features.jit import inlined
from newswinnow.features.walk import (
    ALL_CAPS,
    CALENDAR,
    CAPITALISED,
    DIGITS,
    DURATIONS,
    ENDS,
    FIRST_KIND,
    FIRST_SETS,
    GLUED,
    IMPERATIVE,
    LAST_BYTES,
    LAST_KIND,
    LONG,
    NUMBERS,
    OTHERS,
    PAST,
    PRIME,
    PRONOUNS,
    SINGLES,
    SPACES,
    STOP_WORD,
    STOPS,
    UPPERS,
    WORD_CHARS,
    WORDS,
    finish,
)

_QUESTION: Final = 0x3F
_ELLIPSIS: Final = 0xA680E2
_PLAIN_ENDINGS: Final = 256


@inlined
def _log(n: Any, logarithms: Any) -> Any:
    """``log(1 + n)``, looked up where it can be: 5 ns less each, eight times a paragraph."""
    return logarithms[np.uint64(n)] if n < len(logarithms) else np.log1p(np.float64(n))


@inlined
def _is_doubled(tokens: Any, n_tokens: Any) -> Any:
    """Whether the second half of the tokens repeats the first."""
    half = n_tokens >> 1
    if n_tokens & 1 or half == 0 or n_tokens == d.MAX_TOKENS:
        return False
    i = 0
    while i < half and tokens[0, i] == tokens[0, half + i]:
        i += 1
    return i == half


@inlined
def capitalised_share(counts: Any) -> Any:
    """Share of the words beyond the first that begin with a capital.

    Parameters
    ----------
    counts
        Of :func:`newswinnow.features.walk.walk`.

    Returns
    -------
    A share; 0 for fewer than two words.
    """
    return counts[CAPITALISED] / max(counts[WORDS] - 1, 1)


@inlined
def measure(counts: Any, tokens: Any, n_tokens: Any, logarithms: Any, surface: Any) -> None:
    """Surface features, in the order of :data:`newswinnow.features.definition.SURFACE_NAMES`.

    Parameters
    ----------
    counts
        Of :func:`newswinnow.features.walk.walk`.
    tokens
        Tokens of the paragraph.
    n_tokens
        How many there are.
    logarithms
        Of :class:`newswinnow.features.tables.Tables`.
    surface
        Receives the features, ``float32``, shape (N_SURFACE,).
    """
    n_words, n_ends = counts[WORDS], counts[ENDS]
    n_chars = counts[WORD_CHARS] + counts[SINGLES] + counts[SPACES]
    per_char, per_word = 1.0 / max(n_chars, 1), 1.0 / max(n_words, 1)
    surface[0] = _log(n_chars, logarithms)
    surface[1] = _log(n_words, logarithms)
    surface[2] = counts[WORD_CHARS] * per_word
    surface[3] = _log(n_ends, logarithms)
    surface[4] = _log(n_words + max(n_ends, 1) - 1, logarithms) - _log(max(n_ends, 1) - 1, logarithms)
    last, first, n_quotes = counts[LAST_KIND], counts[FIRST_KIND], counts[QUOTE] + counts[OPENING_QUOTE]
    surface[5] = last == STOP
    surface[6] = n_quotes > 0
    surface[7] = last == COLON
    surface[8] = (last == STOP) & (counts[LAST_BYTES] == _QUESTION)
    surface[9] = (last == STOP) & (counts[LAST_BYTES] == _ELLIPSIS)
    surface[10] = (first == QUOTE) | (first == OPENING_QUOTE) | (first == APOSTROPHE)
    surface[11] = first == LOWER
    surface[12] = first == DIGIT
    surface[13] = _log(counts[COMMA], logarithms)
    surface[14] = _log(n_quotes, logarithms)
    surface[15] = _log(counts[APOSTROPHE], logarithms)
    surface[16] = _log(counts[COLON], logarithms)
    surface[17] = _log(counts[OPENING] + counts[CLOSING], logarithms)
    for k, slot in enumerate((SEPARATOR, DIGITS, UPPERS, SINGLES, OTHERS)):
        surface[18 + k] = counts[slot] * per_char
    surface[23] = capitalised_share(counts)
    for k, slot in enumerate((ALL_CAPS, LONG, NUMBERS, GLUED, STOPS, PRONOUNS, PAST)):
        surface[24 + k] = counts[slot] * per_word
    surface[31] = counts[FIRST_SETS] >> STOP_WORD & 1
    surface[32] = counts[FIRST_SETS] >> IMPERATIVE & 1
    surface[33] = _log(counts[DURATIONS], logarithms)
    surface[34] = _log(counts[CALENDAR], logarithms)
    surface[35] = counts[AT] > 0
    surface[36] = counts[RIGHTS] > 0
    surface[37] = _is_doubled(tokens, n_tokens)


@inlined
def _bucket(value: Any, edges: Any) -> Any:
    n = 0
    for edge in edges:
        n += value >= edge
    return n


@inlined
def put_categories(counts: Any, length_buckets: Any, shift: Any, rows: Any, n: Any) -> Any:
    """Rows of the crossed categories: length alone and with ending, opening, capitals, function words, first word.

    Parameters
    ----------
    counts
        Of :func:`newswinnow.features.walk.walk`.
    length_buckets
        Of :class:`newswinnow.features.tables.Tables`.
    shift
        64 less the bits of a row's number, ``uint64``.
    rows
        Receives the rows, ``uint32``.
    n
        How many are there already.

    Returns
    -------
    Number of rows.
    """
    length = length_buckets[np.uint64(min(counts[WORDS], len(length_buckets) - 1))]
    last, first = counts[LAST_KIND] + 1, counts[FIRST_KIND] + 1
    is_mark = (last == STOP + 1) | (last == COMMA + 1)
    crossed = (
        0,
        counts[LAST_BYTES] & 255 if is_mark else _PLAIN_ENDINGS + last,
        first * 4 + min(counts[ENDS], 3),
        _bucket(capitalised_share(counts), d.CAPITAL_EDGES),
        _bucket(counts[STOPS] / max(counts[WORDS], 1), d.STOP_EDGES),
        ((counts[FIRST_SETS] & 3) * 32 + first) * 2 + (last == STOP + 1),
    )
    for k in range(d.N_CATEGORIES):
        rows[n + k] = finish(np.uint64((k << 12 | crossed[k]) << 4 | length) * PRIME) >> shift
    return n + d.N_CATEGORIES
