"""Evaluations of invented predictions."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import pytest

from newswinnow.evaluation.evaluate import Evaluation, evaluate_predictions

LABELS = {"N": "news", "B": "boilerplate", "R": "related-link"}


def page_rows(page: str, truth: str, guesses: str, sureness: Sequence[float] | float = 0.8) -> list[dict[str, Any]]:
    """Rows of one page from letters; `-` is an unlabelled row. The guess gets the given probability, the others the rest."""
    sure = [sureness] * len(truth) if isinstance(sureness, float) else sureness
    rows = []
    for i, (true, guess, p) in enumerate(zip(truth, guesses, sure, strict=True)):
        rest = round((1 - p) / 2, 6)
        rows.append(
            {
                "page": page,
                "position": i,
                "text": f"{page} paragraph {i}",
                "label": LABELS.get(true),
                "predicted": LABELS[guess],
                **{f"p_{LABELS[k].replace('-', '_')}": p if k == guess else rest for k in "NBR"},
            }
        )
    return rows


def evaluation_of(rows: Sequence[dict[str, Any]], *, name: str = "mine") -> Evaluation:
    return evaluate_predictions(pd.DataFrame(rows), name=name, n_resamples=50)


@pytest.fixture
def rows_of() -> Callable[..., list[dict[str, Any]]]:
    return page_rows


@pytest.fixture
def evaluated() -> Callable[..., Evaluation]:
    return evaluation_of
