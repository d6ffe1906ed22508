"""Anyone's own pages: a folder of HTML files, the article's text beside each, and what else is known in ``pages.csv``.

Collections with a layout of their own have readers of their own.
"""

import csv
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from newswinnow.corpus.rejects import fail
from newswinnow.corpus.sites import registrable_domain
from newswinnow.harvest.sources.page import (
    PageFiles,
    Reader,
    SourcePage,
    is_plain_file,
    known_articles,
    read_html_file,
    read_text_file,
)
from newswinnow.harvest.sources.site import site_in_html

NAME: Final = "folder"
LAYOUT: Final = "NAME.html with NAME.txt beside it, in folders of any depth"
PAGES_CSV: Final = "pages.csv"
_COLUMNS: Final = ("page", "url", "title", "site")
_HTML_SUFFIXES: Final = (".html", ".htm", ".html.gz", ".htm.gz")


def _stem(path: Path) -> str | None:
    """Name of an HTML file without its suffix; None for other files."""
    suffix = next((suffix for suffix in _HTML_SUFFIXES if path.name.lower().endswith(suffix)), None)
    return path.name[: -len(suffix)] if suffix else None


def _listed(folder: Path) -> dict[str, dict[str, str]]:
    """What ``pages.csv`` says, by page."""
    path = folder / PAGES_CSV
    if not is_plain_file(path):
        return {}
    lines = csv.DictReader(read_text_file(path).replace("\r\n", "\n").split("\n"), strict=True)
    try:
        columns = list(lines.fieldnames or [])
    except csv.Error as error:
        raise fail(str(path), f"must be valid CSV; got {error}", line=1) from error
    if _COLUMNS[0] not in columns or not set(columns) <= set(_COLUMNS):
        raise fail(str(path), f"must have the column page and may have {', '.join(_COLUMNS[1:])}; got {', '.join(columns)}")
    return dict(_checked_rows(lines, path))


def _checked_rows(lines: "csv.DictReader[str]", path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    seen = set()
    try:
        for row in lines:
            page = row["page"]
            if None in row or None in row.values():
                raise fail(str(path), "must have as many fields as columns; got another number", line=lines.line_num)
            if page in seen:
                raise fail(str(path), f"page must stand once; got {page!r} again", line=lines.line_num)
            seen.add(page)
            yield page, row
    except csv.Error as error:
        raise fail(str(path), f"must be valid CSV; got {error}", line=lines.line_num) from error


def _body_of(html: Path, stem: str) -> Path | None:
    names = (f"{stem}.txt", f"{stem}.txt.gz")
    return next((path for path in map(html.with_name, names) if is_plain_file(path)), None)


def _html_files(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        stem = _stem(path)
        if stem is None or any(part.startswith(".") for part in path.relative_to(folder).parts) or not is_plain_file(path):
            continue
        page = (PurePosixPath(*path.parent.relative_to(folder).parts) / stem).as_posix()
        if page in found:
            raise fail(str(path), f"must differ from other pages in more than its suffix; got {found[page].name} beside it")
        found[page] = path
    return found


def _domain_named(page: str) -> str:
    """The first folder a page stands in, if it is called like a domain."""
    first, slash, _ = page.partition("/")
    return first if slash and "." in first else ""


def find_pages(folder: Path, source: str) -> list[PageFiles]:
    """List the pages of a folder.

    ``pages.csv`` may give the ``url``, ``title`` and ``site`` of a ``page``, which is its HTML file's path without suffix. A page
    without a site takes that of its URL, else of the first folder it stands in if that is named like a domain, else of the
    canonical address that the page gives itself.

    Parameters
    ----------
    folder
        The folder.
    source
        First part of the page ids.

    Returns
    -------
    The pages in order of their ids ``SOURCE/PATH``; links and hidden files are passed over.

    Raises
    ------
    CorpusError
        If ``pages.csv`` is malformed or names a page that is not there, or two files would be one page.
    """
    listed, htmls = _listed(folder), _html_files(folder)
    for page in listed:
        if page not in htmls:
            raise fail(str(folder / PAGES_CSV), f"page must be the path of an HTML file without its suffix; got {page!r}")
    found = []
    for page, html in sorted(htmls.items()):
        row = listed.get(page, {})
        url, title = row.get("url", ""), row.get("title", "")
        # What somebody wrote down goes before what a folder is called.
        site = row.get("site") or url or _domain_named(page)
        body = _body_of(html, PurePosixPath(page).name)
        found.append(PageFiles(f"{source}/{page}", source, NAME, html, body, url=url, title=title, site=site))
    return found


def load_page(files: PageFiles) -> SourcePage:
    """Read one page.

    Parameters
    ----------
    files
        The page as listed.

    Returns
    -------
    The page; without an article where no text file stands beside it.

    Raises
    ------
    CorpusError
        If a file is damaged.
    """
    body = read_text_file(files.body) if files.body else ""
    html = read_html_file(files.html)
    site = registrable_domain(files.site) or site_in_html(html)
    return SourcePage(files.page, files.source, html, known_articles(body, files.title, files.url), site=site)


FOLDER: Final = Reader(NAME, LAYOUT, find_pages, load_page)
