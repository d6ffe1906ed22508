"""How each paragraph stands to the others of its page: which of its words, and which of its beginnings, they have too.

What a page tells apart from its order: a headline shares rare words with the article below it, a teaser of another story does
not, and menus repeat themselves. Everything is counted in whole numbers, so the order of rows makes no difference at all. Reading
texts is left to :mod:`newswinnow.features.paragraphs`, the compiled counting to :mod:`newswinnow.features.relate`.
"""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from newswinnow.features.paragraphs import Paragraphs, is_compiled

RELATION_NAMES: Final = tuple(
    """shared_share news_share much_news_share log_shared rare_news_share log_rare log_rare_alone log_copies log_openings
    log_forms""".split()
)
"""Columns of :func:`relations`. Shares are of a paragraph's different tokens, each weighing as much as it is rare: those that
other paragraphs have (1), that probable news has (2), that much of it has (3); mean logarithm of how many others have each (4).
Of its rare tokens: the share that probable news has (5), how many there are (6), and how many of them no probable news has (7).
Paragraphs with the same tokens (8), the same first two (9), the same first four shapes (10)."""

N_RELATIONS: Final = len(RELATION_NAMES)
RARITY_BITS: Final = 16
"""Tokens are told apart by their hash's highest 32 bits, their rarity is looked up by its highest 16."""

RARITY_STEPS: Final = 32
"""Steps to a unit of inverse document frequency."""

NEWS_ONE: Final = 256
"""What a paragraph that is surely news counts; probabilities are counted in 256ths of it."""

MUCH_NEWS: Final = 3 * NEWS_ONE
FEW_NEWS: Final = 77
"""Less than 0.3 of a paragraph of news has a token: none has it."""

SHORT_NEWS: Final = 15
"""Shorter paragraphs count as news by so many words less."""

MAX_OTHERS: Final = 255
LOGARITHM_STEPS: Final = 256
LOGARITHMS: Final = np.array([round(LOGARITHM_STEPS * math.log1p(n)) for n in range(MAX_OTHERS + 1)], dtype=np.int64)

# Columns of what is counted.
WEIGHT, SHARED, NEWS, MUCH, OTHERS, RARE, RARE_NEWS, RARE_ALONE, COPIES, OPENINGS, FORMS = range(11)
N_COUNTED: Final = 11


@dataclass(frozen=True)
class Rarity:
    """How rare tokens are in a corpus.

    Attributes
    ----------
    steps
        Inverse document frequency over pages by the highest 16 bits of a token's hash, in 32nds, ``uint8``, shape (65536,).
    rare
        From so many steps on a token is rare.
    """

    steps: npt.NDArray[np.uint8]
    rare: int

    @classmethod
    def of(cls, paragraphs: Paragraphs, starts: npt.NDArray[np.int64]) -> "Rarity":
        """Rarity in the pages of a corpus.

        Parameters
        ----------
        paragraphs
            Read paragraphs, those of a page next to each other.
        starts
            Index of each page's first paragraph, and last the number of paragraphs, shape (n_pages + 1,).

        Returns
        -------
        The rarity; rare are the rarer two fifths of all running tokens.
        """
        n_pages = len(starts) - 1
        words = (paragraphs.tokens >> np.uint32(32 - RARITY_BITS)).astype(np.int64)
        page_of_token = np.repeat(np.arange(n_pages), np.diff(paragraphs.pointers[starts]))
        found = np.unique(page_of_token << RARITY_BITS | words)
        n_with = np.bincount(found & ((1 << RARITY_BITS) - 1), minlength=1 << RARITY_BITS)
        frequency = np.log((1 + n_pages) / (1 + n_with))
        steps = np.rint(RARITY_STEPS * np.minimum(frequency, math.log(max(n_pages / 3, 1)))).clip(0, 255).astype(np.uint8)
        rare = int(np.quantile(steps[words], 0.6)) if len(words) else 0
        return cls(steps, max(rare, 1))


