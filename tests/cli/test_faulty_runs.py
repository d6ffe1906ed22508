"""`predict --run` killed, stopped, contended, without disk space, or meddled with, and training stopped: exit codes, messages."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benchmarks.processes import NEWSWINNOW, PARENT, STATE, processes
from benchmarks.reliability import Disk, disk_full
from benchmarks.stopping import CONFIG
from typer.testing import Result

Cli = Callable[..., Result]
NEWS = "The council voted on Monday to repair the old bridge over the Tarn."


@pytest.fixture
def given(jsonl: Any, tmp_path: Path) -> Path:
    """400 pages of five rows."""
    rows = [{"page": f"p{i // 5}", "position": i % 5, "text": f"{NEWS} {i}"} for i in range(2000)]
    path: Path = jsonl(tmp_path / "in.jsonl", rows)
    return path


@pytest.fixture
def expected(cli: Cli, saved_model: Any, given: Path, tmp_path: Path) -> bytes:
    """The output of a run that nothing happens to."""
    run = tmp_path / "undisturbed"
    assert cli("predict", given, *saved_model.options, "--run", run, "--chunk-bytes", "9000").exit_code == 0
    return (run / "predictions.jsonl").read_bytes()


@pytest.fixture
def command(given: Path, saved_model: Any, tmp_path: Path) -> list[str]:
    """A command whose run has some forty parts."""
    run = str(tmp_path / "run")
    return ["predict", str(given), *saved_model.options, "--run", run, "--chunk-bytes", "9000"]


def children_of(process: int) -> list[int]:
    return [child for child, fields in processes() if int(fields[PARENT]) == process]


def family_of(process: int) -> list[int]:
    """Its children and theirs."""
    children = children_of(process)
    return [*children, *(grandchild for child in children for grandchild in children_of(child))]


def survivors(family: list[int]) -> list[int]:
    """Those that are still there after a minute; sooner if there are none."""
    deadline = time.monotonic() + 60
    while True:
        found = [one for one, fields in processes() if one in family and fields[STATE] != "Z"]
        if not found or time.monotonic() >= deadline:
            return found
        time.sleep(0.01)


def test_killed_again_and_again_it_ends_with_the_same_bytes(command: list[str], expected: bytes, tmp_path: Path) -> None:
    run = tmp_path / "run"
    for n_parts in (0, 3, 9, 20):
        process = subprocess.Popen([NEWSWINNOW, *command], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while len(list(run.glob("parts/*.part"))) < n_parts and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.001)
        process.kill()
        process.wait()
        assert not (run / "predictions.jsonl").exists() or (run / "predictions.jsonl").read_bytes() == expected
    done = subprocess.run([NEWSWINNOW, *command], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "rows in 2000 = rows out 2000 + rejected 0" in done.stderr
    assert (run / "predictions.jsonl").read_bytes() == expected


def test_a_full_disk_at_any_call_is_one_line_and_the_same_command_goes_on(
    cli: Cli, saved_model: Any, given: Path, tmp_path: Path
) -> None:
    rows = given.read_bytes().split(b"\n")[:40]
    given.write_bytes(b"\n".join(rows) + b"\n")
    outputs = set()
    for n in range(1, 1000):
        out = tmp_path / f"{n}.jsonl"
        command = ["predict", given, *saved_model.options, "--run", tmp_path / f"run{n}", "-o", out, "--chunk-bytes", "3000"]
        with Disk(n, disk_full).watched():
            result = cli(*command)
        if result.exit_code == 0:
            break
        assert result.exit_code == 2
        assert result.stderr.endswith("No space left on device\n")
        assert str(tmp_path) in result.stderr
        assert result.stderr.count("\n") == 1
        assert cli(*command).exit_code == 0
        outputs.add(out.read_bytes())
    assert n > 20
    assert len(outputs) == 1


def test_of_four_commands_one_wins_and_three_are_told_at_once(saved_model: Any, tmp_path: Path) -> None:
    """The first holds the directory for as long as its standard input is open."""
    command = [NEWSWINNOW, "predict", "-", *saved_model.options, "--run", str(tmp_path / "run")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as first:
        assert first.stdin is not None
        deadline = time.monotonic() + 60
        while not (tmp_path / "run" / "stdin.tmp.new").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        others = [subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(3)]
        for other in others:
            assert other.communicate(timeout=60)[1] == f"{tmp_path}/run: must be free; got another process writing to it\n"
            assert other.returncode == 3
        _, said = first.communicate('{"page":"p","position":0,"text":"Share"}\n', timeout=60)
    assert (first.returncode, "rows in 1 = rows out 1 + rejected 0" in said) == (0, True)


def another_input(given: Path, patch: pytest.MonkeyPatch) -> list[str]:
    given.write_bytes(given.read_bytes().replace(b' 7"', b' 8"'))
    return []


def other_code(given: Path, patch: pytest.MonkeyPatch) -> list[str]:
    patch.setattr("newswinnow.scoring.plan.code_digest", lambda: "0" * 64)
    return []


def other_versions(given: Path, patch: pytest.MonkeyPatch) -> list[str]:
    from newswinnow.scoring.run_directory import versions

    patch.setattr("newswinnow.scoring.plan.versions", lambda: {**versions(), "numpy": "0.1"})
    return []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (another_input, "in.jsonl sha256"),
        (other_code, "code_sha256"),
        (other_versions, "versions.numpy"),
        (lambda given, patch: ["--chunk-bytes", "8999"], "options.chunk_bytes"),
        (lambda given, patch: ["--on-error", "fail"], "options.on_error"),
        (lambda given, patch: ["--format", "csv"], "options.kind"),
        (lambda given, patch: ["-o", str(given.with_name("elsewhere.jsonl"))], "options.output"),
        (lambda given, patch: ["--input-format", "jsonl"], "options.input_format"),
    ],
)
def test_another_run_is_refused_and_the_difference_named(
    change: Callable[[Path, pytest.MonkeyPatch], list[str]],
    field: str,
    cli: Cli,
    command: list[str],
    expected: bytes,
    given: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert cli(*command).exit_code == 0
    result = cli(*command, *change(given, monkeypatch))
    assert (result.exit_code, result.stderr.count("\n")) == (4, 1)
    assert f"{field} must be as when the run began" in result.stderr
    assert (tmp_path / "run" / "predictions.jsonl").read_bytes() == expected


@pytest.mark.parametrize("how", ["itself", "symlink", "hardlink"])
def test_an_input_is_never_the_output(how: str, cli: Cli, command: list[str], given: Path) -> None:
    before, out = given.read_bytes(), given.with_name("other.jsonl")
    if how == "symlink":
        out.symlink_to(given)
    elif how == "hardlink":
        out.hardlink_to(given)
    result = cli(*command, "-o", given if how == "itself" else out, "--overwrite")
    assert result.exit_code == 2
    assert "must not be one of the inputs; got " in result.stderr
    assert given.read_bytes() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_that_cannot_be_written_is_told(cli: Cli, command: list[str], tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    result = cli(*command, "-o", tmp_path / "closed" / "out.jsonl")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_no_process_stays(number: int, code: int, given: Path, saved_model: Any) -> None:
    rows = given.read_bytes()
    given.write_bytes(rows * ((9 << 20) // len(rows) + 1))  # enough for worker processes
    run = given.with_name("run")
    arguments = ["predict", str(given), *saved_model.options, "--run", str(run), "--workers", "2", "--chunk-bytes", "20000"]
    with subprocess.Popen([NEWSWINNOW, *arguments], stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 120
        while not list(run.glob("parts/*.part")) and time.monotonic() < deadline:
            time.sleep(0.01)
        family = family_of(process.pid)
        process.send_signal(number)
        process.communicate(timeout=60)
    assert process.returncode == code
    assert len(family) == 3
    assert survivors(family) == []
    assert not (run / "predictions.jsonl").exists()


def test_sigterm_ends_training_on_two_processes_and_none_stays(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    command = [NEWSWINNOW, "experiments", "run", str(tmp_path), "--jobs", "2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any("cross-validating" in line for line in process.stderr)
        deadline = time.monotonic() + 60
        while len(children_of(process.pid)) < 2 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        family = family_of(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.stderr.read().splitlines()[-1] == "terminated"
    assert process.returncode == 143
    assert len(family) >= 2
    assert survivors(family) == []
    assert not (tmp_path / "metrics.json").exists()


def test_what_changes_while_it_is_read_is_not_published(
    cli: Cli, command: list[str], given: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from newswinnow.scoring.cut import cut_inputs

    def meddling(*arguments: Any, **options: Any) -> Any:
        for item in cut_inputs(*arguments, **options):
            yield item
            given.write_bytes(given.read_bytes() + b"\n")

    monkeypatch.setattr("newswinnow.scoring.run.cut_inputs", meddling)
    result = cli(*command)
    assert result.exit_code == 2
    assert result.stderr == f"{given}: must not change while it is read; got other content than at the beginning\n"
    assert not (tmp_path / "run" / "predictions.jsonl").exists()


@pytest.mark.parametrize("n_deaths", [1, 99])
def test_a_worker_that_dies_is_replaced_once_and_then_its_lines_are_named(
    n_deaths: int, cli: Cli, command: list[str], expected: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from newswinnow.scoring.workers import Pool

    left, real = [n_deaths], Pool.connect

    def connect(self: Pool) -> Any:
        connection = real(self)
        if left[0]:
            left[0] -= 1
            connection.send("not a chunk, which no worker survives")
        return connection

    monkeypatch.setattr(Pool, "connect", connect)
    monkeypatch.setattr("newswinnow.scoring.run.SMALL_BYTES", 0)
    result = cli(*command, "--workers", "2")
    if n_deaths == 1:
        assert result.exit_code == 0, result.stderr
        assert (tmp_path / "run" / "predictions.jsonl").read_bytes() == expected
    else:
        assert result.exit_code == 2
        assert re.fullmatch(r".*/in\.jsonl: lines \d+ to \d+: must be scored; got a worker that died, twice\n", result.stderr), (
            result.stderr
        )
        assert not (tmp_path / "run" / "predictions.jsonl").exists()
