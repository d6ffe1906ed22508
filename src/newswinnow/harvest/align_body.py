"""Which paragraphs of a page stand in a known article body, told by word n-grams, by exact lines and by their order.

Paragraphs that are the article's without standing in the body (headline, captions) and all that is not the article's are left to
:mod:`newswinnow.harvest.align`.
"""

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Final

from newswinnow.harvest.structure import NO_NODE, StructuredPage

N_GRAM: Final = 4
MIN_COVER: Final = 0.7
MIN_ANCHOR_WORDS: Final = 8
_CONTAINER_SHARE: Final = 0.85
_EDGE_BLOCKS: Final = 12
_MAX_HITS: Final = 4
_WORD = re.compile(r"[^\W_]+")
_APOSTROPHES = re.compile("['\u2019\u2018\u00ad\u200b]")

Words = tuple[str, ...]


@lru_cache(maxsize=1 << 12)
def words_of(text: str) -> Words:
    """Lower-case words of a text, free of punctuation.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    The words in order; apostrophes do not cut a word.

    Examples
    --------
    >>> words_of("The bridge's opening – at 9.30")
    ('the', 'bridges', 'opening', 'at', '9', '30')
    """
    return tuple(_WORD.findall(_APOSTROPHES.sub("", text.lower())))


@dataclass(frozen=True)
class BodyPlace:
    """How a paragraph stands to the body.

    Attributes
    ----------
    cover
        Share of its words that lie in word 4-grams of the body; 0 where it has fewer than four words.
    is_line
        Whether it equals a line of the body.
    is_placed
        Whether its words stand together in the stretch of the body between its neighbours on the page.
    is_anchor
        Whether it is long, covered, and in the body's order.
    is_between
        Whether it lies between the first and the last anchor.
    gap_words
        Words of the body between the anchors around it that no paragraph has taken; 0 where the neighbours follow each other.
    n_blocks_away
        Blocks to the nearest anchor; 0 for an anchor itself, a large number where there is none.
    """

    cover: float
    is_line: bool
    is_placed: bool
    is_anchor: bool
    is_between: bool
    gap_words: int
    n_blocks_away: int

    @property
    def is_member(self) -> bool:
        """Whether the paragraph stands in the body where the page's order puts it."""
        return self.is_anchor or self.is_placed


@dataclass(frozen=True)
class BodyMatch:
    """The body found on a page.

    Attributes
    ----------
    places
        Per paragraph of the page.
    container
        Innermost node that holds most of the anchors' words; ``NO_NODE`` where the body is not on the page.
    share_found
        Share of the body's words that the page's members account for, at most 1.
    path
        The container and all nodes around it: what every paragraph of the body shares.
    """

    places: tuple[BodyPlace, ...]
    container: int
    share_found: float
    path: frozenset[int]
    _counts: tuple[int, ...]

    def n_members(self, first: int, last: int) -> int:
        """Members among the blocks from ``first`` to ``last``, both included."""
        return self._counts[last + 1] - self._counts[first]


@dataclass(frozen=True)
class _Span:
    """Where a block's words begin and end in the body, and how many of them are there."""

    block: int
    begin: int
    end: int
    n_words: int


class _Body:
    """The body's words with an index of their n-grams."""

    def __init__(self, body: str | Sequence[str]) -> None:
        lines = [words_of(line) for text in ([body] if isinstance(body, str) else body) for line in text.split("\n")]
        self.lines = {line for line in lines if line}
        self.words: Words = tuple(word for line in lines for word in line)
        self._grams: defaultdict[Words, list[int]] = defaultdict(list)
        for i in range(len(self.words) - N_GRAM + 1):
            self._grams[self.words[i : i + N_GRAM]].append(i)

    def cover(self, words: Words) -> float:
        """Share of words inside n-grams of the body."""
        n_covered, covered_to = 0, 0
        for i in range(len(words) - N_GRAM + 1):
            if words[i : i + N_GRAM] in self._grams:
                n_covered += i + N_GRAM - max(i, covered_to)
                covered_to = i + N_GRAM
        return n_covered / len(words) if words else 0.0

    def begins(self, words: Words) -> Iterator[int]:
        """Places in the body where a text may begin, by its rarest n-grams; the most agreed one first."""
        votes: Counter[int] = Counter()
        for i in range(len(words) - N_GRAM + 1):
            hits = self._grams.get(words[i : i + N_GRAM], [])
            if len(hits) <= _MAX_HITS:
                votes.update(hit - i for hit in hits)
        if votes:
            yield min(votes.items(), key=lambda vote: (-vote[1], vote[0]))[0]

    def has(self, words: Words, begin: int, end: int) -> bool:
        """Whether words stand together in a stretch of the body."""
        stretch = self.words[max(0, begin) : end]
        n = len(words)
        return n > 0 and any(stretch[i : i + n] == words for i in range(len(stretch) - n + 1))


