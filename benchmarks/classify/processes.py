"""The parent's side of the systems' processes: start them on their cores, talk to them, and tell why one died.

What they do in there is left to :mod:`benchmarks.classify.child`.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

ROOT: Final = Path(__file__).resolve().parents[2]
_THREADS: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NEWSWINNOW_THREADS",
)
_CHARS: Final = 300


class SystemFailed(RuntimeError):
    """A system's process that ended without an answer; the message ends in the last line it wrote."""


def available_cores() -> list[int]:
    """Processor cores that this process may use.

    Returns
    -------
    Their numbers, in order.
    """
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def _environment(threads: int) -> dict[str, str]:
    environment = {**os.environ, **dict.fromkeys(_THREADS, str(threads)), "PYTHONHASHSEED": "0"}
    # As most people's: compiled files are read and written as usual, and nothing is said twice.
    return {name: value for name, value in environment.items() if name not in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")}


class Child:
    """A running process of one system; leaving the ``with`` block ends it.

    Parameters
    ----------
    mode
        ``train``, ``serve`` or ``cold``.
    key
        The system.
    paths
        What the mode takes.
    threads
        Threads and cores it gets.
    number
        Processes at work at the same time have cores of their own by their numbers from 0.
    """

    def __init__(self, mode: str, key: str, paths: Sequence[Path], *, threads: int = 1, number: int = 0) -> None:
        # The last cores, since interrupts and other people's processes tend to sit on the first.
        free = available_cores()
        cores = ",".join(map(str, free[: len(free) - threads * number][-threads:]))
        command = [sys.executable, "-m", "benchmarks.classify.child", cores, mode, key, *map(str, paths)]
        self._key = key
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed in close)
        self.begin = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=_environment(threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        if kept := self._process.stdin:
            kept.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if kept := self._process.stdout:
            kept.close()
        self._errors.close()

    def answer(self) -> dict[str, Any]:
        """The next answer.

        Returns
        -------
        As the child gave it.

        Raises
        ------
        SystemFailed
            If the process ended instead.
        """
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise SystemFailed(f"{self._key}: its process must answer; got exit code {self._process.wait()}{self._last_words()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, **command: Any) -> dict[str, Any]:
        """Send a command and wait for its answer.

        Parameters
        ----------
        **command
            As :func:`benchmarks.classify.child.serve` takes it.

        Returns
        -------
        The answer.

        Raises
        ------
        SystemFailed
            If the process ended instead.
        """
        self.tell(**command)
        return self.answer()

    def tell(self, **command: Any) -> None:
        """Send a command; :meth:`answer` waits for what comes of it.

        Parameters
        ----------
        **command
            As for :meth:`ask`.
        """
        try:
            if self._process.stdin:
                self._process.stdin.write(json.dumps(command) + "\n")
                self._process.stdin.flush()
        except BrokenPipeError:
            pass  # answer() tells why

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", errors="replace").strip().splitlines()
        return f": {lines[-1][:_CHARS]}" if lines else ""
