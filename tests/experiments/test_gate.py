"""The gate on tiny corpora, and on the baseline that is committed."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from newswinnow.experiments.gate import MODELS, Gate, make_model, read_baseline, run_gate, write_baseline
from newswinnow.models.ladder.networks import Network
from newswinnow.models.linear import LinearModel
from newswinnow.models.predictor import Predictor
from newswinnow.models.saved import load_model
from newswinnow.paragraphs.table import texts_of

Rows = Callable[..., list[dict[str, Any]]]
Jsonl = Callable[[Path, Sequence[dict[str, Any]]], Path]
COMMITTED = Path(__file__).parents[2] / "experiments" / "baseline.json"
LABELS = ["news", "boilerplate", "related-link"]


class Scripted:
    """Knows the label of every text of the tiny corpora, and is right about so many of each hundred."""

    classes_ = np.array(LABELS)

    def __init__(self, right: int = 100, *, sure: float = 0.9, contexts: tuple[str, ...] = ("alone",)) -> None:
        self.right, self.sure, self.contexts = right, sure, contexts

    def predict_proba(self, X: Any, context: str = "alone") -> Any:
        texts = texts_of(X) if isinstance(X, pd.DataFrame) else list(X)
        right = 100 if context == "order" else self.right
        return np.array([self._one(text, is_right=(i * 37) % 100 < right) for i, text in enumerate(texts)])

    def _one(self, text: str, *, is_right: bool) -> list[float]:
        true = 2 if text.startswith("Read") else 1 if text.startswith(("Share", "Sign")) else 0
        answer = true if is_right else (true + 1) % 3
        return [self.sure if i == answer else (1 - self.sure) / 2 for i in range(3)]


def predictor(right: int = 100, *, sure: float = 0.9, contexts: tuple[str, ...] = ("alone",)) -> Predictor:
    return Predictor(Scripted(right, sure=sure, contexts=contexts), {}, contexts)


def gate(path: Path, right: int = 90, **options: Any) -> Gate:
    return run_gate(path, model=lambda name: predictor(right, **options))


@pytest.fixture
def baseline(tmp_path: Path, rows_of: Rows, jsonl: Jsonl) -> Path:
    """A baseline of a model that is right in nine of ten cases, and a test whose corpus is elsewhere."""
    jsonl(tmp_path / "test.jsonl", rows_of("test", n_sites=8))
    path = tmp_path / "baseline.json"
    tests = {"here": {"model": "shipped", "corpus": "test.jsonl"}, "far": {"model": "default", "corpus": "far.jsonl"}}
    write_baseline(path, {"format": 1, "tests": tests})
    write_baseline(path, gate(path).updated())
    return path


def test_the_same_model_passes_and_absent_corpora_are_named(baseline: Path) -> None:
    here, far = sorted(gate(baseline).check(), key=lambda test: test.skipped)
    assert (here.name, here.skipped, here.is_passed) == ("here", "", True)
    assert [level.context for level in here.levels] == ["alone"]
    assert all(check.difference.value == 0 for check in here.levels[0].checks)
    assert (far.name, far.levels) == ("far", ())
    assert far.skipped.endswith("far.jsonl is not here")


def test_a_worse_model_fails(baseline: Path) -> None:
    (here,) = [test for test in gate(baseline, 50).check() if not test.skipped]
    assert not here.is_passed
    assert {check.measure for check in here.levels[0].checks if check.failure} >= {"macro_f1", "log_loss"}


def test_a_better_model_passes_and_raises_the_floors(baseline: Path) -> None:
    better = gate(baseline, 100)
    assert all(test.is_passed for test in better.check())
    before = read_baseline(baseline)["tests"]["here"]["levels"]["alone"]["floors"]
    write_baseline(baseline, better.updated())
    after = read_baseline(baseline)["tests"]["here"]["levels"]["alone"]["floors"]
    assert after["macro_f1"] > before["macro_f1"]
    assert after["log_loss"] < before["log_loss"]
    assert not all(test.is_passed for test in gate(baseline, 80).check())


def test_an_update_never_lowers_a_floor_unless_that_is_allowed(baseline: Path) -> None:
    before = baseline.read_bytes()
    worse = gate(baseline, 50)
    with pytest.raises(ValueError, match=r"baseline.json: --update must not lower a floor; got here \(alone\): macro_f1 surely"):
        worse.updated()
    assert baseline.read_bytes() == before
    floors = worse.updated(allow_regression=True)["tests"]["here"]["levels"]["alone"]["floors"]
    assert floors["macro_f1"] < read_baseline(baseline)["tests"]["here"]["levels"]["alone"]["floors"]["macro_f1"]


def test_an_update_with_the_same_answers_changes_no_byte(baseline: Path) -> None:
    before = baseline.read_bytes()
    write_baseline(baseline, gate(baseline).updated())
    assert baseline.read_bytes() == before


def test_a_baseline_holds_no_text(baseline: Path) -> None:
    assert "bridge" not in baseline.read_text(encoding="utf-8")


def test_every_level_is_held_and_a_lost_one_fails(baseline: Path) -> None:
    write_baseline(baseline, gate(baseline, contexts=("alone", "order")).updated(allow_regression=True))
    both = gate(baseline, contexts=("alone", "order")).check()
    here = next(test for test in both if not test.skipped)
    assert {level.context for level in here.levels} == {"auto", "alone", "order"}
    lost = next(test for test in gate(baseline).check() if not test.skipped)
    assert {level.context: level.failure for level in lost.levels}["order"] == "the model has no such level any more"
    assert not lost.is_passed
    with pytest.raises(ValueError, match=r"must not lower a floor; got here \((auto|order)\): the model has no such level"):
        gate(baseline).updated()


def test_other_paragraphs_are_refused(baseline: Path, rows_of: Rows, jsonl: Jsonl) -> None:
    jsonl(baseline.parent / "test.jsonl", rows_of("other", n_sites=8))
    with pytest.raises(ValueError, match=r"test 'here' must be measured on the paragraphs of its baseline, digest "):
        gate(baseline).check()
    with pytest.raises(ValueError, match=r"test 'here' must be measured on the paragraphs of its baseline, digest "):
        gate(baseline).updated()
    assert gate(baseline).updated(allow_regression=True)["tests"]["here"]["data_digest"]


def test_a_test_without_baseline_says_what_makes_it(tmp_path: Path, rows_of: Rows, jsonl: Jsonl) -> None:
    jsonl(tmp_path / "test.jsonl", rows_of("test"))
    write_baseline(tmp_path / "b.json", {"format": 1, "tests": {"new": {"model": "shipped", "corpus": "test.jsonl"}}})
    with pytest.raises(ValueError, match=r"b.json: test 'new' must have a baseline; got none yet \(--update makes it\)"):
        gate(tmp_path / "b.json").check()


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"format": 2, "tests": {}}',
        '{"format": 1, "tests": {"a": {"model": "shipped"}}}',
        '{"format": 1, "tests": []}',
    ],
)
def test_damaged_baselines_are_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"b.json: must hold a baseline of format 1; got "):
        read_baseline(path)


def test_missing_and_empty_baselines_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"absent.json: must be a baseline; got nothing there"):
        read_baseline(tmp_path / "absent.json")
    (tmp_path / "b.json").write_text('{"format": 1, "tests": {}}', encoding="utf-8")
    with pytest.raises(ValueError, match=r"b.json: must name at least one test; got none"):
        read_baseline(tmp_path / "b.json")


def test_models_by_name() -> None:
    with pytest.raises(ValueError, match=r"gate: model must be one of shipped, default; got 'mine'"):
        make_model("mine")
    assert MODELS == ("shipped", "default")


def without_label(model: Predictor, label: int) -> Predictor:
    """A model of several levels whose every level has all weights of one label set to 0."""
    ladder = model.estimator
    weights = ladder.alone.weights
    linear = {name: getattr(weights, name).copy() for name in ("hashed", "dense", "bias")}
    for part in linear.values():
        part[..., label] = 0
    networks = {}
    for level, network in ladder.networks.items():
        parts = {name: network.weights[name].copy() for name in ("last", "last_bias")}
        for part in parts.values():
            part[..., label] = 0
        networks[level] = Network(level, {**network.weights, **parts})
    damaged = replace(ladder, linear=LinearModel(replace(weights, **linear)), correction=None, networks=networks)
    return replace(model, estimator=damaged)


def test_the_shipped_model_without_a_label_fails_at_every_level(tmp_path: Path) -> None:
    def held(model: Predictor) -> Gate:
        return run_gate(path, model=lambda name: model)

    shipped, path = load_model(), tmp_path / "baseline.json"
    write_baseline(path, {"format": 1, "tests": {"sample": {"model": "shipped", "corpus": "sample:test"}}})
    write_baseline(path, held(shipped).updated())
    (same,) = held(load_model()).check()
    assert same.is_passed
    assert {level.context for level in same.levels} >= {"auto", "alone", "bag", "order"}
    for label in range(3):
        (found,) = held(without_label(shipped, label)).check()
        for level in found.levels:
            failed = {check.measure for check in level.checks if check.failure}
            assert {"macro_f1", "log_loss"} <= failed, (label, level.context)


def test_the_committed_baseline_passes() -> None:
    """What `newswinnow experiments gate` does: the default model on the sample, the shipped one where read pages are at hand."""
    assert json.loads(COMMITTED.read_text(encoding="utf-8"))["format"] == 1
    found = run_gate(COMMITTED).check()
    assert "sample" in {test.name for test in found if not test.skipped}
    assert [test.name for test in found if not test.is_passed] == []
