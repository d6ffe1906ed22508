"""The closed registry: another family of several tensors and context levels is one entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from newswinnow.models.predictor import Predictor
from newswinnow.models.saved import ModelLoadError, load_model, read_manifest, save_model, verify_model
from newswinnow.models.saved import save as saving
from newswinnow.models.saved.families import FAMILIES, Family, TensorRule, check_tensors, family_of
from newswinnow.paragraphs.rows import Rows

RULES = {"gain": TensorRule(np.float32, (3,)), "table": TensorRule(np.float64, (None, 3))}


@dataclass(frozen=True)
class Ladder:
    """Judges by length, and by place where it may look at the page."""

    gain: Any
    table: Any
    classes_ = np.array(["news", "boilerplate", "related-link"])

    def predict_proba(self, X: Rows, *, context: str) -> Any:
        lengths = np.array([len(text) for text in X["text"]])[:, None] / 100
        place = np.array(X["position"])[:, None] if context in ("order", "auto") and "position" in X else 0
        powers = np.exp(-np.abs(self.gain * lengths + self.table.sum(axis=0) * place))
        return powers / powers.sum(axis=1, keepdims=True)


def from_tensors(tensors: Mapping[str, Any]) -> Ladder:
    check_tensors(tensors, RULES)
    return Ladder(tensors["gain"], tensors["table"])


@pytest.fixture
def ladder(monkeypatch: pytest.MonkeyPatch) -> Predictor:
    """A fitted model of a family registered for one test; the new process of a save would not know it."""
    family = Family(Ladder, 7, ("alone", "order"), lambda model: {"gain": model.gain, "table": model.table}, from_tensors)
    monkeypatch.setitem(FAMILIES, "test-ladder", lambda: family)
    monkeypatch.setattr(saving, "_verify_in_new_process", lambda directory, digest, **_: verify_model(directory, digest))
    model = Ladder(np.array([0.5, 1.0, 2.0], dtype=np.float32), np.asfortranarray(np.arange(12.0).reshape(4, 3) / 50))
    return Predictor(model, {"spec": {"family": "test-ladder"}}, ("alone", "order"))


ROWS = Rows({"page": ["p", "p"], "position": [0, 5], "text": ["Share", "A bridge opened on Monday."]})


def test_one_entry_saves_and_loads_a_model_of_several_contexts(ladder: Predictor, tmp_path: Path) -> None:
    digest = save_model(ladder, tmp_path / "model")
    manifest = read_manifest(tmp_path / "model")
    assert (manifest["format"], manifest["feature_definition"], manifest["contexts"]) == ("test-ladder", 7, ["alone", "order"])
    assert list(manifest["probes"]["probabilities"]) == ["alone", "order"]
    loaded = load_model(tmp_path / "model", sha256=digest)
    for context in ("alone", "order", "auto"):
        found = loaded.predict_proba(ROWS, context=context)
        assert np.array_equal(found, ladder.predict_proba(ROWS, context=context))
    assert not np.array_equal(loaded.predict_proba(ROWS, context="alone"), loaded.predict_proba(ROWS, context="order"))


def test_context_that_changed_is_found_out_by_its_probes(ladder: Predictor, tmp_path: Path, monkeypatch: Any) -> None:
    save_model(ladder, tmp_path / "model")
    monkeypatch.setattr(Ladder, "predict_proba", lambda self, X, context: np.full((len(X), 3), 1 / 3))
    with pytest.raises(ModelLoadError, match="golden probes must agree"):
        load_model(tmp_path / "model")


def test_context_that_the_family_does_not_know_is_refused(ladder: Predictor, tmp_path: Path, monkeypatch: Any) -> None:
    save_model(ladder, tmp_path / "model")
    narrow = Family(Ladder, 7, ("alone",), dict, from_tensors)
    monkeypatch.setitem(FAMILIES, "test-ladder", lambda: narrow)
    with pytest.raises(ModelLoadError, match="contexts must be of alone for this format; got order"):
        load_model(tmp_path / "model")


def test_unregistered_family_is_refused(ladder: Predictor, tmp_path: Path, monkeypatch: Any) -> None:
    save_model(ladder, tmp_path / "model")
    monkeypatch.delitem(FAMILIES, "test-ladder")
    with pytest.raises(ModelLoadError, match=r"format must be one of joblib, linear.*; got 'test-ladder'"):
        load_model(tmp_path / "model")
    assert family_of(ladder.estimator) is None


GOOD: dict[str, Any] = {"gain": np.ones(3, dtype=np.float32), "table": np.ones((4, 3))}


def test_tensors_as_they_must_be_pass() -> None:
    check_tensors(GOOD, RULES)
    check_tensors({**GOOD, "table": np.ones((0, 3))}, RULES)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gain": np.ones(3)}, r"gain must be float32 of shape \(3\); got float64 of shape \(3,\)"),
        ({"gain": np.ones(4, dtype=np.float32)}, r"gain must be float32 of shape \(3\); got float32 of shape \(4,\)"),
        ({"table": np.ones((4, 2))}, r"table must be float64 of shape \(any, 3\); got float64 of shape \(4, 2\)"),
        ({"table": np.ones(3)}, r"table must be float64 of shape \(any, 3\); got float64 of shape \(3,\)"),
        ({"table": np.full((1, 3), np.inf)}, r"table must hold finite numbers; got others"),
        ({"more": np.ones(3)}, r"tensors must be gain, table; got gain, more, table"),
    ],
)
def test_tensors_that_are_otherwise_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_tensors({**GOOD, **change}, RULES)


def test_missing_tensor_is_refused() -> None:
    with pytest.raises(ValueError, match="tensors must be gain, table; got gain"):
        check_tensors({"gain": GOOD["gain"]}, RULES)
