"""`newswinnow predict --run` and `newswinnow clean --run`: exit codes, what is said, and where things go."""

import gzip
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benchmarks.processes import NEWSWINNOW
from typer.testing import Result

from newswinnow.corpus.locks import locked

Cli = Callable[..., Result]
NEWS = "The council voted on Monday to repair the old bridge over the Tarn."
LINK = "Harbour wall to be raised after storm"


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def row(position: int, text: str = "Share", page: str = "p") -> dict[str, Any]:
    return {"page": page, "position": position, "text": text}


def test_a_run_labels_and_says_that_no_row_was_lost(cli: Cli, saved_model: Any, page: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    result = cli("predict", page, *saved_model.options, "--run", run)
    assert (result.exit_code, result.stdout) == (0, "")
    assert [(r["page"], r["text"], r["predicted"]) for r in records(run / "predictions.jsonl")] == [
        ("page", "Share", "boilerplate"),
        ("page", NEWS, "news"),
        ("page", LINK, "related-link"),
    ]
    assert result.stderr == (
        "3 paragraphs: 1 news, 1 boilerplate, 1 related-link\n"
        f"{run}: done; rows in 3 = rows out 3 + rejected 0; {run}/predictions.jsonl\n"
    )
    again = cli("predict", page, *saved_model.options, "--run", run)
    assert again.exit_code == 0
    assert f"{run}: was finished before; rows in 3 = " in again.stderr


def test_rejects_are_quarantined_and_exit_1(cli: Cli, saved_model: Any, jsonl: Any, tmp_path: Path) -> None:
    rows = [row(0, NEWS), row(0, "again"), *({"page": "p", "position": -1, "text": "x"} for _ in range(12)), row(1, " ")]
    source, run = jsonl(tmp_path / "in.jsonl", rows), tmp_path / "run"
    result = cli("predict", source, *saved_model.options, "--run", run)
    assert result.exit_code == 1
    assert f"{source}:2: page and position must be unique; got page 'p' position 0 again, first at {source}:1" in result.stderr
    assert f"... and 3 more in {run}/rejects.jsonl" in result.stderr
    assert "2 paragraphs: 1 news, 0 boilerplate, 0 related-link, 1 empty, 13 rejected" in result.stderr
    assert "rows in 15 = rows out 2 + rejected 13" in result.stderr
    assert [r["line"] for r in records(run / "rejects.jsonl")] == list(range(2, 15))
    assert [r["predicted"] for r in records(run / "predictions.jsonl")] == ["news", None]
    assert cli("predict", source, *saved_model.options, "--run", run).exit_code == 1
    strict = cli("predict", source, *saved_model.options, "--run", tmp_path / "strict", "--on-error", "fail")
    assert strict.exit_code == 2
    assert not (tmp_path / "strict" / "predictions.jsonl").exists()


@pytest.mark.parametrize("name", ["jsonl", "csv", "tsv", "parquet"])
def test_formats_go_by_suffix_or_name(name: str, cli: Cli, saved_model: Any, page: Path, tmp_path: Path) -> None:
    out = tmp_path / f"out.{name}"
    assert cli("predict", page, *saved_model.options, "--run", tmp_path / "a", "-o", out).exit_code == 0
    assert cli("predict", page, *saved_model.options, "--run", tmp_path / "b", "-f", name).exit_code == 0
    assert (tmp_path / "b" / f"predictions.{name}").read_bytes() == out.read_bytes()


def test_stdin_to_stdout(cli: Cli, saved_model: Any, tmp_path: Path) -> None:
    text = "".join(json.dumps(row(i, t)) + "\n" for i, t in enumerate(["Share", NEWS]))
    options = [*saved_model.options, "--run", tmp_path / "run", "-o", "-"]
    result = cli("predict", "-", *options, stdin=text)
    assert result.exit_code == 0
    assert [json.loads(line)["predicted"] for line in result.stdout.splitlines()] == ["boilerplate", "news"]
    assert cli("predict", "-", *options, stdin=text).stdout == result.stdout
    other = cli("predict", "-", *options, stdin=text + "\n")
    assert (other.exit_code, other.stdout) == (4, "")
    assert "stdin must be as when the run began" in other.stderr


def test_rejects_from_stdin_name_it(cli: Cli, saved_model: Any, tmp_path: Path) -> None:
    result = cli(
        "predict", "-", *saved_model.options, "--run", tmp_path / "run", stdin='{"page":"p","position":0,"text":"x"}\n{\n'
    )
    assert result.exit_code == 1
    assert "stdin:2: must be valid JSON" in result.stderr


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ([], f"{NEWS}\n"),
        (["--keep", "news,related-link"], f"{NEWS}\n\n{LINK}\n"),
        (["--json"], json.dumps({"page": "page", "paragraphs": [NEWS]}, separators=(",", ":")) + "\n"),
    ],
)
def test_clean_in_bulk(options: list[str], kept: str, cli: Cli, saved_model: Any, page: Path, tmp_path: Path) -> None:
    result = cli("clean", page, *saved_model.options, *options, "--run", tmp_path / "run", "-o", "-")
    assert (result.exit_code, result.stdout) == (0, kept)
    out = tmp_path / "out.txt"
    assert cli("clean", page, *saved_model.options, *options, "--run", tmp_path / "other", "-o", out).exit_code == 0
    assert out.read_text(encoding="utf-8") == kept


