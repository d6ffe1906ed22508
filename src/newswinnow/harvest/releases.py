"""Label releases: hand-read labels of public pages without their texts, and how they find their texts again.

A release names a paragraph by its page and the sha256 of its text, so it can be published where the text cannot. Deriving the
paragraphs from the public pages is left to :mod:`newswinnow.harvest.build`.
"""

import csv
import gzip
import hashlib
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from newswinnow.corpus.rejects import CorpusError, fail
from newswinnow.corpus.streams import iter_lines, open_bytes
from newswinnow.corpus.write import atomic_file
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import LABEL, PAGE, POSITION, TEXT, collapse_whitespace, labelled_rows, require_columns

TEXT_SHA256: Final = "text_sha256"
RELEASE_COLUMNS: Final = (PAGE, POSITION, TEXT_SHA256, LABEL)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LABEL_VALUES: Final = frozenset(LABELS)


@dataclass(frozen=True)
class ReleasedLabel:
    """One label: the position its paragraph had among the paragraphs of the splitter it was read with, and its text's digest."""

    position: int
    sha256: str
    label: str


@dataclass(frozen=True)
class Release:
    """The labels of one release, by page."""

    name: str
    sha256: str
    pages: dict[str, tuple[ReleasedLabel, ...]]

    @property
    def n_labels(self) -> int:
        """Labels on all pages."""
        return sum(map(len, self.pages.values()))


def text_sha256(text: str) -> str:
    """Digest that names a text.

    Parameters
    ----------
    text
        A paragraph.

    Returns
    -------
    sha256 of its whitespace-collapsed UTF-8 form, in hexadecimal.

    Examples
    --------
    >>> text_sha256(" Most  read ") == text_sha256("Most read")
    True
    """
    return hashlib.sha256(collapse_whitespace(text).encode()).hexdigest()


def release_labels(table: pd.DataFrame) -> pd.DataFrame:
    """The labels of a table without its texts.

    Parameters
    ----------
    table
        A paragraph table; unlabelled rows are left out.

    Returns
    -------
    Columns ``page``, ``position``, ``text_sha256`` and ``label``, sorted by page and position.

    Raises
    ------
    ValueError
        If a column is missing or no row carries a label.
    """
    require_columns(table, (PAGE, POSITION, TEXT, LABEL), where="table")
    rows = labelled_rows(table)
    if not len(rows):
        raise ValueError(f"table: must have labelled paragraphs; got {len(table)} rows without a label")
    rows = rows.assign(**{TEXT_SHA256: rows[TEXT].map(text_sha256)})
    return rows[list(RELEASE_COLUMNS)].sort_values([PAGE, POSITION], kind="stable", ignore_index=True)


def write_release(release: pd.DataFrame, path: Path) -> None:
    """Write a release; the same labels give the same bytes.

    Parameters
    ----------
    release
        What :func:`release_labels` gave.
    path
        The file, ``.csv`` or ``.csv.gz``.

    Raises
    ------
    ValueError
        If the file is to be of another kind.
    """
    if not path.name.endswith((".csv", ".csv.gz")):
        raise ValueError(f"{path}: must end in .csv or .csv.gz; got {path.suffix or 'no suffix'!r}")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(RELEASE_COLUMNS)
    writer.writerows(zip(*(release[column] for column in RELEASE_COLUMNS), strict=True))
    data = text.getvalue().encode()
    with atomic_file(path) as file:
        # No file name and no time in the header: they would change the bytes.
        file.write(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def _released(fields: Sequence[str]) -> tuple[str, ReleasedLabel]:
    if len(fields) != len(RELEASE_COLUMNS):
        raise ValueError(f"must have {len(RELEASE_COLUMNS)} fields; got {len(fields)}")
    page, position, sha256, label = fields
    if not page:
        raise ValueError("page must not be empty; got ''")
    if not (position.isascii() and position.isdigit() and len(position) <= 15):
        raise ValueError(f"position must be an integer >= 0; got {position[:40]!r}")
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"{TEXT_SHA256} must be 64 lower-case hexadecimal digits; got {sha256[:70]!r}")
    if label not in _LABEL_VALUES:
        raise ValueError(f"label must be one of {', '.join(LABELS)}; got {label[:40]!r}")
    return page, ReleasedLabel(int(position), sha256, label)


