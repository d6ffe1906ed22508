"""Committed runs hold what a run writes today, and the page about them is the one that comparing them writes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from newswinnow.evaluation.evaluate import Evaluation
from newswinnow.experiments.answers import FORMAT
from newswinnow.experiments.compare import compare_runs, find_runs
from newswinnow.experiments.comparison_tables import overview_markdown

Evaluated = Callable[..., Evaluation]
EXPERIMENTS = Path(__file__).parents[2] / "experiments"
RUNS = find_runs(EXPERIMENTS)


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_a_run_holds_every_measure_of_an_evaluation_of_today(run: Any, evaluated: Evaluated) -> None:
    today = evaluated({"a": ("NBR", "NBR"), "b": ("NBR", "NBN")}).as_dict()
    found = list(run.metrics["evaluations"].values())
    answers = json.loads((run.directory / "answers.json").read_text(encoding="utf-8"))
    assert answers["format"] == FORMAT
    assert all(set(today["calibration"]) == set(each["calibration"]) for each in found)
    assert all(set(today["scores"]) == set(each["scores"]) for each in found)


def test_the_page_of_all_runs_is_what_comparing_them_writes() -> None:
    rows = compare_runs([run.directory for run in RUNS])
    assert (EXPERIMENTS / "README.md").read_text(encoding="utf-8") == overview_markdown(RUNS, rows)
