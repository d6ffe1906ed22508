"""The systems' own process, called here without a process."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from benchmarks.classify.child import IDLE, cold, main, peak_bytes, serve, time_passes, train
from benchmarks.classify.data import write_batch, write_training
from tests.benchmarks.classify.counting import Counting, counting


@pytest.fixture
def corpus(table: pd.DataFrame, tmp_path: Path) -> Path:
    return write_training(table[table["label"].notna()], tmp_path / "corpus.jsonl")


@pytest.fixture
def batch(table: pd.DataFrame, tmp_path: Path) -> Path:
    return write_batch(table, tmp_path / "batch.jsonl")


def answers_to(key: str, folder: Path, batch: Path, *commands: dict[str, Any]) -> list[dict[str, Any]]:
    lines, answers = io.StringIO("".join(json.dumps(command) + "\n" for command in commands)), io.StringIO()
    serve(key, folder, batch, lines, answers)
    return [json.loads(line) for line in answers.getvalue().splitlines()]


def test_a_trained_system_is_saved_and_serves(
    use_systems: Callable[..., None], corpus: Path, batch: Path, tmp_path: Path
) -> None:
    use_systems(counting())
    trained = train("counting", corpus, tmp_path, tmp_path)
    assert trained["seconds"] >= 0
    assert trained["peak"] > 0
    assert (tmp_path / "words").read_text(encoding="ascii") == "7"
    commands: list[dict[str, Any]] = [{"do": "labels", "file": str(batch)}, {"do": "time", "seconds": 0}, {"do": "peak"}]
    loaded, labelled, timed, peak = answers_to("counting", tmp_path, batch, *commands)
    assert loaded["n_labels"] == 4
    assert labelled["labels"] == ["news", "boilerplate", "news", "boilerplate"]
    assert len(timed["seconds"]) == 1
    assert peak["peak"] > 0
    assert cold("counting", tmp_path) == {"label": "news"}


def test_size_is_that_of_the_saved_files_alone(use_systems: Callable[..., None], corpus: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    use_systems(counting())
    assert train("counting", corpus, model, tmp_path)["size"] == 1


def test_reading_and_preparing_are_not_part_of_the_training_time(
    use_systems: Callable[..., None], corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]

    def spend(seconds: float, result: Any) -> Callable[..., Any]:
        def act(*_: Any) -> Any:
            clock[0] += seconds
            return result

        return act

    monkeypatch.setattr("benchmarks.classify.child.time.perf_counter", lambda: clock[0])
    monkeypatch.setattr(Counting, "prepare", spend(100, "prepared"))
    monkeypatch.setattr(Counting, "fit", spend(3, 1))
    monkeypatch.setattr(Counting, "save", spend(1000, None))
    use_systems(counting())
    assert train("counting", corpus, tmp_path, tmp_path)["seconds"] == 3


def test_an_idle_process_classifies_nothing(batch: Path, tmp_path: Path) -> None:
    assert answers_to(IDLE, tmp_path, batch) == [{"n_labels": 4, "size": 0}]
    assert cold(IDLE, tmp_path) == {"label": ""}


def test_passes_go_on_until_enough_time_has_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]

    def run() -> None:
        clock[0] += 2

    monkeypatch.setattr("benchmarks.classify.child.time.perf_counter", lambda: clock[0])
    assert time_passes(run, at_least=5) == [2, 2, 2]
    assert time_passes(run, at_least=0) == [2]


def test_peak_counts_what_was_given_back() -> None:
    before = peak_bytes()
    assert len(bytearray(64 << 20)) == 64 << 20
    bytes_now = bytearray(b"x") * (before + (64 << 20))
    del bytes_now
    assert peak_bytes() > before + (32 << 20)


def test_peak_has_a_source_where_there_is_no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "is_file", lambda self: False)
    assert peak_bytes() > 1 << 20


@pytest.mark.parametrize("mode", ["train", "serve", "cold"])
def test_modes_answer_on_standard_output_and_nothing_else_does(
    mode: str,
    use_systems: Callable[..., None],
    corpus: Path,
    batch: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("benchmarks.classify.child.os.dup2", lambda old, new: None)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    use_systems(counting())
    (tmp_path / "words").write_text("3", encoding="ascii")
    paths = {"train": [corpus, tmp_path], "serve": [batch], "cold": []}[mode]
    main(["", mode, "counting", str(tmp_path), *map(str, paths)])
    (answer,) = capfd.readouterr().out.splitlines()
    assert (
        set(json.loads(answer)) == {"train": {"seconds", "peak", "size"}, "serve": {"n_labels", "size"}, "cold": {"label"}}[mode]
    )
