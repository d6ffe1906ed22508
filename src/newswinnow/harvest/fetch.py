"""Public collections onto this machine: file by file at a pinned revision, each checked against the digest known here.

Reading what was fetched is left to :mod:`newswinnow.harvest.sources`. Downloading needs the ``fetch`` extra, copying does not.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Any, Final

from newswinnow.corpus.rejects import CorpusError, Reject
from newswinnow.corpus.write import atomic_file, write_text
from newswinnow.harvest.progress import Progress, no_progress

RECEIPT: Final = "fetched.json"
CACHE_VARIABLE: Final = "NEWSWINNOW_CACHE"
_CONNECTIONS: Final = 4


@dataclass(frozen=True)
class Collection:
    """A public collection at one revision.

    Attributes
    ----------
    name
        What ``corpus fetch`` calls it; its registry of digests has the same name.
    title, homepage, licence
        What to credit.
    revision
        Commit that the addresses name; it fixes the content of every file.
    address
        Where the files are, ``{revision}`` for the revision.
    may_differ
        Patterns of files whose digest at the revision could not be checked here: one that differs is reported, not refused.
    """

    name: str
    title: str
    homepage: str
    licence: str
    revision: str
    address: str
    may_differ: tuple[str, ...] = ()

    @cached_property
    def registry(self) -> Mapping[str, str]:
        """Digest by path, in the form of sha256sum's lists."""
        text = (resources.files("newswinnow.harvest") / "registries" / f"{self.name}.sha256").read_text(encoding="utf-8")
        return parse_registry(text)

    @property
    def base_url(self) -> str:
        """Address of the directory that holds the files."""
        return self.address.format(revision=self.revision)

    def is_settled(self, path: str) -> bool:
        """Whether a file must have the digest in the registry."""
        return not any(PurePosixPath(path).match(pattern) for pattern in self.may_differ)


COLLECTIONS: Final = {
    collection.name: collection
    for collection in (
        Collection(
            name="wcxb",
            title="WCXB: Web Content eXtraction Benchmark, Murrough Foley (article pages)",
            homepage="https://github.com/Murrough-Foley/web-content-extraction-benchmark",
            licence="CC-BY-4.0",
            revision="62ff86d12ea72c80c31fb810ff1a724fad687bea",
            address="https://raw.githubusercontent.com/Murrough-Foley/web-content-extraction-benchmark/{revision}/",
            # Later commits put a line break at the end of these three; they say the same.
            may_differ=("metadata.json", "dev/ground-truth/0001.json", "test/ground-truth/4011.json"),
        ),
        Collection(
            name="fundus",
            title="fundus, publisher test pages, flairNLP (English-speaking countries)",
            homepage="https://github.com/flairNLP/fundus",
            licence="MIT (pages belong to their publishers)",
            revision="7671d5d07c249a65fa05a5307ed4c9d867bd2fbd",
            address="https://raw.githubusercontent.com/flairNLP/fundus/{revision}/tests/resources/parser/test_data/",
            # A page never changes under its dated name, but the bodies and lists of a publisher are rewritten when a page joins.
            may_differ=("*.json", "meta.info"),
        ),
    )
}


@dataclass(frozen=True)
class Fetched:
    """What a fetch did.

    Attributes
    ----------
    directory
        Where the collection is.
    n_files
        Its files.
    n_new
        Of these, files that were not there before.
    differing
        Files that differ from the digest known here, where that is allowed.
    """

    directory: Path
    n_files: int
    n_new: int
    differing: tuple[str, ...]


def parse_registry(text: str) -> dict[str, str]:
    """Digests from a list in the form of ``sha256sum``.

    Parameters
    ----------
    text
        One line ``DIGEST  PATH`` per file.

    Returns
    -------
    Digest by path.
    """
    pairs = (line.split("  ", 1) for line in text.split("\n") if line)
    return {path: digest for digest, path in pairs}


def file_sha256(path: Path) -> str:
    """Digest of a file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    sha256 in hexadecimal.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def default_cache() -> Path:
    """Where fetched collections are kept: ``NEWSWINNOW_CACHE``, else ``newswinnow`` in the user's cache directory.

    Returns
    -------
    The directory; it need not exist.
    """
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "newswinnow"


def collection_named(name: str) -> Collection:
    """A collection by name.

    Parameters
    ----------
    name
        A name in ``COLLECTIONS``.

    Returns
    -------
    The collection.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    if name not in COLLECTIONS:
        raise ValueError(f"NAME: must be one of {', '.join(COLLECTIONS)}; got {name!r}")
    return COLLECTIONS[name]


