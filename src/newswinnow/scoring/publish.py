"""Parts into the one file that the user asked for, in order, whole or not at all.

Writing parts is left to :mod:`newswinnow.scoring.parts`; which of them count, to :mod:`newswinnow.scoring.run`.
"""

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar, cast

import orjson

from newswinnow.corpus.write import as_text, compressed, field_text, write_fields
from newswinnow.paragraphs.table import (
    OPTIONAL_COLUMNS,
    POSITION,
    PREDICTION_COLUMNS,
    PROBABILITY_COLUMNS,
    REQUIRED_COLUMNS,
    TEXT,
)
from newswinnow.scoring.durable import Written, open_temporary
from newswinnow.scoring.parts import Footer, Parts

GZIP_LEVEL: Final = 6
"""Level 9, gzip's default in Python, takes three times as long for one percent."""

_Item = TypeVar("_Item")
_RARELY_REPEATED: Final = frozenset({POSITION, *PROBABILITY_COLUMNS})


def write_output(
    parts: Parts, footers: Sequence[Footer], temporary: Path, *, name: str, kind: str, tick: Callable[[], None]
) -> Written:
    """Write the output under a temporary name.

    Parameters
    ----------
    parts
        The parts.
    footers
        Those that count, in order.
    temporary
        The temporary name.
    name
        The final name, whose suffix says whether to compress.
    kind
        ``jsonl``, ``csv``, ``tsv``, ``parquet``, ``text`` or ``pages``.
    tick
        Called now and then; may raise to stop.

    Returns
    -------
    What was written; it is on the disk.

    Raises
    ------
    PartError
        If a part was changed on the disk.
    """
    digest = hashlib.sha256()
    with open_temporary(temporary, also=digest.update) as file:
        with compressed(cast(BinaryIO, file), name, gzip_level=GZIP_LEVEL) as stream:
            _WRITERS[kind](parts, footers, stream, tick)
        file.sync()
        return Written(file.tell(), digest.hexdigest())


def _ahead(items: Iterator[_Item], tick: Callable[[], None]) -> Iterator[_Item]:
    """The same items, each got in a thread while the one before is worked on: what is read is hashed, and what is written too."""
    with ThreadPoolExecutor(1) as reader:
        waiting = reader.submit(next, items, None)
        while (item := waiting.result()) is not None:
            waiting = reader.submit(next, items, None)
            tick()
            yield item


def _blocks(parts: Parts, footers: Iterable[Footer]) -> Iterator[tuple[Footer, bytes]]:
    """Pieces of all parts, block by block."""
    for footer in footers:
        for block in parts.payload(footer):
            yield footer, block


def _pieces(parts: Parts, footers: Iterable[Footer]) -> Iterator[tuple[Footer, bytes]]:
    """Pieces of all parts, each as a whole."""
    for footer in footers:
        yield footer, b"".join(parts.payload(footer))


def _counted_blocks(parts: Parts, footers: Iterable[Footer]) -> Iterator[bytes]:
    for footer in footers:
        n_lines = 0
        for block in parts.payload(footer):
            n_lines += block.count(b"\n")
            yield block
        if n_lines != footer.tally.rows_out:
            raise RuntimeError(f"{parts.path(footer.number)}: must hold {footer.tally.rows_out} rows; got {n_lines}")


def _copy(parts: Parts, footers: Sequence[Footer], stream: BinaryIO, tick: Callable[[], None]) -> None:
    for block in _ahead(_counted_blocks(parts, footers), tick):
        stream.write(block)


def _copy_pages(parts: Parts, footers: Sequence[Footer], stream: BinaryIO, tick: Callable[[], None]) -> None:
    for _, block in _ahead(_blocks(parts, footers), tick):
        stream.write(block)


def _copy_text(parts: Parts, footers: Sequence[Footer], stream: BinaryIO, tick: Callable[[], None]) -> None:
    before: Footer | None = None
    for footer, block in _ahead(_blocks(parts, footers), tick):
        if before is not None and before is not footer:
            stream.write(b"\n\n")
        stream.write(block)
        before = footer
    stream.write(b"\n" if before else b"")


