"""The site that a page says it belongs to, read from its HTML.

Telling the registrable domain of an address is left to :mod:`newswinnow.corpus.sites`.
"""

import html
import re
from typing import Final

from newswinnow.corpus.sites import registrable_domain

_HEAD_BYTES: Final = 400_000
# Nothing in it runs past a "<" or very far, so that a hostile page costs no more than its length.
_WITHIN: Final = rb"[^<>]{0,4000}"
_OWN_ADDRESS = re.compile(
    rb"<(?:link\b(?=%s\brel\s*=\s*[\"']?canonical\b)%s\bhref|meta\b(?=%s\bproperty\s*=\s*[\"']?og:url\b)%s\bcontent)"
    % ((_WITHIN,) * 4)
    + rb"\s*=\s*[\"']?(https?://[^\"'\s>]{4,2000})",
    re.I,
)


def site_in_html(page: bytes) -> str | None:
    """The site that a page says it belongs to.

    Parameters
    ----------
    page
        Its HTML.

    Returns
    -------
    Registrable domain of its canonical address (``link rel=canonical`` or ``og:url``, whichever stands first); None without one.

    Raises
    ------
    ModuleNotFoundError
        If tldextract is not installed.

    Examples
    --------
    >>> site_in_html(b'<link rel="canonical" href="https://www.gazette.example/bridge">')
    'gazette.example'
    """
    found = _OWN_ADDRESS.search(page[:_HEAD_BYTES])
    return registrable_domain(html.unescape(found[1].decode("utf-8", "replace"))) if found else None
