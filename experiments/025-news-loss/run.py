"""Whether the bound on lost news holds: ``python experiments/025-news-loss/run.py``.

The bound itself stands in :mod:`newswinnow.evaluation.risk`; this script only draws and splits pages and counts.
"""

import json
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from newswinnow.corpus.tables import read_corpus
from newswinnow.corpus.write import write_text
from newswinnow.evaluation.risk import THRESHOLDS, is_bounded, news_losses
from newswinnow.experiments.decide import out_of_fold
from newswinnow.models.saved import load_model
from newswinnow.models.training import table_digest
from newswinnow.paragraphs.table import LABEL, PAGE, SITE, FloatArray, labelled_rows

HERE: Final = Path(__file__).parent
CACHE: Final = HERE / "model" / "out-of-fold.jsonl"
"""Predictions of the five models, which take minutes to make; the folder is not part of the repository."""


def simulated_losses(n_pages: int, rng: np.random.Generator) -> FloatArray:
    """Losses of pages: most keep nearly all of their news with high probability, one in ten is hard."""
    hardness = np.where(rng.random(n_pages) < 0.1, rng.beta(2, 6, n_pages), rng.beta(0.6, 30, n_pages))
    n_news = rng.integers(5, 40, n_pages)
    pages = np.repeat(np.arange(n_pages), n_news)
    doubtful = rng.random(len(pages)) < hardness[pages]
    p_news = np.where(doubtful, rng.beta(0.7, 2.5, len(pages)), rng.beta(12, 1, len(pages)))
    return news_losses(p_news, np.ones(len(pages), dtype=bool), pages)


def threshold_at(losses: FloatArray, limit: float, confidence: float) -> int:
    """Index of the threshold that :class:`~newswinnow.evaluation.decisions.NewsLossCurve` takes; 0 keeps everything."""
    # Thresholds whose mean loss is beyond the limit have bounds beyond it: they need no bound.
    n = max(int((losses.mean(axis=0) <= limit).sum()), 1)
    is_within = is_bounded(losses[:, :n], limit, confidence=confidence)
    return max(int(np.logical_and.accumulate(is_within).sum()) - 1, 0)


def summary(limit: float, chosen: list[int], losses: list[float], bound_held: list[bool]) -> dict[str, Any]:
    """How often a limit was kept, and what threshold it allowed."""
    return {
        "limit": limit,
        "n": len(losses),
        "kept": float(np.mean(bound_held)),
        "ensured": float(np.mean([i > 0 for i in chosen])),
        "median_threshold": float(np.median([THRESHOLDS[i] for i in chosen])),
        "mean_loss": float(np.mean(losses)),
    }


def simulate(plan: dict[str, Any], confidence: float, seed: int) -> list[dict[str, Any]]:
    """Calibrate on simulated corpora and look up the true loss."""
    truth = simulated_losses(plan["pages_for_truth"], np.random.default_rng([seed, 1])).mean(axis=0)
    found = []
    for n_pages in plan["pages"]:
        rng = np.random.default_rng([seed, 2, n_pages])
        corpora = [simulated_losses(n_pages, rng) for _ in range(plan["corpora"])]
        for limit in plan["limits"]:
            chosen = [threshold_at(losses, limit, confidence) for losses in corpora]
            lost = [float(truth[i]) for i in chosen]
            found.append({"pages": n_pages, **summary(limit, chosen, lost, [loss <= limit for loss in lost])})
        print(f"simulated {n_pages} pages", file=sys.stderr)
    return found


def read_predictions(plan: dict[str, Any]) -> pd.DataFrame:
    """Hand-read pages with predictions of models trained on other sites."""
    corpus = read_corpus([HERE / plan["corpus"]])
    if CACHE.is_file():
        table = pd.read_json(CACHE, lines=True, dtype={"page": str}, precise_float=True)
        if len(table) == len(corpus) and (table["digest"] == table_digest(labelled_rows(corpus))).all():
            return corpus.assign(p_news=table["p_news"].to_numpy())
    predicted = out_of_fold(load_model(), corpus, folds=plan["folds"])
    CACHE.parent.mkdir(exist_ok=True)
    kept = predicted[[PAGE, "p_news"]].assign(digest=table_digest(labelled_rows(corpus)))
    kept.to_json(CACHE, orient="records", lines=True, double_precision=15)
    return predicted


