import numpy as np
import pytest

from newswinnow.evaluation.simulation import PageModel

MODEL = PageModel(((0.8, 0.1, 0.1), (0.1, 0.8, 0.1), (0.2, 0.2, 0.6)), concentration=4)


def test_means_are_those_of_the_model() -> None:
    pages = MODEL.draw(20_000, np.random.default_rng(0))
    total = pages.sum(axis=0)
    assert total / total.sum(axis=1, keepdims=True) == pytest.approx(np.array(MODEL.confusion), abs=0.01)
    assert total.sum(axis=1) / total.sum() == pytest.approx(MODEL.shares, abs=0.01)
    sizes = pages.sum(axis=(1, 2))
    assert (sizes.min(), sizes.max()) == MODEL.sizes


def test_errors_of_a_page_are_correlated_as_the_concentration_says() -> None:
    chances = MODEL.draw_chances(20_000, np.random.default_rng(0))[:, 0, 0]
    assert chances.var() / (0.8 * 0.2) == pytest.approx(1 / 5, rel=0.05)


def test_the_same_seed_gives_the_same_pages() -> None:
    first, second = (MODEL.draw(5, np.random.default_rng(3)) for _ in range(2))
    assert (first == second).all()
