"""The paragraphs of an HTML page together with where they stand: links and their targets, ancestors, headings, repeated cards.

The paragraphs are those of :func:`newswinnow.harvest.html.split_html`; what they mean is decided in the ``align`` modules.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from newswinnow.harvest.html import Effect, Splitter, parse_html, visible_text, walk

NO_NODE: Final = -1
_HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}
_TOKEN = re.compile(r"[a-z]+")
_PICTURES: Final = frozenset({"img", "picture", "video", "figure"})


@dataclass(frozen=True)
class Link:
    """Part of a paragraph that lies inside one ``<a>``: where it leads (empty without ``href``) and its non-space characters."""

    href: str
    n_chars: int


@dataclass(slots=True)
class Node:
    """An element that holds visible text, seen from below.

    Attributes
    ----------
    tag
        Name of the element.
    parent
        Index of the enclosing node; ``NO_NODE`` at the top.
    naming
        Its ``class``, ``id``, ``role``, ``itemprop``, ``rel``, ``aria-label`` and ``data-testid`` in one string.
    signature
        What alike siblings have in common: the tag and the first class without digits.
    heading_level
        1-6 for ``<h1>``-``<h6>`` and all inside them, otherwise 0.
    has_picture
        Whether an image or figure stands somewhere inside.
    first, last
        Indices of the first and last block inside; ``last < first`` where there is none.
    n_alike, rank
        Siblings with text and the same signature, itself included, and the place among them.
    """

    tag: str
    parent: int
    naming: str
    signature: str
    heading_level: int = 0
    has_picture: bool = False
    first: int = 0
    last: int = NO_NODE
    n_alike: int = 1
    rank: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Lower-case words of the naming, in order; camelCase counts as two words."""
        return _names_of(self.naming)

    @property
    def n_blocks(self) -> int:
        """Blocks inside."""
        return max(0, self.last - self.first + 1)


@dataclass(frozen=True)
class StructuredBlock:
    """One paragraph with its surroundings.

    Attributes
    ----------
    text, tag, link_density
        As in :class:`newswinnow.harvest.html.HtmlParagraph`.
    links
        Links inside, in order; one that continues from the paragraph before is counted again with its part.
    node
        Index of the innermost node that holds all of the text.
    heading_level
        1-6 inside ``<h1>``-``<h6>``, otherwise 0.
    """

    text: str
    tag: str
    link_density: float
    links: tuple[Link, ...]
    node: int
    heading_level: int


@dataclass(frozen=True)
class StructuredPage:
    """All paragraphs of a page and the nodes they stand in.

    Attributes
    ----------
    blocks
        In document order.
    nodes
        Parents before their children.
    title
        Text of ``<title>``; empty where there is none.
    canonical
        Address the page gives itself (``link rel=canonical`` or ``og:url``); empty where there is none.
    """

    blocks: tuple[StructuredBlock, ...]
    nodes: tuple[Node, ...]
    title: str = ""
    canonical: str = ""

    def path_to(self, node: int) -> Iterator[int]:
        """A node and all nodes around it, innermost first; none for ``NO_NODE``."""
        while node != NO_NODE:
            yield node
            node = self.nodes[node].parent

    def ancestors(self, block: int) -> Iterator[int]:
        """Nodes around a block, innermost first."""
        return self.path_to(self.blocks[block].node)


@dataclass(slots=True)
class _Gathering:
    """Where the text since the last border stands: the path that all of it shares, and its links."""

    links: list[tuple[int, int]] = field(default_factory=list)
    path: list[int] = field(default_factory=list)

    def add(self, text: str, path: list[int], link: int) -> None:
        n_chars = sum(map(len, text.split()))
        if not n_chars:
            return
        self.path = _common(self.path, path) if self.path else list(path)
        if link != NO_NODE:
            self.links.append((link, n_chars))


def _common(left: list[int], right: list[int]) -> list[int]:
    n_same = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    return left[:n_same]


