"""What the names around a paragraph say: words of classes, ids and roles in groups such as menu, related or caption.

The vocabulary stands here alone; weighing a name against everything else is left to :mod:`newswinnow.harvest.align`.
"""

from functools import lru_cache
from typing import Final

_GROUPS: Final[dict[str, str]] = {
    "menu": (
        "nav navigation navbar menu submenu dropdown megamenu mega topbar navlist subnav menubar hamburger drawer "
        "menuitem offcanvas"
    ),
    "footer": "footer foot colophon bottombar",
    "header": "header masthead hero topper banner intro",
    "breadcrumb": "breadcrumb breadcrumbs crumb crumbs",
    "share": "share sharing social socials sharer sharebar addthis facebook twitter whatsapp pinterest linkedin follow",
    "related": (
        "related recirc recirculation recommended recommend recommendation recommendations relatedposts "
        "relatedarticles linked also similar"
    ),
    "popular": "trending popular latest recent most mostread top featured headlines recommends picks newest best",
    "next": "next prev previous pagination pager neighbour adjacent upnext continue",
    "teaser": (
        "teaser teasers card cards tile tiles river feed stream listing grid carousel slider swiper slide promo "
        "promos item items story stories"
    ),
    "comments": "comment comments disqus reply respond commentlist discussion coral viafoura",
    "byline": (
        "author authors byline bylines bio biography contributor contributors writer avatar profile authorbox person reviewer"
    ),
    "date": "date dates time timestamp dateline published updated datetime pubdate ago",
    "meta": "meta metadata info details stats readtime reading duration",
    "tags": "tag tags topic topics category categories cat keyword keywords kicker eyebrow taxonomy badge chip pill",
    "newsletter": (
        "newsletter newsletters subscribe subscription subscriptions signup optin mailchimp paywall regwall piano "
        "membership donate register email"
    ),
    "advert": (
        "ad ads adv advert advertisement advertising sponsor sponsored promoted dfp gpt adslot adunit taboola "
        "outbrain partner affiliate"
    ),
    "caption": "caption captions figcaption imagecaption",
    "picture": "image images figure gallery photo photos picture media slideshow lightbox video player",
    "credit": "credit credits copyright attribution source courtesy photographer rights",
    "notice": (
        "modal popup overlay cookie cookies consent gdpr onetrust dialog alert notification toast disclaimer "
        "disclosure notice legal"
    ),
    "sidebar": "sidebar aside side rail widget widgets complementary sticky secondary",
    "contents": "toc contents tableofcontents anchors jump outline",
    "title": "headline headlines title titles heading hed subject",
    "summary": (
        "summary excerpt description desc deck dek standfirst subtitle subhead subheadline blurb snippet lede lead abstract"
    ),
    "text": "content entry body post text richtext prose wysiwyg paragraph rte copy articlebody",
    "article": "article main story single",
    "product": "product products price prices shop cart buy deal deals offer offers sku store retail",
    "form": "form search input login filter filters select field checkbox signin account",
    "quote": "quote pullquote blockquote testimonial tweet embed",
    "button": "btn button buttons cta toggle action actions link readmore",
    "faq": "faq faqs accordion question answer collapsible",
    "hidden": "sr screenreader visuallyhidden hidden invisible offscreen print noprint",
    "list": "list lists ul ol row rows",
    "tool": "tool toolbar tools utility utilities bar strip ticker weather stock language lang locale region",
    "reference": "reference references footnote footnotes citation cite endnote bibliography sources",
}
_GROUP_OF: Final = {word: group for group, words in _GROUPS.items() for word in words.split()}


@lru_cache(maxsize=1 << 14)
def groups_of_names(names: tuple[str, ...]) -> frozenset[str]:
    """Groups that the words of an element's names belong to.

    Parameters
    ----------
    names
        Lower-case words of classes, ids and roles.

    Returns
    -------
    Names of groups; words of no group are passed over.

    Examples
    --------
    >>> sorted(groups_of_names(("related", "posts", "nav")))
    ['menu', 'related']
    """
    return frozenset(_GROUP_OF[name] for name in names if name in _GROUP_OF)


@lru_cache(maxsize=1 << 14)
def groups_around(elements: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """Groups of several elements, each once, in the order of the elements.

    Parameters
    ----------
    elements
        Names per element.

    Returns
    -------
    Names of groups.

    Examples
    --------
    >>> groups_around((("btn",), ("site", "nav"), ("btn", "footer")))
    ('button', 'menu', 'footer')
    """
    return tuple(dict.fromkeys(group for names in elements for group in sorted(groups_of_names(names))))
