from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswinnow.corpus.records import RecordCollector, RecordRules
from newswinnow.corpus.tables import rows_from_records, table_from_rows
from newswinnow.corpus.write import write_jsonl
from newswinnow.models.predictor import Predictor
from newswinnow.models.rules import LineRule
from newswinnow.models.saved import load_model
from newswinnow.paragraphs.rows import Rows
from newswinnow.paragraphs.table import FloatArray

PROBABILITIES = ["p_news", "p_boilerplate", "p_related_link"]


class Fixed:
    """An estimator that answers every text alike."""

    def __init__(self, answer: dict[str, float]) -> None:
        self.classes_ = np.array(list(answer))
        self.answer = list(answer.values())

    def predict_proba(self, texts: list[str]) -> FloatArray:
        return np.tile(self.answer, (len(texts), 1))


@pytest.fixture(scope="module")
def rule() -> Predictor:
    return Predictor(LineRule().fit([], []))


def test_it_is_shown_in_one_line(rule: Predictor) -> None:
    assert repr(rule) == "Predictor(family='LineRule', contexts=('alone',))"
    shown = repr(load_model())
    assert shown == "Predictor(family='ladder', contexts=('alone', 'bag', 'order', 'markup'))"


def test_classes_stand_in_label_order(rule: Predictor) -> None:
    assert rule.classes_.tolist() == ["news", "boilerplate", "related-link"]


@pytest.mark.parametrize("order", [["boilerplate", "news", "related-link"], ["related-link", "news", "boilerplate"]])
def test_columns_follow_the_labels_not_the_estimator(order: list[str]) -> None:
    share = {"news": 0.2, "boilerplate": 0.1, "related-link": 0.7}
    model = Predictor(Fixed({label: share[label] for label in order}))
    assert model.predict_proba(["a", "b"]).tolist() == [[0.2, 0.1, 0.7]] * 2
    assert model.predict(["a", "b"]).tolist() == ["related-link"] * 2


def test_a_label_never_seen_gets_nothing() -> None:
    model = Predictor(Fixed({"boilerplate": 0.6, "related-link": 0.4}))
    assert model.predict_proba(["a"]).tolist() == [[0.0, 0.6, 0.4]]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"boilerplate": 0.4, "news": 0.4, "related-link": 0.2}, "news"),
        ({"boilerplate": 0.4, "news": 0.2, "related-link": 0.4}, "boilerplate"),
        ({"boilerplate": 0.2, "news": 0.4, "related-link": 0.4}, "news"),
    ],
)
def test_of_equal_probabilities_the_first_label_wins(answer: dict[str, float], expected: str) -> None:
    assert Predictor(Fixed(answer)).predict(["a"]).tolist() == [expected]


@pytest.mark.parametrize("X", [[], pd.Series([], dtype=str), pd.DataFrame({"text": pd.Series([], dtype=str)})])
def test_nothing_in_nothing_out(rule: Predictor, X: Any) -> None:
    assert rule.predict(X).shape == (0,)
    assert rule.predict_proba(X).shape == (0, 3)


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ("Share", TypeError, r"X: must be a list, Series or table of texts; got one str 'Share'"),
        (["Share", None], TypeError, r"X\[1\]: must be a str; got NoneType None"),
        (pd.DataFrame({"body": ["Share"]}), ValueError, r"X: a paragraph table must have a column 'text'; got \['body'\]"),
    ],
)
def test_refuses_what_is_not_texts(rule: Predictor, method: str, X: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        getattr(rule, method)(X)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text(min_size=1, max_size=60), max_size=6))
def test_labels_are_those_of_the_highest_probabilities(rule: Predictor, texts: list[str]) -> None:
    probabilities = rule.predict_proba(texts)
    assert rule.predict(texts).tolist() == rule.classes_[probabilities.argmax(axis=1)].tolist()
    found = rule.predict_table(pd.DataFrame({"text": pd.Series(texts, dtype=str)}))
    assert found["predicted"].tolist() == rule.predict(texts).tolist()
    assert np.array_equal(found[PROBABILITIES].to_numpy(), probabilities)


def test_table_keeps_its_rows_and_columns_and_gains_predictions(rule: Predictor) -> None:
    table = pd.DataFrame(
        {
            "page": ["p", "p", "q"],
            "position": [1, 0, 0],
            "text": ["Share", "The council of Tarn met on Monday to vote.", "Council of Tarn to meet"],
            "label": ["boilerplate", None, "related-link"],
            "mood": [1, 2, 3],
        },
        index=[7, 7, 3],
    )
    before = table.copy()
    found = rule.predict_table(table)
    pd.testing.assert_frame_equal(table, before)
    pd.testing.assert_frame_equal(found[list(table.columns)], before)
    assert found["predicted"].tolist() == ["boilerplate", "news", "related-link"]
    assert found[PROBABILITIES].to_numpy().tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 1]]