def test_patterns_and_folders_are_read_in_order(cli: Cli, saved_model: Any, tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        (tmp_path / f"{name}.html").write_text(f"<p>{NEWS} {name}</p>", encoding="utf-8")
    (tmp_path / "d.txt.gz").write_bytes(gzip.compress(b"Share"))
    result = cli("predict", tmp_path / "*.html", tmp_path / "d.txt.gz", *saved_model.options, "--run", tmp_path / "run")
    assert result.exit_code == 0
    assert [r["page"] for r in records(tmp_path / "run" / "predictions.jsonl")] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rejects", "r.jsonl"], "r.jsonl: --rejects must not be given with --run; rejects go to "),
        (["--format", "table"], "format: must be one of jsonl, csv, tsv, parquet; got 'table'"),
        (["--workers", "0"], "--workers: must be at least 1; got 0"),
        (["--on-error", "ignore"], "--on-error: must be one of quarantine, fail; got 'ignore'"),
        (["--context", "order"], "context: must be auto or one of alone for this model; got 'order'"),
    ],
)
def test_unusable_options_exit_2(
    options: list[str], message: str, cli: Cli, saved_model: Any, page: Path, tmp_path: Path
) -> None:
    result = cli("predict", page, *saved_model.options, "--run", tmp_path / "run", *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("options", [["--workers", "2"], ["--chunk-bytes", "9"], ["--on-error", "fail"]])
def test_options_of_a_run_need_one(options: list[str], cli: Cli, saved_model: Any, page: Path) -> None:
    result = cli("predict", page, *saved_model.options, *options)
    assert (result.exit_code, result.stderr) == (2, f"{options[0]}: must be given with --run; got no --run\n")


def test_a_busy_directory_exits_3_at_once(cli: Cli, saved_model: Any, page: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    with locked(run):
        result = cli("predict", page, *saved_model.options, "--run", run)
    assert (result.exit_code, result.stderr) == (3, f"{run}: must be free; got another process writing to it\n")
    assert [path.name for path in run.iterdir()] == [".lock"]


def test_another_run_exits_4_and_names_the_field(cli: Cli, saved_model: Any, page: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    cli("predict", page, *saved_model.options, "--run", run)
    result = cli("predict", page, *saved_model.options, "--run", run, "--context", "alone")
    assert result.exit_code == 4
    assert result.stderr == f"{run}: options.context must be as when the run began, auto; got alone (or name another --run)\n"
    model = cli("predict", page, "--run", run)
    assert model.exit_code == 4
    assert f"{run}: model_sha256 must be as when the run began, {saved_model.sha256}; got " in model.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_untrusted_model_exits_5(
    workers: str, cli: Cli, saved_model: Any, page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newswinnow.scoring.run.SMALL_BYTES", 0)
    result = cli("predict", page, "--model", saved_model.path, "--run", tmp_path / "run", "--workers", workers)
    assert result.exit_code == 5
    assert "needs explicit trust; got none" in result.stderr


def test_an_existing_output_is_kept(cli: Cli, saved_model: Any, page: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("old", encoding="utf-8")
    options = [*saved_model.options, "--run", tmp_path / "run", "-o", out]
    result = cli("predict", page, *options)
    assert (result.exit_code, out.read_text(encoding="utf-8")) == (2, "old")
    assert cli("predict", page, *options, "--overwrite").exit_code == 0
    assert len(records(out)) == 3


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_the_run_which_then_goes_on(number: int, code: int, saved_model: Any, jsonl: Any, tmp_path: Path) -> None:
    rows = [row(i % 5, f"{NEWS} {i}", f"p{i // 5}") for i in range(4000)]
    source, run = jsonl(tmp_path / "in.jsonl", rows), tmp_path / "run"
    command = [NEWSWINNOW, "predict", str(source), *saved_model.options, "--run", str(run), "--chunk-bytes", "300"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while len(list((run / "parts").glob("*.part"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code, said
    assert said == f"{run}: stopped by {signal.Signals(number).name}; the same command goes on from here\n"
    assert not (run / "predictions.jsonl").exists()
    assert not list((run / "parts").glob("*.tmp.*"))
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert [(r["page"], r["position"]) for r in records(run / "predictions.jsonl")] == [(r["page"], r["position"]) for r in rows]


def test_arrow_keeps_no_memory_that_it_does_not_use(saved_model: Any, page: Path, tmp_path: Path) -> None:
    import sys

    code = (
        "import atexit, sys, newswinnow.cli.main as program; "
        "atexit.register(lambda: print(sys.modules['pyarrow'].default_memory_pool().backend_name)); "
        "program.run()"
    )
    options = [*saved_model.options, "--run", str(tmp_path / "run"), "-f", "parquet"]
    done = subprocess.run(
        [sys.executable, "-c", code, "predict", str(page), *options], capture_output=True, text=True, check=True
    )
    assert done.stdout == "system\n"


def test_a_terminal_sees_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import sys

    from newswinnow.cli import predict_run

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with predict_run._progress() as progress:
        progress("checking the inputs", 10, 10, 0)
        progress("scoring", 5, 10, 1200)
        progress("scoring", 4, 10, 1300)
    said = capsys.readouterr().err
    assert "scoring" in said
    assert "paragraphs/s" in said


def test_what_a_folder_has_besides_files_is_counted(cli: Cli, saved_model: Any, tmp_path: Path) -> None:
    folder = tmp_path / "crawl"
    folder.mkdir()
    (folder / "a.txt").write_text("Share", encoding="utf-8")
    (folder / "b.txt").symlink_to(folder / "a.txt")
    result = cli("predict", folder, *saved_model.options, "--run", tmp_path / "run")
    assert result.exit_code == 0
    assert result.stderr.endswith("passed over: 1 link\n")


def test_files_are_named_as_the_user_named_them(
    cli: Cli, saved_model: Any, page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for options, output in (((), "run/predictions.jsonl"), (("-o", "out.csv"), "out.csv")):
        run = "run" if not options else "other"
        for done in ("done", "was finished before"):
            result = cli("predict", page, *saved_model.options, "--run", run, *options)
            assert result.stderr.endswith(f"\n{run}: {done}; rows in 3 = rows out 3 + rejected 0; {output}\n")
    assert json.loads((tmp_path / "run" / "DONE.json").read_text(encoding="utf-8"))["output"] == str(
        tmp_path / "run" / "predictions.jsonl"
    )
