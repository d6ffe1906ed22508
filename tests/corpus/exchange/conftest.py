"""A small table of two pages, and a way to export it."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from newswinnow.corpus.exchange import export_table


@pytest.fixture
def small() -> pd.DataFrame:
    """Page p all labelled, page q partly; rows out of order, a column that the project does not know."""
    return pd.DataFrame(
        {
            "page": ["p", "p", "q", "q"],
            "position": [1, 0, 0, 7],
            "text": ["Share", "A bridge opened.", "Share", "Harbour wall to be raised"],
            "label": ["boilerplate", "news", None, "related-link"],
            "origin": ["aligned", "read", None, None],
            "votes": pd.Series([3, None, 0.1, "x"], dtype=object),
        }
    )


@pytest.fixture
def exported(small: pd.DataFrame, tmp_path: Path) -> Callable[[str], Path]:
    """The small table as a tool's file."""

    def export(tool: str) -> Path:
        path = tmp_path / f"{tool}.out"
        export_table(small, path, tool=tool)
        return path

    return export
