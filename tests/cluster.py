"""A Dask cluster of separate processes on the loopback interface: a scheduler and workers of one thread each."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

_ONE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


@dataclass
class Cluster:
    """Processes of a cluster; ``workers`` by name."""

    folder: Path
    scheduler: subprocess.Popen[bytes]
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        address: str = orjson.loads((self.folder / "scheduler.json").read_bytes())["address"]
        return address

    def add_worker(self, name: str) -> None:
        options = [
            "--nthreads",
            "1",
            "--no-nanny",
            "--no-dashboard",
            "--death-timeout",
            "60",
            "--name",
            name,
            "--local-directory",
            str(self.folder),
        ]
        where = ["--host", "127.0.0.1", "--scheduler-file", str(self.folder / "scheduler.json")]
        self.workers[name] = _start(self.folder / f"{name}.log", "worker", *where, *options)

    def kill(self, name: str) -> None:
        """As the kernel does when memory runs out: no goodbye."""
        worker = self.workers.pop(name)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()

    def wait_for(self, n_workers: int) -> None:
        client = self.client()
        try:
            client.wait_for_workers(n_workers, timeout=120)
        finally:
            client.close()

    def client(self) -> Any:
        from distributed import Client

        return Client(self.address, timeout=60, set_as_default=False)

    def end(self) -> None:
        for process in (*self.workers.values(), self.scheduler):
            process.kill()
            process.wait()


def _start(log: Path, *arguments: str) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        command = [sys.executable, "-m", "dask", *arguments]
        return subprocess.Popen(command, stdout=file, stderr=file, stdin=subprocess.DEVNULL, env={**os.environ, **_ONE})


@contextmanager
def cluster(folder: Path, *, workers: int) -> Iterator[Cluster]:
    file = folder / "scheduler.json"
    options = [
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--dashboard-address",
        "127.0.0.1:0",
        "--idle-timeout",
        "600",
        "--scheduler-file",
        str(file),
    ]
    started = Cluster(folder, _start(folder / "scheduler.log", "scheduler", *options))
    try:
        deadline = time.monotonic() + 120
        while not file.exists() or not file.read_bytes().endswith(b"}"):
            assert started.scheduler.poll() is None, (folder / "scheduler.log").read_text()
            assert time.monotonic() < deadline, "the scheduler must start"
            time.sleep(0.05)
        for i in range(workers):
            started.add_worker(f"w{i}")
        if workers:
            started.wait_for(workers)
        yield started
    finally:
        started.end()
