"""Tables of any format: which reader takes a file and what it gives back."""

import gzip
import io
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswinnow.corpus.records import RecordCollector, RecordRules
from newswinnow.corpus.rejects import CorpusError
from newswinnow.corpus.tables import TABLE_FORMATS, format_of, read_corpus, read_table_into, read_tables, table_from_records
from newswinnow.corpus.write import write_table

ROWS = pd.DataFrame({"page": ["p", "p"], "position": [0, 1], "text": ["NA", "The ferry sails again."], "label": ["news", None]})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a/b.jsonl", "jsonl"),
        ("b.JSONL.GZ", "jsonl"),
        ("b.tar.csv", "csv"),
        ("b.gz", ""),
        ("b", ""),
        (".jsonl", ""),
        ("a.jsonl/b", ""),
    ],
)
def test_format_goes_by_the_last_suffix_but_gz(name: str, expected: str) -> None:
    assert format_of(name) == expected


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("file_format", TABLE_FORMATS)
def test_every_format_reads_the_same(tmp_path: Path, file_format: str, suffix: str) -> None:
    path = tmp_path / f"t.{file_format}{suffix}"
    write_table(ROWS, path, file_format=file_format)
    reading = read_tables([path])
    assert reading.n_records == 2
    pd.testing.assert_frame_equal(reading.table, ROWS.astype({"label": "str"}))
    assert reading.table.dtypes.astype(str).to_dict() == {"page": "str", "position": "int64", "text": "str", "label": "str"}


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("file_format", ["jsonl", "csv", "tsv"])
def test_empty_file_is_an_empty_table_with_the_columns(tmp_path: Path, file_format: str, suffix: str) -> None:
    path = tmp_path / f"t.{file_format}{suffix}"
    path.write_bytes(gzip.compress(b"") if suffix else b"")
    table = read_tables([path]).table
    assert len(table) == 0
    assert table.dtypes.astype(str).to_dict() == {"page": "str", "position": "int64", "text": "str"}


def test_empty_parquet_file_is_no_parquet_but_one_without_rows_is(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(b"")
    with pytest.raises(CorpusError, match=r"t\.parquet: must be a whole Parquet file; got "):
        read_tables([path])
    pq.write_table(pa.table({"page": [], "position": [], "text": []}), path)
    assert list(read_tables([path]).table.columns) == ["page", "position", "text"]


@pytest.mark.parametrize("name", [f"no.{file_format}{gz}" for file_format in TABLE_FORMATS for gz in ("", ".gz")])
def test_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError, match=f"{name}: must be an existing file; got nothing there$"):
        read_tables([tmp_path / name])


