"""The paragraphs of an HTML page together with where they stand: links and their targets, ancestors, headings, repeated cards.

The paragraphs are those of :func:`newswinnow.harvest.html.split_html`; what they mean is decided in the ``align`` modules.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from lxml import etree
from lxml import html as lxml_html

from newswinnow.harvest.html import BLOCKS, SKIPPED, HtmlParagraph, split_html
from newswinnow.paragraphs.table import collapse_whitespace

NO_NODE: Final = -1
_LOOK_AHEAD: Final = 200
_HIDDEN_STYLE = re.compile(r"(?<![\w-])(?:display\s*:\s*none|visibility\s*:\s*hidden)(?![\w-])", re.I)
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
        Index of the innermost node that holds all of the text; ``NO_NODE`` where the paragraph was not found in the tree.
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
    """Text since the last border, with the path that all of it shares."""

    tag: str
    parts: list[str] = field(default_factory=list)
    links: list[tuple[int, int]] = field(default_factory=list)
    path: list[int] | None = None

    def add(self, text: str, path: list[int], link: int) -> None:
        self.parts.append(text)
        n_chars = sum(map(len, text.split()))
        if not n_chars:
            return
        self.path = list(path) if self.path is None else _common(self.path, path)
        if link != NO_NODE:
            self.links.append((link, n_chars))


def _common(left: list[int], right: list[int]) -> list[int]:
    n_same = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    return left[:n_same]


class _Walker:
    """Walks a tree without recursion, cutting text where :mod:`newswinnow.harvest.html` cuts it."""

    def __init__(self) -> None:
        self.blocks: list[StructuredBlock] = []
        self.nodes: list[Node] = []
        self._path: list[int] = []
        self._links: list[int] = []
        self._hrefs: dict[int, str] = {}
        self._tags = ["body"]
        self._gathering = _Gathering("body")

    def _flush(self) -> None:
        gathered = self._gathering
        text = collapse_whitespace("".join(gathered.parts))
        if text:
            node = gathered.path[-1] if gathered.path else NO_NODE
            level = self.nodes[node].heading_level if gathered.path else 0
            self.blocks.append(StructuredBlock(text, gathered.tag, 0.0, tuple(self._merged_links(gathered.links)), node, level))
        self._gathering = _Gathering(self._tags[-1])

    def _merged_links(self, parts: list[tuple[int, int]]) -> Iterator[Link]:
        n_chars: Counter[int] = Counter()
        for link, n in parts:
            n_chars[link] += n
        for link, n in n_chars.items():
            yield Link(self._hrefs[link], n)

    def _add(self, text: str | None) -> None:
        if text:
            self._gathering.add(text, self._path, self._links[-1] if self._links else NO_NODE)

    def walk(self, root: Any) -> None:
        skipped: Any = None
        for event, element in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
            if skipped is not None:
                if event == "end" and element is skipped:
                    skipped = None
                    self._add(element.tail)
            elif event == "start" and _is_invisible(element):
                skipped = element
                self._note_picture(element.tag)
            elif event == "start":
                self._enter(element)
            elif event == "end":
                self._leave(element)
            else:
                self._add(element.tail)
        self._flush()

    def _note_picture(self, tag: object) -> None:
        if tag in _PICTURES and self._path:
            self.nodes[self._path[-1]].has_picture = True

    def _enter(self, element: Any) -> None:
        tag = element.tag
        index = len(self.nodes)
        if tag in BLOCKS:
            self._tags.append(tag)
            self._flush()
        elif tag == "br":
            self._flush()
        elif tag == "a":
            self._links.append(index)
            self._hrefs[index] = (element.get("href") or "").strip()
        parent = self._path[-1] if self._path else NO_NODE
        inherited = self.nodes[parent].heading_level if self._path else 0
        self.nodes.append(_node_of(element, parent, _HEADINGS.get(tag, inherited)))
        self._path.append(index)
        self._note_picture(tag)
        self._add(element.text)

    def _leave(self, element: Any) -> None:
        # The border comes first, while the path still leads to where the text stood.
        if element.tag in BLOCKS:
            self._tags.pop()
            self._flush()
        elif element.tag == "a":
            self._links.pop()
        self._path.pop()
        self._add(element.tail)


_NAMING: Final = ("class", "id", "role", "itemprop", "rel", "aria-label", "data-testid")


def _node_of(element: Any, parent: int, heading_level: int) -> Node:
    attributes = element.attrib
    if not attributes:
        return Node(element.tag, parent, "", str(element.tag), heading_level)
    naming = " ".join([attributes[name] for name in _NAMING if name in attributes])
    return Node(element.tag, parent, naming, _signature(element.tag, attributes.get("class", "")), heading_level)


@lru_cache(maxsize=1 << 14)
def _signature(tag: str, classes: str) -> str:
    return " ".join([tag, *(re.sub(r"\d+", "", name) for name in classes.split(maxsplit=1)[:1])])


@lru_cache(maxsize=1 << 14)
def _names_of(naming: str) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", naming).lower()))


def _is_invisible(element: Any) -> bool:
    if element.tag in SKIPPED:
        return True
    attributes = element.attrib
    return "hidden" in attributes or bool(_HIDDEN_STYLE.search(attributes.get("style", "")))


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


def _parse(data: bytes) -> Any:
    """The document element, or None where there is none."""
    parser = lxml_html.HTMLParser(no_network=True, huge_tree=True, remove_comments=False, recover=True)
    source: str | bytes
    try:
        source = re.sub(r"^\s*<\?xml[^>]*>", "", data.decode("utf-8-sig").replace("\x00", ""))
    except UnicodeDecodeError:
        source = data
    try:
        return lxml_html.document_fromstring(source, parser=parser)
    except etree.LxmlError:
        return None


def _on_paragraphs(paragraphs: Sequence[HtmlParagraph], found: Sequence[StructuredBlock]) -> Iterator[StructuredBlock]:
    """Every paragraph with the structure of the next block of the same text; one without such a block stands in no node."""
    at = 0
    for paragraph in paragraphs:
        ahead = range(at, min(at + _LOOK_AHEAD, len(found)))
        i = next((i for i in ahead if found[i].text == paragraph.text), NO_NODE)
        links, node, level = (found[i].links, found[i].node, found[i].heading_level) if i != NO_NODE else ((), NO_NODE, 0)
        at = i + 1 if i != NO_NODE else at
        yield StructuredBlock(paragraph.text, paragraph.tag, paragraph.link_density, links, node, level)


def _canonical(root: Any) -> str:
    found = root.xpath("//link[@rel='canonical']/@href | //meta[@property='og:url']/@content")
    return str(found[0]).strip() if found else ""


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
    paragraphs = split_html(data)
    root = _parse(data) if paragraphs else None
    if root is None:
        return StructuredPage(tuple(_on_paragraphs(paragraphs, ())), ())
    body = root.find("body")
    walker = _Walker()
    walker.walk(root if body is None else body)
    blocks = tuple(_on_paragraphs(paragraphs, walker.blocks))
    _note_extents(blocks, walker.nodes)
    _note_repetition(walker.nodes)
    _note_pictures(walker.nodes)
    title = collapse_whitespace(root.findtext(".//title") or "")
    return StructuredPage(blocks, tuple(walker.nodes), title, _canonical(root))