def news_counts(probability: npt.NDArray[np.float64], n_words: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """How much each paragraph counts as news in :func:`relations`.

    Parameters
    ----------
    probability
        Of news, shape (n_paragraphs,).
    n_words
        Words of each.

    Returns
    -------
    0 to 256.
    """
    return np.rint(probability * np.minimum(1, n_words / SHORT_NEWS) * NEWS_ONE).astype(np.int64)


def relations(
    paragraphs: Paragraphs, starts: npt.NDArray[np.int64], news: npt.NDArray[np.int64], rarity: Rarity
) -> npt.NDArray[np.float64]:
    """How each paragraph stands to the others of its page.

    Parameters
    ----------
    paragraphs
        Read paragraphs, those of a page next to each other.
    starts
        Index of each page's first paragraph, and last the number of paragraphs, shape (n_pages + 1,).
    news
        Of :func:`news_counts`.
    rarity
        What tokens weigh.

    Returns
    -------
    Shape (n_paragraphs, 10), columns as in :data:`RELATION_NAMES`; whatever the order of a page's paragraphs, the same for each.
    """
    counted = np.zeros((len(news), N_COUNTED), dtype=np.int64)
    if is_compiled():
        from newswinnow.features import relate

        relate.count(paragraphs.tokens, paragraphs.pointers, paragraphs.marks, starts, news, rarity, counted)
    else:
        for begin, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
            _count(paragraphs, begin, end, news.tolist(), rarity, counted)
    return _measured(counted.astype(np.float64))


def _measured(counted: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    weight = np.maximum(counted[:, WEIGHT], 1)
    columns = (
        counted[:, SHARED] / weight,
        counted[:, NEWS] / (NEWS_ONE * weight),
        counted[:, MUCH] / (MUCH_NEWS * weight),
        counted[:, OTHERS] / (LOGARITHM_STEPS * weight),
        counted[:, RARE_NEWS] / (NEWS_ONE * (counted[:, RARE] + 0.5)),
        *(np.log1p(counted[:, column]) for column in (RARE, RARE_ALONE, COPIES, OPENINGS, FORMS)),
    )
    return np.stack(columns, axis=1)


def _count(paragraphs: Paragraphs, begin: int, end: int, news: list[int], rarity: Rarity, counted: npt.NDArray[np.int64]) -> None:
    """One page in plain Python: what :func:`newswinnow.features.relate.count` does."""
    pointers = paragraphs.pointers
    words = [set(paragraphs.tokens[pointers[i] : pointers[i + 1]].tolist()) for i in range(begin, end)]
    n_with, news_with = Counter[int](), Counter[int]()
    for i, own in enumerate(words, start=begin):
        n_with.update(own)
        news_with.update(dict.fromkeys(own, news[i]))
    for i, own in enumerate(words, start=begin):
        row = counted[i]
        for token in own:
            weight = int(rarity.steps[token >> (32 - RARITY_BITS)])
            add_token(row, weight, n_with[token] - 1, news_with[token] - news[i], rarity.rare, LOGARITHMS)
    for k in range(paragraphs.marks.shape[1]):
        marks = paragraphs.marks[begin:end, k].tolist()
        n_same = Counter(marks)
        counted[begin:end, COPIES + k] = [n_same[mark] - 1 for mark in marks]


def add_token(
    row: npt.NDArray[np.int64], weight: int, others: int, news: int, rare: int, logarithms: npt.NDArray[np.int64]
) -> None:
    """Count one token of a paragraph; :mod:`newswinnow.features.relate` compiles it.

    Parameters
    ----------
    row
        Counts of the paragraph, shape (N_COUNTED,).
    weight
        Steps of the token's rarity.
    others
        How many other paragraphs have it.
    news
        How much other news has it.
    rare
        From so many steps on a token is rare.
    logarithms
        :data:`LOGARITHMS`.
    """
    row[WEIGHT] += weight
    row[SHARED] += weight * (others > 0)
    row[NEWS] += weight * min(NEWS_ONE, news)
    row[MUCH] += weight * min(MUCH_NEWS, news)
    row[OTHERS] += weight * logarithms[min(others, MAX_OTHERS)]
    is_rare = weight >= rare
    row[RARE] += is_rare
    row[RARE_NEWS] += is_rare * min(NEWS_ONE, news)
    row[RARE_ALONE] += is_rare & (news < FEW_NEWS)
