"""What a built corpus was made of: inputs with digests, versions, counts, and every page left out with the reason.

Nothing in it depends on the time, the machine's paths or the number of workers, so the same inputs give the same bytes.
"""

import hashlib
import json
import platform
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import pandas as pd

from newswinnow.corpus.write import write_text
from newswinnow.harvest.build_page import HarvestedPage
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import LABEL, ORIGIN, ORIGINS, PAGE, SITE, SOURCE

FORMAT: Final = 1
_VERSIONED: Final = ("newswinnow", "selectolax", "orjson", "pandas", "tldextract")
_UNLABELLED: Final = "unlabelled"


@dataclass(frozen=True)
class Dropped:
    """One page that is not in the corpus: the kind of reason, and the reason itself."""

    page: str
    source: str
    kind: str
    reason: str


@dataclass(frozen=True)
class Join:
    """How the labels of one release found their texts.

    Attributes
    ----------
    release
        Its name.
    file, sha256
        The file as the configuration names it, and its digest.
    n_labels, n_pages
        What the release holds.
    n_pages_absent
        Pages that no collection has.
    n_pages_left_out
        Pages that a collection has but the corpus leaves out.
    n_labels_on_pages
        Labels on pages of the corpus.
    n_found
        Of these, labels whose text stands on its page.
    n_aligned_same, n_aligned_other, n_aligned_none
        Of those found, how the label by alignment compared: the same, another one, or null.
    """

    release: str
    file: str
    sha256: str
    n_labels: int
    n_pages: int
    n_pages_absent: int
    n_pages_left_out: int
    n_labels_on_pages: int
    n_found: int
    n_aligned_same: int
    n_aligned_other: int
    n_aligned_none: int


@dataclass(frozen=True)
class SourceInputs:
    """One collection as it was read.

    Attributes
    ----------
    name, reader
        As configured.
    directory
        Where it lies.
    n_not_selected
        Pages of it that the configuration did not ask for.
    passed_over
        Links, pipes, sockets and devices in it, by kind.
    """

    name: str
    reader: str
    directory: Path
    n_not_selected: int
    passed_over: Counter[str]


def inputs_sha256(source: SourceInputs, pages: Iterable[HarvestedPage]) -> str:
    """Digest of everything that was read of a collection.

    Parameters
    ----------
    source
        The collection.
    pages
        Its pages.

    Returns
    -------
    sha256 over name and digest of every file, and over what the collection's lists say of every page.
    """
    lines = set()
    for page in pages:
        files = page.files
        lines.add("\t".join((files.page, files.url, files.title, files.site)))
        lines.update(f"{sha256}  {path.relative_to(source.directory).as_posix()}" for path, sha256 in page.inputs.items())
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _label_counts(table: pd.DataFrame) -> dict[str, int]:
    counts = table[LABEL].value_counts()
    found = {str(label): int(counts.get(str(label), 0)) for label in LABELS}
    return {**found, _UNLABELLED: int(table[LABEL].isna().sum())}


def _table_counts(table: pd.DataFrame) -> dict[str, Any]:
    origins = table[ORIGIN].value_counts()
    return {
        "pages": int(table[PAGE].nunique()),
        "sites": int(table[SITE].nunique()),
        "paragraphs": len(table),
        "labels": _label_counts(table),
        "origins": {origin: int(origins[origin]) for origin in ORIGINS if origin in origins},
    }


def _source_entry(source: SourceInputs, pages: Sequence[HarvestedPage], table: pd.DataFrame) -> dict[str, Any]:
    return {
        "reader": source.reader,
        "files": len({path for page in pages for path in page.inputs}),
        "sha256": inputs_sha256(source, pages),
        "pages_read": len(pages),
        "pages_not_selected": source.n_not_selected,
        "passed_over": dict(sorted(source.passed_over.items())),
        "corpus": _table_counts(table[table[SOURCE] == source.name]),
    }


def _versions(output: Path) -> dict[str, str]:
    names = (*_VERSIONED, "pyarrow") if output.name.endswith(".parquet") else _VERSIONED
    # Another zlib may compress to other bytes.
    return {
        **{name: metadata.version(name) for name in names},
        "python": platform.python_version(),
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
    }


def manifest_of(
    config: Mapping[str, Any],
    table: pd.DataFrame,
    *,
    output: Path,
    sources: Sequence[SourceInputs],
    pages: Sequence[HarvestedPage],
    dropped: Sequence[Dropped],
    joins: Sequence[Join],
    weights_sha256: str | None,
) -> dict[str, Any]:
    """The manifest of a corpus that was written.

    Parameters
    ----------
    config
        The configuration as plain values.
    table
        The corpus.
    output
        Its file.
    sources
        The collections as they were read.
    pages
        All their pages.
    dropped
        Pages that are not in the corpus.
    joins
        How the label releases found their texts.
    weights_sha256
        Digest of the weights that the alignment went by; None if another one than the project's was used.

    Returns
    -------
    Plain values.
    """
    by_source: dict[str, list[HarvestedPage]] = defaultdict(list)
    for page in pages:
        by_source[page.files.source].append(page)
    return {
        "format": FORMAT,
        "config": dict(config),
        "versions": _versions(output),
        "alignment": {"weights_sha256": weights_sha256},
        "sources": {source.name: _source_entry(source, by_source[source.name], table) for source in sources},
        "labels": {join.release: {name: value for name, value in asdict(join).items() if name != "release"} for join in joins},
        "corpus": {
            "file": output.name,
            "sha256": hashlib.sha256(output.read_bytes()).hexdigest(),
            **_table_counts(table),
        },
        "dropped": {
            "counts": dict(sorted(Counter(page.kind for page in dropped).items())),
            "pages": [asdict(page) for page in sorted(dropped, key=lambda page: page.page)],
        },
    }


def manifest_path(output: Path) -> Path:
    """Where the manifest of a corpus stands: beside it.

    Parameters
    ----------
    output
        The corpus file.

    Returns
    -------
    The path.

    Examples
    --------
    >>> manifest_path(Path("runs/public.jsonl.gz")).as_posix()
    'runs/public.manifest.json'
    """
    return output.with_name(f"{Path(output.name.removesuffix('.gz')).stem}.manifest.json")


def write_manifest(manifest: Mapping[str, Any], path: Path) -> None:
    """Write a manifest.

    Parameters
    ----------
    manifest
        Plain values.
    path
        The file.
    """
    write_text(path, json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
