"""Finished runs as an MLflow store: one SQLite file that its user interface opens, reports and metrics files beside it.

The files of the runs stay the truth and are only read; the store can be made anew at any time. Comparing runs with a verdict is
left to :mod:`newswinnow.experiments.compare`.
"""

import json
import logging
import os
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from newswinnow.experiments.answers import ANSWERS
from newswinnow.experiments.compare import RunSummary, read_run
from newswinnow.experiments.config import CONFIG_NAME
from newswinnow.experiments.run import NOTES, RUN_MANIFEST
from newswinnow.reports.render import METRICS

DATABASE: Final = "mlflow.db"
_FILES: Final = (CONFIG_NAME, RUN_MANIFEST, METRICS, ANSWERS, NOTES, "report.html", "report.md")
_ODD: Final = re.compile(r"[^\w\-. /]+")
_MAX_BATCH: Final = 100
_MAX_VALUE: Final = 6000
"""Characters of a parameter that MLflow takes."""


@dataclass(frozen=True)
class ExportedRun:
    """One run in the store: its name, MLflow's id of it, and how many parameters and metrics it has there."""

    name: str
    run_id: str
    n_params: int
    n_metrics: int


@dataclass(frozen=True)
class Store:
    """A written store."""

    database: Path
    artifacts: Path
    runs: tuple[ExportedRun, ...]

    def as_dict(self) -> dict[str, Any]:
        """The store in plain values, for ``--json``."""
        return {"database": str(self.database), "artifacts": str(self.artifacts), "runs": [asdict(run) for run in self.runs]}


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(value, Mapping):
            yield from _flat(value, name)
        else:
            yield name, value


def _measured(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, float]]:
    """Every number of a table; an interval's value goes by the name alone."""
    for name, value in _flat(values):
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{prefix}{name.removesuffix('.value')}", float(value)


def _scores(found: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, float]]:
    yield from _measured(found["scores"], prefix)
    for label in found["scores"].get("labels", []):
        yield from _measured({key: value for key, value in label.items() if key != "label"}, f"{prefix}{label['label']}.")


