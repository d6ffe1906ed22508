"""From collections and label releases to one labelled corpus and a manifest of what it was made of: same inputs, same bytes.

Reading and aligning single pages is left to :mod:`newswinnow.harvest.build_page`, choosing among them to
:mod:`newswinnow.harvest.build_select`, splitting the corpus to :mod:`newswinnow.corpus`.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path
from typing import Any, Final

import pandas as pd

from newswinnow.corpus.tables import format_of
from newswinnow.corpus.write import check_writable, write_table
from newswinnow.harvest.align import ALIGNED, REASON
from newswinnow.harvest.align_scorecard import WEIGHTS_FILE
from newswinnow.harvest.build_config import BuildConfig, SourceConfig
from newswinnow.harvest.build_manifest import Join, SourceInputs, manifest_of, manifest_path, write_manifest
from newswinnow.harvest.build_page import Aligner, HarvestedPage, align_source_page, harvest_pages
from newswinnow.harvest.build_select import UNREADABLE, KeptPage, Selection, select_pages
from newswinnow.harvest.fetch import fetched_directory
from newswinnow.harvest.folders import passed_over
from newswinnow.harvest.progress import Progress, no_progress
from newswinnow.harvest.releases import Release, match_labels, read_release
from newswinnow.harvest.sources import find_pages
from newswinnow.harvest.sources.page import PageFiles
from newswinnow.paragraphs.table import LABEL, LINK_DENSITY, ORIGIN, PAGE, POSITION, SITE, SOURCE, TAG, TEXT

READ: Final = "read"


@dataclass(frozen=True)
class BuildResult:
    """A corpus that was written, and its manifest."""

    output: Path
    manifest: dict[str, Any]

    @property
    def n_unreadable(self) -> int:
        """Pages that could not be read."""
        return int(self.manifest["dropped"]["counts"].get(UNREADABLE, 0))


@dataclass
class _JoinCounts:
    n_on_pages: int = 0
    n_pages: int = 0
    compared: Counter[str] = field(default_factory=Counter)


def _is_selected(page: str, source: SourceConfig) -> bool:
    return any(fnmatchcase(page, pattern) for pattern in source.include) and not any(
        fnmatchcase(page, pattern) for pattern in source.exclude
    )


def _find(source: SourceConfig, folder: Path, cache: Path | None) -> tuple[SourceInputs, list[PageFiles]]:
    directory = folder / source.path if source.path is not None else fetched_directory(source.reader, cache=cache)
    found = find_pages(source.reader, directory, source=source.name)
    selected = [files for files in found if _is_selected(files.page, source)]
    if not selected:
        raise ValueError(f"{directory}: include and exclude of source {source.name} must leave a page; got none of {len(found)}")
    inputs = SourceInputs(source.name, source.reader, directory, len(found) - len(selected), passed_over([directory]))
    return inputs, selected


def _read_releases(config: BuildConfig, folder: Path) -> list[Release]:
    releases = [read_release(folder / labels.file) for labels in config.labels]
    names = [release.name for release in releases]
    if len(set(names)) < len(names):
        raise ValueError(f"labels: files must have different names; got {', '.join(names)}")
    return releases


def _labels_on(page: KeptPage, release: Release) -> dict[int, str]:
    """Released labels by paragraph; those of the page itself before those of its copies."""
    found: dict[int, str] = {}
    for name in page.ids:
        if name in release.pages:
            matched = match_labels(release.pages[name], page.page.texts)
            found |= {place: released.label for place, released in matched.items()}
    return found


def _join(page: KeptPage, releases: Sequence[Release], counts: Sequence[_JoinCounts]) -> dict[int, tuple[str, str]]:
    """Label and reason by paragraph, from the releases; later releases go before earlier ones."""
    joined: dict[int, tuple[str, str]] = {}
    for release, count in zip(releases, counts, strict=True):
        count.n_on_pages += sum(len(release.pages.get(name, ())) for name in page.ids)
        count.n_pages += sum(name in release.pages for name in page.ids)
        for place, label in _labels_on(page, release).items():
            aligned = page.page.labels[place]
            count.compared["none" if aligned is None else "same" if aligned == label else "other"] += 1
            joined[place] = label, f"{READ}: {release.name}"
    return joined


def _rows(page: HarvestedPage, joined: dict[int, tuple[str, str]]) -> dict[str, list[Any]]:
    n = len(page.texts)
    decided = [
        joined.get(place, (label, reason)) for place, (label, reason) in enumerate(zip(page.labels, page.reasons, strict=True))
    ]
    return {
        PAGE: [page.files.page] * n,
        POSITION: list(range(n)),
        TEXT: list(page.texts),
        LABEL: [label for label, _ in decided],
        SITE: [page.site] * n,
        SOURCE: [page.files.source] * n,
        ORIGIN: [READ if place in joined else ALIGNED if label is not None else None for place, (label, _) in enumerate(decided)],
        TAG: list(page.tags),
        LINK_DENSITY: list(page.link_densities),
        REASON: [reason for _, reason in decided],
    }


def _table(parts: Iterable[dict[str, list[Any]]]) -> pd.DataFrame:
    columns: dict[str, list[Any]] = {}
    for part in parts:
        for name, values in part.items():
            columns.setdefault(name, []).extend(values)
    kinds = {POSITION: "int64", LINK_DENSITY: "float64"}
    return pd.DataFrame({name: pd.Series(values, dtype=kinds.get(name, "str")) for name, values in columns.items()})


def _join_report(release: Release, file: str, count: _JoinCounts, known: set[str]) -> Join:
    return Join(
        release=release.name,
        file=file,
        sha256=release.sha256,
        n_labels=release.n_labels,
        n_pages=len(release.pages),
        n_pages_absent=sum(page not in known for page in release.pages),
        n_pages_left_out=sum(page in known for page in release.pages) - count.n_pages,
        n_labels_on_pages=count.n_on_pages,
        n_found=count.compared.total(),
        n_aligned_same=count.compared["same"],
        n_aligned_other=count.compared["other"],
        n_aligned_none=count.compared["none"],
    )


def _check_output(output: Path, inputs: Iterable[Path], *, overwrite: bool) -> None:
    check_writable(format_of(output), output)
    for path in (output, manifest_path(output)):
        if path.exists() and not overwrite:
            raise FileExistsError(f"{path}: must not exist; got a file there (--overwrite replaces it)")
        if any(path.exists() and path.samefile(other) for other in inputs):
            raise ValueError(f"{path}: must not be one of the inputs; got a label release")
    output.parent.mkdir(parents=True, exist_ok=True)


def _weights_sha256(align: Aligner) -> str | None:
    if align is not align_source_page:
        return None
    return hashlib.sha256(resources.files("newswinnow.harvest").joinpath(WEIGHTS_FILE).read_bytes()).hexdigest()


@dataclass(frozen=True)
class _Harvest:
    """Everything that was read."""

    sources: tuple[SourceInputs, ...]
    pages: tuple[HarvestedPage, ...]
    releases: tuple[Release, ...]
    weights_sha256: str | None

    def joins(self, config: BuildConfig, counts: Sequence[_JoinCounts]) -> list[Join]:
        known = {page.files.page for page in self.pages}
        named = zip(self.releases, config.labels, counts, strict=True)
        return [_join_report(release, labels.file, count, known) for release, labels, count in named]


def _write(config: BuildConfig, output: Path, harvest: _Harvest, selection: Selection) -> BuildResult:
    counts = [_JoinCounts() for _ in harvest.releases]
    table = _table(_rows(kept.page, _join(kept, harvest.releases, counts)) for kept in selection.kept)
    if table.empty:
        kinds = Counter(page.kind for page in selection.dropped)
        raise ValueError(f"{output}: must get at least one page; got {', '.join(f'{n} {kind}' for kind, n in kinds.items())}")
    write_table(table, output, file_format=format_of(output))
    manifest = manifest_of(
        config.model_dump(mode="json"),
        table,
        output=output,
        sources=harvest.sources,
        pages=harvest.pages,
        dropped=selection.dropped,
        joins=harvest.joins(config, counts),
        weights_sha256=harvest.weights_sha256,
    )
    write_manifest(manifest, manifest_path(output))
    return BuildResult(output, manifest)


def _without_directory(page: HarvestedPage, sources: Mapping[str, SourceInputs]) -> HarvestedPage:
    """Errors name files as the collection does: where it lies on this machine is nobody's business elsewhere."""
    directory = sources[page.files.source].directory
    return replace(page, error=page.error.replace(f"{directory}{os.sep}", "")) if page.error else page


