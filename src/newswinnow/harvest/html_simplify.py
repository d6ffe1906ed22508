"""Big or oddly built HTML rewritten so that no parser of the HTML standard takes more than linear time or memory over it.

What the page says and where it is cut stays as it was; reading it is left to :mod:`newswinnow.harvest.html`.
"""

import re
from typing import Final

BLOCKS: Final = frozenset(
    """address article aside blockquote body button caption center dd details dialog dir div dl dt fieldset figcaption
    figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr label legend li listing main menu nav ol optgroup option p
    plaintext pre search section select summary table tbody td tfoot th thead title tr ul xmp""".split()
)
SKIPPED: Final = frozenset(
    """script style noscript template head svg math iframe object embed canvas audio video map textarea input img meta
    link title noembed noframes frameset""".split()
)
MAX_DEPTH: Final = 1000
"""Open tags kept in a page that is rewritten."""

# Lexbor takes time by the square of the depth and of the attributes of one tag, memory by formatting tags left open times
# paragraphs. Below all of these the worst page made of one repeated piece took 0.6 s.
MAX_PLAIN_CHARS: Final = 300_000
MAX_PLAIN_TAGS: Final = 5_000
MAX_PLAIN_TAG_CHARS: Final = 20_000
MAX_REOPENED: Final = 1_000_000

_VOID: Final = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_FORMATTING: Final = frozenset("b big code em font i nobr s small strike strong tt u".split())
_RAW: Final = "script|style|noscript|iframe|textarea|title|noembed|noframes"
_END: Final = r"[\t\n\f\r />]"
_ATTRIBUTE: Final = (
    r"[\t\n\f\r /]*+([^\t\n\f\r />][^\t\n\f\r />=]*+)"
    r"""(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+("[^"]*+"|'[^']*+'|[^\t\n\f\r >"'][^\t\n\f\r >]*+)?+)?+"""
)
_UNGROUPED: Final = re.sub(r"(?<!\\)\((?!\?)", "(?:", _ATTRIBUTE)
_ATTRIBUTES = re.compile(_ATTRIBUTE)
_LONG_TAG = re.compile(rf"<[a-zA-Z][^>]{{{MAX_PLAIN_TAG_CHARS}}}")
_FORMATTING_TAG = re.compile(rf"<(?:{'|'.join(sorted(_FORMATTING))})(?={_END})", re.I)
# Possessive throughout, so that every character is looked at once. A raw element with a slash at its end may stand in <svg>,
# where it has no content, so it passes as an ordinary tag.
_TOKEN = re.compile(
    rf"""<(?:
      (?P<raw>{_RAW})(?={_END})(?:{_UNGROUPED})*+[\t\n\f\r /]*+(?<!/)>
        (?:[^<]++|<(?!/(?P=raw){_END}))*+(?:</(?P=raw)(?:{_UNGROUPED})*+[\t\n\f\r /]*+>)?+
    | (?P<end>/?)(?P<tag>[a-zA-Z][^\t\n\f\r />]*+)(?P<attributes>(?:{_UNGROUPED})*+)(?P<slash>[\t\n\f\r /]*+)>
    | !--(?:-?>|(?:[^-]++|-(?!-!?>))*+(?:--!?>|\Z))
    | (?:[!?]|/[^a-zA-Z>])[^>]*+>
    | />
    | [!?/a-zA-Z][^>]*+\Z
    )?""".replace(" ", "[ ]").replace("\n[ ]", "\n"),
    re.I | re.X,
)