def split(plan: dict[str, Any], confidence: float, seed: int) -> dict[str, Any]:
    """Calibrate on a share of the sites and measure the loss on the others, again and again."""
    rows = labelled_rows(read_predictions(plan))
    is_news = (rows[LABEL] == "news").to_numpy()
    losses = news_losses(rows["p_news"].to_numpy(dtype=float), is_news, rows[PAGE])
    page_site = dict(zip(rows[PAGE], rows[SITE].fillna(rows[PAGE]), strict=True))
    sites = np.array([page_site[page] for page in pd.unique(rows[PAGE][is_news])], dtype=str)
    unique = np.unique(sites)
    chosen: dict[float, list[int]] = {limit: [] for limit in plan["limits"]}
    held: dict[float, list[float]] = {limit: [] for limit in plan["limits"]}
    # The pile that the calibration pages were drawn from: what the promise is about, and known without error.
    pile = losses.mean(axis=0)
    for i in range(plan["splits"]):
        rng = np.random.default_rng([seed, 3, i])
        known = rng.permutation(unique)[: round(plan["share"] * len(unique))]
        is_known = np.isin(sites, known)
        calibration = rng.permutation(losses[is_known])
        for limit in plan["limits"]:
            at = threshold_at(calibration, limit, confidence)
            chosen[limit].append(at)
            held[limit].append(float(losses[~is_known, at].mean()))
    limits = [
        summary(x, chosen[x], held[x], [bool(pile[i] <= x) for i in chosen[x]])
        | {"kept_left_out": float(np.mean([loss <= x for loss in held[x]]))}
        for x in plan["limits"]
    ]
    return {"pages": len(losses), "sites": len(unique), "limits": limits}


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"


def _cells(found: dict[str, Any]) -> list[str]:
    return [
        f"{found['limit']:g}",
        f"{found['kept']:.1%}",
        f"{found['ensured']:.1%}",
        f"{found['median_threshold']:g}",
        f"{found['mean_loss']:.4f}",
    ]


def report(config: dict[str, Any], metrics: dict[str, Any]) -> str:
    """The figures as Markdown."""
    columns = ["limit", "kept", "ensured by more than keeping all", "median threshold", "mean loss"]
    text = f"# {config['title']}\n\n{config['description']}\n\n## Simulated pages: the true loss is within the limit\n\n"
    text += _row(["calibration pages", *columns]) + _row(["---"] * 6)
    for found in metrics["simulated"]:
        text += _row([str(found["pages"]), *_cells(found)])
    read = metrics.get("read")
    if read:
        text += f"\n## {read['pages']} read pages of {read['sites']} sites: splits by site\n\n"
        text += f"{config['read']['splits']} splits, {config['read']['share']:.0%} of the sites to calibrate on.\n\n"
        text += (
            "“Kept”: the loss on all these pages, from which the calibration pages were drawn, is within the limit. On the few "
        )
        text += "pages left out, the loss itself varies by chance.\n\n"
        text += _row([*columns, "kept on the sites left out"]) + _row(["---"] * 6)
        for found in read["limits"]:
            text += _row([*_cells(found), f"{found['kept_left_out']:.1%}"])
    return text


def main() -> None:
    """Run the experiment and write its results beside this script."""
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    metrics: dict[str, Any] = {"simulated": simulate(config["simulated"], config["confidence"], config["seed"])}
    if (HERE / config["read"]["corpus"]).is_file():
        metrics["read"] = split(config["read"], config["confidence"], config["seed"])
    else:
        print("the hand-read pages are not here; only simulated ones are tried", file=sys.stderr)
    write_text(HERE / "metrics.json", json.dumps(metrics, indent=1, sort_keys=True) + "\n")
    write_text(HERE / "report.md", report(config, metrics))


if __name__ == "__main__":
    main()
