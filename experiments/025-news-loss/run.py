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
from newswinnow.experiments.config import read_config
from newswinnow.experiments.decide import out_of_fold
from newswinnow.models.predictor import Predictor
from newswinnow.models.saved import load_model
from newswinnow.models.training import table_digest
from newswinnow.paragraphs.table import LABEL, PAGE, SITE, FloatArray, labelled_rows

HERE: Final = Path(__file__).parent
CACHE: Final = HERE / "model"
"""Predictions of the models of all folds, which take minutes to make; the folder is not part of the repository."""

SHIPPED: Final = "shipped"
"""The specification of the model in the package; ``default`` is that of ``newswinnow train`` without a configuration."""


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


def summary(limit: float, chosen: list[int], truth: FloatArray, left_out: list[float]) -> dict[str, Any]:
    """How often a limit was kept, in truth and as measured on the pages left out, and what threshold it allowed."""
    losses = truth[chosen]
    return {
        "limit": limit,
        "n": len(losses),
        "kept": float(np.mean(losses <= limit)),
        "kept_left_out": float(np.mean(np.asarray(left_out) <= limit)),
        "ensured": float(np.mean([i > 0 for i in chosen])),
        "median_threshold": float(np.median([THRESHOLDS[i] for i in chosen])),
        "mean_loss": float(np.mean(losses)),
    }


def simulate(plan: dict[str, Any], confidence: float, seed: int) -> list[dict[str, Any]]:
    """Calibrate on simulated corpora and look up the true loss."""
    truth = simulated_losses(plan["pages_for_truth"], np.random.default_rng([seed, 1])).mean(axis=0)
    found = []
    for n_pages in plan["pages"]:
        rng, other = np.random.default_rng([seed, 2, n_pages]), np.random.default_rng([seed, 4, n_pages])
        corpora = [simulated_losses(n_pages, rng) for _ in range(plan["corpora"])]
        fresh = [simulated_losses(plan["pages_left_out"], other).mean(axis=0) for _ in corpora]
        for limit in plan["limits"]:
            chosen = [threshold_at(losses, limit, confidence) for losses in corpora]
            left_out = [float(losses[at]) for losses, at in zip(fresh, chosen, strict=True)]
            found.append({"pages": n_pages, **summary(limit, chosen, truth, left_out)})
        print(f"simulated {n_pages} pages", file=sys.stderr)
    return found


def model_of(name: str) -> Predictor:
    """A specification and a seed to train; nothing is trained yet."""
    if name == SHIPPED:
        return load_model()
    config = read_config(None)
    return Predictor(None, {"spec": config.model.as_dict(), "training": {"seed": config.seed}})


def read_predictions(name: str, plan: dict[str, Any]) -> pd.DataFrame:
    """Hand-read pages with predictions of models trained on other sites."""
    corpus = read_corpus([HERE / plan["corpus"]])
    model, digest = model_of(name), table_digest(labelled_rows(corpus))
    made_with = json.dumps([model.manifest["spec"], digest], sort_keys=True)
    cache = CACHE / f"out-of-fold-{name}.jsonl"
    if cache.is_file():
        table = pd.read_json(cache, lines=True, dtype={"page": str}, precise_float=True)
        if len(table) == len(corpus) and (table["made_with"] == made_with).all():
            return corpus.assign(p_news=table["p_news"].to_numpy())
    predicted = out_of_fold(model, corpus, folds=plan["folds"])
    CACHE.mkdir(exist_ok=True)
    kept = predicted[[PAGE, "p_news"]].assign(made_with=made_with)
    kept.to_json(cache, orient="records", lines=True, double_precision=15)
    return predicted


def site_losses(rows: pd.DataFrame) -> list[FloatArray]:
    """Losses of the pages with news of each site, sites in order of their names."""
    is_news = (rows[LABEL] == "news").to_numpy()
    losses = news_losses(rows["p_news"].to_numpy(dtype=float), is_news, rows[PAGE])
    page_site = dict(zip(rows[PAGE], rows[SITE].fillna(rows[PAGE]), strict=True))
    sites = np.array([page_site[page] for page in pd.unique(rows[PAGE][is_news])], dtype=str)
    return [losses[sites == site] for site in np.unique(sites)]


