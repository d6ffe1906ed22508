"""The compiled pass from bytes to features: one walk over a paragraph gives hashed tokens and surface measurements.

Feature definition 1, which saved models name: tokens are maximal runs of word characters and single other characters, folded;
hashed are word 1-2-grams, the first and last 1-3 tokens, shape 2-4-grams and function-word skeleton 2-3-grams of the first 40
tokens, and six crossed categories of the surface. Everything here works on arrays and releases the GIL; strings, matrices and
weights are left to :mod:`newswinnow.features.hashed`.
"""

from typing import Any, Final

import numpy as np
from numba import njit

from newswinnow.features.characters import (
    APOSTROPHE,
    AT,
    CLOSING,
    COLON,
    COMMA,
    DIGIT,
    LOWER,
    N_KINDS,
    OPENING,
    OPENING_QUOTE,
    OTHER,
    QUOTE,
    RIGHTS,
    SEPARATOR,
    SPACE,
    STOP,
    UPPER,
)

VERSION: Final = 1
MAX_TOKENS: Final = 256
MAX_EDGE_TOKENS: Final = 40
MAX_FEATURES: Final = 2 * MAX_TOKENS + 6 + 5 * (MAX_EDGE_TOKENS + 1) + 6
N_BLOCKS: Final = 3
N_SURFACE: Final = 38
N_SETS: Final = 5

# Hashing: FNV-1a over code points (Fowler, Noll, Vo 1991), finished by one xorshift-multiply round (Steele, Lea, Flood 2014).
_SEED: Final = np.uint64(0xCBF29CE484222325)
_PRIME: Final = np.uint64(0x100000001B3)
_MIX: Final = np.uint64(0xD6E8FEB86659FD93)
_SALT: Final = np.uint64(0x9E3779B97F4A7C15)
_SHIFT: Final = np.uint64(32)
_BEGIN: Final = np.uint64(11)
_END: Final = np.uint64(13)
_ONE: Final = np.uint64(1)
_ZERO: Final = np.uint64(0)

# Slots of the per-paragraph counts: characters of each kind first, then these.
CHARS, NON_ASCII, ENDS, FIRST_KIND, LAST_KIND, LAST_CODE = range(N_KINDS, N_KINDS + 6)
WORDS, WORD_CHARS, CAPITALISED, ALL_CAPS, LONG, NUMBERS, GLUED, PAST = range(N_KINDS + 6, N_KINDS + 14)
SET_COUNTS: Final = N_KINDS + 14
FIRST_SETS: Final = SET_COUNTS + N_SETS
N_COUNTS: Final = FIRST_SETS + 1
STOP_WORD, IMPERATIVE, PRONOUN, CALENDAR, DURATION = range(N_SETS)

_LENGTH_EDGES: Final = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 50, 90)
_CAPITAL_EDGES: Final = (0.01, 0.2, 0.4, 0.6, 0.8, 0.99)
_STOP_EDGES: Final = (0.01, 0.15, 0.25, 0.35, 0.45)

compiled: Any = njit(nogil=True, cache=True, error_model="numpy")
# Arrays cross a compiled call as a dozen machine words each, so what runs once per word or feature is inlined before compiling:
# 2.5 -> 2.2 us per paragraph of 64 characters.
inlined: Any = njit(nogil=True, error_model="numpy", inline="always")


@inlined
def finish(value: Any) -> Any:
    """Spread a hash's bits so that its low ones can be used as an index.

    Parameters
    ----------
    value
        ``uint64``.

    Returns
    -------
    ``uint64``.
    """
    value ^= value >> _SHIFT
    value *= _MIX
    return value ^ (value >> _SHIFT)


@compiled
def hash_codes(codes: Any, begin: Any, end: Any) -> Any:
    """Hash of the folded code points ``codes[begin:end]``.

    Parameters
    ----------
    codes
        Code points, ``uint32``.
    begin
        First index.
    end
        Index after the last.

    Returns
    -------
    ``uint64``.
    """
    value = _SEED
    for i in range(begin, end):
        value = (value ^ np.uint64(codes[i])) * _PRIME
    return finish(value)