def test_earlier_predictions_are_replaced(rule: Predictor) -> None:
    table = pd.DataFrame(
        {"text": ["Share"], "predicted": ["news"], "p_news": [0.9], "p_boilerplate": [0.1], "p_related_link": [0.0]}
    )
    found = rule.predict_table(table)
    assert list(found.columns) == list(table.columns)
    assert found.iloc[0].tolist() == ["Share", "boilerplate", 0.0, 1.0, 0.0]


def test_an_empty_text_gets_no_label_and_no_probability(rule: Predictor) -> None:
    table = pd.DataFrame({"text": ["", "Share", None], "status": ["empty", None, "empty"]})
    found = rule.predict_table(table)
    assert found["predicted"].isna().tolist() == [True, False, True]
    assert found["predicted"].tolist()[1] == "boilerplate"
    assert found[PROBABILITIES].isna().all(axis=1).tolist() == [True, False, True]
    assert found["status"].tolist()[0] == "empty"


def test_an_empty_table_gains_the_columns(rule: Predictor) -> None:
    found = rule.predict_table(pd.DataFrame({"text": pd.Series([], dtype=str)}))
    assert list(found.columns) == ["text", "predicted", *PROBABILITIES]
    assert len(found) == 0


def test_probabilities_in_tables_have_six_decimals() -> None:
    found = Predictor(Fixed({"news": 1 / 3, "boilerplate": 2 / 3})).predict_table(pd.DataFrame({"text": ["a"]}))
    assert found[PROBABILITIES].to_numpy().tolist() == [[0.333333, 0.666667, 0.0]]


def test_refuses_a_table_without_text(rule: Predictor) -> None:
    with pytest.raises(ValueError, match=r"table: must have the columns text; got page, body"):
        rule.predict_table(pd.DataFrame({"page": ["p"], "body": ["Share"]}))


@pytest.mark.parametrize("context", ["order", "everything"])
def test_refuses_a_context_the_model_does_not_know(rule: Predictor, context: str) -> None:
    with pytest.raises(ValueError, match=rf"context: must be auto or one of alone for this model; got '{context}'"):
        rule.predict_table(pd.DataFrame({"text": ["Share"]}), context=context)


@pytest.mark.parametrize("context", ["auto", "alone"])
def test_knows_its_own_context(rule: Predictor, context: str) -> None:
    found = rule.predict_table(pd.DataFrame({"text": ["Share"]}), context=context)
    assert found["predicted"].tolist() == ["boilerplate"]


fields = st.fixed_dictionaries(
    {"text": st.sampled_from(["", "Share", "The council of Tarn met on Monday to vote.", "Council of Tarn to meet"])},
    optional={
        "status": st.none() | st.just("empty"),
        "link_density": st.none() | st.floats(0, 1) | st.integers(0, 1),
        "mood": st.none() | st.integers(-(2**63), 2**63) | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
        "p_news": st.none() | st.floats(0, 1) | st.text(max_size=3),
    },
)


@settings(deadline=None, max_examples=60)
@given(st.lists(fields, max_size=5))
def test_rows_and_tables_get_the_same_predictions_byte_for_byte(rule: Predictor, records: list[dict[str, Any]]) -> None:
    collector = RecordCollector(RecordRules(keeps_empty=True))
    for i, record in enumerate(records):
        collector.add({"page": "p", "position": i, **record}, source="test", line=i)
    rows = rows_from_records(collector)
    by_rows, by_table = io.BytesIO(), io.BytesIO()
    write_jsonl(rule.predict_rows(rows), by_rows)
    write_jsonl(rule.predict_table(table_from_rows(rows)), by_table)
    assert by_rows.getvalue() == by_table.getvalue()


class OfPages:
    """An estimator that knows pages: news is what stands first."""

    classes_ = np.array(["news", "boilerplate", "related-link"])

    def predict_proba(self, table: Any, *, context: str) -> FloatArray:
        places = table["position"] if context != "alone" and "position" in table.columns else [0] * len(table)
        return np.array([[1.0, 0, 0] if place == 0 else [0, 1.0, 0] for place in places])


def test_a_model_of_pages_is_given_tables_and_the_context() -> None:
    model = Predictor(OfPages(), contexts=("alone", "order"))
    table = pd.DataFrame({"text": ["a", "", "b"], "position": [0, 1, 2]})
    assert model.predict(table).tolist() == ["news", "boilerplate", "boilerplate"]
    assert model.predict(table, context="alone").tolist() == ["news"] * 3
    assert model.predict(["a", "b"], context="order").tolist() == ["news", "news"]
    assert model.predict_table(table)["predicted"].isna().tolist() == [False, True, False]
    rows = Rows({"text": ["a", "", "b"], "position": [0, 1, 2]})
    assert model.predict_rows(rows, context="order")["predicted"] == ["news", None, "boilerplate"]
    with pytest.raises(ValueError, match="context: must be auto or one of alone, order for this model; got 'bag'"):
        model.predict_proba(["a"], context="bag")
