"""Parquet in and out."""

import gzip
import io
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newswinnow.corpus import parquet, parquet_pages
from newswinnow.corpus.parquet import read_parquet, require_pyarrow, write_parquet
from newswinnow.corpus.records import RecordCollector, RecordRules
from newswinnow.corpus.rejects import CorpusError

COLUMNS: dict[str, list[Any]] = {"page": ["p", "p"], "position": [0, 1], "text": ["NA", "The ferry  sails again."]}


def read(path: Path, rules: RecordRules | None = None) -> RecordCollector:
    collector = RecordCollector(rules or RecordRules())
    read_parquet(path, into=collector)
    return collector


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "f.parquet"


def undecodable(values: list[bytes | None]) -> pa.Array:
    """Strings that Arrow holds but that are no UTF-8."""
    binary = pa.array(values, pa.binary())
    return pa.Array.from_buffers(pa.string(), len(values), binary.buffers(), binary.null_count)


def test_rows_are_records_with_their_row_as_line(path: Path) -> None:
    labels = pa.array(["news", "News"]).dictionary_encode()
    pq.write_table(pa.table({**COLUMNS, "label": labels, "note": [[1, None], []]}), path)
    collector = read(path)
    assert collector.records == [{"page": "p", "position": 0, "text": "NA", "label": "news", "note": [1, None]}]
    assert list(map(str, collector.rejects)) == [f"{path}:2: label must be one of news, boilerplate, related-link; got 'News'"]


def test_rows_are_counted_across_batches_and_row_groups(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_pages, "BATCH_ROWS", 2)
    table = pa.table({"page": ["p"] * 7, "position": [0, 1, 2, 3, 4, 5, 5], "text": list("abcdefg")})
    pq.write_table(table, path, row_group_size=3)
    collector = read(path)
    assert [record["text"] for record in collector.records] == list("abcdef")
    assert str(collector.rejects[0]) == (
        f"{path}:7: page and position must be unique; got page 'p' position 5 again, first at {path}:6"
    )


@pytest.mark.parametrize(
    ("column", "values", "reason"),
    [
        ("label", [None, float("nan")], "label must be one of news, boilerplate, related-link; got nan"),
        ("position", [0.0, 1.0], "position must be an integer from 0 to 2**53; got 1.0"),
        ("position", [0, None], "position must be an integer from 0 to 2**53; got None"),
        ("text", ["a", None], "text must be a string; got NoneType None"),
        ("text", [b"a", b"b"], "text must be a string; got bytes 'b'"),
        ("page", [1, 2], "page must be a string; got int 2"),
        ("link_density", [0.5, float("inf")], "link_density must be a number in [0, 1]; got inf"),
    ],
)
def test_wrong_types_are_refused_not_converted(path: Path, column: str, values: list[Any], reason: str) -> None:
    pq.write_table(pa.table({**COLUMNS, column: values}), path)
    assert str(read(path).rejects[-1]) == f"{path}:2: {reason}"


@pytest.mark.parametrize("column", ["text", "page", "note"])
@pytest.mark.parametrize("is_encoded", [False, True], ids=["plain", "dictionary"])
def test_invalid_utf8_refuses_its_record_and_names_the_byte(path: Path, column: str, is_encoded: bool) -> None:
    values = undecodable([b"fine", b"na\xefve"])
    pq.write_table(pa.table({**COLUMNS, column: values.dictionary_encode() if is_encoded else values}), path)
    collector = read(path)
    assert [record[column] for record in collector.records] == ["fine"]
    assert list(map(str, collector.rejects)) == [
        f"{path}:2: {column} must be valid UTF-8; got byte 0xef at byte 2 of the {column}"
    ]


def test_null_beside_invalid_utf8_stays_null(path: Path) -> None:
    pq.write_table(pa.table({**COLUMNS, "site": undecodable([None, b"\xff"])}), path)
    assert read(path).records == [{"page": "p", "position": 0, "text": "NA", "site": None}]


@pytest.mark.parametrize(
    ("columns", "needs_label", "message"),
    [
        (["page", "position", "txt"], False, "must have the columns page, position, text; got page, position, txt"),
        (["page", "position", "text"], True, "must have the columns page, position, text, label; got page, position, text"),
        (["page", "position", "text", "page"], False, "must name each column once; got page twice"),
    ],
)
def test_wrong_columns_fail_before_any_row(path: Path, columns: list[str], needs_label: bool, message: str) -> None:
    pq.write_table(pa.Table.from_arrays([pa.array([1])] * len(columns), names=columns), path)
    with pytest.raises(CorpusError, match=r"f\.parquet: ") as caught:
        read(path, RecordRules(needs_label=needs_label))
    assert str(caught.value) == f"{path}: {message}"