def split(sites: list[FloatArray], plan: dict[str, Any], confidence: float, seed: int) -> dict[str, Any]:
    """Calibrate on a share of the sites, again and again: on some of them, the others left out, and on as many drawn anew.

    All pages together are the pile whose loss is known without error. Sites drawn with replacement are independent draws from it,
    as the promise assumes; a split takes most of the pile, and is nearer to it than such draws are.
    """
    pile = np.concatenate(sites).mean(axis=0)
    n_known = round(plan["share"] * len(sites))
    of_split: dict[float, list[int]] = {limit: [] for limit in plan["limits"]}
    of_drawn: dict[float, list[int]] = {limit: [] for limit in plan["limits"]}
    left_out: dict[float, list[float]] = {limit: [] for limit in plan["limits"]}
    for i in range(plan["splits"]):
        rng, other = np.random.default_rng([seed, 3, i]), np.random.default_rng([seed, 5, i])
        order = rng.permutation(len(sites))
        known = rng.permutation(np.concatenate([sites[at] for at in np.sort(order[:n_known])]))
        held = np.concatenate([sites[at] for at in order[n_known:]]).mean(axis=0)
        drawn = other.permutation(np.concatenate([sites[at] for at in other.integers(len(sites), size=n_known)]))
        for limit in plan["limits"]:
            of_split[limit].append(threshold_at(known, limit, confidence))
            of_drawn[limit].append(threshold_at(drawn, limit, confidence))
            left_out[limit].append(float(held[of_split[limit][-1]]))
    limits = [
        summary(x, of_split[x], pile, left_out[x]) | {"kept_drawn": float(np.mean(pile[of_drawn[x]] <= x))}
        for x in plan["limits"]
    ]
    return {"pages": sum(map(len, sites)), "sites": len(sites), "limits": limits}


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"


def _cells(found: dict[str, Any]) -> list[str]:
    return [
        f"{found['limit']:g}",
        f"{found['kept']:.1%}",
        f"{found['kept_left_out']:.1%}",
        f"{found['ensured']:.1%}",
        f"{found['median_threshold']:g}",
        f"{found['mean_loss']:.4f}",
    ]


def report(config: dict[str, Any], metrics: dict[str, Any]) -> str:
    """The figures as Markdown."""
    n_left_out = config["simulated"]["pages_left_out"]
    columns = ["limit", "kept", "kept on pages left out", "ensured by more than keeping all", "median threshold", "mean loss"]
    text = f"# {config['title']}\n\n{config['description']}\n\n## Simulated pages: the true loss is within the limit\n\n"
    text += f"“Kept on pages left out”: on {n_left_out} further pages, whose own loss varies by chance.\n\n"
    text += _row(["calibration pages", *columns]) + _row(["---"] * 7)
    for found in metrics["simulated"]:
        text += _row([str(found["pages"]), *_cells(found)])
    for name, read in metrics.get("read", {}).items():
        text += f"\n## {read['pages']} read pages of {read['sites']} sites, the {name} model\n\n"
        text += f"{config['read']['splits']} splits by site, {config['read']['share']:.0%} of the sites to calibrate on.\n\n"
        text += "“Kept”: the loss on all these pages, from which the calibration pages were taken, is within the limit; “sites\n"
        text += "drawn”: the same for as many sites drawn with replacement, which are independent as the promise assumes.\n\n"
        text += _row([*columns, "kept, sites drawn"]) + _row(["---"] * 7)
        for found in read["limits"]:
            text += _row([*_cells(found), f"{found['kept_drawn']:.1%}"])
    return text


def measure(config: dict[str, Any]) -> dict[str, Any]:
    """Simulated pages, and the read ones where they are at hand."""
    metrics: dict[str, Any] = {"simulated": simulate(config["simulated"], config["confidence"], config["seed"])}
    plan = config["read"]
    if not (HERE / plan["corpus"]).is_file():
        print("the hand-read pages are not here; only simulated ones are tried", file=sys.stderr)
        return metrics
    metrics["read"] = {}
    for name in plan["models"]:
        sites = site_losses(labelled_rows(read_predictions(name, plan)))
        metrics["read"][name] = split(sites, plan, config["confidence"], config["seed"])
        print(f"read pages, {name} model", file=sys.stderr)
    return metrics


def main() -> None:
    """Run the experiment and write its results beside this script."""
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    metrics = measure(config)
    write_text(HERE / "metrics.json", json.dumps(metrics, indent=1, sort_keys=True) + "\n")
    write_text(HERE / "report.md", report(config, metrics))


if __name__ == "__main__":
    main()
