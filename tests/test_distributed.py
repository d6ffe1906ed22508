"""Scoring Dask data frames: the values of one machine, whoever dies; pages that are cut are refused, or brought together."""

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from tests.cluster import Cluster, cluster

from newswinnow import load_model
from newswinnow.distributed import check_whole_pages, score, whole_pages
from newswinnow.models.predictor import Predictor
from newswinnow.models.saved import ModelLoadError
from newswinnow.scoring.dask_model import pack

NEWS = "The council voted on Monday to repair the old bridge over the Tarn"
COLUMNS = ["page", "position"]


@dataclass
class Neighbours:
    """A model of whole pages: news is what stands on a page of many paragraphs, the surer the further down it stands."""

    @property
    def classes_(self) -> list[str]:
        return ["news", "boilerplate", "related-link"]

    def predict_proba(self, X: Any, *, context: str) -> np.ndarray[Any, Any]:
        pages = pd.Series(list(X["page"]))
        share = pages.map(pages.value_counts()).to_numpy() / 16 + np.array(X["position"], dtype=float) / 64
        return np.column_stack([share, (1 - share) / 3, (1 - share) * 2 / 3])


@pytest.fixture(scope="module", autouse=True)
def here() -> Iterator[None]:
    """Without a cluster, frames are computed in this process."""
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rows = [
        {"page": f"p{i // 8:02}", "position": i % 8, "text": "Share" if i % 3 else f"{NEWS}, part {i}.", "n": i}
        for i in range(200)
    ]
    rows[7]["text"] = ""
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def neighbours() -> Predictor:
    return Predictor(Neighbours(), {}, ("alone", "bag", "order"))


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values(COLUMNS, kind="stable").reset_index(drop=True)


def same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """The same columns, rows, index and values to the last bit; Dask has a string type of its own."""
    plain = [frame.astype(dict.fromkeys(frame.select_dtypes(["string", "object"]), object)) for frame in (found, expected)]
    ours, theirs = (frame.where(frame.notna(), None) for frame in plain)
    pd.testing.assert_frame_equal(ours, theirs, check_exact=True)


@pytest.mark.parametrize("npartitions", [1, 3, 20])
def test_partitions_give_the_values_of_one_table(npartitions: int, table: pd.DataFrame) -> None:
    frame = dd.from_pandas(table, npartitions=npartitions)
    same(score(frame, context="alone").compute(), load_model().predict_table(table, context="alone"))


def test_columns_are_known_before_anything_is_computed(table: pd.DataFrame) -> None:
    scored = score(dd.from_pandas(table.assign(predicted="old", status="full"), npartitions=2), context="alone")
    assert list(scored.columns) == [
        *["page", "position", "text", "n", "predicted", "status", "p_news", "p_boilerplate", "p_related_link"]
    ]
    assert [str(kind) for kind in scored.dtypes[-3:]] == ["float64"] * 3
    computed = scored.compute()
    assert list(computed.columns) == list(scored.columns)
    assert set(computed["status"]) == {"full"}
    assert set(computed["predicted"].dropna()) <= {"news", "boilerplate", "related-link"}


def test_a_page_in_two_partitions_is_refused_and_can_be_brought_together(table: pd.DataFrame, neighbours: Predictor) -> None:
    frame = dd.from_pandas(table, npartitions=7)
    message = (
        r"frame: every page must lie within one partition; got 'p\d\d' in several, [3-6] pages in all \(newswinnow\.distributed"
    )
    with pytest.raises(ValueError, match=message):
        score(frame, neighbours)
    expected = in_order(neighbours.predict_table(table, context="order"))
    gathered = score(frame, neighbours, context="order", pages="gather").compute()
    same(in_order(gathered), expected)
    wrong = in_order(score(frame, neighbours, context="order", pages="trust").compute())
    assert wrong["p_news"].tolist() != expected["p_news"].tolist()


def test_whole_pages_pass_the_check(table: pd.DataFrame, neighbours: Predictor) -> None:
    frame = dd.from_pandas(table.sample(frac=1, random_state=3), npartitions=5, sort=False)
    whole = whole_pages(frame, npartitions=4)
    check_whole_pages(whole)
    assert whole.npartitions == 4
    parts = [part.compute() for part in whole.partitions]
    assert all(part[COLUMNS].to_numpy().tolist() == sorted(part[COLUMNS].to_numpy().tolist()) for part in parts)
    assert sorted(n for part in parts for n in part["n"]) == list(range(200))
    same(in_order(score(whole, neighbours).compute()), in_order(neighbours.predict_table(table)))


