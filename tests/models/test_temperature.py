from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswinnow.models.temperature import HIGHEST, LOWEST, best_temperature, mean_log_loss

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(300, 3)) * 2
POWERS = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.3, 4))
def test_logits_too_large_are_shrunk_by_as_much(factor: float) -> None:
    assert best_temperature(LOGITS * factor, POWERS) == pytest.approx(factor, rel=1e-3)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.2, 5))
def test_no_other_temperature_loses_less(temperature: float) -> None:
    codes = RNG.integers(0, 3, len(LOGITS))
    targets = np.where(RNG.random(len(LOGITS))[:, None] < 0.5, np.eye(3)[codes], POWERS)
    best = best_temperature(LOGITS, targets)
    assert mean_log_loss(LOGITS, targets, temperature=best) <= mean_log_loss(LOGITS, targets, temperature=temperature) + 1e-9


def test_weights_of_rows_count() -> None:
    logits = np.array([[3.0, 0.0, 0.0], [3.0, 0.0, 0.0]])
    right, wrong = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]
    trusting = best_temperature(logits, np.array([right, wrong]) * [[9.0], [1.0]])
    doubting = best_temperature(logits, np.array([right, wrong]) * [[3.0], [1.0]])
    assert trusting < doubting


def test_bounds_hold() -> None:
    logits, right = np.array([[1.0, 0.0, 0.0]]), np.array([[1.0, 0.0, 0.0]])
    assert best_temperature(logits, right) == pytest.approx(LOWEST, rel=1e-3)
    assert best_temperature(logits, right[:, ::-1]) == pytest.approx(HIGHEST, rel=1e-3)


def test_log_loss_is_that_of_the_probabilities() -> None:
    targets = np.eye(3)[RNG.integers(0, 3, len(LOGITS))]
    assert mean_log_loss(LOGITS, targets, temperature=1.0) == pytest.approx(-np.log((POWERS * targets).sum(axis=1)).mean())
