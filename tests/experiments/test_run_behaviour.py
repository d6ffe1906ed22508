"""The behaviour suite in what a run and ``newswinnow evaluate`` leave behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from newswinnow.evaluation.behaviour import behaviour_of
from newswinnow.evaluation.behaviour_suite import read_suite
from newswinnow.experiments.config import parse_config
from newswinnow.experiments.run import run

Rows = Callable[..., list[dict[str, Any]]]
Jsonl = Callable[[Path, Sequence[dict[str, Any]]], Path]


def test_metrics_hold_what_the_trained_model_did(tmp_path: Path, rows_of: Rows, jsonl: Jsonl) -> None:
    jsonl(tmp_path / "train.jsonl", rows_of("train"))
    jsonl(tmp_path / "test.jsonl", rows_of("test"))
    values = {
        "data": {"train": ["train.jsonl"], "test": {"mine": "test.jsonl"}},
        "model": {"family": "three-line"},
        "validation": {"folds": 0},
    }
    result = run(parse_config(values, where="config.toml"), tmp_path / "out", relative_to=tmp_path)
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["behaviour"] == behaviour_of(result.predictor).as_dict() == result.behaviour.as_dict()
    assert metrics["behaviour"]["suite_digest"] == read_suite().digest
    assert result.summary()["behaviour"] == metrics["behaviour"]["share"]
    assert 0.5 < metrics["behaviour"]["share"] < 1