@compiled
def decode(buffer: Any, begin: Any, end: Any, kinds_of: Any, folded_of: Any, codes: Any, kinds: Any) -> Any:
    """UTF-8 bytes into folded code points and kinds of characters.

    Parameters
    ----------
    buffer
        Well-formed UTF-8, ``uint8``.
    begin
        First byte.
    end
        Byte after the last.
    kinds_of
        Table of kinds.
    folded_of
        Table of folded code points.
    codes
        Receives code points; as long as there are bytes.
    kinds
        Receives kinds.

    Returns
    -------
    Number of code points.
    """
    n, i = 0, begin
    while i < end:
        byte = np.uint32(buffer[i])
        if byte < 0x80:
            code, width = byte, 1
        elif byte < 0xE0:
            code, width = ((byte & 0x1F) << 6) | (np.uint32(buffer[i + 1]) & 0x3F), 2
        elif byte < 0xF0:
            code = ((byte & 0x0F) << 12) | ((np.uint32(buffer[i + 1]) & 0x3F) << 6) | (np.uint32(buffer[i + 2]) & 0x3F)
            width = 3
        else:
            high = ((byte & 0x07) << 18) | ((np.uint32(buffer[i + 1]) & 0x3F) << 12)
            code, width = high | ((np.uint32(buffer[i + 2]) & 0x3F) << 6) | (np.uint32(buffer[i + 3]) & 0x3F), 4
        kinds[n] = kinds_of[code] if code < 65536 else OTHER
        codes[n] = folded_of[code] if code < 65536 else code
        n += 1
        i += width
    return n


@inlined
def _is_closing(kind: Any) -> Any:
    return kind in (QUOTE, APOSTROPHE, CLOSING)


@compiled
def count_characters(codes: Any, kinds: Any, n: Any, counts: Any) -> None:
    """Characters by kind, sentence ends, and how the paragraph begins and ends.

    Parameters
    ----------
    codes
        Code points.
    kinds
        Their kinds.
    n
        How many there are.
    counts
        Receives the counts; shape (N_COUNTS,).
    """
    counts[:] = 0
    counts[FIRST_KIND] = -1
    counts[LAST_KIND] = -1
    may_end = False
    for i in range(n):
        kind = kinds[i]
        counts[kind] += 1
        if kind == SPACE:
            counts[ENDS] += may_end
            may_end = False
            continue
        counts[NON_ASCII] += codes[i] > 127
        if counts[FIRST_KIND] < 0:
            counts[FIRST_KIND] = kind
        if not _is_closing(kind):
            may_end = kind == STOP
            counts[LAST_KIND] = kind
            counts[LAST_CODE] = codes[i]
    counts[ENDS] += may_end
    counts[CHARS] = n


@inlined
def sets_of(value: Any, sets: Any) -> Any:
    """Which word sets a word belongs to.

    Parameters
    ----------
    value
        Hash of the word.
    sets
        Open-addressing table: hashes (0 where free) and bit masks of the sets, shape (2, a power of two).

    Returns
    -------
    Bit mask; 0 for a word in none.
    """
    mask = np.uint64(sets.shape[1] - 1)
    at = value & mask
    while sets[0, at] != _ZERO:
        if sets[0, at] == value:
            return np.int64(sets[1, at])
        at = (at + _ONE) & mask
    return np.int64(0)


@inlined
def _word(codes: Any, kinds: Any, begin: Any, end: Any, counts: Any) -> Any:
    """Hash a word and its shape (its runs of kinds: ``Council`` and ``Xx`` are one); count its case, length and digits."""
    value, shape, last = _SEED, _SEED, OTHER
    n_upper = n_glued = 0
    for i in range(begin, end):
        kind = kinds[i]
        value = (value ^ np.uint64(codes[i])) * _PRIME
        if kind != last:
            n_glued += kind == UPPER and last == LOWER
            shape = (shape ^ np.uint64(kind + 1)) * _PRIME
            last = kind
        n_upper += kind == UPPER
    length = end - begin
    counts[CAPITALISED] += counts[WORDS] > 0 and kinds[begin] == UPPER
    counts[WORDS] += 1
    counts[WORD_CHARS] += length
    counts[ALL_CAPS] += length > 1 and n_upper == length
    counts[LONG] += length >= 8
    counts[NUMBERS] += kinds[begin] == DIGIT
    counts[GLUED] += n_glued > 0
    counts[PAST] += length >= 4 and codes[end - 2] == 101 and codes[end - 1] == 100
    return finish(value), finish(shape)