def test_column_names_that_are_no_utf8_are_refused(path: Path) -> None:
    pq.write_table(pa.table({**COLUMNS, "notable": [1, 2]}), path, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"notable", b"not\xffble"))
    with pytest.raises(CorpusError, match=r"f\.parquet: column names must be valid UTF-8; got 'not\\\\xffble'$"):
        read(path)


def test_strings_inside_nested_columns_that_are_no_utf8_fail_the_file(path: Path) -> None:
    nested = pa.StructArray.from_arrays([undecodable([b"fine", b"\xff"])], names=["inner"])
    pq.write_table(pa.table({**COLUMNS, "note": nested}), path)
    with pytest.raises(CorpusError, match=r"f\.parquet: must be a whole Parquet file; got "):
        read(path)


def test_table_without_rows_is_read(path: Path) -> None:
    pq.write_table(pa.table({name: [] for name in COLUMNS}), path)
    collector = read(path)
    assert (collector.records, collector.rejects) == ([], [])


def test_missing_file_and_directory(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no\.parquet: must be an existing file; got nothing there$"):
        read(tmp_path / "no.parquet")
    with pytest.raises(FileNotFoundError, match=r": must be an existing file; got a directory$"):
        read(tmp_path)


def test_truncated_file_fails_as_a_whole(path: Path) -> None:
    pq.write_table(pa.table(COLUMNS), path)
    whole = path.read_bytes()
    for n_kept in range(0, len(whole), len(whole) // 20):
        path.write_bytes(whole[:n_kept])
        collector = RecordCollector(RecordRules())
        with pytest.raises(CorpusError, match=r"f\.parquet: must be a whole Parquet file; got \S"):
            read_parquet(path, into=collector)
        assert collector.records == []


@given(st.binary(max_size=60), st.booleans())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_refused(path: Path, data: bytes, has_magic: bool) -> None:
    path.write_bytes(b"PAR1" + data + b"PAR1" if has_magic else data)
    with pytest.raises(CorpusError, match=r"f\.parquet: must be a whole Parquet file; got ") as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_group_that_expands_too_far_is_refused_before_reading(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = pa.table({"page": ["p"] * 1000, "position": range(1000), "text": ["x" * 1000] * 1000})
    pq.write_table(table, path, compression="zstd", use_dictionary=False)
    assert path.stat().st_size < 100_000
    monkeypatch.setattr(parquet, "MAX_GROUP_BYTES", 500_000)
    collector = RecordCollector(RecordRules())
    with pytest.raises(CorpusError, match=r"f\.parquet: row groups must expand to at most 500000 bytes; got \d{7}$"):
        read_parquet(path, into=collector)
    assert collector.records == []


def test_gzipped_file_is_read(tmp_path: Path, path: Path) -> None:
    pq.write_table(pa.table(COLUMNS), path)
    packed = tmp_path / "f.parquet.GZ"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read(packed).records == read(path).records


def test_without_pyarrow_the_error_says_what_to_install(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(pa.table(COLUMNS), path)
    message = r"f\.parquet: Parquet needs pyarrow; got no such package \(pip install 'newswinnow\[parquet\]'\)$"
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(CorpusError, match=message):
        read(path)
    with pytest.raises(CorpusError, match=message):
        require_pyarrow(str(path))
    with pytest.raises(CorpusError, match=message):
        write_parquet(pd.DataFrame(COLUMNS), io.BytesIO(), where=str(path))


def test_written_table_is_read_by_others() -> None:
    stream = io.BytesIO()
    write_parquet(pd.DataFrame({**COLUMNS, "share": [Decimal("0.5"), None]}), stream, where="f")
    assert pq.read_table(io.BytesIO(stream.getvalue())).to_pydict() == {**COLUMNS, "share": [Decimal("0.5"), None]}


@pytest.mark.parametrize("values", [[1, "a"], [{}, {}], [[1], "x"], [b"a", 1]])
def test_columns_that_parquet_cannot_keep_are_named(values: list[Any]) -> None:
    table = pd.DataFrame({"text": ["a", "b"], "note": pd.Series(values, dtype=object)})
    with pytest.raises(CorpusError, match=r"^out\.parquet: columns must be of one type for Parquet; got (?s:.)*note"):
        write_parquet(table, io.BytesIO(), where="out.parquet")
