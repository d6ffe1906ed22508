from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from newswinnow.evaluation.calibration import calibration_of, log_losses
from newswinnow.paragraphs.label import LABELS

NAMES = [str(label) for label in LABELS]


def test_calibration_against_a_hand_calculation() -> None:
    probabilities = np.array(
        [
            [0.95, 0.03, 0.02],  # right
            [0.05, 0.91, 0.04],  # wrong
            [0.62, 0.20, 0.18],  # right
            [0.30, 0.68, 0.02],  # right
            [0.10, 0.25, 0.65],  # wrong
        ]
    )
    found = calibration_of(probabilities, ["news", "news", "news", "boilerplate", "news"], ["p", "p", "q", "q", "r"])
    assert [(part.low, part.n_paragraphs) for part in found.bins] == [(0.6, 3), (0.9, 2)]
    assert [part.confidence for part in found.bins] == pytest.approx([0.65, 0.93])
    assert [part.accuracy for part in found.bins] == pytest.approx([2 / 3, 1 / 2])
    assert found.ece == pytest.approx((3 * abs(0.65 - 2 / 3) + 2 * abs(0.93 - 0.5)) / 5)


@pytest.mark.parametrize(("confidence", "low"), [(1.0, 0.9), (0.9, 0.9), (0.89, 0.8), (0.7, 0.7), (0.5, 0.5), (0.34, 0.3)])
def test_borders_of_bins(confidence: float, low: float) -> None:
    rest = (1 - confidence) / 2
    assert [part.low for part in calibration_of(np.array([[confidence, rest, rest]]), ["news"], ["p"]).bins] == [low]


def test_certain_and_right_is_calibrated_and_certain_and_wrong_is_not() -> None:
    certain = np.array([[1.0, 0.0, 0.0]] * 4)
    assert calibration_of(certain, ["news"] * 4, list("pqrs")).ece == 0.0
    assert calibration_of(certain, ["boilerplate"] * 4, list("pqrs")).ece == 1.0
    assert calibration_of(certain, ["news"] * 3 + ["boilerplate"], list("pqrs")).ece == pytest.approx(0.25)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 50), st.integers(0, 50), st.integers(1, 50)), min_size=1, max_size=40)
)
def test_calibration_counts_every_paragraph_once(rows: list[tuple[int, int, int, int]]) -> None:
    weights = np.array([row[1:] for row in rows], dtype=float)
    probabilities = weights / weights.sum(axis=1, keepdims=True)
    labels = [["news", "boilerplate", "related-link"][row[0]] for row in rows]
    found = calibration_of(probabilities, labels, range(len(rows)), n_resamples=20)
    assert sum(part.n_paragraphs for part in found.bins) == len(rows)
    assert 0 <= found.ece <= 1
    for part in found.bins:
        assert part.low - 1e-12 <= part.confidence <= part.low + 0.1 + 1e-12


def drawn(n: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities, labels drawn by them, and pages."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet((0.6, 0.5, 0.4), size=n)
    truth = (rng.random((n, 1)) > probabilities.cumsum(axis=1)).sum(axis=1)
    return probabilities, np.array(NAMES)[truth], rng.integers(0, 40, n)


def test_calibration_error_is_that_of_an_independent_implementation() -> None:
    probabilities, labels, pages = drawn(3000)
    truth = np.array([NAMES.index(label) for label in labels])
    found = calibration_of(probabilities, labels, pages, n_resamples=20)
    confidence, is_right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    accuracy, mean = calibration_curve(is_right, confidence, n_bins=10, strategy="uniform")
    counts = np.histogram(confidence, bins=10, range=(0, 1))[0]
    assert [part.n_paragraphs for part in found.bins] == counts[counts > 0].tolist()
    assert [part.accuracy for part in found.bins] == pytest.approx(accuracy)
    assert found.ece == pytest.approx((counts[counts > 0] * abs(accuracy - mean)).sum() / 3000)


def test_calibration_error_is_that_of_netcal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "float", float, raising=False)  # netcal 1.0 calls it by the name that it had before numpy 1.24
    from netcal.metrics import ECE

    for seed in range(5):
        probabilities, labels, pages = drawn(700, seed=seed)
        truth = np.array([NAMES.index(label) for label in labels])
        found = calibration_of(probabilities, labels, pages, n_resamples=2)
        assert found.ece == pytest.approx(ECE(10).measure(probabilities, truth))


def test_proper_scores_are_those_of_scikit_learn() -> None:
    probabilities, labels, pages = drawn(500)
    found = calibration_of(probabilities, labels, pages, n_resamples=20)
    truth = np.array([NAMES.index(label) for label in labels])
    assert found.log_loss.value == pytest.approx(log_loss(truth, probabilities, labels=[0, 1, 2]))
    each = [brier_score_loss(truth == i, probabilities[:, i]) for i in range(3)]
    assert found.brier.value == pytest.approx(sum(each))


def test_a_calibrated_model_shows_the_error_that_chance_makes() -> None:
    found = [calibration_of(*drawn(400, seed=seed), n_resamples=2) for seed in range(60)]
    by_chance = np.mean([each.ece_by_chance for each in found])
    assert by_chance == pytest.approx(np.mean([each.ece for each in found]), rel=0.1)


def test_confidence_gap_tells_too_sure_from_too_shy() -> None:
    probabilities, labels, pages = drawn(2000)
    calibrated = calibration_of(probabilities, labels, pages).confidence_gap
    assert calibrated.low < 0 < calibrated.high
    sure, shy = probabilities**2, probabilities**0.5
    assert calibration_of(sure / sure.sum(axis=1, keepdims=True), labels, pages).confidence_gap.low > 0
    assert calibration_of(shy / shy.sum(axis=1, keepdims=True), labels, pages).confidence_gap.high < 0


def test_bins_of_each_label_and_their_intervals() -> None:
    probabilities, labels, pages = drawn(3000)
    found = calibration_of(probabilities, labels, pages)
    assert list(found.label_bins) == NAMES
    for bins in (found.bins, *found.label_bins.values()):
        for part in bins:
            assert part.accuracy_low <= part.accuracy <= part.accuracy_high
    for bins in found.label_bins.values():
        assert sum(part.n_paragraphs for part in bins) == 3000
        assert sum(part.accuracy_low <= part.confidence <= part.accuracy_high for part in bins) >= len(bins) - 2


def test_log_loss_of_a_certain_mistake_is_finite() -> None:
    assert log_losses(np.array([[0.0, 1.0, 0.0]]), np.array([0])).tolist() == [pytest.approx(13.8155, abs=1e-4)]
    assert log_losses(np.array([[1.0, 0.0, 0.0]]), np.array([0])).tolist() == [0.0]
