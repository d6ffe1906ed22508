from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from newswinnow.evaluation.floors import MEASURES, Outcome, check_floors, floors_of, tightest

Answers = Callable[..., pd.DataFrame]
COLUMNS = ["p_news", "p_boilerplate", "p_related_link"]


def sure(table: pd.DataFrame, sureness: float = 0.9) -> pd.DataFrame:
    """The table with probabilities that go with its predictions."""
    names = ["news", "boilerplate", "related-link"]
    values = np.stack([np.where(table["predicted"] == name, sureness, (1 - sureness) / 2) for name in names], axis=1)
    return table.assign(**dict(zip(COLUMNS, values.T, strict=True)))


@pytest.fixture
def stored(answers: Answers) -> Outcome:
    return Outcome.of(sure(answers(30, right=0.85)))


def failed(stored: Outcome, new: Outcome, floors: dict[str, float] | None = None) -> dict[str, str]:
    return {check.measure: check.failure for check in check_floors(stored, new, floors or {}) if check.failure}


def test_the_same_answers_pass_their_own_floors(stored: Outcome) -> None:
    checks = check_floors(stored, stored, floors_of(stored))
    assert [check.measure for check in checks] == [measure.name for measure in MEASURES]
    assert not any(check.failure for check in checks)
    assert all(check.difference.value == check.difference.low == check.difference.high == 0 for check in checks)


def test_a_surely_worse_model_fails_where_it_is_worse(stored: Outcome, answers: Answers) -> None:
    found = failed(stored, Outcome.of(sure(answers(30, right=0.6))))
    assert {"macro_f1", "f1_news", "log_loss", "related_as_news"} <= set(found)
    assert set(found.values()) == {"surely worse than the baseline"}


def test_a_better_model_passes(stored: Outcome, answers: Answers) -> None:
    assert failed(stored, Outcome.of(sure(answers(30, right=0.95))), floors_of(stored)) == {}


def test_less_sure_answers_fail_by_the_log_loss_alone(stored: Outcome, answers: Answers) -> None:
    assert list(failed(stored, Outcome.of(sure(answers(30, right=0.85), 0.45)))) == ["log_loss"]


def test_a_change_within_the_tolerance_passes_however_sure_it_is(stored: Outcome) -> None:
    slightly = replace(stored, losses=stored.losses + (np.arange(len(stored.losses)) % 10 == 0))
    check = check_floors(stored, slightly, {})[-1]
    assert 0 < check.difference.value < check.tolerance
    assert check.failure == ""


def test_floors_stop_what_the_baseline_would_let_pass(stored: Outcome) -> None:
    assert failed(stored, stored, {"macro_f1": 0.99}) == {"macro_f1": "beyond the floor"}
    assert failed(stored, stored, {"log_loss": 0.1}) == {"log_loss": "beyond the floor"}
    assert failed(stored, stored, {"macro_f1": 0.1, "log_loss": 9.0}) == {}


def test_both_reasons_are_named(stored: Outcome, answers: Answers) -> None:
    found = failed(stored, Outcome.of(sure(answers(30, right=0.6))), {"macro_f1": 0.8})
    assert found["macro_f1"] == "surely worse than the baseline, and beyond the floor"


def test_tightest_floors_of_two() -> None:
    found = tightest(
        {"macro_f1": 0.8, "log_loss": 0.5, "f1_news": 0.7}, {"macro_f1": 0.7, "log_loss": 0.6, "related_as_news": 0.1}
    )
    assert found == {"macro_f1": 0.8, "log_loss": 0.5, "f1_news": 0.7, "related_as_news": 0.1}


def test_refuses_other_paragraphs_and_a_single_page(stored: Outcome, answers: Answers) -> None:
    with pytest.raises(ValueError, match=r"gate: needs the same labelled paragraphs; got 360 and 348 that differ"):
        check_floors(stored, Outcome.of(sure(answers(29, right=0.85))), {})
    with pytest.raises(ValueError, match=r"gate: needs the same labelled paragraphs; got 360 and 360 that differ"):
        check_floors(stored, replace(stored, positions=stored.positions + 1), {})
    one = Outcome.of(sure(answers(1, right=0.85)))
    with pytest.raises(ValueError, match=r"gate: needs at least two pages; got fewer"):
        check_floors(one, one, {})
