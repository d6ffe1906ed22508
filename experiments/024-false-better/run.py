"""How often equal models are told apart: ``python experiments/024-false-better/run.py``.

Verdicts stand in :mod:`newswinnow.evaluation.comparison`; this script only simulates pages and counts.
"""

import json
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from newswinnow.corpus.write import write_text
from newswinnow.evaluation.comparison import ALPHA, Comparison, compare
from newswinnow.evaluation.simulation import PageModel
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import LABEL, PAGE, POSITION, PREDICTED

HERE: Final = Path(__file__).parent
NAMES: Final = np.array([str(label) for label in LABELS])
CASES: Final = {"mild": False, "hard": True}


def two_models(model: PageModel, config: dict[str, Any], rng: np.random.Generator, *, hard: bool) -> list[pd.DataFrame]:
    """Answers of two models of equal expected scores to the same paragraphs."""
    labels = model.draw_labels(config["pages"], rng)
    pages = np.repeat(np.arange(config["pages"]), labels.sum(axis=1))
    truth = np.concatenate([np.repeat(np.arange(len(NAMES)), row) for row in labels])
    first = model.draw_chances(config["pages"], rng)
    chances = [first, model.draw_chances(config["pages"], rng) if hard else first]
    table = pd.DataFrame({PAGE: pages, POSITION: np.arange(len(pages)), LABEL: NAMES[truth]})
    table["slice_part"] = rng.integers(0, config["slices"], len(pages)).astype(str)
    answers = [(rng.random((len(truth), 1)) > each[pages, truth].cumsum(axis=1)[:, :-1]).sum(axis=1) for each in chances]
    return [table.assign(**{PREDICTED: NAMES[answer]}) for answer in answers]


def rates(found: list[Comparison]) -> dict[str, float]:
    """Shares of false verdicts, and of what single tests would have said."""
    is_up = [c.n_only_second > c.n_only_first for c in found]
    return {
        "better": float(np.mean([c.verdict == "better" for c in found])),
        "worse": float(np.mean([c.verdict == "worse" for c in found])),
        "tied": float(np.mean([c.verdict == "tied" for c in found])),
        "any slice better or worse": float(np.mean([any(s.verdict in ("better", "worse") for s in c.slices) for c in found])),
        "better by McNemar alone": float(np.mean([c.p_value < ALPHA and up for c, up in zip(found, is_up, strict=True)])),
        "better by the interval alone": float(np.mean([c.difference.low > 0 for c in found])),
    }


def measure(config: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Both cases."""
    model = PageModel(tuple(map(tuple, config["confusion"])), config["concentration"])
    metrics = {}
    for name, hard in CASES.items():
        rng = np.random.default_rng([config["seed"], int(hard)])
        found = [compare(*two_models(model, config, rng, hard=hard), seed=i) for i in range(config["corpora"])]
        metrics[name] = rates(found)
        print(name, file=sys.stderr)
    return metrics


def report(config: dict[str, Any], metrics: dict[str, dict[str, float]]) -> str:
    """The figures as Markdown."""
    head = f"# {config['title']}\n\n{config['description']} {config['corpora']} corpora of {config['pages']} pages each.\n\n"
    rows = "".join(
        "| " + " | ".join([what, *(f"{metrics[case][what]:.1%}" for case in CASES)]) + " |\n" for what in metrics["mild"]
    )
    return f"{head}| false verdict | mild | hard |\n| --- | --- | --- |\n{rows}"


def main() -> None:
    """Run the experiment and write its results beside this script."""
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    metrics = measure(config)
    write_text(HERE / "metrics.json", json.dumps(metrics, indent=1, sort_keys=True) + "\n")
    write_text(HERE / "report.md", report(config, metrics))


if __name__ == "__main__":
    main()
