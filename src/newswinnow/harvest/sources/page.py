"""What every reader of a collection gives: where a page's files stand, and the page itself with its known article.

Layouts of particular collections are left to the readers; cutting the HTML and labelling it is left to the builder.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from newswinnow.corpus.rejects import fail
from newswinnow.corpus.streams import open_bytes
from newswinnow.harvest.align import Article
from newswinnow.harvest.html import MAX_HTML_BYTES

MAX_BODY_BYTES: Final = 20 << 20


@dataclass(frozen=True)
class PageFiles:
    """Where one page of a collection stands; cheap to list and to send to another process.

    Attributes
    ----------
    page
        Id of the page, the collection's name first.
    source
        Name of the collection.
    reader
        Name of the reader that loads it.
    html
        The page's HTML, ``.gz`` if compressed.
    body
        The file that holds the known article body; None where there is none.
    url, title, site
        What the collection's own lists say of the page; empty where they say nothing.
    """

    page: str
    source: str
    reader: str
    html: Path
    body: Path | None = None
    url: str = ""
    title: str = ""
    site: str = ""


@dataclass(frozen=True)
class SourcePage:
    """One page with what its collection knows about it.

    Attributes
    ----------
    page, source
        As in :class:`PageFiles`.
    html
        The page as it came.
    articles
        The known article, in several versions where it is not said which is the page's; none where it is not known.
    site
        Registrable domain; None where it is not known.
    unfit
        Why the page should be left out of a corpus; empty for a page that is fine.
    """

    page: str
    source: str
    html: bytes
    articles: tuple[Article, ...] = ()
    site: str | None = None
    unfit: str = ""


@dataclass(frozen=True)
class Reader:
    """How one kind of collection is read.

    Attributes
    ----------
    name
        What a configuration calls it.
    layout
        Its directory layout in a few words, for messages.
    find
        Lists the pages below a directory, given the collection's name.
    load
        Reads one of them.
    """

    name: str
    layout: str
    find: Callable[[Path, str], list[PageFiles]]
    load: Callable[[PageFiles], SourcePage]


def is_plain_file(path: Path) -> bool:
    """Whether a path is a regular file; links, devices and directories are not.

    Parameters
    ----------
    path
        Any path.

    Returns
    -------
    The answer.
    """
    return not path.is_symlink() and path.is_file()


def read_html_file(path: Path) -> bytes:
    """Bytes of a page.

    Parameters
    ----------
    path
        The file, ``.gz`` to decompress.

    Returns
    -------
    At most one byte more than a page may have, for the splitter to refuse.

    Raises
    ------
    CorpusError
        If a compressed file is cut, damaged or a bomb.
    FileNotFoundError
        If there is no such file.
    """
    with open_bytes(path) as stream:
        return stream.read(MAX_HTML_BYTES + 1)


def read_text_file(path: Path) -> str:
    """Text of a small UTF-8 file, without a byte order mark.

    Parameters
    ----------
    path
        The file, ``.gz`` to decompress.

    Returns
    -------
    The text.

    Raises
    ------
    CorpusError
        If it is too large or not UTF-8.
    FileNotFoundError
        If there is no such file.
    """
    with open_bytes(path) as stream:
        data = stream.read(MAX_BODY_BYTES + 1)
    if len(data) > MAX_BODY_BYTES:
        raise fail(str(path), f"must have at most {MAX_BODY_BYTES} bytes; got more")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise fail(str(path), f"must be valid UTF-8; got byte 0x{data[error.start]:02x} at byte {error.start}") from error


def read_json_object(path: Path) -> dict[str, Any]:
    """A JSON object from a file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Its fields.

    Raises
    ------
    CorpusError
        If it is no JSON object.
    FileNotFoundError
        If there is no such file.
    """
    try:
        fields = json.loads(read_text_file(path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise fail(str(path), f"must be valid JSON; got {error}") from error
    if not isinstance(fields, dict):
        raise fail(str(path), f"must be a JSON object; got {type(fields).__name__}")
    return fields


def text_or_empty(value: object) -> str:
    """A string as it is, anything else as the empty string.

    Parameters
    ----------
    value
        A field of a JSON object.

    Returns
    -------
    The string.
    """
    return value if isinstance(value, str) else ""


def known_articles(body: str, title: str = "", url: str = "") -> tuple[Article, ...]:
    """The article of a page, if there is one.

    Parameters
    ----------
    body
        Its text.
    title
        Its title.
    url
        Address of the page.

    Returns
    -------
    One article; none where the text is empty.
    """
    return (Article(body.strip(), title=title.strip(), url=url.strip()),) if body.strip() else ()
