from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pandas as pd
import pytest
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

_NEWS = (
    "The council of {town} voted on Monday to repair the {thing}, officials said.",
    "“We have waited years for the {thing},” a resident of {town} told the paper.",
    "Work on the {thing} in {town} was expected to begin before the summer.",
)
_BOILERPLATE = ("Share this", "{town} Paper", "Sign up to our newsletter")
_RELATED = (
    "{town} to repair {thing} after long delay",
    "Five things to know about the {thing}",
    "Read more: {town} and its {thing}",
)
_TOWNS = ("Tarn", "Osk", "Velm", "Brisa")
_THINGS = ("harbour wall", "old bridge", "market hall")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Trees of ten rows gain nothing from threads, and wait for each other where the machine is shared."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def corpus() -> pd.DataFrame:
    """Twelve pages of four sites, nine paragraphs each, three of every label."""
    rows = []
    for town, thing in product(_TOWNS, _THINGS):
        kinds = zip(("news", "boilerplate", "related-link"), (_NEWS, _BOILERPLATE, _RELATED), strict=True)
        lines = [(label, line) for label, patterns in kinds for line in patterns]
        for position, (label, line) in enumerate(lines):
            text = line.format(town=town, thing=thing)
            rows.append((f"{town}/{thing}", position, text, label, f"{town.lower()}.example"))
    return pd.DataFrame(rows, columns=["page", "position", "text", "label", "site"])
