"""What a search may try: the ``[search]`` table of a configuration, and the candidates drawn from it.

Training and scoring them is left to :mod:`newswinnow.experiments.search`.
"""

import math
from collections.abc import Iterator, Mapping
from itertools import islice, product
from typing import Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from newswinnow.paragraphs.table import ORIGINS

_DIGITS: Final = 4
"""Significant digits of a drawn number: enough for any hyper-parameter, and short enough to be read and written by hand."""
_DRAWS_PER_CANDIDATE: Final = 20
"""Of few different values most draws are repetitions; so many are made before fewer candidates have to do."""
_SEARCHABLE_DATA: Final = ("min_agreement", *(f"weights.{origin}" for origin in ORIGINS))
Values = tuple[tuple[str, Any], ...]
"""One candidate: dotted key of the configuration and value, in the order of the file."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Distribution(_Strict):
    """Numbers between two bounds, both included; whole numbers where both bounds are.

    Attributes
    ----------
    low, high
        The bounds.
    log
        Whether the logarithm is spread evenly instead of the number.
    """

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _is_a_range(self) -> "Distribution":
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"low must be less than high, both finite; got {self.low} and {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"low must be > 0 where log is true; got {self.low}")
        return self

    def draw(self, rng: np.random.Generator) -> int | float:
        """One number.

        Parameters
        ----------
        rng
            Source of randomness.

        Returns
        -------
        A number, rounded to four significant digits.
        """
        is_whole = isinstance(self.low, int) and isinstance(self.high, int)
        low, high = (self.low - 0.5, self.high + 0.5) if is_whole else (self.low, self.high)
        drawn = float(np.exp(rng.uniform(np.log(low), np.log(high))) if self.log else rng.uniform(low, high))
        value = round(drawn) if is_whole else float(f"{drawn:.{_DIGITS}g}")
        return min(max(value, self.low), self.high)


Leaf = tuple[Any, ...] | Distribution


class SearchConfig(_Strict):
    """The ``[search]`` table.

    Attributes
    ----------
    candidates
        How many to try beside the configuration itself; None for all combinations of a grid, 27 where there are distributions.
    factor
        One candidate in so many goes on to the next round, with so many times the pages.
    folds
        Folds by site; None for those of ``[validation]``, 5 where it has none.
    min_pages
        Pages that each fold of the first round has to train on, at least.
    model, data
        What to vary of ``[model]`` and ``[data]``: a list of values, or a table with ``low``, ``high`` and perhaps ``log``.
    """

    candidates: int | None = Field(default=None, ge=1, le=10_000)
    factor: int = Field(default=3, ge=2, le=10)
    folds: int | None = Field(default=None, ge=2, le=50)
    min_pages: int = Field(default=20, ge=1)
    model: dict[str, Any] = Field(default_factory=dict)
    data: dict[str, Any] = Field(default_factory=dict)

    @field_validator("model", "data")
    @classmethod
    def _are_leaves(cls, table: dict[str, Any]) -> dict[str, Any]:
        list(_leaves(table, ()))
        return table

    @model_validator(mode="after")
    def _tries_something(self) -> "SearchConfig":
        if not self.space:
            raise ValueError("must vary at least one value of [search.model] or [search.data]; got none")
        for name in self.space:
            if name.startswith("data.") and name.removeprefix("data.") not in _SEARCHABLE_DATA:
                raise ValueError(f"[search.data] can vary {', '.join(_SEARCHABLE_DATA)}; got {name.removeprefix('data.')!r}")
        return self

    @property
    def space(self) -> dict[str, Leaf]:
        """Dotted key of the configuration to what it may be."""
        return dict(_leaves({"model": self.model, "data": self.data}, ()))


def _leaves(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, Leaf]]:
    for key, value in table.items():
        here = (*path, key)
        if isinstance(value, Mapping) and not {"low", "high", "log"} & set(value):
            yield from _leaves(value, here)
        elif isinstance(value, Mapping):
            yield ".".join(here), Distribution.model_validate(dict(value))
        else:
            yield ".".join(here), _choices(value, ".".join(here))


def _choices(value: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{name} must be a list of values or a table with low and high; got {value!r}")
    if not value or any(isinstance(item, list | dict) for item in value) or len(set(map(repr, value))) < len(value):
        raise ValueError(f"{name} must list different single values, one at least; got {value!r}")
    return tuple(value)


def draw_candidates(search: SearchConfig, *, own: Mapping[str, Any], seed: int) -> list[Values]:
    """What will be tried, the configuration itself first.

    Parameters
    ----------
    search
        What may be tried.
    own
        The configuration's own values of what is varied; None for one that it leaves to a default.
    seed
        Seed of the draws.

    Returns
    -------
    Different candidates; fewer than asked for where there are no more.
    """
    space = search.space
    rng = np.random.default_rng(seed)
    first: Values = tuple((name, own[name]) for name in space)
    is_grid = all(isinstance(leaf, tuple) for leaf in space.values())
    n_wanted = search.candidates or (None if is_grid else 27)
    drawn = _grid(space, n_wanted, rng) if is_grid else _draws(space, n_wanted or 0, rng)
    others = dict.fromkeys(values for values in drawn if values != first)
    return [first, *islice(others, n_wanted)]


def _grid(space: Mapping[str, Leaf], n_wanted: int | None, rng: np.random.Generator) -> Iterator[Values]:
    combinations = list(product(*(leaf for leaf in space.values() if isinstance(leaf, tuple))))
    order = range(len(combinations)) if n_wanted is None else rng.permutation(len(combinations)).tolist()
    for i in order:
        yield tuple(zip(space, combinations[i], strict=True))


def _draws(space: Mapping[str, Leaf], n_wanted: int, rng: np.random.Generator) -> Iterator[Values]:
    for _ in range(_DRAWS_PER_CANDIDATE * n_wanted):
        yield tuple((name, _draw(leaf, rng)) for name, leaf in space.items())


def _draw(leaf: Leaf, rng: np.random.Generator) -> Any:
    return leaf.draw(rng) if isinstance(leaf, Distribution) else leaf[int(rng.integers(len(leaf)))]


def with_values(config: Mapping[str, Any], values: Values) -> dict[str, Any]:
    """A configuration's plain values with some of them replaced.

    Parameters
    ----------
    config
        Plain values, tables as dictionaries.
    values
        Dotted key and value; None leaves the key out.

    Returns
    -------
    A copy.

    Examples
    --------
    >>> with_values({"model": {"C": 1.0}}, (("model.C", 0.1), ("data.weights.aligned", 0.5)))
    {'model': {'C': 0.1}, 'data': {'weights': {'aligned': 0.5}}}
    """
    result = dict(config)
    for name, value in values:
        key, _, rest = name.partition(".")
        if rest:
            result[key] = with_values(result.get(key, {}), ((rest, value),))
        elif value is not None:
            result[key] = value
    return result


def value_at(config: Mapping[str, Any], name: str) -> Any:
    """A value by its dotted key.

    Parameters
    ----------
    config
        Plain values.
    name
        Dotted key.

    Returns
    -------
    The value; None where there is none.
    """
    found: Any = config
    for key in name.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found
