from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from newswinnow.evaluation.evaluate import Evaluation, evaluate, evaluate_predictions
from newswinnow.evaluation.scores import score
from newswinnow.models.predictor import Predictor
from newswinnow.models.rules import LineRule
from newswinnow.models.training import site_digest, table_digest

Answers = Callable[..., pd.DataFrame]
PROBABILITIES = ["p_news", "p_boilerplate", "p_related_link"]


def with_probabilities(table: pd.DataFrame, *, sure: float = 0.8) -> pd.DataFrame:
    """A table whose predictions all come with the same certainty."""
    columns = [(table["predicted"] == name).to_numpy() for name in ("news", "boilerplate", "related-link")]
    values = np.where(np.stack(columns, axis=1), sure, (1 - sure) / 2)
    return table.assign(**{name: values[:, i] for i, name in enumerate(PROBABILITIES)})


@pytest.fixture(scope="module")
def table(answers: Answers) -> pd.DataFrame:
    return with_probabilities(answers(10, right=0.75))


def measured(table: pd.DataFrame, **options: Any) -> Evaluation:
    return evaluate_predictions(table, **{"n_resamples": 20, **options})


# Slices


def slices_of(evaluation: Evaluation, kind: str) -> dict[str, Any]:
    return {part.name: part.scores for part in evaluation.slices if part.kind == kind}


@pytest.mark.parametrize(
    ("n_words", "name"),
    [
        (1, "1-2 words"),
        (2, "1-2 words"),
        (3, "3-5 words"),
        (5, "3-5 words"),
        (6, "6-10 words"),
        (10, "6-10 words"),
        (11, "11-20 words"),
        (20, "11-20 words"),
        (21, "21-50 words"),
        (50, "21-50 words"),
        (51, "over 50 words"),
        (400, "over 50 words"),
    ],
)
def test_slice_by_length(table: pd.DataFrame, n_words: int, name: str) -> None:
    found = measured(table.iloc[:2].assign(text=" ".join(["ox"] * n_words)))
    assert list(slices_of(found, "length")) == [name]


def test_slices_by_length_stand_in_order_and_hold_their_own_rows(table: pd.DataFrame) -> None:
    texts = ["ox " * (30 if i % 2 else 1) for i in range(len(table))]
    found = slices_of(measured(table.assign(text=texts)), "length")
    assert list(found) == ["1-2 words", "21-50 words"]
    odd = table.iloc[1::2]
    assert found["21-50 words"] == score(odd["label"], odd["predicted"], odd["page"], n_resamples=20)
    assert sum(scores.n_paragraphs for scores in found.values()) == len(table)


def test_slices_by_source(table: pd.DataFrame) -> None:
    sources = ["wire" if i < 48 else "blog" for i in range(len(table))]
    found = slices_of(measured(table.assign(source=sources)), "source")
    assert list(found) == ["blog", "wire"]
    first = table.iloc[:48]
    assert found["wire"] == score(first["label"], first["predicted"], first["page"], n_resamples=20)


@pytest.mark.parametrize(("n_sources", "n_slices"), [(1, 0), (2, 2), (12, 12), (13, 0)])
def test_no_slices_by_one_source_or_by_too_many(table: pd.DataFrame, n_sources: int, n_slices: int) -> None:
    found = measured(table.assign(source=[f"s{i % n_sources:02}" for i in range(len(table))]))
    assert len(slices_of(found, "source")) == n_slices


def test_rows_without_source_are_in_no_slice_by_source(table: pd.DataFrame) -> None:
    sources = pd.Series(["wire", "blog", None] * 40)
    found = slices_of(measured(table.assign(source=sources)), "source")
    assert {name: scores.n_paragraphs for name, scores in found.items()} == {"blog": 40, "wire": 40}


