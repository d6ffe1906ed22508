"""The networks: deployed ones are exact, learning ones have the gradients that differences show, both compute the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswinnow.models.ladder.learning import REACH, Learner, Lesson, Schedule, columns_around, learn
from newswinnow.models.ladder.networks import (
    ACTIVATION_STEP,
    BAG,
    DILATIONS,
    LEVELS,
    Network,
    Pages,
    lengths_of,
    on_grid,
    rounded,
    shapes_of,
)

N_INPUTS = 7
N_HIDDEN = 6


def network(level: str, seed: int = 0) -> Network:
    rng = np.random.default_rng(seed)
    shapes = shapes_of(level, n_inputs=N_INPUTS, n_hidden=N_HIDDEN)
    return Network(level, on_grid({name: rng.normal(size=shape) / 2 for name, shape in shapes.items()}))


def batch(sizes: list[int], seed: int = 0) -> tuple[np.ndarray, Pages]:
    rng = np.random.default_rng(seed)
    n = sum(sizes)
    return rounded(rng.normal(size=(n, N_INPUTS))), Pages(np.array(sizes), lengths_of(rng.uniform(1, 7, n)))


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=5), seed=st.integers(0, 99))
def test_a_bag_has_no_order(sizes: list[int], seed: int) -> None:
    inputs, pages = batch(sizes, seed)
    rng = np.random.default_rng(seed)
    order = np.concatenate([begin + rng.permutation(size) for begin, size in zip(pages.begins, sizes, strict=True)])
    shuffled = Pages(pages.sizes, pages.lengths[order])
    assert np.array_equal(network(BAG).logits(inputs, pages)[order], network(BAG).logits(inputs[order], shuffled))


@pytest.mark.parametrize("level", LEVELS)
def test_pages_do_not_look_at_each_other(level: str) -> None:
    inputs, pages = batch([30, 1, 50])
    together = network(level).logits(inputs, pages)
    for begin, size in zip(pages.begins, pages.sizes, strict=True):
        rows = slice(begin, begin + size)
        assert np.array_equal(together[rows], network(level).logits(inputs[rows], Pages(np.array([size]), pages.lengths[rows])))


@pytest.mark.parametrize("level", LEVELS[1:])
def test_in_order_neighbours_count(level: str) -> None:
    inputs, pages = batch([80])
    before = network(level).logits(inputs, pages)
    changed = inputs.copy()
    changed[10] += 1
    moved = np.abs(network(level).logits(changed, pages) - before).max(axis=1)
    assert moved[9] > 0
    assert moved[11] > 0


def test_activations_lie_on_their_grid() -> None:
    assert (rounded(np.array([0.3, -1.7, 5.0])) / ACTIVATION_STEP % 1 == 0).all()
    assert rounded(np.array([0.00048])).tolist() == [0.0]


def test_weights_beyond_the_grid_are_cut() -> None:
    assert on_grid({"first": np.array([0.5, 9.0, -9.0])})["first"].tolist() == [2048, 32767, -32767]


def test_the_rows_around_a_row() -> None:
    rows = np.arange(2 * REACH + 3, dtype=np.float64)[:, None]
    found = columns_around(rows, 4)
    assert found.shape == (3, 5)
    assert found[1].tolist() == [REACH + 1 + step for step in (-8, -4, 0, 4, 8)]


@given(st.lists(st.integers(1, 30), min_size=1, max_size=6), st.sampled_from(DILATIONS))
def test_what_lies_around_a_row_ends_with_its_page(sizes: list[int], dilation: int) -> None:
    n = sum(sizes)
    pages = Pages(np.array(sizes), np.ones((n, 1)))
    page_of = [*pages.page_of.tolist(), -1]
    for row, around in enumerate(pages.around(dilation).tolist()):
        for step, other in zip((-2, -1, 0, 1, 2), around, strict=True):
            at = row + step * dilation
            assert other == (at if 0 <= at < n and page_of[at] == page_of[row] else n)


def test_a_stretch_of_a_page_keeps_its_place() -> None:
    whole = Pages(np.array([10]), np.ones((10, 1)))
    stretch = Pages(np.array([4]), np.ones((4, 1)), n_above=np.array([3]), n_whole=np.array([10]))
    assert np.array_equal(stretch.places, whole.places[3:7])


def loss_of(learner: Learner, inputs: np.ndarray, pages: Pages, codes: np.ndarray) -> float:
    logits = learner.forward(inputs.astype(np.float32), pages).astype(np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    return float((np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(codes)), codes]).mean())


@pytest.mark.parametrize("level", LEVELS)
def test_gradients_are_those_of_the_loss(level: str) -> None:
    rng = np.random.default_rng(3)
    learner = Learner(level, n_inputs=N_INPUTS, n_hidden=N_HIDDEN, dropout=0.0, rng=rng)
    inputs, pages = batch([9, 1, 5])
    codes = rng.integers(0, 3, 15)
    logits = learner.forward(inputs.astype(np.float32), pages)
    found = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found[np.arange(15), codes] -= 1
    learner.backward(found / 15)
    gradients, values = learner.weights.gradients.copy(), learner.weights.values
    for i in rng.choice(len(values), 60, replace=False):
        kept = values[i]
        values[i] = kept + 2e-3
        above = loss_of(learner, inputs, pages, codes)
        values[i] = kept - 2e-3
        below = loss_of(learner, inputs, pages, codes)
        values[i] = kept
        assert gradients[i] == pytest.approx((above - below) / 4e-3, abs=3e-3)


@pytest.mark.parametrize("level", LEVELS)
def test_what_learns_and_what_is_deployed_compute_the_same(level: str) -> None:
    learner = Learner(level, n_inputs=N_INPUTS, n_hidden=N_HIDDEN, dropout=0.0, rng=np.random.default_rng(4))
    inputs, pages = batch([20, 3])
    deployed = Network(level, on_grid(learner.weights.value))
    np.testing.assert_allclose(deployed.logits(inputs, pages), learner.forward(inputs.astype(np.float32), pages), atol=0.02)


@pytest.mark.parametrize("level", LEVELS)
def test_learning_finds_what_there_is(level: str) -> None:
    rng = np.random.default_rng(0)
    sizes = rng.integers(4, 30, 40)
    inputs = rounded(rng.normal(size=(sizes.sum(), N_INPUTS))).astype(np.float32)
    codes = inputs[:, :3].argmax(axis=1)
    lesson = Lesson(inputs, np.ones((len(inputs), 1)), np.cumsum([0, *sizes]), np.eye(3, dtype=np.float32)[codes], np.arange(30))
    steps: list[None] = []
    schedule = Schedule(n_epochs=30, longest=20, dropout=0.0, rate=1e-2)
    weights = learn(lesson, level, n_hidden=N_HIDDEN, schedule=schedule, seed=1, progress=lambda: steps.append(None))
    assert len(steps) == 30 * 4
    begin = int(lesson.starts[30])
    held = Pages(sizes[30:], np.ones((len(inputs) - begin, 1)))
    found = Network(level, on_grid(weights)).logits(inputs[begin:].astype(np.float64), held)
    assert (found.argmax(axis=1) == codes[begin:]).mean() > 0.85
    again = learn(lesson, level, n_hidden=N_HIDDEN, schedule=schedule, seed=1)
    assert all(np.array_equal(weights[name], again[name]) for name in weights)
