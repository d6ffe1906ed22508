"""Publisher test pages of flairNLP/fundus: ``COUNTRY/NAME_DATE.html.gz`` with the bodies in ``COUNTRY/NAME.json``.

Where the collection comes from is said in :mod:`newswinnow.harvest.fetch`. One JSON file serves several pages of a publisher and
does not say which body is whose; finding that out is left to :mod:`newswinnow.harvest.align`.
"""

import re
from pathlib import Path
from typing import Any, Final

from newswinnow.corpus.sites import registrable_domain
from newswinnow.harvest.align import Article
from newswinnow.harvest.sources.page import (
    PageFiles,
    Reader,
    SourcePage,
    is_plain_file,
    read_html_file,
    read_json_object,
    text_or_empty,
)
from newswinnow.harvest.sources.site import site_in_html
from newswinnow.paragraphs.table import collapse_whitespace

NAME: Final = "fundus"
LAYOUT: Final = "COUNTRY/NAME_DATE.html.gz with COUNTRY/NAME.json and COUNTRY/meta.info"
_SUFFIX: Final = ".html.gz"
_DATED = re.compile(r"(?P<publisher>.+?)_\d{4}_\d{2}_\d{2}(?:_\d+)?")


def find_pages(folder: Path, source: str) -> list[PageFiles]:
    """List the pages of a fundus test directory.

    Parameters
    ----------
    folder
        The directory that holds the countries.
    source
        First part of the page ids.

    Returns
    -------
    The pages in order of their ids ``SOURCE/COUNTRY/NAME_DATE``, their URL from ``meta.info``; none where the layout is another.

    Raises
    ------
    CorpusError
        If a ``meta.info`` is no JSON object.
    """
    metas = {path.parent: read_json_object(path) for path in sorted(folder.rglob("meta.info")) if is_plain_file(path)}
    found = []
    for html in sorted(folder.rglob(f"*{_SUFFIX}")):
        stem = html.name.removesuffix(_SUFFIX)
        dated = _DATED.fullmatch(stem)
        if dated is None or not is_plain_file(html):
            continue
        body = html.with_name(f"{dated['publisher']}.json")
        noted = metas.get(html.parent, {}).get(html.name)
        url = text_or_empty(noted.get("url")) if isinstance(noted, dict) else ""
        page = "/".join((source, *html.parent.relative_to(folder).parts, stem))
        found.append(PageFiles(page, source, NAME, html, body if is_plain_file(body) else None, url=url))
    return found


def _strings(value: object) -> list[str]:
    texts = [collapse_whitespace(text_or_empty(text)) for text in value] if isinstance(value, list) else []
    return [text for text in texts if text]


def _article(fields: object, url: str) -> Article | None:
    """One version of an article; None for what is none."""
    body = fields.get("body") if isinstance(fields, dict) else None
    if not isinstance(fields, dict) or not isinstance(body, dict):
        return None
    paragraphs = _strings(body.get("summary"))
    sections: Any = body.get("sections")
    for section in sections if isinstance(sections, list) else []:
        if isinstance(section, dict):
            paragraphs += [*_strings(section.get("headline")), *_strings(section.get("paragraphs"))]
    return Article(tuple(paragraphs), title=text_or_empty(fields.get("title")).strip(), url=url) if paragraphs else None


def load_page(files: PageFiles) -> SourcePage:
    """Read one page.

    Parameters
    ----------
    files
        The page as listed.

    Returns
    -------
    The page with all articles of its publisher; without one where no body is known.

    Raises
    ------
    CorpusError
        If a file is damaged or of another form.
    """
    fields = read_json_object(files.body) if files.body else {}
    html = read_html_file(files.html)
    articles = tuple(article for version in fields.values() if (article := _article(version, files.url)) is not None)
    return SourcePage(files.page, files.source, html, articles, site=registrable_domain(files.url) or site_in_html(html))


FUNDUS: Final = Reader(NAME, LAYOUT, find_pages, load_page)
