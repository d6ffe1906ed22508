"""HTML into paragraphs, block by block, with the two hints that markup gives: the block's tag and its share of linked text.

Deciding what a paragraph is stays with the models; no text is dropped here because of what it says.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser, LexborNode

from newswinnow.harvest.encoding import utf8_page
from newswinnow.harvest.html_simplify import is_risky, simplified
from newswinnow.harvest.html_tags import BLOCKS, SKIPPED
from newswinnow.paragraphs.table import LINK_DENSITY, PAGE, POSITION, TAG, TEXT, collapse_whitespace

__all__ = [
    "BLOCKS",
    "MAX_HTML_BYTES",
    "SKIPPED",
    "Effect",
    "HtmlParagraph",
    "Splitter",
    "Visitor",
    "parse_html",
    "split_html",
    "split_tree",
    "table_from_html",
    "visible_text",
    "walk",
]

if TYPE_CHECKING:
    import pandas as pd

MAX_HTML_BYTES: Final = 20 << 20
# Not preceded by a dash: backface-visibility:hidden stands on plenty of visible elements.
_HIDDEN_STYLE = re.compile(r"(?<![\w-])(?:display\s*:\s*none|visibility\s*:\s*hidden)(?![\w-])", re.I)
_MAYBE_HIDDEN: Final = '[hidden], [style*="display" i], [style*="visibility" i]'
# Joiners, marks and spaces without width: alone they show nothing, and real pages have such spacers.
_WIDTHLESS: Final = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff "


class Effect(IntEnum):
    """What a node does to the text around it."""

    NOTHING = 0
    SHOWS = 1
    SKIPS = 2
    BREAKS = 3
    CUTS = 4
    LINKS = 5


# Plain numbers: comparing members of an enum takes three times as long.
_NOTHING, _SHOWS, _SKIPS, _BREAKS, _CUTS, _LINKS = map(int, Effect)
_EFFECTS: Final = {
    "-text": _SHOWS,
    "br": _BREAKS,
    "a": _LINKS,
    **dict.fromkeys(BLOCKS, _CUTS),
    **dict.fromkeys([*SKIPPED, "-comment"], _SKIPS),
}


class HtmlParagraph(NamedTuple):
    """One block of visible text: its text, innermost block tag and share of non-space characters inside links."""

    text: str
    tag: str
    link_density: float


class Visitor(Protocol):
    """What :func:`walk` tells about the visible part of a page, in document order."""

    def show(self, text: str, /) -> None:
        """Take visible text, as it stands in the page."""

    def cut(self) -> None:
        """End the paragraph, at a line break."""

    def enter(self, element: LexborNode, tag: str, effect: int) -> None:
        """Begin a visible element."""

    def leave(self, effect: int) -> None:
        """End the visible element begun last and not ended yet."""

    def skip(self, tag: str) -> None:
        """Pass a comment, or an element that by its name shows no text."""


def walk(tree: LexborHTMLParser, visitor: Visitor) -> None:
    """Go through the visible part of a page without recursion.

    Parameters
    ----------
    tree
        The page.
    visitor
        Told about every text, line break and element, ``<body>`` included.
    """
    hidden = frozenset(node.mem_id for node in tree.css(_MAYBE_HIDDEN) if _is_hidden(node))
    effect_of, show = _EFFECTS.get, visitor.show
    children, effect = iter([tree.body] if tree.body is not None else []), _NOTHING
    above = []
    while True:
        for node in children:
            tag = node.tag or ""
            effect_here = effect_of(tag, _NOTHING)
            if effect_here == _SHOWS:
                show(node.text_content or "")
            elif effect_here == _BREAKS:
                visitor.cut()
            elif effect_here == _SKIPS:
                visitor.skip(tag)
            elif node.mem_id not in hidden:
                above.append((children, effect))
                children, effect = node.iter(include_text=True), effect_here
                visitor.enter(node, tag, effect)
                break
        else:
            if not above:
                return
            visitor.leave(effect)
            children, effect = above.pop()


def visible_text(parts: Iterable[str]) -> str:
    r"""Pieces of text as one paragraph.

    Parameters
    ----------
    parts
        As they stand in the page.

    Returns
    -------
    The text with its whitespace collapsed; empty where nothing of it can be seen.

    Examples
    --------
    >>> visible_text(["A ", "\n bridge"]), visible_text(["\u200b "])
    ('A bridge', '')
    """
    text = collapse_whitespace("".join(parts))
    return text if text.strip(_WIDTHLESS) else ""


class Splitter:
    """Cuts the text of a page at every block border and line break."""

    def __init__(self) -> None:
        self.paragraphs: list[HtmlParagraph] = []
        self._tags = ["body"]
        self._parts: list[str] = []
        self._linked: list[str] = []
        self._link_depth = 0
        self._link_start = 0

    def show(self, text: str, /) -> None:
        """Add to the paragraph."""
        # Half of all texts are line feeds between blocks.
        if self._parts or not text.isspace():
            self._parts.append(text)

    def enter(self, element: LexborNode, tag: str, effect: int) -> None:
        """Cut before a block; note where a link begins."""
        if effect == _CUTS:
            self.cut()
            self._tags.append(tag)
        elif effect == _LINKS:
            if not self._link_depth:
                self._link_start = len(self._parts)
            self._link_depth += 1

    def leave(self, effect: int) -> None:
        """Cut after a block; note what was linked."""
        if effect == _CUTS:
            self.cut()
            self._tags.pop()
        elif effect == _LINKS:
            self._link_depth -= 1
            if not self._link_depth:
                self._linked += self._parts[self._link_start :]

    def skip(self, tag: str) -> None:
        """Do nothing: what is skipped leaves no trace in the text."""

    def cut(self) -> None:
        """Add what can be seen since the last cut to the paragraphs."""
        if not self._parts:
            return
        if self._link_depth:
            self._linked += self._parts[self._link_start :]
            self._link_start = 0
        text = visible_text(self._parts)
        if text:
            n_linked = len("".join("".join(self._linked).split()))
            density = round(n_linked / (len(text) - text.count(" ")), 4) if n_linked else 0.0
            self.paragraphs.append(HtmlParagraph(text, self._tags[-1], density))
        self._parts.clear()
        self._linked.clear()


def _is_hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    return "hidden" in attributes or bool(_HIDDEN_STYLE.search(attributes.get("style") or ""))


def _parse(source: str | bytes) -> LexborHTMLParser:
    # With scripting, <noscript> is not shown; without events, <select> and others keep what stands in the page.
    return LexborHTMLParser(source, scripting=True, options=LexborDocumentOptions.WO_EVENTS)


def parse_html(data: bytes, *, keep: Collection[str] = ()) -> LexborHTMLParser:
    """The tree of a page as browsers build it.

    Parameters
    ----------
    data
        The page as it came; UTF-8 or UTF-16 where it is that, otherwise as declared in the page.
    keep
        Lower-case names of the attributes that will be asked for, besides those that hide; a big page may lose all others.

    Returns
    -------
    The tree; for a page of frames, that of what it shows without them.

    Raises
    ------
    ValueError
        If the page has more than 20 MB or is not in the encoding that it declares.
    """
    if len(data) > MAX_HTML_BYTES:
        raise ValueError(f"an HTML page must have at most {MAX_HTML_BYTES} bytes; got {len(data)}")
    page = utf8_page(data).replace(b"\x00", b"")
    tree = _parse(simplified(page.decode(), keep=keep) if is_risky(page) else page)
    return tree if tree.body is not None else _parse("".join(node.text() for node in tree.css("noframes")))


def split_tree(tree: LexborHTMLParser) -> Sequence[HtmlParagraph]:
    """Visible paragraphs of a page already parsed.

    Parameters
    ----------
    tree
        From :func:`parse_html`.

    Returns
    -------
    As in :func:`split_html`.
    """
    splitter = Splitter()
    walk(tree, splitter)
    return splitter.paragraphs


def split_html(data: bytes) -> Sequence[HtmlParagraph]:
    """Visible paragraphs of an HTML page.

    Parameters
    ----------
    data
        The page as it came.

    Returns
    -------
    The paragraphs in document order; none for a page without visible text.

    Raises
    ------
    ValueError
        As in :func:`parse_html`.

    Examples
    --------
    >>> [p.text for p in split_html(b"<p>A <b>bridge</b> opened.<br>It is long.</p><div><a href=x>More</a></div>")]
    ['A bridge opened.', 'It is long.', 'More']
    """
    return split_tree(parse_html(data))


def table_from_html(data: bytes | str, *, page: str = "page") -> "pd.DataFrame":
    """One HTML page as a paragraph table with markup hints.

    Parameters
    ----------
    data
        The page: bytes as they came, or text if it was decoded already.
    page
        Its id.

    Returns
    -------
    Columns ``page``, ``position``, ``text``, ``tag`` and ``link_density``.

    Raises
    ------
    ValueError
        As in :func:`split_html`.

    Examples
    --------
    >>> table_from_html("<h2>Most read</h2><a href=x>Ferry</a>")[["text", "tag", "link_density"]].values.tolist()
    [['Most read', 'h2', 0.0], ['Ferry', 'body', 1.0]]
    """
    import pandas as pd

    paragraphs = split_html(data.encode("utf-8", "replace") if isinstance(data, str) else data)
    return pd.DataFrame(
        {
            PAGE: [page] * len(paragraphs),
            POSITION: range(len(paragraphs)),
            TEXT: pd.Series([p.text for p in paragraphs], dtype="str"),
            TAG: pd.Series([p.tag for p in paragraphs], dtype="str"),
            LINK_DENSITY: [p.link_density for p in paragraphs],
        }
    )