def _delimited(delimiter: str) -> Callable[[Parts, Sequence[Footer], BinaryIO, Callable[[], None]], None]:
    def write(parts: Parts, footers: Sequence[Footer], stream: BinaryIO, tick: Callable[[], None]) -> None:
        met = dict.fromkeys(name for footer in footers for name in footer.tally.columns)
        known = [name for name in (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS) if name in met or name in REQUIRED_COLUMNS]
        names = [*known, *(name for name in met if name not in known and name not in PREDICTION_COLUMNS), *PREDICTION_COLUMNS]
        stream.write(_delimited_bytes([names], delimiter))
        for _, payload in _ahead(_pieces(parts, footers), tick):
            records = map(orjson.loads, payload.split(b"\n")[:-1])
            rows = ([field_text(record.get(name)) for name in names] for record in records)
            stream.write(_delimited_bytes(rows, delimiter))

    return write


def _delimited_bytes(rows: Iterable[Sequence[str]], delimiter: str) -> bytes:
    text = io.StringIO()
    write_fields(rows, text, delimiter=delimiter)
    return text.getvalue().encode()


def _parquet(parts: Parts, footers: Sequence[Footer], stream: BinaryIO, tick: Callable[[], None]) -> None:
    import pyarrow
    import pyarrow.parquet

    schema = _schema_of(parts, footers)
    # Texts and numbers that hardly ever come twice need no dictionary: a third less time, and a smaller file.
    described = [name for name in schema.names if name != TEXT]
    repeated = [name for name in described if name not in _RARELY_REPEATED]
    with pyarrow.parquet.ParquetWriter(stream, schema, use_dictionary=repeated, write_statistics=described) as writer:
        for footer, payload in _ahead(_pieces(parts, footers), tick):
            with pyarrow.ipc.open_stream(payload) as reader:
                table = reader.read_all()
            if table.num_rows != footer.tally.rows_out:
                raise RuntimeError(f"{parts.path(footer.number)}: must hold {footer.tally.rows_out} rows; got {table.num_rows}")
            if table.num_rows:
                writer.write_table(_fitted(table, schema))


def _schema_of(parts: Parts, footers: Sequence[Footer]) -> Any:
    """One schema for all parts: the columns in order, answers last; types that do not fit together become text."""
    import pyarrow

    fields: dict[str, Any] = {}
    for footer in footers:
        with parts.path(footer.number).open("rb") as file:
            schema = pyarrow.ipc.open_stream(file).schema
        for field in schema:
            fields[field.name] = _common(fields.get(field.name), field.type)
    types = {"position": pyarrow.int64(), **dict.fromkeys(PREDICTION_COLUMNS[1:], pyarrow.float64())}
    for name in (*REQUIRED_COLUMNS, *PREDICTION_COLUMNS):
        fields.setdefault(name, types.get(name, pyarrow.string()))
    names = [name for name in fields if name not in PREDICTION_COLUMNS]
    return pyarrow.schema(
        [
            (name, pyarrow.string() if pyarrow.types.is_null(fields[name]) else fields[name])
            for name in (*names, *PREDICTION_COLUMNS)
        ]
    )


def _common(a: Any, b: Any) -> Any:
    import pyarrow

    if a is None or a == b:
        return b
    try:
        joined = pyarrow.unify_schemas([pyarrow.schema([("x", a)]), pyarrow.schema([("x", b)])], promote_options="permissive")
    except (pyarrow.ArrowTypeError, pyarrow.ArrowInvalid):
        return pyarrow.string()
    return joined.field("x").type


def _fitted(table: Any, schema: Any) -> Any:
    """A part's table with all columns of the output, in their types."""
    import pyarrow

    columns = []
    for field in schema:
        if field.name not in table.column_names:
            columns.append(pyarrow.nulls(table.num_rows, field.type))
            continue
        column = table.column(field.name)
        if column.type == field.type:
            columns.append(column)
        elif pyarrow.types.is_string(field.type) and not pyarrow.types.is_large_string(column.type):
            values = [
                None if v is None else v if isinstance(v, str) else orjson.dumps(v, default=as_text).decode()
                for v in column.to_pylist()
            ]
            columns.append(pyarrow.array(values, pyarrow.string()))
        else:
            columns.append(column.cast(field.type))
    return pyarrow.table(columns, schema=schema)


_WRITERS: Final[dict[str, Callable[[Parts, Sequence[Footer], BinaryIO, Callable[[], None]], None]]] = {
    "jsonl": _copy,
    "pages": _copy_pages,
    "text": _copy_text,
    "csv": _delimited(","),
    "tsv": _delimited("\t"),
    "parquet": _parquet,
}
