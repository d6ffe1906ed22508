"""One run."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from newswinnow.corpus.locks import BusyError, locked
from newswinnow.experiments.config import Config, parse_config
from newswinnow.experiments.run import RunResult, run, run_experiment
from newswinnow.harvest.progress import no_progress
from newswinnow.models.saved import load_model

CONFIG = """
title = "Learnt"
description = "From the configuration."
seed = 3
[data]
train = ["{corpora}/train.jsonl"]
test = {{ mine = "{corpora}/test.jsonl" }}
[model]
family = "tfidf-logistic"
analyzer = "word"
min_df = 1
surface = false
[validation]
folds = 2
"""
REPEATABLE = ["metrics.json", "report.md", "answers.json"]


def config_of(corpora: Path, **model: Any) -> Config:
    data = {"train": [str(corpora / "train.jsonl")], "test": {"mine": str(corpora / "test.jsonl")}}
    return parse_config({"data": data, "model": {"family": "three-line", **model}, "validation": {"folds": 0}}, where="c")


@pytest.fixture(scope="module")
def experiment(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunResult, list[tuple[str, int, int]]]:
    """A finished experiment with notes, what it returned and the progress it told."""
    folder = tmp_path_factory.mktemp("experiment")
    (folder / "config.toml").write_text(CONFIG.format(corpora=corpora), encoding="utf-8")
    (folder / "notes.md").write_text("\nBridges are *easy*.\n", encoding="utf-8")
    told: list[tuple[str, int, int]] = []
    result = run_experiment(folder, progress=lambda step, done, total: told.append((step, done, total)))
    return folder, result, told


def test_progress_counts_every_step(experiment: tuple[Path, RunResult, list[tuple[str, int, int]]]) -> None:
    _, _, told = experiment
    assert [(done, total) for _, done, total in told] == [(i, 8) for i in range(1, 9)]
    assert [step for step, _, _ in told][-2:] == ["evaluating mine", "writing"]


def test_results_agree_with_each_other(experiment: tuple[Path, RunResult, Any], corpora: Path) -> None:
    folder, result, _ = experiment
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    answers = json.loads((folder / "answers.json").read_text(encoding="utf-8"))["tests"]["mine"]
    summary = result.summary()
    assert summary["macro_f1"] == {"mine": metrics["evaluations"]["mine"]["scores"]["macro_f1"]["value"]}
    assert summary["unseen_sites_macro_f1"] == metrics["validation"]["unseen_sites"]["value"]
    assert summary["leakage_gap"] == metrics["validation"]["leakage_gap"]
    assert metrics["model"]["family"] == "tfidf-logistic"
    assert (metrics["model"]["seed"], metrics["model"]["min_df"]) == (3, 1)
    assert manifest["config"]["data"]["train"] == [f"{corpora}/train.jsonl"]
    assert manifest["test_digests"]["mine"] == metrics["evaluations"]["mine"]["data_digest"] == answers["data_digest"]
    assert manifest["versions"]["scikit-learn"]
    pages = answers["pages"].values()
    right = sum(t == p for page in pages for t, p in zip(page["truth"], page["levels"]["alone"], strict=True))
    assert right / 24 == pytest.approx(metrics["evaluations"]["mine"]["scores"]["accuracy"]["value"])


def test_the_saved_model_predicts_as_the_run_did(experiment: tuple[Path, RunResult, Any]) -> None:
    folder, result, _ = experiment
    loaded = load_model(folder / "model", allow_pickle=True, sha256=result.sha256)
    table = result.evaluations[0].table
    assert loaded.predict(table).tolist() == table["predicted"].tolist()
    assert loaded.manifest["metrics"] == result.summary()["macro_f1"]


def test_notes_go_into_the_reports_in_place_of_the_description(experiment: tuple[Path, RunResult, Any]) -> None:
    folder, _, _ = experiment
    markdown = (folder / "report.md").read_text(encoding="utf-8")
    assert markdown.startswith("# Learnt\n\nBridges are *easy*.\n")
    assert "From the configuration." not in markdown
    assert "Bridges are *easy*." in (folder / "report.html").read_text(encoding="utf-8")


def test_a_second_run_gives_the_same_bytes(experiment: tuple[Path, RunResult, Any], tmp_path: Path) -> None:
    folder, _, _ = experiment
    for name in ("config.toml", "notes.md"):
        shutil.copy(folder / name, tmp_path / name)
    run_experiment(tmp_path / "config.toml")
    for name in REPEATABLE:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name
    assert b"second" not in (folder / "metrics.json").read_bytes()


def test_a_finished_run_is_replaced_only_on_demand(experiment: tuple[Path, RunResult, Any]) -> None:
    folder, _, _ = experiment
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(FileExistsError, match=r"must not hold a finished run; got metrics\.json there \(--overwrite"):
        run_experiment(folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_overwriting_replaces_results_and_a_description_stands_without_notes(corpora: Path, tmp_path: Path) -> None:
    config = config_of(corpora).model_copy(update={"description": "Said so."})
    (tmp_path / "metrics.json").write_text("old", encoding="utf-8")
    result = run(config, tmp_path, relative_to=tmp_path, overwrite=True)
    assert json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))["validation"] == {}
    assert json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))["model"] == {"family": "three-line", "seed": 0}
    assert "Said so." in (tmp_path / "report.md").read_text(encoding="utf-8")
    assert result.validation is None
    assert result.summary()["leakage_gap"] is None


def test_a_run_that_fails_while_writing_does_not_count_as_finished(
    corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import newswinnow.experiments.run as module

    def no_space(*_: object) -> str:
        raise OSError(28, "No space left on device", "answers.json")

    monkeypatch.setattr(module, "save_model", lambda *_, **__: "0" * 64)
    monkeypatch.setattr(module, "answers_json", no_space)
    with pytest.raises(OSError, match="No space left"):
        run(config_of(corpora), tmp_path, relative_to=tmp_path)
    assert not (tmp_path / "metrics.json").exists()


def test_train_and_test_must_not_share_a_site(corpora: Path, jsonl: Any, rows_of: Any, tmp_path: Path) -> None:
    source = jsonl(tmp_path / "in.jsonl", [*rows_of("new"), *rows_of("test", n_sites=2)])
    with pytest.raises(
        ValueError, match=r"data\.test\.mine: must share no site with data\.train; got 2 shared, first 'test0\.example'"
    ):
        run(config_of(corpora), tmp_path / "run", relative_to=tmp_path, corpora=[source])


def test_an_unlabelled_page_of_a_test_site_does_no_harm(
    corpora: Path, jsonl: Any, rows_of: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newswinnow.experiments.run.save_model", lambda *_, **__: "0" * 64)
    unlabelled = [{**row, "label": None} for row in rows_of("test", n_sites=1)]
    source = jsonl(tmp_path / "in.jsonl", [*rows_of("new"), *unlabelled])
    result = run(config_of(corpora), tmp_path / "run", relative_to=tmp_path, corpora=[source])
    assert result.predictor.manifest["training"]["n_paragraphs"] == 36


def test_without_sites_nothing_can_be_shared(
    corpora: Path, jsonl: Any, rows_of: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newswinnow.experiments.run.save_model", lambda *_, **__: "0" * 64)
    source = jsonl(tmp_path / "in.jsonl", [{k: v for k, v in row.items() if k != "site"} for row in rows_of("test")])
    assert run(config_of(corpora), tmp_path / "run", relative_to=tmp_path, corpora=[source]).summary()["macro_f1"]["mine"] > 0


@pytest.mark.parametrize(
    ("labels", "folds", "message"),
    [
        (["news"] * 6, 0, "corpus: must have at least two labels to train on; got news 6, boilerplate 0, related-link 0"),
        (["news"] * 5 + ["boilerplate"], 0, "corpus: every label present needs at least 2 paragraphs; got news 5, boilerplate 1"),
        (["news", "boilerplate"] * 3, 2, "corpus: must have at least as many sites as folds, 2; got 1 sites"),
    ],
)
def test_a_corpus_that_cannot_train_is_refused_before_any_fit(
    labels: Sequence[str], folds: int, message: str, corpora: Path, jsonl: Any, tmp_path: Path
) -> None:
    rows = [
        {"page": "p", "position": i, "text": f"text {i}", "label": label, "site": "s.example"} for i, label in enumerate(labels)
    ]
    config = parse_config({**config_of(corpora).model_dump(), "validation": {"folds": folds}}, where="c")
    told: list[str] = []
    with pytest.raises(ValueError, match=message):
        run(
            config,
            tmp_path / "run",
            relative_to=tmp_path,
            corpora=[jsonl(tmp_path / "in.jsonl", rows)],
            progress=lambda step, done, total: told.append(step),
        )
    assert told == []


HOLDER = """
import sys
from pathlib import Path
from newswinnow.corpus.locks import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_directory_has_one_writer_and_a_dead_one_does_not_block(corpora: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BusyError, match="must be free; got another process writing to it"):
            run(config_of(corpora), tmp_path, relative_to=tmp_path)
        holder.kill()
    with locked(tmp_path):
        assert (tmp_path / ".lock").exists()


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"config\.toml: must be an existing TOML file; got nothing there"):
        run_experiment(tmp_path)


def test_those_who_do_not_watch_hear_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    watch: Callable[[str, int, int], None] = no_progress
    watch("training", 1, 2)
    assert capsys.readouterr() == ("", "")
