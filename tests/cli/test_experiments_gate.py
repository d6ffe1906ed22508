"""`newswinnow experiments gate` and `decide`, and predicting by a decision."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

import newswinnow.experiments.gate as module
from newswinnow.models.predictor import Predictor
from newswinnow.models.rules import LineRule

Cli = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]
Jsonl = Callable[[Path, Sequence[dict[str, Any]]], Path]


@pytest.fixture
def baseline(tmp_path: Path, rows_of: Rows, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A baseline not filled yet, for a rule in place of the models that the gate trains and loads."""
    rows = rows_of("test", n_sites=6)
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    tests = {"here": {"model": "shipped", "corpus": "test.jsonl"}, "far": {"model": "default", "corpus": "far.jsonl"}}
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps({"format": 1, "tests": tests}), encoding="utf-8")
    use_rule(monkeypatch, "three-line")
    return path


def use_rule(monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    original = module.run_gate
    predictor = Predictor(LineRule(rule).fit([], []))
    monkeypatch.setattr(module, "run_gate", lambda path: original(path, model=lambda name: predictor))


def test_gate_passes_fails_and_updates(cli: Cli, baseline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = cli("experiments", "gate", "--baseline", baseline)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "test 'here' must have a baseline; got none yet (--update makes it)" in refused.stderr
    updated = cli("experiments", "gate", "--baseline", baseline, "--update")
    assert updated.exit_code == 0
    assert f"written: {baseline}\n" in updated.stderr
    passed = cli("experiments", "gate", "--baseline", baseline)
    assert passed.exit_code == 0
    assert passed.stderr == f"skipped: far: {baseline.parent / 'far.jsonl'} is not here\n"
    assert {line.split()[-1] for line in passed.stdout.splitlines()[2:]} == {"ok"}

    monkeypatch.undo()
    use_rule(monkeypatch, "c4")
    failed = cli("experiments", "gate", "--baseline", baseline)
    assert failed.exit_code == 6
    assert "FAILED: surely worse than the baseline" in failed.stdout
    assert failed.stderr.endswith("gate: models must not become worse; got a failure\n")
    as_json = cli("experiments", "gate", "--baseline", baseline, "--json")
    assert as_json.exit_code == 6
    found = json.loads(as_json.stdout)
    assert found["is_passed"] is False
    assert sorted(test["name"] for test in found["tests"]) == ["far", "here"]

    lower = cli("experiments", "gate", "--baseline", baseline, "--update")
    assert lower.exit_code == 2
    assert "--update must not lower a floor; got here (alone): macro_f1" in lower.stderr
    assert cli("experiments", "gate", "--baseline", baseline, "--update", "--allow-regression").exit_code == 0
    assert cli("experiments", "gate", "--baseline", baseline).exit_code == 0


def test_gate_refuses_what_makes_no_sense(cli: Cli, tmp_path: Path) -> None:
    alone = cli("experiments", "gate", "--allow-regression")
    assert (alone.exit_code, alone.stderr) == (2, "--allow-regression: must come with --update; got it alone\n")
    absent = cli("experiments", "gate", "--baseline", tmp_path / "absent.json")
    assert absent.exit_code == 2
    assert absent.stderr.startswith(f"{tmp_path}/absent.json: must be a baseline; got nothing there")


@pytest.fixture
def decision(cli: Cli, saved_model: Any, tmp_path: Path, rows_of: Rows) -> Path:
    corpus = tmp_path / "calibration.jsonl"
    rows = rows_of("calibration", n_sites=40)
    corpus.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    path = tmp_path / "decision.json"
    made = cli("experiments", "decide", saved_model.path, corpus, "--trust", saved_model.sha256, "-o", path)
    assert made.exit_code == 0
    assert made.stderr == f"written: {path}\n"
    lines = made.stdout.splitlines()
    assert lines[0].split() == ["max", "news", "loss", "threshold", "lost", "in", "calibration", "rest", "kept"]
    assert "0.01 needs at least 302 calibration pages" in made.stdout
    again = cli("experiments", "decide", saved_model.path, corpus, "--trust", saved_model.sha256, "-o", path)
    assert again.exit_code == 2
    assert again.stderr == f"{path}: must not exist yet; got a file there (--overwrite replaces it)\n"
    return path


def test_a_decision_limits_lost_news(cli: Cli, saved_model: Any, decision: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.txt"
    page.write_text("Share\n\nThe council voted on Monday to repair the old bridge over the Tarn.\n", encoding="utf-8")
    kept = cli("predict", page, *saved_model.options, "--decision", decision, "--max-news-loss", "0.05")
    assert kept.exit_code == 0
    assert [json.loads(line)["predicted"] for line in kept.stdout.splitlines()][1] == "news"
    cleaned = cli("clean", page, *saved_model.options, "--decision", decision, "--max-news-loss", "0.05")
    assert cleaned.exit_code == 0
    assert "The council voted" in cleaned.stdout
    refused = cli("predict", page, *saved_model.options, "--decision", decision, "--max-news-loss", "0.001")
    assert refused.exit_code == 2
    assert refused.stderr == "max-news-loss: 0.001 needs at least 2998 calibration pages with news; got 80\n"
    without = cli("predict", page, *saved_model.options, "--max-news-loss", "0.05")
    assert without.exit_code == 2
    assert without.stderr.startswith("--max-news-loss: must come with --decision FILE; got none")
    run = cli("predict", page, *saved_model.options, "--decision", decision, "--run", tmp_path / "run")
    assert run.exit_code == 2
    assert run.stderr.startswith(f"--decision: must not be given with --run; got {decision}")


def test_a_decision_is_for_one_model(cli: Cli, decision: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.txt"
    page.write_text("Share\n", encoding="utf-8")
    other = cli("predict", page, "--decision", decision)
    assert other.exit_code == 2
    assert other.stderr.startswith("decision: must be calibrated for this model; got one for ")
