"""Planted regressions and harmless noise at the gate: ``python experiments/026-gate/run.py``.

The rule stands in :mod:`newswinnow.evaluation.floors`; this script only damages models and counts.
"""

import json
import sys
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from newswinnow.corpus.sample import sample_path
from newswinnow.corpus.tables import read_corpus
from newswinnow.corpus.write import write_text
from newswinnow.evaluation.floors import MEASURES, Check, Outcome, check_floors, floors_of
from newswinnow.evaluation.queue import TextVectors, queue_model
from newswinnow.evaluation.scores import label_codes
from newswinnow.experiments.config import read_config
from newswinnow.models.linear import LinearModel
from newswinnow.models.predictor import Predictor
from newswinnow.models.training import train
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import LABEL, PREDICTED, PROBABILITY_COLUMNS, TEXT, labelled_rows

HERE: Final = Path(__file__).parent
NAMES: Final = np.array([str(label) for label in LABELS])


def trained(table: pd.DataFrame, seed: int = 0) -> Predictor:
    """The default model on a table."""
    return train(table, read_config(None).model, seed=seed)


def flipped(table: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
    """The table with a share of its labels turned into another one each."""
    rng = np.random.default_rng(seed)
    rows = labelled_rows(table).reset_index(drop=True)
    at = rng.choice(len(rows), round(share * len(rows)), replace=False)
    codes = label_codes(rows[LABEL])
    codes[at] = (codes[at] + rng.integers(1, len(NAMES), len(at))) % len(NAMES)
    return rows.assign(**{LABEL: NAMES[codes]})


def without_label(model: Predictor, label: int) -> Predictor:
    """The model with all weights of one label set to 0, its bias included."""
    deployed = getattr(model.estimator, "model_", model.estimator)
    parts = {name: getattr(deployed.weights, name).copy() for name in ("hashed", "dense", "bias")}
    for part in parts.values():
        part[..., label] = 0
    return replace(model, estimator=LinearModel(replace(deployed.weights, **parts)))


def shuffled(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The table in another order: all that a seed can change in a model whose optimum is unique."""
    return labelled_rows(table).sample(frac=1, random_state=seed)


class Stochastic:
    """A model whose answers depend on its seed: stochastic gradient descent, one order of paragraphs per seed."""

    def __init__(self, train_table: pd.DataFrame, test_table: pd.DataFrame) -> None:
        rows = labelled_rows(train_table)
        self._truth, self._test = label_codes(rows[LABEL]), labelled_rows(test_table)
        vectors = TextVectors.of([*rows[TEXT], *self._test[TEXT]])
        self._fit, self._held = vectors.features[: len(rows)], vectors.features[len(rows) :]

    def outcome(self, seed: int) -> Outcome:
        """Its answers to the test pages."""
        probabilities = queue_model(seed).fit(self._fit, self._truth).predict_proba(self._held)
        columns = dict(zip(PROBABILITY_COLUMNS, probabilities.T, strict=True))
        return Outcome.of(self._test.assign(**columns, **{PREDICTED: NAMES[probabilities.argmax(axis=1)]}))


def tried(name: str, stored: Outcome, make: Callable[[int], Outcome], seeds: range) -> dict[str, Any]:
    """Hold damaged or reseeded models to a baseline."""
    floors = floors_of(stored)
    found = [check_floors(stored, make(seed), floors) for seed in seeds]
    print(name, file=sys.stderr)
    by_measure = {check.measure: sum(bool(checks[i].failure) for checks in found) for i, check in enumerate(found[0])}
    macro_f1 = [_change(checks, "macro_f1") for checks in found]
    log_loss = [_change(checks, "log_loss") for checks in found]
    return {
        "name": name,
        "tries": len(seeds),
        "caught": sum(any(check.failure for check in checks) for checks in found),
        "by_measure": by_measure,
        "macro_f1_change": [min(macro_f1), max(macro_f1)],
        "macro_f1_rose": sum(change > 0 for change in macro_f1),
        "log_loss_change": [min(log_loss), max(log_loss)],
    }


def _change(checks: tuple[Check, ...], name: str) -> float:
    return next(check.difference.value for check in checks if check.measure == name)


def measure(config: dict[str, Any]) -> list[dict[str, Any]]:
    """All regressions and all noise."""
    fit, held = (read_corpus([sample_path(part)]) for part in ("train", "test"))
    stored = Outcome.of(trained(fit).predict_table(held))
    noise = Stochastic(fit, held)
    share, first = config["flipped_share"], config["first_seed"]
    tries = range(first, first + config["tries"])

    def zeroed(seed: int) -> Outcome:
        return Outcome.of(without_label(trained(shuffled(fit, seed)), seed % len(NAMES)).predict_table(held))

    return [
        tried("a label's weights zeroed", stored, zeroed, tries),
        tried(
            f"{share:.0%} of the training labels flipped",
            stored,
            lambda seed: Outcome.of(trained(flipped(fit, share, seed)).predict_table(held)),
            tries,
        ),
        tried(
            "noise: another seed",
            stored,
            lambda seed: Outcome.of(trained(shuffled(fit, seed), seed).predict_table(held)),
            tries,
        ),
        tried("noise: another seed, stochastic model", noise.outcome(0), noise.outcome, tries),
    ]


def report(config: dict[str, Any], metrics: list[dict[str, Any]]) -> str:
    """The figures as Markdown."""
    text = f"# {config['title']}\n\n{config['description']}\n\n"
    text += "| change | caught | by | macro-F1 changed by | log loss changed by |\n| --- | --- | --- | --- | --- |\n"
    for found in metrics:
        by = ", ".join(f"{m.name} {found['by_measure'][m.name]}" for m in MEASURES if found["by_measure"][m.name]) or "nothing"
        spans = [f"{low:+.4f} to {high:+.4f}" for low, high in (found["macro_f1_change"], found["log_loss_change"])]
        text += f"| {found['name']} | {found['caught']} of {found['tries']} | {by} | {spans[0]} | {spans[1]} |\n"
    return text


def main() -> None:
    """Run the experiment and write its results beside this script."""
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    metrics = measure(config)
    write_text(HERE / "metrics.json", json.dumps(metrics, indent=1, sort_keys=True) + "\n")
    write_text(HERE / "report.md", report(config, metrics))


if __name__ == "__main__":
    main()
