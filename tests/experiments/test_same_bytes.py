"""The same configuration, data and seed give the same bytes, however many threads work."""

from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from newswinnow.experiments.config import parse_config
from newswinnow.experiments.run import run
from newswinnow.features import batches


@pytest.mark.parametrize("family", ["winnow", "tfidf-logistic"])
def test_metrics_and_answers_are_the_same_bytes_with_one_thread_or_two(
    family: str, corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH", 4)
    values = {
        "data": {"train": [str(corpora / "train.jsonl")], "test": {"mine": str(corpora / "test.jsonl")}},
        "model": {"family": family},
        "validation": {"folds": 2},
    }
    config = parse_config(values, where="test")
    for name, n_threads in (("one", 1), ("again", 1), ("two", 2)):
        monkeypatch.setenv(batches.VARIABLE, str(n_threads))
        with threadpool_limits(n_threads):
            run(config, tmp_path / name, relative_to=tmp_path)
    for file in ("metrics.json", "answers.json", "report.md", "report.html"):
        first, *others = ((tmp_path / name / file).read_bytes() for name in ("one", "again", "two"))
        assert all(other == first for other in others)
