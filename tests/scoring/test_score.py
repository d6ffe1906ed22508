"""Chunks into pieces: the rules for whole columns, what models are handed, what workers answer, archives and odd tables."""

import socket
import threading
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswinnow.corpus.records import BadRecord, check_record
from newswinnow.harvest.inputs import expand_inputs
from newswinnow.models.predictor import Predictor
from newswinnow.paragraphs.rows import Rows
from newswinnow.paragraphs.table import collapse_whitespace
from newswinnow.scoring import read as reading
from newswinnow.scoring.checks import collapsed, columns_pass, optional_pass
from newswinnow.scoring.chunks import Chunk, PageData, Scored
from newswinnow.scoring.cut import cut_inputs
from newswinnow.scoring.model_source import ModelSource
from newswinnow.scoring.plan import RunPlan
from newswinnow.scoring.run import run
from newswinnow.scoring.score import Task, score_chunk
from newswinnow.scoring.sources import digest_inputs
from newswinnow.scoring.taken import RULES
from newswinnow.scoring.worker import FAILED, OK, serve

NEWS = "The council voted on Monday to repair the old bridge over the Tarn."


@dataclass
class PageModel:
    """A model of whole pages that notes what it was handed."""

    seen: list[Rows] = field(default_factory=list)

    @property
    def classes_(self) -> list[str]:
        return ["news", "boilerplate", "related-link"]

    def predict_proba(self, X: Rows, *, context: str) -> np.ndarray[Any, Any]:
        self.seen.append(X)
        return np.tile([0.5, 0.3, 0.2], (len(X), 1))


def jsonl_chunk(*rows: dict[str, Any]) -> Chunk:
    data = b"".join(orjson.dumps(row) + b"\n" for row in rows)
    return Chunk(0, 0, 1, len(rows), "a.jsonl", "jsonl", data)


def test_page_models_are_handed_whole_pages_with_their_hints() -> None:
    model = PageModel()
    rows = [("a", 1, "One", "p"), ("a", 0, " ", "p"), ("b", 0, "Two", None), ("a", 0, "Three", "h1")]
    chunk = jsonl_chunk(*({"page": p, "position": i, "text": t, "tag": g, "link_density": 0.5} for p, i, t, g in rows))
    scored = score_chunk(Predictor(model, {}, ("alone", "order", "markup")), chunk, Task(context="order"))
    (seen,) = model.seen
    assert seen.data == {
        "page": ["0", "1", "2"],
        "position": [1, 0, 0],
        "text": ["One", "Two", "Three"],
        "tag": ["p", None, "h1"],
        "link_density": [0.5, 0.5, 0.5],
    }
    assert [orjson.loads(line)["predicted"] for line in scored.payload.split(b"\n")[:-1]] == ["news", None, "news", "news"]
    assert (scored.tally.empty, scored.tally.labels) == (1, (3, 0, 0))


def test_hints_of_arrow_tables_are_handed_on(tmp_path: Path) -> None:
    columns = {"page": ["a"], "position": [0], "text": ["One"], "tag": ["h1"]}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    model = PageModel()
    (chunk,) = chunks_of(tmp_path / "a.parquet")
    score_chunk(Predictor(model, {}, ("alone", "markup")), chunk, Task())
    assert (model.seen[0]["tag"], "link_density" in model.seen[0]) == (["h1"], False)


def chunks_of(path: Path) -> list[Chunk]:
    files = digest_inputs(expand_inputs([path]), stdin=path, progress=lambda done, total: None)
    return [chunk for chunk in cut_inputs(files, chunk_bytes=10**9) if isinstance(chunk, Chunk)]


ANY = st.none() | st.booleans() | st.integers(-2, 2**60) | st.floats() | st.text("a ", max_size=3) | st.just([1])
FIELDS = st.fixed_dictionaries(
    {"page": st.text("ab", max_size=2) | ANY, "position": st.integers(0, 9) | ANY, "text": st.text("x ", max_size=3) | ANY},
    optional={
        "label": st.sampled_from(["news", "related-link"]) | ANY,
        "origin": st.sampled_from(["read", "written"]) | ANY,
        "tag": st.text("p", max_size=2) | ANY,
        "link_density": st.floats(0, 1) | ANY,
        "other": ANY,
    },
)


@settings(deadline=None, max_examples=200)
@given(records=st.lists(FIELDS, min_size=1, max_size=3))
def test_columns_that_pass_hold_records_that_pass(records: list[dict[str, Any]]) -> None:
    needed = [[record[name] for record in records] for name in ("page", "position", "text")]
    names = {name for record in records for name in record} - {"page", "position", "text"}
    passes = columns_pass(*needed) and all(optional_pass(n, [record.get(n) for record in records]) for n in names)
    try:
        for record in records:
            check_record(record, RULES)
    except BadRecord:
        assert not passes
    else:
        assert passes


class Slow:
    """A model that fails on demand."""

    contexts = ("alone",)

    def predict_proba(self, texts: list[str], *, context: str) -> np.ndarray[Any, Any]:
        if "fail" in texts:
            raise ValueError("as asked")
        return np.tile([0.5, 0.3, 0.2], (len(texts), 1))


