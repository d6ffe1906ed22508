"""Scored paragraphs into bytes: rows with their answers as JSON Lines or Arrow, or just the text worth keeping.

A row that came as JSON goes out as the same bytes with the answer added at its end, so that nothing of it changes. Which rows
there are and what was answered is decided before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, repeat
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import orjson

from newswinnow.corpus.records import EMPTY
from newswinnow.corpus.write import as_text
from newswinnow.paragraphs.label import LABELS, Label
from newswinnow.paragraphs.table import (
    LINK_DENSITY,
    OPTIONAL_COLUMNS,
    PAGE,
    POSITION,
    PREDICTED,
    PREDICTION_COLUMNS,
    PROBABILITY_COLUMNS,
    REQUIRED_COLUMNS,
    STATUS,
    TEXT,
    FloatArray,
)
from newswinnow.scoring.taken import Paragraphs

DECIMALS: Final = 6
_ANSWERS: Final = frozenset(PREDICTION_COLUMNS)
_ENDS: Final = tuple(
    f',"{PREDICTED}":{name},"{PROBABILITY_COLUMNS[0]}":'.encode() for name in (*(f'"{label}"' for label in LABELS), "null")
)
"""What stands before the numbers, by label; the last is that of an empty text."""
_AFTER: Final = (*(f',"{name}":'.encode() for name in PROBABILITY_COLUMNS[1:]), b"}\n")
_BRACE: Final = ord("}")
_NAMES: Final = (*map(str, LABELS), None)
"""Of labels by index; the last, which -1 finds, is that of an empty text."""


@dataclass(frozen=True)
class Answers:
    """What a model said of paragraphs.

    Attributes
    ----------
    labels
        Index of the predicted label, -1 for an empty text; shape (n_paragraphs,).
    probabilities
        Rounded to six decimals; NaN for an empty text; shape (n_paragraphs, 3).
    """

    labels: npt.NDArray[np.int64]
    probabilities: FloatArray

    @classmethod
    def of(cls, probabilities: FloatArray) -> Self:
        """Answers from probabilities.

        Parameters
        ----------
        probabilities
            Shape (n_paragraphs, 3); NaN where there is no answer.

        Returns
        -------
        The answers; of equal probabilities the first in label order.
        """
        is_none = np.isnan(probabilities[:, 0])
        labels = np.where(is_none, -1, np.where(is_none[:, None], 0, probabilities).argmax(axis=1))
        return cls(labels.astype(np.int64), probabilities.round(DECIMALS))

    def names(self) -> list[str | None]:
        """Predicted labels by name, None for an empty text."""
        return [_NAMES[i] for i in self.labels.tolist()]


def render_jsonl(rows: Paragraphs, answers: Answers) -> bytes:
    """Rows with their answers as JSON Lines.

    Parameters
    ----------
    rows
        The rows.
    answers
        As many answers.

    Returns
    -------
    One line per row; what a row did not have, it does not get.
    """
    records = rows.records if rows.records is not None else _records_of(rows)
    given = rows.lines if rows.lines is not None else repeat(None)
    lines = [line or _as_line(record) for line, record in zip(given, records, strict=False)]
    # One call writes a column of numbers, as the same writer would one by one, and one joins all pieces.
    pieces = [b""] * (5 * len(records))
    pieces[0::5] = [line[:-1] if line[-1] == _BRACE else line[: line.rfind(b"}")] for line in lines]
    pieces[1::5] = [_ENDS[label] for label in answers.labels.tolist()]
    for i, after in enumerate(_AFTER):
        pieces[i + 2 :: 5] = _numbers(answers.probabilities[:, i], after)
    return b"".join(pieces)


def _numbers(values: FloatArray, after: bytes) -> list[bytes]:
    """Each value as JSON writes it, ``null`` for NaN, with something after it."""
    written = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
    return (written.replace(b",", after + b"\0") + after).split(b"\0") if written else []


def _as_line(record: dict[str, Any]) -> bytes:
    """A row written anew; older answers go."""
    if not _ANSWERS.isdisjoint(record):
        record = {name: value for name, value in record.items() if name not in _ANSWERS}
    return orjson.dumps(record, default=as_text)


def _records_of(rows: Paragraphs) -> list[dict[str, Any]]:
    """Rows of an Arrow table as dictionaries."""
    names = rows.table.column_names
    columns = [rows.texts if name == TEXT else rows.table.column(name).to_pylist() for name in names]
    records = [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
    for record in records:
        if not record[TEXT]:
            record[STATUS] = EMPTY
    return records


def render_arrow(rows: Paragraphs, answers: Answers) -> bytes:
    """Rows with their answers as a serialised Arrow table.

    Parameters
    ----------
    rows
        The rows.
    answers
        As many answers.

    Returns
    -------
    The table; columns of an input table keep their types.
    """
    import pyarrow

    table = rows.table if rows.table is not None else _table_of(rows)
    at = table.schema.get_field_index(TEXT)
    if rows.table is not None and table.column(at).to_pylist() != rows.texts:
        table = table.set_column(at, TEXT, pyarrow.array(rows.texts, pyarrow.string()))
    table = table.drop_columns([name for name in table.column_names if name in _ANSWERS])
    if "" in rows.texts and rows.table is not None:
        table = _with_status(table, rows.texts)
    table = table.append_column(PREDICTED, pyarrow.array(answers.names(), pyarrow.string()))
    for i, name in enumerate(PROBABILITY_COLUMNS):
        table = table.append_column(name, pyarrow.array(answers.probabilities[:, i], pyarrow.float64(), from_pandas=True))
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, table.schema.remove_metadata()) as writer:
        writer.write_table(table.replace_schema_metadata(None))
    return bytes(sink.getvalue().to_pybytes())


def _with_status(table: Any, texts: Sequence[str]) -> Any:
    import pyarrow

    at = table.schema.get_field_index(STATUS)
    older = table.column(at).to_pylist() if at >= 0 else [None] * len(texts)
    values = pyarrow.array([old if text else EMPTY for old, text in zip(older, texts, strict=True)], pyarrow.string())
    return table.append_column(STATUS, values) if at < 0 else table.set_column(at, STATUS, values)


def _table_of(rows: Paragraphs) -> Any:
    """Records as an Arrow table: the columns we know in their types, others in the type of their values or else as JSON."""
    import pyarrow

    records = rows.records or []
    types = {name: pyarrow.string() for name in (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS, STATUS)}
    types |= {POSITION: pyarrow.int64(), LINK_DENSITY: pyarrow.float64()}
    names = dict.fromkeys((*REQUIRED_COLUMNS, *(name for record in records for name in record)))
    columns = {}
    for name in names:
        values = [record.get(name) for record in records]
        try:
            columns[name] = pyarrow.array(values, types.get(name))
        except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError, OverflowError):
            columns[name] = pyarrow.array([None if value is None else _as_json(value) for value in values], pyarrow.string())
    return pyarrow.table(columns)


def _as_json(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value, default=as_text).decode()


def render_clean(rows: Paragraphs, answers: Answers, *, keep: Sequence[Label], as_pages: bool) -> bytes:
    """The text worth keeping, page by page, by position.

    Parameters
    ----------
    rows
        The rows.
    answers
        As many answers.
    keep
        Labels to keep.
    as_pages
        Whether pages come as JSON objects, one a line and also where nothing is kept; otherwise paragraphs alone, with blank
        lines between.

    Returns
    -------
    The text.
    """
    wanted = {LABELS.index(label) for label in keep}
    bounds = rows.batch(with_hints=False).bounds().tolist()
    labels = answers.labels.tolist()
    out: list[bytes] = []
    for begin, end in pairwise(bounds):
        kept = sorted((i for i in range(begin, end) if labels[i] in wanted), key=lambda i: rows.positions[i])
        if as_pages:
            page = {PAGE: rows.pages[begin], "paragraphs": [rows.texts[i] for i in kept]}
            out.append(orjson.dumps(page, option=orjson.OPT_APPEND_NEWLINE))
        else:
            out += [rows.texts[i].encode() for i in kept]
    return b"".join(out) if as_pages else b"\n\n".join(out)
