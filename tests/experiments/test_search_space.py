"""What a `[search]` table says, and the candidates drawn from it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswinnow.experiments.config import parse_config
from newswinnow.experiments.search_space import Distribution, SearchConfig, draw_candidates, value_at, with_values


def search_of(**values: Any) -> SearchConfig:
    return SearchConfig.model_validate(values)


def test_a_grid_gives_all_combinations_behind_the_configuration_itself() -> None:
    search = search_of(model={"C": [0.1, 1.0], "bits": [16, 18]})
    own = {"model.C": 1.0, "model.bits": 18}
    found = draw_candidates(search, own=own, seed=0)
    assert found[0] == (("model.C", 1.0), ("model.bits", 18))
    assert [dict(values)["model.C"] for values in found[1:]] == [0.1, 0.1, 1.0]
    assert len(set(found)) == 4
    fewer = draw_candidates(search_of(candidates=2, model={"C": [0.1, 1.0], "bits": [16, 18]}), own=own, seed=0)
    assert len(fewer) == 3
    assert set(fewer) < set(found)


def test_draws_are_seeded_and_nested_tables_vary_too() -> None:
    search = search_of(
        candidates=5,
        model={"C": {"low": 0.01, "high": 10.0, "log": True}},
        data={"weights": {"aligned": [0.1, 0.3]}, "min_agreement": {"low": 0.0, "high": 0.5}},
    )
    assert list(search.space) == ["model.C", "data.weights.aligned", "data.min_agreement"]
    own = dict.fromkeys(search.space)
    a, again, b = (draw_candidates(search, own=own, seed=seed) for seed in (1, 1, 2))
    assert a == again != b
    assert len(a) == 6
    assert {dict(values)["data.weights.aligned"] for values in a[1:]} <= {0.1, 0.3}


def test_few_different_values_give_few_candidates() -> None:
    search = search_of(candidates=50, model={"bits": {"low": 14, "high": 16}})
    found = draw_candidates(search, own={"model.bits": 18}, seed=0)
    assert sorted(dict(values)["model.bits"] for values in found) == [14, 15, 16, 18]


@given(
    st.tuples(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6)).filter(lambda p: p[0] < p[1]),
    st.booleans(),
    st.integers(0, 99),
)
def test_draws_lie_between_the_bounds(bounds: tuple[float, float], log: bool, seed: int) -> None:
    drawn = Distribution(low=bounds[0], high=bounds[1], log=log).draw(np.random.default_rng(seed))
    assert bounds[0] <= drawn <= bounds[1]


def test_a_logarithmic_draw_spreads_over_orders_of_magnitude() -> None:
    rng = np.random.default_rng(0)
    log, plain = Distribution(low=0.001, high=1000.0, log=True), Distribution(low=0.001, high=1000.0)
    assert 0.4 < np.mean([log.draw(rng) < 1 for _ in range(300)]) < 0.6
    assert np.mean([plain.draw(rng) < 1 for _ in range(300)]) < 0.05
    whole = Distribution(low=1, high=3)
    assert {type(whole.draw(rng)) for _ in range(30)} == {int}
    assert {whole.draw(rng) for _ in range(60)} == {1, 2, 3}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, r"search: must vary at least one value of \[search.model\] or \[search.data\]; got none"),
        ({"model": {"C": 3}}, "search.model: C must be a list of values or a table with low and high; got 3"),
        ({"model": {"C": []}}, "search.model: C must list different single values, one at least; got"),
        ({"model": {"C": [1, 1]}}, "search.model: C must list different single values, one at least; got"),
        ({"model": {"C": {"low": 2, "high": 1}}}, "search.model: low must be less than high, both finite; got 2 and 1"),
        ({"model": {"C": {"low": 0, "high": 1, "log": True}}}, "search.model: low must be > 0 where log is true; got 0"),
        ({"model": {"C": {"low": 0}}}, "search.model.high: field required; got"),
        ({"data": {"train": ["a"]}}, r"search: \[search.data\] can vary min_agreement, weights.read, .*; got 'train'"),
        ({"model": {"C": [1]}, "factor": 1}, "search.factor: input should be greater than or equal to 2; got 1"),
        ({"model": {"C": [1]}, "speed": 1}, "search.speed must be a known key; got 1"),
    ],
)
def test_tables_that_make_no_sense(table: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^c.toml: {message}"):
        parse_config({"search": table}, where="c.toml")


def test_a_search_is_no_part_of_what_a_run_is_told_by() -> None:
    config = parse_config({"search": {"model": {"C": [1.0]}}}, where="c.toml")
    assert config.search is not None
    assert "search" not in config.model_dump(mode="json")


def test_values_by_dotted_keys() -> None:
    config = {"model": {"C": 1.0, "bits": 18}, "data": {"weights": {"aligned": 0.3}}}
    changed = with_values(config, (("model.C", 2.0), ("data.weights.read", 1.0), ("data.min_agreement", None)))
    assert changed == {"model": {"C": 2.0, "bits": 18}, "data": {"weights": {"aligned": 0.3, "read": 1.0}}}
    assert config["model"] == {"C": 1.0, "bits": 18}
    assert value_at(changed, "data.weights.read") == 1.0
    assert value_at(changed, "data.weights.read.more") is None
    assert value_at(changed, "absent") is None
