"""How alike paragraphs are, and which of many are like a given one: MinHash proposes, exact comparison decides.

Sketches and buckets are rensa's (the ``clean`` extra); what is done about duplicates is left to :mod:`newswinnow.corpus.dedup`.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, pairwise
from typing import Any, Final

import numpy as np

from newswinnow.paragraphs.table import IntArray

# experiments/019-near-duplicates: of 4,061 pairs at 0.7 among 70,515 paragraphs, rensa misses none, in 2.2 s, datasketch takes
# 40.7 s with as many bands. Half as many would do at 0.7 and save 1 s, but miss 16 pairs at 0.6, where these miss none.
_BANDS: Final = 64
_ROWS: Final = 4
_LOOKUP_THRESHOLD: Final = 0.5
_CHUNK: Final = 4096
_CACHED_SETS: Final = 1 << 15
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class DuplicateRule:
    """When two paragraphs are duplicates.

    Attributes
    ----------
    threshold
        From this similarity on (see :func:`similarity`) two long paragraphs are near duplicates; 0.5 to 1.
    min_words
        Paragraphs of fewer words, such as menu entries, are duplicates only where they are equal but for case and width.
    seed
        Seed of the sketches.
    """

    threshold: float = 0.7
    min_words: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0.5 <= self.threshold <= 1:
            raise ValueError(f"threshold: must be from 0.5 to 1; got {self.threshold}")
        if self.min_words < 1:
            raise ValueError(f"min_words: must be >= 1; got {self.min_words}")
        if self.seed < 0:
            raise ValueError(f"seed: must be >= 0; got {self.seed}")

    def is_long(self, text: str) -> bool:
        """Whether a paragraph has enough words for near duplicates."""
        return len(words_of(text)) >= self.min_words


def words_of(text: str) -> list[str]:
    """The words that duplicates are judged by: case, width, punctuation and spacing do not count.

    Parameters
    ----------
    text
        A paragraph.

    Returns
    -------
    Its words in order.

    Examples
    --------
    >>> words_of("“We’re ﬁne,” SAID Ada.")
    ['we', 're', 'fine', 'said', 'ada']
    """
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def _tokens(words: Sequence[str]) -> list[str]:
    return [*words, *(f"{first} {second}" for first, second in pairwise(words))]


def _jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    n_common = len(first & second)
    n_all = len(first) + len(second) - n_common
    return n_common / n_all if n_all else 1.0


def similarity(first: str, second: str) -> float:
    """How alike two paragraphs are: Jaccard index of their sets of words and pairs of neighbouring words.

    Parameters
    ----------
    first
        A paragraph.
    second
        Another.

    Returns
    -------
    0 to 1; 1 for two paragraphs without any word.

    Examples
    --------
    >>> similarity("A bridge opened on Monday.", "A bridge opened on Friday.")
    0.6363636363636364
    """
    return _jaccard(frozenset(_tokens(words_of(first))), frozenset(_tokens(words_of(second))))


def normalised(text: str, *, min_words: int) -> tuple[str, bool]:
    """What two paragraphs must share to be the same, and whether they are long enough for near duplicates.

    Parameters
    ----------
    text
        A paragraph.
    min_words
        Words of a long one.

    Returns
    -------
    The words of a long paragraph, of a short one the whole line, case and width levelled; True for a long one.
    """
    words = words_of(text)
    if len(words) >= min_words:
        return " ".join(words), True
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()), False


class SimilarityIndex:
    """Finds paragraphs like a given one among those added.

    Parameters
    ----------
    seed
        Seed of the sketches.

    Raises
    ------
    ModuleNotFoundError
        If rensa is not installed.
    """

    def __init__(self, *, seed: int = 0) -> None:
        try:
            import rensa
        except ImportError as error:
            raise ModuleNotFoundError(
                "duplicates: near duplicates need rensa; got no such package (pip install 'newswinnow[clean]')"
            ) from error
        self._sketch: Callable[[list[list[str]]], list[Any]] = lambda lists: rensa.RMinHash.from_token_sets(
            lists, _BANDS * _ROWS, seed
        )
        # The threshold serves rensa's own comparison of sketches, which is not used: candidates are compared exactly.
        self._buckets = rensa.RMinHashLSH(0.5, _BANDS * _ROWS, _BANDS)
        self._size = 0

    def add_and_query(self, token_lists: Iterator[list[str]]) -> Iterator[tuple[int, list[int]]]:
        """Add paragraphs one by one.

        Parameters
        ----------
        token_lists
            Tokens of each.

        Yields
        ------
        The paragraph's number and those of earlier ones that may be like it, in order.
        """
        while chunk := list(islice(token_lists, _CHUNK)):
            for sketch in self._sketch(chunk):
                yield self._size, sorted(self._buckets.query(sketch))
                self._buckets.insert(self._size, sketch)
                self._size += 1

    def add(self, token_lists: Iterator[list[str]]) -> None:
        """Add paragraphs.

        Parameters
        ----------
        token_lists
            Tokens of each.
        """
        while chunk := list(islice(token_lists, _CHUNK)):
            self._buckets.insert_many(self._sketch(chunk), self._size)
            self._size += len(chunk)

    def query(self, token_lists: Iterator[list[str]]) -> Iterator[list[int]]:
        """Look paragraphs up without adding them.

        Parameters
        ----------
        token_lists
            Tokens of each.

        Yields
        ------
        Numbers of those that may be like it, in order.
        """
        while chunk := list(islice(token_lists, _CHUNK)):
            yield from (sorted(found) for found in self._buckets.query_all(self._sketch(chunk)))


def _find(parents: list[int], i: int) -> int:
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


def link_similar(keys: Sequence[str], tokens: Callable[[str], list[str]], *, threshold: float, seed: int) -> list[int]:
    """Cluster token sets; pairs that others connect already are not compared again.

    Parameters
    ----------
    keys
        Names of the sets, shape (n_keys,).
    tokens
        Gives the set of a name.
    threshold
        From this Jaccard index on two sets are linked.
    seed
        Seed of the sketches.

    Returns
    -------
    Index of the earliest member of each key's cluster, shape (n_keys,).

    Raises
    ------
    ModuleNotFoundError
        If rensa is not installed.
    """
    index, parents = SimilarityIndex(seed=seed), list(range(len(keys)))
    token_set = lru_cache(maxsize=_CACHED_SETS)(lambda i: frozenset(tokens(keys[i])))
    for i, candidates in index.add_and_query(tokens(key) for key in keys):
        for j in candidates:
            a, b = _find(parents, i), _find(parents, j)
            if a != b and _jaccard(token_set(i), token_set(j)) >= threshold:
                parents[max(a, b)] = min(a, b)
    return [_find(parents, i) for i in range(len(keys))]


def tokens_of_key(key: str) -> list[str]:
    """What a long paragraph is compared by.

    Parameters
    ----------
    key
        Its words, as :func:`normalised` gives them.

    Returns
    -------
    Words and pairs of neighbouring words.
    """
    return _tokens(key.split(" "))


def nearest(texts: Sequence[str], references: Sequence[str], rule: DuplicateRule | None = None) -> IntArray:
    """The most similar reference of every text.

    Parameters
    ----------
    texts
        Paragraphs to look up, shape (n_texts,).
    references
        Paragraphs to look among, shape (n_references,).
    rule
        Says which lines are short: those match only what is equal but for case and width. Its threshold does not count here.

    Returns
    -------
    Row numbers of references, shape (n_texts,); the first of equally similar ones, -1 where nothing reaches a similarity of 0.5.

    Raises
    ------
    ModuleNotFoundError
        If rensa is not installed.

    Examples
    --------
    >>> mayor = "The mayor opened the new bridge over the river on Monday morning"
    >>> nearest(["Menu", mayor + ", at last."], ["Share", mayor]).tolist()
    [-1, 1]
    """
    rule = rule or DuplicateRule()
    first_row: dict[str, int] = {}
    long_keys: dict[str, None] = {}
    for row, text in enumerate(references):
        key, is_long = normalised(text, min_words=rule.min_words)
        first_row.setdefault(key, row)
        if is_long:
            long_keys.setdefault(key)
    asked = [normalised(text, min_words=rule.min_words) for text in texts]
    similar = _nearest_keys(
        dict.fromkeys(key for key, is_long in asked if is_long and key not in first_row),
        list(long_keys),
        seed=rule.seed,
    )
    return np.array([first_row.get(similar.get(key, key), -1) for key, _ in asked], dtype=np.int64)


def _nearest_keys(keys: Iterable[str], references: Sequence[str], *, seed: int) -> dict[str, str]:
    """Key to the reference most similar to it; keys without one are left out."""
    keys = list(keys)
    index = SimilarityIndex(seed=seed)
    index.add(tokens_of_key(key) for key in references)
    reference_set = lru_cache(maxsize=_CACHED_SETS)(lambda i: frozenset(tokens_of_key(references[i])))
    found = {}
    for key, candidates in zip(keys, index.query(tokens_of_key(key) for key in keys), strict=True):
        tokens = frozenset(tokens_of_key(key))
        best, i = max(((_jaccard(tokens, reference_set(j)), -j) for j in candidates), default=(0.0, 0))
        if best >= _LOOKUP_THRESHOLD:
            found[key] = references[-i]
    return found
