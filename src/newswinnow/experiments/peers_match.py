"""How an extractor's text is held against a page's paragraphs and against the article's known body.

Which extractors there are is left to :mod:`newswinnow.experiments.peers_systems`.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

SHINGLE: Final = 4
"""Tokens in a shingle."""

MIN_SHARE: Final = 0.8
"""Of a paragraph's shingles that must stand in a text for the paragraph to have been kept."""

_TOKEN: Final = re.compile(r"\w+")

Shingle = tuple[str, ...]


def tokens_of(text: str) -> list[str]:
    """Words and numbers of a text without case, punctuation and typographic variants.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    The tokens in order.

    Examples
    --------
    >>> tokens_of("“It’s over”, said 22\u00a0MPs.")
    ['it', 's', 'over', 'said', '22', 'mps']
    """
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())


def _runs(tokens: Sequence[str], length: int) -> Iterator[Shingle]:
    return zip(*(tokens[i:] for i in range(length)), strict=False)


def _uncovered(tokens: Sequence[str], covering: set[Shingle]) -> Iterator[list[str]]:
    """The stretches of a text that no covering shingle touches."""
    is_free = [True] * len(tokens)
    for start, shingle in enumerate(_runs(tokens, SHINGLE)):
        if shingle in covering:
            is_free[start : start + SHINGLE] = [False] * SHINGLE
    stretch: list[str] = []
    for token, free in zip(tokens, is_free, strict=True):
        if free:
            stretch.append(token)
        elif stretch:
            yield stretch
            stretch = []
    if stretch:
        yield stretch


def kept_paragraphs(paragraphs: Sequence[str], extracted: str) -> list[bool]:
    """Which paragraphs of a page an extractor kept.

    Extractors cut and join lines in their own ways, so paragraphs are looked for among the tokens of the whole text. One of four
    tokens or more was kept if 80 % of its runs of four tokens stand there. A shorter one ("Share", "By Jane Okafor") was kept if
    all of it stands there in one run, beside the paragraphs that were kept: not as a part of one of them, so that "Share" is not
    found in "Share prices fell".

    Parameters
    ----------
    paragraphs
        All paragraphs of the page, shape (n_paragraphs,).
    extracted
        The extractor's text.

    Returns
    -------
    Shape (n_paragraphs,); equal paragraphs share one answer, and one without a letter or digit was never kept.

    Examples
    --------
    >>> kept_paragraphs(["Share", "Share prices fell on Monday.", "By Jo Abara"], "Share prices fell on Monday. By Jo Abara")
    [False, True, True]
    """
    text = tokens_of(extracted)
    there = set(_runs(text, SHINGLE))
    cut = [tokens_of(paragraph) for paragraph in paragraphs]
    shingles = [set(_runs(tokens, SHINGLE)) for tokens in cut]
    is_kept = [len(found & there) >= MIN_SHARE * len(found) if found else False for found in shingles]
    covering: set[Shingle] = set().union(*(found for found, kept in zip(shingles, is_kept, strict=True) if kept))
    beside = {run for stretch in _uncovered(text, covering) for n in range(1, SHINGLE) for run in _runs(stretch, n)}
    return [tuple(tokens) in beside if len(tokens) < SHINGLE else kept for tokens, kept in zip(cut, is_kept, strict=True)]


def _counted(texts: Iterable[str]) -> Counter[Shingle]:
    tokens = [token for text in texts for token in tokens_of(text)]
    return Counter(_runs(tokens, SHINGLE) if len(tokens) >= SHINGLE else [tuple(tokens)] if tokens else [])


def body_f1(extracted: str, body: str | Sequence[str]) -> float:
    """F1 of a text against an article's body, over runs of four tokens counted with their repetitions.

    The measure of the article extraction benchmark (github.com/scrapinghub/article-extraction-benchmark), page by page.

    Parameters
    ----------
    extracted
        The extractor's text.
    body
        The body, or its paragraphs; not empty.

    Returns
    -------
    Between 0 and 1; 0 where nothing was extracted.

    Examples
    --------
    >>> body_f1("one two three four five", ["one two three", "four five six"])
    0.8
    """
    found = _counted([extracted])
    wanted = _counted([body] if isinstance(body, str) else body)
    total = found.total() + wanted.total()
    return 2 * (found & wanted).total() / total if total else 0.0
