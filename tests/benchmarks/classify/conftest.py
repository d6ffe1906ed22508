"""Tiny data and the results of an invented run."""

from collections.abc import Callable

import pandas as pd
import pytest
from benchmarks.classify.data import Data, TrainingSet
from benchmarks.classify.results import DataSet, Fitted, Results, Score, Served, SystemResult
from benchmarks.classify.systems.base import System

from benchmarks.classify import child


@pytest.fixture
def use_systems(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts systems in the place of the registered ones."""

    def use(*systems: System) -> None:
        by_key = {system.key: system for system in systems}
        monkeypatch.setattr(child, "system_named", by_key.__getitem__)

    return use


TEXTS = ["The ferry to the northern islands sails again on Monday.", "Share", "It had been laid up since May.", "Most read"]


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "page": ["harbour.example/a"] * 4,
            "position": range(4),
            "text": pd.Series(TEXTS, dtype="str"),
            "label": pd.Series(["news", "boilerplate", "news", None], dtype="str"),
            "site": pd.Series(["harbour.example"] * 4, dtype="str"),
            "origin": pd.Series(["written"] * 4, dtype="str"),
        }
    )


@pytest.fixture
def data(table: pd.DataFrame) -> Data:
    labelled = table[table["label"].notna()]
    trainings = (TrainingSet("small", "two of three", labelled.head(2)), TrainingSet("large", "all", labelled))
    return Data(trainings, {"harbour": table}, table[["page", "text"]], ("the rest: nobody wrote it",))


@pytest.fixture
def results() -> Results:
    size = DataSet("read", "hand-read paragraphs", 2_000, 40, 250_000)
    fast = SystemResult(
        key="fast",
        title="Fast",
        call="fast(texts)",
        threads=1,
        model_of="",
        decides="three labels",
        fitted={"read": Fitted([2.0, 3.0], 150_000_000, 3_000_000)},
        served=Served("read", [600_000.0, 500_000.0, 400_000.0], [0.5, 0.7, 0.6], 120_000_000, 3_000_000),
        scores={"read": {"dev_news": Score(0.84567, 0.9)}},
    )
    slow = SystemResult(
        key="slow",
        title="Slow",
        call="slow(texts)",
        threads=1,
        model_of="",
        decides="three labels",
        fitted={"read": Fitted([30.0, 30.0], 900_000_000, 800_000_000)},
        served=Served("read", [50_000.0, 50_000.0, 50_000.0], [1.0, 1.0, 1.0], 850_000_000, 800_000_000),
        scores={"read": {"dev_news": Score(0.77, 0.8)}},
    )
    pair = SystemResult(
        key="fast-2",
        title="Fast, 2 threads",
        call="fast(texts)",
        threads=2,
        model_of="fast",
        decides="three labels",
        served=Served("read", [1_200_000.0, 950_000.0, 720_000.0], [0.5, 0.5, 0.5], 120_000_000, 3_000_000),
    )
    rule = SystemResult(
        key="rule",
        title="Rule",
        call="rule(texts)",
        threads=1,
        model_of="",
        decides="news or not",
        served=Served("", [9_876.0, 9_876.0, 9_876.0], [0.2, 0.2, 0.2], 30_000_000, 0),
        scores={"": {"dev_news": Score(0.5, 0.7)}},
    )
    gone = SystemResult(
        "gone", "Gone", "gone(texts)", 1, "", "three labels", failed="gone: must be installed; got no module gone"
    )
    return Results(
        date="2026-01-02",
        machine="A processor, 2 cores",
        versions={"Python": "3.12.0", "fast": "1.0"},
        reference="slow",
        n_rounds=3,
        seconds=100.0,
        trainings=[size],
        tests=[DataSet("dev_news", "whole pages", 100, 5, 12_000)],
        timed=DataSet("timed", "whole pages", 1_000, 20, 120_000),
        idle=Served("", [], [0.05, 0.05, 0.05], 15_000_000, 0),
        systems=[fast, pair, slow, rule, gone],
        skipped=["aligned paragraphs: no built corpus was named"],
    )
