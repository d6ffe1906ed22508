"""A run over a cluster of separate processes: the bytes of a local run, whoever dies; clear words where it cannot work."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.cluster import Cluster, cluster

from newswinnow.models.saved import ModelLoadError
from newswinnow.scoring import dask_model, dask_run
from newswinnow.scoring.chunks import Chunk, Scored
from newswinnow.scoring.dask_run import check_address, score_on_cluster
from newswinnow.scoring.model_source import ModelSource
from newswinnow.scoring.plan import RunPlan
from newswinnow.scoring.run import run
from newswinnow.scoring.score import Task
from newswinnow.scoring.stopping import Stop, StoppedError
from newswinnow.scoring.workers import WorkerError


@pytest.fixture(scope="module")
def dask_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster"), workers=1) as started:
        yield started


@pytest.fixture
def plan(pages: Path, tmp_path: Path, dask_cluster: Cluster) -> RunPlan:
    return RunPlan((str(pages),), tmp_path / "run", chunk_bytes=1500, cluster=dask_cluster.address)


@pytest.fixture(scope="module")
def local(source: ModelSource, pages: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Output of a local run, by kind."""
    found = {}
    for kind in ("jsonl", "parquet", "csv", "text"):
        base = RunPlan((str(pages),), tmp_path_factory.mktemp("local") / "run", source, workers=1, chunk_bytes=1500, kind=kind)
        found[kind] = run(base).output.read_bytes()
    return found


def no_tick() -> None:
    pass


def chunk(number: int = 0, text: str = "Share") -> Chunk:
    data = f'{{"page":"p","position":{number},"text":"{text}"}}\n'.encode()
    return Chunk(number, 0, number + 1, 1, "a.jsonl", "jsonl", data)


def scored(chunks: list[Chunk], address: str, *, task: Task | None = None, seconds: float = 60) -> list[tuple[Chunk, Scored]]:
    given = score_on_cluster(iter(chunks), ModelSource(), task or Task(), address=address, tick=no_tick, wait_seconds=seconds)
    return list(given)


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "csv", "text"])
def test_a_cluster_writes_the_bytes_of_a_local_run(kind: str, plan: RunPlan, local: dict[str, bytes]) -> None:
    summary = run(replace(plan, kind=kind))
    assert summary.output.read_bytes() == local[kind]
    assert summary.tally.rows_in == summary.tally.rows_out + summary.tally.rejected


def test_a_worker_killed_in_the_middle_changes_nothing(plan: RunPlan, local: dict[str, bytes], dask_cluster: Cluster) -> None:
    dask_cluster.add_worker("doomed")
    dask_cluster.wait_for(2)
    n_parts: list[int] = []

    def progress(step: str, done: int, total: int, rows: int) -> None:
        if step == "scoring":
            n_parts.append(done)
            if len(n_parts) == 3:
                dask_cluster.kill("doomed")

    assert run(plan, progress=progress).output.read_bytes() == local["jsonl"]
    assert len(n_parts) > 10


def test_a_run_that_was_stopped_goes_on_here_or_on_a_cluster(
    plan: RunPlan, local: dict[str, bytes], source: ModelSource, tmp_path: Path
) -> None:
    def stop_after(n: int, stop: Stop) -> Any:
        calls: list[int] = []

        def progress(step: str, done: int, total: int, rows: int) -> None:
            calls.append(done)
            if step == "scoring" and len(calls) > n:
                stop.request(signal.SIGTERM)

        return progress

    for i, (first, then) in enumerate([("", plan.cluster), (plan.cluster, "")]):
        stop = Stop()
        begun = replace(plan, directory=tmp_path / f"run{i}", cluster=first, model=source, workers=1)
        with pytest.raises(StoppedError, match="the same command goes on from here"):
            run(begun, progress=stop_after(3, stop), stop=stop)
        assert 0 < len(list((begun.directory / "parts").glob("*.part"))) < 10
        assert run(replace(begun, cluster=then)).output.read_bytes() == local["jsonl"]


