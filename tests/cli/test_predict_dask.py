"""`--dask ADDRESS` of `newswinnow predict` and `clean`: the bytes of a local run, one line where it cannot work."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cluster import Cluster, cluster
from typer.testing import Result

Cli = Callable[..., Result]
Program = Callable[..., subprocess.CompletedProcess[str]]
ADDRESS = "must be the address of a Dask scheduler, such as tcp://10.0.0.5:8786"
NEWS = "The council voted on Monday to repair the old bridge over the Tarn."


@pytest.fixture(scope="module")
def dask_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster"), workers=1) as started:
        yield started


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = [{"page": f"p{i // 5}", "position": i % 5, "text": f"Part {i}: {NEWS}" if i % 2 else "Share"} for i in range(300)]
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, {"page": "bad"}]), encoding="utf-8")
    return path


def test_predict_and_clean_over_a_cluster(program: Program, table: Path, dask_cluster: Cluster, tmp_path: Path) -> None:
    options = ["--chunk-bytes", "2000"]
    for command in ("predict", "clean"):
        local = program(command, table, *options, "--run", tmp_path / f"{command}-local", "-o", "-")
        run = tmp_path / f"{command}-dask"
        done = program(command, table, *options, "--run", run, "-o", "-", "--dask", dask_cluster.address)
        assert (done.returncode, done.stdout) == (1, local.stdout)
        assert done.stdout
        assert done.stderr == local.stderr.replace("-local", "-dask")
        assert "rows in 301 = rows out 300 + rejected 1" in done.stderr


def test_a_joblib_model_is_trusted_by_its_digest(
    cli: Cli, saved_model: Any, table: Path, dask_cluster: Cluster, tmp_path: Path
) -> None:
    options = ["--dask", dask_cluster.address, "--run", tmp_path / "run"]
    refused = cli("predict", table, "--model", saved_model.path, *options)
    assert refused.exit_code == 5
    assert "needs explicit trust; got none" in refused.stderr
    assert cli("predict", table, *saved_model.options, *options).exit_code == 1
    rows = [json.loads(line) for line in (tmp_path / "run" / "predictions.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["predicted"] for row in rows[:2]] == ["boilerplate", "news"]


def test_no_scheduler_is_one_line(cli: Cli, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newswinnow.scoring.dask_run.CONNECT_SECONDS", 0.5)
    done = cli("predict", table, "--run", tmp_path / "run", "--dask", "tcp://127.0.0.1:1")
    assert done.exit_code == 2
    assert done.stderr.startswith("tcp://127.0.0.1:1: must be a Dask scheduler that answers; got ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--dask", "tcp://x:1"], "--dask: must be given with --run; got no --run\n"),
        (["--dask", "", "--run", "r"], f"--dask: {ADDRESS}; got ''\n"),
        (["--dask", "localhost:8786", "--run", "r"], f"--dask: {ADDRESS}; got 'localhost:8786'\n"),
        (
            ["--dask", "tcp://x:1", "--workers", "2", "--run", "r"],
            "--workers: must not be given with --dask, whose workers score; got 2\n",
        ),
    ],
)
def test_unusable_options_exit_2(
    options: list[str], message: str, cli: Cli, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in ("predict", "clean"):
        result = cli(command, table, *options)
        assert (result.exit_code, result.stderr) == (2, message)
    assert not Path("r").exists()