def test_a_worker_answers_until_the_other_side_goes_away() -> None:
    ours, theirs = (Connection(end.detach()) for end in socket.socketpair())
    thread = threading.Thread(target=serve, args=(theirs, Slow(), Task()))
    thread.start()
    ours.send(jsonl_chunk({"page": "p", "position": 0, "text": "fine"}))
    kind, answer = ours.recv()
    assert (kind, isinstance(answer, Scored)) == (OK, True)
    ours.send(jsonl_chunk({"page": "p", "position": 0, "text": "fail"}))
    assert ours.recv() == (FAILED, "a.jsonl: lines 1 to 1: ValueError: as asked")
    ours.close()
    thread.join(5)
    assert not thread.is_alive()
    theirs.close()


def test_archives_are_scored_page_by_page(source: ModelSource, tmp_path: Path) -> None:
    head = "WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Record-ID: <urn:uuid:{0}>\r\nWARC-Target-URI: https://a.example/{0}\r\n"
    records = []
    for i, body in enumerate([f"Share\n{NEWS}\n".encode(), b"bad \xff\n", b""]):
        records.append(head.format(i).encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body + b"\r\n\r\n")
    (tmp_path / "a.wet").write_bytes(b"".join(records))
    summary = run(RunPlan((str(tmp_path / "a.wet"),), tmp_path / "run", source))
    rows = [orjson.loads(line) for line in summary.output.read_bytes().split(b"\n")[:-1]]
    assert [(r["page"], r["position"], r["text"], r["url"]) for r in rows] == [
        ("urn:uuid:0", 0, "Share", "https://a.example/0"),
        ("urn:uuid:0", 1, NEWS, "https://a.example/0"),
    ]
    assert f"{tmp_path}/a.wet:2: text must be valid UTF-8; got byte 0xff at byte 4 of the text" in summary.first_rejects[0]
    (tmp_path / "a.wet").write_bytes(b"".join(records)[:-20])
    damaged = run(RunPlan((str(tmp_path / "a.wet"), str(_good(tmp_path))), tmp_path / "cut", source))
    assert (damaged.tally.rows_out, damaged.tally.rejected) == (1, 1)


def _good(folder: Path) -> Path:
    (folder / "good.txt").write_text(NEWS, encoding="utf-8")
    return folder / "good.txt"


def test_bad_rows_of_a_table_are_rejected_by_row(source: ModelSource, tmp_path: Path) -> None:
    raw = pa.StringArray.from_buffers(5, *_buffers([b"Share", b"\xff!", b"x", b" Share ", b"Menu"]))
    table = pa.table({"page": ["p"] * 4 + [""], "position": pa.array([0, 1, None, 3, 4]), "text": raw, "n": [1, 2, 3, 4, 5]})
    pq.write_table(table, tmp_path / "a.parquet")
    summary = run(RunPlan((str(tmp_path / "a.parquet"),), tmp_path / "run", source, kind="parquet"))
    assert pq.read_table(summary.output).select(["position", "text", "n"]).to_pylist() == [
        {"position": 0, "text": "Share", "n": 1},
        {"position": 3, "text": "Share", "n": 4},
    ]
    assert [reject.split(": ", 1)[1].split(";")[0] for reject in summary.first_rejects] == [
        "text must be valid UTF-8",
        "position must be an integer from 0 to 2**53",
        "page must not be empty",
    ]
    assert summary.first_rejects[0].startswith(f"{tmp_path}/a.parquet:2: ")


def _buffers(values: list[bytes]) -> tuple[Any, Any]:
    offsets = np.cumsum([0, *map(len, values)]).astype(np.int32)
    return pa.py_buffer(offsets.tobytes()), pa.py_buffer(b"".join(values))


def test_status_stays_where_the_text_is_not_empty(source: ModelSource, tmp_path: Path) -> None:
    columns = {"page": ["p"] * 2, "position": [0, 1], "text": ["", "Share"], "status": ["a", "b"]}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    for kind in ("parquet", "jsonl"):
        summary = run(RunPlan((str(tmp_path / "a.parquet"),), tmp_path / kind, source, kind=kind))
        data = summary.output.read_bytes()
        found = (
            pq.read_table(summary.output).to_pylist() if kind == "parquet" else list(map(orjson.loads, data.split(b"\n")[:-1]))
        )
        assert [row["status"] for row in found] == ["empty", "b"]


def test_html_is_read_as_at_once_also_where_a_text_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    page = PageData("a.html", None, "a", "html", b"<p>Share</p><p>A long one</p>")
    bad = PageData("b.html", None, "b", "html", b"<meta charset=utf-8>\xff")
    chunk = Chunk(0, 0, 1, 2, "a.html", "pages", pages=(page, bad))
    found = reading.read_chunk(chunk)
    assert (found.rows.texts, found.rows.positions, found.n_records) == (["Share", "A long one"], [0, 1], 3)
    monkeypatch.setattr(reading, "MAX_TEXT_CHARS", 8)
    monkeypatch.setattr("newswinnow.corpus.records.MAX_TEXT_CHARS", 8)
    found = reading.read_chunk(chunk)
    assert found.rows.texts == ["Share"]
    assert [str(reject).split(";")[0] for reject in found.rejects] == [
        "a.html: text must have at most 8 characters",
        "b.html: must be valid UTF-8",
    ]


@settings(deadline=None, max_examples=200)
@given(texts=st.lists(st.text(st.sampled_from("ab \t\n\u2028\xa0\xad\x1f\u3000"), max_size=6), max_size=4))
def test_collapsing_many_is_collapsing_each(texts: list[str]) -> None:
    assert collapsed(texts) == [collapse_whitespace(text) for text in texts]
