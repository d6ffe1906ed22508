"""What is said of a cluster that cannot run trials; clusters that can are tested with whole searches."""

import contextlib
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import joblib
import pytest

from newswinnow.experiments.search_pool import pool, versions_here

ADDRESS = "tcp://scheduler:8786"


class FakeClient:
    """A client of a cluster whose workers say what they are told to."""

    def __init__(self, answers: dict[str, dict[str, str]]) -> None:
        self._answers = answers

    def __call__(self, address: str, **options: Any) -> "FakeClient":
        return self

    def __enter__(self) -> "FakeClient":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def run(self, function: Callable[[], dict[str, str]]) -> dict[str, dict[str, str]]:
        return self._answers


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, dict[str, str]]], None]:
    """Put a cluster in the place of a real one, whose backend runs in this process."""
    monkeypatch.setattr(joblib, "parallel_config", lambda **options: contextlib.nullcontext())

    def put(answers: dict[str, dict[str, str]]) -> None:
        monkeypatch.setitem(sys.modules, "distributed", SimpleNamespace(Client=FakeClient(answers)))

    return put


def test_a_cluster_without_workers_is_refused(cluster: Any) -> None:
    cluster({})
    message = rf"^--dask: {ADDRESS} must have workers; got none \(dask worker {ADDRESS}\)$"
    with pytest.raises(ValueError, match=message), pool(dask=ADDRESS):
        pass


def test_workers_of_other_versions_are_refused(cluster: Any) -> None:
    here = versions_here()
    cluster({"tcp://a:1": here, "tcp://b:2": {**here, "numpy": "1.0"}})
    message = rf"^--dask: worker tcp://b:2 must have numpy {here['numpy']} as here; got 1.0$"
    with pytest.raises(ValueError, match=message), pool(dask=ADDRESS):
        pass


def test_lost_trials_are_said_in_one_line_and_other_errors_left_as_they_are(cluster: Any) -> None:
    cluster({"tcp://a:1": versions_here()})
    lost = type("KilledWorker", (Exception,), {"__module__": "distributed.scheduler"})
    with (
        pytest.raises(RuntimeError, match=rf"^--dask: {ADDRESS} must finish every trial; got KilledWorker: gone$"),
        pool(dask=ADDRESS),
    ):
        raise lost("gone")
    with pytest.raises(KeyError, match="own"), pool(dask=ADDRESS):
        raise KeyError("own")