def collection_directory(collection: Collection, cache: Path | None) -> Path:
    """Where a collection is kept; each revision has a directory of its own.

    Parameters
    ----------
    collection
        The collection.
    cache
        Directory of all collections; None for the default place.

    Returns
    -------
    The directory; it need not exist.
    """
    return (cache or default_cache()) / f"{collection.name}-{collection.revision[:12]}"


def fetched_directory(name: str, *, cache: Path | None = None) -> Path:
    """A collection that was fetched whole.

    Parameters
    ----------
    name
        Its name.
    cache
        Directory of all collections; None for the default place.

    Returns
    -------
    Its directory.

    Raises
    ------
    FileNotFoundError
        If it was not fetched, or not to the end; the message names the command that does it.
    ValueError
        If there is no collection of that name.
    """
    if name not in COLLECTIONS:
        raise ValueError(f"source {name}: must have a path; got none, and corpus fetch knows only {', '.join(COLLECTIONS)}")
    directory = collection_directory(COLLECTIONS[name], cache)
    if not (directory / RECEIPT).is_file():
        raise FileNotFoundError(f"{directory}: must be a fetched collection; got none (newswinnow corpus fetch {name})")
    return directory


def _copy(collection: Collection, origin: Path, directory: Path) -> Iterator[tuple[str, str]]:
    """Copy file by file; yields each path with what is wrong with it, or with nothing."""
    for path, sha256 in collection.registry.items():
        source, target = origin / path, directory / path
        if source.is_symlink() or not source.is_file():
            yield path, "must be a file of the copy; got nothing there"
            continue
        found = file_sha256(source)
        if found != sha256 and collection.is_settled(path):
            yield path, f"must have the sha256 {sha256}; got {found}"
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with source.open("rb") as file, atomic_file(target) as copy:
            shutil.copyfileobj(file, copy)
        yield path, ""


def _download(collection: Collection, base_url: str, directory: Path) -> Iterator[tuple[str, str]]:
    from newswinnow.harvest.download import Downloads

    settled = {path: sha256 if collection.is_settled(path) else None for path, sha256 in collection.registry.items()}
    downloads = Downloads(base_url, directory, settled)
    pool = ThreadPoolExecutor(_CONNECTIONS)
    try:
        yield from ((path, "") for path in pool.map(downloads.fetch, settled))
    finally:
        # After a failure nothing more is begun; files that came whole stay for the next try.
        pool.shutdown(cancel_futures=True)


def _is_there(collection: Collection, path: str, directory: Path) -> bool:
    return (directory / path).is_file() and (
        not collection.is_settled(path) or file_sha256(directory / path) == collection.registry[path]
    )


def fetch(
    collection: Collection,
    *,
    cache: Path | None = None,
    copy_from: Path | None = None,
    mirror: str | None = None,
    progress: Progress = no_progress,
) -> Fetched:
    """Bring a collection onto this machine, or finish bringing it.

    Parameters
    ----------
    collection
        The collection.
    cache
        Directory of all collections; None for the default place.
    copy_from
        A copy on this machine to take the files from instead of downloading them.
    mirror
        Another address of the directory that holds the files.
    progress
        Called with a step, how many files are done and how many there are.

    Returns
    -------
    What was done.

    Raises
    ------
    CorpusError
        If files of a copy are missing or differ from their digest; the rest is not used.
    OSError
        If a file cannot be downloaded: not there, cut off again and again, or no connection.
    ValueError
        If a downloaded file differs from its digest.
    ModuleNotFoundError
        If something is to be downloaded and pooch is not installed.
    """
    directory = collection_directory(collection, cache)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / RECEIPT).unlink(missing_ok=True)
    paths = collection.registry
    n_before = sum(_is_there(collection, path, directory) for path in paths)
    if copy_from is not None:
        steps = _copy(collection, copy_from, directory)
    else:
        steps = _download(collection, mirror or collection.base_url, directory)
    faults = []
    for n_done, (path, fault) in enumerate(steps, start=1):
        if fault:
            faults.append(Reject(str((copy_from or directory) / path), None, fault))
        if n_done % max(len(paths) // 50, 1) == 0 or n_done == len(paths):
            progress(f"fetching {collection.name}", n_done, len(paths))
    if faults:
        raise CorpusError(faults)
    # The others were checked as they came.
    unsettled = (path for path in paths if not collection.is_settled(path))
    differing = tuple(path for path in unsettled if file_sha256(directory / path) != paths[path])
    result = Fetched(directory, len(paths), len(paths) - n_before, differing)
    _write_receipt(collection, result)
    return result


def _write_receipt(collection: Collection, result: Fetched) -> None:
    receipt: dict[str, Any] = asdict(collection) | {"n_files": result.n_files, "differing": list(result.differing)}
    write_text(result.directory / RECEIPT, json.dumps(receipt, indent=1) + "\n")
