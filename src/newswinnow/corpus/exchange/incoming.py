"""What comes back from annotators: paragraphs with decisions, refused ones set aside, and their way into the corpus they left.

How a tool's records look is left to the tools' modules.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from newswinnow.corpus.exchange.carrier import Decision, unpack
from newswinnow.corpus.records import BadRecord, RecordCollector, RecordRules
from newswinnow.corpus.rejects import Reject, excerpt_of
from newswinnow.corpus.tables import table_from_records
from newswinnow.paragraphs.table import LABEL, ORIGIN, PAGE, POSITION, TEXT, require_columns

Key = tuple[str, int]


class DecisionCollector(RecordCollector):
    """A record collector that also remembers where a paragraph stood and whether anything was decided about it."""

    def __init__(self) -> None:
        super().__init__(RecordRules())
        self.undecided: set[Key] = set()
        self.places: dict[Key, tuple[str, int]] = {}

    def restore(self, packed: Any, shown: Any, decide: Callable[[], Decision], *, source: str, line: int) -> None:
        """Take one paragraph of a tool's file or note why it was refused.

        Parameters
        ----------
        packed
            Its packed columns.
        shown
            Its text as the tool gives it back.
        decide
            Reads the decision; may raise ``BadRecord``.
        source
            The file.
        line
            Line or record, from 1.
        """
        try:
            decision = decide()
            fields = unpack(packed, shown, decision)
        except BadRecord as error:
            self.reject(str(error), source=source, line=line, value=shown)
            return
        n_taken = len(self.records)
        self.add(fields, source=source, line=line)
        if len(self.records) > n_taken:
            key = (self.records[-1][PAGE], self.records[-1][POSITION])
            self.places[key] = (source, line)
            if not decision.is_made:
                self.undecided.add(key)


@dataclass(frozen=True)
class ImportReading:
    """What came out of a tool's file.

    Attributes
    ----------
    table
        The paragraphs with their labels, every column as exported.
    rejects
        Records refused; records in = rows + rejects.
    undecided
        Page and position of paragraphs that were skipped or not reached: they carry the label they were exported with.
    places
        File and record of every paragraph.
    """

    table: pd.DataFrame
    rejects: tuple[Reject, ...]
    undecided: frozenset[Key]
    places: dict[Key, tuple[str, int]]

    @property
    def n_records(self) -> int:
        """Records seen: rows plus rejects."""
        return len(self.table) + len(self.rejects)


def reading_of(collector: DecisionCollector) -> ImportReading:
    """What a collector has gathered.

    Parameters
    ----------
    collector
        After reading.

    Returns
    -------
    Table and rejects.
    """
    table = table_from_records(collector)
    return ImportReading(table, tuple(collector.rejects), frozenset(collector.undecided), collector.places)


@dataclass(frozen=True)
class Joined:
    """A corpus with the labels that came back.

    Attributes
    ----------
    table
        All rows of the corpus in their order, all columns kept.
    rejects
        Records refused when read, and paragraphs that are not in the corpus.
    n_changed, n_confirmed, n_undecided
        Paragraphs whose label changed, was decided as it stood, or was not decided. They and the rejects make up the records in.
    """

    table: pd.DataFrame
    rejects: tuple[Reject, ...]
    n_changed: int
    n_confirmed: int
    n_undecided: int


def join_labels(corpus: pd.DataFrame, imported: ImportReading) -> Joined:
    """Put decisions into the corpus they were exported from, by page and position.

    Parameters
    ----------
    corpus
        A paragraph table; a missing ``label`` column is added.
    imported
        What came back.

    Returns
    -------
    The corpus with the decided labels; an ``origin`` becomes ``read`` where the label changed to another one.

    Raises
    ------
    ValueError
        If a needed column is missing.
    """
    require_columns(corpus, (PAGE, POSITION, TEXT), where="corpus")
    keys = zip(corpus[PAGE], corpus[POSITION], strict=True)
    rows = {key: i for i, key in enumerate(keys)}
    joiner = _Joiner(corpus, list(imported.rejects))
    for page, position, text, label in _decisions(imported.table):
        key = (page, position)
        joiner.put(rows.get(key), text, label, place=imported.places[key], is_made=key not in imported.undecided)
    return joiner.joined(corpus)


def _decisions(table: pd.DataFrame) -> list[tuple[str, int, str, str | None]]:
    labels = [None if pd.isna(label) else label for label in table[LABEL]] if LABEL in table.columns else [None] * len(table)
    return list(zip(table[PAGE].tolist(), table[POSITION].tolist(), table[TEXT].tolist(), labels, strict=True))


class _Joiner:
    """Labels and origins of a corpus while decisions are put in."""

    def __init__(self, corpus: pd.DataFrame, rejects: list[Reject]) -> None:
        self._texts = corpus[TEXT].tolist()
        self._labels: list[Any] = [None] * len(corpus)
        if LABEL in corpus.columns:
            self._labels = [None if pd.isna(v) else v for v in corpus[LABEL]]
        self._origins: list[Any] | None = None
        if ORIGIN in corpus.columns:
            self._origins = [None if pd.isna(v) else v for v in corpus[ORIGIN]]
        self._rejects = rejects
        self._changed = self._confirmed = self._undecided = 0

    def put(self, row: int | None, text: str, label: str | None, *, place: tuple[str, int], is_made: bool) -> None:
        if row is None or self._texts[row] != text:
            found = "no such paragraph" if row is None else f"the text {excerpt_of(self._texts[row])}"
            rule = "page, position and text must be those of a paragraph of the corpus"
            self._rejects.append(Reject(*place, f"{rule}; got {found}", excerpt_of(text)))
        elif not is_made:
            self._undecided += 1
        elif self._labels[row] == label:
            self._confirmed += 1
        else:
            self._changed += 1
            self._labels[row] = label
            if self._origins is not None and label is not None:
                self._origins[row] = "read"

    def joined(self, corpus: pd.DataFrame) -> Joined:
        table = corpus.assign(**{LABEL: pd.Series(self._labels, index=corpus.index, dtype="str")})
        if self._origins is not None:
            table[ORIGIN] = pd.Series(self._origins, index=corpus.index, dtype="str")
        return Joined(table, tuple(self._rejects), self._changed, self._confirmed, self._undecided)
