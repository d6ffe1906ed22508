"""Tables out: as they are, whole or not at all."""

import gzip
import io
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pyarrow.parquet as pq
import pytest

from newswinnow.corpus.rejects import CorpusError
from newswinnow.corpus.write import atomic_file, check_writable, records_of, write_delimited, write_jsonl, write_table, write_text

TABLE = pd.DataFrame({"page": ["p", "p"], "position": [0, 1], "text": ['say "no", now', "Überfahrt\u2028x"], "site": ["a", None]})
JSONL = (
    '{"page":"p","position":0,"text":"say \\"no\\", now","site":"a"}\n'
    '{"page":"p","position":1,"text":"Überfahrt\u2028x","site":null}\n'
).encode()
CSV = 'page,position,text,site\np,0,"say ""no"", now",a\np,1,Überfahrt\u2028x,\n'.encode()


def jsonl_of(table: pd.DataFrame) -> bytes:
    stream = io.BytesIO()
    write_jsonl(table, stream)
    return stream.getvalue()


def csv_of(table: pd.DataFrame) -> str:
    stream = io.BytesIO()
    write_delimited(table, stream, delimiter=",")
    return stream.getvalue().decode()


def test_records_have_none_for_every_kind_of_missing() -> None:
    missing: list[Any] = [None, np.nan, pd.NA, pd.NaT, 0]
    table = pd.DataFrame({"x": pd.Series(missing, dtype=object), 7: [0.5] * 5})
    assert list(records_of(table)) == [*[{"x": None, "7": 0.5}] * 4, {"x": 0, "7": 0.5}]


def test_jsonl_is_written_byte_for_byte() -> None:
    assert jsonl_of(TABLE) == JSONL


def test_jsonl_takes_what_parquet_columns_may_hold() -> None:
    values: list[Any] = [
        Decimal("1.50"),
        b"ok\xff",
        timedelta(seconds=1),
        datetime(2031, 5, 4, tzinfo=UTC),
        [Decimal(2)],
        {"a": b"x"},
    ]
    lines = jsonl_of(pd.DataFrame({"x": pd.Series(values, dtype=object)})).splitlines()
    assert [orjson.loads(line)["x"] for line in lines] == [
        "1.50",
        "ok\\xff",
        "0:00:01",
        "2031-05-04T00:00:00+00:00",
        ["2"],
        {"a": "x"},
    ]


def test_csv_is_written_byte_for_byte() -> None:
    assert csv_of(TABLE).encode() == CSV


def test_csv_quotes_every_newline_and_writes_nested_values_as_json() -> None:
    table = pd.DataFrame({"a\rb": pd.Series(["x\ry", "x\ny", {"k": [1, None]}, [True], 0.5, None], dtype=object), "b": "z"})
    assert csv_of(table) == '"a\rb","b"\n"x\ry","z"\n"x\ny",z\n"{""k"":[1,null]}",z\n[true],z\n0.5,z\n,z\n'


@pytest.mark.parametrize(
    ("file_format", "expected"), [("jsonl", JSONL), ("csv", CSV), ("tsv", CSV.replace(b",", b"\t").replace(b'""\t', b'"",'))]
)
@pytest.mark.parametrize("where", ["file", "gz", "stdout"])
def test_table_goes_where_it_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file_format: str, expected: bytes, where: str
) -> None:
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=out))
    path = None if where == "stdout" else tmp_path / f"t.{file_format}{'.gz' if where == 'gz' else ''}"
    write_table(TABLE, path, file_format=file_format)
    data = out.getvalue() if path is None else path.read_bytes()
    assert (gzip.decompress(data) if where == "gz" else data) == expected
    assert [found.name for found in tmp_path.iterdir()] == ([path.name] if path else [])


def test_parquet_to_stdout_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=out))
    write_table(TABLE, None, file_format="parquet")
    assert pq.read_table(io.BytesIO(out.getvalue())).to_pylist() == list(records_of(TABLE))


def test_gzip_is_the_same_every_time(tmp_path: Path) -> None:
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        write_table(TABLE, tmp_path / name, file_format="jsonl")
    packed = (tmp_path / "a.jsonl.gz").read_bytes()
    assert packed == (tmp_path / "b.jsonl.gz").read_bytes()
    assert packed[4:8] == bytes(4)  # The time field of the gzip header.


def test_failed_write_leaves_the_older_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(b"older")
    unwritable = pd.DataFrame({"x": ["fine", "\ud800"]}, dtype=object)
    with pytest.raises(TypeError, match="str is not valid UTF-8"):
        write_table(unwritable, path, file_format="jsonl")
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


def test_file_takes_its_name_only_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "t.bin"
    with atomic_file(path) as file:
        file.write(b"half")
        assert not path.exists()
        file.write(b" whole")
    assert path.read_bytes() == b"half whole"
    with pytest.raises(FileNotFoundError, match="absent"), atomic_file(tmp_path / "absent" / "t.bin"):
        pass


def test_a_text_replaces_an_older_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "t.md"
    for text in ("older and longer", "né\n"):
        write_text(path, text)
    assert path.read_bytes() == b"n\xc3\xa9\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("path", "where"), [(None, "stdout"), ("t.xml", r"t\.xml")])
def test_unknown_format_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str | None, where: str
) -> None:
    monkeypatch.chdir(tmp_path)
    message = f"^{where}: format must be one of jsonl, csv, tsv, parquet; got 'xml'$"
    with pytest.raises(CorpusError, match=message):
        check_writable("xml", path)
    with pytest.raises(CorpusError, match=message):
        write_table(TABLE, path, file_format="xml")
    assert list(tmp_path.iterdir()) == []


def test_parquet_without_pyarrow_is_refused_early(monkeypatch: pytest.MonkeyPatch) -> None:
    check_writable("parquet", None)
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    check_writable("jsonl", None)
    with pytest.raises(CorpusError, match=r"^stdout: Parquet needs pyarrow; got no such package"):
        check_writable("parquet", None)


def test_integers_beyond_64_bits_are_written_as_they_are(tmp_path: Path) -> None:
    table = pd.DataFrame({"x": [[2**80, float("nan"), {"é": -(2**70)}], 1]}, dtype=object)
    write_table(table, tmp_path / "t.jsonl", file_format="jsonl")
    lines = (tmp_path / "t.jsonl").read_text(encoding="utf-8").splitlines()
    assert lines == [f'{{"x":[{2**80},null,{{"é":{-(2**70)}}}]}}', '{"x":1}']
