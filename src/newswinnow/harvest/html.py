"""HTML into paragraphs, block by block, with the two hints that markup gives: the block's tag and its share of linked text.

Deciding what a paragraph is stays with the models; no text is dropped here because of what it says.
"""

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd
from lxml import etree
from lxml import html as lxml_html

from newswinnow.paragraphs.table import LINK_DENSITY, PAGE, POSITION, TAG, TEXT, collapse_whitespace

MAX_HTML_BYTES: Final = 20 << 20
MAX_DEPTH: Final = 1000
"""Open tags kept; libxml2 drops whatever stands deeper than 2,046, elements it adds itself included."""

BLOCKS: Final = frozenset(
    """address article aside blockquote body button caption center dd details dialog dir div dl dt fieldset figcaption
    figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup hr label legend li main menu nav noframes ol optgroup
    option p pre search section select summary table tbody td tfoot th thead title tr ul""".split()
)
SKIPPED: Final = frozenset(
    """script style noscript template head svg math iframe object embed canvas audio video map textarea input img meta
    link title""".split()
)
VOID: Final = frozenset("area base br col embed hr img input link meta param source track wbr".split())
# Not preceded by a dash: backface-visibility:hidden stands on plenty of visible elements.
_HIDDEN_STYLE = re.compile(r"(?<![\w-])(?:display\s*:\s*none|visibility\s*:\s*hidden)(?![\w-])", re.I)
# No part of it matches "<", so that a page full of tags never ended costs no more than its length.
_TAG = re.compile(r"""<(/?)([a-zA-Z][^\s/<>]*)(?:[^<>"']|"[^"<]*"|'[^'<]*')*>""")
_CHARSET = re.compile(rb"<(?:meta\b[^>]*?\bcharset|\?xml\b[^>]*?\bencoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.I)
_CHARSET_BYTES: Final = 4096
_WEB_DEFAULT: Final = "cp1252"
# What browsers read these names as: the larger encoding that pages in fact use.
_READ_AS: Final = {
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
}
_LEGACY: Final = re.compile(
    r"cp(125\d|866|874|932|949)|iso8859-([2-9]|1[0-6])|koi8-[ru]|gb18030|big5(hkscs)?|euc_jp|mac-(roman|cyrillic)"
)


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


def _decode(data: bytes) -> str:
    """The page as text: UTF-8 or UTF-16 where it is that, otherwise as declared, otherwise what browsers take it for."""
    encoding = "utf-8-sig"
    try:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            encoding = "utf-16"
            return data.decode(encoding)
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            encoding = _declared_encoding(data)
            return data.decode(encoding)
    except UnicodeDecodeError as error:
        name = encoding.removesuffix("-sig").upper()
        raise ValueError(f"must be valid {name}; got byte 0x{data[error.start]:02x} at byte {error.start} of the page") from error


def _declared_encoding(data: bytes) -> str:
    declared = _CHARSET.search(data[:_CHARSET_BYTES])
    try:
        name = codecs.lookup(declared[1].decode("ascii", "replace")).name if declared else _WEB_DEFAULT
    except LookupError:
        return _WEB_DEFAULT
    name = _READ_AS.get(name, name)
    return name if name == "utf-8" or _LEGACY.fullmatch(name) else _WEB_DEFAULT


def _flattened(source: str) -> str:
    """The page with a line break in place of every tag below the deepest level kept; skipped elements keep theirs.

    An end tag closes the last tag left open or nothing. That counts a careless page deeper than it is, never flatter.
    """
    open_tags: list[str] = []

    def replace(match: re.Match[str]) -> str:
        is_end, tag = bool(match[1]), match[2].lower()
        if tag in VOID or tag in SKIPPED:
            return match[0]
        if not is_end:
            open_tags.append(tag)
            return match[0] if len(open_tags) <= MAX_DEPTH else _cut(tag)
        is_kept = len(open_tags) <= MAX_DEPTH
        if open_tags and open_tags[-1] == tag:
            open_tags.pop()
        return match[0] if is_kept else _cut(tag)

    return _TAG.sub(replace, source)


def _cut(tag: str) -> str:
    return "<br>" if tag in BLOCKS else ""


def _parse(source: str) -> Any:
    root = _tree_of(source)
    if root is None:
        root = _tree_of(_flattened(source))
    if root is None:
        raise ValueError(f"an HTML page must be nested at most {MAX_DEPTH} deep; got more, and no way to flatten it")
    return root


def _tree_of(source: str) -> Any:
    """The page's tree; None where the parser gave up at its depth limit and lost the rest."""
    parser = lxml_html.HTMLParser(no_network=True, huge_tree=True, remove_comments=False, recover=True)
    root = lxml_html.document_fromstring(source, parser=parser)
    return None if any("Excessive depth" in entry.message for entry in parser.error_log) else root


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
        If the page has more than 20 MB, is not in the encoding that it declares, or cannot be parsed at all.

    Examples
    --------
    >>> [p.text for p in split_html(b"<p>A <b>bridge</b> opened.<br>It is long.</p><div><a href=x>More</a></div>")]
    ['A bridge opened.', 'It is long.', 'More']
    """
    if len(data) > MAX_HTML_BYTES:
        raise ValueError(f"an HTML page must have at most {MAX_HTML_BYTES} bytes; got {len(data)}")
    if not data.strip():
        return []
    # An XML declaration would make lxml refuse a str; NUL would end the page early.
    source = re.sub(r"^\s*<\?xml[^>]*>", "", _decode(data).replace("\x00", ""))
    try:
        root = _parse(source)
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
            TEXT: pd.Series([p.text for p in paragraphs], dtype="str"),
            TAG: pd.Series([p.tag for p in paragraphs], dtype="str"),
            LINK_DENSITY: [p.link_density for p in paragraphs],
        }
    )
