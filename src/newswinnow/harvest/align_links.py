"""What HTML knows of a paragraph: where its links lead, whose card it stands in, what list and heading it is under.

It gives evidence by name and decides nothing; weighing is left to :mod:`newswinnow.harvest.align`.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from newswinnow.harvest.align_body import BodyMatch, words_of
from newswinnow.harvest.align_names import groups_around
from newswinnow.harvest.align_shapes import shapes_of
from newswinnow.harvest.align_targets import MIN_SLUG_WORDS, LinkTarget, Target, target_of
from newswinnow.harvest.structure import NO_NODE, StructuredPage

_MAX_CARD_BLOCKS: Final = 8
_MIN_HEADLINE_WORDS: Final = 4
_MAX_HEADING_WORDS: Final = 7
_LINKED: Final = 0.6
_POINTING: Final = frozenset({Target.ARTICLE, Target.LEAF, Target.OTHER, Target.ADVERT})
_LANDMARKS: Final = frozenset(
    """nav footer header aside main article form figure figcaption button blockquote table select details ul ol dl menu
    address""".split()
)
_N_NEAR_NODES: Final = 4
_NO_TARGET: Final = LinkTarget(Target.NONE, False, (), "")


def level_name(value: float, bounds: tuple[float, ...]) -> str:
    """Name of the interval a value lies in.

    Parameters
    ----------
    value
        Any number.
    bounds
        Rising upper bounds, each included.

    Returns
    -------
    Such as ``"<=3"`` or ``">10"``.

    Examples
    --------
    >>> level_name(2, (1, 3, 10)), level_name(11, (1, 3, 10))
    ('<=3', '>10')
    """
    return _level_names(bounds)[bisect_left(bounds, value)]


@lru_cache(maxsize=256)
def _level_names(bounds: tuple[float, ...]) -> tuple[str, ...]:
    return (*(f"<={bound:g}" for bound in bounds), f">{bounds[-1]:g}")


def _directory_of(page_url: str) -> str:
    return target_of(f"{page_url.rstrip('/')}/x", page_url).directory.rpartition("/")[0] if page_url else ""


@dataclass(frozen=True)
class _Item:
    """One of several alike siblings: what the whole list of them is made of."""

    n_items: int
    mean_words: float
    share_pointing: float
    share_linked: float
    share_members: float
    mean_blocks: float
    has_pictures: bool


@lru_cache(maxsize=1 << 12)
def _described(item: _Item, name: str) -> tuple[str, ...]:
    names = (
        f"{name} of: {level_name(item.n_items, (4, 8, 16))}",
        f"{name} words: {level_name(item.mean_words, (1.5, 2.5, 4, 6, 10))}",
        f"{name} pointing: {level_name(item.share_pointing, (0.05, 0.5, 0.9))}",
        f"{name} linked: {level_name(item.share_linked, (0.05, 0.5, 0.9))}",
        f"{name} in body: {level_name(item.share_members, (0.0, 0.3, 0.7))}",
        f"{name} item blocks: {level_name(item.mean_blocks, (1.0, 1.5, 3, 6))}",
    )
    return (*names, f"{name} with pictures") if item.has_pictures else names


class PageLinks:
    """Links, cards, lists and headings of one page."""

    def __init__(self, page: StructuredPage, match: BodyMatch, page_url: str) -> None:
        self._page = page
        self._match = match
        self._n_words = [len(block.text.split()) for block in page.blocks]
        self.targets = [self._main_target(i, page_url) for i in range(len(page.blocks))]
        self.is_headline_link = [self._is_headline_link(i) for i in range(len(page.blocks))]
        self._directory = _directory_of(page_url)
        self._items: dict[tuple[int, str], _Item] = {}

    def _main_target(self, i: int, page_url: str) -> LinkTarget:
        links = self._page.blocks[i].links
        return target_of(max(links, key=lambda link: link.n_chars).href, page_url) if links else _NO_TARGET

    def _is_headline_link(self, i: int) -> bool:
        return (
            self._page.blocks[i].link_density >= _LINKED
            and self._n_words[i] >= _MIN_HEADLINE_WORDS
            and self.targets[i].kind in _POINTING
            and not self._match.places[i].is_anchor
        )

    @cached_property
    def _children(self) -> dict[tuple[int, str], list[int]]:
        """Nodes with text by parent and signature."""
        children: dict[tuple[int, str], list[int]] = {}
        for index, node in enumerate(self._page.nodes):
            if node.n_blocks:
                children.setdefault((node.parent, node.signature), []).append(index)
        return children

    @cached_property
    def _n_texts(self) -> Counter[str]:
        return Counter(block.text for block in self._page.blocks)

    def _list_of(self, node: int) -> _Item:
        key = (self._page.nodes[node].parent, self._page.nodes[node].signature)
        if key not in self._items:
            self._items[key] = self._measure(self._children[key])
        return self._items[key]

    def _measure(self, items: Sequence[int]) -> _Item:
        nodes = [self._page.nodes[item] for item in items]
        longest, n_pointing, n_linked, n_members, n_blocks = 0, 0, 0, 0, 0
        for node in nodes:
            inside = range(node.first, node.last + 1)
            linked = [i for i in inside if self._page.blocks[i].link_density >= _LINKED]
            longest += max((self._n_words[i] for i in linked or inside), default=0)
            n_linked += bool(linked)
            n_pointing += any(self.targets[i].kind in _POINTING for i in linked)
            n_members += self._match.n_members(node.first, node.last) > 0
            n_blocks += len(inside)
        n = len(nodes)
        pictures = sum(node.has_picture for node in nodes) > n / 2
        return _Item(n, longest / n, n_pointing / n, n_linked / n, n_members / n, n_blocks / n, pictures)

    def _outside_body(self, i: int) -> list[int]:
        """Nodes around a block, innermost first, up to where the body's own path begins."""
        nodes = []
        for node in self._page.ancestors(i):
            if node in self._match.path:
                break
            nodes.append(node)
        return nodes

    def evidence(self, i: int) -> Iterator[str]:
        """Everything known about a block, by name.

        Parameters
        ----------
        i
            Its index.

        Yields
        ------
        Names of evidence.
        """
        around = self._outside_body(i)
        yield from self._of_target(i)
        yield from self._of_names(around)
        yield from self._of_list(around)
        yield from self._of_card(i, around)
        yield from self._of_headings(i)
        yield from self._of_list_heading(i)
        yield from self._of_neighbours(i)
        if self._n_texts[self._page.blocks[i].text] > 1:
            yield "text repeated"

    def _of_target(self, i: int) -> Iterator[str]:
        density, target = self._page.blocks[i].link_density, self.targets[i]
        yield f"linked: {level_name(density, (0, 0.3, _LINKED, 0.95))}"
        if density == 0:
            return
        yield f"target: {target.kind}"
        yield f"target's site: {'other' if target.is_external else 'own'}"
        if len(self._page.blocks[i].links) > 1:
            yield "several links"
        if target.directory and target.directory == self._directory and not target.is_external:
            yield "target beside the page"
        if len(target.slug) >= 2:
            words = set(words_of(self._page.blocks[i].text))
            share = sum(word in words for word in target.slug) / len(target.slug)
            length = "long" if len(target.slug) >= MIN_SLUG_WORDS else "short"
            yield f"{length} slug in text: {level_name(share, (0.2, 0.5, 0.8))}"

    def _of_names(self, around: Sequence[int]) -> Iterator[str]:
        nodes = [self._page.nodes[node] for node in around]
        near, far = nodes[:_N_NEAR_NODES], nodes[_N_NEAR_NODES:]
        yield from (f"near {group}" for group in groups_around(tuple(node.names for node in near)))
        yield from (f"inside {group}" for group in groups_around(tuple(node.names for node in far)))
        yield from (f"in <{tag}>" for tag in sorted({node.tag for node in nodes} & _LANDMARKS))

    def _of_list(self, around: Sequence[int]) -> Iterator[str]:
        alike = [node for node in around if self._page.nodes[node].n_alike >= 3]
        if not alike:
            yield "no list"
            return
        yield from _described(self._list_of(alike[0]), "list")
        if alike[-1] != alike[0]:
            yield from _described(self._list_of(alike[-1]), "outer list")

    def _of_card(self, i: int, around: Sequence[int]) -> Iterator[str]:
        """Whose card the block stands in: the smallest node about it that holds another block which is a linked headline."""
        if self.is_headline_link[i]:
            yield "headline link"
        for node in around:
            inside = range(self._page.nodes[node].first, self._page.nodes[node].last + 1)
            if len(inside) > _MAX_CARD_BLOCKS:
                break
            heads = [j for j in inside if self.is_headline_link[j] and j != i]
            if heads:
                yield from self._in_card(i, heads, inside)
                if self._page.nodes[node].has_picture:
                    yield "card with picture"
                return
        yield "no card"

    def _in_card(self, i: int, heads: Sequence[int], inside: range) -> Iterator[str]:
        yield f"card blocks: {level_name(len(inside), (2, 4))}"
        yield f"card heads: {level_name(len(heads), (1, 2))}"
        yield "before card head" if i < heads[0] else "after card head"
        head = max(heads, key=self._n_words.__getitem__)
        if self._n_words[i] > self._n_words[head]:
            yield "longer than card head"
        if self.targets[i].kind != Target.NONE and self.targets[i] == self.targets[head]:
            yield "card head's target"

    @cached_property
    def _heading_before(self) -> list[int]:
        """The last heading, or short unlinked list heading, above each block."""
        above, last = [], NO_NODE
        for i, block in enumerate(self._page.blocks):
            above.append(last)
            is_short = self._n_words[i] <= _MAX_HEADING_WORDS and block.link_density < _LINKED
            if (block.heading_level and not self.is_headline_link[i]) or (is_short and self._is_list_heading(i)):
                last = i
        return above

    def _of_headings(self, i: int) -> Iterator[str]:
        heading = self._heading_before[i]
        if heading == NO_NODE:
            yield "heading above: none"
            return
        name = "article's" if self._match.places[heading].is_member else "list" if self._is_list_heading(heading) else "other"
        yield f"heading above: {name}"
        yield f"{name} heading above: {level_name(i - heading, (1, 3, 10))}"

    def _of_list_heading(self, i: int) -> Iterator[str]:
        if self._n_words[i] <= _MAX_HEADING_WORDS and self._is_list_heading(i):
            n_after = sum(self.is_headline_link[i + 1 : i + 9])
            linked = "linked" if self._page.blocks[i].link_density >= _LINKED else "unlinked"
            yield f"{linked} list heading over headlines: {level_name(n_after, (0, 1))}"

    def _is_list_heading(self, i: int) -> bool:
        return "list heading" in shapes_of(self._page.blocks[i].text)

    def _of_neighbours(self, i: int) -> Iterator[str]:
        after = sum(self.is_headline_link[i + 1 : i + 7])
        before = sum(self.is_headline_link[max(0, i - 6) : i])
        yield f"headlines after: {level_name(after, (0, 1, 3))}"
        yield f"headlines before: {level_name(before, (0, 1, 3))}"
        for offset, name in ((1, "next"), (-1, "previous")):
            j = i + offset
            if 0 <= j < len(self._n_words):
                yield f"{name}: {self._kind(j)}"

    def _kind(self, i: int) -> str:
        if self._match.places[i].is_member:
            return "in body"
        if self.is_headline_link[i]:
            return "headline link"
        linked = "linked" if self._page.blocks[i].link_density >= _LINKED else "unlinked"
        return f"{linked} words {level_name(self._n_words[i], (3, 8))}"