@compiled
def tokenize(codes: Any, kinds: Any, n: Any, sets: Any, tokens: Any, counts: Any) -> Any:
    """Cut code points into tokens and count words.

    Parameters
    ----------
    codes
        Code points.
    kinds
        Their kinds.
    n
        How many there are.
    sets
        Table of word sets, as for :func:`sets_of`.
    tokens
        Receives per token its hash, its shape and its skeleton (the hash of a function word, else the shape); shape
        (3, MAX_TOKENS).
    counts
        Counts of :func:`count_characters`, completed here.

    Returns
    -------
    Number of tokens, at most MAX_TOKENS; words beyond are counted all the same.
    """
    n_tokens, i = 0, 0
    while i < n:
        begin = i
        while i < n and LOWER <= kinds[i] <= DIGIT:
            i += 1
        if i > begin:
            value, shape = _word(codes, kinds, begin, i, counts)
            skeleton = value if _count_sets(value, sets, counts) else shape
        else:
            i += 1
            if kinds[begin] == SPACE:
                continue
            value = finish((_SEED ^ np.uint64(codes[begin])) * _PRIME)
            shape = skeleton = value
        if n_tokens < MAX_TOKENS:
            tokens[0, n_tokens], tokens[1, n_tokens], tokens[2, n_tokens] = value, shape, skeleton
            n_tokens += 1
    return n_tokens


@inlined
def _count_sets(value: Any, sets: Any, counts: Any) -> Any:
    """Count the word just counted in the word sets it belongs to; tells whether it is a function word."""
    found = sets_of(value, sets)
    if found:
        for k in range(N_SETS):
            counts[SET_COUNTS + k] += (found >> k) & 1
        if counts[WORDS] == 1:
            counts[FIRST_SETS] = found
    return found & 1


@inlined
def _is_doubled(tokens: Any, n_tokens: Any) -> Any:
    """Whether the second half of the tokens repeats the first."""
    half = n_tokens // 2
    if n_tokens % 2 or half == 0 or n_tokens == MAX_TOKENS:
        return False
    n_same = 0
    for i in range(half):
        n_same += tokens[0, i] == tokens[0, half + i]
    return n_same == half


@compiled
def measure(counts: Any, tokens: Any, n_tokens: Any, surface: Any) -> None:
    """Surface features from counts, in the order of :data:`newswinnow.features.hashed.SURFACE_NAMES`.

    Parameters
    ----------
    counts
        Completed counts.
    tokens
        Tokens of the paragraph.
    n_tokens
        How many there are.
    surface
        Receives the features; shape (N_SURFACE,).
    """
    chars, words = max(counts[CHARS], 1), max(counts[WORDS], 1)
    surface[0] = np.log1p(counts[CHARS])
    surface[1] = np.log1p(counts[WORDS])
    surface[2] = counts[WORD_CHARS] / words
    surface[3] = np.log1p(counts[ENDS])
    surface[4] = np.log1p(counts[WORDS] / max(counts[ENDS], 1))
    last, code, first = counts[LAST_KIND], counts[LAST_CODE], counts[FIRST_KIND]
    surface[5] = last == STOP
    surface[6] = counts[QUOTE] + counts[OPENING_QUOTE] > 0
    surface[7] = last == COLON
    surface[8] = code == 63
    surface[9] = code == 0x2026
    surface[10] = first in (QUOTE, OPENING_QUOTE, APOSTROPHE)
    surface[11] = first == LOWER
    surface[12] = first == DIGIT
    surface[13] = np.log1p(counts[COMMA])
    surface[14] = np.log1p(counts[QUOTE] + counts[OPENING_QUOTE])
    surface[15] = np.log1p(counts[APOSTROPHE])
    surface[16] = np.log1p(counts[COLON])
    surface[17] = np.log1p(counts[OPENING] + counts[CLOSING])
    surface[18] = counts[SEPARATOR] / chars
    surface[19] = counts[DIGIT] / chars
    surface[20] = counts[UPPER] / chars
    surface[21] = (chars - counts[SPACE] - counts[LOWER] - counts[UPPER] - counts[DIGIT]) / chars
    surface[22] = counts[NON_ASCII] / chars
    surface[23] = capitalised_share(counts)
    for k, slot in enumerate((ALL_CAPS, LONG, NUMBERS, GLUED)):
        surface[24 + k] = counts[slot] / words
    surface[28] = counts[SET_COUNTS + STOP_WORD] / words
    surface[29] = counts[SET_COUNTS + PRONOUN] / words
    surface[30] = counts[PAST] / words
    surface[31] = (counts[FIRST_SETS] >> STOP_WORD) & 1
    surface[32] = (counts[FIRST_SETS] >> IMPERATIVE) & 1
    surface[33] = np.log1p(counts[SET_COUNTS + DURATION])
    surface[34] = np.log1p(counts[SET_COUNTS + CALENDAR])
    surface[35] = counts[AT] > 0
    surface[36] = counts[RIGHTS] > 0
    surface[37] = _is_doubled(tokens, n_tokens)


