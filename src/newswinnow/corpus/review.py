"""The review file: doubtful labels as a TSV that a person edits, and the edits put back into the corpus.

Which labels are doubtful is told by :mod:`newswinnow.evaluation.label_review`.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from newswinnow.corpus.records import MAX_POSITION
from newswinnow.corpus.rejects import CorpusError, Reject, excerpt_of, fail
from newswinnow.corpus.streams import MAX_RECORD_BYTES, open_bytes
from newswinnow.corpus.write import write_delimited
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import LABEL, ORIGIN, PAGE, POSITION, TEXT, require_columns

NEW_LABEL: Final = "new_label"
REVIEW_COLUMNS: Final = (PAGE, POSITION, TEXT, LABEL, "suggested", "confidence", NEW_LABEL)
NO_LABEL: Final = "null"
"""Written as new label to take a label away: the paragraph stays, as context without a label."""

_DECISIONS: Final = (*map(str, LABELS), NO_LABEL)
# A spreadsheet takes these for the beginning of a formula, the full-width forms too.
_FORMULA: Final = tuple("=+-@\t\r＝＋－＠")


@dataclass(frozen=True)
class Decision:
    """One row of a review file with a new label, and the line on which it begins."""

    page: str
    position: int
    text: str
    label: str
    new_label: str
    line: int


@dataclass(frozen=True)
class Review:
    """What stands in a review file.

    Attributes
    ----------
    decisions
        Rows with a new label.
    n_undecided
        Rows without one: their labels stay.
    """

    decisions: tuple[Decision, ...]
    n_undecided: int


@dataclass(frozen=True)
class Applied:
    """A corpus after a review.

    Attributes
    ----------
    table
        The corpus with the new labels.
    n_changed
        Labels replaced by another.
    n_removed
        Labels taken away.
    n_confirmed
        Labels that the reviewer gave again.
    """

    table: pd.DataFrame
    n_changed: int
    n_removed: int
    n_confirmed: int


def spreadsheet_safe(text: str) -> str:
    """Text that no spreadsheet runs: what would begin a formula gets an apostrophe in front.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    The text, or the text with an apostrophe.

    Examples
    --------
    >>> spreadsheet_safe("=1+1"), spreadsheet_safe("A bridge opened.")
    ("'=1+1", 'A bridge opened.')
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def review_table(suspects: pd.DataFrame, *, top: int) -> pd.DataFrame:
    """The first rows of a ranking as a review file has them.

    Parameters
    ----------
    suspects
        Labelled rows with the columns ``suggested`` and ``confidence``, the most doubtful first.
    top
        How many rows.

    Returns
    -------
    The columns of :data:`REVIEW_COLUMNS`; ``new_label`` is empty, for the reviewer to fill in.
    """
    rows = suspects.head(top)
    shown = {name: rows[name].map(spreadsheet_safe) for name in (PAGE, TEXT)}
    table: pd.DataFrame = rows.assign(**shown, **{NEW_LABEL: ""})[list(REVIEW_COLUMNS)]
    return table


