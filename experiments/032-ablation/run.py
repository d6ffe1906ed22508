"""What each ingredient of the ladder is worth: that of 031 without it, on sites that it was not fitted on.

    .venv/bin/python experiments/032-ablation/run.py runs/pages.jsonl

Fitted without one fifth of the read sites; scored on that fifth and, to report only, on the dev files. Differences to the whole
model have 95 % intervals over pages, paired.
"""

import json
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import pandas as pd

from newswinnow.corpus.tables import read_corpus
from newswinnow.evaluation.comparison import compare
from newswinnow.features.relations import N_RELATIONS
from newswinnow.models.ladder.classifier import LadderClassifier
from newswinnow.models.predictor import CONTEXTS
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import ALIGNED, ALIGNED_LABEL, LABEL, LINK_DENSITY, ORIGIN, PAGE, PREDICTED, READ, SITE, TAG

HERE: Final = Path(__file__).resolve().parent
GOLD: Final = HERE.parents[2] / "shared" / "gold"
ALIGNED_WEIGHT: Final = 0.2
SEED: Final = 0
N_RESAMPLES: Final = 2000
WHOLE: Final = "the whole model"

Answers = dict[str, dict[str, pd.DataFrame]]


def _all_known() -> AbstractContextManager[Any]:
    return nullcontext()


def _no_relations() -> AbstractContextManager[Any]:
    """Nothing that a paragraph shares with the rest of its page."""

    def nothing(paragraphs: Any, *rest: Any) -> npt.NDArray[np.float64]:
        return np.zeros((len(paragraphs), N_RELATIONS))

    return patch("newswinnow.models.ladder.inputs.relations", nothing)


def _without_read(pages: pd.DataFrame) -> pd.DataFrame:
    """Every label is what alignment says."""
    return pages.assign(**{LABEL: pages[ALIGNED_LABEL], ORIGIN: pages[ALIGNED_LABEL].map(lambda label: label and ALIGNED)})


def _without_aligned(pages: pd.DataFrame) -> pd.DataFrame:
    """What nobody read is context without a label, and alignment says nothing."""
    return pages.assign(**{LABEL: pages[LABEL].where(pages[ORIGIN] == READ, None), ALIGNED_LABEL: None})


def _without_other_pages(pages: pd.DataFrame) -> pd.DataFrame:
    """Pages with read paragraphs only."""
    return pages[pages[PAGE].isin(set(pages.loc[pages[ORIGIN] == READ, PAGE]))]


VARIANTS: Final[
    Mapping[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], Callable[[], AbstractContextManager[Any]], dict[str, Any]]]
] = {
    WHOLE: (lambda pages: pages, _all_known, {}),
    "read labels": (_without_read, _all_known, {}),
    "aligned labels": (_without_aligned, _all_known, {}),
    "pages that nobody read": (_without_other_pages, _all_known, {}),
    "the teacher (aligned labels as they are)": (lambda pages: pages, _all_known, {"distillation": 0.0}),
    "the correction on read labels": (lambda pages: pages, _all_known, {"corrected": False}),
    "relations to the page": (lambda pages: pages, _no_relations, {}),
}


def split(pages: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Pages to fit on, and labelled tables to score."""
    rng = np.random.default_rng(SEED)
    read_sites = np.sort(pages.loc[pages[ORIGIN] == READ, SITE].dropna().unique())
    is_held = pages[SITE].isin(set(rng.permutation(read_sites)[: len(read_sites) // 5]))
    held = pages[is_held & pages[PAGE].isin(set(pages.loc[pages[ORIGIN] == READ, PAGE]))]
    held = held.assign(**{LABEL: held[LABEL].where(held[ORIGIN] == READ, None)})
    tables = {"held": held, **{name: read_corpus([GOLD / f"{name}.jsonl"]) for name in ("dev_news", "dev_mixed")}}
    return pages[~is_held], {name: table.reset_index(drop=True) for name, table in tables.items()}


def answers(name: str, path: str) -> Answers:
    """What a model without the ingredient says, by table and level."""
    fitted, tables = split(read_corpus([Path(path)]))
    change, knowing, options = VARIANTS[name]
    fitted = change(fitted)
    weights = np.where(fitted[ORIGIN] == ALIGNED, ALIGNED_WEIGHT, 1.0)
    names = np.array([str(label) for label in LABELS])
    with knowing():
        model = LadderClassifier(**{"corrected": True, "calibration_share": 0.0, "random_state": SEED, **options})
        model.fit(fitted, fitted[LABEL], sample_weight=weights)
        found: Answers = {}
        for table_name, table in tables.items():
            hinted = table if {TAG, LINK_DENSITY} <= set(table.columns) else table.assign(**{TAG: None, LINK_DENSITY: None})
            found[table_name] = {
                level: table.assign(**{PREDICTED: names[model.model_.predict_proba(hinted, context=level).argmax(axis=1)]})
                for level in CONTEXTS
            }
    return found


def compared(whole: Answers, other: Answers) -> dict[str, Any]:
    """Macro-F1 of the whole model or another, and the difference, by table and level."""
    return {
        table: {
            level: asdict(compare(whole[table][level], other[table][level], seed=SEED, n_resamples=N_RESAMPLES).difference)
            for level in CONTEXTS
        }
        for table in whole
    }


def _cell(found: Mapping[str, float]) -> str:
    return f"{100 * found['value']:+.1f} ({100 * found['low']:+.1f} to {100 * found['high']:+.1f})"


def main(path: str) -> None:
    """Fit, score, write metrics.json and report.md."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        runs = dict(zip(VARIANTS, pool.map(answers, VARIANTS, [path] * len(VARIANTS)), strict=True))
    results = {name: compared(runs[WHOLE], found) for name, found in runs.items() if name != WHOLE}
    (HERE / "metrics.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    lines = []
    for table in runs[WHOLE]:
        lines += [f"## {table}", "", "| without | " + " | ".join(CONTEXTS) + " |", "| --- " * (len(CONTEXTS) + 1) + "|"]
        for name, found in results.items():
            lines.append(f"| {name} | " + " | ".join(_cell(found[table][level]) for level in CONTEXTS) + " |")
        lines.append("")
    (HERE / "report.md").write_text("\n".join(lines[:-1]) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
