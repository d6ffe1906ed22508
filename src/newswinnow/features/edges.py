"""Edge tokens: a paragraph's first and last words, the shapes of its words, and its function-word skeleton.

They say how a line begins, ends and is cased, which n-grams without position cannot; weighting them is left to the vectoriser.
"""

import re
from collections.abc import Iterator
from typing import Final

from newswinnow.features.words import STOP_WORDS

_TOKEN = re.compile(r"\w+|[^\w\s]")
_RUN = re.compile(r"(.)\1+")
_MAX_SHAPES: Final = 40


def _shape(token: str) -> str:
    """``Council`` -> ``Xx``, ``BBC2`` -> ``X9``: letters by case, digits as 9, runs cut to one."""
    kinds = "".join("9" if c.isdigit() else "X" if c.isupper() else "x" if c.isalpha() else c for c in token)
    return _RUN.sub(r"\1", kinds)


def _ngrams(tokens: list[str], sizes: range, prefix: str) -> Iterator[str]:
    padded = ["^", *tokens, "$"]
    for size in sizes:
        for i in range(len(padded) - size + 1):
            yield prefix + " ".join(padded[i : i + size])


def edge_tokens(text: str) -> list[str]:
    """Tokens of one text for a bag-of-tokens vectoriser.

    Parameters
    ----------
    text
        The paragraph.

    Returns
    -------
    First and last 1-3 words (``F``, ``L``), word-shape 2-4-grams (``S``) and function-word skeleton 2-3-grams (``K``) of the
    first 40 tokens.

    Examples
    --------
    >>> edge_tokens("Share this")[:4]
    ['Fshare', 'Lthis', 'Fshare this', 'Lshare this']
    """
    words = _TOKEN.findall(text)
    lowered = [word.lower() for word in words]
    shapes = list(map(_shape, words[:_MAX_SHAPES]))
    skeleton = [low if low in STOP_WORDS else shape for low, shape in zip(lowered, shapes, strict=False)]
    tokens: list[str] = []
    for n in range(1, min(3, len(words)) + 1):
        tokens += ["F" + " ".join(lowered[:n]), "L" + " ".join(lowered[-n:])]
    tokens += _ngrams(shapes, range(2, 5), "S")
    tokens += _ngrams(skeleton, range(2, 4), "K")
    return tokens
