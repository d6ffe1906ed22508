"""Bulk figures: stretches of whole lines, a straight line that is one, and what is said when there is nothing to compare."""

import gzip
from pathlib import Path

import orjson
import pytest
from benchmarks.bulk import DASK, FASTTEXT, JSONL, TROVES, Measured, against_fasttext, scaling, section, unpacked
from benchmarks.bulk_datatrove import fasttext_filter, steps, to_documents
from benchmarks.bulk_fasttext import label, stretches
from benchmarks.classify.systems.base import Training
from benchmarks.classify.systems.fasttext import fasttext
from hypothesis import given
from hypothesis import strategies as st


@given(lines=st.lists(st.integers(0, 40), max_size=30), n=st.integers(1, 7))
def test_stretches_hold_whole_lines_and_all_of_them(lines: list[int], n: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("lines") / "file"
    path.write_bytes(b"".join(b"x" * length + b"\n" for length in lines))
    whole = path.read_bytes()
    bounds = stretches(path, n)
    assert len(bounds) == n
    assert b"".join(whole[begin:end] for begin, end in bounds) == whole
    assert all(not whole[begin:end] or whole[begin:end].endswith(b"\n") for begin, end in bounds)


def runs(*seconds: float) -> list[Measured]:
    return [Measured(JSONL, 10**i, taken, taken, 300 + i, 5, 7) for i, taken in enumerate(seconds, start=4)]


def test_a_line_through_runs_on_a_line_misses_none() -> None:
    said = scaling(runs(2.1, 3.0, 12.0))
    assert said.startswith("Straight line through the JSONL runs: 2.0 s and 10.0 µs a row; the runs are off it by 0 to 0 %.")
    assert said.endswith("Memory at the two largest: 305 and 306 MB.\n")
    assert "off it by 0 to 0 %" not in scaling(runs(2.1, 3.0, 40.0))
    assert scaling(runs(2.1, 3.0)) == ""
    assert scaling([*runs(2.1, 3.0, 12.0), Measured(DASK, 10**6, 99.0, 1.0, 900, 5, 7)]) == said


def test_fasttext_is_compared_on_the_same_file() -> None:
    measured = [*runs(2.0, 4.0), Measured(f"{FASTTEXT}, JSONL to JSONL", 10**5, 10.0, 18.0, 900, 5, 7)]
    assert against_fasttext(measured) == "JSONL to JSONL, 100,000 rows: 2.50 × the rows a second of fastText's script.\n"
    assert against_fasttext(runs(2.0, 4.0)) == ""
    assert "2.50 ×" in section(measured, workers=2, load=0.5)
    measured += [
        Measured(TROVES[name], 10**5, seconds, 1.0, 9, 5, 7) for name, seconds in (("newswinnow", 5.0), ("fasttext", 20.0))
    ]
    assert against_fasttext(measured).endswith(
        "JSONL to JSONL, 100,000 rows: 5.00 × the rows a second of datatrove with its fastText filter.\n"
        "Within datatrove: 4.00 × the paragraphs a second of its fastText filter.\n"
    )


def test_documents_hold_whole_pages(tmp_path: Path) -> None:
    rows = [{"page": f"p{i // 3}", "position": i % 3, "text": f"t{i}"} for i in range(15)]
    (tmp_path / "rows.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    folder = to_documents(tmp_path / "rows.jsonl", tmp_path / "documents", 2)
    found = [[orjson.loads(line) for line in (folder / f"{i}.jsonl").read_bytes().splitlines()] for i in range(2)]
    assert [[document["id"] for document in documents] for documents in found] == [["p0", "p2", "p4"], ["p1", "p3"]]
    assert found[1][0]["text"] == "t3\nt4\nt5"


def test_pages_of_one_name_are_unpacked_side_by_side(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "html" / name).mkdir(parents=True)
        (tmp_path / "html" / name / "page.html.gz").write_bytes(gzip.compress(name.encode()))
    folder = unpacked(tmp_path / "html", tmp_path / "pages")
    assert sorted(path.read_bytes() for path in folder.glob("*.html")) == [b"a", b"b"]


def test_datatroves_filter_keeps_paragraphs_by_fasttexts_labels(tmp_path: Path) -> None:
    for module in ("fasttext", "fasteners"):
        pytest.importorskip(module, reason="needs the extra 'bench' (pip install 'newswinnow[bench]')")
    from datatrove.data import Document

    texts, labels = ["The ferry sailed on Monday.", "Share"] * 30, ["news", "boilerplate"] * 30
    system = fasttext(dim=16)
    training = Training(texts, labels, ["p"] * 60, [None] * 60, [None] * 60)
    system.save(system.fit(system.prepare(training, tmp_path)), tmp_path)
    (step,) = steps("fasttext", tmp_path / "model.bin")
    document = Document("The ferry sailed on Monday.\nShare\nThe ferry sailed on Monday.", "p")
    assert step.filter(document)
    assert document.text.split() == "The ferry sailed on Monday. The ferry sailed on Monday.".split()
    assert list(steps("none", None)) == []
    assert fasttext_filter(tmp_path / "model.bin").filter(Document("Share", "p")) is False


def test_fasttext_labels_every_row_of_its_stretch(tmp_path: Path) -> None:
    pytest.importorskip("fasttext", reason="needs the extra 'bench' (pip install 'newswinnow[bench]')")
    texts, labels = (
        ["The ferry sailed on Monday.", "Share", "Ferry delayed again"] * 20,
        ["news", "boilerplate", "related-link"] * 20,
    )
    system = fasttext(dim=16)
    training = Training(texts, labels, ["p"] * 60, [None] * 60, [None] * 60)
    system.save(system.fit(system.prepare(training, tmp_path)), tmp_path)
    given = tmp_path / "rows.jsonl"
    given.write_bytes(b"".join(orjson.dumps({"page": "p", "text": text}) + b"\n" for text in texts))
    bounds = stretches(given, 2)
    n = [label(tmp_path, given, part, tmp_path / f"out.{i}") for i, part in enumerate(bounds)]
    rows = [orjson.loads(line) for i in range(2) for line in (tmp_path / f"out.{i}").read_bytes().splitlines()]
    assert sum(n) == 60
    assert [row["text"] for row in rows] == texts
    assert {row["predicted"] for row in rows} <= {"news", "boilerplate", "related-link"}
