"""The feature definition in plain Python: what the compiled kernel is tested against, and what scores a page at a cold start.

Importing numba and loading compiled code takes longer than reading a few hundred paragraphs this way (0.2 ms each). Long inputs
are left to :mod:`newswinnow.features.kernel`.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from newswinnow.features import characters as c
from newswinnow.features import definition as d
from newswinnow.features.characters import character_tables
from newswinnow.features.tables import encode, finish, hash_word, sets_of
from newswinnow.features.words import CALENDAR_WORDS, DURATION_WORDS, PRONOUNS, STOP_WORDS

if TYPE_CHECKING:
    from newswinnow.features.weights import LinearWeights

_FULL: Final = (1 << 64) - 1
_Real = TypeVar("_Real", np.float32, np.float64)


class _Lookup(dict[int, str]):
    """A table for ``str.translate`` that is filled as characters are met."""

    def __init__(self, find: Any) -> None:
        self._find = find

    def __missing__(self, code: int) -> str:
        self[code] = found = chr(self._find(code))
        return found


# A text's kinds as a string as long as the text: kind k is written as the character 65 + k.
_A: Final = 65
_KIND = _Lookup(lambda code: _A + character_tables().kind(code))
_FOLDED = _Lookup(lambda code: character_tables().folded(code))
_SPACE, _LOWER, _UPPER, _DIGIT, _STOP = (chr(_A + kind) for kind in (c.SPACE, c.LOWER, c.UPPER, c.DIGIT, c.STOP))
_TOKEN = re.compile(f"[{_LOWER}{_UPPER}{_DIGIT}]+|[^{_SPACE}]")
_WORD = frozenset((_LOWER, _UPPER, _DIGIT))
_CLOSINGS: Final = "".join(chr(_A + kind) for kind in (c.QUOTE, c.APOSTROPHE, c.CLOSING))
_ENDS = re.compile(f"{_STOP}[{_CLOSINGS}]*(?={_SPACE}|$)")
_GAP = re.compile(f"{_SPACE}+")
_CLASSES: Final = {_LOWER: 1, _UPPER: 2, _DIGIT: 4}


@lru_cache(maxsize=1 << 14)
def _hash(word: str) -> int:
    return hash_word(word)


@lru_cache(maxsize=1 << 10)
def _shape_hash(kinds: str) -> int:
    """Hash of a word's shape: kinds of its first and last character, which occur, whether a capital follows a small letter."""
    code = sum({_CLASSES[kind] for kind in kinds}) | _CLASSES[kinds[0]] << 3 | _CLASSES[kinds[-1]] << 6
    code |= (_LOWER + _UPPER in kinds) << 9
    return finish((code + 1) * d.PRIME & _FULL)


def _bucket(value: float, edges: Sequence[float]) -> int:
    return sum(value >= edge for edge in edges)


@dataclass(frozen=True)
class Reading:
    """One paragraph and what its features are made of.

    Attributes
    ----------
    text
        The paragraph.
    """

    text: str

    @cached_property
    def kinds(self) -> str:
        """Kind of each character, whitespace at the ends removed and every run of it one."""
        return _GAP.sub(_SPACE, self.text.translate(_KIND).strip(_SPACE))

    @cached_property
    def tokens(self) -> list[tuple[str, str]]:
        """Kinds and folded text of every token; single characters are left unfolded."""
        kinds = self.text.translate(_KIND)
        folded = self.text.translate(_FOLDED)
        return [(match.group(), folded[match.start() : match.end()]) for match in _TOKEN.finditer(kinds)]

    @cached_property
    def words(self) -> list[tuple[str, str]]:
        """Those of the tokens that are words."""
        return [token for token in self.tokens if token[0][0] in _WORD]

    @cached_property
    def hashes(self) -> list[int]:
        """Hash of each token that gives features."""
        return [_hash(text) for _, text in self.tokens[: d.MAX_TOKENS]]

    @cached_property
    def shapes(self) -> list[int]:
        """Hash of each token's shape, of those at the edge."""
        edge = zip(self.tokens[: d.MAX_EDGE_TOKENS], self.hashes, strict=False)
        return [_shape_hash(kinds) if kinds[0] in _WORD else value for (kinds, _), value in edge]

    @cached_property
    def skeletons(self) -> list[int]:
        """The shapes, but function words themselves."""
        edge = zip(self.tokens[: d.MAX_EDGE_TOKENS], self.hashes, self.shapes, strict=False)
        return [value if text in STOP_WORDS else shape for (_, text), value, shape in edge]

    @cached_property
    def n_ends(self) -> int:
        """Number of sentence ends."""
        return len(_ENDS.findall(self.kinds))

    @cached_property
    def last(self) -> str:
        """Kind of the last character that closes no quote or bracket; empty where there is none."""
        return self.kinds.replace(_SPACE, "").rstrip(_CLOSINGS)[-1:]

    @cached_property
    def last_text(self) -> str:
        """The last single character that closes no quote or bracket; empty where there is none."""
        singles = (text for kinds, text in reversed(self.tokens) if kinds[0] not in _WORD and kinds not in _CLOSINGS)
        return next(singles, "")

    @cached_property
    def capitalised_share(self) -> float:
        """Share of the words beyond the first that begin with a capital."""
        return sum(kinds[0] == _UPPER for kinds, _ in self.words[1:]) / max(len(self.words) - 1, 1)

    @cached_property
    def stop_share(self) -> float:
        """Share of the words that are function words."""
        return sum(text in STOP_WORDS for _, text in self.words) / max(len(self.words), 1)

    @cached_property
    def first_sets(self) -> int:
        """Word sets that the first word is in."""
        return sets_of(self.words[0][1]) if self.words else 0


