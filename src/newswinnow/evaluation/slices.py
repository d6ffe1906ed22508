"""Parts of a test set that are worth a score of their own: by source, site, length, place on the page, and links.

Scoring them is left to :mod:`newswinnow.evaluation.evaluate`, comparing models on them to
:mod:`newswinnow.evaluation.comparison`.
"""

from collections.abc import Collection, Iterator
from typing import Final

import numpy as np
import pandas as pd

from newswinnow.models.training import site_digest
from newswinnow.paragraphs.table import LINK_DENSITY, PAGE, POSITION, SITE, SOURCE, TEXT, n_words_of

LENGTH_EDGES: Final = (0, 3, 6, 11, 21, 51)
LENGTHS: Final = ("1-2 words", "3-5 words", "6-10 words", "11-20 words", "21-50 words", "over 50 words")
PLACES: Final = ("top third", "middle third", "bottom third")
LINKS: Final = ("linked", "not linked", "unknown")
SEEN: Final = "seen in training"
SITES: Final = (SEEN, "unseen", "unknown")
MAX_SOURCES: Final = 12
MIN_PAGES: Final = 10
MIN_PARAGRAPHS: Final = 50
PREFIX: Final = "slice_"
"""Columns of this prefix say which slice a row is in, where its text is not at hand."""

_ORDER: Final = {"length": LENGTHS, "position": PLACES, "links": LINKS, "site": SITES}


def is_small(n_pages: int, n_paragraphs: int) -> bool:
    """Whether a slice is too small to read much into its score.

    Parameters
    ----------
    n_pages
        Pages that it has paragraphs of.
    n_paragraphs
        Labelled paragraphs in it.

    Returns
    -------
    True below 10 pages or 50 paragraphs.
    """
    return n_pages < MIN_PAGES or n_paragraphs < MIN_PARAGRAPHS


def _length(table: pd.DataFrame) -> pd.Series:
    at = np.searchsorted(LENGTH_EDGES, np.asarray(n_words_of(table[TEXT].fillna(""))), side="right") - 1
    return pd.Series([LENGTHS[i] for i in at], index=table.index)


def _place(table: pd.DataFrame) -> pd.Series:
    rank = table.groupby(PAGE, sort=False)[POSITION].rank(method="first") - 1
    size = table.groupby(PAGE, sort=False)[POSITION].transform("size")
    third = np.minimum((3 * rank / size).to_numpy().astype(int), 2)
    return pd.Series([PLACES[i] for i in third], index=table.index, dtype="str")


def _links(table: pd.DataFrame) -> pd.Series:
    density = pd.to_numeric(table[LINK_DENSITY])
    names = np.where(density.isna(), "unknown", np.where(density >= 0.5, "linked", "not linked"))
    return pd.Series(names, index=table.index)


def _sites(table: pd.DataFrame, known_sites: Collection[str]) -> pd.Series:
    known = set(known_sites)

    def of(site: object) -> str:
        if not isinstance(site, str):
            return "unknown"
        return SEEN if site_digest(site) in known else "unseen"

    return table[SITE].map({site: of(site) for site in table[SITE].unique()}).fillna("unknown")


def _computed(table: pd.DataFrame, known_sites: Collection[str] | None) -> Iterator[tuple[str, pd.Series]]:
    if TEXT in table.columns:
        yield "length", _length(table)
    if {PAGE, POSITION, TEXT} <= set(table.columns):
        yield "position", _place(table)
    if LINK_DENSITY in table.columns and table[LINK_DENSITY].notna().any():
        yield "links", _links(table)
    if SITE in table.columns and known_sites is not None:
        yield "site", _sites(table, known_sites)
    if SOURCE in table.columns and 1 < table[SOURCE].nunique() <= MAX_SOURCES:
        yield "source", table[SOURCE]


def slices_of(table: pd.DataFrame, *, known_sites: Collection[str] | None = None) -> dict[str, pd.Series]:
    """The kinds of slices a table allows, and the slice of each of its rows.

    Parameters
    ----------
    table
        A whole paragraph table, unlabelled rows included: the place on a page counts them. Columns that begin with ``slice_``
        are taken as they are, in place of what texts and hints would say.
    known_sites
        Digests of the sites that the model was trained on; None where they are unknown.

    Returns
    -------
    Kind to slice names with the table's index; a missing value where a row is in no slice of that kind.
    """
    given = {name.removeprefix(PREFIX): table[name] for name in table.columns if str(name).startswith(PREFIX)}
    return given or dict(_computed(table, known_sites))


def slice_names(kind: str, names: pd.Series) -> list[str]:
    """The slices of a kind that occur, in the order to show them.

    Parameters
    ----------
    kind
        A kind of :func:`slices_of`.
    names
        Its value.

    Returns
    -------
    By size of what they measure where that has an order, by name otherwise.
    """
    found = set(names.dropna().astype(str))
    known = [name for name in _ORDER.get(kind, ()) if name in found]
    return known + sorted(found - set(known))
