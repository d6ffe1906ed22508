"""The compiled pass from bytes to features of many paragraphs, and straight on to scores, sums or a sparse matrix.

What the features are is said in :mod:`newswinnow.features.definition`; strings, matrices and threads are left to
:mod:`newswinnow.features.hashed`. Everything here works on arrays and releases the GIL.
"""

from typing import Any, Final

import numpy as np

from newswinnow.features.definition import MAX_TOKENS, N_BLOCKS, N_FORM, N_OPENING, N_SURFACE
from newswinnow.features.jit import brief_entry, inlined, lean, lean_entry, load8
from newswinnow.features.measure import measure, put_categories
from newswinnow.features.scan import NEWLINE, PADDING, scan_ascii, scan_unicode
from newswinnow.features.walk import N_COUNTS, OTHERS, PRIME, finish, put_characters, put_edges, put_words, walk
from newswinnow.features.weights import CHUNK, LANE, WEIGHT_BITS

_PER_LANE: Final = 1 << (LANE - WEIGHT_BITS)
_ZERO, _LOW, _LANE, _TWO_LANES = np.uint64(0), np.uint64((1 << LANE) - 1), np.uint64(LANE), np.uint64(2 * LANE)
_HIGH: Final = np.uint64(32)
_MIDDLE: Final = 1 << (WEIGHT_BITS - 1)


_APART: Final = 256
"""Bytes between what two threads write: four cache lines, since they are fetched in pairs."""


def make_scratch(size: int, n_rows: int) -> Any:
    """Working arrays; what is not written is not read, so none is cleared.

    Parameters
    ----------
    size
        Bytes of all paragraphs.
    n_rows
        Rows a paragraph has at most.

    Returns
    -------
    Folded bytes and classes of the batch, the same of one paragraph, tokens, spans, counts, rows, ends of blocks, surface.
    """
    room = size + size // 2 + PADDING
    return (
        np.empty(size + PADDING, np.uint8),
        np.empty(size + PADDING, np.uint8),
        np.empty(room, np.uint8),
        np.empty(room, np.uint8),
        _apart(3 * MAX_TOKENS, np.uint64).reshape(3, MAX_TOKENS),
        _apart(2 * MAX_TOKENS, np.int64).reshape(2, MAX_TOKENS),
        _apart(N_COUNTS, np.int64),
        _apart(n_rows, np.uint32),
        _apart(N_BLOCKS, np.int64),
        _apart(N_SURFACE, np.float32),
    )


def _apart(size: int, dtype: Any) -> Any:
    """An array that shares no cache line with another thread's, which would have to be passed to and fro at every count."""
    room = _APART // np.dtype(dtype).itemsize
    return np.empty(size + 2 * room, dtype)[room : room + size]


@lean
def _walk_unicode(buffer: Any, at: Any, tables: Any, folded: Any, classes: Any, tokens: Any, spans: Any, counts: Any) -> Any:
    """Number of tokens, and the newline's place, of a paragraph that holds letters beyond ASCII."""
    n_others = scan_unicode(buffer, at, tables.pages, tables.entries, folded, classes)
    n_tokens, _ = walk(folded, classes, 0, tables, tokens, spans, counts)
    counts[OTHERS] += n_others
    while load8(buffer, at) != NEWLINE:
        at += 1
    return n_tokens, at


@inlined
def featurise(buffer: Any, at: Any, tables: Any, plan: Any, scratch: Any) -> Any:
    """Features of the paragraph at ``at``: its rows, where each block of them ends, and its surface, all into the scratch.

    Parameters
    ----------
    buffer
        Paragraphs, a newline after each, ``uint8``.
    at
        First byte of the paragraph.
    tables
        :class:`newswinnow.features.tables.Tables`.
    plan
        64 less the bits of a row's number, shortest and longest character n-gram.
    scratch
        Of :func:`make_scratch`; the batch's bytes folded and classed.

    Returns
    -------
    First byte of the next paragraph.
    """
    folded, classes, own_folded, own_classes, tokens, spans, counts, rows, ends, surface = scratch
    shift, shortest, longest = np.uint64(plan[0]), plan[1], plan[2]
    n_tokens, end = walk(folded, classes, at, tables, tokens, spans, counts)
    is_ascii = end >= 0
    if not is_ascii:
        n_tokens, end = _walk_unicode(buffer, at, tables, own_folded, own_classes, tokens, spans, counts)
    measure(counts, tokens, n_tokens, tables.logarithms, surface)
    ends[0] = put_words(tokens, n_tokens, shift, rows)
    ends[1] = put_edges(tokens, n_tokens, shift, rows, ends[0])
    ends[2] = put_categories(counts, tables.length_buckets, shift, rows, ends[1])
    ends[3] = ends[2]
    if longest and is_ascii:
        ends[3] = put_characters(folded, spans, n_tokens, shortest, longest, shift, rows, ends[2])
    elif longest:
        ends[3] = put_characters(own_folded, spans, n_tokens, shortest, longest, shift, rows, ends[2])
    return end + 1


