"""Learning curves of the label queue on hand-read paragraphs: ``python experiments/015-label-queue/run.py``.

Picking itself is left to :mod:`newswinnow.evaluation.queue`; this script only hides labels, asks for them, and scores.
"""

import json
import platform
import sys
import time
import tomllib
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.linear_model import SGDClassifier

from newswinnow.corpus.tables import read_corpus
from newswinnow.corpus.write import write_text
from newswinnow.evaluation.queue import Candidates, TextVectors, pick, queue_model, sites_of
from newswinnow.evaluation.scores import label_codes, score_confusion
from newswinnow.models.registry import ModelSpec, build_model
from newswinnow.models.fitting import fit_quietly
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import LABEL, PAGE, TEXT, FloatArray, IntArray

HERE: Final = Path(__file__).parent
BASELINE: Final = "random"
QUEUE_NAME: Final = "queue"


@dataclass(frozen=True)
class Choice:
    """One way of choosing, as the configuration names it."""

    name: str
    strategy: str
    per_site: int | None = None


@dataclass(frozen=True)
class Transfer:
    """Another model trained on the same picks."""

    family: str
    labels: int
    seeds: int


@dataclass(frozen=True)
class Config:
    """The experiment's configuration; unknown keys are refused by the constructor."""

    title: str
    description: str
    corpus: str
    seeds: int
    held_out_share: float
    start: int
    step: int
    stop: int
    shown: list[int]
    strategies: tuple[Choice, ...]
    transfer: Transfer

    @property
    def sizes(self) -> list[int]:
        """Numbers of labels at which a model is trained."""
        return list(range(self.start, self.stop + 1, self.step))


def read_config(path: Path) -> Config:
    """The configuration in a file."""
    fields: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    choices = tuple(Choice(**choice) for choice in fields.pop("strategies"))
    transfer = Transfer(**fields.pop("transfer"))
    return Config(**fields, strategies=choices, transfer=transfer)


@dataclass(frozen=True)
class Pool:
    """All labelled paragraphs with what the fast model sees of them."""

    rows: pd.DataFrame
    vectors: TextVectors
    truth: IntArray
    pages: np.ndarray[Any, np.dtype[Any]]
    sites: np.ndarray[Any, np.dtype[Any]]

    @classmethod
    def of(cls, path: Path) -> "Pool":
        """The labelled paragraphs of a corpus; surface features are computed once."""
        table = read_corpus([path])
        rows = table[table[LABEL].notna()].reset_index(drop=True)
        vectors = TextVectors.of(rows[TEXT].tolist())
        return cls(rows, vectors, label_codes(rows[LABEL]), rows[PAGE].to_numpy(dtype=object), sites_of(rows))

    def split(self, share: float, seed: int) -> tuple[IntArray, IntArray]:
        """Rows that may be labelled, in an order of chance, and rows of the sites held out."""
        rng = np.random.default_rng(seed)
        names = rng.permutation(np.unique(self.sites.astype(str)))
        is_held = np.isin(self.sites.astype(str), names[: int(len(names) * share)])
        return rng.permutation(np.flatnonzero(~is_held)), np.flatnonzero(is_held)

    def macro_f1(self, predicted: IntArray, held: IntArray) -> float:
        """Macro-F1 of predicted codes on the rows held out."""
        confusion = np.zeros((len(LABELS), len(LABELS)), dtype=np.int64)
        np.add.at(confusion, (self.truth[held], predicted), 1)
        return float(score_confusion(confusion).macro_f1)


@dataclass(frozen=True)
class Curve:
    """Macro-F1 after each round of labelling, and the rows labelled in order."""

    scores: list[float]
    chosen: IntArray


def fitted(pool: Pool, chosen: IntArray, *, seed: int) -> SGDClassifier:
    """The fast model on the labels of what was chosen."""
    return queue_model(seed).fit(pool.vectors.features[chosen], pool.truth[chosen])


def next_picks(pool: Pool, model: SGDClassifier, choice: Choice, left: IntArray, *, n: int, seed: int) -> IntArray:
    """What a strategy asks for next of the rows left."""
    probabilities = model.predict_proba(pool.vectors.features[left])
    candidates = Candidates(probabilities, pool.vectors.words[left], pool.pages[left], pool.sites[left])
    return left[pick(candidates, n, strategy=choice.strategy, per_site=choice.per_site, seed=seed)]


def learning_curve(pool: Pool, choice: Choice, config: Config, *, seed: int) -> Curve:
    """Label round by round as a strategy says, and score after each round."""
    open_rows, held = pool.split(config.held_out_share, seed)
    chosen = open_rows[: config.start]
    model, scores = fitted(pool, chosen, seed=seed), []
    for size in config.sizes:
        if len(chosen) < size:
            left = np.setdiff1d(open_rows, chosen)
            picks = next_picks(pool, model, choice, left, n=config.step, seed=seed * 1000 + size)
            chosen = np.concatenate([chosen, picks])
            if len(chosen) != size:
                raise ValueError(f"{choice.name}: must find {size} paragraphs to label; got {len(chosen)}")
            model = fitted(pool, chosen, seed=seed)
        scores.append(pool.macro_f1(model.predict(pool.vectors.features[held]), held))
    return Curve(scores, chosen)


