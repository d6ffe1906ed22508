"""Which paragraphs and pages of a corpus are the same or nearly the same, and the corpus without them.

Comparing texts is left to :mod:`newswinnow.corpus.similar`, keeping them apart to :mod:`newswinnow.corpus.splits`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from newswinnow.corpus.inspect import Clash
from newswinnow.corpus.similar import DuplicateRule, link_similar, normalised, tokens_of_key
from newswinnow.paragraphs.table import LABEL, PAGE, POSITION, TEXT, IntArray, require_columns

BoolArray = npt.NDArray[np.bool_]

PAGE_THRESHOLD: Final = 0.5
"""Two pages are near duplicates from this share of common long paragraphs on: their menus and footers may differ."""

_MIN_LONG: Final = 3
"""Pages with fewer different long paragraphs are not compared: a cookie notice alone would make them the same."""


@dataclass(frozen=True)
class Duplicates:
    """Paragraphs by cluster: two rows of one cluster are duplicates, be it through others between them.

    Attributes
    ----------
    cluster
        Number of each row's cluster in order of first appearance, shape (n_paragraphs,); a paragraph without duplicates has a
        cluster of its own.
    is_long
        Whether the row has as many words as near duplicates need, shape (n_paragraphs,).
    n_exact
        Rows equal to an earlier row.
    n_near
        Long rows that are no such repetition but near duplicates of an earlier row's cluster.
    """

    cluster: IntArray
    is_long: BoolArray
    n_exact: int
    n_near: int

    def groups(self, *, only_long: bool = False) -> list[IntArray]:
        """Row numbers of every cluster of two rows or more, in order of first appearance.

        Parameters
        ----------
        only_long
            Whether to leave short lines out.

        Returns
        -------
        One array per cluster.
        """
        rows = np.flatnonzero(self.is_long) if only_long else np.arange(len(self.cluster))
        rows = rows[np.argsort(self.cluster[rows], kind="stable")]
        borders = np.flatnonzero(np.diff(self.cluster[rows])) + 1
        return [part for part in np.split(rows, borders) if len(part) > 1]


def find_duplicates(texts: Sequence[str], rule: DuplicateRule | None = None) -> Duplicates:
    """Cluster paragraphs that are the same or nearly the same.

    Parameters
    ----------
    texts
        Paragraphs, shape (n_paragraphs,).
    rule
        When two are duplicates.

    Returns
    -------
    The clusters; the same for the same texts in the same order and the same seed.

    Raises
    ------
    ModuleNotFoundError
        If rensa is not installed.

    Examples
    --------
    >>> mayor = "The mayor opened the new bridge over the river on Monday morning"
    >>> find_duplicates(["Share", mayor + ".", "SHARE", mayor + ", at last."]).cluster.tolist()
    [0, 1, 0, 1]
    """
    rule = rule or DuplicateRule()
    numbers: dict[str, int] = {}
    keys = [normalised(text, min_words=rule.min_words) for text in texts]
    row_keys = np.array([numbers.setdefault(key, len(numbers)) for key, _ in keys], dtype=np.int64)
    is_long = np.array([long for _, long in keys], dtype=bool)
    long_keys = list(dict.fromkeys(key for key, long in keys if long))
    first = link_similar(long_keys, tokens_of_key, threshold=rule.threshold, seed=rule.seed)
    cluster_of_key = np.arange(len(numbers))
    for key, i in zip(long_keys, first, strict=True):
        cluster_of_key[numbers[key]] = numbers[long_keys[i]]
    n_near = sum(i != j for j, i in enumerate(first))
    cluster = np.asarray(pd.factorize(cluster_of_key[row_keys])[0], dtype=np.int64)
    return Duplicates(cluster, is_long, n_exact=len(keys) - len(numbers), n_near=n_near)


def duplicate_pages(table: pd.DataFrame, duplicates: Duplicates, *, seed: int = 0) -> list[tuple[str, ...]]:
    """Pages that are nearly the same: half of the long paragraphs that either has are common to both.

    Parameters
    ----------
    table
        A paragraph table.
    duplicates
        Its paragraphs by cluster.
    seed
        Seed of the sketches.

    Returns
    -------
    Page ids of every group of two pages or more, in order of first appearance; pages with fewer than
    three different long paragraphs are in none.
    """
    rows = table.loc[duplicates.is_long, [PAGE]].assign(cluster=duplicates.cluster[duplicates.is_long].astype(str))
    on_pages = ((str(page), sorted(set(part))) for page, part in rows.groupby(PAGE, sort=False)["cluster"])
    pages = {page: found for page, found in on_pages if len(found) >= _MIN_LONG}
    names = list(pages)
    first = link_similar(names, pages.__getitem__, threshold=PAGE_THRESHOLD, seed=seed)
    groups: dict[int, list[str]] = {}
    for name, i in zip(names, first, strict=True):
        groups.setdefault(i, []).append(name)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def clashing_clusters(table: pd.DataFrame, duplicates: Duplicates) -> list[Clash]:
    """Long paragraphs whose duplicates carry different labels.

    Parameters
    ----------
    table
        A paragraph table with labels.
    duplicates
        Its paragraphs by cluster.

    Returns
    -------
    One entry per cluster, with its first labelled text and where each label first stands.
    """
    require_columns(table, [LABEL], where="table")
    found = []
    for rows in duplicates.groups(only_long=True):
        part = table.iloc[rows]
        part = part[part[LABEL].notna()].drop_duplicates(LABEL)
        if len(part) > 1:
            places = {label: f"{page}:{i}" for label, page, i in zip(part[LABEL], part[PAGE], part[POSITION], strict=True)}
            found.append(Clash(str(part[TEXT].iloc[0]), places))
    return found


def _is_kept(table: pd.DataFrame, duplicates: Duplicates) -> BoolArray:
    """Of every cluster of long paragraphs one row: the first that carries a label, else the first."""
    is_kept = np.ones(len(table), dtype=bool)
    labelled = table[LABEL].notna().to_numpy() if LABEL in table.columns else np.zeros(len(table), dtype=bool)
    for rows in duplicates.groups(only_long=True):
        is_kept[rows] = False
        is_kept[rows[np.argmax(labelled[rows])]] = True
    return is_kept


@dataclass(frozen=True)
class Deduplicated:
    """A corpus without its duplicates.

    Attributes
    ----------
    table
        What is kept, order and index as they were.
    duplicates
        Paragraphs of the whole corpus by cluster.
    pages
        Groups of near-duplicate pages, the one kept first.
    clashes
        Long paragraphs whose duplicates carry different labels.
    n_page_rows
        Rows dropped with their page.
    n_paragraph_rows
        Rows dropped as repeated paragraphs of pages kept.
    """

    table: pd.DataFrame
    duplicates: Duplicates
    pages: tuple[tuple[str, ...], ...]
    clashes: tuple[Clash, ...]
    n_page_rows: int
    n_paragraph_rows: int


def deduplicate(table: pd.DataFrame, rule: DuplicateRule | None = None, *, paragraphs: bool = False) -> Deduplicated:
    """Drop near-duplicate pages and, if wanted, repeated long paragraphs.

    Parameters
    ----------
    table
        A paragraph table.
    rule
        When two paragraphs are duplicates.
    paragraphs
        Whether to drop repeated long paragraphs of different pages too; it leaves gaps, which models of page context feel.

    Returns
    -------
    Of a group of pages the one with most labels, of a cluster of paragraphs the first that is labelled; short lines stay.

    Raises
    ------
    ModuleNotFoundError
        If rensa is not installed.
    """
    rule = rule or DuplicateRule()
    duplicates = find_duplicates(table[TEXT].tolist(), rule)
    n_labels = table[LABEL].notna().groupby(table[PAGE]).sum() if LABEL in table.columns else pd.Series(dtype=int)
    groups = duplicate_pages(table, duplicates, seed=rule.seed)
    pages = tuple(tuple(sorted(group, key=lambda page: -n_labels.get(page, 0))) for group in groups)
    is_on_kept_page = ~table[PAGE].isin([page for group in pages for page in group[1:]]).to_numpy()
    kept = table[is_on_kept_page]
    n_on_kept_pages = len(kept)
    if paragraphs:
        here = Duplicates(duplicates.cluster[is_on_kept_page], duplicates.is_long[is_on_kept_page], 0, 0)
        kept = kept[_is_kept(kept, here)]
    return Deduplicated(
        table=kept,
        duplicates=duplicates,
        pages=pages,
        clashes=tuple(clashing_clusters(table, duplicates)) if LABEL in table.columns else (),
        n_page_rows=len(table) - n_on_kept_pages,
        n_paragraph_rows=n_on_kept_pages - len(kept),
    )
