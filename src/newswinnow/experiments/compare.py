"""What several runs say together: each against the first, with a verdict, on every test corpus and level they share.

The statistics stand in :mod:`newswinnow.evaluation.comparison`; tables of them are left to
:mod:`newswinnow.experiments.comparison_tables`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newswinnow.evaluation.comparison import Comparison, compare
from newswinnow.experiments.answers import ANSWERS, Answers, read_answers
from newswinnow.experiments.run import NOTES
from newswinnow.reports.render import METRICS


@dataclass(frozen=True)
class RunSummary:
    """A finished run as tables show it."""

    name: str
    directory: Path
    title: str
    metrics: dict[str, Any]
    notes: str

    def macro_f1(self, test: str, context: str | None = None) -> dict[str, float] | None:
        """Macro-F1 on a test corpus with its interval, of the run's main level or another; None where that was not measured."""
        evaluation = self.metrics["evaluations"].get(test)
        if evaluation and context not in (None, evaluation.get("context")):
            evaluation = evaluation.get("levels", {}).get(context)
        return evaluation["scores"]["macro_f1"] if evaluation else None

    def contexts(self, test: str) -> list[str]:
        """Levels of information measured on a test corpus, the main one first; runs of older versions have but one."""
        evaluation = self.metrics["evaluations"].get(test, {})
        return [evaluation[key] for key in ("context",) if key in evaluation] + list(evaluation.get("levels", {}))

    @property
    def tests(self) -> list[str]:
        """Names of the test corpora."""
        return list(self.metrics["evaluations"])


@dataclass(frozen=True)
class Row:
    """One run against the baseline on one test corpus at one level of information; no comparison for the baseline itself."""

    run: str
    test: str
    context: str
    macro_f1: dict[str, float]
    comparison: Comparison | None

    def as_dict(self) -> dict[str, Any]:
        """The row as plain values."""
        comparison = self.comparison.as_dict() if self.comparison else None
        return {
            "run": self.run,
            "test": self.test,
            "context": self.context,
            "macro_f1": self.macro_f1,
            "comparison": comparison,
        }


def read_run(directory: str | Path) -> RunSummary:
    """A finished run.

    Parameters
    ----------
    directory
        Its results directory.

    Returns
    -------
    The summary.

    Raises
    ------
    FileNotFoundError
        If the directory holds no finished run.
    ValueError
        If its metrics are damaged.
    """
    directory = Path(directory)
    path = directory / METRICS
    if not path.is_file():
        raise FileNotFoundError(f"{directory}: must hold a finished run; got no {METRICS} (newswinnow experiments run makes it)")
    title = directory.resolve().name
    report = directory / "report.md"
    if report.is_file():
        title = report.read_text(encoding="utf-8").split("\n", 1)[0].removeprefix("# ").replace("\\", "")
    notes = directory / NOTES
    text = notes.read_text(encoding="utf-8").strip() if notes.is_file() else ""
    return RunSummary(directory.resolve().name, directory, title, _read_metrics(path), text)


def _read_metrics(path: Path) -> dict[str, Any]:
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: must be valid JSON; got {error}") from error
    if not isinstance(metrics, dict) or not {"model", "validation", "evaluations"} <= set(metrics):
        raise ValueError(f"{path}: must hold model, validation and evaluations; got something else")
    return metrics


def find_runs(folder: str | Path) -> list[RunSummary]:
    """All finished runs directly below a folder, by name.

    Parameters
    ----------
    folder
        Such as ``experiments``; what has a script of its own (``run.py``) measures something else than models and is passed over.

    Returns
    -------
    Their summaries.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: must be a folder of experiments; got nothing there")
    directories = [path.parent for path in sorted(folder.glob(f"*/{METRICS}"))]
    return [read_run(directory) for directory in directories if not (directory / "run.py").exists()]


def compare_runs(directories: Sequence[str | Path], *, seed: int = 0) -> list[Row]:
    """Compare runs with the first of them on every test corpus of the first, at its main level and at every level all share.

    Parameters
    ----------
    directories
        Results directories, the baseline first.
    seed
        Seed of the intervals.

    Returns
    -------
    One row per test corpus, level and run.

    Raises
    ------
    ValueError
        If there are fewer than two runs, they share no test corpus, or a test corpus of one name is not the same data.
    """
    if len(directories) < 2:
        raise ValueError(f"compare: needs at least two runs; got {len(directories)}")
    runs = [read_run(directory) for directory in directories]
    answers = [read_answers(run.directory / ANSWERS) for run in runs]
    shared = [test for test in runs[0].tests if all(test in found for found in answers)]
    if not shared:
        tests = "; ".join(f"{run.name}: {', '.join(run.tests)}" for run in runs)
        raise ValueError(f"compare: runs must share a test corpus; got {tests}")
    rows: list[Row] = []
    for test in shared:
        found = [answer[test] for answer in answers]
        for run, answer in zip(runs, found, strict=True):
            if answer.data_digest != found[0].data_digest:
                raise ValueError(f"{run.directory}: test corpus {test!r} must be the one of {runs[0].directory}; got other data")
        rows += _test_rows(test, runs, found, seed=seed)
    return rows


def _test_rows(test: str, runs: Sequence[RunSummary], answers: Sequence[Answers], *, seed: int) -> list[Row]:
    levels = [level for level in answers[0].tables if all(level in answer.tables for answer in answers)]
    is_main = all(answer.context == answers[0].context for answer in answers)
    rows = [] if is_main else _level_rows(test, runs, answers, None, seed=seed)
    for level in levels:
        rows += _level_rows(test, runs, answers, level, seed=seed)
    return rows


def _level_rows(test: str, runs: Sequence[RunSummary], answers: Sequence[Answers], level: str | None, *, seed: int) -> list[Row]:
    """Rows at one level; None for each run's own main one."""
    tables = [answer.main if level is None else answer.tables[level] for answer in answers]
    rows = []
    for i, run in enumerate(runs):
        named = (answers[i].context if level is None else level) or next(iter(run.contexts(test)), "alone")
        comparison = compare(tables[0], tables[i], seed=seed) if i else None
        rows.append(Row(run.name, test, named, run.macro_f1(test, named) or {}, comparison))
    return rows
