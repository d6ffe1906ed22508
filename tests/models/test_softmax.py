from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse import random as random_matrix
from sklearn.linear_model import LogisticRegression

from newswinnow.models.softmax import Examples, fit_softmax

N_ROWS, N_SPARSE, N_DENSE = 60, 15, 4
EXACT: dict[str, Any] = {"max_iter": 500, "tol": 1e-9}


def examples_of(matrix: Any, dense: Any) -> Examples:
    matrix = csr_matrix(matrix, dtype=np.float32)
    dense = np.ascontiguousarray(dense, dtype=np.float32)
    return Examples(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data, dense, matrix.shape[1])


def problem(seed: int = 0) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    matrix = random_matrix(N_ROWS, N_SPARSE, density=0.3, random_state=seed, dtype=np.float32)
    return matrix.tocsr(), rng.normal(size=(N_ROWS, N_DENSE)).astype(np.float32), rng.integers(0, 3, N_ROWS)


def one_hot(codes: Any, weights: Any = None) -> Any:
    return np.eye(3)[codes] * (1.0 if weights is None else np.asarray(weights)[:, None])


@pytest.mark.parametrize("C", [0.05, 1.0, 20.0])
@pytest.mark.parametrize("n_epochs", [0, 3])
def test_it_finds_what_scikit_learn_finds(C: float, n_epochs: int) -> None:
    matrix, dense, codes = problem()
    weights = np.random.default_rng(1).uniform(0.1, 3, N_ROWS)
    columns = np.hstack([matrix.toarray(), dense]).astype(np.float64)
    expected = LogisticRegression(C=C, tol=1e-10, max_iter=5000).fit(columns, codes, sample_weight=weights)
    found = fit_softmax(examples_of(matrix, dense), one_hot(codes, weights), C=C, n_epochs=n_epochs, **EXACT)
    assert found.has_converged
    np.testing.assert_allclose(found.weights[:-1].T, expected.coef_, atol=0.03, rtol=0.01)
    logits = examples_of(matrix, dense).logits(found.weights).astype(np.float64)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected.predict_proba(columns), atol=2e-3)


def test_a_row_of_weight_two_is_the_row_twice() -> None:
    matrix, dense, codes = problem()
    twice = np.arange(N_ROWS) % 3 == 0
    rows = np.r_[np.arange(N_ROWS), np.flatnonzero(twice)]
    one = fit_softmax(examples_of(matrix, dense), one_hot(codes, 1.0 + twice), C=1.0, **EXACT)
    other = fit_softmax(examples_of(matrix[rows], dense[rows]), one_hot(codes[rows]), C=1.0, **EXACT)
    np.testing.assert_allclose(one.weights, other.weights, atol=0.01)
    assert one.loss == pytest.approx(other.loss, rel=1e-5)


def test_a_row_of_weight_zero_is_none() -> None:
    matrix, dense, codes = problem()
    kept = np.arange(N_ROWS) % 3 > 0
    one = fit_softmax(examples_of(matrix, dense), one_hot(codes, kept.astype(float)), C=1.0, **EXACT)
    other = fit_softmax(examples_of(matrix[kept], dense[kept]), one_hot(codes[kept]), C=1.0, **EXACT)
    np.testing.assert_allclose(one.weights, other.weights, atol=0.01)


def test_a_row_may_weigh_for_several_labels() -> None:
    examples = examples_of(np.ones((1, 1)), np.zeros((1, 0)))
    shares = np.array([[0.6, 0.3, 0.1]])
    logits = examples.logits(fit_softmax(examples, shares, C=1e6, **EXACT).weights)
    np.testing.assert_allclose(np.exp(logits) / np.exp(logits).sum(), shares, atol=1e-3)


def test_a_label_without_weight_stays_away() -> None:
    matrix, dense, codes = problem()
    examples = examples_of(matrix, dense)
    logits = examples.logits(fit_softmax(examples, one_hot(codes % 2), C=1.0).weights)
    assert (logits[:, 2] < logits[:, :2].min(axis=1) - 10).all()


def test_equal_seed_equal_bits() -> None:
    matrix, dense, codes = problem()
    first, second, other = (fit_softmax(examples_of(matrix, dense), one_hot(codes), C=1.0, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.weights, second.weights)
    assert (first.weights != other.weights).any()


def test_too_few_steps_are_told() -> None:
    matrix, dense, codes = problem()
    found = fit_softmax(examples_of(matrix, dense), one_hot(codes), C=1.0, n_epochs=0, max_iter=1)
    assert (found.n_iter, found.has_converged) == (1, False)


def test_more_steps_never_raise_the_loss() -> None:
    matrix, dense, codes = problem(3)
    losses = [
        fit_softmax(examples_of(matrix, dense), one_hot(codes), C=1.0, n_epochs=1, max_iter=n, tol=0.0).loss
        for n in (1, 3, 9, 27)
    ]
    assert losses == sorted(losses, reverse=True)


def test_rows_without_columns_learn_the_shares() -> None:
    examples = examples_of(np.zeros((4, 3)), np.zeros((4, 0)))
    logits = examples.logits(fit_softmax(examples, one_hot([0, 0, 0, 1]), C=1.0, **EXACT).weights)
    np.testing.assert_allclose(logits[:, 0] - logits[:, 1], np.log(3), atol=1e-2)


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(ValueError, match=r"targets: must have a positive sum; got 0\.0"):
        fit_softmax(examples_of(np.ones((1, 1)), np.zeros((1, 0))), np.zeros((1, 3)), C=1.0)
