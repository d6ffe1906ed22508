"""Cutting a corpus into parts, such as train, dev and test, that share neither a site nor a near-duplicate paragraph.

Measuring what still leaks from part to part is left to :mod:`newswinnow.evaluation.leakage`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from newswinnow.corpus.dedup import BoolArray, Duplicates, find_duplicates
from newswinnow.corpus.similar import DuplicateRule
from newswinnow.corpus.sites import registrable_domains
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import LABEL, PAGE, SITE, TEXT, FloatArray, IntArray

FRACTIONS: Final = {"train": 0.8, "dev": 0.1, "test": 0.1}

GENERIC_SITES: Final = 20
"""A paragraph on more sites than this (cookie notices, "Leave a comment" lines) says nothing about whose they are."""

OWN_SITE: Final = "page:"
"""Begins the site of a page whose site is not known; its id follows."""


@dataclass(frozen=True)
class SplitOptions:
    """How to cut.

    Attributes
    ----------
    fractions
        Part to its share of the corpus; together 1.
    seed
        Seed of everything random.
    join_from
        Sites that share so many near-duplicate paragraphs stay together; 0 to keep only pages of one site together.
    rule
        When two paragraphs are duplicates.
    """

    fractions: Mapping[str, float] = field(default_factory=lambda: dict(FRACTIONS))
    seed: int = 0
    # Fewer shared paragraphs than this are often cookie and comment lines, which tie unrelated sites together.
    join_from: int = 3
    rule: DuplicateRule = field(default_factory=DuplicateRule)

    def __post_init__(self) -> None:
        if len(self.fractions) < 2:
            raise ValueError(f"fractions: must name at least two parts; got {', '.join(self.fractions) or 'none'}")
        if any(not 0 < share < 1 for share in self.fractions.values()) or abs(sum(self.fractions.values()) - 1) > 1e-9:
            shown = ", ".join(f"{name}={share:g}" for name, share in self.fractions.items())
            raise ValueError(f"fractions: must each lie between 0 and 1 and add up to 1; got {shown}")
        if self.seed < 0 or self.join_from < 0:
            raise ValueError(f"seed, join_from: must be >= 0; got {self.seed}, {self.join_from}")


@dataclass(frozen=True)
class Part:
    """One part of a split.

    Attributes
    ----------
    table
        Its rows, in the order of the corpus.
    n_dropped
        Rows left out because they duplicate a paragraph of another part.
    n_dropped_labelled
        Those of them that carry a label.
    """

    table: pd.DataFrame
    n_dropped: int
    n_dropped_labelled: int


@dataclass(frozen=True)
class Split:
    """A corpus in parts.

    Attributes
    ----------
    parts
        By name, in the order of the fractions.
    n_sites
        Registrable domains in the corpus.
    n_pages_without_site
        Pages whose site is not known: each was taken for a site of its own.
    joined
        Groups of sites kept together because of the paragraphs that they share, largest first.
    """

    parts: dict[str, Part]
    n_sites: int
    n_pages_without_site: int
    joined: tuple[tuple[str, ...], ...]


def parse_fractions(named: str) -> dict[str, float]:
    """Fractions from a comma-separated list.

    Parameters
    ----------
    named
        Such as ``train=0.8,test=0.2``.

    Returns
    -------
    Part to share, in the order named.

    Raises
    ------
    ValueError
        If an entry is not of the form ``name=number``, a name is no plain word, or one stands twice.

    Examples
    --------
    >>> parse_fractions("train=0.8, test=0.2")
    {'train': 0.8, 'test': 0.2}
    """
    found: dict[str, float] = {}
    for entry in named.split(","):
        name, _, share = (word.strip() for word in entry.partition("="))
        try:
            value = float(share)
        except ValueError:
            value = float("nan")
        # Parts become file names.
        if not name.isidentifier() or not name.isascii() or value != value or name in found:
            raise ValueError(
                f"fractions: must be a list of different name=number such as train=0.8,test=0.2; got {entry.strip()!r}"
            )
        found[name] = value
    return found


def sites_of(table: pd.DataFrame) -> pd.Series:
    """Registrable domain of every row.

    Parameters
    ----------
    table
        A paragraph table; a ``site`` column may be missing or have gaps.

    Returns
    -------
    Strings with the index of the table; a page whose site is not known counts as a site of its own, ``page:`` and its id.

    Raises
    ------
    ModuleNotFoundError
        If tldextract is not installed.
    ValueError
        If a page has two sites.
    """
    named = table[SITE] if SITE in table.columns else pd.Series(None, index=table.index, dtype="str")
    of_row = registrable_domains(named).astype(object)
    known = of_row.dropna().astype(str)
    several = known.groupby(table[PAGE][known.index], sort=False).nunique()
    if (several > 1).any():
        page = several.index[several > 1][0]
        raise ValueError(
            f"corpus: a page must belong to one site; got {', '.join(sorted(set(known[table[PAGE] == page])))} on {page!r}"
        )
    of_page = dict(zip(table[PAGE][known.index], known, strict=True))
    return table[PAGE].map(lambda page: of_page.get(page, f"{OWN_SITE}{page}")).astype("str")


def _house_pairs(sites: IntArray, duplicates: Duplicates, *, join_from: int) -> list[tuple[int, int]]:
    """Pairs of sites that share at least so many clusters of long paragraphs."""
    shared: Counter[tuple[int, int]] = Counter()
    for rows in duplicates.groups(only_long=True):
        here = np.unique(sites[rows]).tolist()
        if 1 < len(here) <= GENERIC_SITES:
            shared.update(combinations(here, 2))
    return [pair for pair, n in shared.items() if n >= join_from]


def _site_groups(sites: IntArray, duplicates: Duplicates, *, join_from: int) -> IntArray:
    """Group of every site; sites that share too many paragraphs are in one."""
    n_sites = int(sites.max()) + 1
    pairs = _house_pairs(sites, duplicates, join_from=join_from) if join_from else []
    first, second = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    links = coo_matrix((np.ones(len(pairs)), (first, second)), shape=(n_sites, n_sites))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)


def _weights(table: pd.DataFrame, groups: IntArray) -> FloatArray:
    """What each group holds of the corpus: its share of every label and of the pages, shape (n_groups, at most 4)."""
    n_groups = int(groups.max()) + 1
    labels = table[LABEL].to_numpy(dtype=object) if LABEL in table.columns else np.full(len(table), None)
    is_first = ~table[PAGE].duplicated().to_numpy()
    counts = [np.bincount(groups[mask], minlength=n_groups) for mask in (*(labels == label for label in LABELS), is_first)]
    totals = np.array([column.sum() for column in counts])
    shares: FloatArray = np.stack(counts, axis=1)[:, totals > 0] / totals[totals > 0]
    return shares


def assign_groups(weights: FloatArray, fractions: Sequence[float], *, seed: int) -> IntArray:
    """Give every group a part so that each part holds its fraction of everything.

    Groups are placed in order of size, the largest first, each where it brings the parts nearest to what they should hold
    (least sum of squared differences over the fraction).

    Parameters
    ----------
    weights
        What each group holds, as shares of the whole, shape (n_groups, n_things).
    fractions
        Share that each part should hold, shape (n_parts,).
    seed
        Decides between groups of equal size, and between equally good parts.

    Returns
    -------
    Index of each group's part, shape (n_groups,); no part is left empty.

    Raises
    ------
    ValueError
        If there are fewer groups than parts.
    """
    if len(weights) < len(fractions):
        raise ValueError(f"corpus: must have at least as many independent sites as parts, {len(fractions)}; got {len(weights)}")
    order = np.random.default_rng(seed).permutation(len(weights))
    order = order[np.argsort(-weights[order].max(axis=1), kind="stable")]
    wanted = np.asarray(fractions, dtype=np.float64)[:, None]
    held = np.zeros((len(fractions), weights.shape[1]))
    part_of = np.zeros(len(weights), dtype=np.int64)
    n_left = len(weights)
    for group in order:
        gain = weights[group]
        cost = ((2 * (held - wanted) + gain) * gain / wanted).sum(axis=1)
        is_empty = ~held.any(axis=1)
        if is_empty.sum() >= n_left:
            cost[~is_empty] = np.inf
        part_of[group] = part = int(np.argmin(cost))
        held[part] += gain
        n_left -= 1
    return part_of


def _is_dropped(parts: IntArray, duplicates: Duplicates, n_parts: int) -> BoolArray:
    """Rows whose cluster has more rows in another part; at equal numbers the part named first keeps its own."""
    is_dropped = np.zeros(len(parts), dtype=bool)
    for rows in duplicates.groups(only_long=True):
        counts = np.bincount(parts[rows], minlength=n_parts)
        is_dropped[rows] = parts[rows] != np.argmax(counts)
    return is_dropped


def split_by_site(table: pd.DataFrame, options: SplitOptions | None = None) -> Split:
    """Cut a corpus into parts without a site or a near-duplicate long paragraph in common.

    Whole sites (registrable domains) go to one part. Sites that share several near-duplicate paragraphs, such as the papers of
    one house, go together. A near-duplicate paragraph still on both sides, such as a cookie notice, stays in the part that has
    most copies of it and is dropped from the others. Short lines, such as menu entries, may stand on both sides.

    Parameters
    ----------
    table
        A paragraph table; labels, where it has them, are spread evenly.
    options
        How to cut.

    Returns
    -------
    The parts; the same for the same table and seed.

    Raises
    ------
    ModuleNotFoundError
        If rensa or tldextract is not installed.
    ValueError
        If the table is empty, a page has two sites, or there are fewer independent sites than parts.
    """
    options = options or SplitOptions()
    if not len(table):
        raise ValueError("corpus: must have paragraphs to split; got none")
    sites, names = pd.factorize(sites_of(table))
    duplicates = find_duplicates(table[TEXT].tolist(), options.rule)
    group_of_site = _site_groups(np.asarray(sites), duplicates, join_from=options.join_from)
    groups = group_of_site[sites]
    part_of_group = assign_groups(_weights(table, groups), list(options.fractions.values()), seed=options.seed)
    parts = part_of_group[groups]
    is_dropped = _is_dropped(parts, duplicates, len(options.fractions))
    members = [tuple(sorted(names[group_of_site == group])) for group in range(int(group_of_site.max()) + 1)]
    joined = sorted((group for group in members if len(group) > 1), key=lambda group: (-len(group), group))
    found = {name: _part(table, parts == i, is_dropped) for i, name in enumerate(options.fractions)}
    n_unknown = sum(name.startswith(OWN_SITE) for name in names)
    return Split(found, len(names) - n_unknown, n_unknown, tuple(joined))


def _part(table: pd.DataFrame, is_here: BoolArray, is_dropped: BoolArray) -> Part:
    dropped = table[is_here & is_dropped]
    n_labelled = int(dropped[LABEL].notna().sum()) if LABEL in table.columns else 0
    return Part(table[is_here & ~is_dropped], len(dropped), n_labelled)
