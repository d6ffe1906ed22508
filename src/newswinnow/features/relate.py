"""The compiled counting behind :mod:`newswinnow.features.relations`: one hash table a page, two passes over its tokens."""

from typing import Any, Final

import numpy as np

from newswinnow.features.jit import entry, inlined
from newswinnow.features.relations import COPIES, LOGARITHMS, RARITY_BITS, Rarity, add_token

_SHIFT: Final = np.uint32(32 - RARITY_BITS)
_EIGHT: Final = np.uint64(8)


def count(tokens: Any, pointers: Any, marks: Any, starts: Any, news: Any, rarity: Rarity, counted: Any) -> None:
    """Count what the paragraphs of every page share.

    Parameters
    ----------
    tokens
        Of :class:`newswinnow.features.paragraphs.Paragraphs`.
    pointers
        Of the same.
    marks
        Of the same.
    starts
        Index of each page's first paragraph, and last the number of paragraphs.
    news
        How much each paragraph counts as news.
    rarity
        What tokens weigh.
    counted
        Receives the counts, ``int64``, shape (n_paragraphs, N_COUNTED).
    """
    if len(starts) < 2:
        return
    n_slots = 4
    largest = max(int(np.diff(pointers[starts]).max()), int(np.diff(starts).max()))
    while n_slots < 2 * largest:
        n_slots *= 2
    _count_tokens(tokens, pointers, starts, news, rarity.steps, rarity.rare, LOGARITHMS, n_slots, counted)
    _count_marks(marks, starts, n_slots, counted)


@inlined
def _slot_of(value: Any, at: Any, keys: Any, owner: Any, number: Any, mask: Any) -> Any:
    """Where a value stands in the table that belongs to ``number``, or may be put; what other numbers left there is free."""
    slot = np.int64(at) & mask
    while owner[slot] == number and keys[slot] != value:
        slot = (slot + 1) & mask
    return slot


_add_token: Any = inlined(add_token)


@entry
def _count_tokens(
    tokens: Any, pointers: Any, starts: Any, news: Any, steps: Any, rare: Any, logarithms: Any, n_slots: Any, counted: Any
) -> None:
    keys, owner, last = np.empty(n_slots, np.uint32), np.full(n_slots, -1), np.empty(n_slots, np.int64)
    n_with, news_with = np.empty(n_slots, np.int64), np.empty(n_slots, np.int64)
    first = pointers[starts[0]]
    slots = np.empty(pointers[starts[-1]] - first, np.int64)
    for page in range(len(starts) - 1):
        for i in range(starts[page], starts[page + 1]):
            for j in range(pointers[i], pointers[i + 1]):
                slot = _slot_of(tokens[j], tokens[j], keys, owner, page, n_slots - 1)
                if owner[slot] != page:
                    owner[slot], keys[slot], last[slot], n_with[slot], news_with[slot] = page, tokens[j], -1, 0, 0
                is_new = last[slot] != i
                last[slot] = i
                n_with[slot] += is_new
                news_with[slot] += is_new * news[i]
                slots[j - first] = slot if is_new else -1
        for i in range(starts[page], starts[page + 1]):
            for j in range(pointers[i] - first, pointers[i + 1] - first):
                slot = slots[j]
                if slot >= 0:
                    weight = np.int64(steps[keys[slot] >> _SHIFT])
                    _add_token(counted[i], weight, n_with[slot] - 1, news_with[slot] - news[i], rare, logarithms)


@entry
def _count_marks(marks: Any, starts: Any, n_slots: Any, counted: Any) -> None:
    keys, owner, n_same = np.empty(n_slots, np.uint64), np.full(n_slots, -1), np.empty(n_slots, np.int64)
    number = 0
    for k in range(marks.shape[1]):
        for page in range(len(starts) - 1):
            number += 1
            for i in range(starts[page], starts[page + 1]):
                slot = _slot_of(marks[i, k], marks[i, k] >> _EIGHT, keys, owner, number, n_slots - 1)
                if owner[slot] != number:
                    owner[slot], keys[slot], n_same[slot] = number, marks[i, k], -1
                n_same[slot] += 1
            for i in range(starts[page], starts[page + 1]):
                slot = _slot_of(marks[i, k], marks[i, k] >> _EIGHT, keys, owner, number, n_slots - 1)
                counted[i, COPIES + k] = n_same[slot]
