"""HTML into paragraphs, block by block, with the two hints that markup gives: the block's tag and its share of linked text.

Deciding what a paragraph is stays with the models; no text is dropped here because of what it says.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd
from lxml import etree
from lxml import html as lxml_html

from newswinnow.paragraphs.table import LINK_DENSITY, PAGE, POSITION, TAG, TEXT, collapse_whitespace

MAX_HTML_BYTES: Final = 20 << 20
MAX_DEPTH: Final = 4000
BLOCKS: Final = frozenset(
    """address article aside blockquote body button caption center dd details dialog dir div dl dt fieldset figcaption
    figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup hr label legend li main menu nav noframes ol optgroup
    option p pre search section select summary table tbody td tfoot th thead title tr ul""".split()
)
SKIPPED: Final = frozenset(
    """script style noscript template head svg math iframe object embed canvas audio video map textarea input img meta
    link title""".split()
)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)


@dataclass
class _Block:
    """Text gathered since the last border."""

    tag: str
    parts: list[str] = field(default_factory=list)
    n_link_chars: int = 0

    def add(self, text: str, *, is_linked: bool) -> None:
        self.parts.append(text)
        if is_linked:
            self.n_link_chars += sum(map(len, text.split()))


@dataclass(frozen=True)
class HtmlParagraph:
    """One block of visible text: its text, innermost block tag and share of non-space characters inside links."""

    text: str
    tag: str
    link_density: float


class _Splitter:
    """Walks a tree without recursion and cuts the text at every block border and line break."""

    def __init__(self) -> None:
        self.paragraphs: list[HtmlParagraph] = []
        self._tags: list[str] = ["body"]
        self._link_depth = 0
        self._block = _Block("body")

    def _flush(self) -> None:
        text = collapse_whitespace("".join(self._block.parts))
        if text:
            n_chars = len(text) - text.count(" ")
            density = round(min(self._block.n_link_chars / n_chars, 1.0), 4)
            self.paragraphs.append(HtmlParagraph(text, self._block.tag, density))
        self._block = _Block(self._tags[-1])

    def _add(self, text: str | None) -> None:
        if text:
            self._block.add(text, is_linked=self._link_depth > 0)

    def walk(self, root: Any) -> list[HtmlParagraph]:
        skipped: Any = None
        for event, element in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
            if skipped is not None:
                if event == "end" and element is skipped:
                    skipped = None
                    self._add(element.tail)
                continue
            if event == "start" and _is_invisible(element):
                skipped = element
            elif event == "start":
                self._enter(element)
            elif event == "end":
                self._leave(element)
            else:
                self._add(element.tail)
        self._flush()
        return self.paragraphs

    def _enter(self, element: Any) -> None:
        if element.tag in BLOCKS:
            self._tags.append(element.tag)
            self._flush()
        elif element.tag == "a":
            self._link_depth += 1
        elif element.tag == "br":
            self._flush()
        self._add(element.text)

    def _leave(self, element: Any) -> None:
        if element.tag in BLOCKS:
            self._tags.pop()
            self._flush()
        elif element.tag == "a":
            self._link_depth -= 1
        self._add(element.tail)


def _is_invisible(element: Any) -> bool:
    if element.tag in SKIPPED:
        return True
    attributes = element.attrib
    return "hidden" in attributes or bool(_HIDDEN_STYLE.search(attributes.get("style", "")))


def _decode(data: bytes) -> str | bytes:
    """The page as text where it is UTF-8; otherwise the bytes, for the parser to go by what the page declares."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data


def split_html(data: bytes) -> Sequence[HtmlParagraph]:
    """Visible paragraphs of an HTML page.

    Parameters
    ----------
    data
        The page as it came; UTF-8 where that decodes, otherwise as declared in the page.

    Returns
    -------
    The paragraphs in document order; none for a page without visible text.

    Raises
    ------
    ValueError
        If the page has more than 20 MB or cannot be parsed at all.

    Examples
    --------
    >>> [p.text for p in split_html(b"<p>A <b>bridge</b> opened.<br>It is long.</p><div><a href=x>More</a></div>")]
    ['A bridge opened.', 'It is long.', 'More']
    """
    if len(data) > MAX_HTML_BYTES:
        raise ValueError(f"an HTML page must have at most {MAX_HTML_BYTES} bytes; got {len(data)}")
    if not data.strip():
        return []
    parser = lxml_html.HTMLParser(no_network=True, huge_tree=True, remove_comments=False, recover=True)
    source = _decode(data)
    if isinstance(source, str):
        # An XML declaration would make lxml refuse a str; NUL would end the page early.
        source = re.sub(r"^\s*<\?xml[^>]*\?>", "", source).replace("\x00", "")
    try:
        root = lxml_html.document_fromstring(source, parser=parser)
    except etree.ParserError:
        return []
    except etree.XMLSyntaxError as error:
        raise ValueError(f"must be HTML; got {error.msg}") from error
    body = root.find("body")
    return _Splitter().walk(root if body is None else body)


def table_from_html(data: bytes, *, page: str) -> pd.DataFrame:
    """One HTML page as a paragraph table with markup hints.

    Parameters
    ----------
    data
        The page.
    page
        Its id.

    Returns
    -------
    Columns ``page``, ``position``, ``text``, ``tag`` and ``link_density``.

    Raises
    ------
    ValueError
        As in :func:`split_html`.
    """
    paragraphs = split_html(data)
    return pd.DataFrame(
        {
            PAGE: [page] * len(paragraphs),
            POSITION: range(len(paragraphs)),
            TEXT: [p.text for p in paragraphs],
            TAG: [p.tag for p in paragraphs],
            LINK_DENSITY: [p.link_density for p in paragraphs],
        }
    )