def _in_order(spans: Sequence[_Span]) -> list[_Span]:
    """The heaviest chain of spans whose places in the body rise with their places on the page."""
    best: list[int] = []
    before: list[int] = []
    for i, span in enumerate(spans):
        earlier = [j for j in range(i) if spans[j].begin <= span.begin and spans[j].end <= span.end]
        previous = max(earlier, key=lambda j: best[j], default=NO_NODE)
        before.append(previous)
        best.append(span.n_words + (best[previous] if previous != NO_NODE else 0))
    chain: list[_Span] = []
    at = max(range(len(spans)), key=lambda j: best[j], default=NO_NODE)
    while at != NO_NODE:
        chain.append(spans[at])
        at = before[at]
    return chain[::-1]


def _anchors(body: _Body, blocks: Sequence[Words], covers: Sequence[float]) -> list[_Span]:
    spans = []
    for i, (words, cover) in enumerate(zip(blocks, covers, strict=True)):
        if len(words) >= MIN_ANCHOR_WORDS and cover >= MIN_COVER:
            spans += [_Span(i, begin, begin + len(words), len(words)) for begin in body.begins(words)]
    return _in_order(spans)


@dataclass(frozen=True)
class _Gap:
    """The stretch of the body between the anchors around a block, and whether an anchor is near enough for it to count."""

    begin: int
    end: int
    n_blocks_away: int
    is_between: bool


def _gap_of(block: int, anchors: Sequence[_Span], n_words: int) -> _Gap:
    after = bisect_right(anchors, block, key=lambda span: span.block)
    left = anchors[after - 1] if after else None
    right = anchors[after] if after < len(anchors) else None
    away = min([abs(block - span.block) for span in (left, right) if span is not None], default=1 << 20)
    return _Gap(
        begin=max(0, left.end) if left else 0,
        end=right.begin if right else n_words,
        n_blocks_away=away,
        is_between=left is not None and right is not None,
    )


def _place(body: _Body, words: Words, cover: float, gap: _Gap, *, is_anchor: bool) -> BodyPlace:
    may_be_placed = not is_anchor and (gap.is_between or gap.n_blocks_away <= _EDGE_BLOCKS)
    return BodyPlace(
        cover=cover,
        is_line=words in body.lines,
        is_placed=may_be_placed and body.has(words, gap.begin - 1, gap.end + 1),
        is_anchor=is_anchor,
        is_between=gap.is_between,
        gap_words=max(0, gap.end - gap.begin),
        n_blocks_away=gap.n_blocks_away,
    )


def _container(page: StructuredPage, anchors: Iterable[_Span]) -> int:
    """Innermost node with most of the anchors' words; of equals the innermost."""
    n_words: Counter[int] = Counter()
    total = 0
    for span in anchors:
        total += span.n_words
        for node in page.ancestors(span.block):
            n_words[node] += span.n_words
    wide = [node for node, n in n_words.items() if n >= _CONTAINER_SHARE * total]
    return max(wide, default=NO_NODE)


def find_body(page: StructuredPage, body: str | Sequence[str]) -> BodyMatch:
    r"""Find an article body among the paragraphs of its page.

    Parameters
    ----------
    page
        The page.
    body
        The body as one text, lines apart, or as its paragraphs.

    Returns
    -------
    Every paragraph's place.

    Examples
    --------
    >>> from newswinnow.harvest.structure import structure_html
    >>> page = structure_html(b"<p>Home<p>The old bridge over the river opened on Monday.<p>It is long.")
    >>> match = find_body(page, "The old bridge over the river opened on Monday.\nIt is long.")
    >>> [place.is_member for place in match.places]
    [False, True, True]
    """
    indexed = _Body(body)
    blocks = [words_of(block.text) for block in page.blocks]
    covers = [indexed.cover(words) for words in blocks]
    anchors = _anchors(indexed, blocks, covers)
    in_chain = {span.block: span for span in anchors}
    n_words = len(indexed.words)
    places = tuple(
        _place(indexed, words, cover, _gap_of(i, anchors, n_words), is_anchor=i in in_chain)
        for i, (words, cover) in enumerate(zip(blocks, covers, strict=True))
    )
    n_found = sum(len(words) for words, place in zip(blocks, places, strict=True) if place.is_member)
    share = min(1.0, n_found / n_words) if n_words else 0.0
    container = _container(page, anchors)
    counts = tuple(accumulate((place.is_member for place in places), initial=0))
    return BodyMatch(places, container, share, frozenset(page.path_to(container)), counts)
