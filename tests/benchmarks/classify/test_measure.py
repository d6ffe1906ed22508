"""A whole run, with processes that are not started; and one with two that are."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benchmarks.classify.data import Data
from benchmarks.classify.measure import Plan
from benchmarks.classify.processes import SystemFailed
from benchmarks.classify.render import section
from benchmarks.classify.results import Results
from benchmarks.classify.systems.newswinnow import shipped
from tests.benchmarks.classify.counting import counting

from benchmarks.classify import child, measure


class InProcess:
    """A ``Child`` that does its work here; a system whose key begins with ``dies`` fails in the mode it names."""

    log: list[tuple[str, str]]

    def __init__(self, mode: str, key: str, paths: list[Path], *, threads: int = 1, number: int = 0) -> None:
        self.mode, self.key, self.paths, self.begin = mode, key, paths, 0.0
        self.number = number
        self.told: list[dict[str, Any]] = []

    def __enter__(self) -> "InProcess":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def answer(self) -> dict[str, Any]:
        return self._said(self.told[0]["do"], self.told.pop(0)) if self.told else self._said(self.mode)

    def ask(self, **command: Any) -> dict[str, Any]:
        self.tell(**command)
        return self.answer()

    def tell(self, **command: Any) -> None:
        self.told.append(command)

    def _said(self, what: str, command: dict[str, Any] | None = None) -> dict[str, Any]:
        self.log.append((self.key, what))
        if self.key == f"dies-{what}":
            raise SystemFailed(f"{self.key}: died")
        if self.mode == "train":
            return child.train(self.key, self.paths[1], self.paths[0], self.paths[2])
        if self.mode == "cold":
            return child.cold(self.key, self.paths[0])
        answers = io.StringIO()
        child.serve(self.key, self.paths[0], self.paths[1], io.StringIO(json.dumps(command) if command else ""), answers)
        said: dict[str, Any] = json.loads(answers.getvalue().splitlines()[-1])
        return said


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, use_systems: Callable[..., None], data: Data) -> Callable[..., Results]:
    InProcess.log = []
    monkeypatch.setattr(measure, "Child", InProcess)
    monkeypatch.setattr(measure, "available_cores", lambda: [0, 1])

    def run(*systems: Any, **plan: Any) -> Results:
        use_systems(*systems)
        options = {"n_rounds": 2, "seconds": 0, **plan}
        return measure.measure(systems, data, Plan(**options), reference="counting", progress=lambda text: None)

    return run


def test_a_system_is_trained_timed_started_and_scored(run: Callable[..., Results]) -> None:
    results = run(counting(), n_train_rounds=3)
    (system,) = results.systems
    assert system.failed == ""
    assert {name: len(fitted.seconds) for name, fitted in system.fitted.items()} == {"small": 3, "large": 3}
    assert system.served is not None
    assert system.served.model == "large"
    assert len(system.served.paragraphs_per_second) == len(system.served.cold_seconds) == len(results.idle.cold_seconds) == 2
    assert system.served.size_bytes == 1
    # The model of the small set knows no news of fewer than ten words and misses the one of seven.
    assert system.scores["large"]["harbour"].news_f1 == 1.0
    assert system.scores["small"]["harbour"].news_f1 == pytest.approx(2 / 3)
    assert [(training.name, training.n_paragraphs) for training in results.trainings] == [("small", 2), ("large", 3)]
    assert (results.tests[0].n_paragraphs, results.timed.n_paragraphs) == (3, 4)
    assert results.skipped == ["the rest: nobody wrote it"]
    assert "Counting" in section(results)


def test_systems_take_turns_in_every_round(run: Callable[..., Results]) -> None:
    run(counting(), counting(key="other"))
    timed = [key for key, what in InProcess.log if what == "time"]
    cold = [key for key, what in InProcess.log if what == "cold"]
    assert timed == ["counting", "other"] * 2
    assert cold == ["idle", "counting", "other"] * 2


def test_a_second_thread_loads_the_first_s_model_and_is_not_scored(run: Callable[..., Results]) -> None:
    results = run(counting(), counting(key="pair", threads=2, model_of="counting"))
    pair = results.systems[1]
    assert ("pair", "train") not in InProcess.log
    assert pair.served is not None
    assert (pair.fitted, pair.scores, pair.served.size_bytes) == ({}, {}, 1)


def test_processes_work_at_the_same_time_and_count_together(run: Callable[..., Results]) -> None:
    results = run(counting(), counting(key="both", processes=2, model_of="counting"))
    one, both = (system.served for system in results.systems)
    assert one is not None
    assert both is not None
    assert [key for key, what in InProcess.log if what == "time"] == ["counting", "both", "both"] * 2
    assert both.peak_bytes >= 2 * one.peak_bytes > 0
    assert results.systems[1].processes == 2


@pytest.mark.parametrize("step", ["train", "serve", "time", "labels", "peak", "cold"])
def test_a_system_that_dies_is_named_and_the_others_go_on(step: str, run: Callable[..., Results]) -> None:
    results = run(counting(), counting(key=f"dies-{step}"))
    good, dead = results.systems
    assert good.failed == ""
    assert good.served is not None
    assert dead.failed == f"dies-{step}: died"
    assert (dead.served, dead.scores) == (None, {})
    assert f"- **did not run**: Counting: dies-{step}: died" in section(results)


def test_systems_that_cannot_run_say_why(run: Callable[..., Results], monkeypatch: pytest.MonkeyPatch) -> None:
    results = run(
        counting(key="wide", threads=3), counting(key="many", processes=3), counting(key="gone", modules=("no_such_module",))
    )
    assert [system.failed for system in results.systems] == [
        "wide: needs 3 cores; got 2",
        "many: needs 3 cores; got 2",
        "gone: must be installed (pip install -e '.[bench]'); got no module no_such_module",
    ]
    assert {key for key, _ in InProcess.log} == {"idle"}


def test_a_system_is_not_scored_on_what_it_learnt_from_before(run: Callable[..., Results]) -> None:
    results = run(counting(knows=("harbour",)))
    assert results.systems[0].scores == {"small": {}, "large": {}}
    assert results.skipped[-1] == "Counting on harbour: it learnt from that before"


def test_a_system_that_drops_paragraphs_is_out(run: Callable[..., Results], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "peak_bytes", lambda: 1)
    few = counting()
    monkeypatch.setattr(type(few), "load", lambda self, folder: lambda batch: batch.texts[:1])
    assert run(few).systems[0].failed == "counting: must give one label per paragraph; got 1"


def test_real_processes_answer_and_one_that_does_not_exist_is_named(data: Data) -> None:
    systems = [shipped(), counting(key="unheard-of", is_trained=False)]
    told: list[str] = []
    plan = Plan(n_rounds=1, seconds=0)
    results = measure.measure(systems, data, plan, reference="shipped", progress=told.append)
    ours, unknown = results.systems
    assert ours.served is not None
    assert ours.served.peak_bytes > results.idle.peak_bytes > 0
    assert ours.served.size_bytes > 100_000
    assert set(ours.scores) == {""}
    assert "exit code 1: ValueError: system: must be one of shipped, " in unknown.failed
    assert told[0] == "loading newswinnow, the model that ships"
    assert f"out of the run: {unknown.failed}" in told
