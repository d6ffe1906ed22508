"""Chunks of a run scored by a Dask cluster: they travel to the workers as bytes, and what comes of them travels back.

So workers need this package and nothing else: no input, no run directory, no shared file system. Cutting, keeping parts and
publishing stay with :mod:`newswinnow.scoring.run` in this process, which is why the bytes are those of a local run.
"""

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from queue import Empty, Queue
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from newswinnow.models.saved import ModelLoadError
from newswinnow.scoring.chunks import Chunk, Scored
from newswinnow.scoring.dask_model import PackedModel, pack
from newswinnow.scoring.model_source import ModelSource
from newswinnow.scoring.score import Task, score_chunk
from newswinnow.scoring.workers import WorkerError

if TYPE_CHECKING:
    from distributed import Client, Future

RETRIES: Final = 2
"""How often a chunk that failed is tried again; one whose worker died is tried again by the scheduler, three times by default."""

WAIT_SECONDS: Final = 60.0
"""How long a cluster may be without any worker."""

CONNECT_SECONDS: Final = 20.0
"""How long the scheduler may take to answer at first."""

_ADDRESS: Final = re.compile(r"(tcp|tls|wss?)://[^\s/]+:\d{1,5}")
_POLL_SECONDS: Final = 0.1
_LOOK_SECONDS: Final = 2.0
_AHEAD: Final = 2
"""Chunks on their way or at work for each thread of the cluster; the scheduler holds their bytes meanwhile."""


def check_address(address: str, *, where: str) -> None:
    """Refuse what cannot be the address of a scheduler, and any address without Dask.

    Parameters
    ----------
    address
        Such as ``tcp://10.0.0.5:8786``.
    where
        What the message names as its place.

    Raises
    ------
    ValueError
        If scheme, host or port is missing.
    ModuleNotFoundError
        If Dask is not installed.
    """
    # A Dask client that is given such an address fails as well, but then keeps the process from ending (2026.8).
    if not _ADDRESS.fullmatch(address):
        raise ValueError(f"{where}: must be the address of a Dask scheduler, such as tcp://10.0.0.5:8786; got {address!r:.80}")
    try:
        import distributed  # noqa: F401
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"{where}: needs Dask; got no {error.name} (pip install 'newswinnow[dask]')") from error


def score_on_cluster(
    chunks: Iterator[Chunk],
    source: ModelSource,
    task: Task,
    *,
    address: str,
    tick: Callable[[], None],
    wait_seconds: float = WAIT_SECONDS,
) -> Iterator[tuple[Chunk, Scored]]:
    """Score chunks on a cluster, a few for each of its threads at a time.

    Parameters
    ----------
    chunks
        Taken as there is room.
    source
        The model, shipped once to each worker.
    task
        What is wanted of every chunk.
    address
        Of the scheduler, such as ``tcp://10.0.0.5:8786``.
    tick
        Called while nothing is done yet; may raise to stop.
    wait_seconds
        How long the cluster may be without any worker.

    Yields
    ------
    Chunks with what came of them, as they are done.

    Raises
    ------
    ModelLoadError
        If the model is refused, here or by a worker.
    ValueError
        If the address is none.
    WorkerError
        If the cluster cannot be reached, has no workers, or a chunk cannot be scored.
    """
    check_address(address, where="cluster")
    packed = pack(source)
    with _connected(address) as client:
        cluster = _Cluster(client, packed, task, address=address, wait_seconds=wait_seconds)
        try:
            yield from cluster.results(chunks, tick)
        finally:
            cluster.cancel()


@contextmanager
def _connected(address: str) -> Iterator["Client"]:
    """A client of the scheduler, which leaves everybody else's settings alone."""
    import dask
    from distributed import Client

    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except OSError as error:
        raise WorkerError(f"{address}: must be a Dask scheduler that answers; got {error}") from error
    # Chunks are meant to travel; Dask would warn of any above 10 MB.
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"}):
        try:
            yield client
        finally:
            client.close()


class _Cluster:
    """What is at work on a cluster, in this process's name."""

    def __init__(self, client: "Client", packed: PackedModel, task: Task, *, address: str, wait_seconds: float) -> None:
        self._client = client
        self._address = address
        self._task = task
        self._name = f"newswinnow-{uuid4().hex[:12]}"
        self._wait_seconds = wait_seconds
        self._at_work: dict[object, tuple[Chunk, Future]] = {}
        self._done: Queue[Future] = Queue()
        self._n_threads = 0
        self._looked = self._had_workers = -1e9
        # A task, not scattered data: if all workers that hold it die, the scheduler has it done again.
        self._model = client.submit(_same, packed, key=f"{self._name}-model", pure=False)

    def results(self, chunks: Iterator[Chunk], tick: Callable[[], None]) -> Iterator[tuple[Chunk, Scored]]:
        """Chunks done, until there are no more."""
        self._had_workers = time.monotonic()
        is_more = True
        while is_more or self._at_work:
            self._look()
            while is_more and len(self._at_work) < self._n_threads * _AHEAD:
                chunk = next(chunks, None)
                is_more = chunk is not None
                if chunk is not None:
                    self._submit(chunk)
            try:
                future = self._done.get(timeout=_POLL_SECONDS)
            except Empty:
                tick()
                continue
            chunk, _ = self._at_work[future.key]
            yield chunk, self._result(future, chunk, tick)
            del self._at_work[future.key]

    def cancel(self) -> None:
        """Let the cluster forget what is still at work, if it is still there."""
        if self._client.status == "running":
            self._client.cancel([future for _, future in self._at_work.values()])
        self._at_work.clear()

    def _look(self) -> None:
        """See now and then how many threads there are; a cluster without any is waited for, but not for ever."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS and self._n_threads:
            return
        self._looked = now
        try:
            self._n_threads = sum(self._client.nthreads().values())
        except OSError as error:
            raise self._lost() from error
        if self._n_threads:
            self._had_workers = now
        elif now - self._had_workers > self._wait_seconds:
            raise WorkerError(f"{self._address}: must have workers; got none for {self._wait_seconds:.0f} s")

    def _submit(self, chunk: Chunk) -> None:
        key = f"{self._name}-{chunk.number}"
        future = self._client.submit(_score, self._model, chunk, self._task, key=key, retries=RETRIES, pure=False)
        self._at_work[key] = chunk, future
        future.add_done_callback(self._done.put)

    def _result(self, future: "Future", chunk: Chunk, tick: Callable[[], None]) -> Scored:
        """What a worker made of a chunk; if the worker died with it, it is done again, and waited for."""
        from distributed import KilledWorker

        while True:
            try:
                scored: Scored = future.result(timeout=_LOOK_SECONDS)
                return scored
            except TimeoutError:
                tick()
                self._look()
            except KilledWorker as error:
                raise WorkerError(f"{chunk.where}: must be scored; got {error.allowed_failures + 1} workers that died") from error
            except ModelLoadError:
                raise
            except (Exception, CancelledError) as error:  # whatever a worker raised, or no answer at all
                if future.status != "error":
                    raise self._lost() from error
                raise WorkerError(f"{chunk.where}: {type(error).__name__}: {error}") from error

    def _lost(self) -> WorkerError:
        return WorkerError(f"{self._address}: the Dask scheduler must stay; got no connection to it")


def _same(packed: PackedModel) -> PackedModel:
    return packed


def _score(packed: PackedModel, chunk: Chunk, task: Task) -> Scored:
    return score_chunk(packed.load(), chunk, task)
