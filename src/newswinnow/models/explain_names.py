"""What the features of a paragraph are called: the words, shapes and categories behind the rows that they are hashed to.

A name stands where :func:`newswinnow.features.plain.rows_of` gives its row. What a row weighs is left to
:mod:`newswinnow.models.explain_linear`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from newswinnow.features import characters as c
from newswinnow.features import definition as d
from newswinnow.features.plain import Reading
from newswinnow.features.words import IMPERATIVES, STOP_WORDS

_A: Final = 65
_SHOWN: Final = {c.LOWER: "x", c.UPPER: "X", c.DIGIT: "9"}
_RUN = re.compile(r"(.)\1+")
_KINDS: Final = {
    c.LOWER: "a small letter",
    c.UPPER: "a capital",
    c.DIGIT: "a digit",
    c.COMMA: "a comma or semicolon",
    c.QUOTE: "a quotation mark",
    c.OPENING_QUOTE: "an opening quotation mark",
    c.APOSTROPHE: "an apostrophe",
    c.COLON: "a colon",
    c.OPENING: "an opening bracket",
    c.CLOSING: "a closing bracket",
    c.STOP: "a full stop or the like",
    c.SEPARATOR: "a separator or dash",
    c.AT: "an at sign",
    c.RIGHTS: "a copyright sign",
    c.OTHER: "another sign",
}
BEGINNING, ENDING = "^", "$"
"""Stand in shapes for the beginning and the end of the paragraph's first 40 tokens."""


@dataclass(frozen=True)
class FeatureName:
    """A feature as a person would call it.

    Attributes
    ----------
    kind
        ``word``, ``word pair``, ``first words``, ``last words``, ``shape``, ``skeleton``, ``category`` or ``letters``.
    text
        The words, the shapes or the category.
    """

    kind: str
    text: str


def feature_names(reading: Reading, *, characters: d.CharacterNgrams) -> list[list[FeatureName]]:
    """Names of a paragraph's hashed features.

    Parameters
    ----------
    reading
        The paragraph.
    characters
        Which character n-grams are features.

    Returns
    -------
    A list for each block, words, edges, categories, characters: a name for every row of
    :func:`~newswinnow.features.plain.rows_of`, in its order.

    Examples
    --------
    >>> [name.text for name in feature_names(Reading("Share this"), characters=d.CharacterNgrams())[0]]
    ['share', 'this', 'share this']
    """
    grams = _character_names(reading, characters) if characters.longest else iter(())
    return [list(_word_names(reading)), list(_edge_names(reading)), list(_category_names(reading)), list(grams)]


def _word_names(reading: Reading) -> Iterator[FeatureName]:
    words = [text for _, text in reading.tokens[: d.MAX_TOKENS]]
    yield from (FeatureName("word", word) for word in words)
    yield from (FeatureName("word pair", f"{a} {b}") for a, b in pairwise(words))


def _shape(kinds: str, text: str) -> str:
    """``Council`` -> ``Xx``, ``BBC2`` -> ``X9``, a sign itself."""
    shown = [_SHOWN.get(ord(kind) - _A) for kind in kinds]
    return text if None in shown else _RUN.sub(r"\1", "".join(filter(None, shown)))


def _edge_names(reading: Reading) -> Iterator[FeatureName]:
    words = [text for _, text in reading.tokens[: d.MAX_TOKENS]]
    for n in range(1, min(3, len(words)) + 1):
        yield FeatureName("first words", " ".join(words[:n]))
        yield FeatureName("last words", " ".join(words[-n:]))
    edge = reading.tokens[: d.MAX_EDGE_TOKENS]
    shapes = [_shape(kinds, text) for kinds, text in edge]
    skeleton = [text if text in STOP_WORDS else shape for (_, text), shape in zip(edge, shapes, strict=True)]
    for kind, values, sizes in (("shape", shapes, (2, 3, 4)), ("skeleton", skeleton, (2, 3))):
        padded = [BEGINNING, *values, ENDING]
        for size in sizes:
            for i in range(len(padded) - size + 1):
                yield FeatureName(kind, " ".join(padded[i : i + size]))


def _between(value: float, edges: Sequence[float], *, unit: str = "") -> str:
    """Which of the ranges between edges a value lies in."""
    n = sum(value >= edge for edge in edges)
    if n == 0:
        return f"under {_number(edges[0], unit)}"
    if n == len(edges):
        return f"{_number(edges[-1], unit)} or more"
    return f"{_number(edges[n - 1], unit)} to under {_number(edges[n], unit)}"


def _number(value: float, unit: str) -> str:
    return f"{100 * value:g} %" if unit == "%" else f"{value:g}"


def _length(n_words: int) -> str:
    edges = d.LENGTH_EDGES
    n = sum(n_words >= edge for edge in edges)
    if n == 0:
        return "no words"
    if n == len(edges):
        return f"{edges[-1]} or more words"
    low, high = edges[n - 1], edges[n] - 1
    return f"{low} word{'s' * (low > 1)}" if low == high else f"{low}-{high} words"


def _first_word(reading: Reading) -> str:
    word = reading.words[0][1] if reading.words else ""
    roles = [name for name, words in (("a function word", STOP_WORDS), ("a button's verb", IMPERATIVES)) if word in words]
    return f"first word {' and '.join(roles) or 'neither function word nor button verb'}"


def _category_names(reading: Reading) -> Iterator[FeatureName]:
    length = _length(len(reading.words))
    kind = ord(reading.last) - _A if reading.last else None
    sign = f"“{reading.last_text[:1]}”" if kind in (c.STOP, c.COMMA) else _KINDS.get(kind or 0, "nothing")
    opening = _KINDS.get(ord(reading.kinds[0]) - _A, "nothing") if reading.kinds else "nothing"
    closes = "closes a sentence" if kind == c.STOP else "closes no sentence"
    n_ends = str(reading.n_ends) if reading.n_ends < 3 else "3 or more"
    for about in (
        "",
        f"ends with {sign}",
        f"opens with {opening}, sentence ends: {n_ends}",
        f"capitalised words: {_between(reading.capitalised_share, d.CAPITAL_EDGES, unit='%')}",
        f"function words: {_between(reading.stop_share, d.STOP_EDGES, unit='%')}",
        f"{_first_word(reading)}, opens with {opening}, {closes}",
    ):
        yield FeatureName("category", f"{length}, {about}" if about else length)


def _character_names(reading: Reading, grams: d.CharacterNgrams) -> Iterator[FeatureName]:
    n_left = d.MAX_CHARACTER_BYTES
    for _, text in reading.tokens[: d.MAX_TOKENS]:
        data = b" " + text.encode() + b" "
        n_left -= len(data)
        if n_left < 0:
            return
        for i in range(len(data)):
            for size in range(grams.shortest, min(grams.longest, len(data) - i) + 1):
                yield FeatureName("letters", _decoded(data[i : i + size]))


def _decoded(data: bytes) -> str:
    return data.decode(errors="backslashreplace")


def surface_name(name: str, value: float) -> FeatureName:
    """A surface feature with what it measures.

    Parameters
    ----------
    name
        One of :data:`~newswinnow.features.definition.SURFACE_NAMES`.
    value
        Its value.

    Returns
    -------
    Its name.

    Examples
    --------
    >>> surface_name("log_words", 2.302585)
    FeatureName(kind='surface', text='log_words = 2.30')
    """
    return FeatureName("surface", f"{name} = {_plain(value)}")


def _plain(value: Any) -> str:
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.2f}"
