"""How much page a paragraph needs: ladders fitted without a fifth of the sites, on stretches of 1 to 40 paragraphs of its pages.

One ladder learns from whole pages alone, one from stretches of them too. Whole pages are scored in order and shuffled.

    .venv/bin/python experiments/029-small-pages/run.py runs/pages.jsonl

The pages are those of 028 (its prepare.py); nothing of the dev files is looked at.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from newswinnow.corpus.tables import read_corpus
from newswinnow.evaluation.scores import score
from newswinnow.models.ladder.classifier import LadderClassifier
from newswinnow.models.ladder.model import LadderModel
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import ALIGNED, LABEL, ORIGIN, PAGE, POSITION, READ, SITE, TEXT

HERE: Final = Path(__file__).resolve().parent
SIZES: Final = (1, 2, 3, 4, 6, 8, 12, 16, 24, 40)
PARAGRAPHS: Final = 60
MOST: Final = 12
ALIGNED_WEIGHT: Final = 0.2
SEED: Final = 0


def stretches(pages: pd.DataFrame, size: int, rng: np.random.Generator) -> pd.DataFrame:
    """Stretches of so many paragraphs, drawn from every longer page, as pages of their own; no markup."""
    parts = []
    for name, page in pages.sort_values([PAGE, POSITION]).groupby(PAGE, sort=False):
        for i in range(max(1, min(MOST, PARAGRAPHS // size)) if len(page) > size else 0):
            begin = int(rng.integers(0, len(page) - size + 1))
            parts.append(page.iloc[begin : begin + size].assign(**{PAGE: f"{name}#{i}"}))
    return pd.concat(parts, ignore_index=True)[[PAGE, POSITION, TEXT, LABEL]]


def shuffled(pages: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Whole pages whose order is lost."""
    mixed = pages.iloc[rng.permutation(len(pages))]
    return mixed.assign(**{POSITION: mixed.groupby(PAGE).cumcount()})[[PAGE, POSITION, TEXT, LABEL]].reset_index(drop=True)


def answers(model: LadderModel, table: pd.DataFrame) -> dict[str, Any]:
    """Probabilities at each level, of geometric means with alone, and by ``auto``."""
    found = {level: model.predict_proba(table, context=level) for level in ("alone", "bag", "order", "auto")}
    return {**found, **{f"alone x {level}": np.sqrt(found["alone"] * found[level]) for level in ("bag", "order")}}


def scores(model: LadderModel, table: pd.DataFrame) -> dict[str, Any]:
    """Macro-F1 with its interval, by level."""
    is_known = table[LABEL].notna().to_numpy()
    names = np.array([str(label) for label in LABELS])
    rows = table[is_known]
    # A page's stretches overlap: they are one cluster.
    pages = rows[PAGE].str.replace(r"#\d+$", "", regex=True)
    return {
        "n_paragraphs": len(rows),
        **{
            level: asdict(score(rows[LABEL], names[found[is_known].argmax(axis=1)], pages, n_resamples=1000).macro_f1)
            for level, found in answers(model, table).items()
        },
    }


def report(results: dict[str, Any]) -> str:
    """A table for each model."""
    lines = []
    for title, found in results.items():
        levels = [name for name in next(iter(found.values())) if name != "n_paragraphs"]
        lines += [f"## {title}", "", "| page | scored | " + " | ".join(levels) + " |", "| --- " * (len(levels) + 2) + "|"]
        for size, row in found.items():
            lines.append(
                f"| {size} | {row['n_paragraphs']} | " + " | ".join(f"{row[level]['value']:.3f}" for level in levels) + " |"
            )
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"


def main(path: str) -> None:
    """Fit, score, write metrics.json and report.md."""
    pages = read_corpus([Path(path)])
    rng = np.random.default_rng(SEED)
    read_sites = np.sort(pages.loc[pages[ORIGIN] == READ, SITE].dropna().unique())
    held = set(rng.permutation(read_sites)[: len(read_sites) // 5])
    is_held = pages[SITE].isin(held)
    fitted = pages[~is_held]
    weights = np.where(fitted[ORIGIN] == ALIGNED, ALIGNED_WEIGHT, 1.0)
    tested = pages[is_held].assign(**{LABEL: pages.loc[is_held, LABEL].where(pages.loc[is_held, ORIGIN] == READ, None)})
    tables = {f"{size} paragraphs": stretches(tested, size, rng) for size in SIZES}
    read_pages = tested[tested[PAGE].isin(set(tested.loc[tested[LABEL].notna(), PAGE]))].reset_index(drop=True)
    tables |= {"whole": read_pages[[PAGE, POSITION, TEXT, LABEL]], "whole, shuffled": shuffled(read_pages, rng)}
    results = {}
    for title, weight in (("taught whole pages", 0.0), ("taught stretches too", 0.5)):
        classifier = LadderClassifier(calibration_share=0.0, stretch_weight=weight, random_state=SEED)
        model = classifier.fit(fitted, fitted[LABEL], sample_weight=weights).model_
        results[title] = {name: scores(model, table) for name, table in tables.items()}
    (HERE / "metrics.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (HERE / "report.md").write_text(report(results), encoding="utf-8")
    print(report(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
