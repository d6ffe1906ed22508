from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

LABELS = np.array(["news", "boilerplate", "related-link"])
Answers = Callable[..., pd.DataFrame]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Models of ten rows gain nothing from threads, and wait for each other where the machine is shared."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def answers() -> Answers:
    """Make a table of pages with labels and predictions that are right with a given chance."""

    def make(n_pages: int, *, right: float, seed: int = 0, n_rows: int = 12) -> pd.DataFrame:
        # Labels come from one stream and errors from another, so that tables of different models share their truth.
        truth = np.random.default_rng(99).integers(0, 3, n_pages * n_rows)
        draws = np.random.default_rng(seed)
        is_wrong = draws.random(len(truth)) >= right
        found = (truth + is_wrong * draws.integers(1, 3, len(truth))) % 3
        return pd.DataFrame(
            {
                "page": np.repeat([f"p{i}" for i in range(n_pages)], n_rows),
                "position": np.tile(np.arange(n_rows), n_pages),
                "text": [f"line {i}" for i in range(len(truth))],
                "label": LABELS[truth],
                "predicted": LABELS[found],
            }
        )

    return make