@inlined
def _scale(scales: Any, block: Any, n: Any) -> Any:
    return scales[block] / np.sqrt(np.float64(max(n, 1)))


@inlined
def _add_rows(table: Any, rows: Any, low: Any, high: Any) -> Any:
    """Sum of the rows' weights, three numbers; exact whatever the order."""
    a = b = c = 0
    while low < high:
        until, total = min(low + _PER_LANE, high), _ZERO
        for j in range(low, until):
            total += table[np.uint64(rows[j])]
        offset = (until - low) * _MIDDLE
        a += np.int64(total & _LOW) - offset
        b += np.int64(total >> _LANE & _LOW) - offset
        c += np.int64(total >> _TWO_LANES) - offset
        low = until
    return a, b, c


@inlined
def _add_surface(surface: Any, dense: Any, x: Any, y: Any, z: Any) -> Any:
    for k in range(N_SURFACE):
        value = np.float64(surface[k])
        x, y, z = x + value * dense[k, 0], y + value * dense[k, 1], z + value * dense[k, 2]
    return x, y, z


@inlined
def _logits(scales: Any, table: Any, step: Any, dense: Any, bias: Any, scratch: Any) -> Any:
    """Logits of the paragraph whose features lie in the scratch."""
    rows, ends = scratch[7], scratch[8]
    x, y, z = bias[0], bias[1], bias[2]
    low = 0
    for block in range(N_BLOCKS):
        a, b, c = _add_rows(table, rows, low, ends[block])
        scale = _scale(scales, block, ends[block] - low) * step
        x, y, z = x + scale * a, y + scale * b, z + scale * c
        low = ends[block]
    return _add_surface(scratch[9], dense, x, y, z)


@lean_entry
def score(
    buffer: Any, tables: Any, plan: Any, scales: Any, table: Any, step: Any, dense: Any, bias: Any, scratch: Any, out: Any
) -> Any:
    """Logits of many paragraphs in one pass, with no matrix in between.

    Parameters
    ----------
    buffer
        Paragraphs, a newline after each, ``uint8``.
    tables
        :class:`newswinnow.features.tables.Tables`.
    plan
        64 less the bits of a row's number, shortest and longest character n-gram.
    scales
        Weight of each block; each of its features has it divided by the root of their number; shape (N_BLOCKS,).
    table
        Of :class:`newswinnow.features.weights.Lanes`.
    step
        Of the same.
    dense
        Weights of the surface features, ``float64``, shape (N_SURFACE, 3).
    bias
        ``float64``, shape (3,).
    scratch
        Of :func:`make_scratch`.
    out
        Receives logits, ``float64``, shape (n_paragraphs, 3).

    Returns
    -------
    Bytes read: fewer than there are where a paragraph holds a newline.
    """
    scan_ascii(buffer, scratch[0], scratch[1])
    at = 0
    for i in range(len(out)):
        at = featurise(buffer, at, tables, plan, scratch)
        out[i, 0], out[i, 1], out[i, 2] = _logits(scales, table, step, dense, bias, scratch)
    return at