def _harvest(files: Sequence[PageFiles], align: Aligner, workers: int, progress: Progress) -> list[HarvestedPage]:
    pages = []
    step = max(len(files) // 50, 1)
    for page in harvest_pages(files, align, workers=workers):
        pages.append(page)
        if len(pages) % step == 0 or len(pages) == len(files):
            progress("reading and aligning pages", len(pages), len(files))
    return pages


def build_corpus(
    config: BuildConfig,
    folder: Path,
    *,
    output: Path | None = None,
    cache: Path | None = None,
    workers: int = 1,
    overwrite: bool = False,
    align: Aligner = align_source_page,
    progress: Progress = no_progress,
) -> BuildResult:
    """Build the corpus that a configuration describes.

    Parameters
    ----------
    config
        The configuration.
    folder
        Folder that its paths start from.
    output
        Where the corpus goes instead; its manifest goes beside it.
    cache
        Where fetched collections are; None for the default place.
    workers
        Processes that read and align pages; the result does not depend on it.
    overwrite
        Whether an earlier corpus there may be replaced.
    align
        Labels the paragraphs of a page by its known article.
    progress
        Called with a step, how much of it is done and how much there is.

    Returns
    -------
    Where the corpus is, and its manifest.

    Raises
    ------
    FileExistsError
        If there is a corpus already.
    FileNotFoundError
        If a collection or release is missing.
    ValueError
        If a release is damaged, a collection cannot be listed, or no page is left.
    RuntimeError
        If a worker died.
    """
    output = output or folder / config.output
    _check_output(output, [folder / labels.file for labels in config.labels], overwrite=overwrite)
    releases = _read_releases(config, folder)
    found = [_find(source, folder, cache) for source in config.source]
    files = sorted((page for _, pages in found for page in pages), key=lambda page: page.page)
    by_name = {source.name: source for source, _ in found}
    pages = [_without_directory(page, by_name) for page in _harvest(files, align, workers, progress)]
    hold_out = [release.name for release, labels in zip(releases, config.labels, strict=True) if labels.hold_out]
    keep = {source.name: source.keep_unlabelled for source in config.source}
    selection = select_pages(pages, releases, hold_out=hold_out, keep_unlabelled=keep)
    harvest = _Harvest(tuple(source for source, _ in found), tuple(pages), tuple(releases), _weights_sha256(align))
    progress("writing", len(pages), len(pages))
    return _write(config, output, harvest, selection)