def test_slices_by_links(table: pd.DataFrame) -> None:
    density = pd.Series([0.0, 0.49, 0.5, 1.0, None] * 24)
    found = slices_of(measured(table.assign(link_density=density)), "links")
    assert {name: scores.n_paragraphs for name, scores in found.items()} == {"linked": 48, "not linked": 48, "unknown": 24}


def test_no_slices_by_links_where_nothing_is_known(table: pd.DataFrame) -> None:
    assert slices_of(measured(table.assign(link_density=np.nan)), "links") == {}
    assert slices_of(measured(table), "links") == {}


# Digests


def test_digests_are_those_of_the_labelled_rows(table: pd.DataFrame) -> None:
    partly = table.assign(label=table["label"].mask(table.index < 6))
    found, expected = measured(partly), measured(table.iloc[6:])
    assert found.data_digest == expected.data_digest == table_digest(table.iloc[6:])
    assert found.predictions_digest == expected.predictions_digest
    assert found.scores == expected.scores
    assert len(found.table) == len(table)


def changed(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """The table with the first value of a column replaced by another."""
    values = table[column].tolist()
    values[0] = next(value for value in [*values, "another"] if value != values[0])
    return table.assign(**{column: values})


@pytest.mark.parametrize(
    ("column", "data_changes", "predictions_change"),
    [
        ("label", True, False),
        ("text", True, False),
        ("predicted", False, True),
        ("page", True, True),
        ("position", True, True),
        ("p_news", False, True),
    ],
)
def test_digests_change_with_what_they_cover(
    table: pd.DataFrame, column: str, data_changes: bool, predictions_change: bool
) -> None:
    before, after = measured(table), measured(changed(table, column))
    assert (after.data_digest != before.data_digest) is data_changes
    assert (after.predictions_digest != before.predictions_digest) is predictions_change


# The whole


def test_overall_scores_and_names(table: pd.DataFrame) -> None:
    found = measured(table, name="held", context="order", seed=3)
    assert found.scores == score(table["label"], table["predicted"], table["page"], seed=3, n_resamples=20)
    assert (found.name, found.context) == ("held", "order")
    accuracy = found.scores.accuracy.value
    assert found.calibration.ece == pytest.approx(abs(0.8 - accuracy))


def test_equal_input_and_seed_give_equal_numbers(table: pd.DataFrame) -> None:
    first, second = (json.dumps(measured(table, seed=1).as_dict(), sort_keys=True) for _ in range(2))
    assert first == second
    assert json.dumps(measured(table, seed=2).as_dict(), sort_keys=True) != first


def test_plain_values_hold_no_texts(table: pd.DataFrame) -> None:
    plain = measured(table).as_dict()
    assert set(plain) == {
        *("name", "context", "data_digest", "predictions_digest"),
        *("scores", "slices", "calibration", "levels", "selective", "news_loss"),
    }
    assert "line 1" not in json.dumps(plain)
    assert plain["slices"][0]["kind"] == "length"


def test_refuses_a_table_without_labelled_rows(table: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match=r"scores: need at least one labelled paragraph; got none"):
        measured(table.assign(label=None))
    with pytest.raises(ValueError, match=r"table: must have a column 'label'; got"):
        measured(table.drop(columns="label"))


@pytest.mark.parametrize("column", ["page", "position", "text", "predicted", "p_boilerplate"])
def test_refuses_a_table_without_predictions(table: pd.DataFrame, column: str) -> None:
    with pytest.raises(ValueError, match=rf"test: must have the columns .*{column}.*; got"):
        measured(table.drop(columns=column))


@pytest.fixture(scope="module")
def rule() -> Predictor:
    return Predictor(LineRule().fit([], []))


@pytest.fixture(scope="module")
def corpus() -> pd.DataFrame:
    rows = [
        ("p", "The council of Tarn voted on Monday to repair the bridge.", "news"),
        ("p", "Share", "boilerplate"),
        ("p", "Council of Tarn to repair bridge", "news"),
        ("q", "Five things to know about Tarn", "related-link"),
        ("q", "Menu", None),
    ]
    table = pd.DataFrame(rows, columns=["page", "text", "label"])
    return table.assign(position=range(5))


def test_evaluate_predicts_and_measures(rule: Predictor, corpus: pd.DataFrame) -> None:
    found = evaluate(rule, corpus, name="tarn", n_resamples=20)
    assert (found.name, found.context) == ("tarn", "alone")
    assert found.scores.n_paragraphs == 4
    assert found.scores.accuracy.value == 0.75
    assert found.scores.confusion == ((1, 0, 1), (0, 1, 0), (0, 0, 1))
    assert found.table["predicted"].tolist() == ["news", "boilerplate", "related-link", "related-link", "boilerplate"]
    assert found.data_digest == table_digest(corpus.iloc[:4])


def test_evaluate_leaves_the_corpus_alone(rule: Predictor, corpus: pd.DataFrame) -> None:
    before = corpus.copy()
    evaluate(rule, corpus, n_resamples=20)
    pd.testing.assert_frame_equal(corpus, before)


def test_evaluate_refuses_a_context_the_model_does_not_know(rule: Predictor, corpus: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match=r"context: must be .*; got 'markup'"):
        evaluate(rule, corpus, context="markup")


class Leveled:
    """Answers `news` alone, and from the page what its texts say."""

    classes_ = np.array(["news", "boilerplate", "related-link"])

    def predict_proba(self, X: Any, context: str = "auto") -> np.ndarray:
        texts = X["text"].tolist()
        menu = [text in ("Share", "Menu") for text in texts]
        return np.array([[0.1, 0.8, 0.1] if is_menu and context != "alone" else [0.8, 0.1, 0.1] for is_menu in menu])


@pytest.mark.parametrize(
    ("column", "expected"), [(None, ["auto", "alone", "order"]), ("tag", ["auto", "alone", "order", "markup"])]
)
def test_every_level_that_model_and_corpus_offer_is_measured(
    corpus: pd.DataFrame, column: str | None, expected: list[str]
) -> None:
    model = Predictor(Leveled(), {}, ("alone", "order", "markup"))
    table = corpus.assign(**{column: "p"}) if column else corpus
    found = evaluate(model, table, n_resamples=20)
    assert list(found.by_context) == expected
    assert found.by_context["alone"].scores.confusion[1] == (1, 0, 0)
    assert found.by_context["order"].scores.confusion[1] == (0, 1, 0)
    assert all(level.data_digest == found.data_digest and level.levels == () for level in found.levels)
    assert list(found.as_dict()["levels"]) == expected[1:]
    assert evaluate(model, table, context="order", n_resamples=20).levels == ()


def test_sites_of_the_training_make_a_slice(corpus: pd.DataFrame) -> None:
    model = Predictor(LineRule().fit([], []), {"training": {"sites": [site_digest("tarn.example")]}})
    table = corpus.assign(site=["tarn.example"] * 3 + ["elsewhere.example"] * 2)
    found = slices_of(evaluate(model, table, n_resamples=20), "site")
    assert {name: scores.n_paragraphs for name, scores in found.items()} == {"seen in training": 3, "unseen": 1}
    assert slices_of(evaluate(Predictor(LineRule().fit([], [])), table, n_resamples=20), "site") == {}


def test_curves_of_abstention_and_lost_news(table: pd.DataFrame) -> None:
    found = measured(table)
    assert found.selective[0].coverage == 1.0
    assert found.news_loss[0].threshold == 0.0
    assert measured(table[table["label"] != "news"]).news_loss == ()


def test_small_slices_are_marked(table: pd.DataFrame) -> None:
    found = measured(table.assign(source=["rare"] * 12 + ["frequent"] * 108))
    assert {part.name: part.is_small for part in found.slices if part.kind == "source"} == {"frequent": True, "rare": True}
    assert {part.is_small for part in found.slices if part.kind == "length"} == {False}