def _word_rows(reading: Reading) -> Iterator[int]:
    yield from reading.hashes
    for a, b in pairwise(reading.hashes):
        yield a * d.PAIR + b


def _chain(values: list[int], multiplier: int) -> int:
    """Sum of values, each times a power of the multiplier, the last one's the zeroth."""
    total = 0
    for value in values:
        total = total * multiplier + value & _FULL
    return total


def _edge_rows(reading: Reading) -> Iterator[int]:
    hashes = reading.hashes
    for n in range(1, min(3, len(hashes)) + 1):
        yield _chain([d.BEGIN + hashes[0], *hashes[1:n], 0], d.FIRST)
        yield _chain([d.END + hashes[-1], *hashes[-2 : -n - 1 : -1], 0], d.LAST)
    for values, multiplier, sizes in ((reading.shapes, d.SHAPE, (2, 3, 4)), (reading.skeletons, d.SKELETON, (2, 3))):
        padded = [d.BEGIN, *values, d.END]
        for size in sizes:
            for i in range(len(padded) - size + 1):
                yield _chain(padded[i : i + size], multiplier)


def _category_rows(reading: Reading) -> Iterator[int]:
    length = _bucket(len(reading.words), d.LENGTH_EDGES)
    last = ord(reading.last) - _A + 1 if reading.last else 0
    first = ord(reading.kinds[0]) - _A + 1 if reading.kinds else 0
    closes = last == c.STOP + 1
    crossed = (
        0,
        reading.last_text.encode()[0] if closes or last == c.COMMA + 1 else 256 + last,
        first * 4 + min(reading.n_ends, 3),
        _bucket(reading.capitalised_share, d.CAPITAL_EDGES),
        _bucket(reading.stop_share, d.STOP_EDGES),
        ((reading.first_sets & 3) * 32 + first) * 2 + closes,
    )
    for k, value in enumerate(crossed):
        yield finish(((k << 12 | value) << 4 | length) * d.PRIME & _FULL)


def _character_rows(reading: Reading, grams: d.CharacterNgrams) -> Iterator[int]:
    n_left = d.MAX_CHARACTER_BYTES
    for _, text in reading.tokens[: d.MAX_TOKENS]:
        data = b" " + text.encode() + b" "
        n_left -= len(data)
        if n_left < 0:
            return
        for i in range(len(data)):
            for size in range(grams.shortest, min(grams.longest, len(data) - i) + 1):
                gram = int.from_bytes(data[i : i + size], "little")
                yield finish((gram ^ d.CHARACTER) * d.PRIME & _FULL)


def rows_of(reading: Reading, *, bits: int, characters: d.CharacterNgrams) -> list[list[int]]:
    """Rows of a paragraph's features.

    Parameters
    ----------
    reading
        The paragraph.
    bits
        Binary logarithm of the number of rows.
    characters
        Which character n-grams are features.

    Returns
    -------
    A list for each block: words, edges, categories, characters.
    """
    grams = _character_rows(reading, characters) if characters.longest else iter(())
    blocks = _word_rows(reading), _edge_rows(reading), _category_rows(reading), grams
    return [[(value & _FULL) >> 64 - bits for value in block] for block in blocks]


