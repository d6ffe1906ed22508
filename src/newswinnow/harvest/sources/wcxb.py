"""Pages of WCXB, the Web Content eXtraction Benchmark: ``PART/html/ID.html.gz`` beside ``PART/ground-truth/ID.json``.

Where the collection comes from is said in :mod:`newswinnow.harvest.fetch`. Its pages of other types are unfit for a corpus of
articles.
"""

from pathlib import Path
from typing import Any, Final

from newswinnow.corpus.rejects import fail
from newswinnow.corpus.sites import registrable_domain
from newswinnow.harvest.sources.page import (
    PageFiles,
    Reader,
    SourcePage,
    is_plain_file,
    known_articles,
    read_html_file,
    read_json_object,
    text_or_empty,
)
from newswinnow.harvest.sources.site import site_in_html

NAME: Final = "wcxb"
LAYOUT: Final = "PART/html/ID.html.gz with PART/ground-truth/ID.json"
_SUFFIX: Final = ".html.gz"
_ARTICLE: Final = "article"


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def find_pages(folder: Path, source: str) -> list[PageFiles]:
    """List the pages of a WCXB directory.

    Parameters
    ----------
    folder
        The directory that holds ``dev`` and ``test``; ``metadata.json`` in it tells the domain of pages without a URL.
    source
        First part of the page ids.

    Returns
    -------
    The pages in order of their ids ``SOURCE/PART/ID``; none where the layout is another one.

    Raises
    ------
    CorpusError
        If ``metadata.json`` is no JSON object.
    """
    metadata = folder / "metadata.json"
    known = _mapping(read_json_object(metadata).get("files")) if is_plain_file(metadata) else {}
    found = []
    for html in sorted(folder.glob(f"*/html/*{_SUFFIX}")):
        part, number = html.parent.parent, html.name.removesuffix(_SUFFIX)
        truth = part / "ground-truth" / f"{number}.json"
        page = f"{source}/{part.name}/{number}"
        domain = text_or_empty(_mapping(known.get(number)).get("domain"))
        if is_plain_file(html):
            found.append(PageFiles(page, source, NAME, html, truth if is_plain_file(truth) else None, site=domain))
    return found


def _unfit(truth: dict[str, Any]) -> str:
    """Pages of other types hold no article; a page whose type nobody noted is taken for one."""
    kind = text_or_empty(_mapping(_mapping(truth.get("_internal")).get("page_type")).get("primary"))
    return f"page type {kind}, not {_ARTICLE}" if kind not in ("", _ARTICLE) else ""


def load_page(files: PageFiles) -> SourcePage:
    """Read one page.

    Parameters
    ----------
    files
        The page as listed.

    Returns
    -------
    The page; without an article where the benchmark gives no body.

    Raises
    ------
    CorpusError
        If a file is damaged or of another form.
    """
    truth = read_json_object(files.body) if files.body else {}
    answer = truth.get("ground_truth", {})
    if not isinstance(answer, dict):
        raise fail(str(files.body), f"ground_truth must be an object; got {type(answer).__name__}")
    html, url = read_html_file(files.html), text_or_empty(truth.get("url"))
    return SourcePage(
        files.page,
        files.source,
        html,
        known_articles(text_or_empty(answer.get("main_content")), text_or_empty(answer.get("title")), url),
        site=registrable_domain(url) or registrable_domain(files.site) or site_in_html(html),
        unfit=_unfit(truth),
    )


WCXB: Final = Reader(NAME, LAYOUT, find_pages, load_page)
