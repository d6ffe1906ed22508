"""Inputs into chunks: nothing is lost, no page is cut, and how the file is read does not matter."""

import csv
import io
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newswinnow.corpus.rejects import CorpusError
from newswinnow.corpus.streams import MAX_RECORD_BYTES
from newswinnow.harvest.inputs import expand_inputs
from newswinnow.scoring import chunks as limits
from newswinnow.scoring import cut_lines
from newswinnow.scoring.chunks import Chunk, Refused
from newswinnow.scoring.cut import cut_inputs
from newswinnow.scoring.cut_lines import cut_jsonl, line_blocks
from newswinnow.scoring.sources import SourceFile, digest_inputs
from newswinnow.scoring.taken import RULES

FILE = SourceFile(Path("a.jsonl"), "a.jsonl", "jsonl", "a", 0, 0, "")


class Dribble(io.BytesIO):
    """A stream that gives little at a time."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(3 if size is None or size > 3 else size)


def row(page: str, position: int = 0, text: str = "Share") -> bytes:
    return json.dumps({"page": page, "position": position, "text": text}).encode() + b"\n"


def cut(data: bytes, chunk_bytes: int, stream: type[io.BytesIO] = io.BytesIO) -> list[Chunk]:
    return list(cut_jsonl(stream(data), FILE, 0, rules=RULES, chunk_bytes=chunk_bytes))


def pages_in(chunk: Chunk) -> list[str]:
    return [json.loads(line)["page"] for line in chunk.data.split(b"\n") if line.strip() and not line.startswith(b"!")]


@settings(deadline=None, max_examples=60)
@given(
    pages=st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 5)), max_size=8),
    odd=st.lists(st.sampled_from([b"", b"!", b"\n", b"! no json\n", b"\r\n"]), max_size=8),
    chunk_bytes=st.integers(1, 400),
)
def test_no_line_is_lost_and_no_page_is_cut(pages: list[tuple[str, int]], odd: list[bytes], chunk_bytes: int) -> None:
    lines = [row(page, i) for page, n in pages for i in range(n)]
    for i, line in enumerate(odd):
        lines.insert(i * 3 % (len(lines) + 1), line if line.endswith(b"\n") else line + b"\n")
    data = b"".join(lines)
    found = cut(data, chunk_bytes)
    assert b"".join(chunk.data for chunk in found) == data.replace(b"\r\n", b"\n")
    assert [chunk.first for chunk in found] == [1 + sum(c.n for c in found[:i]) for i in range(len(found))]
    assert all(chunk.n == chunk.data.count(b"\n") for chunk in found)
    for a, b in pairwise(found):
        assert len(a.data) >= chunk_bytes
        assert pages_in(a)[-1:] != pages_in(b)[:1]
    assert [c.key for c in cut(data, chunk_bytes, Dribble)] == [c.key for c in found]


def test_a_page_without_end_is_cut_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cut_lines, "MAX_PIECE_BYTES", 500)
    found = cut(b"".join(row("a", i) for i in range(100)), 100)
    assert len(found) > 5
    assert max(len(chunk.data) for chunk in found) < 700
    assert sum(chunk.n for chunk in found) == 100


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("stream", [io.BytesIO, Dribble])
def test_lines_end_in_any_way(ending: bytes, stream: type[io.BytesIO]) -> None:
    assert (
        b"".join(line_blocks(stream(b"\xef\xbb\xbf" + ending.join([b"a", b"", b"b\xe2\x80\xa8c"])))) == b"a\n\nb\xe2\x80\xa8c\n"
    )


def test_an_endless_line_is_not_kept() -> None:
    blocks = list(line_blocks(io.BytesIO(b"x" * (MAX_RECORD_BYTES * 3) + b"\nnext\n")))
    assert sum(map(len, blocks)) < MAX_RECORD_BYTES + (2 << 20)
    first, second = b"".join(blocks).split(b"\n")[:2]
    assert (len(first) > MAX_RECORD_BYTES, second) == (True, b"next")


def test_a_file_without_the_columns_is_refused() -> None:
    with pytest.raises(CorpusError, match=r"a\.jsonl:2: must have the columns page, position, text; got page, txt"):
        cut(b'no json\n{"page": "p", "txt": "x"}\n', 100)


def chunks_of(path: Path, chunk_bytes: int) -> list[Chunk | Refused]:
    files = digest_inputs(expand_inputs([path]), stdin=path, progress=lambda done, total: None)
    return list(cut_inputs(files, chunk_bytes=chunk_bytes))


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(st.sampled_from("ab"), st.text('x,"\n\r ', max_size=6)), max_size=20),
    chunk_bytes=st.integers(1, 60),
)
def test_no_csv_record_is_cut(rows: list[tuple[str, str]], chunk_bytes: int, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(["page", "position", "text"])
        writer.writerows([page, 0, text] for page, text in rows)
    found = [chunk for chunk in chunks_of(path, chunk_bytes) if isinstance(chunk, Chunk)]
    whole = path.read_bytes()
    header = b'"page","position","text"\r\n'
    assert header + b"".join(chunk.data for chunk in found) == whole
    parsed = [list(csv.reader(io.StringIO((c.header + c.data).decode(), newline="")))[1:] for c in found]
    assert [tuple(r) for part in parsed for r in part] == [(page, "0", text) for page, text in rows]
    for a, b in pairwise(parsed):
        assert a[-1][0] != b[0][0]
    for chunk in found:
        before = whole[: len(header) + sum(len(c.data) for c in found[: chunk.number])].decode()
        assert chunk.first == 1 + len(io.StringIO(before, newline="").readlines())


@pytest.mark.parametrize("data", [b'page,position,text\np,0,"open\n', b"page,position\n"])
def test_a_broken_csv_is_refused_as_a_whole(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(data)
    *_, last = chunks_of(tmp_path / "a.csv", 10)
    assert isinstance(last, Refused)
    assert "must be well-formed CSV" in last.reject.reason or "must have the columns" in last.reject.reason


def test_parquet_pages_are_not_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newswinnow.scoring.cut_arrow._BATCH_ROWS", 4)
    pages = [f"p{i // 7}" for i in range(60)]
    columns: dict[str, Any] = {"page": pages, "position": list(range(60)), "text": ["x" * 20] * 60}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet", row_group_size=10)
    found = [chunk for chunk in chunks_of(tmp_path / "a.parquet", 300) if isinstance(chunk, Chunk)]
    tables = [pa.ipc.open_stream(chunk.data).read_all() for chunk in found]
    assert pa.concat_tables(tables).to_pydict() == columns
    assert len(found) > 3
    assert [chunk.key for chunk in found] == [(0, 1 + sum(c.n for c in found[:i]), found[i].n) for i in range(len(found))]
    for a, b in pairwise(tables):
        assert a["page"][-1] != b["page"][0]


def test_an_endless_parquet_page_is_cut_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newswinnow.scoring.cut_arrow._BATCH_ROWS", 4)
    monkeypatch.setattr("newswinnow.scoring.cut_arrow.MAX_PIECE_BYTES", 200)
    pq.write_table(pa.table({"page": ["p"] * 60, "position": list(range(60)), "text": ["x" * 20] * 60}), tmp_path / "a.parquet")
    found = chunks_of(tmp_path / "a.parquet", 100)
    assert len(found) > 3
    assert sum(chunk.n for chunk in found if isinstance(chunk, Chunk)) == 60


@pytest.mark.parametrize("data", [b"PAR1 no", b""])
def test_a_damaged_parquet_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(data)
    (found,) = chunks_of(tmp_path / "a.parquet", 10)
    assert isinstance(found, Refused)
    assert "must be a whole Parquet file" in found.reject.reason


def test_page_files_go_together_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newswinnow.scoring.cut.MAX_PAGES", 4)
    for i in range(10):
        (tmp_path / f"{i}.html").write_bytes(b"<p>x" * (100 if i == 5 else 1))
    found = [chunk for chunk in chunks_of(tmp_path, 300) if isinstance(chunk, Chunk)]
    assert [len(chunk.pages) for chunk in found] == [4, 2, 4]
    assert [page.page for chunk in found for page in chunk.pages] == [str(i) for i in range(10)]
    assert [chunk.number for chunk in found] == [0, 1, 2]


def test_a_page_file_that_is_too_long_is_refused_while_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newswinnow.scoring.cut.MAX_HTML_BYTES", 100)
    (tmp_path / "a.txt").write_bytes(b"x" * 101)
    (chunk,) = chunks_of(tmp_path, 300)
    assert isinstance(chunk, Chunk)
    assert (chunk.pages[0].data, chunk.pages[0].reason) == (b"", "a page must have at most 100 bytes; got more")
    assert limits.MAX_PAGES == 256