def test_the_level_alone_asks_for_no_pages(table: pd.DataFrame, neighbours: Predictor) -> None:
    frame = dd.from_pandas(table[["text"]], npartitions=7)
    same(score(frame, context="alone").compute(), load_model().predict_table(table[["text"]], context="alone"))
    with pytest.raises(ValueError, match="frame: must have the columns text, page; got text"):
        score(frame, neighbours)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pages": "guess"}, "pages: must be one of check, gather, trust; got 'guess'"),
        ({"context": "neighbours"}, "context: must be auto or one of alone, bag, order, markup for this model; got 'neighbours'"),
    ],
)
def test_unusable_options_are_refused_at_once(options: dict[str, str], message: str, table: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match=message):
        score(dd.from_pandas(table, npartitions=2), **options)


def test_what_is_missing_is_named(table: pd.DataFrame, tmp_path: Path) -> None:
    frame = dd.from_pandas(table[["n"]], npartitions=2)
    with pytest.raises(ValueError, match="frame: must have the columns text, page; got n"):
        score(frame)
    with pytest.raises(ValueError, match="frame: must have the columns page, position; got n"):
        whole_pages(frame)
    with pytest.raises(ValueError, match="frame: must have the columns page; got n"):
        check_whole_pages(frame)
    with pytest.raises(ModelLoadError, match=r"manifest\.json"):
        score(frame, tmp_path)


def test_the_model_is_one_task_however_many_partitions(table: pd.DataFrame) -> None:
    graph = score(dd.from_pandas(table, npartitions=20), context="alone").optimize().__dask_graph__()
    key = f"newswinnow-model-{pack(None).sha256}"
    holders = [name for name in graph if key in str(name)]
    assert len(holders) <= 2
    users = [name for name, task in graph.items() if any(key in str(other) for other in getattr(task, "dependencies", ()))]
    assert len([name for name in users if name not in holders]) == 20


def make(number: int, marker: str) -> pd.DataFrame:
    """Eight pages; while the fourth of eight partitions is made for the first time, the process is killed."""
    if number == 3 and not os.path.exists(marker):  # noqa: PTH110
        with open(marker, "x"):  # noqa: PTH123
            os.kill(os.getpid(), signal.SIGKILL)
    rows = [(f"p{number}-{i // 10}", i % 10, f"{NEWS}, {number} {i}.") for i in range(80)]
    return pd.DataFrame(rows, columns=["page", "position", "text"])


@pytest.fixture(scope="module")
def dask_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster"), workers=2) as started:
        yield started


def test_a_worker_killed_in_the_middle_changes_nothing(dask_cluster: Cluster, neighbours: Predictor, tmp_path: Path) -> None:
    marker, never = tmp_path / "killed", tmp_path / "local"
    never.touch()
    local = pd.concat([make(i, str(never)) for i in range(8)])
    frame = dd.from_map(make, range(8), marker=str(marker), meta=local.iloc[:0])
    client = dask_cluster.client()
    try:
        found = score(frame, neighbours, pages="trust").compute(scheduler=client, retries=2)
    finally:
        client.close()
    same(found, neighbours.predict_table(local))
    dead = [process.wait() for process in dask_cluster.workers.values() if process.poll() is not None]
    assert dead == [-signal.SIGKILL]


def test_pages_are_brought_together_on_a_cluster_too(dask_cluster: Cluster, table: pd.DataFrame, neighbours: Predictor) -> None:
    client = dask_cluster.client()
    try:
        with client.as_current(), dask.config.set(scheduler=client):
            frame = dd.from_pandas(table, npartitions=7)
            with pytest.raises(ValueError, match="frame: every page must lie within one partition"):
                score(frame, neighbours)
            found = score(frame, neighbours, pages="gather").compute()
            again = score(frame, neighbours, pages="gather").compute()
    finally:
        client.close()
    same(in_order(found), in_order(neighbours.predict_table(table)))
    same(again, found)


def test_the_package_is_not_shadowed() -> None:
    import distributed

    import newswinnow.distributed

    assert distributed.__name__ == "distributed"
    assert newswinnow.distributed.score is score
    assert "site-packages" in str(sys.modules["distributed"].__file__)
