"""The kernel's second step: along a paragraph's classes from token to token, hashing and counting, then from tokens to rows.

How bytes are folded and classed is left to :mod:`newswinnow.features.scan`, what the counts are good for to
:mod:`newswinnow.features.measure`.
"""

from typing import Any, Final

import numpy as np

from newswinnow.features import definition as d
from newswinnow.features.characters import (
    APOSTROPHE,
    CLOSING,
    DIGIT,
    KIND_SHIFT,
    LOWER,
    N_KINDS,
    QUOTE,
    SPACE,
    STOP,
    UPPER,
)
from newswinnow.features.jit import bit_count, inlined, lean, load8, load64, trailing_zeros
from newswinnow.features.scan import BLANK, DIGIT_CLASS, LOWER_CLASS, NEWLINE, NO_WORD, UPPER_CLASS, decode, entry_of, width_of

# Counts of a paragraph: single characters of each kind first, then these.
WORDS, WORD_CHARS, CAPITALISED, ALL_CAPS, LONG, NUMBERS, GLUED, PAST = range(N_KINDS, N_KINDS + 8)
UPPERS, DIGITS, SPACES, OTHERS, ENDS, SINGLES = range(N_KINDS + 8, N_KINDS + 14)
FIRST_KIND, LAST_KIND, LAST_BYTES, FIRST_SETS = range(N_KINDS + 14, N_KINDS + 18)
STOPS, PRONOUNS, CALENDAR, DURATIONS = range(N_KINDS + 18, N_KINDS + 22)
N_COUNTS: Final = N_KINDS + 22

N_SETS: Final = 5
STOP_WORD, IMPERATIVE, PRONOUN, CALENDAR_WORD, DURATION_WORD = range(N_SETS)

SEED: Final = np.uint64(d.SEED)
PRIME: Final = np.uint64(d.PRIME)
MIX: Final = np.uint64(d.MIX)
_PAIR: Final = np.uint64(d.PAIR)
_FIRST: Final = np.uint64(d.FIRST)
_LAST: Final = np.uint64(d.LAST)
_SHAPE: Final = np.uint64(d.SHAPE)
_SKELETON: Final = np.uint64(d.SKELETON)
_CHARACTER: Final = np.uint64(d.CHARACTER)
_BEGIN: Final = np.uint64(d.BEGIN)
_END: Final = np.uint64(d.END)

_ZERO, _ONE, _FOUR, _EIGHT, _QUARTER, _HALF, _TOP = (np.uint64(n) for n in (0, 1, 4, 8, 16, 32, 56))
_FIRST_SLOT, _SECOND_SLOT, _SLOT_MASK, _SET_MASK = (np.uint64(n) for n in (54, 44, d.N_SLOTS - 1, (1 << N_SETS) - 1))
_ALL_NO_WORD: Final = np.uint64(0x8080808080808080)
_ALL_FIRST: Final = np.uint64(0x0808080808080808)
_ALL_UPPER: Final = np.uint64(0x1010101010101010)
_ALL_DIGIT: Final = np.uint64(0x2020202020202020)
_CLOSINGS: Final = 1 << QUOTE | 1 << APOSTROPHE | 1 << CLOSING


@inlined
def finish(value: Any) -> Any:
    """Spread a hash's bits to the high end.

    Parameters
    ----------
    value
        ``uint64``.

    Returns
    -------
    ``uint64``.
    """
    return (value ^ (value >> _HALF)) * MIX


@inlined
def _sets_of(value: Any, sets: Any) -> Any:
    """Bit mask of the word sets a word belongs to; both slots are looked at, because a branch would be mispredicted."""
    first, second = sets[value >> _FIRST_SLOT], sets[(value >> _SECOND_SLOT) & _SLOT_MASK]
    found = first & _SET_MASK if first ^ value <= _SET_MASK else _ZERO
    return np.int64(second & _SET_MASK if second ^ value <= _SET_MASK else found)


@inlined
def _kind_of_class(value: Any) -> Any:
    return LOWER if value & LOWER_CLASS else (UPPER if value & UPPER_CLASS else DIGIT)


@inlined
def _inside(bytes_: Any, here: Any, ends_at: Any) -> Any:
    """Of eight bytes and their classes what lies before the end of a word, and how many that are."""
    bits = np.uint64(trailing_zeros(ends_at) - 7)
    mask = (_ONE << bits) - _ONE
    return bytes_ & mask, here & mask, np.int64(bits) >> 3


