"""Batches cover everything once, in as many threads as are asked for."""

import threading
from collections.abc import Callable
from itertools import count

import pytest

from newswinnow.features.batches import BATCH, LEAST_BATCH, MIN_THREADED, VARIABLE, each_batch, each_piece, threads_for


@pytest.mark.parametrize("n", [0, 1, BATCH, BATCH + 1, 5 * BATCH - 1])
@pytest.mark.parametrize("n_threads", [None, 1, 2, 7])
def test_batches_cover_everything_once(n: int, n_threads: int | None) -> None:
    done = [0] * n

    def run(begin: int, end: int) -> None:
        for i in range(begin, end):
            done[i] += 1

    each_batch(run, n, n_threads=n_threads)
    assert done == [1] * n


@pytest.mark.parametrize("n_threads", [2, 3, 7])
def test_batches_get_smaller_towards_the_end(n_threads: int) -> None:
    sizes: dict[int, int] = {}
    each_batch(lambda begin, end: sizes.update({begin: end - begin}), 20 * BATCH + 77, n_threads=n_threads)
    *in_order, last = [size for _, size in sorted(sizes.items())]
    assert in_order == sorted(in_order, reverse=True)
    assert in_order[0] == BATCH
    assert last <= in_order[-1] == LEAST_BATCH


def test_threads_work_side_by_side() -> None:
    meeting, numbers = threading.Barrier(2, timeout=30), count()

    def run(begin: int, end: int) -> None:
        if next(numbers) < 2:
            meeting.wait()

    each_batch(run, 2 * BATCH, n_threads=2)
    assert not meeting.broken


def test_an_exception_comes_through() -> None:
    def run(begin: int, end: int) -> None:
        raise ValueError(f"bad at {begin}")

    with pytest.raises(ValueError, match="bad at 0"):
        each_batch(run, 3 * BATCH, n_threads=2)


@pytest.mark.parametrize("n_threads", [1, 2, 4])
def test_after_an_exception_no_more_is_begun(n_threads: int) -> None:
    begun: list[int] = []

    def run(number: int) -> None:
        begun.append(number)
        if number == 5:
            raise ValueError(f"bad at {number}")

    with pytest.raises(ValueError, match="bad at 5"):
        each_piece(run, 10_000, size=10_000 * BATCH, n_threads=n_threads)
    assert begun[:6] == list(range(6)) if n_threads == 1 else set(range(6)) <= set(begun)
    assert len(begun) < 10_000


def test_of_two_failures_the_earlier_piece_s_is_raised() -> None:
    meeting = threading.Barrier(2, timeout=30)

    def run(number: int) -> None:
        meeting.wait()
        raise ValueError(f"bad at {number}")

    with pytest.raises(ValueError, match="bad at 0"):
        each_piece(run, 2, size=2 * BATCH, n_threads=2)


def test_a_thread_that_got_short_pieces_takes_more_of_them() -> None:
    held, done = threading.Event(), []

    def run(number: int) -> None:
        if number == 0:
            assert held.wait(30)
        done.append(number)
        if len(done) == 19:
            held.set()

    each_piece(run, 20, size=20 * BATCH, n_threads=2)
    assert sorted(done) == list(range(20))
    assert done[-1] == 0


@pytest.mark.parametrize("n_to_be_had", [0, 1])
def test_where_no_more_threads_are_to_be_had_those_there_are_do_all(monkeypatch: pytest.MonkeyPatch, n_to_be_had: int) -> None:
    started: list[threading.Thread] = []

    def start(function: Callable[..., None], arguments: tuple[object, ...]) -> None:
        if len(started) == n_to_be_had:
            raise RuntimeError("can't start new thread")
        started.append(threading.Thread(target=function, args=arguments))
        started[-1].start()

    monkeypatch.setattr("newswinnow.features.batches.start_new_thread", start)
    done: list[int] = []
    each_piece(done.append, 20, size=20 * BATCH, n_threads=4)
    assert sorted(done) == list(range(20))
    assert len(started) == n_to_be_had


def test_threads_are_those_asked_for_and_one_for_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newswinnow.features.batches._n_cores", lambda: 4)
    monkeypatch.delenv(VARIABLE, raising=False)
    assert threads_for(MIN_THREADED - 1, None) == 1
    assert threads_for(100 * BATCH, None) == 4
    assert threads_for(100 * BATCH, 2) == 2
    assert threads_for(2 * BATCH, 9) == 2
    assert threads_for(0, 3) == 1
    monkeypatch.setenv(VARIABLE, "3")
    assert threads_for(100 * BATCH, None) == 3
    assert threads_for(100 * BATCH, 1) == 1


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5"])
def test_bad_numbers_of_threads_are_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(ValueError, match=rf"{VARIABLE}: must be a whole number >= 1; got {value}"):
        threads_for(10, None)


def test_a_bad_argument_is_refused() -> None:
    with pytest.raises(ValueError, match="n_threads: must be a whole number >= 1; got 0"):
        threads_for(10, 0)