@inlined
def capitalised_share(counts: Any) -> Any:
    """Share of the words beyond the first that begin with a capital.

    Parameters
    ----------
    counts
        Completed counts.

    Returns
    -------
    A share; 0 for fewer than two words.
    """
    return counts[CAPITALISED] / (counts[WORDS] - 1) if counts[WORDS] > 1 else 0.0


@inlined
def _bucket(value: Any, edges: Any) -> Any:
    n = 0
    for edge in edges:
        n += value >= edge
    return n


@inlined
def _put(rows: Any, n: Any, value: Any, salt: Any, mask: Any) -> Any:
    rows[n] = np.int64(finish(value ^ (np.uint64(salt) * _SALT)) & mask)
    return n + 1


@compiled
def _put_words(tokens: Any, n_tokens: Any, mask: Any, rows: Any) -> Any:
    """Word 1-2-grams."""
    n = 0
    for i in range(n_tokens):
        n = _put(rows, n, tokens[0, i], 1, mask)
        if i + 1 < n_tokens:
            n = _put(rows, n, (tokens[0, i] * _PRIME) ^ tokens[0, i + 1], 2, mask)
    return n


@compiled
def _put_edges(tokens: Any, n_tokens: Any, mask: Any, rows: Any, n: Any) -> Any:
    """First and last tokens, shape and skeleton n-grams."""
    first = last = _SEED
    for i in range(min(3, n_tokens)):
        first = (first ^ tokens[0, i]) * _PRIME
        last = (last ^ tokens[0, n_tokens - 1 - i]) * _PRIME
        n = _put(rows, n, first, 3 + i, mask)
        n = _put(rows, n, last, 6 + i, mask)
    length = min(n_tokens, MAX_EDGE_TOKENS)
    a, b, c = _ZERO, _ZERO, _BEGIN
    d, e = _ZERO, _BEGIN
    for i in range(length + 1):
        shape = tokens[1, i] if i < length else _END
        skeleton = tokens[2, i] if i < length else _END
        n = _put(rows, n, (c * _PRIME) ^ shape, 9, mask)
        n = _put(rows, n, (e * _PRIME) ^ skeleton, 12, mask)
        if i >= 1:
            n = _put(rows, n, (((b * _PRIME) ^ c) * _PRIME) ^ shape, 10, mask)
            n = _put(rows, n, (((d * _PRIME) ^ e) * _PRIME) ^ skeleton, 13, mask)
        if i >= 2:
            n = _put(rows, n, (((((a * _PRIME) ^ b) * _PRIME) ^ c) * _PRIME) ^ shape, 11, mask)
        a, b, c = b, c, shape
        d, e = e, skeleton
    return n


