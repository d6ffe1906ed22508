"""Find planted label errors: ``python experiments/020-label-review/run.py``; needs ``pip install cleanlab``.

Labels are doubted by :mod:`newswinnow.evaluation.label_review`; this script only plants errors, asks cleanlab too, and counts.
"""

import json
import platform
import sys
import time
import tomllib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from newswinnow.corpus.tables import read_corpus
from newswinnow.corpus.write import write_text
from newswinnow.evaluation.label_review import CONFIDENCE, out_of_fold, rank_suspects
from newswinnow.evaluation.scores import label_codes
from newswinnow.models.registry import ModelSpec
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import LABEL, FloatArray, IntArray, labelled_rows

HERE: Final = Path(__file__).parent
OURS: Final = "newswinnow"
_SCORES: Final = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")
_FILTERS: Final = ("prune_by_noise_rate", "prune_by_class", "both", "confident_learning", "predicted_neq_given")


@dataclass(frozen=True)
class Plan:
    """A family of models, the shares of labels that are made wrong for it, and how often."""

    family: str
    rates: list[float]
    seeds: int


@dataclass(frozen=True)
class Config:
    """The experiment's configuration; unknown keys are refused by the constructor."""

    title: str
    description: str
    corpus: str
    folds: int
    cuts: list[float]
    plans: tuple[Plan, ...]


def read_config(path: Path) -> Config:
    """The configuration in a file."""
    fields: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    plans = tuple(Plan(**plan) for plan in fields.pop("plans"))
    return Config(**fields, plans=plans)


@dataclass(frozen=True)
class Planted:
    """A corpus with wrong labels in it: its rows, the codes of the labels they carry, and which of them are wrong."""

    rows: pd.DataFrame
    given: IntArray
    is_wrong: "np.ndarray[Any, np.dtype[np.bool_]]"


def plant(rows: pd.DataFrame, rate: float, *, seed: int) -> Planted:
    """Give a share of the rows one of their two wrong labels."""
    rng = np.random.default_rng(seed)
    truth = label_codes(rows[LABEL])
    is_wrong = np.zeros(len(rows), dtype=np.bool_)
    is_wrong[rng.choice(len(rows), round(rate * len(rows)), replace=False)] = True
    given = np.where(is_wrong, (truth + rng.integers(1, len(LABELS), len(rows))) % len(LABELS), truth)
    return Planted(rows.assign(**{LABEL: [str(LABELS[code]) for code in given]}), given, is_wrong)


def rankings(planted: Planted, probabilities: FloatArray) -> Iterator[tuple[str, FloatArray]]:
    """Scores by name; the lowest are the most doubtful."""
    from cleanlab.rank import get_label_quality_scores

    ranked = rank_suspects(planted.rows, probabilities).table[CONFIDENCE].sort_index()
    yield OURS, ranked.to_numpy(dtype=float)
    clipped = np.clip(probabilities, 1e-12, 1)
    clipped /= clipped.sum(axis=1, keepdims=True)
    for method in _SCORES:
        for adjusts in (False, True):
            # Cleanlab refuses to adjust the entropy.
            if not (adjusts and method == _SCORES[-1]):
                name = f"cleanlab {method}{', adjusted' if adjusts else ''}"
                yield name, get_label_quality_scores(planted.given, clipped, method=method, adjust_pred_probs=adjusts)


def issue_sets(planted: Planted, probabilities: FloatArray) -> Iterator[tuple[str, "np.ndarray[Any, np.dtype[np.bool_]]"]]:
    """Which rows each method takes for wrong, by name."""
    from cleanlab.filter import find_label_issues

    suspects = rank_suspects(planted.rows, probabilities)
    found = np.zeros(len(planted.rows), dtype=np.bool_)
    found[suspects.table.index[: suspects.n_likely]] = True
    yield OURS, found
    for name in _FILTERS:
        yield f"cleanlab {name}", find_label_issues(planted.given, probabilities, filter_by=name, n_jobs=1)


def average_precision(is_wrong: "np.ndarray[Any, np.dtype[np.bool_]]", score: FloatArray) -> float:
    """Mean precision at the places of the errors, most doubtful first."""
    hits = is_wrong[np.argsort(score, kind="stable")]
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())


def measure_ranking(planted: Planted, score: FloatArray, cuts: list[float]) -> dict[str, float]:
    """Average precision, and precision and recall at each cut."""
    hits = np.cumsum(planted.is_wrong[np.argsort(score, kind="stable")])
    n = int(planted.is_wrong.sum())
    found = {"average precision": average_precision(planted.is_wrong, score)}
    for cut in cuts:
        k = round(cut * n)
        found |= {f"precision at {cut:g} n": float(hits[k - 1] / k), f"recall at {cut:g} n": float(hits[k - 1] / n)}
    return found