def _text_lines(path: Path) -> list[str]:
    lines = []
    with open_bytes(path) as stream:
        for line in iter_lines(stream, max_bytes=1 << 16):
            try:
                lines.append(line.data.decode("utf-8") + "\n")
            except UnicodeDecodeError as error:
                reason = f"must be valid UTF-8; got byte 0x{line.data[error.start]:02x} at byte {error.start} of the line"
                raise fail(str(path), reason, line=line.number) from error
    return lines


def read_release(path: Path, *, name: str | None = None) -> Release:
    """Read a release.

    Parameters
    ----------
    path
        A ``.csv`` or ``.csv.gz`` file.
    name
        What reports call it; None for the file's name without suffixes.

    Returns
    -------
    The labels.

    Raises
    ------
    CorpusError
        If the file is damaged, has other columns, or a line breaks a rule or labels a paragraph again; with the line.
    FileNotFoundError
        If there is no such file.
    """
    reader = csv.reader(_text_lines(path), strict=True)
    pages: dict[str, dict[int, ReleasedLabel]] = defaultdict(dict)
    try:
        header = next(reader, [])
        if tuple(header) != RELEASE_COLUMNS:
            raise fail(str(path), f"must have the columns {', '.join(RELEASE_COLUMNS)}; got {', '.join(header) or 'none'}")
        for fields in reader:
            page, released = _released(fields)
            if released.position in pages[page]:
                raise ValueError(f"page and position must be unique; got page {page!r} position {released.position} again")
            pages[page][released.position] = released
    except CorpusError:
        raise
    except (csv.Error, ValueError) as error:
        raise fail(str(path), str(error), line=reader.line_num) from error
    ordered = {page: tuple(rows[position] for position in sorted(rows)) for page, rows in sorted(pages.items())}
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return Release(name or path.name.removesuffix(".gz").removesuffix(".csv"), sha256, ordered)


def _expected_places(labels: Sequence[ReleasedLabel], places: dict[str, list[int]]) -> np.ndarray:
    """Where each label's position should lie on the page as split now, told from the texts that stand just once."""
    positions = np.array([released.position for released in labels], dtype=np.float64)
    n_labels: dict[str, int] = defaultdict(int)
    for released in labels:
        n_labels[released.sha256] += 1
    anchors = [
        (released.position, places[released.sha256][0])
        for released in labels
        if n_labels[released.sha256] == 1 and len(places.get(released.sha256, ())) == 1
    ]
    if not anchors:
        return positions
    then, now = np.array(anchors, dtype=np.float64).T
    # Beyond the outermost anchors the drift stays what it is there.
    return np.asarray(np.interp(positions, then, now - then) + positions)


def match_labels(labels: Sequence[ReleasedLabel], texts: Iterable[str]) -> dict[int, ReleasedLabel]:
    """Find the paragraphs of a page that its released labels belong to.

    A text that stands several times is matched one to one, nearest to where the label's position lies after the drift between the
    splitter then and now is taken out.

    Parameters
    ----------
    labels
        Labels of one page, in order of position.
    texts
        The page's paragraphs in order.

    Returns
    -------
    Label by index of its paragraph; labels whose text is not there (any more) are left out.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for place, text in enumerate(texts):
        places[text_sha256(text)].append(place)
    expected = _expected_places(labels, places)
    found: dict[int, ReleasedLabel] = {}
    for released, where in zip(labels, expected, strict=True):
        free = [place for place in places.get(released.sha256, ()) if place not in found]
        if free:
            found[min(free, key=lambda place: (abs(place - where), place))] = released
    return found