@lean_entry
def read(
    buffer: Any,
    tables: Any,
    plan: Any,
    scales: Any,
    table: Any,
    step: Any,
    dense: Any,
    bias: Any,
    scratch: Any,
    out: Any,
    surface: Any,
    found: Any,
    n_found: Any,
    marks: Any,
) -> None:
    """What :func:`score` does, keeping what models of whole pages need.

    Parameters
    ----------
    buffer
        Paragraphs, a newline after each, ``uint8``.
    tables
        :class:`newswinnow.features.tables.Tables`.
    plan
        64 less the bits of a row's number, shortest and longest character n-gram.
    scales
        As for :func:`score`.
    table
        Of :class:`newswinnow.features.weights.Lanes`.
    step
        Of the same.
    dense
        As for :func:`score`.
    bias
        As for :func:`score`.
    scratch
        Of :func:`make_scratch`.
    out
        Receives logits, ``float64``, shape (n_paragraphs, 3).
    surface
        Receives the surface features, ``float32``, shape (n_paragraphs, N_SURFACE).
    found
        Receives the highest 32 bits of the tokens' hashes, ``uint32``.
    n_found
        Receives how many tokens each paragraph has, ``int64``, shape (n_paragraphs,).
    marks
        Receives the hashes that only like paragraphs share, ``uint64``, shape (n_paragraphs, 3).
    """
    tokens, ends, measured = scratch[4], scratch[8], scratch[9]
    scan_ascii(buffer, scratch[0], scratch[1])
    at, n_put = 0, 0
    for i in range(len(out)):
        at = featurise(buffer, at, tables, plan, scratch)
        out[i, 0], out[i, 1], out[i, 2] = _logits(scales, table, step, dense, bias, scratch)
        for k in range(N_SURFACE):
            surface[i, k] = measured[k]
        n_tokens = (ends[0] + 1) >> 1
        n_found[i] = n_tokens
        whole = opening = form = PRIME
        for k in range(n_tokens):
            value = tokens[0, k]
            found[n_put] = np.uint32(value >> _HIGH)
            n_put += 1
            whole = finish(whole ^ value)
            opening = whole if k < N_OPENING else opening
            form = finish(form ^ tokens[1, k]) if k < N_FORM else form
        marks[i, 0], marks[i, 1], marks[i, 2] = whole, opening, form


@lean_entry
def score_floats(
    buffer: Any, tables: Any, plan: Any, scales: Any, table: Any, dense: Any, bias: Any, scratch: Any, out: Any
) -> Any:
    """What :func:`score` does, for weights that are on no common grid.

    Parameters
    ----------
    buffer
        Paragraphs, a newline after each, ``uint8``.
    tables
        :class:`newswinnow.features.tables.Tables`.
    plan
        64 less the bits of a row's number, shortest and longest character n-gram.
    scales
        As for :func:`score`.
    table
        Weights of the rows, ``float32``, shape (2**bits, 3).
    dense
        As for :func:`score`.
    bias
        As for :func:`score`.
    scratch
        Of :func:`make_scratch`.
    out
        Receives logits, ``float64``, shape (n_paragraphs, 3).

    Returns
    -------
    As of :func:`score`.
    """
    rows, ends, measured = scratch[7], scratch[8], scratch[9]
    scan_ascii(buffer, scratch[0], scratch[1])
    at = 0
    for i in range(len(out)):
        at = featurise(buffer, at, tables, plan, scratch)
        x, y, z = bias[0], bias[1], bias[2]
        low = 0
        for block in range(N_BLOCKS):
            a = b = c = 0.0
            for j in range(low, ends[block]):
                row = np.uint64(rows[j])
                a, b, c = a + table[row, 0], b + table[row, 1], c + table[row, 2]
            scale = _scale(scales, block, ends[block] - low)
            x, y, z = x + scale * a, y + scale * b, z + scale * c
            low = ends[block]
        out[i, 0], out[i, 1], out[i, 2] = _add_surface(measured, dense, x, y, z)
    return at


@lean_entry
def softmax(logits: Any) -> None:
    """Logits made probabilities in place.

    Parameters
    ----------
    logits
        ``float64``, shape (n_paragraphs, 3).
    """
    for i in range(len(logits)):
        x, y, z = logits[i, 0], logits[i, 1], logits[i, 2]
        largest = max(x, y, z)
        x, y, z = np.exp(x - largest), np.exp(y - largest), np.exp(z - largest)
        total = x + y + z
        logits[i, 0], logits[i, 1], logits[i, 2] = x / total, y / total, z / total


@brief_entry
def best_of(logits: Any, codes: Any) -> None:
    """Which logit of each paragraph is the largest, of equal ones the first.

    Parameters
    ----------
    logits
        ``float64``, shape (n_paragraphs, 3).
    codes
        Receives the column, ``uint8``, shape (n_paragraphs,).
    """
    for i in range(len(logits)):
        x, y, z = logits[i, 0], logits[i, 1], logits[i, 2]
        codes[i] = (1 if y >= z else 2) if max(y, z) > x else 0


