from __future__ import annotations

import numpy as np
import pytest

from newswinnow.features.hashed import hashed_features, linear_logits
from newswinnow.models.scaling import Scaling

SCALES = (1.0, 1.0, 0.75)
TEXTS = [
    "Share",
    "It rained on the old bridge.",
    "It rained again, the mayor said.",
    "Read more: Storm closes road",
    "Share this",
]


def scaling_of(texts: list[str], weights: list[float], *, min_count: float = 1) -> Scaling:
    features = hashed_features(texts, bits=10, scales=SCALES)
    return Scaling.of(features, np.array(weights), scales=SCALES, min_count=min_count)


def test_weights_score_raw_features_as_they_did_the_scaled_ones() -> None:
    features = hashed_features(TEXTS, bits=10, scales=SCALES)
    scaling = Scaling.of(features, np.ones(len(TEXTS)), scales=SCALES, min_count=1)
    examples = scaling.examples(features)
    fitted = np.random.default_rng(0).normal(size=(examples.n_weights, 3)).astype(np.float32)
    np.testing.assert_allclose(linear_logits(TEXTS, scaling.weights(fitted)), examples.logits(fitted), atol=2e-3)


def test_a_weight_of_two_counts_as_two_rows() -> None:
    weighted, repeated = scaling_of(TEXTS, [2.0, 1, 1, 1, 1]), scaling_of([TEXTS[0], *TEXTS], [1.0] * 6)
    np.testing.assert_array_equal(weighted.columns, repeated.columns)
    np.testing.assert_allclose(weighted.idf, repeated.idf)
    np.testing.assert_allclose(weighted.mean, repeated.mean, atol=1e-12)
    np.testing.assert_allclose(weighted.spread, repeated.spread, atol=1e-12)


def test_rare_columns_are_left_out_and_frequent_ones_come_first() -> None:
    everything, common = scaling_of(TEXTS, [1.0] * 5), scaling_of(TEXTS, [1.0] * 5, min_count=2)
    assert 0 < len(common.columns) < len(everything.columns)
    assert set(common.columns) < set(everything.columns)
    assert (np.diff(everything.idf) >= 0).all()


@pytest.mark.parametrize("n", [3, 7])
def test_sums_of_fractions_reach_the_count(n: int) -> None:
    found = scaling_of(["Share"] * n, [2 / n] * n, min_count=2)
    assert len(found.columns) > 0


def test_a_surface_feature_that_never_varies_divides_by_no_zero() -> None:
    features = hashed_features(["Share"] * 2, bits=10, scales=SCALES)
    scaling = Scaling.of(features, np.ones(2), scales=SCALES, min_count=1)
    assert np.isfinite(scaling.examples(features).dense).all()
