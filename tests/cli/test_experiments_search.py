"""`newswinnow experiments search` and `export`."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

import newswinnow.experiments.mlflow_store as store_module
from newswinnow.corpus.locks import locked
from newswinnow.experiments.mlflow_store import ExportedRun, Store

Cli = Callable[..., Result]
SEARCH = """
[search]
folds = 3
min_pages = 1
[search.model]
family = ["c4", "three-line"]
"""


@pytest.fixture
def searched(config: Path) -> Path:
    config.write_text(config.read_text(encoding="utf-8") + SEARCH, encoding="utf-8")
    return config


def test_a_search_prints_its_last_round_and_is_continued(cli: Cli, searched: Path, tmp_path: Path) -> None:
    out = tmp_path / "search"
    result = cli("experiments", "search", searched, "-o", out)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split("  ")[0] == "candidate"
    assert [line.split("  ")[0] for line in lines[2:]] == ["the configuration itself", "1"]
    assert lines[2].split()[3] == "three-line"
    assert "[2/2] round 1/1, candidate 1: " in result.stderr
    assert f"run it: newswinnow experiments run {out}/best" in result.stderr
    again = cli("experiments", "search", searched, "-o", out, "--json")
    assert again.exit_code == 0
    assert "2 of 2 trials were finished before" in again.stderr
    found = json.loads(again.stdout)
    assert found["best"]["parameters"] == {"model.family": "three-line"}
    assert found["best"]["macro_f1"]["value"] > 0.9
    assert found["config"] == f"{out}/best/config.toml"
    assert found["gain"] == 0
    assert cli("experiments", "run", out / "best").exit_code == 0


def test_exit_codes_of_a_search(cli: Cli, searched: Path, config: Path, tmp_path: Path) -> None:
    out = tmp_path / "search"
    out.mkdir()
    with locked(out):
        busy = cli("experiments", "search", searched, "-o", out)
    assert (busy.exit_code, busy.stdout) == (3, "")
    assert cli("experiments", "search", searched, "-o", out).exit_code == 0
    searched.write_text(searched.read_text(encoding="utf-8").replace("min_pages = 1", "min_pages = 2"), encoding="utf-8")
    other = cli("experiments", "search", searched, "-o", out)
    assert (other.exit_code, other.stdout) == (4, "")
    assert (
        "search.json: search.min_pages must be as when this search was begun, 1; got 2 (--overwrite begins anew)" in other.stderr
    )
    assert cli("experiments", "search", searched, "-o", out, "--overwrite").exit_code == 0
    both = cli("experiments", "search", searched, "-o", out, "--dask", "tcp://127.0.0.1:9", "--workers", 2)
    assert (both.exit_code, both.stdout) == (2, "")
    assert both.stderr == "--workers: must not be given with --dask, whose cluster has its own; got 2\n"


def test_a_failed_candidate_is_shown(cli: Cli, config: Path, tmp_path: Path) -> None:
    text = config.read_text(encoding="utf-8").replace(
        '"three-line"', '"naive-bayes"\nanalyzer = "word"\nsurface = false\nmin_df = 1'
    )
    config.write_text(text + "[search]\nfolds = 3\nmin_pages = 1\n[search.model]\nmin_df = [90]\n", encoding="utf-8")
    result = cli("experiments", "search", config, "-o", tmp_path / "search")
    assert result.exit_code == 0
    assert "candidate 1: not trainable" in result.stderr
    assert "1                         90            not trainable: " in result.stdout


def test_dask_is_optional(cli: Cli, searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    result = cli("experiments", "search", searched, "-o", tmp_path / "search", "--dask", "tcp://127.0.0.1:9")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("--dask: needs the package 'distributed'; got ")
    assert result.stderr.endswith("(pip install 'newswinnow[dask]')\n")


def test_export_says_what_it_wrote(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = tmp_path / "m.db"
    written = Store(database, tmp_path / "m-artifacts", (ExportedRun("one", "abc", 3, 40),))
    asked = []

    def export(*arguments: object, **options: object) -> Store:
        asked.append((arguments, options))
        return written

    monkeypatch.setattr(store_module, "export_runs", export)
    result = cli("experiments", "export", tmp_path / "one", "-o", database, "--experiment", "mine")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[2].split() == ["one", "3", "40", "abc"]
    assert result.stderr == f"open it: mlflow ui --backend-store-uri sqlite:///{database}\n"
    assert asked == [(([tmp_path / "one"], database), {"experiment": "mine", "overwrite": False})]
    as_json = cli("experiments", "export", tmp_path / "one", "-o", database, "--json")
    assert json.loads(as_json.stdout)["runs"] == [{"name": "one", "run_id": "abc", "n_params": 3, "n_metrics": 40}]


def test_export_refuses_what_it_does_not_know(cli: Cli, tmp_path: Path) -> None:
    result = cli("experiments", "export", tmp_path, "--to", "wandb", "-o", tmp_path / "m.db")
    assert (result.exit_code, result.stderr) == (2, "--to: must be mlflow; got 'wandb'\n")
    absent = cli("experiments", "export", tmp_path / "absent", "-o", tmp_path / "m.db")
    assert absent.exit_code == 2
    assert absent.stderr.startswith(f"{tmp_path}/absent: must hold a finished run; got no metrics.json")
