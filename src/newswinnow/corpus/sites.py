"""Which site an address belongs to: its registrable domain by the public suffix list that tldextract carries, offline.

Reading the address of a page from its HTML is left to :mod:`newswinnow.harvest`; needs the ``clean`` extra.
"""

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from newswinnow.paragraphs.table import PAGE, SITE

if TYPE_CHECKING:
    import pandas as pd


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


def registrable_domains(sites: "pd.Series") -> "pd.Series":
    """Registrable domain of every site.

    Parameters
    ----------
    sites
        URLs or host names, or missing.

    Returns
    -------
    The domains; missing where the site is, or where it is empty.

    Raises
    ------
    ModuleNotFoundError
        If tldextract is not installed.
    """
    return sites.map({site: registrable_domain(site) for site in sites.dropna().unique()})


def without_sites_of(table: "pd.DataFrame", others: Iterable["pd.DataFrame"]) -> "pd.DataFrame":
    """Rows of other pages and other registrable domains than those of some tables.

    Parameters
    ----------
    table
        What is to be learnt from.
    others
        What is to be scored.

    Returns
    -------
    The rows kept, index and columns as they were; a row without a site stays if its page does.

    Raises
    ------
    ModuleNotFoundError
        If tldextract is not installed.
    """
    pages: set[str] = set()
    domains: set[str] = set()
    for other in others:
        pages.update(other[PAGE])
        if SITE in other.columns:
            domains.update(registrable_domains(other[SITE]).dropna())
    is_shared = table[PAGE].isin(pages)
    if SITE in table.columns:
        is_shared |= registrable_domains(table[SITE]).isin(domains)
    return table[~is_shared]