@inlined
def _ending(counts: Any) -> Any:
    """Number of the last character's class: the code itself where it is ASCII punctuation, the kind where it is not."""
    kind = counts[LAST_KIND]
    return counts[LAST_CODE] if kind in (STOP, COMMA) else 256 + kind


@compiled
def _put_categories(counts: Any, mask: Any, rows: Any, n: Any) -> Any:
    """Crossed categories: length alone and with ending, opening, capitals, function words, first word."""
    length = _bucket(counts[WORDS], _LENGTH_EDGES)
    capitals = _bucket(capitalised_share(counts), _CAPITAL_EDGES)
    stops = _bucket(counts[SET_COUNTS + STOP_WORD] / max(counts[WORDS], 1), _STOP_EDGES)
    first = (counts[FIRST_SETS] & 3) * 32 + counts[FIRST_KIND] + 1
    crossed = (
        0,
        _ending(counts),
        (counts[FIRST_KIND] + 1) * 4 + min(counts[ENDS], 3),
        capitals,
        stops,
        first * 2 + (counts[LAST_KIND] == STOP),
    )
    for k in range(6):
        value = np.uint64(crossed[k] * 16 + length + 1) * _MIX
        n = _put(rows, n, value, 20 + k, mask)
    return n


@compiled
def hash_paragraph(
    buffer: Any, begin: Any, end: Any, kinds_of: Any, folded_of: Any, sets: Any, mask: Any, scratch: Any, rows: Any, bounds: Any
) -> None:
    """All features of one paragraph.

    Parameters
    ----------
    buffer
        Well-formed UTF-8, ``uint8``.
    begin
        First byte.
    end
        Byte after the last.
    kinds_of
        Table of kinds.
    folded_of
        Table of folded code points.
    sets
        Table of word sets, as for :func:`sets_of`.
    mask
        Number of rows less one; a power of two less one.
    scratch
        Arrays of :func:`make_scratch`; the last receives the surface features.
    rows
        Receives row numbers; shape (MAX_FEATURES,).
    bounds
        Receives where each block of rows ends; shape (N_BLOCKS,).
    """
    codes, kinds, tokens, counts, surface = scratch
    n = decode(buffer, begin, end, kinds_of, folded_of, codes, kinds)
    count_characters(codes, kinds, n, counts)
    n_tokens = tokenize(codes, kinds, n, sets, tokens, counts)
    measure(counts, tokens, n_tokens, surface)
    bounds[0] = _put_words(tokens, n_tokens, mask, rows)
    bounds[1] = _put_edges(tokens, n_tokens, mask, rows, bounds[0])
    bounds[2] = _put_categories(counts, mask, rows, bounds[1])


@compiled
def make_scratch(offsets: Any) -> Any:
    """Working arrays, large enough for the longest paragraph.

    Parameters
    ----------
    offsets
        First byte of each paragraph and of the one after the last, shape (n_paragraphs + 1,).

    Returns
    -------
    Code points, kinds, tokens, counts and surface features.
    """
    longest = 1
    for i in range(len(offsets) - 1):
        longest = max(longest, offsets[i + 1] - offsets[i])
    return (
        np.empty(longest, np.uint32),
        np.empty(longest, np.uint8),
        np.empty((3, MAX_TOKENS), np.uint64),
        np.empty(N_COUNTS, np.int64),
        np.empty(N_SURFACE, np.float64),
    )


@compiled
def find_offsets(buffer: Any, n: Any) -> Any:
    """Where each of ``n`` paragraphs separated by newlines begins.

    Parameters
    ----------
    buffer
        The paragraphs, ``uint8``.
    n
        How many there are.

    Returns
    -------
    Shape (n + 1,); a paragraph ends one byte before the next begins.
    """
    offsets = np.empty(n + 1, np.int64)
    offsets[0], k = 0, 1
    for i in range(len(buffer)):
        if buffer[i] == 10:
            offsets[k] = i + 1
            k += 1
    offsets[n] = len(buffer) + 1
    return offsets


