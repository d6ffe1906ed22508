"""Which harvested pages make a corpus: copies, pages held out for tests, and pages without anything to learn from are left out.

The labels that stay are joined in :mod:`newswinnow.harvest.build`.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from newswinnow.harvest.build_manifest import Dropped
from newswinnow.harvest.build_page import HarvestedPage
from newswinnow.harvest.releases import Release

UNREADABLE: Final = "unreadable"
UNFIT: Final = "unfit"
EMPTY: Final = "empty"
COPY: Final = "copy"
HELD_OUT: Final = "held out"
UNLABELLED: Final = "unlabelled"


@dataclass(frozen=True)
class KeptPage:
    """A page of the corpus with the ids of its copies, whose released labels are labels of its own paragraphs."""

    page: HarvestedPage
    copies: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids the page goes by; its own comes last."""
        return (*self.copies, self.page.files.page)


@dataclass(frozen=True)
class Selection:
    """Pages of the corpus in order of their ids, and pages left out."""

    kept: tuple[KeptPage, ...]
    dropped: tuple[Dropped, ...]


def _drop(page: HarvestedPage, kind: str, reason: str) -> Dropped:
    return Dropped(page.files.page, page.files.source, kind, reason)


def _fault_of(page: HarvestedPage) -> Dropped | None:
    if page.error:
        return _drop(page, UNREADABLE, page.error)
    if page.unfit:
        return _drop(page, UNFIT, page.unfit)
    return None if page.texts else _drop(page, EMPTY, "no visible text")


def _without_copies(pages: Sequence[HarvestedPage], releases: Sequence[Release]) -> Selection:
    """Of pages with the same paragraphs, the one with most labels released, then aligned, stays; of equals the first."""
    groups: dict[bytes, list[HarvestedPage]] = defaultdict(list)
    for page in pages:
        groups[hashlib.sha256("\n".join(page.texts).encode()).digest()].append(page)

    def rank(page: HarvestedPage) -> tuple[int, int, str]:
        n_labels = sum(len(release.pages.get(page.files.page, ())) for release in releases)
        return -n_labels, -page.n_labelled, page.files.page

    kept, dropped = [], []
    for group in groups.values():
        first, *copies = sorted(group, key=rank)
        kept.append(KeptPage(first, tuple(copy.files.page for copy in copies)))
        dropped += [_drop(copy, COPY, f"same paragraphs as {first.files.page}") for copy in copies]
    return Selection(tuple(kept), tuple(dropped))


def _held_out(kept: Sequence[KeptPage], releases: Sequence[Release]) -> dict[str, str]:
    """Reason by id of the kept page."""
    sites: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for release in releases:
        for page in kept:
            if any(name in release.pages for name in page.ids):
                reasons[page.page.files.page] = f"labelled in {release.name}"
                if page.page.site:
                    sites.setdefault(page.page.site, release.name)
    for page in kept:
        if page.page.site in sites:
            reasons.setdefault(page.page.files.page, f"site {page.page.site} labelled in {sites[page.page.site]}")
    return reasons


def select_pages(
    pages: Sequence[HarvestedPage],
    releases: Sequence[Release],
    *,
    hold_out: Collection[str],
    keep_unlabelled: Mapping[str, bool],
) -> Selection:
    """Decide which pages make the corpus.

    Parameters
    ----------
    pages
        All pages that were read.
    releases
        The label releases.
    hold_out
        Names of releases whose sites are kept out.
    keep_unlabelled
        By source, whether pages stay that got no label by alignment and have none released.

    Returns
    -------
    The decision on every page.
    """
    faults = {page.files.page: fault for page in pages if (fault := _fault_of(page)) is not None}
    unique = _without_copies([page for page in pages if page.files.page not in faults], releases)
    dropped = [*faults.values(), *unique.dropped]
    held_out = _held_out(unique.kept, [release for release in releases if release.name in hold_out])
    kept = []
    for page in sorted(unique.kept, key=lambda page: page.page.files.page):
        name = page.page.files.page
        is_labelled = any(copy in release.pages for copy in page.ids for release in releases)
        if name in held_out:
            dropped.append(_drop(page.page, HELD_OUT, held_out[name]))
        elif not (page.page.n_labelled or is_labelled or keep_unlabelled[page.page.files.source]):
            dropped.append(_drop(page.page, UNLABELLED, "no article found on it and no released labels"))
        else:
            kept.append(page)
    return Selection(tuple(kept), tuple(dropped))
