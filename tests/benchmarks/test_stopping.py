"""What the stopping benchmark takes for kept and for broken: late ends, wrong exit codes, survivors, results half done."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.stopping import Stopped, commands, contents, in_session, table, try_all

KEPT = Stopped("c", signal.SIGINT, seconds=[0.2, 4.9, 0.1])


@pytest.mark.parametrize(
    "broken",
    [
        replace(KEPT, seconds=[5.1]),
        replace(KEPT, seconds=[]),
        replace(KEPT, codes=[1]),
        replace(KEPT, n_left=1),
        replace(KEPT, n_partial=1),
    ],
)
def test_one_broken_promise_is_enough(broken: Stopped) -> None:
    assert KEPT.is_as_promised()
    assert not broken.is_as_promised()


def test_the_table_has_a_line_for_each_command_and_signal() -> None:
    head, rule, line = table([KEPT]).splitlines()
    assert head.count("|") == rule.count("|") == line.count("|")
    assert line == "| c | SIGINT | 3 | 0.20 | 4.90 | 0 | 0 | 0 |"


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are counted through /proc")
def test_survivors_are_found() -> None:
    code = "import subprocess; print(subprocess.Popen(['sleep', '60'], stdout=subprocess.DEVNULL).pid, flush=True)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True) as leader:
        assert leader.stdout is not None
        survivor = int(leader.stdout.readline())
        leader.wait()
    try:
        assert in_session(leader.pid) == [survivor]
    finally:
        subprocess.run(["kill", str(survivor)], check=True)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are counted through /proc")
def test_a_command_is_stopped_and_looked_at(tmp_path: Path) -> None:
    name = "`predict -o`"
    interrupted, terminated = try_all(tmp_path, {name: commands(tmp_path, n_rows=80_000)[name]}, tries=2)
    assert [interrupted.number, terminated.number] == [signal.SIGINT, signal.SIGTERM]
    for found in (interrupted, terminated):
        assert len(found.seconds) == 2
        assert (found.codes, found.n_left, found.n_partial) == ([], 0, 0)


def test_a_result_half_done_differs_from_a_whole_one(tmp_path: Path) -> None:
    assert contents(tmp_path / "none") == {}
    (tmp_path / "file").write_bytes(b"ab")
    assert contents(tmp_path / "file") == {".": b"ab"}
    for name, seconds in (("one", b"1"), ("two", b"2"), ("half", b"")):
        (tmp_path / name / "model").mkdir(parents=True)
        (tmp_path / name / "model" / "weights").write_bytes(b"w")
        if seconds:
            (tmp_path / name / "manifest.json").write_bytes(seconds)
    assert contents(tmp_path / "one") == contents(tmp_path / "two") != contents(tmp_path / "half")


def test_a_command_that_fails_by_itself_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="must end by itself"):
        try_all(tmp_path, {"c": (["predict", "nowhere.jsonl", "-o", "DIR/found"], "found")}, tries=1)
