"""When ``auto`` should trust the order of a page with markup: a ladder fitted without a fifth of the sites, on their pages.

Whole pages, parts of them drawn line by line and stretches of neighbours, each in order and shuffled, with their markup; those in
order also as ``auto`` takes them when told that they are, with their markup and without; then the model that ships on the dev
files, to report.

    .venv/bin/python experiments/036-order-of-markup/run.py runs/whole-pages.jsonl

The pages are those of 034; the dev files are looked at where they are at hand.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from newswinnow.corpus.sample import sample_path
from newswinnow.corpus.tables import read_corpus
from newswinnow.evaluation.scores import score
from newswinnow.models.ladder.classifier import LadderClassifier
from newswinnow.models.ladder.model import LadderModel
from newswinnow.models.ladder.order import OrderTrust
from newswinnow.models.saved import load_model
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import (
    ALIGNED,
    IN_ORDER,
    LABEL,
    LINK_DENSITY,
    ORIGIN,
    PAGE,
    POSITION,
    READ,
    SITE,
    TAG,
    FloatArray,
    IntArray,
)

HERE: Final = Path(__file__).resolve().parent
DEV: Final = HERE / "../../../shared/gold"
SIZES: Final = (3, 5, 8, 12, 16, 24, 40)
PARTS: Final = 6
WEIGHTS: Final = {ALIGNED: 0.2, "written": 2.0}
SEED: Final = 3


class AsText(OrderTrust):
    """The rule before: a page with markup is trusted as one without."""

    def trusts(self, found: FloatArray, has_hints: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Which pages seem to be in order."""
        return super().trusts(found, np.zeros_like(has_hints))


def parts(pages: pd.DataFrame, size: int, draw: Callable[[int], IntArray]) -> pd.DataFrame:
    """Some parts of every longer page as pages of their own."""
    found = [
        page.iloc[draw(len(page))].assign(**{PAGE: f"{name}#{i}"})
        for name, page in pages.sort_values([PAGE, POSITION]).groupby(PAGE, sort=False)
        for i in range(PARTS if len(page) > size else 0)
    ]
    return pd.concat(found, ignore_index=True)


def shuffled(pages: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Pages whose order is lost; every paragraph keeps its markup."""
    mixed = pages.iloc[rng.permutation(len(pages))]
    return mixed.assign(**{POSITION: mixed.groupby(PAGE).cumcount()}).reset_index(drop=True)


def scores(model: LadderModel, table: pd.DataFrame, *, is_shuffled: bool = False) -> dict[str, Any]:
    """Macro-F1 with its interval, at the levels between which ``auto`` decides, by both rules, and told of the order."""
    is_known = table[LABEL].notna().to_numpy()
    names, rows = np.array([str(label) for label in LABELS]), table[is_known]
    before = replace(model, trust=AsText(model.trust.weights))
    found = {level: model.predict_proba(table, context=level) for level in ("bag", "order", "markup")}
    found |= {"auto, before": before.predict_proba(table), "auto": model.predict_proba(table)}
    if not is_shuffled:
        plain, known = table.drop(columns=[TAG, LINK_DENSITY]), {IN_ORDER: True}
        found |= {
            "auto, told": model.predict_proba(table.assign(**known)),
            "without markup, auto": model.predict_proba(plain),
            "without markup, told": model.predict_proba(plain.assign(**known)),
        }
    pages = rows[PAGE].str.replace(r"#\d+$", "", regex=True)
    chosen = [np.isin(one.levels_of(table), ["order", "markup"]).mean() for one in (before, model)]
    return {
        "n_paragraphs": len(rows),
        "in_order": dict(zip(("auto, before", "auto"), map(float, chosen), strict=True)),
        "macro_f1": {
            level: asdict(score(rows[LABEL], names[p[is_known].argmax(axis=1)], pages).macro_f1)
            for level, p in found.items()
        },
    }


def report(results: dict[str, Any]) -> str:
    """A table for each set of pages."""
    lines = []
    for title, found in results.items():
        levels = list(next(iter(found.values()))["macro_f1"])
        lines += [f"## {title}", "", f"| pages | scored | {' | '.join(levels)} | taken in order, before | now |"]
        lines.append("| --- " * (len(levels) + 4) + "|")
        for name, row in found.items():
            cells = " | ".join(f"{row['macro_f1'][level]['value']:.3f}" if level in row["macro_f1"] else "" for level in levels)
            shares = " | ".join(f"{share:.1%}" for share in row["in_order"].values())
            lines.append(f"| {name} | {row['n_paragraphs']} | {cells} | {shares} |")
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"


def held_out(path: Path) -> dict[str, Any]:
    """Pages of sites that the ladder did not learn from."""
    pages = pd.concat([read_corpus([path]), read_corpus([sample_path("train"), sample_path("test")])], ignore_index=True)
    rng = np.random.default_rng(SEED)
    read_sites = np.sort(pages.loc[pages[ORIGIN] == READ, SITE].dropna().unique())
    held = set(rng.permutation(read_sites)[: len(read_sites) // 5])
    is_held = pages[SITE].isin(held)
    fitted = pages[~is_held]
    classifier = LadderClassifier(corrected=True, calibration_share=0.0, random_state=SEED)
    model = classifier.fit(fitted, fitted[LABEL], sample_weight=fitted[ORIGIN].map(WEIGHTS).fillna(1.0).to_numpy()).model_
    tested = pages[is_held].assign(**{LABEL: pages.loc[is_held, LABEL].where(pages.loc[is_held, ORIGIN] == READ, None)})
    whole = tested[tested[PAGE].isin(set(tested.loc[tested[LABEL].notna(), PAGE]))].reset_index(drop=True)

    def lines(n: int) -> IntArray:
        return np.sort(rng.choice(n, size, replace=False))

    def stretch(n: int) -> IntArray:
        first = int(rng.integers(0, n - size + 1))
        return np.arange(first, first + size)

    tables = {"whole": whole}
    for size in SIZES:
        tables |= {f"{size} lines": parts(whole, size, lines), f"a stretch of {size}": parts(whole, size, stretch)}
    found = {}
    for name, table in tables.items():
        found[name] = scores(model, table)
        found[f"{name}, shuffled"] = scores(model, shuffled(table, rng), is_shuffled=True)
    return found


def dev_files() -> dict[str, Any]:
    """The model that ships on the dev files, as they are and shuffled."""
    model, rng, found = load_model().estimator, np.random.default_rng(SEED), {}
    for name in ("dev_news", "dev_mixed"):
        table = read_corpus([DEV / f"{name}.jsonl"])
        found |= {name: scores(model, table), f"{name}, shuffled": scores(model, shuffled(table, rng), is_shuffled=True)}
    return found


def main(path: str) -> None:
    """Fit, score, write metrics.json and report.md."""
    results = {"Pages of other sites": held_out(Path(path))}
    if DEV.is_dir():
        results["Dev files, the model that ships"] = dev_files()
    (HERE / "metrics.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (HERE / "report.md").write_text(report(results), encoding="utf-8")
    print(report(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
