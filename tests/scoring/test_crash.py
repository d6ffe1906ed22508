"""Bulk scoring killed, failing and contended. NEWSWINNOW_KILLS sets how often it is killed at random; CI takes 20."""

import os
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from newswinnow.scoring.model_source import ModelSource
from newswinnow.scoring.plan import RunPlan

KILLS = int(os.environ.get("NEWSWINNOW_KILLS", "6"))


@pytest.fixture
def plan(source: ModelSource, pages: Path, tmp_path: Path) -> RunPlan:
    return RunPlan((str(pages),), tmp_path, source, workers=1, chunk_bytes=30_000)


def test_killed_in_any_disk_call_a_run_goes_on_to_the_same_bytes(harness: ModuleType, plan: RunPlan, tmp_path: Path) -> None:
    outcome = harness.kill_at_every_call(plan, tmp_path)
    assert outcome.tries > 20
    assert (outcome.finished, outcome.wrong, outcome.broken) == (outcome.tries, 0, [])


def test_a_disk_full_at_any_call_breaks_nothing_and_the_run_goes_on(harness: ModuleType, plan: RunPlan, tmp_path: Path) -> None:
    outcome = harness.fail_at_every_call(plan, tmp_path)
    assert outcome.tries > 20
    assert (outcome.finished, outcome.wrong, outcome.broken) == (outcome.tries, 0, [])


def test_killed_at_random_a_run_goes_on_to_the_same_bytes(harness: ModuleType, plan: RunPlan, tmp_path: Path) -> None:
    outcome = harness.kill_at_random(replace(plan, chunk_bytes=2000), tmp_path, kills=KILLS)
    assert outcome.tries >= KILLS
    assert (outcome.wrong, outcome.broken) == (0, [])


def test_the_same_kills_catch_a_naive_implementation(harness: ModuleType, plan: RunPlan, tmp_path: Path) -> None:
    large = harness.write_pages(tmp_path / "large.jsonl", n_rows=4000)
    outcome = harness.kill_naive(replace(plan, inputs=(str(large),)), tmp_path, kills=max(KILLS, 10))
    assert outcome.wrong > 0


def test_of_four_writers_one_wins_and_three_are_told_at_once(harness: ModuleType, plan: RunPlan, tmp_path: Path) -> None:
    assert harness.concurrent_writers(plan, tmp_path) == [0, 3, 3, 3]