@pytest.mark.parametrize(
    ("name", "got"), [("t.xlsx", "'xlsx'"), ("t.txt", "'txt'"), ("t", "'no suffix'"), ("t.gz", "'no suffix'")]
)
def test_unknown_format_is_named(tmp_path: Path, name: str, got: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(CorpusError, match=f"{name}: must be one of .jsonl, .csv, .tsv, .parquet; got {got}$"):
        read_tables([tmp_path / name])


def test_format_may_be_named_and_stdin_is_called_so(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"page\tposition\ttext\np\t0\ta\np\tx\tb\n"
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    collector = RecordCollector(RecordRules())
    read_table_into(collector, "-", file_format="tsv")
    assert [record["text"] for record in collector.records] == ["a"]
    assert collector.rejects[0].where == "stdin:3"


def test_own_columns_come_first_typed_and_others_as_they_were() -> None:
    collector = RecordCollector(RecordRules())
    first = {"note": [1], "link_density": 1, "text": "a", "position": 0, "page": "p"}
    collector.add(first, source="f", line=1)
    collector.add({"page": "p", "position": 1, "text": "b", "label": "news", "n": 3}, source="f", line=2)
    table = table_from_records(collector)
    assert list(table.columns) == ["page", "position", "text", "label", "link_density", "note", "n"]
    assert table["link_density"].dtype == np.float64
    assert table["note"].tolist() == [[1], None]
    assert table["n"].tolist() == [None, 3]
    assert table["label"].isna().tolist() == [True, False]


def test_files_are_one_table_and_places_are_unique_across_them(tmp_path: Path) -> None:
    one, two = tmp_path / "one.jsonl", tmp_path / "two.csv"
    one.write_bytes(b'{"page":"p","position":0,"text":"a"}\n')
    two.write_bytes(b"page,position,text\nq,0,b\np,0,c\n")
    reading = read_tables([one, two], max_rejects=None)
    assert reading.table["text"].tolist() == ["a", "b"]
    assert [str(reject) for reject in reading.rejects] == [
        f"{two}:3: page and position must be unique; got page 'p' position 0 again, first at {one}:1"
    ]
    assert reading.n_records == 3


@pytest.mark.parametrize(("max_rejects", "is_refused"), [(0, True), (1, True), (2, False), (None, False)])
def test_more_rejects_than_allowed_raise(tmp_path: Path, max_rejects: int | None, is_refused: bool) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(b'{"page":"p","position":0,"text":"a","label":"news"}\nx\n[]\n')
    if is_refused:
        with pytest.raises(
            CorpusError, match=r"t\.jsonl:2: must be valid JSON(?s:.)*\n.*t\.jsonl:3: must be a JSON object; got list"
        ):
            read_tables([path], max_rejects=max_rejects)
        with pytest.raises(CorpusError, match=r"t\.jsonl:2: "):
            read_corpus([path], max_rejects=max_rejects)
        return
    assert len(read_tables([path], max_rejects=max_rejects).rejects) == 2
    assert len(read_corpus([path], max_rejects=max_rejects)) == 1


def test_corpus_keeps_unlabelled_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    write_table(ROWS, path, file_format="jsonl")
    assert read_corpus([path])["label"].isna().tolist() == [False, True]


@pytest.mark.parametrize("n_rows", [0, 2])
@pytest.mark.parametrize("file_format", TABLE_FORMATS)
def test_corpus_without_labels_is_refused(tmp_path: Path, file_format: str, n_rows: int) -> None:
    path = tmp_path / f"t.{file_format}"
    write_table(ROWS.assign(label=None).iloc[:n_rows], path, file_format=file_format)
    with pytest.raises(
        CorpusError, match=rf"t\.{file_format}: must have labelled paragraphs; got {n_rows} rows without a label$"
    ):
        read_corpus([path])


@pytest.mark.parametrize("file_format", TABLE_FORMATS)
def test_corpus_without_the_label_column_lists_the_columns(tmp_path: Path, file_format: str) -> None:
    path = tmp_path / f"t.{file_format}"
    write_table(ROWS.drop(columns="label"), path, file_format=file_format)
    message = r"must have the columns page, position, text, label; got page, position, text$"
    with pytest.raises(CorpusError, match=message):
        read_corpus([path])


def test_truncated_gzip_gives_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl.gz"
    lines = b"".join(b'{"page":"p","position":%d,"text":"a %d"}\n' % (i, i * i) for i in range(500))
    whole = gzip.compress(lines)
    for n_kept in range(0, len(whole), len(whole) // 20):
        path.write_bytes(whole[:n_kept])
        with pytest.raises(CorpusError, match=r"t\.jsonl\.gz: must be a whole gzip file; got "):
            read_tables([path], max_rejects=None)


UNICODE = st.characters(exclude_categories=["Cs"])
WORD = st.text(UNICODE, min_size=1, max_size=8).map(lambda text: "".join(text.split())).filter(bool)
TEXT = st.one_of(
    st.lists(WORD, min_size=1, max_size=4).map(" ".join),
    st.sampled_from(["NA", "null", "nan", "None", "True", "1", "007", '"', '""', ",", '",', "'", "=1+1", "\\", "#", "a,b\\"]),
)
OPTIONAL = st.none() | TEXT
PAGE = TEXT | st.text(UNICODE, min_size=1, max_size=6)


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    """Valid paragraph tables with every column of the table."""
    places = draw(st.lists(st.tuples(PAGE, st.integers(0, 2**53)), min_size=1, max_size=5, unique=True))
    n = len(places)

    def column(values: st.SearchStrategy[object]) -> list[object]:
        return draw(st.lists(values, min_size=n, max_size=n))

    table = pd.DataFrame(
        {
            "page": [page for page, _ in places],
            "position": [position for _, position in places],
            "text": column(TEXT),
            "label": column(st.sampled_from(["news", "boilerplate", "related-link", None])),
            "site": column(OPTIONAL),
            "source": column(OPTIONAL),
            "origin": column(st.sampled_from(["read", "aligned", "written", None])),
            "tag": column(OPTIONAL),
            "link_density": column(st.none() | st.floats(0, 1)),
            "note": column(TEXT),
        }
    )
    strings = dict.fromkeys(["page", "text", "label", "site", "source", "origin", "tag"], "str")
    return table.astype({**strings, "link_density": np.float64, "note": object})


@pytest.mark.parametrize("file_format", TABLE_FORMATS)
@given(table=tables())
@settings(deadline=None, max_examples=60)
def test_written_table_reads_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, file_format: str, table: pd.DataFrame
) -> None:
    path = tmp_path_factory.getbasetemp() / f"round-trip.{file_format}"
    write_table(table, path, file_format=file_format)
    reading = read_tables([path])
    assert reading.rejects == ()
    pd.testing.assert_frame_equal(reading.table, table, check_exact=True)
