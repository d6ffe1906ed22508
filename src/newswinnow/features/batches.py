"""Work on a long list in batches, on one thread or several.

What is done with a batch is left to the caller; it must release the GIL for threads to help.
"""

import os
from _thread import LockType, allocate_lock, start_new_thread
from collections.abc import Callable
from operator import itemgetter
from typing import Final

BATCH: Final = 1024
"""Paragraphs of a batch: their bytes, folded bytes and classes (200 KB) stay in the second-level cache."""

LEAST_BATCH: Final = 256
"""Paragraphs of the last batches where several threads share the work: about 0.2 ms of it."""

MIN_THREADED: Final = 8 * BATCH
"""With fewer paragraphs, 10 ms of work, threads are not worth starting unless asked for."""

VARIABLE: Final = "NEWSWINNOW_THREADS"


def threads_for(n: int, n_threads: int | None) -> int:
    """Threads for an input.

    Parameters
    ----------
    n
        Paragraphs.
    n_threads
        Threads asked for; None for the environment variable ``NEWSWINNOW_THREADS``, else the cores this process may use.

    Returns
    -------
    At least 1, at most one for each batch; 1 for a small input that nobody asked threads for.

    Raises
    ------
    ValueError
        If a number is asked for that is less than 1 or no number.
    """
    asked = os.environ.get(VARIABLE, "").strip() if n_threads is None else str(n_threads)
    if asked and not (asked.isdecimal() and int(asked) >= 1):
        raise ValueError(f"{VARIABLE if n_threads is None else 'n_threads'}: must be a whole number >= 1; got {asked}")
    if not asked and n < MIN_THREADED:
        return 1
    return min(int(asked) if asked else _n_cores(), max(-(-n // BATCH), 1))


def _n_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def each_batch(run: Callable[[int, int], None], n: int, *, n_threads: int | None = None) -> None:
    """Run a function over batches of ``range(n)``.

    Parameters
    ----------
    run
        Called with the first index of a batch and the index after its last; an exception ends the work.
    n
        How many there are.
    n_threads
        As for :func:`threads_for`.
    """
    cuts = _cuts(n, threads_for(n, n_threads))
    each_piece(lambda number: run(cuts[number], cuts[number + 1]), len(cuts) - 1, size=n, n_threads=n_threads)


def _cuts(n: int, n_threads: int) -> list[int]:
    """Where batches begin and end: towards the end they get smaller, so that no thread waits long for the last of another.

    Guided self-scheduling (Polychronopoulos and Kuck 1987): each takes its share of what is left, within bounds.
    """
    cuts = [0]
    while (left := n - cuts[-1]) > 0:
        share = left if n_threads == 1 else max(left // n_threads, LEAST_BATCH)
        cuts.append(cuts[-1] + min(share, left, BATCH))
    return cuts


def each_piece(run: Callable[[int], None], n_pieces: int, *, size: int, n_threads: int | None = None) -> None:
    """Run a function over pieces of work that the caller cut.

    Parameters
    ----------
    run
        Called with the number of a piece; an exception ends the work.
    n_pieces
        How many there are.
    size
        Paragraphs of all pieces.
    n_threads
        As for :func:`threads_for`.
    """
    # All threads, this one too, take the next number from one iterator: that needs no lock and no waking up, and a thread that
    # got short pieces takes more of them.
    numbers = iter(range(n_pieces))
    failed: list[tuple[int, BaseException]] = []

    def work() -> None:
        for number in numbers:
            try:
                run(number)
            except BaseException as error:
                failed.append((number, error))
            if failed:
                return

    _run_in_threads(work, min(threads_for(size, n_threads), n_pieces))
    if failed:
        raise min(failed, key=itemgetter(0))[1]


def _run_in_threads(work: Callable[[], None], n_threads: int) -> None:
    """Run ``work``, which raises nothing, in this thread and ``n_threads - 1`` others.

    Bare ones: ``threading.Thread.start`` waits until the other thread runs, which takes longer than a batch, and a pool takes
    longer still to start and stop.
    """
    others = [allocate_lock() for _ in range(n_threads - 1)]

    def run(until_done: LockType) -> None:
        work()
        until_done.release()

    for other in others:
        other.acquire()
        try:
            start_new_thread(run, (other,))
        except RuntimeError:  # no more threads are to be had: those there are do the work
            other.release()
    work()
    for other in others:
        other.acquire()