def metrics_of(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a run by names that MLflow takes and groups by test corpus.

    Parameters
    ----------
    metrics
        What ``metrics.json`` holds.

    Returns
    -------
    Name to number: ``TEST/macro_f1``, ``TEST/macro_f1.low``, ``TEST/news.recall``, ``TEST/bag/macro_f1`` at other levels of
    information, ``validation/unseen_sites``.
    """
    found: dict[str, float] = {}
    for test, evaluation in metrics["evaluations"].items():
        found.update(_scores(evaluation, f"{test}/"))
        for level, of_level in evaluation.get("levels", {}).items():
            found.update(_scores(of_level, f"{test}/{level}/"))
        found.update(_measured({"ece": evaluation.get("calibration", {}).get("ece")}, f"{test}/"))
    found.update(_measured(metrics["validation"], "validation/"))
    return {_ODD.sub("_", name): value for name, value in found.items()}


def _params(run: RunSummary, manifest: Mapping[str, Any]) -> dict[str, str]:
    config = {key: value for key, value in manifest.get("config", {}).items() if key not in ("title", "description")}
    values = dict(_flat(config or {"model": run.metrics["model"]}))
    return {_ODD.sub("_", name): _shown(value)[:_MAX_VALUE] for name, value in values.items()}


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _tags(run: RunSummary, manifest: Mapping[str, Any]) -> dict[str, str]:
    digests = {key: manifest[key] for key in ("training_digest", "test_digests", "versions") if key in manifest}
    tags = {"newswinnow.title": run.title, "mlflow.note.content": run.notes}
    tags.update({f"newswinnow.{_ODD.sub('_', name)}": _shown(value) for name, value in _flat(digests)})
    return {name: value for name, value in tags.items() if value}


def _manifest(run: RunSummary) -> dict[str, Any]:
    path = run.directory / RUN_MANIFEST
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: must be valid JSON; got {error}") from error
    return found if isinstance(found, dict) else {}


def _places(output: Path) -> tuple[Path, Path]:
    """The database and the folder of its artifacts."""
    if output.suffix == ".db":
        return output, output.with_name(f"{output.stem}-artifacts")
    return output / DATABASE, output / "artifacts"


def _client_class() -> Any:
    # MLflow reports its use to its makers unless told not to before it is imported.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    try:
        import alembic
        import mlflow
        import sqlalchemy
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"--to mlflow: needs mlflow-skinny, sqlalchemy and alembic; got {error} (pip install 'newswinnow[mlflow]')"
        ) from error
    # Its migrations tell of every table they make.
    for module in (alembic, mlflow, sqlalchemy):
        logging.getLogger(module.__name__).setLevel(logging.WARNING)
    return mlflow.MlflowClient


@contextmanager
def _new_database(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """A database under a temporary name that takes its own when all is written."""
    # A name that was never used: MLflow takes a database for made that it made under the same name in this process.
    temporary = path.with_name(f".{path.name}.tmp.{uuid.uuid4().hex}")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path}: must not exist yet; got a store there (--overwrite replaces it)")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        for left in path.parent.glob(f"{temporary.name}*"):
            left.unlink()


def export_runs(
    directories: Sequence[str | Path], output: str | Path, *, experiment: str = "newswinnow", overwrite: bool = False
) -> Store:
    """Write finished runs into a new MLflow store.

    Parameters
    ----------
    directories
        Results directories of different names.
    output
        A ``.db`` file, or a folder for one.
    experiment
        Name of MLflow's experiment that the runs go to.
    overwrite
        Whether to replace a store.

    Returns
    -------
    What was written; ``mlflow ui --backend-store-uri sqlite:///FILE.db`` opens it.

    Raises
    ------
    FileExistsError
        If there is a store already.
    FileNotFoundError
        If a directory holds no finished run.
    ModuleNotFoundError
        If MLflow is not installed.
    ValueError
        If a run's files are damaged.
    """
    runs = [read_run(directory) for directory in directories]
    if not runs:
        raise ValueError("export: needs at least one run; got none")
    manifests = [_manifest(run) for run in runs]
    client_class = _client_class()
    database, artifacts = _places(Path(output).absolute())
    before = set(artifacts.glob("*")) if database.exists() else set()
    with _new_database(database, overwrite=overwrite) as temporary:
        client = client_class(tracking_uri=f"sqlite:///{temporary}")
        number = client.create_experiment(experiment, artifact_location=artifacts.as_uri())
        exported = tuple(_export(client, number, run, manifest) for run, manifest in zip(runs, manifests, strict=True))
        _let_go(client)
    # Only now: until the new store has its name, the old one is whole.
    for left in before:
        shutil.rmtree(left, ignore_errors=True)
    return Store(database, artifacts, exported)


def batched(items: Iterable[tuple[str, Any]]) -> Iterator[list[tuple[str, Any]]]:
    """Items by as many as MLflow takes at once.

    Parameters
    ----------
    items
        Names and values.

    Yields
    ------
    Lists of at most a hundred.
    """
    left = iter(items)
    while some := list(islice(left, _MAX_BATCH)):
        yield some


def _let_go(client: Any) -> None:
    """Close the database before it is renamed; MLflow keeps connections as long as the process lives."""
    client._tracking_client.store.engine.dispose()


def _export(client: Any, number: str, run: RunSummary, manifest: Mapping[str, Any]) -> ExportedRun:
    from mlflow.entities import Metric, Param, RunTag

    params, metrics = _params(run, manifest), metrics_of(run.metrics)
    ended = int((run.directory / METRICS).stat().st_mtime * 1000)
    began = ended - int(float(manifest.get("seconds", 0)) * 1000)
    run_id = client.create_run(number, start_time=began, run_name=run.name).info.run_id
    for some in batched(metrics.items()):
        client.log_batch(run_id, metrics=[Metric(metric, value, ended, 0) for metric, value in some])
    for some in batched(params.items()):
        client.log_batch(run_id, params=[Param(*item) for item in some])
    for some in batched(_tags(run, manifest).items()):
        client.log_batch(run_id, tags=[RunTag(*item) for item in some])
    for name in _FILES:
        if (run.directory / name).is_file():
            client.log_artifact(run_id, str(run.directory / name))
    client.set_terminated(run_id, status="FINISHED", end_time=ended)
    return ExportedRun(run.name, run_id, len(params), len(metrics))