def test_a_worker_holds_the_model_once(plan: RunPlan, dask_cluster: Cluster) -> None:
    run(plan)
    client = dask_cluster.client()
    try:
        held = client.run(_held)
        assert set(map(tuple, held.values())) == {(dask_model.pack(None).sha256,)}
    finally:
        client.close()


def _held() -> list[str]:
    from newswinnow.scoring import loaded

    return list(loaded._HELD)


def test_what_a_worker_refuses_is_told_with_its_lines(dask_cluster: Cluster) -> None:
    with pytest.raises(WorkerError, match=r"a\.jsonl: lines 1 to 1: ValueError: context: must be auto or one of"):
        scored([chunk()], dask_cluster.address, task=Task(context="neighbours"))


def test_a_worker_with_other_versions_is_refused(dask_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = replace(dask_model.pack(None), environment={**dask_model.environment(), "numba": "0.1"})
    monkeypatch.setattr(dask_run, "pack", lambda source: packed)
    with pytest.raises(ModelLoadError, match=r"worker on .*: numba must be 0\.1, as where the run began; got "):
        scored([chunk()], dask_cluster.address)


def test_a_chunk_that_kills_every_worker_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "0")
    monkeypatch.setattr(dask_run, "_score", _die)
    with (
        cluster(tmp_path, workers=1) as own,
        pytest.raises(WorkerError, match=r"a\.jsonl: lines 1 to 1: must be scored; got 1 workers that died"),
    ):
        scored([chunk()], own.address)


def _die(*arguments: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_cluster_without_workers_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    with cluster(tmp_path, workers=0) as own, pytest.raises(WorkerError, match=r"tcp://.*: must have workers; got none for 0 s"):
        scored([chunk()], own.address, seconds=0.2)


def test_a_scheduler_that_dies_ends_the_run(tmp_path: Path) -> None:
    with cluster(tmp_path, workers=1) as own:
        results = score_on_cluster(
            map(chunk, range(10**6)), ModelSource(), Task(), address=own.address, tick=no_tick, wait_seconds=5
        )
        next(results)
        own.scheduler.kill()
        with pytest.raises(WorkerError, match=r"tcp://.*: the Dask scheduler must stay; got no connection to it"):
            list(results)


@pytest.mark.parametrize("address", ["nowhere", "nowhere://x:1", "127.0.0.1:8786", "tcp://host", "tcp://:8786", "tcp://a b:1"])
def test_what_is_no_address_is_refused(address: str, pages: Path, tmp_path: Path) -> None:
    message = rf"must be the address of a Dask scheduler, such as tcp://10\.0\.0\.5:8786; got '{address}'"
    with pytest.raises(ValueError, match=f"cluster: {message}"):
        scored([chunk()], address)
    with pytest.raises(ValueError, match=f"--dask: {message}"):
        run(RunPlan((str(pages),), tmp_path / "run", cluster=address))
    assert not (tmp_path / "run").exists()


def test_a_scheduler_must_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_run, "CONNECT_SECONDS", 0.5)
    with pytest.raises(WorkerError, match=r"tcp://127\.0\.0\.1:1: must be a Dask scheduler that answers; got Timed out"):
        scored([chunk()], "tcp://127.0.0.1:1")


def test_waiting_for_a_cluster_can_be_stopped(tmp_path: Path) -> None:
    stop = Stop()
    stop.request(signal.SIGINT)
    with cluster(tmp_path, workers=0) as own, pytest.raises(StoppedError, match="stopped by SIGINT"):
        list(score_on_cluster(iter([chunk()]), ModelSource(), Task(), address=own.address, tick=stop.check))


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, pages: Path, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(ModuleNotFoundError, match=r"--dask: needs Dask; got no distributed \(pip install 'newswinnow\[dask\]'\)"):
        run(RunPlan((str(pages),), tmp_path / "run", cluster="tcp://127.0.0.1:1"))
    monkeypatch.undo()
    check_address("tcp://127.0.0.1:1", where="here")
