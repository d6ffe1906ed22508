"""Shapes of short texts that tell what they are whatever page they stand on: dates, bylines, buttons, prompts, list headings.

Only the words of one paragraph are looked at; its surroundings are left to :mod:`newswinnow.harvest.align_links`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]*\.?"
_DAY = r"(mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?"
_TIME = r"\d{1,2}([:.]\d\d){1,2}\s*([ap]\.?m\.?)?|\d{1,2}\s*[ap]\.?m\.?"
_BUTTONS: Final = (
    r"read (more|full story|article|now|the (full )?(story|article))|see (all|more)|view (all|more|article|post|comments?)"
    r"|learn more|find out more|show (more|less|all)|load more|more|next|previous|prev|back( to top)?"
    r"|share( this( article| story)?)?"
    r"|tweet|print|email|save|follow( us)?|copy( link)?|comments?|reply|like|dislike|subscribe( now)?|sign (in|up|out)"
    r"|log ?(in|out)|register|search|menu|close|open|skip to [\w ]+|shop now|buy now|add to cart|download( now)?|get started"
    r"|contact( us)?|continue( reading)?|watch( now)?|listen( now)?|play|pause|submit|cancel|ok|accept( all)?"
    r"|reject( all)?|got it"
    r"|start free trial|try (it )?(for )?free|book now|apply now|donate( now)?|go|home|advertisement|ad"
    r"|advertising|sponsored|loading"
    r"|expand|collapse|report|edit|delete|toggle [\w ]+|click here|explore|discover|browse|check (price|it out)"
)


@dataclass(frozen=True)
class _Shape:
    """A pattern, the most words that a text of this shape has, and whether capitals matter; else it sees the text lowered."""

    name: str
    pattern: re.Pattern[str]
    max_words: int
    is_cased: bool


def _shape(name: str, *patterns: str, max_words: int = 40, is_cased: bool = False) -> _Shape:
    # Lowering the text once takes half the time of ignoring case in every pattern.
    return _Shape(name, re.compile("|".join(patterns)), max_words, is_cased)


_SHAPES: Final = (
    _shape(
        "date",
        rf"^\W*((published|updated|posted|created|modified|last updated|reviewed|first published)\b.{{0,30}})?({_DAY}\W+)?"
        rf"({_MONTH}\W+\d{{1,2}}\b|\d{{1,2}}(st|nd|rd|th)?\W+(of )?{_MONTH}(\W|$)|{_MONTH}\W+(19|20)\d\d"
        rf"|\d{{1,4}}[./-]\d{{1,2}}[./-]\d{{1,4}}|{_TIME}|\d+\s*(sec|min|hour|hr|day|week|month|year|h|m|d)s?\b\.? ago"
        r"|(a|an|one) (minute|hour|day|week|month|year) ago|today|yesterday)",
        max_words=14,
    ),
    _shape(
        "byline",
        r"^\W*(by|written by|words by|story by|from|authors?|reviewed by|edited by|medically reviewed by"
        r"|fact.checked by)\b[: ]+\S",
        max_words=14,
    ),
    _shape(
        "count",
        r"^\W*\d[\d,.]*\s*[km]?\s*\+?\s*(comments?|shares?|views?|likes?|replies|min(ute)?s?( read| listen)?|reads?|photos?"
        r"|votes?|reviews?|items?)?\W*$",
        max_words=6,
    ),
    _shape("read time", r"\b\d+\s*-?(min(ute)?s?)\b\.?( (read|listen|watch))", max_words=12),
    _shape(
        "legal",
        r"©|\(c\)|copyright|all rights reserved|terms (of|and)|privacy (policy|notice)|cookies?\b|gdpr|affiliate|commission",
        r"registered in",
    ),
    _shape("button", rf"^\W*({_BUTTONS})\W*$", max_words=5),
    _shape(
        "prompt",
        r"newsletter|subscri(be|ption|ber)|sign(ing)? up|sign in|log ?in|inbox|free trial|follow us|join (us|our|the)",
        r"(download|get) (our|the) (app|latest)|donat(e|ion)|support (us|our)|leave a (reply|comment)|your email"
        r"|comment(s|ing)",
        r"advertis|sponsored|click here|contact us",
    ),
    _shape(
        "pointer",
        r"^\W*((read|see|watch|listen|check out|explore|learn|find out|discover) (more|also|next|now|the full|our"
        r"|this|how|here|it|all)\b)",
        r"^\W*(related\b.{0,20}:|also read|more (on|about|from|in)\b|don.?t miss|recommended( reading)?:|up next"
        r"|(see|read|watch|more):)",
        r"^\W*(further reading|for more|(previous|next)\b.{0,12}\w|keep reading)",
    ),
    _shape(
        "list heading",
        r"^\W*(you )?(may|might|will) (also )?(like|enjoy|be interested)\b",
        r"^\W*(most|more|also) (read|popular|viewed|shared|watched|recent|stories|news|articles|posts|from|in|on"
        r"|to explore|like this)\b",
        r"^\W*(more|most) (great|headlines|top)\b|^\W*top (stories|news|picks|articles|posts|reads|headlines)\b|^\W*best of\b",
        r"^\W*(related|recommended|trending|latest|popular|recent|featured|similar|suggested|sponsored|promoted"
        r"|other|headlines)\b",
        r"^\W*(editor.?s.? (picks?|choice)|read (next|more|this next|also)|(keep|continue) reading|up next"
        r"|what to read|don.?t miss)\b",
        r"^\W*(more$|must.reads?|in case you missed|just in|new(est)? (from|in|on|posts|articles)|news(room)?$"
        r"|stories$|in the news)\b",
        r"^\W*((around|from) the web|from our|(explore|discover) more|further reading|see also|(next|previous) (up"
        r"|post|article))\b",
        r"^\W*(watch next|hot topics|spotlight|what.s (new|hot)|highlights)\b",
        max_words=12,
    ),
    _shape(
        "credit",
        r"^\W*(photo|image|picture|video|illustration|credit|source|courtesy|photograph|getty|reuters|afp|ap photo"
        r"|screenshot|graphic)s?\b"
        r"(\s*(credit|by|courtesy|source|:|/|©|via)|\W*$)",
        r"^\W*(via |file photo)|(getty images|shutterstock|istock|reuters|afp|unsplash|/ap|pexels|adobe stock|alamy)\)?\W*$",
        max_words=20,
    ),
    _shape("price", r"^\W*[$£€₹]\s?\d|\b\d+% off\b|^\W*from [$£€]", max_words=14),
    _shape(
        "address",
        r"\S+@\S+\.\w+|\b(tel|phone|fax)\b|\+?\d[\d ()-]{8,}\d|\b(street|avenue|suite|p\.?o\.? box)\b.*\d{4}",
        max_words=24,
    ),
    _shape(
        "contents",
        r"^\W*(table of contents|contents|in this (article|guide|post|story)|on this page|jump to( section)?"
        r"|what.s inside)\W*$",
        r"^\W*(article contents|key takeaways|overview)\W*$",
        max_words=6,
    ),
    _shape("questions", r"^\W*(q|a|q&a|faqs?|frequently asked questions)\W*$", max_words=4),
    _shape("number", r"^\W*\d[\d\W]*$", max_words=4),
    _shape("sign", r"^\W+$", max_words=2),
    _shape("web address", r"^(https?://|www\.)\S+$", max_words=2),
    _shape("bracketed", r"^\(.*\)$|^\[.*\]$", max_words=30),
    _shape("separated", r"\s[|•·»›>/]\s|\w[|•·]\w", max_words=24),
    _shape("dated inside", rf"\b{_MONTH}\W+\d{{1,2}}\b.{{0,3}}(19|20)\d\d", max_words=24),
    _shape("glued", r"[a-z][A-Z]", max_words=24, is_cased=True),
    _shape("question", r"\?\W*$", max_words=30),
    _shape("quoted", r"^[\"“‘']"),
    _shape("second person", r"\b(you|your|we|our|us)\b"),
    _shape("citation", r"\bet al\b|\(\d{4}\)|\bdoi\b|\bpp?\. \d|^\W*\[?\d+\]"),
    _shape(
        "piece",
        r"^(how|why|what|when|which|where|is|are|can|do|does|should|\d+)\b",
        r"\b(review|guide|recipe|vs\.?|tips|ways|ideas|best|top \d+|explained|podcast|video|episode)\b",
        max_words=24,
    ),
)
_HEAD_CHARS: Final = 400
_WORD_BOUNDS: Final = (1, 2, 3, 5, 8, 14, 24)
_CAPITAL = re.compile(r"\b[A-Z][\w’']*")
_LONG_WORD = re.compile(r"\b[A-Za-z][\w’']*")


def n_words_name(n_words: int) -> str:
    """Name of the length class of a text.

    Parameters
    ----------
    n_words
        Its words.

    Returns
    -------
    Such as ``"words: 4-5"``.

    Examples
    --------
    >>> n_words_name(4), n_words_name(100)
    ('words: 4-5', 'words: 25+')
    """
    low = 0
    for bound in _WORD_BOUNDS:
        if n_words <= bound:
            return f"words: {n_words}" if bound <= 3 else f"words: {low + 1}-{bound}"
        low = bound
    return f"words: {low + 1}+"


def _ending(text: str) -> str:
    last = text.rstrip("\"”’')»")[-1:]
    if last in ".!":
        return "end: sentence"
    return {"?": "end: ?", ":": "end: :", "…": "end: ..."}.get(last, "end: open")


def _case(text: str) -> str:
    words = _LONG_WORD.findall(text)
    if not words:
        return "case: none"
    if len(words) > 1 and text.isupper():
        return "case: upper"
    share = len(_CAPITAL.findall(text)) / len(words)
    return (
        "case: title"
        if share > 0.65
        else "case: sentence"
        if share < 0.35 or text.lstrip("\"“‘'([")[:1].isupper()
        else "case: mixed"
    )


def _matches(text: str, n_words: int) -> Iterator[str]:
    head = text[:_HEAD_CHARS]
    lowered = head.lower()
    for shape in _SHAPES:
        if n_words <= shape.max_words and shape.pattern.search(head if shape.is_cased else lowered):
            yield shape.name


@lru_cache(maxsize=1 << 12)
def shapes_of(text: str) -> tuple[str, ...]:
    """Shapes that a text has.

    Parameters
    ----------
    text
        A paragraph, whitespace collapsed.

    Returns
    -------
    Names, the length class first.

    Examples
    --------
    >>> shapes_of("By Jane Doe")
    ('words: 3', 'end: open', 'case: title', 'byline')
    """
    n_words = len(text.split())
    return (n_words_name(n_words), _ending(text), _case(text), *_matches(text, n_words))
