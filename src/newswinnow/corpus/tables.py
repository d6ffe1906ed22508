"""Paragraph tables in any of the table formats: which reader takes a file, and what it gives back.

Plain text and HTML pages are left to :mod:`newswinnow.harvest.inputs`, which reads both kinds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from newswinnow.corpus.delimited import read_delimited
from newswinnow.corpus.jsonl import read_jsonl
from newswinnow.corpus.parquet import read_parquet
from newswinnow.corpus.records import RecordCollector, RecordRules
from newswinnow.corpus.rejects import CorpusError, Reject, fail
from newswinnow.corpus.streams import STDIN, open_bytes
from newswinnow.paragraphs.rows import Rows
from newswinnow.paragraphs.table import (
    LABEL,
    LINK_DENSITY,
    OPTIONAL_COLUMNS,
    PAGE,
    POSITION,
    REQUIRED_COLUMNS,
    SITE,
    SOURCE,
    STATUS,
    TEXT,
)

if TYPE_CHECKING:
    import pandas as pd

TABLE_FORMATS: Final = ("jsonl", "csv", "tsv", "parquet")
_STRINGS: Final = frozenset({PAGE, TEXT, LABEL, SITE, SOURCE, "origin", "tag", STATUS})


@dataclass(frozen=True)
class Reading:
    """What came out of reading: the table and the records that were refused."""

    table: "pd.DataFrame"
    rejects: tuple[Reject, ...] = field(default=())

    @property
    def n_records(self) -> int:
        """Records seen: rows plus rejects."""
        return len(self.table) + len(self.rejects)


def format_of(path: str | Path) -> str:
    """Format of a file by its suffix, ``.gz`` or ``.zst`` removed.

    Parameters
    ----------
    path
        The file's name.

    Returns
    -------
    Such as ``jsonl``; empty without a suffix.

    Examples
    --------
    >>> format_of("crawl/part-01.jsonl.gz")
    'jsonl'
    """
    name = Path(path).name.lower().removesuffix(".gz").removesuffix(".zst")
    return Path(name).suffix.removeprefix(".")


def rows_from_records(collector: RecordCollector) -> Rows:
    """The records of a collector as rows.

    Parameters
    ----------
    collector
        Checked records.

    Returns
    -------
    One row per record in order; the table's own columns first.
    """
    records = collector.records
    names = dict.fromkeys(name for record in records for name in record)
    ordered: list[str] = [name for name in (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS) if name in names or name in REQUIRED_COLUMNS]
    ordered += [name for name in names if name not in ordered]
    columns: dict[str, list[Any]] = {name: [record.get(name) for record in records] for name in ordered}
    if LINK_DENSITY in columns:
        columns[LINK_DENSITY] = [None if value is None else float(value) for value in columns[LINK_DENSITY]]
    return Rows(columns)


def table_from_rows(rows: Rows) -> "pd.DataFrame":
    """Rows as a table.

    Parameters
    ----------
    rows
        The rows.

    Returns
    -------
    The same columns, the table's own ones typed, others as Python objects.
    """
    import pandas as pd

    return pd.DataFrame({name: _column(name, rows[name]) for name in rows.columns})


def table_from_records(collector: RecordCollector) -> "pd.DataFrame":
    """The records of a collector as a table.

    Parameters
    ----------
    collector
        Checked records.

    Returns
    -------
    One row per record in order; the table's own columns first and typed, others as Python objects.
    """
    return table_from_rows(rows_from_records(collector))


def _column(name: str, values: Sequence[Any]) -> "pd.Series":
    import pandas as pd

    if name == POSITION:
        return pd.Series(values, dtype="int64")
    if name == LINK_DENSITY:
        return pd.Series(values, dtype="float64")
    return pd.Series(values, dtype="str" if name in _STRINGS else object)


def read_table_into(collector: RecordCollector, path: str | Path, *, file_format: str | None = None) -> None:
    """Read one table file into a collector.

    Parameters
    ----------
    collector
        Takes records and rejects.
    path
        The file, or ``-``.
    file_format
        One of ``jsonl``, ``csv``, ``tsv``, ``parquet``; None to go by the suffix.

    Raises
    ------
    CorpusError
        If the format is unknown or the file as a whole is unusable.
    """
    file_format = file_format or format_of(path)
    source = "stdin" if str(path) == STDIN else str(path)
    if file_format not in TABLE_FORMATS:
        raise fail(
            source, f"must be one of {', '.join('.' + name for name in TABLE_FORMATS)}; got {file_format or 'no suffix'!r}"
        )
    if file_format == "parquet":
        read_parquet(Path(path), into=collector)
        return
    with open_bytes(path) as stream:
        if file_format == "jsonl":
            read_jsonl(stream, source=source, into=collector)
        else:
            read_delimited(stream, source=source, delimiter="\t" if file_format == "tsv" else ",", into=collector)


def read_tables(paths: Sequence[str | Path], *, rules: RecordRules | None = None, max_rejects: int | None = 0) -> Reading:
    """Read paragraph tables as one.

    Parameters
    ----------
    paths
        Table files; page ids must not repeat a position across them.
    rules
        How strict to be; the default takes unlabelled tables.
    max_rejects
        How many refused records are too many to go on, less one; None for no bound.

    Returns
    -------
    The table and what was refused.

    Raises
    ------
    CorpusError
        If a file is unusable or more than ``max_rejects`` records were refused.
    FileNotFoundError
        If there is no such file.
    """
    collector = RecordCollector(rules or RecordRules())
    for path in paths:
        read_table_into(collector, path)
    if max_rejects is not None and len(collector.rejects) > max_rejects:
        raise CorpusError(collector.rejects)
    return Reading(table_from_records(collector), tuple(collector.rejects))


def read_corpus(paths: Sequence[str | Path], *, max_rejects: int | None = 0) -> "pd.DataFrame":
    """Read labelled tables for training or evaluation: strict, and never empty.

    Parameters
    ----------
    paths
        Table files with a ``label`` column.
    max_rejects
        As in :func:`read_tables`.

    Returns
    -------
    The table, unlabelled rows included.

    Raises
    ------
    CorpusError
        If a file is unusable, records were refused, or no row carries a label.
    """
    table = read_tables(paths, rules=RecordRules(needs_label=True), max_rejects=max_rejects).table
    if LABEL not in table.columns or not table[LABEL].notna().any():
        raise fail(", ".join(map(str, paths)), f"must have labelled paragraphs; got {len(table)} rows without a label")
    return table
