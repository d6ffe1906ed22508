"""How a paragraph stands to the body and the title, as named evidence: in it, beside it, in its container, the headline again.

Finding the body is done in :mod:`newswinnow.harvest.align_body`; weighing is left to :mod:`newswinnow.harvest.align`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from newswinnow.harvest.align_body import BodyMatch, BodyPlace, Words, words_of
from newswinnow.harvest.align_links import level_name
from newswinnow.harvest.structure import NO_NODE, StructuredPage

_NEAR_TITLE: Final = 0.6
_MIN_PART: Final = 3
_MAX_TITLED_WORDS: Final = 60
_TITLE_RELATIONS: Final = ("title equal", "title near", "title part", "title inside")
_N_NEAR: Final = 3
_N_AROUND: Final = 2
_SHARES: Final = (0.0, 0.3, 0.7)


@dataclass(frozen=True)
class _Title:
    """A title's words, as a set and as one string too."""

    words: Words
    unique: frozenset[str]
    joined: str

    def relation(self, words: Words) -> str:
        """How a text's words stand to the title; empty where they do not."""
        if words == self.words:
            return "title equal"
        shared = len(self.unique.intersection(words))
        if shared >= _NEAR_TITLE * len(self.unique.union(words)):
            return "title near"
        if shared < min(_MIN_PART, len(self.unique)):
            return ""
        joined = f" {' '.join(words)} "
        if len(words) >= _MIN_PART and joined in self.joined:
            return "title part"
        return "title inside" if len(self.words) >= _MIN_PART and self.joined in joined else ""


def _title_of(words: Words) -> _Title:
    return _Title(words, frozenset(words), f" {' '.join(words)} ")


class PageRegion:
    """The body's region on one page, and the page's titles."""

    def __init__(self, page: StructuredPage, match: BodyMatch, title: str) -> None:
        self._page = page
        self._match = match
        self._titles = [_title_of(words) for words in dict.fromkeys((words_of(title), words_of(page.title))) if words]

    def evidence(self, i: int) -> Iterator[str]:
        """How a block stands to body and title, by name.

        Parameters
        ----------
        i
            Its index.

        Yields
        ------
        Names of evidence.
        """
        place = self._match.places[i]
        yield _name_of(place)
        yield f"cover: {level_name(place.cover, (0, 0.3, 0.6, 0.9))}"
        side = "between" if place.is_between else "outside"
        yield f"gap in body: {level_name(place.gap_words, (0, 5, 20))} {side}"
        yield f"blocks to body: {level_name(place.n_blocks_away, (0, 1, 2, 4, 8, 16, 40))} {side}"
        yield f"order: {'before' if i < self._first else 'from'} the body's first"
        yield f"container: {'inside' if self._is_in_container(i) else 'outside'}"
        yield f"markup: {'as the body' if self._markup(i) in self._body_markup else 'other'}"
        yield from self._of_surroundings(i, place)
        yield from self._of_title(words_of(self._page.blocks[i].text))

    @cached_property
    def _first(self) -> int:
        return next((i for i, place in enumerate(self._match.places) if place.is_anchor), len(self._match.places))

    def _is_in_container(self, i: int) -> bool:
        if self._match.container == NO_NODE:
            return False
        container = self._page.nodes[self._match.container]
        return container.first <= i <= container.last

    def _markup(self, i: int) -> tuple[str, ...]:
        """The two innermost nodes of a block; paragraphs of a body are mostly marked up alike."""
        path = self._page.ancestors(i)
        return tuple(self._page.nodes[node].signature for node, _ in zip(path, range(2), strict=False))

    @cached_property
    def _body_markup(self) -> frozenset[tuple[str, ...]]:
        return frozenset(self._markup(i) for i, place in enumerate(self._match.places) if place.is_anchor)

    def _of_surroundings(self, i: int, place: BodyPlace) -> Iterator[str]:
        """How many of the blocks next to it, and of those it shares its innermost nodes with, are in the body."""
        first, last = max(0, i - _N_NEAR), min(len(self._match.places) - 1, i + _N_NEAR)
        yield f"body nearby: {level_name(self._share_of_members(first, last, place), (0, 0.3, 0.6, 0.9))}"
        n_seen = 0
        for node in self._page.ancestors(i):
            inside = self._page.nodes[node]
            if node in self._match.path:
                if n_seen == 0:
                    yield "directly in the body's node"
                return
            if inside.n_blocks > 1:
                n_seen += 1
                share = self._share_of_members(inside.first, inside.last, place)
                yield f"body in node {n_seen}: {level_name(share, _SHARES)}"
            if n_seen == _N_AROUND:
                return

    def _share_of_members(self, first: int, last: int, place: BodyPlace) -> float:
        """Share of members among the other blocks of a range that holds the block."""
        return (self._match.n_members(first, last) - place.is_member) / max(1, last - first)

    def _of_title(self, words: Words) -> Iterator[str]:
        if len(words) > _MAX_TITLED_WORDS:
            return
        relations = {title.relation(words) for title in self._titles}
        yield from [name for name in _TITLE_RELATIONS if name in relations][:1]


def _name_of(place: BodyPlace) -> str:
    if place.is_anchor:
        return "body: long text in order"
    if place.is_placed:
        return "body: line in its place" if place.is_line else "body: words in their place"
    return "body: line out of place" if place.is_line else "body: not in it"
