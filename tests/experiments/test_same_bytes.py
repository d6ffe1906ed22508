"""The same configuration, data and seed give the same bytes, however many threads or processes work."""

from pathlib import Path
from typing import Any

import pytest
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from newswinnow.experiments.config import Config, parse_config
from newswinnow.experiments.run import run
from newswinnow.features import batches

FILES = ("metrics.json", "answers.json", "report.md", "report.html")


def config_of(corpora: Path, **model: Any) -> Config:
    values = {
        "data": {"train": [str(corpora / "train.jsonl")], "test": {"mine": str(corpora / "test.jsonl")}},
        "model": model,
        "validation": {"folds": 2},
    }
    return parse_config(values, where="test")


def written(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in FILES]


@pytest.mark.parametrize("family", ["winnow", "tfidf-logistic"])
def test_metrics_and_answers_are_the_same_bytes_with_one_thread_or_two(
    family: str, corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH", 4)
    for name, n_threads in (("one", 1), ("again", 1), ("two", 2)):
        monkeypatch.setenv(batches.VARIABLE, str(n_threads))
        with threadpool_limits(n_threads):
            run(config_of(corpora, family=family), tmp_path / name, relative_to=tmp_path)
    assert written(tmp_path / "one") == written(tmp_path / "again") == written(tmp_path / "two")


def test_folds_fitted_by_two_processes_give_the_same_bytes_as_by_one(corpora: Path, tmp_path: Path) -> None:
    for n_jobs in (1, 2):
        run(config_of(corpora, family="winnow"), tmp_path / str(n_jobs), relative_to=tmp_path, n_jobs=n_jobs)
    assert written(tmp_path / "1") == written(tmp_path / "2")


def test_a_ladder_gives_the_same_bytes_with_two_processes_of_two_threads(
    corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(corpora, family="ladder", bits=10, n_epochs=1, n_hidden=4)
    for n in (1, 2):
        monkeypatch.setenv(batches.VARIABLE, str(n))
        with threadpool_limits(n):
            run(config, tmp_path / str(n), relative_to=tmp_path, n_jobs=n)
    assert written(tmp_path / "1") == written(tmp_path / "2")