@compiled
def to_csr(buffer: Any, offsets: Any, kinds_of: Any, folded_of: Any, sets: Any, mask: Any, scales: Any) -> Any:
    """Features of many paragraphs as the arrays of a sparse matrix.

    Parameters
    ----------
    buffer
        Paragraphs separated by newlines, ``uint8``.
    offsets
        As :func:`find_offsets` gives them.
    kinds_of
        Table of kinds.
    folded_of
        Table of folded code points.
    sets
        Table of word sets, as for :func:`sets_of`.
    mask
        Number of rows less one.
    scales
        Weight of each block; each of its features has it divided by the root of their number; shape (N_BLOCKS,).

    Returns
    -------
    Column indices, values, row pointers (duplicates not yet summed) and surface features, shape (n_paragraphs, N_SURFACE).
    """
    n = len(offsets) - 1
    scratch = make_scratch(offsets)
    rows, bounds = np.empty(MAX_FEATURES, np.int64), np.empty(N_BLOCKS, np.int64)
    pointers = np.zeros(n + 1, np.int64)
    surface = np.empty((n, N_SURFACE), np.float32)
    room = n * 160 + MAX_FEATURES
    indices, values = np.empty(room, np.int32), np.empty(room, np.float32)
    at = 0
    for i in range(n):
        hash_paragraph(buffer, offsets[i], offsets[i + 1] - 1, kinds_of, folded_of, sets, mask, scratch, rows, bounds)
        if at + bounds[N_BLOCKS - 1] > room:
            room *= 2
            indices, values = _grown(indices, room, at), _grown(values, room, at)
        low = 0
        for block in range(N_BLOCKS):
            value = np.float32(scales[block] / np.sqrt(max(bounds[block] - low, 1)))
            for j in range(low, bounds[block]):
                indices[at], values[at] = rows[j], value
                at += 1
            low = bounds[block]
        pointers[i + 1] = at
        surface[i] = scratch[4]
    return indices[:at], values[:at], pointers, surface


@compiled
def _grown(array: Any, room: Any, n: Any) -> Any:
    larger = np.empty(room, array.dtype)
    larger[:n] = array[:n]
    return larger


@compiled
def score(
    buffer: Any,
    offsets: Any,
    kinds_of: Any,
    folded_of: Any,
    sets: Any,
    scales: Any,
    weights: Any,
    dense: Any,
    bias: Any,
    out: Any,
) -> None:
    """Logits of many paragraphs in one pass, with no matrix in between.

    Parameters
    ----------
    buffer
        Paragraphs separated by newlines, ``uint8``.
    offsets
        As :func:`find_offsets` gives them.
    kinds_of
        Table of kinds.
    folded_of
        Table of folded code points.
    sets
        Table of word sets, as for :func:`sets_of`.
    scales
        As in :func:`to_csr`.
    weights
        Per hashed feature, shape (n_rows, 3), n_rows a power of two.
    dense
        Per surface feature, shape (N_SURFACE, 3).
    bias
        Shape (3,).
    out
        Receives logits, ``float64``, shape (n_paragraphs, 3).
    """
    scratch = make_scratch(offsets)
    rows, bounds = np.empty(MAX_FEATURES, np.int64), np.empty(N_BLOCKS, np.int64)
    mask = np.uint64(len(weights) - 1)
    for i in range(len(offsets) - 1):
        hash_paragraph(buffer, offsets[i], offsets[i + 1] - 1, kinds_of, folded_of, sets, mask, scratch, rows, bounds)
        x, y, z = bias[0], bias[1], bias[2]
        low = 0
        for block in range(N_BLOCKS):
            a = b = c = np.float32(0)
            for j in range(low, bounds[block]):
                row = rows[j]
                a, b, c = a + weights[row, 0], b + weights[row, 1], c + weights[row, 2]
            scale = scales[block] / np.sqrt(max(bounds[block] - low, 1))
            x, y, z = x + scale * a, y + scale * b, z + scale * c
            low = bounds[block]
        for k in range(N_SURFACE):
            value = scratch[4][k]
            x, y, z = x + value * dense[k, 0], y + value * dense[k, 1], z + value * dense[k, 2]
        out[i, 0], out[i, 1], out[i, 2] = x, y, z
