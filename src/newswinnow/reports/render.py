"""Evaluations into ``report.html``, ``report.md`` and ``metrics.json``.

Choosing what to show is left to :mod:`newswinnow.reports.views`; the look is in ``templates/``.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from newswinnow.corpus.write import atomic_file
from newswinnow.evaluation.evaluate import Evaluation
from newswinnow.paragraphs.label import LABELS
from newswinnow.reports.views import evaluation_view

REPORT_HTML: Final = "report.html"
REPORT_MARKDOWN: Final = "report.md"
METRICS: Final = "metrics.json"


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
    """

    title: str
    evaluations: Sequence[Evaluation]
    description: str = ""
    model: dict[str, Any] = field(default_factory=dict)
    validation: dict[str, Any] = field(default_factory=dict)

    def metrics(self) -> dict[str, Any]:
        """The numbers of the report as plain values, times and paths left out."""
        return {
            "model": self.model,
            "validation": self.validation,
            "evaluations": {evaluation.name: evaluation.as_dict() for evaluation in self.evaluations},
        }


def _points(value: float) -> str:
    return f"{value:.3f}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def markdown_cell(text: str) -> str:
    r"""Text on one line that can neither break a Markdown table nor start markup.

    Parameters
    ----------
    text
        Any string.

    Returns
    -------
    The escaped string.

    Examples
    --------
    >>> print(markdown_cell("a|b\n<i>"))
    a\|b \<i\>
    """
    escaped = " ".join(text.split()).replace("\\", "\\\\")
    for character in "`*_[]<>|#~$":
        escaped = escaped.replace(character, "\\" + character)
    return escaped


@cache
def _environment(*, is_html: bool) -> Environment:
    environment = Environment(
        loader=PackageLoader("newswinnow.reports", "templates"),
        autoescape=is_html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(points=_points, percent=_percent, md=markdown_cell)
    return environment


def _render(report: Report, template: str, *, is_html: bool) -> str:
    return (
        _environment(is_html=is_html)
        .get_template(template)
        .render(
            title=report.title,
            description=report.description,
            model=report.model,
            validation=report.validation,
            evaluations=[evaluation_view(evaluation) for evaluation in report.evaluations],
            labels=[str(label) for label in LABELS],
        )
    )


def render_html(report: Report) -> str:
    """The report as one HTML document that loads nothing.

    Parameters
    ----------
    report
        What to tell.

    Returns
    -------
    The document.
    """
    return _render(report, "report.html.j2", is_html=True)


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
    return _render(report, "report.md.j2", is_html=False)


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


def write_report(report: Report, directory: str | Path) -> list[Path]:
    """Write ``report.html``, ``report.md`` and ``metrics.json``.

    Parameters
    ----------
    report
        What to tell.
    directory
        Where to; made if need be.

    Returns
    -------
    The three paths.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    contents = {REPORT_HTML: render_html(report), REPORT_MARKDOWN: render_markdown(report), METRICS: metrics_json(report)}
    for name, text in contents.items():
        with atomic_file(directory / name) as file:
            file.write(text.encode("utf-8"))
    return [directory / name for name in contents]
