"""Lanes, signals and durable files: the parts that runs seldom exercise."""

import hashlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from newswinnow.corpus.rejects import Reject
from newswinnow.scoring.chunks import Chunk, Scored, Tally
from newswinnow.scoring.durable import open_temporary, sha256_of, write_whole
from newswinnow.scoring.model_source import ModelSource
from newswinnow.scoring.parts import Footer, PartError, Parts
from newswinnow.scoring.score import Task
from newswinnow.scoring.stopping import Stop, StoppedError, stop_on_signals
from newswinnow.scoring.workers import Pool, WorkerError, score_all


def chunk(number: int) -> Chunk:
    return Chunk(number, 0, number + 1, 1, "a.jsonl", "jsonl", b"{}\n")


def score(given: Chunk) -> Scored:
    time.sleep(0.001 * (given.number % 3))
    return Scored(str(given.number).encode())


def no_tick() -> None:
    pass


@pytest.mark.parametrize("n", [1, 3])
def test_every_chunk_is_scored_once(n: int) -> None:
    found = {c.number: s.payload for c, s in score_all(map(chunk, range(50)), [score] * n, tick=no_tick)}
    assert found == {i: str(i).encode() for i in range(50)}


@pytest.mark.parametrize("n", [1, 2])
def test_errors_of_other_threads_are_raised_where_results_are_taken(n: int) -> None:
    def failing(given: Chunk) -> Scored:
        if given.number == 5:
            raise WorkerError("chunk 5")
        return score(given)

    def broken() -> Iterator[Chunk]:
        yield chunk(0)
        raise ValueError("unreadable")

    with pytest.raises(WorkerError, match="chunk 5"):
        list(score_all(map(chunk, range(50)), [failing] * n, tick=no_tick))
    with pytest.raises(ValueError, match="unreadable"):
        list(score_all(broken(), [score] * n, tick=no_tick))


def test_reading_never_runs_far_ahead() -> None:
    read: list[int] = []

    def source() -> Iterator[Chunk]:
        for i in range(1000):
            read.append(i)
            yield chunk(i)

    results = score_all(source(), [score, score], tick=no_tick)
    next(results)
    time.sleep(0.1)
    assert len(read) < 20
    results.close()  # type: ignore[attr-defined]


def test_waiting_can_be_stopped() -> None:
    stop = Stop()
    stop.request(signal.SIGTERM)
    released = threading.Event()

    def slow(given: Chunk) -> Scored:
        released.wait(5)
        return score(given)

    with pytest.raises(StoppedError, match="stopped by SIGTERM"):
        list(score_all(map(chunk, range(9)), [slow, slow], tick=stop.check))
    released.set()


def test_a_worker_tells_what_went_wrong() -> None:
    message = r"a\.jsonl: lines 1 to 1: ValueError: context: must be auto or one of"
    with (
        Pool(ModelSource(), Task(context="neighbours")) as pool,
        pool.scorer() as scorer,
        pytest.raises(WorkerError, match=message),
    ):
        scorer(chunk(0))


def test_signals_become_requests_and_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stop_on_signals() as stop:
        stop.check()
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(StoppedError, match="stopped by SIGTERM; the same command goes on from here") as caught:
            stop.check()
    assert caught.value.number == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_second_signal_ends_the_process() -> None:
    child = os.fork()
    if child == 0:
        with stop_on_signals():
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 130


def test_other_threads_leave_signals_alone() -> None:
    found = []

    def work() -> None:
        with stop_on_signals() as stop:
            stop.check()
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGINT)]


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", [b"one", b"two"])
    assert (tmp_path / "a").read_bytes() == b"onetwo"

    def failing() -> Iterator[bytes]:
        yield b"three"
        raise ValueError("gone")

    with pytest.raises(ValueError, match="gone"):
        write_whole(tmp_path / "a", failing())
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"onetwo")]


def test_a_digest_sees_all_that_is_written(tmp_path: Path) -> None:
    digest = hashlib.sha256()
    with open_temporary(tmp_path / "a", also=digest.update) as file:
        assert [file.write(data) for data in (b"one", b"two", b"")] == [3, 3, 0]
        file.sync()
    assert (file.tell(), digest.hexdigest()) == (6, sha256_of(tmp_path / "a"))


def test_errors_of_the_disk_name_the_file(tmp_path: Path) -> None:
    with open_temporary(tmp_path / "a") as file:
        pass
    with pytest.raises(OSError, match=r"Bad file descriptor.*/a'"):
        file.write(b"x")


def test_a_damaged_part_is_noticed(tmp_path: Path) -> None:
    parts = Parts(tmp_path / "parts")
    parts.write(chunk(0), Scored(b"row\n", (Reject("a", 1, "bad"),), Tally(2, 1, 1, (1, 0, 0))))
    footer = parts.footer(0)
    assert footer is not None
    assert (b"".join(parts.payload(footer)), parts.is_done(chunk(0))) == (b"row\n", True)
    path = parts.path(0)
    path.write_bytes(path.read_bytes().replace(b"row", b"raw"))
    with pytest.raises(PartError, match="must be as it was written; got another sha256"):
        list(parts.payload(footer))
    assert not parts.is_done(chunk(0))
    assert not path.exists()
    assert parts.footer(0) is None


@pytest.mark.parametrize("data", [b"", b"x" * 100, b"{}\n00000003\n", b'{"tally":{}}\n0000000d\n'])
def test_what_is_no_part_is_none(data: bytes, tmp_path: Path) -> None:
    parts = Parts(tmp_path / "parts")
    parts.path(3).write_bytes(data)
    assert parts.footer(3) is None


def test_footers_read_back() -> None:
    footer = Footer(3, (0, 1, 2), 4, 5, "6", Tally(2, 1, 1, (1, 0, 0), 0, ("page",)))
    assert Footer.parse(footer.as_bytes()[:-9]) == footer


def test_counts_that_do_not_add_up_are_noticed() -> None:
    with pytest.raises(RuntimeError, match="here: rows in must equal rows out and rejects; got "):
        Tally(3, 1, 1, (1, 0, 0)).check("here")
