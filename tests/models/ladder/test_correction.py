"""The correction of a linear model: one linear model afterwards, nearer to the labels that it learnt from."""

import numpy as np
import pytest

from newswinnow.features.definition import N_SURFACE, SURFACE_NAMES
from newswinnow.features.hashed import LinearWeights, linear_logits
from newswinnow.features.paragraphs import read
from newswinnow.features.plain import softmax
from newswinnow.models.ladder.correction import Correction
from newswinnow.models.winnow import WinnowClassifier
from newswinnow.paragraphs.table import FloatArray

NEWS = [f"The ferry to pier {n} sailed on Monday after {n} hours, the harbour master said." for n in range(40)]
LINKS = [f"Ferry to pier {n} delayed again" for n in range(40)]
CHROME = [f"Share {n}" for n in range(40)]
TEXTS = [*NEWS, *LINKS, *CHROME]
LABELS = ["news"] * 40 + ["related-link"] * 40 + ["boilerplate"] * 40
CODES = np.repeat([0, 2, 1], 40)
TARGETS = np.eye(3)[CODES]


@pytest.fixture(scope="module")
def weights() -> LinearWeights:
    """Of a model that was told that half of the links are news."""
    told = [label if i % 2 else label.replace("related-link", "news") for i, label in enumerate(LABELS)]
    found: LinearWeights = WinnowClassifier(bits=10, calibration_share=0.0).fit(TEXTS, told).model_.weights
    return found


@pytest.fixture(scope="module")
def logits(weights: LinearWeights) -> FloatArray:
    return linear_logits(TEXTS, weights)


def loss(logits: FloatArray) -> float:
    return float(-np.log(softmax(logits)[np.arange(len(CODES)), CODES]).mean())


def test_it_comes_nearer_to_the_labels_it_learnt_from(weights: LinearWeights, logits: FloatArray) -> None:
    surface = read(TEXTS, weights).surface
    many = [np.tile(values, (20, 1)) for values in (logits, surface, TARGETS)]  # a few examples say little against the penalty
    corrected = Correction.of(*many).logits(logits, surface)
    assert loss(corrected) < loss(logits) / 2
    assert (corrected.argmax(axis=1) == CODES).mean() > 0.98


def test_the_corrected_linear_model_is_a_linear_model(weights: LinearWeights, logits: FloatArray) -> None:
    surface = read(TEXTS, weights).surface
    correction = Correction.of(logits, surface, TARGETS)
    corrected = correction.weights(weights)
    assert corrected.lanes  # scored exactly, in whole numbers
    np.testing.assert_allclose(linear_logits(TEXTS, corrected), correction.logits(logits, surface), rtol=0.01, atol=0.01)


def test_a_cooled_correction_divides_its_logits(weights: LinearWeights, logits: FloatArray) -> None:
    surface = read(TEXTS, weights).surface
    correction = Correction.of(logits, surface, TARGETS)
    np.testing.assert_allclose(correction.cooled(2.5).logits(logits, surface), correction.logits(logits, surface) / 2.5)


def test_what_is_added_to_all_logits_of_a_paragraph_changes_nothing(weights: LinearWeights, logits: FloatArray) -> None:
    surface = read(TEXTS, weights).surface
    shift = np.linspace(-50, 50, len(TEXTS))[:, None]
    correction = Correction.of(logits + shift, surface, TARGETS)
    plain = Correction.of(logits, surface, TARGETS)
    np.testing.assert_allclose(correction.logits(logits + shift, surface), plain.logits(logits, surface), atol=1e-3)


def test_a_surface_feature_that_never_varies_weighs_nothing_new(weights: LinearWeights, logits: FloatArray) -> None:
    surface = read(TEXTS, weights).surface.copy()
    surface[:, 0] = 3.0
    correction = Correction.of(logits, surface, TARGETS)
    assert len(SURFACE_NAMES) == N_SURFACE == len(correction.dense)
    np.testing.assert_array_equal(correction.dense[0], 0.0)
    assert np.isfinite(correction.logits(logits, surface)).all()