def all_labels(pool: Pool, config: Config, *, seed: int) -> float:
    """Macro-F1 when every paragraph outside the sites held out is labelled."""
    open_rows, held = pool.split(config.held_out_share, seed)
    return pool.macro_f1(fitted(pool, open_rows, seed=seed).predict(pool.vectors.features[held]), held)


def transferred(pool: Pool, chosen: IntArray, config: Config, *, seed: int) -> float:
    """Macro-F1 of the transfer model on the first picks of a strategy."""
    _, held = pool.split(config.held_out_share, seed)
    rows = pool.rows.iloc[chosen[: config.transfer.labels]]
    model = fit_quietly(build_model(ModelSpec(config.transfer.family), seed=seed), rows, rows[LABEL].to_numpy(dtype=str))
    return pool.macro_f1(label_codes(model.predict(pool.rows.iloc[held])), held)


def estimate(values: Any) -> dict[str, float]:
    """Mean over seeds with its 95 % Student interval."""
    values = np.asarray(values, dtype=float)
    half = float(stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    mean = float(values.mean())
    return {"value": mean, "low": mean - half, "high": mean + half}


def labels_for(score: float, sizes: list[int], means: FloatArray) -> float | None:
    """Labels at which a curve first reaches a score, by straight lines between its points; None where it never does."""
    above = np.flatnonzero(means >= score)
    if not len(above):
        return None
    i = int(above[0])
    if i == 0:
        return float(sizes[0])
    share = (score - means[i - 1]) / (means[i] - means[i - 1])
    return float(sizes[i - 1] + share * (sizes[i] - sizes[i - 1]))


def measure(config: Config, pool: Pool) -> dict[str, Any]:
    """All curves of all seeds, and what they say."""
    scores: dict[str, list[list[float]]] = {choice.name: [] for choice in config.strategies}
    transfer: dict[str, list[float]] = {BASELINE: [], QUEUE_NAME: []}
    full = []
    for seed in range(config.seeds):
        for choice in config.strategies:
            curve = learning_curve(pool, choice, config, seed=seed)
            scores[choice.name].append(curve.scores)
            if choice.name in transfer and seed < config.transfer.seeds:
                transfer[choice.name].append(transferred(pool, curve.chosen, config, seed=seed))
        full.append(all_labels(pool, config, seed=seed))
        print(f"[{seed + 1}/{config.seeds}] seeds", file=sys.stderr)
    return summary(config, {name: np.asarray(rows) for name, rows in scores.items()}, transfer, full)


def summary(config: Config, scores: dict[str, FloatArray], transfer: dict[str, list[float]], full: list[float]) -> dict[str, Any]:
    """Means, intervals and paired differences."""
    baseline = scores[BASELINE]
    curves = {}
    for name, by_seed in scores.items():
        means = by_seed.mean(axis=0)
        curves[name] = {
            "macro_f1": [estimate(by_seed[:, i]) for i in range(len(config.sizes))],
            "less_random": [estimate(by_seed[:, i] - baseline[:, i]) for i in range(len(config.sizes))],
            "mean_less_random": estimate((by_seed - baseline)[:, 1:].mean(axis=1)),
            "wins_against_random": [int(n) for n in (by_seed > baseline).sum(axis=0)],
            "random_needs": [labels_for(float(mean), config.sizes, baseline.mean(axis=0)) for mean in means],
        }
    difference = np.subtract(transfer[QUEUE_NAME], transfer[BASELINE])
    return {
        "sizes": config.sizes,
        "curves": curves,
        "all_labels": estimate(full),
        "transfer": {**{name: estimate(values) for name, values in transfer.items()}, "queue_less_random": estimate(difference)},
    }


def _interval(found: dict[str, float], *, signed: bool = False) -> str:
    form = "+.3f" if signed else ".3f"
    return f"{found['value']:{form}} ({found['low']:{form}} to {found['high']:{form}})"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"


def report(config: Config, metrics: dict[str, Any], n_rows: int, n_sites: int) -> str:
    """The figures as Markdown."""
    shown = [config.sizes.index(size) for size in config.shown]
    later = shown[1:]
    text = (
        f"# {config.title}\n\n{config.description} {n_rows} hand-read paragraphs of {n_sites} sites. In each of {config.seeds} "
        f"seeds {config.held_out_share:.0%} of the sites are held out; every strategy starts from the same {config.start} random "
        f"labels and gets {config.step} more each round. Intervals: 95 %, Student's t over seeds. `queue` is what "
        "`newswinnow corpus queue` does.\n\n## Macro-F1 on the sites held out\n\n"
    )
    text += _row(["strategy", *(f"{size} labels" for size in config.shown)]) + _row(["---"] * (len(shown) + 1))
    for name, curve in metrics["curves"].items():
        text += _row([name, *(f"{curve['macro_f1'][i]['value']:.3f}" for i in shown)])
    text += f"\nAll labels of the pool: {_interval(metrics['all_labels'])}.\n\n![Learning curves](curve.svg)\n"
    return text + _differences(config, metrics, later) + _savings(config, metrics, later) + _transfer(config, metrics)


def _differences(config: Config, metrics: dict[str, Any], shown: list[int]) -> str:
    text = "\n## Difference to random, paired by seed\n\n"
    text += _row(["strategy", *(f"{config.sizes[i]} labels" for i in shown), "mean of all rounds"])
    text += _row(["---"] * (len(shown) + 2))
    for name, curve in metrics["curves"].items():
        if name != BASELINE:
            cells = [_interval(curve["less_random"][i], signed=True) for i in shown]
            text += _row([name, *cells, _interval(curve["mean_less_random"], signed=True)])
    return text


def _savings(config: Config, metrics: dict[str, Any], shown: list[int]) -> str:
    curve = metrics["curves"][QUEUE_NAME]
    text = "\n## What the queue saves\n\n"
    text += _row(["labels from the queue", "random needs", "seeds in which the queue is ahead"]) + _row(["---"] * 3)
    for i in shown:
        needs = curve["random_needs"][i]
        found = f"about {needs:.0f}" if needs is not None else f"more than {config.stop}"
        text += _row([str(config.sizes[i]), found, f"{curve['wins_against_random'][i]} of {config.seeds}"])
    return text


def _transfer(config: Config, metrics: dict[str, Any]) -> str:
    found, plan = metrics["transfer"], config.transfer
    return (
        f"\n## Do the picks help another model?\n\n`{plan.family}` of the registry on the first {plan.labels} labels, "
        f"{plan.seeds} seeds: random {_interval(found[BASELINE])}, queue {_interval(found[QUEUE_NAME])}, difference "
        f"{_interval(found['queue_less_random'], signed=True)}.\n"
    )


def curve_svg(config: Config, metrics: dict[str, Any]) -> str:
    """Mean curves as a small drawing; the queue and chance with their intervals."""
    width, height, left, top = 640, 360, 52, 16
    curves = metrics["curves"]
    values = [point["value"] for curve in curves.values() for point in curve["macro_f1"]]
    low, high = min(values) - 0.005, max(values) + 0.005

    def at(size: float, value: float) -> str:
        x = left + (size - config.start) / (config.stop - config.start) * (width - left - 16)
        return f"{x:.1f},{top + (high - value) / (high - low) * (height - top - 40):.1f}"

    colours = {BASELINE: "#c0392b", QUEUE_NAME: "#1a6fb5"}
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">']
    parts.append(f'<rect width="{width}" height="{height}" fill="#fff"/>')
    for value in np.arange(np.ceil(low * 50) / 50, high, 0.02):
        start, end = at(config.start, float(value)), at(config.stop, float(value))
        parts.append(f'<polyline points="{start} {end}" stroke="#ddd"/>')
        parts.append(f'<text x="8" y="{float(start.split(",")[1]) + 4:.1f}">{value:.2f}</text>')
    for size in config.shown:
        parts.append(f'<text x="{at(size, low).split(",")[0]}" y="{height - 20}" text-anchor="middle">{size}</text>')
    for name, curve in sorted(curves.items(), key=lambda item: item[0] in colours):
        colour, points = colours.get(name, "#999"), curve["macro_f1"]
        if name in colours:
            band = [at(n, p["low"]) for n, p in zip(config.sizes, points, strict=True)]
            band += [at(n, p["high"]) for n, p in reversed(list(zip(config.sizes, points, strict=True)))]
            parts.append(f'<polygon points="{" ".join(band)}" fill="{colour}" opacity="0.15"/>')
        line = " ".join(at(n, p["value"]) for n, p in zip(config.sizes, points, strict=True))
        thickness = 2 if name in colours else 1
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="{thickness}"/>')
    parts.append(f'<text x="{left + 8}" y="{height - 4}">labels; blue: queue, red: random, grey: the other strategies</text>')
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    """Run the experiment and write its results beside this script."""
    began = time.monotonic()
    config = read_config(HERE / "config.toml")
    path = HERE / config.corpus
    if not path.is_file():
        raise SystemExit(f"{path}: must be there; got nothing (the hand-read paragraphs are not part of the repository)")
    pool = Pool.of(path)
    metrics = measure(config, pool)
    manifest = {
        "corpus_sha256": sha256(path.read_bytes()).hexdigest(),
        "seconds": round(time.monotonic() - began, 1),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("newswinnow", "numpy", "scikit-learn", "scipy")},
        },
    }
    write_text(HERE / "metrics.json", json.dumps(metrics, indent=1) + "\n")
    write_text(HERE / "manifest.json", json.dumps(manifest, indent=1) + "\n")
    write_text(HERE / "report.md", report(config, metrics, len(pool.rows), len(np.unique(pool.sites.astype(str)))))
    write_text(HERE / "curve.svg", curve_svg(config, metrics))


if __name__ == "__main__":
    main()
