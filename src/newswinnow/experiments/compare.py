"""What several runs say together: a table of all, and each against the first with a verdict.

The statistics stand in :mod:`newswinnow.evaluation.comparison`; printing is left to the command line.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from newswinnow.evaluation.comparison import Comparison, compare
from newswinnow.experiments.answers import ANSWERS, read_answers
from newswinnow.experiments.run import NOTES
from newswinnow.reports.render import METRICS, markdown_cell

_HEADER: Final = """# Experiments

Written by `newswinnow experiments compare`; change the experiments, not this file. Scores are macro-F1 with 95 % intervals from
resampling whole pages; "unseen sites" is cross-validation on the training pages with folds cut by site, and the leakage gap is
what a random split would add to it.
"""


@dataclass(frozen=True)
class RunSummary:
    """A finished run as tables show it."""

    name: str
    directory: Path
    title: str
    metrics: dict[str, Any]
    notes: str

    def macro_f1(self, test: str) -> dict[str, float] | None:
        """Macro-F1 on a test corpus with its interval; None where the run has not seen it."""
        evaluation = self.metrics["evaluations"].get(test)
        return evaluation["scores"]["macro_f1"] if evaluation else None

    @property
    def tests(self) -> list[str]:
        """Names of the test corpora."""
        return list(self.metrics["evaluations"])


@dataclass(frozen=True)
class Row:
    """One run against the baseline on one test corpus; no comparison for the baseline itself."""

    run: str
    test: str
    macro_f1: dict[str, float]
    comparison: Comparison | None

    def as_dict(self) -> dict[str, Any]:
        """The row as plain values."""
        comparison = self.comparison.as_dict() if self.comparison else None
        return {"run": self.run, "test": self.test, "macro_f1": self.macro_f1, "comparison": comparison}


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
    """Compare runs with the first of them on every test corpus of the first.

    Parameters
    ----------
    directories
        Results directories, the baseline first.
    seed
        Seed of the intervals.

    Returns
    -------
    One row per test corpus and run.

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
    rows = []
    for test in shared:
        base_digest, base = answers[0][test]
        for run, found in zip(runs, answers, strict=True):
            digest, table = found[test]
            if digest != base_digest:
                raise ValueError(f"{run.directory}: test corpus {test!r} must be the one of {runs[0].directory}; got other data")
            comparison = None if run is runs[0] else compare(base, table, seed=seed)
            rows.append(Row(run.name, test, run.macro_f1(test) or {}, comparison))
    return rows


def _interval(score: dict[str, float] | None) -> str:
    return "" if not score else f"{score['value']:.3f} ({score['low']:.3f}–{score['high']:.3f})"


def overview_rows(runs: Sequence[RunSummary]) -> tuple[list[str], list[list[str]]]:
    """A table of runs: columns and rows of text.

    Parameters
    ----------
    runs
        The runs.

    Returns
    -------
    Column names and rows.
    """
    tests = list(dict.fromkeys(test for run in runs for test in run.tests))
    columns = ["experiment", "model", *tests, "unseen sites", "leakage gap"]
    rows = []
    for run in runs:
        validation = run.metrics["validation"]
        gap = f"{validation['leakage_gap']:+.3f}" if validation else ""
        scores = [_interval(run.macro_f1(test)) for test in tests]
        rows.append([run.name, run.metrics["model"]["family"], *scores, _interval(validation.get("unseen_sites")), gap])
    return columns, rows


def comparison_rows(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """A table of comparisons: columns and rows of text.

    Parameters
    ----------
    rows
        As :func:`compare_runs` gives them.

    Returns
    -------
    Column names and rows.
    """
    table = []
    for row in rows:
        c = row.comparison
        cells = ["", "", "baseline"]
        if c:
            d = c.difference
            cells = [f"{d.value:+.3f} ({d.low:+.3f} to {d.high:+.3f})", f"{c.p_value:.2g}", c.verdict]
        table.append([row.test, row.run, _interval(row.macro_f1), *cells])
    return ["test", "experiment", "macro-F1", "difference", "p", "verdict"], table


def _markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [list(map(markdown_cell, columns)), ["---"] * len(columns), *(list(map(markdown_cell, row)) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def overview_markdown(runs: Sequence[RunSummary], comparisons: Sequence[Row]) -> str:
    """``experiments/README.md``: all runs, the comparison, and what each run taught.

    Parameters
    ----------
    runs
        The runs; listed by name.
    comparisons
        Rows of :func:`compare_runs`; may be empty.

    Returns
    -------
    The document.
    """
    runs = sorted(runs, key=lambda run: run.name)
    parts = [_HEADER, _markdown_table(*overview_rows(runs))]
    if comparisons:
        parts += [f"## Against {markdown_cell(comparisons[0].run)}\n", _markdown_table(*comparison_rows(comparisons))]
    parts += [f"## {markdown_cell(run.name)}: {markdown_cell(run.title)}\n\n{run.notes}\n" for run in runs]
    return "\n".join(parts)
