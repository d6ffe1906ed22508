"""How often intervals over pages hold the truth: ``python experiments/023-interval-coverage/run.py``.

Intervals stand in :mod:`newswinnow.evaluation.intervals`; this script only simulates corpora and counts.
"""

import json
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import numpy as np

from newswinnow.corpus.write import write_text
from newswinnow.evaluation.intervals import Estimate
from newswinnow.evaluation.scores import Scores, resample_pages, score_confusion, score_pages
from newswinnow.evaluation.simulation import PageModel

HERE: Final = Path(__file__).parent
PLAIN: Final = ("macro_f1", "accuracy", "news_f1", "related_as_news")
BY_LABEL: Final = ("precision", "recall", "f1")
RANGE: Final = (0.93, 0.97)
"""Coverage that counts as 95 %: a cell of 1,000 corpora is exact to 1.4 points."""


def estimates(scores: Scores) -> dict[str, Estimate]:
    """Every interval of a set of scores by a name of its own."""
    found = {name: getattr(scores, name) for name in PLAIN}
    return found | {f"{name} {part.label}": getattr(part, name) for part in scores.labels for name in BY_LABEL}


def values(confusion: Any, names: list[str]) -> dict[str, Any]:
    """The same scores of confusion matrices, without intervals."""
    scores = score_confusion(confusion)
    labels = [name.split(" ")[1] for name in names if name.startswith("f1 ")]
    found = {name: getattr(scores, name) for name in PLAIN}
    return found | {f"{name} {label}": getattr(scores, name)[..., i] for i, label in enumerate(labels) for name in BY_LABEL}


def coverage(model: PageModel, n_pages: int, config: dict[str, Any], truth: dict[str, float]) -> dict[str, Any]:
    """Share of simulated corpora whose intervals hold the truth, by score, ours and by percentiles."""
    rng = np.random.default_rng([config["seed"], n_pages])
    ours: dict[str, list[bool]] = {name: [] for name in truth}
    plain: dict[str, list[bool]] = {name: [] for name in truth}
    widths = []
    for i in range(config["corpora"]):
        pages = model.draw(n_pages, rng)
        for name, found in estimates(score_pages(pages, seed=i)).items():
            ours[name].append(found.low <= truth[name] <= found.high)
            if name == "macro_f1":
                widths.append(found.high - found.low)
        for name, drawn in values(resample_pages(pages, seed=i), list(truth)).items():
            low, high = np.quantile(drawn, [0.025, 0.975])
            plain[name].append(bool(low <= truth[name] <= high))
    return {
        "pages": n_pages,
        "coverage": {name: float(np.mean(held)) for name, held in ours.items()},
        "percentiles": {name: float(np.mean(held)) for name, held in plain.items()},
        "median_width_macro_f1": float(np.median(widths)),
    }


def measure(config: dict[str, Any]) -> dict[str, Any]:
    """All models at all sizes."""
    metrics = {}
    for name, options in config["models"].items():
        model = PageModel(tuple(map(tuple, options["confusion"])), options["concentration"])
        large = model.draw(config["pages_for_truth"], np.random.default_rng([config["seed"], 1]))
        names = list(estimates(score_pages(large[:2], n_resamples=2)))
        truth = {key: float(value) for key, value in values(large.sum(axis=0), names).items()}
        sizes = []
        for n_pages in config["pages"]:
            sizes.append(coverage(model, n_pages, config, truth))
            print(f"{name}: {n_pages} pages", file=sys.stderr)
        metrics[name] = {"truth": truth, "sizes": sizes}
    return metrics


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"


def outside(found: dict[str, Any]) -> list[str]:
    """Cells of one model whose coverage is out of :data:`RANGE`, in words."""
    cells = sorted((size["pages"], name, held) for size in found["sizes"] for name, held in size["coverage"].items())
    return [f"{name} {held:.1%} with {pages} pages" for pages, name, held in cells if not RANGE[0] <= held <= RANGE[1]]


def report(config: dict[str, Any], metrics: dict[str, Any]) -> str:
    """The figures as Markdown."""
    text = f"# {config['title']}\n\n{config['description']} {config['corpora']} corpora a cell, exact to 1.4 points.\n"
    for name, found in metrics.items():
        sizes = found["sizes"]
        text += f"\n## Model “{name}”\n\nCoverage of our intervals, and of percentiles in brackets.\n\n"
        text += _row(["score", "truth", *(f"{size['pages']} pages" for size in sizes)]) + _row(["---"] * (2 + len(sizes)))
        for key, truth in found["truth"].items():
            cells = [f"{size['coverage'][key]:.1%} ({size['percentiles'][key]:.1%})" for size in sizes]
            text += _row([key, f"{truth:.3f}", *cells])
        out = outside(found)
        n = len(found["truth"]) * len(sizes)
        text += f"\nOutside {RANGE[0]:.0%} to {RANGE[1]:.0%}: {len(out)} of {n} cells{': ' * bool(out)}{'; '.join(out)}.\n"
    return text


def main() -> None:
    """Run the experiment and write its results beside this script."""
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    metrics = measure(config)
    write_text(HERE / "metrics.json", json.dumps(metrics, indent=1, sort_keys=True) + "\n")
    write_text(HERE / "report.md", report(config, metrics))


if __name__ == "__main__":
    main()
