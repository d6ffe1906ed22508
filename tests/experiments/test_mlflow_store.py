"""Runs exported to an MLflow store, read back by MLflow's own client."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import newswinnow.experiments.mlflow_store as module
from newswinnow.evaluation.evaluate import Evaluation
from newswinnow.experiments.mlflow_store import batched, export_runs, metrics_of

Evaluated = Callable[..., Evaluation]
Finished = Callable[..., Path]
needs_mlflow = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning")


@pytest.fixture
def runs(tmp_path: Path, evaluated: Evaluated, finished: Finished) -> list[Path]:
    found = []
    for name, guesses in (("1-good", "NBR"), ("2-bad", "NBB")):
        pages = {f"p{i}": ("NBR", guesses) for i in range(4)}
        score = {"value": 0.5, "low": 0.4, "high": 0.6}
        validation = {"n_folds": 3, "unseen_sites": score, "random_split": score, "leakage_gap": 0.1, "by_source": {}}
        run = finished(tmp_path / name, evaluated(pages), title=f"Run {name}", validation=validation)
        manifest = {
            "config": {
                "title": "x",
                "seed": 7,
                "model": {"family": "c4", "C": 0.5, "balanced": True},
                "data": {"train": ["a", "b"]},
            },
            "training_digest": "abc",
            "test_digests": {"my set": "def"},
            "seconds": 2.5,
        }
        (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        found.append(run)
    (found[0] / "notes.md").write_text("It taught *much*.\n", encoding="utf-8")
    return found


@pytest.fixture
def client_of() -> Callable[[Path], Any]:
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    mlflow = pytest.importorskip("mlflow", reason="needs the extra 'mlflow' (pip install 'newswinnow[mlflow]')")
    pytest.importorskip("sqlalchemy", reason="needs the extra 'mlflow' (pip install 'newswinnow[mlflow]')")
    return lambda database: mlflow.MlflowClient(tracking_uri=f"sqlite:///{database}")


def read_back(client: Any) -> dict[str, Any]:
    experiment = client.get_experiment_by_name("newswinnow")
    return {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}


@needs_mlflow
def test_a_store_is_read_back_by_mlflow(client_of: Callable[[Path], Any], runs: list[Path], tmp_path: Path) -> None:
    store = export_runs(runs, tmp_path / "store.db")
    assert (store.database, store.artifacts) == (tmp_path / "store.db", tmp_path / "store-artifacts")
    client = client_of(store.database)
    found = read_back(client)
    assert set(found) == {"1-good", "2-bad"}
    good = found["1-good"]
    metrics = json.loads((runs[0] / "metrics.json").read_text())
    assert good.data.metrics == metrics_of(metrics)
    assert good.data.metrics["mine/macro_f1"] == metrics["evaluations"]["mine"]["scores"]["macro_f1"]["value"] == 1.0
    assert good.data.params == {
        "seed": "7",
        "model.family": "c4",
        "model.C": "0.5",
        "model.balanced": "true",
        "data.train": '["a", "b"]',
    }
    assert good.data.tags["mlflow.note.content"] == "It taught *much*."
    assert good.data.tags["newswinnow.title"] == "Run 1-good"
    assert good.data.tags["newswinnow.test_digests.my set"] == "def"
    assert (good.info.status, good.info.end_time - good.info.start_time) == ("FINISHED", 2500)
    assert [run.run_id for run in store.runs] == [found[name].info.run_id for name in ("1-good", "2-bad")]
    assert [(run.n_params, run.n_metrics) for run in store.runs] == [(5, len(r.data.metrics)) for r in (good, found["2-bad"])]
    files = {artifact.path for artifact in client.list_artifacts(good.info.run_id)}
    assert files == {"answers.json", "manifest.json", "metrics.json", "notes.md", "report.html", "report.md"}
    copied = Path(client.download_artifacts(good.info.run_id, "metrics.json", str(tmp_path)))
    assert copied.read_bytes() == (runs[0] / "metrics.json").read_bytes()


@needs_mlflow
def test_a_store_is_replaced_whole_or_not_at_all(
    client_of: Callable[[Path], Any], runs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    first = export_runs(runs, folder)
    assert (first.database, first.artifacts) == (folder / "mlflow.db", folder / "artifacts")
    with pytest.raises(FileExistsError, match=r"mlflow.db: must not exist yet; got a store there \(--overwrite replaces it\)"):
        export_runs(runs, folder)
    before = first.database.read_bytes()

    def fail(client: Any) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(module, "_let_go", fail)
        with pytest.raises(OSError, match="no space left"):
            export_runs(runs[:1], folder, overwrite=True)
    assert first.database.read_bytes() == before
    assert {path.name for path in folder.iterdir()} == {"mlflow.db", "artifacts"}
    assert {run.run_id for run in first.runs} <= {path.name for path in first.artifacts.iterdir()}

    second = export_runs(runs[1:], folder, overwrite=True)
    assert {path.name for path in second.artifacts.iterdir()} == {second.runs[0].run_id}
    assert client_of(second.database).get_run(second.runs[0].run_id).info.run_name == "2-bad"


@needs_mlflow
def test_runs_of_older_versions_have_no_manifest(client_of: Callable[[Path], Any], runs: list[Path], tmp_path: Path) -> None:
    (runs[0] / "manifest.json").unlink()
    (runs[1] / "manifest.json").write_text("[]", encoding="utf-8")
    found = read_back(client_of(export_runs(runs, tmp_path / "store.db").database))
    assert [found[name].data.params for name in ("1-good", "2-bad")] == [{"model.family": "c4"}] * 2


def test_levels_and_odd_names() -> None:
    scores = {"macro_f1": {"value": 0.5, "low": 0.4, "high": 0.6}, "n_pages": 3, "confusion": [[1]], "is_good": True}
    labels = [{"label": "news", "support": 4, "f1": {"value": 0.25, "low": 0.0, "high": 1.0}}]
    evaluation = {
        "context": "order",
        "scores": {**scores, "labels": labels},
        "calibration": {"ece": 0.1},
        "levels": {"bag": {"scores": {"macro_f1": {"value": 0.3, "low": 0.2, "high": 0.4}}}},
    }
    assert metrics_of({"evaluations": {"my: set": evaluation}, "validation": {}}) == {
        "my_ set/macro_f1": 0.5,
        "my_ set/macro_f1.low": 0.4,
        "my_ set/macro_f1.high": 0.6,
        "my_ set/n_pages": 3.0,
        "my_ set/news.support": 4.0,
        "my_ set/news.f1": 0.25,
        "my_ set/news.f1.low": 0.0,
        "my_ set/news.f1.high": 1.0,
        "my_ set/bag/macro_f1": 0.3,
        "my_ set/bag/macro_f1.low": 0.2,
        "my_ set/bag/macro_f1.high": 0.4,
        "my_ set/ece": 0.1,
    }


def test_items_come_by_the_hundred() -> None:
    items = [(str(i), i) for i in range(201)]
    assert [len(some) for some in batched(items)] == [100, 100, 1]
    assert [item for some in batched(items) for item in some] == items


def test_what_cannot_be_exported(runs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"^export: needs at least one run; got none$"):
        export_runs([], tmp_path / "store.db")
    with pytest.raises(FileNotFoundError, match=r"absent: must hold a finished run; got no metrics.json"):
        export_runs([tmp_path / "absent"], tmp_path / "store.db")
    (runs[0] / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"manifest.json: must be valid JSON; got "):
        export_runs(runs, tmp_path / "store.db")
    monkeypatch.setitem(sys.modules, "alembic", None)
    with pytest.raises(
        ModuleNotFoundError, match=r"--to mlflow: needs mlflow-skinny, sqlalchemy and alembic; got .*newswinnow\[mlflow\]"
    ):
        export_runs(runs[1:], tmp_path / "store.db")
    assert not (tmp_path / "store.db").exists()