def surface_of(reading: Reading) -> list[float]:
    """Surface features of a paragraph.

    Parameters
    ----------
    reading
        The paragraph.

    Returns
    -------
    Values in the order of :data:`newswinnow.features.definition.SURFACE_NAMES`.
    """
    log = math.log1p
    count = reading.kinds.count
    n = {kind: count(chr(_A + kind)) for kind in range(c.N_KINDS)}
    words, n_words, n_chars = reading.words, len(reading.words), len(reading.kinds)
    per_char, per_word = 1 / max(n_chars, 1), 1 / max(n_words, 1)
    n_word_chars = n[c.LOWER] + n[c.UPPER] + n[c.DIGIT]
    n_quotes, ends = n[c.QUOTE] + n[c.OPENING_QUOTE], max(reading.n_ends, 1)
    first = ord(reading.kinds[0]) - _A if reading.kinds else -1
    last, closes = reading.last, reading.last == _STOP
    n_others = len(reading.text) - sum(ch.isascii() or _KIND[ord(ch)] == _SPACE for ch in reading.text)
    return [
        *(log(n_chars), log(n_words), n_word_chars * per_word, log(reading.n_ends), log(n_words + ends - 1) - log(ends - 1)),
        *(closes, n_quotes > 0, last == chr(_A + c.COLON), closes and reading.last_text == "?"),
        closes and reading.last_text == "…",
        *(first in (c.QUOTE, c.OPENING_QUOTE, c.APOSTROPHE), first == c.LOWER, first == c.DIGIT),
        *(log(n[c.COMMA]), log(n_quotes), log(n[c.APOSTROPHE]), log(n[c.COLON]), log(n[c.OPENING] + n[c.CLOSING])),
        *(n[c.SEPARATOR] * per_char, n[c.DIGIT] * per_char, n[c.UPPER] * per_char),
        *((n_chars - n_word_chars - n[c.SPACE]) * per_char, n_others * per_char, reading.capitalised_share),
        sum(len(kinds) > 1 and kinds == _UPPER * len(kinds) for kinds, _ in words) * per_word,
        sum(len(kinds) >= d.LONG_WORD_CHARS for kinds, _ in words) * per_word,
        sum(kinds[0] == _DIGIT for kinds, _ in words) * per_word,
        sum(_LOWER + _UPPER in kinds for kinds, _ in words) * per_word,
        sum(text in STOP_WORDS for _, text in words) * per_word,
        sum(text in PRONOUNS for _, text in words) * per_word,
        sum(len(text) >= 4 and text.endswith("ed") for _, text in words) * per_word,
        *(reading.first_sets & 1, reading.first_sets >> 1 & 1),
        log(sum(text in DURATION_WORDS for _, text in words)),
        log(sum(text in CALENDAR_WORDS for _, text in words)),
        *(n[c.AT] > 0, n[c.RIGHTS] > 0, _is_doubled(reading.hashes)),
    ]


def _is_doubled(hashes: list[int]) -> bool:
    half = len(hashes) // 2
    return half > 0 and 2 * half == len(hashes) < d.MAX_TOKENS and hashes[:half] == hashes[half:]


def reading_of(text: str) -> Reading:
    """A paragraph to be read.

    Parameters
    ----------
    text
        The paragraph.

    Returns
    -------
    Its reading, of which nothing is worked out before it is asked for.

    Raises
    ------
    ValueError
        If the text holds a lone surrogate, which no UTF-8 can hold.
    """
    encode(text)
    return Reading(text)


def logits(texts: Sequence[str], weights: "LinearWeights") -> npt.NDArray[np.float64]:
    """Logits of texts.

    Parameters
    ----------
    texts
        The paragraphs.
    weights
        The model.

    Returns
    -------
    Shape (n_paragraphs, 3).

    Raises
    ------
    ValueError
        If a text holds a lone surrogate, which no UTF-8 can hold.
    """
    return logits_of(map(reading_of, texts), weights)


def logits_of(readings: Iterable[Reading], weights: "LinearWeights") -> npt.NDArray[np.float64]:
    """Logits of paragraphs.

    Parameters
    ----------
    readings
        The paragraphs.
    weights
        The model.

    Returns
    -------
    Shape (n_paragraphs, 3).
    """
    bits = len(weights.hashed).bit_length() - 1
    dense, bias = weights.dense_table, weights.bias.astype(np.float64)
    found = []
    for reading in readings:
        total = bias.copy()
        blocks = rows_of(reading, bits=bits, characters=weights.characters)
        for rows, scale in zip(blocks, weights.scales, strict=False):
            if rows:
                total += scale / math.sqrt(len(rows)) * weights.hashed[rows].sum(axis=0, dtype=np.float64)
        surface = np.array(surface_of(reading), dtype=np.float32).astype(np.float64)
        found.append(total + surface @ dense)
    return np.array(found).reshape(-1, len(bias))


def softmax(logits: npt.NDArray[_Real]) -> npt.NDArray[_Real]:
    """Probabilities from logits, row by row.

    Parameters
    ----------
    logits
        Shape (n_paragraphs, n_labels).

    Returns
    -------
    Same shape and dtype, rows summing to 1.
    """
    # Column by column: numpy's own reduction of rows takes five times as long for rows as short as these.
    powers = np.exp(logits - reduce(np.maximum, logits.T)[:, None])
    probabilities: npt.NDArray[_Real] = powers / reduce(np.add, powers.T)[:, None]
    return probabilities
