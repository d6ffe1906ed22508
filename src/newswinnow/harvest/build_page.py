"""One page of a collection into labelled paragraphs, with the digests of what it was made from; runs in worker processes.

Which pages stay and what becomes of their labels is decided in :mod:`newswinnow.harvest.build`.
"""

import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final, Protocol

import pandas as pd

from newswinnow.harvest.align import REASON, align_html
from newswinnow.harvest.fetch import file_sha256
from newswinnow.harvest.html import table_from_html
from newswinnow.harvest.sources import load_page
from newswinnow.harvest.sources.page import PageFiles, SourcePage
from newswinnow.paragraphs.table import LABEL, LINK_DENSITY, TAG, TEXT

_CHUNK_PAGES: Final = 8


class Aligner(Protocol):
    """Labels the paragraphs of a page by its known article."""

    def __call__(self, page: SourcePage) -> pd.DataFrame:
        """A table of its paragraphs: ``text``, ``tag``, ``link_density``, ``label`` (null where doubtful) and ``reason``."""


@dataclass(frozen=True)
class HarvestedPage:
    """What became of one page.

    Attributes
    ----------
    files
        The page as listed.
    inputs
        sha256 by file read.
    site
        Registrable domain; None where it is not known.
    unfit
        Why the page should be left out; empty if it should not.
    error
        Why it could not be read; empty if it could.
    texts, tags, link_densities, labels, reasons
        Its paragraphs in order, one entry each.
    """

    files: PageFiles
    inputs: dict[Path, str]
    site: str | None = None
    unfit: str = ""
    error: str = ""
    texts: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    link_densities: tuple[float, ...] = ()
    labels: tuple[str | None, ...] = ()
    reasons: tuple[str | None, ...] = ()

    @property
    def n_labelled(self) -> int:
        """Paragraphs that alignment gave a label."""
        return sum(label is not None for label in self.labels)


def align_source_page(page: SourcePage) -> pd.DataFrame:
    """Label a page's paragraphs with the project's own alignment.

    Parameters
    ----------
    page
        A page with a known article.

    Returns
    -------
    As :class:`Aligner` says.
    """
    return align_html(page.html, *page.articles, page=page.page)


def _unaligned(page: SourcePage) -> pd.DataFrame:
    return table_from_html(page.html, page=page.page).assign(**{LABEL: None, REASON: None})


def _or_none(values: pd.Series) -> tuple[str | None, ...]:
    return tuple(str(value) if isinstance(value, str) else None for value in values.astype(object))


def _one_line(error: Exception) -> str:
    return str(error).replace("\n", "; ")


def harvest_page(files: PageFiles, align: Aligner) -> HarvestedPage:
    """Read, split and align one page.

    Parameters
    ----------
    files
        The page as listed.
    align
        Labels its paragraphs where an article is known.

    Returns
    -------
    The page's paragraphs, or why there are none.
    """
    inputs: dict[Path, str] = {}
    try:
        for path in filter(None, (files.html, files.body)):
            inputs[path] = file_sha256(path)
        page = load_page(files)
    except (ValueError, OSError) as error:
        return HarvestedPage(files, inputs, error=_one_line(error))
    if page.unfit:
        return HarvestedPage(files, inputs, unfit=page.unfit)
    try:
        table = align(page) if page.articles else _unaligned(page)
    except ValueError as error:
        return HarvestedPage(files, inputs, error=f"{files.html}: {_one_line(error)}")
    return HarvestedPage(
        files,
        inputs,
        site=page.site,
        texts=tuple(table[TEXT]),
        tags=tuple(table[TAG]),
        link_densities=tuple(map(float, table[LINK_DENSITY])),
        labels=_or_none(table[LABEL]),
        reasons=_or_none(table[REASON]),
    )


@contextmanager
def _mapped(files: Sequence[PageFiles], align: Aligner, workers: int) -> Iterator[Iterator[HarvestedPage]]:
    work = partial(harvest_page, align=align)
    if workers == 1:
        yield map(work, files)
        return
    # Fresh processes: forking one that may hold threads can hang.
    # Ctrl-C reaches the whole group: the parent stops the workers, so they need not say anything themselves.
    ignore = (signal.SIGINT, signal.SIG_IGN)
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=signal.signal, initargs=ignore)
    try:
        yield pool.map(work, files, chunksize=_CHUNK_PAGES)
    finally:
        pool.shutdown(cancel_futures=True)


def harvest_pages(files: Sequence[PageFiles], align: Aligner, *, workers: int) -> Iterator[HarvestedPage]:
    """Read, split and align pages, several at a time.

    Parameters
    ----------
    files
        The pages as listed.
    align
        As for :func:`harvest_page`; with more than one worker it must be importable by name.
    workers
        Processes, at least 1.

    Yields
    ------
    The pages in the order given, whatever the number of workers.

    Raises
    ------
    ValueError
        If there is to be no worker.
    RuntimeError
        If a worker died; the message names the pages it may have died of.
    """
    if workers < 1:
        raise ValueError(f"workers: must be at least 1; got {workers}")
    n_done = 0
    with _mapped(files, align, workers) as pages:
        try:
            for page in pages:
                yield page
                n_done += 1
        except BrokenProcessPool as error:
            first, last = files[n_done].page, files[min(n_done + workers * _CHUNK_PAGES, len(files)) - 1].page
            raise RuntimeError(f"{first} to {last}: every page must leave its worker alive; got a worker that died") from error