def review_bytes(table: pd.DataFrame) -> bytes:
    """A review table as a TSV file.

    Parameters
    ----------
    table
        As :func:`review_table` gives it.

    Returns
    -------
    UTF-8 with a header line.
    """
    stream = io.BytesIO()
    write_delimited(table, stream, delimiter="\t")
    return stream.getvalue()


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Rows of the file with the line on which each begins."""
    csv.field_size_limit(MAX_RECORD_BYTES)
    with open_bytes(path) as stream, io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, delimiter="\t", strict=True)
        number = 1
        try:
            for values in reader:
                yield number, values
                number = reader.line_num + 1
        except csv.Error as error:
            raise fail(str(path), f"must be well-formed TSV; got {error}", line=number) from error
        except UnicodeDecodeError as error:
            raise fail(str(path), f"must be valid UTF-8; got byte 0x{error.object[error.start]:02x}") from error


def read_review(path: str | Path) -> Review:
    """Read a review file.

    Parameters
    ----------
    path
        The TSV file, as it was written and edited.

    Returns
    -------
    Its decisions.

    Raises
    ------
    CorpusError
        If the columns are others, a row has more or fewer fields, a position is no number, a new label is none of the three or
        ``null``, or a paragraph is decided twice; all bad rows are named.
    FileNotFoundError
        If there is no such file.
    """
    path = Path(path)
    rows = _rows(path)
    _, header = next(rows, (1, []))
    if header != list(REVIEW_COLUMNS):
        raise fail(str(path), f"must have the columns {', '.join(REVIEW_COLUMNS)}; got {excerpt_of(', '.join(header))}", line=1)
    decisions: dict[tuple[str, int], Decision] = {}
    rejects, n_undecided = [], 0
    for line, values in rows:
        reason = _why_bad(values)
        if reason is None and not values[-1].strip():
            n_undecided += 1
            continue
        decision = _decision(values, line) if reason is None else None
        if decision and (decision.page, decision.position) in decisions:
            reason = f"a paragraph must be decided once; got it on line {decisions[decision.page, decision.position].line} too"
        if reason is not None:
            rejects.append(Reject(str(path), line, reason))
        elif decision:
            decisions[decision.page, decision.position] = decision
    if rejects:
        raise CorpusError(rejects)
    return Review(tuple(decisions.values()), n_undecided)


def _why_bad(values: list[str]) -> str | None:
    if len(values) != len(REVIEW_COLUMNS):
        return f"must have {len(REVIEW_COLUMNS)} fields; got {len(values)}"
    position, new_label = values[1], values[-1].strip()
    if not (position.isascii() and position.isdigit() and len(position) <= 16 and int(position) <= MAX_POSITION):
        return f"position must be an integer from 0 to 2**53; got {excerpt_of(position)}"
    if new_label and new_label not in _DECISIONS:
        return f"new_label must be empty or one of {', '.join(_DECISIONS)}; got {excerpt_of(new_label)}"
    return None


def _decision(values: list[str], line: int) -> Decision:
    page, position, text, label, _, _, new_label = values
    return Decision(page, int(position), text, label, new_label.strip(), line)


def _why_not_applied(decision: Decision, row: tuple[str, str | None] | None) -> str | None:
    if row is None:
        return f"page and position must stand in the corpus; got page {excerpt_of(decision.page)} position {decision.position}"
    text, label = row
    if decision.text not in (text, spreadsheet_safe(text)):
        return f"text must be that of the corpus, {excerpt_of(text)}; got {excerpt_of(decision.text)}"
    if decision.label != (label or ""):
        return f"label must be that of the corpus, {label or NO_LABEL}; got {excerpt_of(decision.label)}"
    return None


def apply_review(table: pd.DataFrame, review: Review, *, source: str = "review") -> Applied:
    """Put the decisions of a review into a corpus.

    Parameters
    ----------
    table
        The corpus that the review was made from.
    review
        The decisions.
    source
        Name of the review file for messages.

    Returns
    -------
    A new table; where it has an ``origin``, a decided row that was ``aligned`` becomes ``read``.

    Raises
    ------
    CorpusError
        If a decision is about a paragraph that is not there, or that has another text or label by now; nothing is applied then.
    ValueError
        If the corpus has no labels.
    """
    require_columns(table, [LABEL], where="corpus")
    pages, positions = table[PAGE].tolist(), table[POSITION].tolist()
    # A page id that looks like a formula was written with an apostrophe.
    place = {(spreadsheet_safe(page), position): i for i, (page, position) in enumerate(zip(pages, positions, strict=True))}
    place |= {key: i for i, key in enumerate(zip(pages, positions, strict=True))}
    texts = table[TEXT].tolist()
    labels = [label if isinstance(label, str) else None for label in table[LABEL]]
    found = [place.get((decision.page, decision.position)) for decision in review.decisions]
    rejects = [
        Reject(source, decision.line, reason)
        for decision, i in zip(review.decisions, found, strict=True)
        if (reason := _why_not_applied(decision, None if i is None else (texts[i], labels[i])))
    ]
    if rejects:
        raise CorpusError(rejects)
    rows = [i for i in found if i is not None]
    return _applied(table, labels, rows, [decision.new_label for decision in review.decisions])


def _applied(table: pd.DataFrame, labels: list[str | None], rows: list[int], decided: list[str]) -> Applied:
    new_labels = list(labels)
    for i, label in zip(rows, decided, strict=True):
        new_labels[i] = None if label == NO_LABEL else label
    found = table.assign(**{LABEL: pd.Series(new_labels, index=table.index, dtype="str")})
    if ORIGIN in table.columns:
        is_decided = pd.Series(False, index=table.index)
        is_decided.iloc[rows] = True
        found[ORIGIN] = table[ORIGIN].mask(is_decided & (table[ORIGIN] == "aligned"), "read")
    n_removed = sum(new_labels[i] is None and labels[i] is not None for i in rows)
    n_confirmed = sum(new_labels[i] == labels[i] for i in rows)
    return Applied(found, len(rows) - n_removed - n_confirmed, n_removed, n_confirmed)