@inlined
def _scan_word(folded: Any, classes: Any, at: Any, counts: Any) -> Any:
    """Hash of the word at ``at``, its shape's number and its end; its characters are counted on the way.

    The number says which kind of character comes first (bits 3-5), which last (6-8), which occur (0-2) and whether a capital
    follows a small letter (9), as in two words glued together.
    """
    begin, n, n_upper = at, 0, 0
    value, kinds, before, glued = SEED, _ZERO, _ZERO, _ZERO
    is_open = True
    while is_open:
        bytes_, here = load64(folded, at), load64(classes, at)
        ends_at, width = here & _ALL_NO_WORD, 8
        is_open = ends_at == _ZERO
        if not is_open:
            bytes_, here, width = _inside(bytes_, here, ends_at)
        if width:
            value = (value ^ bytes_) * PRIME
            value ^= value >> _HALF
        kinds |= here
        glued |= (((here << _EIGHT) | before) << _FOUR) & here & _ALL_UPPER
        before = here >> _TOP
        n += bit_count(here & _ALL_FIRST)
        n_upper += bit_count(here & _ALL_UPPER)
        counts[DIGITS] += bit_count(here & _ALL_DIGIT)
        at += width
    for shift in (_HALF, _QUARTER, _EIGHT):
        kinds |= kinds >> shift
    opening, closing = np.int64(load8(classes, begin)) & 7, np.int64(load8(classes, at - 1)) & 7
    code = np.int64(kinds) & 7 | opening << 3 | closing << 6 | np.int64(glued != _ZERO) << 9
    counts[WORD_CHARS] += n
    counts[UPPERS] += n_upper
    counts[ALL_CAPS] += (n > 1) & (n_upper == n)
    counts[LONG] += n >= d.LONG_WORD_CHARS
    counts[PAST] += (n >= 4) & (load8(folded, at - 1) == 100) & (load8(folded, at - 2) == 101)
    return value * MIX, code, at


@inlined
def _count_word(code: Any, found: Any, counts: Any) -> None:
    """Count a word by its shape's number and by the word sets it is in."""
    opening, closing = code >> 3 & 7, code >> 6 & 7
    is_first = counts[WORDS] == 0
    counts[FIRST_SETS] = found if is_first else counts[FIRST_SETS]
    counts[CAPITALISED] += (not is_first) & (opening == UPPER_CLASS)
    counts[WORDS] += 1
    counts[NUMBERS] += opening == DIGIT_CLASS
    counts[GLUED] += code >> 9
    counts[STOPS] += found & 1
    counts[PRONOUNS] += found >> PRONOUN & 1
    counts[CALENDAR] += found >> CALENDAR_WORD & 1
    counts[DURATIONS] += found >> DURATION_WORD & 1
    counts[FIRST_KIND] = counts[FIRST_KIND] if counts[FIRST_KIND] >= 0 else _kind_of_class(opening)
    counts[LAST_KIND] = _kind_of_class(closing)


@inlined
def _kind_at(folded: Any, at: Any, width: Any, tables: Any) -> Any:
    """Kind of the character at ``at``, which no ASCII word holds."""
    if width == 1:
        return np.int64(tables.ascii_kinds[np.uint64(load8(folded, at) & 127)])
    return entry_of(decode(folded, at, width), tables.pages, tables.entries) >> KIND_SHIFT


@inlined
def _count_single(kind: Any, bytes_: Any, width: Any, may_end: Any, counts: Any) -> Any:
    """Count a character that is a token by itself; tells whether a sentence ends if whitespace follows."""
    counts[kind] += 1
    counts[SINGLES] += 1
    counts[OTHERS] += width > 1
    counts[FIRST_KIND] = counts[FIRST_KIND] if counts[FIRST_KIND] >= 0 else kind
    if _CLOSINGS >> kind & 1:
        return may_end
    counts[LAST_KIND], counts[LAST_BYTES] = kind, np.int64(bytes_)
    return kind == STOP


@inlined
def walk(folded: Any, classes: Any, at: Any, tables: Any, tokens: Any, spans: Any, counts: Any) -> Any:
    """Cut a paragraph into tokens, hash and count them.

    Parameters
    ----------
    folded
        Folded bytes.
    classes
        Their classes.
    at
        First byte of the paragraph.
    tables
        :class:`newswinnow.features.tables.Tables`.
    tokens
        Receives per token its hash, its shape and its skeleton (the hash of a function word, else the shape), ``uint64``, shape
        (3, MAX_TOKENS).
    spans
        Receives where each token begins and ends, ``int64``, shape (2, MAX_TOKENS).
    counts
        Receives the counts, ``int64``, shape (N_COUNTS,).

    Returns
    -------
    Number of tokens, at most MAX_TOKENS; then the position of the newline, or -1 where a word character is not ASCII and the
    paragraph needs :func:`newswinnow.features.scan.scan_unicode` first.
    """
    counts[:] = 0
    counts[FIRST_KIND] = counts[LAST_KIND] = -1
    n_tokens, after_space, may_end = 0, True, False
    while True:
        begin = at
        if load8(classes, at) < NO_WORD:
            value, code, at = _scan_word(folded, classes, at, counts)
            found = _sets_of(value, tables.sets)
            _count_word(code, found, counts)
            shape = finish(np.uint64(code + 1) * PRIME)
            skeleton = value if found & 1 else shape
            may_end = False
        else:
            byte = load8(folded, at)
            if byte == NEWLINE:
                break
            width = width_of(byte)
            kind = _kind_at(folded, at, width, tables)
            if LOWER <= kind <= DIGIT:
                return n_tokens, -1
            at += width
            if kind == SPACE:
                counts[SPACES] += not after_space
                counts[ENDS] += may_end
                after_space, may_end = True, False
                continue
            bytes_ = load64(folded, begin) & ((_ONE << np.uint64(8 * width)) - _ONE)
            may_end = _count_single(kind, bytes_, width, may_end, counts)
            value = finish((SEED ^ bytes_) * PRIME)
            shape = skeleton = value
        if n_tokens < d.MAX_TOKENS:
            tokens[0, n_tokens], tokens[1, n_tokens], tokens[2, n_tokens] = value, shape, skeleton
            spans[0, n_tokens], spans[1, n_tokens] = begin, at
            n_tokens += 1
        after_space = load8(folded, at) == BLANK
        at += after_space
        counts[SPACES] += after_space
        counts[ENDS] += after_space & may_end
        may_end = may_end & (not after_space)
    # The last gap is one only if something follows.
    counts[SPACES] -= after_space & (counts[SPACES] > 0)
    counts[ENDS] += may_end
    return n_tokens, at