@inlined
def _add_vectors(table: Any, steps: Any, step_mask: Any, rows: Any, low: Any, high: Any, column: Any, total: Any) -> None:
    """Add the rows' vectors, CHUNK columns from ``column`` on, to the total: four at once, as additions wait for each other."""
    at = np.uint64(column)
    for j in range(low, high - 3, 4):
        p, q, r, s = np.uint64(rows[j]), np.uint64(rows[j + 1]), np.uint64(rows[j + 2]), np.uint64(rows[j + 3])
        a, b, c, d = steps[p & step_mask], steps[q & step_mask], steps[r & step_mask], steps[s & step_mask]
        for k in range(CHUNK):
            here = at + np.uint64(k)
            first = a * np.float32(table[p, here]) + b * np.float32(table[q, here])
            second = c * np.float32(table[r, here]) + d * np.float32(table[s, here])
            total[k] += first + second
    for j in range(high - (high - low) % 4, high):
        row = np.uint64(rows[j])
        step = steps[row & step_mask]
        for k in range(CHUNK):
            total[k] += step * np.float32(table[row, at + np.uint64(k)])


@lean_entry
def embed(
    buffer: Any, tables: Any, plan: Any, scales: Any, table: Any, steps: Any, scratch: Any, total: Any, out: Any, surface: Any
) -> None:
    """Per paragraph the scaled sum of its rows of an embedding table, and its surface features.

    Parameters
    ----------
    buffer
        Paragraphs, a newline after each, ``uint8``.
    tables
        :class:`newswinnow.features.tables.Tables`.
    plan
        64 less the bits of a row's number, shortest and longest character n-gram.
    scales
        As for :func:`score`.
    table
        ``float32`` or ``int8``, shape (n_rows, d), d a multiple of CHUNK.
    steps
        What each row's numbers are multiplied by, ``float32``, shape (n_rows,), or (1,) for one step for all.
    scratch
        Of :func:`make_scratch`.
    total
        Room for CHUNK sums, ``float32``.
    out
        Receives the sums, ``float32``, shape (n_paragraphs, d), d a multiple of CHUNK.
    surface
        Receives the surface features, ``float32``, shape (n_paragraphs, N_SURFACE).
    """
    rows, ends, measured = scratch[7], scratch[8], scratch[9]
    scan_ascii(buffer, scratch[0], scratch[1])
    at = 0
    step_mask = np.uint64(len(steps) - 1)
    for i in range(len(out)):
        at = featurise(buffer, at, tables, plan, scratch)
        for k in range(N_SURFACE):
            surface[i, k] = measured[k]
        for column in range(0, table.shape[1], CHUNK):
            low = 0
            for k in range(CHUNK):
                out[i, column + k] = 0
            for block in range(N_BLOCKS):
                total[:] = 0
                _add_vectors(table, steps, step_mask, rows, low, ends[block], column, total)
                scale = np.float32(_scale(scales, block, ends[block] - low))
                for k in range(CHUNK):
                    out[i, column + k] += scale * total[k]
                low = ends[block]


@lean_entry
def to_csr(
    buffer: Any,
    tables: Any,
    plan: Any,
    scales: Any,
    scratch: Any,
    indices: Any,
    values: Any,
    pointers: Any,
    surface: Any,
) -> None:
    """Features of many paragraphs as the arrays of a sparse matrix, duplicates not yet summed.

    Parameters
    ----------
    buffer
        Paragraphs, a newline after each, ``uint8``.
    tables
        :class:`newswinnow.features.tables.Tables`.
    plan
        64 less the bits of a row's number, shortest and longest character n-gram.
    scales
        As for :func:`score`.
    scratch
        Of :func:`make_scratch`.
    indices
        Receives column indices, ``int32``, long enough for all rows.
    values
        Receives values, ``float32``, as long.
    pointers
        Receives where each paragraph's rows begin, ``int64``, shape (n_paragraphs + 1,).
    surface
        Receives the surface features, ``float32``, shape (n_paragraphs, N_SURFACE).
    """
    rows, ends, measured = scratch[7], scratch[8], scratch[9]
    scan_ascii(buffer, scratch[0], scratch[1])
    at, n_put = 0, 0
    pointers[0] = 0
    for i in range(len(surface)):
        at = featurise(buffer, at, tables, plan, scratch)
        for k in range(N_SURFACE):
            surface[i, k] = measured[k]
        low = 0
        for block in range(N_BLOCKS):
            value = np.float32(_scale(scales, block, ends[block] - low))
            for j in range(low, ends[block]):
                indices[n_put], values[n_put] = rows[j], value
                n_put += 1
            low = ends[block]
        pointers[i + 1] = n_put
