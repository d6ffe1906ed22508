"""Which site an address belongs to: its registrable domain by the public suffix list that tldextract carries, offline.

Reading the address of a page from its HTML is left to :mod:`newswinnow.harvest`; needs the ``clean`` extra.
"""

from functools import cache
from typing import Any


@cache
def _extractor() -> Any:
    try:
        import tldextract
    except ImportError as error:
        raise ModuleNotFoundError(
            "sites: telling registrable domains needs tldextract; got no such package (pip install 'newswinnow[clean]')"
        ) from error
    # No addresses to load the list from and no cache: the bundled snapshot, whatever the network.
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


@cache
def registrable_domain(address: str) -> str | None:
    """Registrable domain of an address.

    Blogs below one host of a platform (``a.blogspot.com``) are one site: they share its template.

    Parameters
    ----------
    address
        A URL or a host name.

    Returns
    -------
    The domain in lower case; the bare host where there is no domain (``localhost``, an IP address); None for an empty address.

    Raises
    ------
    ModuleNotFoundError
        If tldextract is not installed.

    Examples
    --------
    >>> [registrable_domain(name) for name in ("https://news.paper.co.uk/a?b=c", "WWW.Gazette.example", "127.0.0.1", "")]
    ['paper.co.uk', 'gazette.example', '127.0.0.1', None]
    """
    found = _extractor()(address.strip())
    if found.top_domain_under_public_suffix:
        return str(found.top_domain_under_public_suffix).lower()
    # The list's own rule for an unlisted top-level domain (".example"): its next label is the registrable one.
    labels = [label for label in (*found.subdomain.split(".")[-1:], found.domain) if label]
    return ".".join(labels).lower() or str(found.suffix).lower() or None