class _Gatherer:
    """Notes where the text of each paragraph stands, while :func:`newswinnow.harvest.html.walk` goes through the page."""

    def __init__(self) -> None:
        self.blocks: list[StructuredBlock] = []
        self.nodes: list[Node] = []
        self._path: list[int] = []
        self._links: list[int] = []
        self._hrefs: dict[int, str] = {}
        self._splitter = Splitter()
        self._gathering = _Gathering()

    def cut(self) -> None:
        paragraphs, gathered = self._splitter.paragraphs, self._gathering
        self._splitter.cut()
        if len(paragraphs) > len(self.blocks):
            cut, node = paragraphs[-1], gathered.path[-1]
            level, links = self.nodes[node].heading_level, tuple(self._merged_links(gathered.links))
            self.blocks.append(StructuredBlock(cut.text, cut.tag, cut.link_density, links, node, level))
        if gathered.path:
            self._gathering = _Gathering()

    def _merged_links(self, parts: list[tuple[int, int]]) -> Iterator[Link]:
        n_chars: Counter[int] = Counter()
        for link, n in parts:
            n_chars[link] += n
        for link, n in n_chars.items():
            yield Link(self._hrefs[link], n)

    def show(self, text: str, /) -> None:
        self._splitter.show(text)
        self._gathering.add(text, self._path, self._links[-1] if self._links else NO_NODE)

    def skip(self, tag: str) -> None:
        if tag in _PICTURES and self._path:
            self.nodes[self._path[-1]].has_picture = True

    def enter(self, element: LexborNode, tag: str, effect: int) -> None:
        index = len(self.nodes)
        if effect == Effect.CUTS:
            self.cut()
        elif effect == Effect.LINKS:
            self._links.append(index)
            self._hrefs[index] = (element.attributes.get("href") or "").strip()
        self._splitter.enter(element, tag, effect)
        parent = self._path[-1] if self._path else NO_NODE
        inherited = self.nodes[parent].heading_level if self._path else 0
        self.nodes.append(_node_of(element, tag, parent, _HEADINGS.get(tag, inherited)))
        self._path.append(index)
        self.skip(tag)

    def leave(self, effect: int) -> None:
        # The border comes first, while the path still leads to where the text stood.
        if effect == Effect.CUTS:
            self.cut()
        elif effect == Effect.LINKS:
            self._links.pop()
        self._splitter.leave(effect)
        self._path.pop()


_NAMING: Final = ("class", "id", "role", "itemprop", "rel", "aria-label", "data-testid")
_KEPT: Final = (*_NAMING, "href", "property", "content")


def _node_of(element: LexborNode, tag: str, parent: int, heading_level: int) -> Node:
    attributes = element.attributes
    if not attributes:
        return Node(tag, parent, "", tag, heading_level)
    naming = " ".join([attributes[name] or "" for name in _NAMING if name in attributes])
    return Node(tag, parent, naming, _signature(tag, attributes.get("class") or ""), heading_level)


@lru_cache(maxsize=1 << 14)
def _signature(tag: str, classes: str) -> str:
    return " ".join([tag, *(re.sub(r"\d+", "", name) for name in classes.split(maxsplit=1)[:1])])


@lru_cache(maxsize=1 << 14)
def _names_of(naming: str) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", naming).lower()))


def _note_extents(blocks: Sequence[StructuredBlock], nodes: Sequence[Node]) -> None:
    """First and last block of every node, from the blocks upwards."""
    for i, block in enumerate(blocks):
        node = block.node
        while node != NO_NODE and nodes[node].last != i:
            if nodes[node].last == NO_NODE:
                nodes[node].first = i
            nodes[node].last = i
            node = nodes[node].parent


def _note_repetition(nodes: Sequence[Node]) -> None:
    counts: Counter[tuple[int, str]] = Counter()
    for node in nodes:
        if node.last != NO_NODE:
            node.rank = counts[node.parent, node.signature]
            counts[node.parent, node.signature] += 1
    for node in nodes:
        node.n_alike = max(1, counts[node.parent, node.signature])


def _note_pictures(nodes: Sequence[Node]) -> None:
    for node in reversed(nodes):
        if node.has_picture and node.parent != NO_NODE:
            nodes[node.parent].has_picture = True


def _canonical(tree: LexborHTMLParser) -> str:
    for node in tree.css('link[rel="canonical"], meta[property="og:url"]'):
        address = node.attributes.get("href" if node.tag == "link" else "content")
        if address is not None:
            return address.strip()
    return ""


def structure_html(data: bytes) -> StructuredPage:
    """Paragraphs of an HTML page with the structure around them.

    Parameters
    ----------
    data
        The page as it came.

    Returns
    -------
    The paragraphs that :func:`newswinnow.harvest.html.split_html` gives, in the same order, and their nodes.

    Raises
    ------
    ValueError
        As in :func:`newswinnow.harvest.html.split_html`.

    Examples
    --------
    >>> page = structure_html(b"<ul class=nav><li><a href=/a>News</a><li><a href=/b>Sport</a></ul>")
    >>> [(b.text, b.links[0].href, page.nodes[b.node].tag) for b in page.blocks]
    [('News', '/a', 'a'), ('Sport', '/b', 'a')]
    """
    tree = parse_html(data, keep=_KEPT)
    gatherer = _Gatherer()
    walk(tree, gatherer)
    blocks = tuple(gatherer.blocks)
    _note_extents(blocks, gatherer.nodes)
    _note_repetition(gatherer.nodes)
    _note_pictures(gatherer.nodes)
    title = tree.css_first("title")
    return StructuredPage(blocks, tuple(gatherer.nodes), visible_text([title.text()]) if title else "", _canonical(tree))
