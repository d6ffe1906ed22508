"""Bulk scoring: the answers given at once, in every format, whatever the chunks and workers; what it refuses; how it goes on."""

import csv
import gzip
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from newswinnow.corpus.locks import BusyError, ResumeError, locked
from newswinnow.corpus.rejects import CorpusError
from newswinnow.corpus.write import records_of
from newswinnow.paragraphs.label import Label
from newswinnow.scoring.files import clean_pages, predict_inputs
from newswinnow.scoring.model_source import ModelSource
from newswinnow.scoring.plan import RunPlan
from newswinnow.scoring.run import SMALL_BYTES, is_small, run
from newswinnow.scoring.stopping import Stop, StoppedError

NEWS = "The council voted on Monday to repair the old bridge over the Tarn."


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def without_nulls(rows: Any) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def write_delimited(rows: list[dict[str, Any]], path: Path, delimiter: str) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(["page", "position", "text", "note"])
        for row in rows:
            writer.writerow([row["page"], row["position"], row["text"], 'a "q"\nb' if row["position"] == 3 else ""])
    return path


def write_folder(rows: list[dict[str, Any]], folder: Path) -> Path:
    folder.mkdir()
    for i, row in enumerate(rows[:12]):
        (folder / f"{i}.html").write_text(f"<h1>{row['text']}</h1><p>{NEWS}</p><a href=x>More</a>", encoding="utf-8")
        (folder / f"{i}.txt").write_text(f"{row['text']}\n\n{NEWS}\n", encoding="utf-8")
    (folder / "bad.html.gz").write_bytes(gzip.compress(b"<p>x</p>" * 99)[:-9])
    return folder


def write_parquet(rows: list[dict[str, Any]], path: Path) -> Path:
    columns = {name: [row[name] for row in rows] for name in ("page", "position", "text")}
    pq.write_table(pa.table(columns | {"id": list(range(len(rows)))}), path, row_group_size=100)
    return path


WRITERS: dict[str, Callable[[list[dict[str, Any]], Path], Path]] = {
    "jsonl": lambda rows, folder: _bytes(folder / "a.jsonl", b"".join(orjson.dumps(row) + b"\r\n" for row in rows)),
    "jsonl.gz": lambda rows, folder: _bytes(
        folder / "a.jsonl.gz", gzip.compress(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    ),
    "csv": lambda rows, folder: write_delimited(rows, folder / "a.csv", ","),
    "tsv": lambda rows, folder: write_delimited(rows, folder / "a.tsv", "\t"),
    "parquet": lambda rows, folder: write_parquet(rows, folder / "a.parquet"),
    "pages": lambda rows, folder: write_folder(rows, folder / "crawl"),
}


def _bytes(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def read_output(path: Path, kind: str) -> list[dict[str, Any]]:
    if kind == "jsonl":
        return lines_of(path)
    if kind == "parquet":
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return rows
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="," if kind == "csv" else "\t"))


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "csv", "tsv"])
@pytest.mark.parametrize("name", WRITERS)
def test_bulk_answers_are_those_given_at_once(name: str, kind: str, source: ModelSource, pages: Path, tmp_path: Path) -> None:
    given = WRITERS[name](lines_of(pages), tmp_path)
    if name == "pages":
        (given / "bad.html.gz").unlink()
    at_once = predict_inputs(source.load(), [given])
    expected = without_nulls(records_of(at_once.rows))
    outputs = set()
    for n, chunk_bytes in enumerate((1000, 20_000, 10**9)):
        plan = RunPlan((str(given),), tmp_path / f"run{n}", source, kind=kind, workers=1, chunk_bytes=chunk_bytes)
        summary = run(plan)
        found = read_output(summary.output, kind)
        if kind in ("csv", "tsv"):
            found, expected = ([{k: str(v) for k, v in row.items() if v != ""} for row in rows] for rows in (found, expected))
        assert without_nulls(found) == expected
        rejects = lines_of(plan.directory / "rejects.jsonl")
        assert [(r["source"], r["line"], r["reason"]) for r in rejects] == [(r.source, r.line, r.reason) for r in at_once.rejects]
        assert summary.tally.rows_in == len(expected) + len(rejects)
        outputs.add(summary.output.read_bytes() if kind != "parquet" else b"")
    assert len(outputs) == 1


