"""Collections of pages with known article bodies: WCXB, fundus test pages, and anyone's folder of HTML and text.

Each reader lists pages and loads one; turning them into labelled paragraphs is left to :mod:`newswinnow.harvest.build`.
"""

from pathlib import Path
from typing import Final

from newswinnow.harvest.sources.folder import FOLDER
from newswinnow.harvest.sources.fundus import FUNDUS
from newswinnow.harvest.sources.page import PageFiles, SourcePage
from newswinnow.harvest.sources.wcxb import WCXB

READERS: Final = {reader.name: reader for reader in (WCXB, FUNDUS, FOLDER)}


def find_pages(reader: str, folder: Path, *, source: str) -> list[PageFiles]:
    """List the pages of a collection.

    Parameters
    ----------
    reader
        A name in ``READERS``.
    folder
        The collection's directory.
    source
        Name of the collection, first part of its page ids.

    Returns
    -------
    The pages in order of their ids, at least one.

    Raises
    ------
    FileNotFoundError
        If the directory does not exist.
    ValueError
        If the reader is unknown or finds no page.
    """
    if reader not in READERS:
        raise ValueError(f"reader: must be one of {', '.join(READERS)}; got {reader!r}")
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder}: must be an existing directory; got {'a file' if folder.exists() else 'nothing there'}"
        )
    found = READERS[reader].find(folder, source)
    if not found:
        raise ValueError(f"{folder}: must hold pages as {READERS[reader].layout}; got none")
    return sorted(found, key=lambda files: files.page)


def load_page(files: PageFiles) -> SourcePage:
    """Read one page of a collection.

    Parameters
    ----------
    files
        The page as listed by :func:`find_pages`.

    Returns
    -------
    The page.

    Raises
    ------
    ValueError
        If a file is damaged, too large or of another form.
    """
    return READERS[files.reader].load(files)
