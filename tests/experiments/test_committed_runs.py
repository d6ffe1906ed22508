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
BEFORE_INTERVALS = (
    "005-tfidf-logistic",
    "008-tfidf-char",
    "009-tfidf-surface",
    "010-tfidf-edges",
    "011-svm-edges",
    "012-boosting-edges",
)
"""Not run anew since intervals became those of docs/evaluation.md: theirs are percentiles, and some measures are missing."""


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_a_run_holds_every_measure_of_an_evaluation_of_today(run: Any, evaluated: Evaluated) -> None:
    today = evaluated({"a": ("NBR", "NBR"), "b": ("NBR", "NBN")}).as_dict()
    found = list(run.metrics["evaluations"].values())
    answers = json.loads((run.directory / "answers.json").read_text(encoding="utf-8"))
    is_old = answers.get("format") != FORMAT or any(set(today["calibration"]) != set(each["calibration"]) for each in found)
    assert is_old == (run.name in BEFORE_INTERVALS)
    assert all(set(today["scores"]) == set(each["scores"]) for each in found)


def test_the_page_of_all_runs_is_what_comparing_them_writes() -> None:
    rows = compare_runs([run.directory for run in RUNS])
    assert (EXPERIMENTS / "README.md").read_text(encoding="utf-8") == overview_markdown(RUNS, rows)