@pytest.mark.parametrize(("workers", "use_threads"), [(1, False), (2, True), (4, True), (2, False)])
def test_the_output_does_not_depend_on_workers(
    workers: int, use_threads: bool, source: ModelSource, pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newswinnow.scoring.run.SMALL_BYTES", 0)
    base = RunPlan((str(pages),), tmp_path / "one", source, workers=1, chunk_bytes=4000)
    other = replace(base, directory=tmp_path / "other", model=ModelSource(), workers=workers, use_threads=use_threads)
    assert run(other).output.read_bytes() == run(base).output.read_bytes()


@pytest.mark.parametrize(
    ("name", "share", "expected"),
    [("a.jsonl", 1, True), ("a.parquet", 1, False), ("a.parquet", 5, True), ("a.jsonl.gz", 2, False), ("a.txt.ZST", 5, True)],
)
def test_small_is_what_expands_to_little(name: str, share: int, expected: bool, tmp_path: Path) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.truncate(SMALL_BYTES // share)
    assert is_small([path, tmp_path / "absent"]) is expected
    assert not is_small([path] * 9)


def test_json_rows_keep_their_bytes(source: ModelSource, tmp_path: Path) -> None:
    odd = b'{ "id" : 1e400,"n":12345678901234567890123, "page":"p","position":0,"text":"Share \\u00e9", "x":{"b":[1,2.50]} }  '
    given = _bytes(tmp_path / "a.jsonl", odd.replace(b"1e400", b"1.50E+2") + b"\n")
    (line,) = run(RunPlan((str(given),), tmp_path / "run", source)).output.read_bytes().split(b"\n")[:-1]
    assert line.startswith(odd.replace(b"1e400", b"1.50E+2").rstrip().removesuffix(b"}"))
    assert set(orjson.loads(line)) >= {"id", "n", "x", "predicted", "p_news"}


def test_older_answers_are_replaced(source: ModelSource, tmp_path: Path) -> None:
    row = {"page": "p", "position": 0, "predicted": "old", "text": NEWS, "p_news": 7}
    given = _bytes(tmp_path / "a.jsonl", orjson.dumps(row) + b"\n")
    (found,) = lines_of(run(RunPlan((str(given),), tmp_path / "run", source)).output)
    assert found["predicted"] in tuple(Label)
    assert 0 <= found["p_news"] <= 1
    assert list(found) == ["page", "position", "text", "predicted", "p_news", "p_boilerplate", "p_related_link"]


def test_clean_gives_the_text_of_all_pages(source: ModelSource, pages: Path, tmp_path: Path) -> None:
    scored = predict_inputs(source.load(), [pages])
    expected = list(clean_pages(scored.rows))
    base = RunPlan((str(pages),), tmp_path / "text", source, kind="text", chunk_bytes=3000)
    text = run(base).output.read_text(encoding="utf-8")
    assert text == "\n\n".join(t for _, texts in expected for t in texts) + "\n"
    found = lines_of(run(replace(base, directory=tmp_path / "pages", kind="pages")).output)
    assert [(row["page"], row["paragraphs"]) for row in found] == expected


def test_a_page_that_comes_back_is_a_piece_of_its_own(source: ModelSource, tmp_path: Path) -> None:
    rows = [("a", 0), ("a", 0), ("b", 0), ("a", 0)]
    data = b"".join(orjson.dumps({"page": page, "position": position, "text": NEWS}) + b"\n" for page, position in rows)
    given = _bytes(tmp_path / "a.jsonl", data)
    summary = run(RunPlan((str(given),), tmp_path / "run", source))
    assert [row["page"] for row in lines_of(summary.output)] == ["a", "b", "a"]
    (reject,) = summary.first_rejects
    assert reject == f"{given}:2: page and position must be unique; got page 'a' position 0 again, first at {given}:1"


@pytest.mark.parametrize("kind", ["jsonl", "csv", "tsv", "parquet", "text", "pages"])
@pytest.mark.parametrize("name", ["empty.txt", "empty.jsonl", "empty.csv"])
def test_nothing_in_gives_a_valid_nothing_out(name: str, kind: str, source: ModelSource, tmp_path: Path) -> None:
    given = _bytes(tmp_path / name, b"")
    summary = run(RunPlan((str(given),), tmp_path / "run", source, kind=kind))
    assert summary.tally.rows_in == 0
    if kind in ("csv", "tsv", "parquet"):
        assert read_output(summary.output, kind) == []
    else:
        assert summary.output.read_bytes() == b""


def test_a_damaged_input_publishes_none_of_its_rows(source: ModelSource, pages: Path, tmp_path: Path) -> None:
    cut = _bytes(tmp_path / "cut.jsonl.gz", gzip.compress(pages.read_bytes())[:-40])
    good = _bytes(tmp_path / "good.jsonl", orjson.dumps({"page": "p", "position": 0, "text": NEWS}) + b"\n")
    plan = RunPlan((str(cut), str(good)), tmp_path / "run", source, chunk_bytes=2000)
    summary = run(plan)
    assert [row["page"] for row in lines_of(summary.output)] == ["p"]
    assert (summary.tally.rows_in, summary.tally.rows_out, summary.tally.rejected) == (2, 1, 1)
    assert f"{cut}: must be a whole gzip file; got " in summary.first_rejects[0]
    with pytest.raises(CorpusError, match="must be a whole gzip file"):
        run(replace(plan, directory=tmp_path / "strict", fail_on_reject=True))
    with pytest.raises(CorpusError, match="must be a whole gzip file"):
        run(replace(plan, inputs=(str(cut),), directory=tmp_path / "alone"))


def test_unreadable_page_files_are_rejected_one_by_one(source: ModelSource, pages: Path, tmp_path: Path) -> None:
    folder = write_folder(lines_of(pages), tmp_path / "crawl")
    summary = run(RunPlan((str(folder),), tmp_path / "run", source))
    assert summary.tally.rejected == 1
    assert summary.first_rejects[0].startswith(f"{folder}/bad.html.gz: must be a whole gzip file")


def test_the_first_reject_ends_a_strict_run(source: ModelSource, pages: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="position must be an integer"):
        run(RunPlan((str(pages),), tmp_path / "run", source, fail_on_reject=True))


def test_a_finished_run_is_not_done_again(source: ModelSource, pages: Path, tmp_path: Path) -> None:
    plan = RunPlan((str(pages),), tmp_path / "run", source)
    first = run(plan)
    inode = first.output.stat().st_ino
    again = run(plan)
    assert again == replace(first, was_done=True)
    assert again.output.stat().st_ino == inode
    assert not (plan.directory / "parts").exists()
    first.output.write_bytes(b"")
    with pytest.raises(FileNotFoundError, match=r"is finished, .* must be as it was published"):
        run(plan)


CHANGES: dict[str, tuple[Callable[[RunPlan], RunPlan], str]] = {
    "context": (lambda plan: replace(plan, context="alone"), r"options\.context must be as when the run began, auto; got alone"),
    "chunks": (lambda plan: replace(plan, chunk_bytes=999), r"options\.chunk_bytes must be as .*, 4000; got 999"),
    "kind": (lambda plan: replace(plan, kind="csv"), r"options\.kind must be as .*, jsonl; got csv"),
    "policy": (lambda plan: replace(plan, fail_on_reject=True), r"options\.on_error must be as .*, quarantine; got fail"),
    "output": (lambda plan: replace(plan, output=plan.directory.parent / "x.jsonl"), r"options\.output must be as "),
    "input": (lambda plan: _changed(plan), r"inputs: .*pages\.jsonl bytes must be as "),
    "fewer": (lambda plan: replace(plan, inputs=()), r"inputs must be as "),
}


def _changed(plan: RunPlan) -> RunPlan:
    with Path(plan.inputs[0]).open("ab") as file:
        file.write(b"\n")
    return plan


@pytest.mark.parametrize("name", CHANGES)
def test_a_run_goes_on_only_as_it_began(name: str, source: ModelSource, pages: Path, tmp_path: Path) -> None:
    given = _bytes(tmp_path / "pages.jsonl", pages.read_bytes())
    plan = RunPlan((str(given),), tmp_path / "run", source, chunk_bytes=4000)
    stop = Stop()
    with pytest.raises(StoppedError, match="stopped by SIGTERM; the same command goes on from here"):
        run(plan, progress=lambda step, done, total, rows: stop.request(15) if rows else None, stop=stop)
    change, message = CHANGES[name]
    with pytest.raises(ResumeError, match=message):
        run(change(plan))


@pytest.mark.parametrize("module", ["newswinnow.scoring.plan.code_digest", "newswinnow.scoring.plan.versions"])
def test_a_run_goes_on_only_with_the_same_code(
    module: str, source: ModelSource, pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = RunPlan((str(pages),), tmp_path / "run", source)
    run(plan)
    monkeypatch.setattr(module, lambda: {"numpy": "0"} if "versions" in module else "0")
    with pytest.raises(ResumeError, match=r"(code_sha256|versions\.numpy) must be as when the run began"):
        run(plan)


def test_a_damaged_part_is_scored_again(source: ModelSource, pages: Path, tmp_path: Path) -> None:
    plan = RunPlan((str(pages),), tmp_path / "run", source, chunk_bytes=4000)
    expected = run(replace(plan, directory=tmp_path / "whole")).output.read_bytes()
    stop = Stop()
    with pytest.raises(StoppedError):
        run(plan, progress=lambda step, done, total, rows: stop.request(2) if rows > 100 else None, stop=stop)
    parts = sorted((plan.directory / "parts").iterdir())
    assert len(parts) > 2
    data = bytearray(parts[0].read_bytes())
    data[10] ^= 1
    parts[0].write_bytes(data)
    parts[1].write_bytes(parts[1].read_bytes()[:-3])
    (plan.directory / "parts" / "00000009.part.tmp.77").write_bytes(b"left behind")
    assert run(plan).output.read_bytes() == expected


def test_what_changes_while_it_is_read_is_not_published(source: ModelSource, pages: Path, tmp_path: Path) -> None:
    given = _bytes(tmp_path / "pages.jsonl", pages.read_bytes())

    def meddle(step: str, done: int, total: int, rows: int) -> None:
        if rows:
            given.write_bytes(given.read_bytes() + b" ")

    plan = RunPlan((str(given),), tmp_path / "run", source)
    with pytest.raises(ValueError, match="must not change while it is read"):
        run(plan, progress=meddle)
    assert not plan.target.exists()


def test_a_file_touched_but_not_changed_is_published(source: ModelSource, pages: Path, tmp_path: Path) -> None:
    given = _bytes(tmp_path / "pages.jsonl", pages.read_bytes())
    plan = RunPlan((str(given),), tmp_path / "run", source)
    assert run(plan, progress=lambda step, done, total, rows: os.utime(given, (1, 1))).tally.rows_in == 400


def test_a_busy_directory_is_refused(source: ModelSource, pages: Path, tmp_path: Path) -> None:
    plan = RunPlan((str(pages),), tmp_path / "run", source)
    plan.directory.mkdir()
    with locked(plan.directory), pytest.raises(BusyError, match="must be free; got another process writing to it"):
        run(plan)
    assert run(plan).tally.rows_in == 400


def test_outputs_are_protected(source: ModelSource, pages: Path, tmp_path: Path) -> None:
    out = _bytes(tmp_path / "out.jsonl", b"old")
    plan = RunPlan((str(pages),), tmp_path / "run", source, output=out)
    with pytest.raises(FileExistsError, match=r"out\.jsonl: must not exist yet"):
        run(plan)
    with pytest.raises(FileExistsError, match="must not be one of the inputs"):
        run(replace(plan, output=pages, overwrite=True))
    with pytest.raises(FileNotFoundError, match="must be in an existing folder"):
        run(replace(plan, output=tmp_path / "no" / "out.jsonl"))
    assert out.read_bytes() == b"old"
    assert run(replace(plan, overwrite=True)).output.read_bytes() == out.read_bytes() != b"old"


def test_an_output_of_somebody_else_that_appears_meanwhile_is_kept(source: ModelSource, pages: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    plan = RunPlan((str(pages),), tmp_path / "run", source, output=out)
    with pytest.raises(FileExistsError, match="must not exist yet"):
        run(plan, progress=lambda step, done, total, rows: _write_once(out) if rows else None)
    assert out.read_bytes() == b"theirs"
    out.unlink()
    assert run(plan).tally.rows_in == 400


def _write_once(path: Path) -> None:
    path.write_bytes(b"theirs")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"kind": "xlsx"}, ValueError, "format: must be one of jsonl, csv, tsv, parquet; got 'xlsx'"),
        ({"workers": 0}, ValueError, "--workers: must be at least 1; got 0"),
        ({"chunk_bytes": 0}, ValueError, "--chunk-bytes: must be at least 1; got 0"),
        ({"inputs": ("absent.txt",)}, FileNotFoundError, "must be an existing file or directory"),
        ({"directory": Path("/absent/run")}, FileNotFoundError, "must be in an existing folder; got no /absent"),
        ({"directory": Path(__file__)}, FileExistsError, "must be a directory; got a file"),
        ({"directory": Path(__file__).parent}, FileExistsError, "must be a new or empty directory, or one of a run; got "),
    ],
)
def test_unusable_plans_are_refused(
    change: dict[str, Any], error: type[Exception], message: str, source: ModelSource, pages: Path, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        run(replace(RunPlan((str(pages),), tmp_path / "run", source), **change))


def test_an_input_named_twice_is_refused(source: ModelSource, pages: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="an input must be named once; got it again"):
        run(RunPlan((str(pages), f"{pages.parent}/./{pages.name}"), tmp_path / "run", source))


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_outputs_are_compressed_by_suffix(suffix: str, source: ModelSource, pages: Path, tmp_path: Path) -> None:
    from backports import zstd

    plain = run(RunPlan((str(pages),), tmp_path / "plain", source)).output.read_bytes()
    plan = RunPlan((str(pages),), tmp_path / "packed", source, output=tmp_path / f"out.jsonl.{suffix}")
    packed = run(plan).output.read_bytes()
    assert (gzip if suffix == "gz" else zstd).decompress(packed) == plain
    again = run(replace(plan, directory=tmp_path / "again", overwrite=True)).output.read_bytes()
    assert again == packed


def test_types_that_do_not_fit_together_become_text_in_parquet(source: ModelSource, tmp_path: Path) -> None:
    values: list[Any] = [1, "x", None, 2.5, {"a": 1}, [1], True]
    rows = [{"page": f"p{i}", "position": 0, "text": NEWS, "odd": value} for i, value in enumerate(values)]
    given = _bytes(tmp_path / "a.jsonl", b"".join(orjson.dumps(row) + b"\n" for row in rows))
    for chunk_bytes in (1, 10**6):
        plan = RunPlan((str(given),), tmp_path / f"run{chunk_bytes}", source, kind="parquet", chunk_bytes=chunk_bytes)
        found = pq.read_table(run(plan).output).column("odd").to_pylist()
        assert found == ["1", "x", None, "2.5", '{"a":1}', "[1]", "true"]


def test_workers_that_die_are_replaced_once_and_then_named(
    harness: ModuleType, source: ModelSource, pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from newswinnow.scoring.score import Task
    from newswinnow.scoring.workers import Pool, WorkerError

    class Dying(Pool):
        n_left = 1

        def connect(self) -> Any:
            connection = super().connect()
            if self.n_left:
                self.n_left -= 1
                connection.send("not a chunk, which no worker survives")
            return connection

    from newswinnow.harvest.inputs import expand_inputs
    from newswinnow.scoring.cut import cut_inputs
    from newswinnow.scoring.sources import digest_inputs

    files = digest_inputs(expand_inputs([pages]), stdin=pages, progress=lambda done, total: None)
    chunk = next(iter(cut_inputs(files, chunk_bytes=10**9)))
    for n, fails in ((1, False), (2, True)):
        with Dying(ModelSource(), Task()) as pool:
            pool.n_left = n
            with pool.scorer() as score:
                if fails:
                    with pytest.raises(
                        WorkerError, match=r"pages\.jsonl: lines 1 to 400: must be scored; got a worker that died, twice"
                    ):
                        score(chunk)  # type: ignore[arg-type]
                else:
                    assert score(chunk).tally.rows_in == 400  # type: ignore[arg-type]
