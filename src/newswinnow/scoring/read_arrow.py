"""Rows of an Arrow table into checked paragraphs, columns kept as they are.

What each rule says is left to :mod:`newswinnow.corpus.records`, whose answer counts wherever a column does not pass as a whole.
"""

from typing import Any

from newswinnow.corpus.parquet import column_values
from newswinnow.corpus.records import BadRecord, check_record
from newswinnow.corpus.rejects import Reject, excerpt_of
from newswinnow.paragraphs.table import OPTIONAL_COLUMNS, PAGE, POSITION, TEXT
from newswinnow.scoring.checks import collapsed, columns_pass, optional_pass
from newswinnow.scoring.chunks import Chunk
from newswinnow.scoring.taken import RULES, Paragraphs, ReadChunk, refuse_repeated


def read_arrow(chunk: Chunk) -> ReadChunk:
    """Read and check a chunk of a Parquet file.

    Parameters
    ----------
    chunk
        A serialised Arrow table.

    Returns
    -------
    Rows with their table, and rejects.
    """
    import pyarrow

    with pyarrow.ipc.open_stream(chunk.data) as reader:
        table = reader.read_all()
    read = _take_all(table, chunk) or _take_each(table, chunk)
    refuse_repeated(read, chunk.source)
    return read


def _take_all(table: Any, chunk: Chunk) -> ReadChunk | None:
    """All rows if nothing is wrong with any of them."""
    try:
        pages, positions, texts = (table.column(name).to_pylist() for name in (PAGE, POSITION, TEXT))
        if not columns_pass(pages, positions, texts) or not _are_valid(table):
            return None
        known = [name for name in OPTIONAL_COLUMNS if name in table.column_names]
        if not all(optional_pass(name, table.column(name).to_pylist()) for name in known):
            return None
    except UnicodeDecodeError:
        return None
    numbers: list[int | None] = [*range(chunk.first, chunk.first + len(texts))]
    return ReadChunk(Paragraphs(pages, positions, collapsed(texts), numbers, table=table), n_records=len(texts))


def _are_valid(table: Any) -> bool:
    """Whether all strings are UTF-8, those of columns that pass through included."""
    import pyarrow

    try:
        table.validate(full=True)
    except pyarrow.ArrowInvalid:
        return False
    return True


def _take_each(table: Any, chunk: Chunk) -> ReadChunk:
    """Row by row; what breaks a rule is refused with its number."""
    read = ReadChunk(Paragraphs(), n_records=table.num_rows)
    columns = [column_values(table.column(i).combine_chunks()) for i in range(table.num_columns)]
    kept, rows = [], read.rows
    for i, values in enumerate(zip(*columns, strict=True)):
        fields = dict(zip(table.column_names, values, strict=True))
        try:
            record = check_record(fields, RULES)
        except BadRecord as error:
            read.rejects.append(Reject(chunk.source, chunk.first + i, str(error), excerpt_of(fields.get(TEXT, fields))))
            continue
        kept.append(i)
        rows.pages.append(record[PAGE])
        rows.positions.append(record[POSITION])
        rows.texts.append(record[TEXT])
        rows.numbers.append(chunk.first + i)
    rows.table = table.take(kept)
    return read
