"""The other end of a worker: a process that loads the model once and forks a copy of itself for every worker asked for.

So the model is compiled, loaded and checked once, and its memory shared. Asking is left to :mod:`newswinnow.scoring.workers`.
"""

import gc
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from itertools import count
from multiprocessing.connection import Connection
from typing import Any, Final

from newswinnow.models.predictor import Predictor
from newswinnow.models.saved import ModelLoadError
from newswinnow.scoring.score import ARROW, Task, score_chunk

OK, REFUSED, FAILED = "ok", "refused", "failed"
_UNUSED: Final = ("scipy.linalg", "cffi", "coverage")
_COLLECTED: Final = 32
"""Chunks between two collections of whatever cycles there are."""


def serve(connection: Any, model: Predictor, task: Task) -> None:
    """Score chunk after chunk until the other side goes away.

    Parameters
    ----------
    connection
        Gives chunks, takes what comes of them.
    model
        The predictor.
    task
        What is wanted of every chunk.
    """
    for n_chunks in count(1):
        try:
            chunk = connection.recv()
        except (EOFError, OSError):
            return
        try:
            answer: tuple[str, Any] = (OK, score_chunk(model, chunk, task))
        except Exception as error:  # whatever it is, the run must be told
            answer = (FAILED, f"{chunk.where}: {type(error).__name__}: {error}")
        try:
            connection.send(answer)
        except OSError:
            return
        if n_chunks % _COLLECTED == 0:
            gc.collect()


@contextmanager
def _lean_numba() -> Iterator[None]:
    """Load numba without what it imports in case compiled code needs it, and ours never does: 0.2 s and 25 MB.

    That is SciPy's linear algebra, to multiply matrices; cffi, to call C; and coverage. Only for a process of our own.
    """
    absent = [name for name in _UNUSED if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment] # importing it raises ImportError
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def main(fd: int) -> None:
    """Load the model that is named first; then turn every socket that is handed over into a worker.

    Parameters
    ----------
    fd
        A Unix socket to the run.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(fileno=fd) as control, Connection(os.dup(fd)) as connection:
        source, task = connection.recv()
        try:
            with _lean_numba() if source.trust is None else nullcontext():
                model = source.load()
        except (ModelLoadError, OSError, ImportError) as error:
            connection.send((REFUSED, str(error)))
            return
        if task.form == ARROW:
            # Imported before forking, its memory is shared.
            import pyarrow  # noqa: F401
        gc.collect()
        gc.freeze()
        # Chunks make dictionaries by the ten thousand, none of them in cycles: looking for cycles took 0.5 us a row.
        gc.disable()
        connection.send((OK, None))
        while True:
            data, handed, _, _ = socket.recv_fds(control, 1, 1)
            if not data:
                return
            if os.fork() == 0:
                control.close()
                connection.close()
                serve(Connection(handed[0]), model, task)
                os._exit(0)
            os.close(handed[0])
