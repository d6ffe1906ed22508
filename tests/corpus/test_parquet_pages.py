"""Parquet bombs: refused by page headers and by rows, whatever the footer says."""

import contextlib
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswinnow.corpus import parquet_pages
from newswinnow.corpus.parquet import read_parquet
from newswinnow.corpus.parquet_pages import Page, PageError, guarded_batches, pages_of
from newswinnow.corpus.records import RecordCollector, RecordRules
from newswinnow.corpus.rejects import CorpusError

BOMB = r"f\.parquet: must not expand to more than 250 times its size; got \d{8,} bytes from \d+$"
READ = """
import resource, sys
import pyarrow.parquet
from pathlib import Path
from newswinnow.corpus.parquet import read_parquet
from newswinnow.corpus.records import RecordCollector, RecordRules
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read_parquet(Path(sys.argv[1]), into=RecordCollector(RecordRules()))
except ValueError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def table_of(texts: list[str]) -> pa.Table:
    return pa.table({"page": ["p"] * len(texts), "position": range(len(texts)), "text": texts})


def chunks(path: Path) -> list[tuple[int, int]]:
    """Where the columns of a file begin and end."""
    found = []
    for group in range((meta := pq.read_metadata(path)).num_row_groups):
        for i in range(meta.num_columns):
            column = meta.row_group(group).column(i)
            begin = column.dictionary_page_offset if column.has_dictionary_page else column.data_page_offset
            found.append((begin, begin + column.total_compressed_size))
    return found


def pages_in(path: Path) -> list[Page]:
    with path.open("rb") as stream:
        return [page for begin, end in chunks(path) for page in pages_of(stream, begin, end)]


def varint(value: int, *, n_bytes: int = 0) -> bytes:
    """A number as Thrift writes it, with empty groups at its end up to a length."""
    out: list[int] = []
    value <<= 1
    while value or not out:
        out.append(value & 0x7F)
        value >>= 7
    out += [0] * (n_bytes - len(out))
    return bytes([*(byte | 0x80 for byte in out[:-1]), out[-1]])


def belittle(path: Path) -> None:
    """Let the footer say that everything expands to one byte."""
    meta, data = pq.read_metadata(path), path.read_bytes()
    begin = len(data) - meta.serialized_size - 8
    body, footer = data[:begin], data[begin:]
    group = meta.row_group(0)
    for size in {group.total_byte_size, group.column(meta.num_columns - 1).total_uncompressed_size}:
        assert varint(size) in footer
        footer = footer.replace(varint(size), varint(1, n_bytes=len(varint(size))))
    path.write_bytes(body + footer)
    assert pq.read_metadata(path).row_group(0).total_byte_size == 1


@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "zstd"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("options", [{}, {"use_dictionary": False}, {"encoding": {"text": "DELTA_BYTE_ARRAY"}}], ids=str)
def test_page_headers_tell_what_pages_expand_to(tmp_path: Path, codec: str, version: str, options: dict[str, Any]) -> None:
    path, encoding = tmp_path / "f.parquet", options.get("encoding")
    table = table_of([f"Line {i} of the page." for i in range(900)])
    more = {"use_dictionary": False, "column_encoding": encoding} if encoding else options
    pq.write_table(table, path, compression=codec, data_page_version=version, data_page_size=1000, row_group_size=400, **more)
    pages, meta = pages_in(path), pq.read_metadata(path)
    n_said = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
    # The footer counts the headers, too.
    assert n_said - 200 * len(pages) < sum(page.n_bytes for page in pages) < n_said
    assert any(page.repeats for page in pages) == ("use_dictionary" not in options)
    collector = RecordCollector(RecordRules())
    read_parquet(path, into=collector)
    assert [record["text"] for record in collector.records] == table["text"].to_pylist()


@pytest.mark.parametrize(
    "options",
    [{"use_dictionary": False}, {}, {"use_dictionary": False, "column_encoding": {"text": "DELTA_BYTE_ARRAY"}}],
    ids=["page", "dictionary", "shared beginnings"],
)
@pytest.mark.parametrize("is_belittled", [False, True], ids=["honest footer", "lying footer"])
def test_bomb_is_refused(tmp_path: Path, options: dict[str, Any], is_belittled: bool) -> None:
    path = tmp_path / "f.parquet"
    pq.write_table(table_of(["x" * 250_000] * 120), path, compression="zstd", store_schema=False, **options)
    assert path.stat().st_size < 20_000
    if is_belittled:
        belittle(path)
    with pytest.raises(CorpusError, match=BOMB):
        read_parquet(path, into=RecordCollector(RecordRules()))


def test_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "f.parquet"
    pq.write_table(table_of(["x" * 1_000_000] * 200), path, compression="zstd", store_schema=False, use_dictionary=False)
    belittle(path)
    found = subprocess.run([sys.executable, "-c", READ, path], capture_output=True, text=True, check=True).stdout
    message, rise = found.splitlines()
    assert "must not expand" in message
    assert int(rise) < 100


def test_repeated_values_make_batches_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "f.parquet"
    pq.write_table(table_of(["x" * 1000, "y" * 1000] * 50), path)
    monkeypatch.setattr(parquet_pages, "_BATCH_BYTES", 10_000)
    with path.open("rb") as stream, pq.ParquetFile(stream) as file:
        lengths = [len(batch) for batch in guarded_batches(file, stream, source="f")]
    assert sum(lengths) == 100
    assert max(lengths) < 10


def test_large_whole_counts_only_where_it_is_not_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "f.parquet"
    pq.write_table(table_of([f"Line {i} of the page." for i in range(100)]), path)
    monkeypatch.setattr(parquet_pages, "MAX_GZIP_BYTES", 1000)
    with path.open("rb") as stream, pq.ParquetFile(stream) as file:
        batches = list(guarded_batches(file, stream, source="f", batch_rows=30, is_streamed=True))
        assert [len(batch) for batch in batches] == [30, 30, 30, 10]
        with pytest.raises(CorpusError, match=r"^f: must not expand to more than 250 times its size"):
            list(guarded_batches(file, stream, source="f"))


def test_text_that_repeats_as_pages_do_is_read(tmp_path: Path) -> None:
    path = tmp_path / "f.parquet"
    pq.write_table(table_of(["Share", "Advertisement", "Sign in to comment on this story"] * 20_000), path, compression="zstd")
    collector = RecordCollector(RecordRules())
    read_parquet(path, into=collector)
    assert len(collector.records) == 60_000


@pytest.mark.parametrize(
    ("header", "got"),
    [
        (b"", "a page header that is cut or too long"),
        (b"\x15", "a page header that is cut or too long"),
        (b"\x15" + b"\xff" * 11, "a page header with an endless number"),
        (b"\x1d\x00", "a page header with a field of kind 13"),
        (b"\x1b\x00", "a page header with a field of kind 11"),
        (b"\x1c" * 40, "a page header nested too deeply"),
        (b"\x19\xfc\xff\xff\xff\xff\x0f", "a page header that is cut or too long"),
        (b"\x18\xff\xff\xff\xff\x0f", "a page header that is cut or too long"),
        (b"\x15\x00\x00", "a page header without sizes"),
        (b"\x15\x00\x15\x01\x15\x00\x00", "a page header without sizes"),
        (b"\x15\x00\x1c\x00\x15\x00\x00", "a page header without sizes"),
    ],
)
def test_header_that_is_none_is_told(header: bytes, got: str) -> None:
    with pytest.raises(PageError, match=f"^{got}$"):
        list(pages_of(io.BytesIO(header), 0, 100))


def test_fields_that_do_not_matter_are_skipped() -> None:
    skipped = b"\x11\x12\x13\x07\x17" + b"d" * 8 + b"\x18\x02ab" + b"\x19\x21\x01\x02" + b"\x1a\x15\x04"
    # Field 1 is written with its number in full, others count on from the one before.
    header = b"\x05\x02\x00\x15\x14\x15\x06" + b"\x75\x00" + skipped + b"\x00"
    assert list(pages_of(io.BytesIO(header + b"abc"), 0, len(header) + 3)) == [Page(10, False)]


@settings(deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes_give_pages_or_a_page_error(data: bytes) -> None:
    with contextlib.suppress(PageError):
        assert all(page.n_bytes >= 0 for page in pages_of(io.BytesIO(data), 0, len(data)))
