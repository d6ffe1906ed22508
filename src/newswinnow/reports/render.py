"""Evaluations into ``report.html``, ``report.md`` and ``metrics.json``.

Choosing what to show is left to :mod:`newswinnow.reports.views`; the look is in ``templates/``.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from newswinnow.corpus.review import spreadsheet_safe
from newswinnow.corpus.write import atomic_file, write_fields
from newswinnow.evaluation.behaviour import Behaviour
from newswinnow.evaluation.evaluate import Evaluation
from newswinnow.paragraphs.label import LABELS
from newswinnow.reports.shown import ShownTable
from newswinnow.reports.templating import render_page, render_text
from newswinnow.reports.views import evaluation_view, explorer_rules, fit_views, full_view

REPORT_HTML: Final = "report.html"
REPORT_MARKDOWN: Final = "report.md"
METRICS: Final = "metrics.json"
MISTAKES: Final = "mistakes.csv"
MISTAKE_COLUMNS: Final = ("corpus", "page", "position", "label", "predicted", "probability", "text")


@dataclass(frozen=True)
class Report:
    """What one report tells.

    Attributes
    ----------
    title
        Headline.
    evaluations
        One per test corpus, at least one.
    description
        A paragraph on what was tried and learnt.
    model
        Name to value of what identifies the model.
    validation
        Cross-validation results as plain values: ``unseen_sites``, ``random_split``, ``leakage_gap``; empty if there are none.
    behaviour
        What the model did on the behaviour suite; None where it was not asked.
    """

    title: str
    evaluations: Sequence[Evaluation]
    description: str = ""
    model: dict[str, Any] = field(default_factory=dict)
    validation: dict[str, Any] = field(default_factory=dict)
    behaviour: Behaviour | None = None

    def metrics(self) -> dict[str, Any]:
        """The numbers of the report as plain values, times and paths left out."""
        return {
            "model": self.model,
            "validation": self.validation,
            "evaluations": {evaluation.name: evaluation.as_dict() for evaluation in self.evaluations},
            **({"behaviour": self.behaviour.as_dict()} if self.behaviour else {}),
        }


def _values(report: Report, evaluations: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "title": report.title,
        "description": report.description,
        "model": report.model,
        "validation": report.validation,
        "behaviour": report.behaviour,
        "evaluations": evaluations,
        "labels": [str(label) for label in LABELS],
    }


def render_html(report: Report) -> str:
    """The report as one HTML document below 5 MB that loads nothing and runs nothing.

    Parameters
    ----------
    report
        What to tell.

    Returns
    -------
    The document.
    """
    sizes = [len(evaluation.table) for evaluation in report.evaluations]
    evaluations = fit_views(lambda i, max_bytes: full_view(report.evaluations[i], max_bytes=max_bytes), sizes=sizes)
    rules = explorer_rules([view["mistakes"] for view in evaluations])
    return render_page("report.html.j2", _values(report, evaluations), rules=rules)


def render_markdown(report: Report) -> str:
    """The report's tables as Markdown; texts of pages stay out of it, so that it can be committed.

    Parameters
    ----------
    report
        What to tell.

    Returns
    -------
    The document.
    """
    return render_text("report.md.j2", _values(report, [evaluation_view(evaluation) for evaluation in report.evaluations]))


def metrics_json(report: Report) -> str:
    """The numbers as JSON, floats in full, keys sorted: the same for the same data, configuration and seed.

    Parameters
    ----------
    report
        What to tell.

    Returns
    -------
    The document.
    """
    return json.dumps(report.metrics(), indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"


def mistakes_csv(report: Report) -> bytes:
    """Every wrong prediction as CSV for spreadsheets: texts in full, but none that a spreadsheet would take for a formula.

    Parameters
    ----------
    report
        What to tell.

    Returns
    -------
    The file, with the mark by which spreadsheets know UTF-8; surest mistakes of each corpus first.
    """
    stream = io.StringIO(newline="")
    rows = [[spreadsheet_safe(e.name), *cells] for e in report.evaluations for cells in _mistakes(e)]
    write_fields([MISTAKE_COLUMNS, *rows], stream, delimiter=",")
    return stream.getvalue().encode("utf-8-sig")


def _mistakes(evaluation: Evaluation) -> list[list[str]]:
    table = ShownTable(evaluation)
    ranked = sorted(np.flatnonzero(table.is_wrong).tolist(), key=lambda i: -table.sureness[i])
    return [
        [
            spreadsheet_safe(table.pages[i]),
            str(table.positions[i]),
            str(table.labels[i]),
            table.predicted[i],
            f"{table.sureness[i]:.6g}",
            spreadsheet_safe(table.texts[i]),
        ]
        for i in ranked
    ]


def write_report(report: Report, directory: str | Path, *, with_mistakes: bool = False) -> list[Path]:
    """Write ``report.html``, ``report.md`` and ``metrics.json``; names of files never come from the data.

    Parameters
    ----------
    report
        What to tell.
    directory
        Where to; made if need be.
    with_mistakes
        Whether to write ``mistakes.csv`` too; like ``report.html`` it holds texts of pages.

    Returns
    -------
    The paths.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    texts = {REPORT_HTML: render_html(report), REPORT_MARKDOWN: render_markdown(report), METRICS: metrics_json(report)}
    contents = {name: text.encode("utf-8") for name, text in texts.items()}
    if with_mistakes:
        contents[MISTAKES] = mistakes_csv(report)
    for name, content in contents.items():
        with atomic_file(directory / name) as file:
            file.write(content)
    return [directory / name for name in contents]
