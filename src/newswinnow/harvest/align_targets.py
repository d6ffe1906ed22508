"""What a link's target looks like from its address alone: an article, a section, a tag, a share button, a place on the same page.

Nothing is fetched; what the linked text is, is decided in :mod:`newswinnow.harvest.align`.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

MIN_SLUG_WORDS: Final = 4


class Target(StrEnum):
    """Kinds of link targets."""

    NONE = "no target"
    SAME_PAGE = "same page"
    ACTION = "action"
    SHARE = "share"
    ADVERT = "advert"
    TAG = "tag"
    PERSON = "person"
    SERVICE = "service"
    HOME = "home"
    SECTION = "section"
    ARTICLE = "article"
    LEAF = "leaf"
    OTHER = "other"


@dataclass(frozen=True)
class LinkTarget:
    """Kind of a target, whether it leaves the page's host, the words of its last path segment, and the path before that."""

    kind: Target
    is_external: bool
    slug: tuple[str, ...]
    directory: str = ""


_NOWHERE: Final = LinkTarget(Target.NONE, False, ())
_ACTIONS: Final = ("javascript:", "mailto:", "tel:", "sms:", "whatsapp:", "data:", "about:")
_SHARE: Final = re.compile(
    r"(facebook|fb)\.com/(sharer|share|dialog)|(twitter|x)\.com/(intent|share)|linkedin\.com/share|pinterest\.[a-z.]+/pin/create"
    r"|reddit\.com/submit|wa\.me|api\.whatsapp|t\.me/share|bsky\.app/intent|tumblr\.com/(share|widgets)|news\.ycombinator\.com/submit"
    r"|getpocket\.com|flipboard\.com|addtoany|print=|/print/?$|email-?a-?friend"
    r"|^https?://(www\.|m\.|[a-z]{2}\.)?(facebook|twitter|x|instagram|linkedin|youtube|tiktok|pinterest|threads|bsky|snapchat)"
    r"\.(com|net|app)(/(@?[\w.-]+|(user|company|channel|c|in|profile|school)/[\w.%-]+))?/?$"
)
_ADVERT: Final = re.compile(r"taboola|outbrain|doubleclick|adclick|/aclk|adservice|zergnet|revcontent|mgid\.com|sponsored")
_TAG: Final = re.compile(
    r"/(tags?|topics?|category|categories|keywords?|hashtag|label|labels|genre|series|collections?|archives?)(/|$)"
)
_PERSON: Final = re.compile(
    r"/(authors?|by|people|person|profiles?|contributors?|staff|team|users?|columnists?|writers?|editors?|experts?)(/|$)"
)
_SERVICE: Final = re.compile(
    r"(^|[/.-])(about|about-us|contact|contact-us|privacy|terms|cookies?|legal|careers?|jobs|advertis\w*|subscri\w+|newsletters?|login|log-in"
    r"|sign-?in|sign-?up|register|account|my-account|help|faqs?|support|sitemap|rss|feeds?|search|cart|checkout|shop|store|donate|membership"
    r"|accessibility|press|disclaimer|copyright|imprint|impressum|policy|policies|privacy-policy|terms-of-(use|service)|cookie-policy"
    r"|privacy-notice|terms-conditions|terms-and-conditions|ethics|corrections?|editorial-\w+)(\.\w+)?/?$"
)
_DATE: Final = re.compile(r"/(19|20)\d\d(/|-|_)?(0?[1-9]|1[0-2]|[a-z]{3})(/|-|_|\d)")
_ID: Final = re.compile(r"\d{5,}|-[a-z0-9]*\d[a-z0-9]{4,}$|(^|[-_/])[a-f0-9]{8,}$")
_SUFFIX: Final = re.compile(r"\.(html?|php|aspx?|jsp|cms|stm|ece|shtml)$")
_FILE: Final = re.compile(r"\.(pdf|jpe?g|png|gif|webp|svg|mp[34]|zip|docx?|xlsx?|epub)$")
_WORD: Final = re.compile(r"[^\W_]+")


def _host(parts: SplitResult) -> str:
    return (parts.netloc.lower().rpartition("@")[2]).removeprefix("www.").partition(":")[0]


def _owner(host: str) -> str:
    """Last two labels of a host, three where the second last is short (``co.uk``): near enough to tell one's own links."""
    labels = host.split(".")
    return ".".join(labels[-3:] if len(labels) > 2 and len(labels[-2]) <= 3 else labels[-2:])


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:
        return SplitResult("", "", "", "", "")


def _kind_of_path(path: str, query: str, slug: tuple[str, ...]) -> Target:
    """Kind of a target on some site, told by its path."""
    if path in ("", "/") or re.fullmatch(r"/([a-z]{2}(-[a-z]{2})?|index\.\w+|home)/?", path):
        return Target.OTHER if query else Target.HOME
    if _FILE.search(path):
        return Target.OTHER
    for pattern, kind in ((_PERSON, Target.PERSON), (_TAG, Target.TAG), (_SERVICE, Target.SERVICE)):
        if pattern.search(path) and len(slug) < MIN_SLUG_WORDS + 1:
            return kind
    if len(slug) >= MIN_SLUG_WORDS or _DATE.search(path) or (_ID.search(path) and len(slug) > 1):
        return Target.ARTICLE
    return Target.LEAF if len(slug) >= 3 or _ID.search(path) or _SUFFIX.search(path) else Target.SECTION


@lru_cache(maxsize=1 << 14)
def target_of(href: str, page_url: str) -> LinkTarget:
    """What a link's address tells about its target.

    Parameters
    ----------
    href
        The address as it stands on the page.
    page_url
        Address of the page; empty where unknown, every absolute link then counts as one to another host.

    Returns
    -------
    The target; one that cannot be read as an address has no kind.

    Examples
    --------
    >>> str(target_of("/2024/05/bridge-opens-after-long-delay", "https://a.example/x").kind)
    'article'
    >>> str(target_of("/sport", "https://a.example/x").kind)
    'section'
    """
    if not href:
        return _NOWHERE
    lowered = href.lower()
    if lowered.startswith(_ACTIONS):
        return LinkTarget(Target.ACTION, False, ())
    if href.startswith("#"):
        return LinkTarget(Target.SAME_PAGE if len(href) > 1 else Target.ACTION, False, ())
    return _target_of_address(lowered, page_url)


def _target_of_address(href: str, page_url: str) -> LinkTarget:
    base, page = page_url.lower(), _split(page_url.lower())
    try:
        target = _split(urljoin(base, href))
    except ValueError:
        return _NOWHERE
    is_external = bool(target.netloc) and _owner(_host(target)) != _owner(_host(page))
    directory, _, last = _SUFFIX.sub("", target.path.rstrip("/")).rpartition("/")
    slug = tuple(word for word in _WORD.findall(last) if not word.isdigit())
    if (_host(target), target.path.rstrip("/")) == (_host(page), page.path.rstrip("/")) and target.path.strip("/"):
        return LinkTarget(Target.SAME_PAGE if target.fragment else Target.ACTION, False, slug)
    if _SHARE.search(href):
        return LinkTarget(Target.SHARE, is_external, slug)
    if _ADVERT.search(href):
        return LinkTarget(Target.ADVERT, is_external, slug)
    return LinkTarget(_kind_of_path(target.path, target.query, slug), is_external, slug, directory)