@inlined
def put_words(tokens: Any, n_tokens: Any, shift: Any, rows: Any) -> Any:
    """Rows of word 1-2-grams.

    Parameters
    ----------
    tokens
        As :func:`walk` gives them.
    n_tokens
        How many there are.
    shift
        64 less the bits of a row's number, ``uint64``.
    rows
        Receives the rows, ``uint32``.

    Returns
    -------
    Number of rows.
    """
    for i in range(n_tokens):
        rows[i] = tokens[0, i] >> shift
    for i in range(n_tokens - 1):
        rows[n_tokens + i] = (tokens[0, i] * _PAIR + tokens[0, i + 1]) >> shift
    return max(2 * n_tokens - 1, 0)


@inlined
def put_edges(tokens: Any, n_tokens: Any, shift: Any, rows: Any, n: Any) -> Any:
    """Rows of first and last tokens, shape and skeleton n-grams.

    Parameters
    ----------
    tokens
        As :func:`walk` gives them.
    n_tokens
        How many there are.
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
    first, last = _BEGIN, _END
    for i in range(min(3, n_tokens)):
        first, last = (first + tokens[0, i]) * _FIRST, (last + tokens[0, n_tokens - 1 - i]) * _LAST
        rows[n], rows[n + 1] = first >> shift, last >> shift
        n += 2
    length = min(n_tokens, d.MAX_EDGE_TOKENS)
    a, g2, g3 = _BEGIN, _ZERO, _ZERO
    b, h2 = _BEGIN, _ZERO
    for i in range(length + 1):
        x = tokens[1, i] if i < length else _END
        y = tokens[2, i] if i < length else _END
        a, g2, g3, g4 = x, a * _SHAPE + x, g2 * _SHAPE + x, g3 * _SHAPE + x
        b, h2, h3 = y, b * _SKELETON + y, h2 * _SKELETON + y
        rows[n], rows[n + 1] = g2 >> shift, h2 >> shift
        n += 2
        if i >= 1:
            rows[n], rows[n + 1] = g3 >> shift, h3 >> shift
            n += 2
        if i >= 2:
            rows[n] = g4 >> shift
            n += 1
    return n


@inlined
def _put_grams(value: Any, n_bytes: Any, shortest: Any, longest: Any, shift: Any, rows: Any, n: Any) -> Any:
    """Rows of the n-grams that begin where eight bytes were read, ``n_bytes`` of them inside the word."""
    for size in range(shortest, min(longest, n_bytes) + 1):
        gram = value & (~_ZERO >> np.uint64(64 - 8 * size))
        rows[n] = finish((gram ^ _CHARACTER) * PRIME) >> shift
        n += 1
    return n


@lean
def put_characters(folded: Any, spans: Any, n_tokens: Any, shortest: Any, longest: Any, shift: Any, rows: Any, n: Any) -> Any:
    """Rows of the n-grams of bytes of every token with a blank before and after it.

    Parameters
    ----------
    folded
        Folded bytes.
    spans
        As :func:`walk` gives them.
    n_tokens
        How many there are.
    shortest
        Bytes of the shortest n-gram.
    longest
        Bytes of the longest.
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
    n_left = d.MAX_CHARACTER_BYTES
    for i in range(n_tokens):
        begin, end = spans[0, i], spans[1, i]
        n_left -= end - begin + 2
        if n_left < 0:
            break
        for at in range(begin - 1, end + 1):
            n_bytes = end - at
            value = load64(folded, at) if at >= begin else load64(folded, begin) << _EIGHT | np.uint64(BLANK)
            if n_bytes < 8:
                value = value & ((_ONE << np.uint64(8 * n_bytes)) - _ONE) | np.uint64(BLANK) << np.uint64(8 * n_bytes)
            n = _put_grams(value, n_bytes + 1, shortest, longest, shift, rows, n)
    return n
