"""Big or oddly built HTML rewritten so that a parser of the HTML standard takes linear time and memory over it.

Text, cuts, links and hidden parts stay what they were. Reading the page is left to :mod:`newswinnow.harvest.html`.
"""

import re
from collections.abc import Collection
from typing import Final

from newswinnow.harvest.html_tags import BLOCKS, SKIPPED

MAX_DEPTH: Final = 1000
"""Open tags kept in a page that is rewritten."""

# Lexbor's time grows with the square of the depth and of the attributes of one tag, its memory with the formatting tags left
# open times the paragraphs after them. The worst pages found that stay below all three limits took 0.85 GB, as the longest
# page allowed does, and 10 s (attributes with ">" in their values; anything else 0.6 s).
MAX_BYTES: Final = 300_000
MAX_TAGS: Final = 3_000
MAX_TAG_BYTES: Final = 20_000
_SHORT: Final = 100_000
"""Bytes that even as one long tag take less than 2 s."""


_VOID: Final = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_UNCOUNTED: Final = _VOID | SKIPPED
# Formatting tags left open are opened again in every paragraph after; nothing but that sets them apart from <var>.
_WRITTEN: Final = dict.fromkeys("b big code em font i nobr s small strike strong tt u".split(), "var")
# Any other element with a slash at its end is a shape in <svg> or does nothing.
_MEANT: Final = BLOCKS | SKIPPED | _VOID | {"a"}
_END: Final = r"[\t\n\f\r />]"
_GAP: Final = r"[\t\n\f\r /]*+"
_NAME: Final = r"[^\t\n\f\r />][^\t\n\f\r />=]*+"
_VALUE: Final = r"""(?:"[^"]*+"|'[^']*+'|[^\t\n\f\r >"'][^\t\n\f\r >]*+)"""
_EQUALS: Final = r"[\t\n\f\r ]*+=[\t\n\f\r ]*+"
_ATTRIBUTES: Final = rf"(?:{_GAP}{_NAME}(?:{_EQUALS}{_VALUE}?+)?+)*+"
_ATTRIBUTE = re.compile(rf"{_GAP}({_NAME})(?:{_EQUALS}({_VALUE})?+)?+")
_TITLE = re.compile(rf"<title{_ATTRIBUTES}{_GAP}>(.*?)(?:</title.*)?", re.I | re.S)
_HIDING: Final = frozenset({"hidden", "style"})
_LONG_TAG = re.compile(rb"<[a-zA-Z][^>]{%d}" % MAX_TAG_BYTES)
# Possessive throughout: each character is looked at once. A raw element with a slash at its end passes as an ordinary tag,
# because within <svg> it has no content.
_TOKEN = re.compile(
    "|".join(
        [
            rf"<(script|style|noscript|iframe|textarea|title|noembed|noframes)(?={_END}){_ATTRIBUTES}{_GAP}(?<!/)>"
            rf"(?:[^<]++|<(?!/\1{_END}))*+(?:</\1(?={_END}){_ATTRIBUTES}{_GAP}>)?+",
            rf"<(?P<end>/?)(?P<tag>[a-zA-Z][^\t\n\f\r />]*+)(?P<attributes>{_ATTRIBUTES})(?P<slash>{_GAP})>",
            r"<!--(?:-?>|(?:[^-]++|-(?!-!?>))*+(?:--!?>)?+)",
            r"<(?:[!?]|/[^a-zA-Z>])[^>]*+>",
            r"</>",
            r"<[!?/a-zA-Z][^>]*+\Z",
            r"<",
        ]
    ),
    re.I,
)


def is_risky(page: bytes) -> bool:
    """Whether a page is big or odd enough to be worth rewriting.

    Parameters
    ----------
    page
        In UTF-8.

    Returns
    -------
    False for most pages, and for none that could keep the parser busy for long.
    """
    if len(page) > MAX_BYTES or page.count(b"<") > MAX_TAGS:
        return True
    return len(page) > _SHORT and _LONG_TAG.search(page) is not None


def simplified(source: str, *, keep: Collection[str] = ()) -> str:
    """The page with nothing left that makes no difference to its paragraphs.

    Comments and raw elements but the title are gone, formatting tags are ``var``, of attributes only those named remain, and a
    tag below the deepest level kept is a line break or nothing. An end tag counts as closing the last tag left open or none: a
    careless page is taken to be deeper than it is, never flatter.

    Parameters
    ----------
    source
        Any HTML.
    keep
        Lower-case names of attributes to keep besides ``hidden`` and ``style``.

    Returns
    -------
    HTML in which every ``<`` begins a tag.

    Examples
    --------
    >>> simplified('<p class=a><!-- b --><b>1 < 2</b><script>c</script><br/>')
    '<p><var>1 &lt; 2</var><br/>'
    """
    return _TOKEN.sub(_Rewriter(frozenset(keep)), source)


class _Rewriter:
    """Replaces one token after the other, knowing the tags left open."""

    def __init__(self, keep: frozenset[str]) -> None:
        self._keep = keep
        self._open: list[str] = []

    def __call__(self, match: re.Match[str]) -> str:
        end, name, attributes, slash = match.group(2, 3, 4, 5)
        if name is None:
            return _without_tags(match[0])
        tag = name.lower()
        if slash:
            slash = "/" if slash[-1] == "/" else ""
            if slash and tag not in _MEANT:
                return ""
        is_kept = tag in _UNCOUNTED or (self._close(tag) if end else self._open_tag(tag))
        if not is_kept:
            return "<br>" if tag in BLOCKS else ""
        kept = _kept(attributes, self._keep) if attributes else ""
        return f"<{end}{_WRITTEN.get(tag, tag)}{kept}{slash}>"

    def _open_tag(self, tag: str) -> bool:
        self._open.append(tag)
        return len(self._open) <= MAX_DEPTH

    def _close(self, tag: str) -> bool:
        is_kept = len(self._open) <= MAX_DEPTH
        if self._open and self._open[-1] == tag:
            self._open.pop()
        return is_kept


def _without_tags(token: str) -> str:
    """What stays of something that is no tag: a lone bracket, and the title."""
    if token == "<":
        return "&lt;"
    title = _TITLE.fullmatch(token)
    return f"<title>{title[1].replace('<', '&lt;')}</title>" if title else ""


def _kept(attributes: str, keep: frozenset[str]) -> str:
    """Those attributes that can hide an element or are asked for, as they stood."""
    lower = "" if keep else attributes.lower()
    if lower and "hidden" not in lower and "display" not in lower:
        return ""
    kept: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(attributes):
        name = match[1].lower()
        if name in _HIDING or name in keep:
            kept.setdefault(name, match[2] or '""')
    return "".join(f" {name}={value}" for name, value in kept.items())
