"""Scoring chunks side by side: worker processes, threads, or neither.

Processes are faster (docs/reliability.md): parsing and writing rows hold the interpreter lock, scoring them does not.
What happens to a chunk is left to :mod:`newswinnow.scoring.score`.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Event, Thread
from types import TracebackType
from typing import Any, Final, Self

from newswinnow.features.batches import VARIABLE
from newswinnow.models.saved import ModelLoadError
from newswinnow.scoring.chunks import Chunk, Scored
from newswinnow.scoring.model_source import ModelSource
from newswinnow.scoring.score import Task, score_chunk
from newswinnow.scoring.worker import OK, REFUSED

_WAIT_SECONDS: Final = 0.1
_COMMAND: Final = "import sys; from newswinnow.scoring.worker import main; main(int(sys.argv[1]))"

Scorer = Callable[[Chunk], Scored]


class WorkerError(RuntimeError):
    """A chunk that could not be scored; the message names its lines."""


class Pool:
    """Processes that score, all copies of one that loads the model; it begins to at once, and is waited for when it is needed.

    Parameters
    ----------
    source
        The model.
    task
        What is wanted of every chunk.
    """

    def __init__(self, source: ModelSource, task: Task) -> None:
        self._socket, theirs = socket.socketpair()
        package = str(Path(__file__).resolve().parents[2])
        paths = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])
        # One thread each, so that forking is safe and workers do not fight over cores.
        one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", VARIABLE), "1")
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _COMMAND, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={**os.environ, **one, "PYTHONPATH": paths},
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._connection = Connection(os.dup(self._socket.fileno()))
        self._is_ready = False
        with suppress(OSError):  # then it is gone, which whoever waits for it is told
            self._connection.send((source, task))

    def wait(self) -> None:
        """Wait until the model is loaded.

        Raises
        ------
        ModelLoadError
            If it is refused.
        WorkerError
            If the process died over it.
        """
        if self._is_ready:
            return
        try:
            kind, message = self._connection.recv()
        except (EOFError, OSError) as error:
            self.close()
            raise WorkerError(f"scoring: a worker must start; got exit code {self._process.returncode}") from error
        self._is_ready = True
        if kind == REFUSED:
            self.close()
            raise ModelLoadError(message)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let all workers go; those at work end when they find nobody to answer."""
        self._connection.close()
        self._socket.close()
        if not self._is_ready:
            self._process.kill()
        self._process.wait()

    def connect(self) -> Any:
        """A new worker.

        Returns
        -------
        The connection to it.
        """
        ours, theirs = socket.socketpair()
        with ours, theirs:
            socket.send_fds(self._socket, [b"w"], [theirs.fileno()])
            return Connection(ours.detach())

    @contextmanager
    def scorer(self) -> Iterator[Scorer]:
        """One worker as a function; if it dies over a chunk, a new one tries once more.

        Yields
        ------
        The function.

        Raises
        ------
        ModelLoadError
            If the model is refused.
        WorkerError
            If the process that loads it died.
        """
        self.wait()
        held = [self.connect()]

        def score(chunk: Chunk) -> Scored:
            for _ in range(2):
                try:
                    held[0].send(chunk)
                    kind, answer = held[0].recv()
                except (EOFError, OSError):
                    held[0].close()
                    held[0] = self.connect()
                    continue
                if kind == OK:
                    return answer  # type: ignore[no-any-return]
                raise WorkerError(answer)
            raise WorkerError(f"{chunk.where}: must be scored; got a worker that died, twice")

        try:
            yield score
        finally:
            held[0].close()


@contextmanager
def scorers(source: ModelSource, task: Task, *, workers: int, use_threads: bool = False) -> Iterator[Callable[[], list[Scorer]]]:
    """Functions that score, one for each worker, behind a call that waits for them: processes start while other work goes on.

    Parameters
    ----------
    source
        The model.
    task
        What is wanted of every chunk.
    workers
        How many; 1 scores in this process.
    use_threads
        Whether workers are threads of this process.

    Yields
    ------
    What gives the functions, once; it raises ``ModelLoadError`` if the model is refused.
    """
    if workers == 1 or use_threads:

        def here() -> list[Scorer]:
            model = source.load()
            return [lambda chunk: score_chunk(model, chunk, task)] * workers

        yield here
        return
    with Pool(source, task) as pool, ExitStack() as stack:
        yield lambda: [stack.enter_context(pool.scorer()) for _ in range(workers)]


def score_all(chunks: Iterator[Chunk], functions: list[Scorer], *, tick: Callable[[], None]) -> Iterator[tuple[Chunk, Scored]]:
    """Score chunks side by side; reading goes on meanwhile, never far ahead.

    Parameters
    ----------
    chunks
        Read in a thread of its own if there are several functions.
    functions
        One for each worker.
    tick
        Called while nothing is done yet; may raise to stop.

    Yields
    ------
    Chunks with what came of them, as they are done.

    Raises
    ------
    Exception
        Whatever reading or scoring raised.
    """
    if len(functions) == 1:
        for chunk in chunks:
            yield chunk, functions[0](chunk)
        return
    lanes = _Lanes(chunks, functions)
    try:
        yield from lanes.results(tick)
    finally:
        lanes.stop()


class _Lanes:
    """A thread that reads, one per worker that hands chunks over, and queues of bounded length between."""

    def __init__(self, chunks: Iterator[Chunk], functions: list[Scorer]) -> None:
        self._stopped = Event()
        self._todo: Queue[Chunk | None] = Queue(maxsize=len(functions))
        self._done: Queue[tuple[Chunk, Scored] | BaseException | None] = Queue(maxsize=len(functions))
        self._n_open = len(functions)
        targets = [(self._read, (chunks,)), *((self._score, (function,)) for function in functions)]
        self._threads = [Thread(target=self._guarded, args=(target, *args), daemon=True) for target, args in targets]
        for thread in self._threads:
            thread.start()

    def _guarded(self, target: Callable[[Any], None], argument: Any) -> None:
        try:
            target(argument)
        except BaseException as error:  # raised again by results(), in the thread that asked
            self._put(self._done, error)

    def _put(self, queue: "Queue[Any]", item: object) -> None:
        while not self._stopped.is_set():
            with suppress(Full):
                queue.put(item, timeout=_WAIT_SECONDS)
                return

    def _take(self) -> Chunk | None:
        while not self._stopped.is_set():
            with suppress(Empty):
                return self._todo.get(timeout=_WAIT_SECONDS)
        return None

    def _read(self, chunks: Iterator[Chunk]) -> None:
        for chunk in chunks:
            self._put(self._todo, chunk)
            if self._stopped.is_set():
                return
        for _ in range(self._n_open):
            self._put(self._todo, None)

    def _score(self, function: Scorer) -> None:
        while (chunk := self._take()) is not None:
            self._put(self._done, (chunk, function(chunk)))
        self._put(self._done, None)

    def results(self, tick: Callable[[], None]) -> Iterator[tuple[Chunk, Scored]]:
        """Chunks done, until all lanes are empty; errors of other threads are raised here."""
        n_open = self._n_open
        while n_open:
            try:
                item = self._done.get(timeout=_WAIT_SECONDS)
            except Empty:
                tick()
                continue
            if isinstance(item, BaseException):
                raise item
            if item is None:
                n_open -= 1
            else:
                yield item

    def stop(self) -> None:
        """Let the threads end; those waiting for a worker end when its connection is closed."""
        self._stopped.set()
