"""How much page a paragraph needs: a ladder fitted without one fifth of the sites, on stretches of their pages of 1 to 40 paragraphs.

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
from newswinnow.paragraphs.table import LABEL, ORIGIN, PAGE, POSITION, SITE, TEXT

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


def answers(model: LadderModel, table: pd.DataFrame) -> dict[str, Any]:
    """Probabilities at each level, of geometric means with alone, and by ``auto``."""
    found = {level: model.predict_proba(table, context=level) for level in ("alone", "bag", "order", "auto")}
    return {**found, **{f"alone x {level}": np.sqrt(found["alone"] * found[level]) for level in ("bag", "order")}}


def main(path: str) -> None:
    """Fit, score, write metrics.json and a table."""
    pages = read_corpus([Path(path)])
    rng = np.random.default_rng(SEED)
    read_sites = np.sort(pages.loc[pages[ORIGIN] == "read", SITE].dropna().unique())
    held = set(rng.permutation(read_sites)[: len(read_sites) // 5])
    is_held = pages[SITE].isin(held)
    fitted = pages[~is_held]
    weights = np.where(fitted[ORIGIN] == "aligned", ALIGNED_WEIGHT, 1.0)
    model = LadderClassifier(calibration_share=0.0, random_state=SEED).fit(fitted, fitted[LABEL], sample_weight=weights).model_
    tested = pages[is_held].assign(**{LABEL: pages.loc[is_held, LABEL].where(pages.loc[is_held, ORIGIN] == "read", None)})
    results = {}
    for size in SIZES:
        table = stretches(tested, size, rng)
        is_known = table[LABEL].notna().to_numpy()
        names = np.array([str(label) for label in LABELS])
        rows = table[is_known]
        # A page's stretches overlap: they are one cluster.
        pages_of = rows[PAGE].str.replace(r"#\d+$", "", regex=True)
        results[size] = {
            "n_paragraphs": len(rows),
            **{
                level: asdict(score(rows[LABEL], names[found[is_known].argmax(axis=1)], pages_of, n_resamples=1000).macro_f1)
                for level, found in answers(model, table).items()
            },
        }
    (HERE / "metrics.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    levels = [name for name in next(iter(results.values())) if name != "n_paragraphs"]
    lines = ["| paragraphs of a page | scored | " + " | ".join(levels) + " |", "| --- " * (len(levels) + 2) + "|"]
    for size, found in results.items():
        cells = [f"{found[level]['value']:.3f}" for level in levels]
        lines.append(f"| {size} | {found['n_paragraphs']} | " + " | ".join(cells) + " |")
    (HERE / "report.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
