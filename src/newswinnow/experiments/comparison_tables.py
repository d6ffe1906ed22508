"""Tables of runs and of their comparisons, for the terminal, for a pull request and for ``experiments/README.md``.

Nothing is compared here; that is left to :mod:`newswinnow.experiments.compare`.
"""

from collections.abc import Sequence
from typing import Final

from newswinnow.evaluation.intervals import Estimate
from newswinnow.experiments.compare import Row, RunSummary
from newswinnow.reports.templating import markdown_cell

_HEADER: Final = """# Experiments

Written by `newswinnow experiments compare`; change the experiments, not this file. Scores are macro-F1 with 95 % intervals from
resampling whole pages; "unseen sites" is cross-validation on the training pages with folds cut by site, and the leakage gap is
what a random split would add to it.
"""

_RULE: Final = """Better and worse: the difference of macro-F1 (Student over resampled pages) and the changed paragraphs (exact
McNemar) both say so at 5 %; p is the larger of the two, 1 where they favour different models. Tied: the 95 % interval lies within
one point of 0. The pages asked for would settle it with 80 % chance.
"""


def _interval(score: dict[str, float] | None) -> str:
    return "" if not score else f"{score['value']:.3f} ({score['low']:.3f}–{score['high']:.3f})"


def _difference(found: Estimate) -> str:
    return f"{found.value:+.3f} ({found.low:+.3f} to {found.high:+.3f})"


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
        As :func:`~newswinnow.experiments.compare.compare_runs` gives them.

    Returns
    -------
    Column names and rows.
    """
    table = []
    for row in rows:
        c = row.comparison
        cells = ["", "", "baseline"]
        if c:
            cells = [_difference(c.difference), f"{c.p_verdict:.2g}", c.verdict]
        table.append([row.test, row.context, row.run, _interval(row.macro_f1), *cells])
    return ["test", "context", "experiment", "macro-F1", "difference", "p", "verdict"], table


def slice_rows(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """A table of comparisons on slices, those too small to read much into marked: columns and rows of text.

    Parameters
    ----------
    rows
        As :func:`~newswinnow.experiments.compare.compare_runs` gives them.

    Returns
    -------
    Column names and rows.
    """
    table = []
    for row in rows:
        for part in row.comparison.slices if row.comparison else ():
            size = f"{part.n_paragraphs} on {part.n_pages}" + (" (small)" if part.is_small else "")
            cells = [_difference(part.difference), f"{part.p_value:.2g}", part.verdict]
            table.append([row.test, row.context, row.run, f"{part.kind}: {part.name}", size, *cells])
    return ["test", "context", "experiment", "slice", "paragraphs on pages", "difference", "p (Holm)", "verdict"], table


def _markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [list(map(markdown_cell, columns)), ["---"] * len(columns), *(list(map(markdown_cell, row)) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def comparison_markdown(rows: Sequence[Row]) -> str:
    """Comparisons for a pull request: the table of verdicts, and the slices folded away below it.

    Parameters
    ----------
    rows
        As :func:`~newswinnow.experiments.compare.compare_runs` gives them.

    Returns
    -------
    The document.
    """
    text = _markdown_table(*comparison_rows(rows)) + "\n" + _RULE
    columns, slices = slice_rows(rows)
    if slices:
        text += f"\n<details><summary>By slice ({len(slices)})</summary>\n\n{_markdown_table(columns, slices)}\n</details>\n"
    return text


def overview_markdown(runs: Sequence[RunSummary], comparisons: Sequence[Row]) -> str:
    """``experiments/README.md``: all runs, the comparison, and what each run taught.

    Parameters
    ----------
    runs
        The runs; listed by name.
    comparisons
        Rows of :func:`~newswinnow.experiments.compare.compare_runs`; may be empty.

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
