"""What pydantic finds wrong with a configuration is told as one rule with the value that broke it."""

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from newswinnow.corpus.config_errors import first_broken_rule


class _Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    seed: int = 0
    ratio: float = 0.5

    @field_validator("ratio")
    @classmethod
    def _ratio(cls, value: float) -> float:
        if not 0 < value < 1:
            raise ValueError(f"must be inside (0, 1); got {value}")
        return value


class _Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = "x"
    inner: _Inner = _Inner()

    @model_validator(mode="after")
    def _named(self) -> "_Outer":
        if not self.name:
            raise ValueError("must have a name; got none")
        return self


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"colour": "red"}, "colour must be a known key; got 'red'"),
        ({"inner": {"depth": 3}}, "inner.depth must be a known key; got 3"),
        (
            {"inner": {"seed": "two"}},
            "inner.seed: input should be a valid integer, unable to parse string as an integer; got 'two'",
        ),
        ({"inner": {"ratio": 2.0}}, "inner.ratio: must be inside (0, 1); got 2.0"),
        ({"name": ""}, "source: must have a name; got none"),
    ],
)
def test_one_rule_with_its_value(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        _Outer.model_validate(values)
    assert first_broken_rule(caught.value, root="source") == message


def test_a_long_value_is_cut() -> None:
    with pytest.raises(ValidationError) as caught:
        _Outer.model_validate({"colour": "r" * 10_000})
    assert len(first_broken_rule(caught.value)) < 300