def measure_set(planted: Planted, found: "np.ndarray[Any, np.dtype[np.bool_]]") -> dict[str, float]:
    """How many rows a method takes for wrong, as a multiple of those planted, and how many of them are."""
    n_right, n = int((found & planted.is_wrong).sum()), int(planted.is_wrong.sum())
    return {"size": float(found.sum() / n), "precision": n_right / max(1, int(found.sum())), "recall": n_right / n}


def one_run(rows: pd.DataFrame, family: str, rate: float, config: Config, *, seed: int) -> dict[str, dict[str, Any]]:
    """All methods on one planting."""
    planted = plant(rows, rate, seed=seed)
    probabilities = out_of_fold(planted.rows, ModelSpec(family), n_folds=config.folds, seed=seed)
    agreement = float((probabilities.argmax(axis=1) == label_codes(rows[LABEL])).mean())
    return {
        "model": {"accuracy on the labels as read": {"value": agreement}},
        "rankings": {name: measure_ranking(planted, score, config.cuts) for name, score in rankings(planted, probabilities)},
        "sets": {name: measure_set(planted, found) for name, found in issue_sets(planted, probabilities)},
    }


def averaged(runs: list[Any]) -> Any:
    """Numbers at the leaves as mean, least and greatest over runs of one shape."""
    if isinstance(runs[0], dict):
        return {name: averaged([run[name] for run in runs]) for name in runs[0]}
    return {"mean": float(np.mean(runs)), "least": min(runs), "greatest": max(runs)}


def measure(config: Config, rows: pd.DataFrame, say: Callable[[str], None]) -> dict[str, Any]:
    """Everything, by family and rate."""
    metrics: dict[str, Any] = {"n_rows": len(rows), "results": {}}
    for plan in config.plans:
        for rate in plan.rates:
            runs = []
            for seed in range(plan.seeds):
                runs.append(one_run(rows, plan.family, rate, config, seed=seed))
                say(f"{plan.family}, {rate:g} of the labels wrong, seed {seed}: {time.process_time():.0f} s so far")
            metrics["results"].setdefault(plan.family, {})[f"{rate:g}"] = {"runs": plan.seeds, **averaged(runs)}
    return metrics


def _cell(found: dict[str, float]) -> str:
    return f"{found['mean']:.3f} ({found['least']:.3f}–{found['greatest']:.3f})"


def _table(found: dict[str, dict[str, dict[str, float]]]) -> str:
    columns = list(next(iter(found.values())))
    rows = [["method", *columns], ["---"] * (len(columns) + 1)]
    rows += [[name, *(_cell(values[column]) for column in columns)] for name, values in found.items()]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def report(config: Config, metrics: dict[str, Any]) -> str:
    """The figures as Markdown."""
    text = (
        f"# {config.title}\n\n{config.description} {metrics['n_rows']} hand-read paragraphs; out-of-fold probabilities in "
        f"{config.folds} folds by site. n is the number of errors planted; means over seeds, least and greatest in "
        "brackets. Errors that the readers made count as false alarms. `newswinnow` is what `newswinnow corpus review` does; its "
        "set is what it takes for likely wrong.\n"
    )
    for family, by_rate in metrics["results"].items():
        for rate, found in by_rate.items():
            accuracy = _cell(found["model"]["accuracy on the labels as read"]["value"])
            text += f"\n## {family}, {float(rate):.0%} of the labels wrong\n\nRuns: {found['runs']}. The model agrees with "
            text += f"{accuracy} of the labels as read.\n"
            text += f"\n{_table(found['rankings'])}\n{_table(found['sets'])}"
    return text


def main() -> None:
    """Run the experiment and write its results beside this script."""
    began = time.monotonic()
    config = read_config(HERE / "config.toml")
    path = HERE / config.corpus
    if not path.is_file():
        raise SystemExit(f"{path}: must be there; got nothing (the hand-read paragraphs are not part of the repository)")
    warnings.filterwarnings("ignore", module="cleanlab")
    rows = labelled_rows(read_corpus([path])).reset_index(drop=True)
    metrics = measure(config, rows, lambda line: print(line, file=sys.stderr))
    names = ("newswinnow", "cleanlab", "numpy", "scikit-learn")
    manifest = {
        "corpus_sha256": sha256(path.read_bytes()).hexdigest(),
        "seconds": round(time.monotonic() - began, 1),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in names}},
    }
    write_text(HERE / "metrics.json", json.dumps(metrics, indent=1) + "\n")
    write_text(HERE / "manifest.json", json.dumps(manifest, indent=1) + "\n")
    write_text(HERE / "report.md", report(config, metrics))


if __name__ == "__main__":
    main()
