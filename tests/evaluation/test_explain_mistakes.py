"""Explaining the surest mistakes of an evaluation."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import newswinnow.evaluation.explain_mistakes as module
from newswinnow.evaluation.evaluate import Evaluation, evaluate, evaluate_predictions
from newswinnow.evaluation.explain import Explanation
from newswinnow.evaluation.explain_mistakes import surest_mistakes, with_explanations
from newswinnow.features.plain import softmax
from newswinnow.models.predictor import CONTEXTS, Predictor
from newswinnow.models.registry import ModelSpec
from newswinnow.models.saved import load_model
from newswinnow.models.training import train
from newswinnow.paragraphs.label import LABELS


class Wordy:
    """News by words; in `bag` and above each other paragraph of the page that holds a star makes it more so. Counts rows."""

    classes_ = np.array([str(label) for label in LABELS])

    def __init__(self) -> None:
        self.n_rows = 0

    def predict_proba(self, table: Any, *, context: str) -> Any:
        texts = list(table["text"])
        pages = list(table["page"]) if "page" in table.columns else [""] * len(texts)
        self.n_rows += len(texts)
        starred = [page for page, text in zip(pages, texts, strict=True) if "*" in text]
        out = np.tile([0.0, 0.0, -0.1], (len(texts), 1))
        for i, (text, page) in enumerate(zip(texts, pages, strict=True)):
            others = starred.count(page) - ("*" in text)
            out[i, 0] = len(text.split()) - 4.5 + (context != "alone") * others
        return softmax(out)


def corpus() -> pd.DataFrame:
    """Two pages, rows out of order, one empty and one unlabelled paragraph."""
    rows = [
        ("b", 1, "One two three four five six", "boilerplate"),
        ("a", 2, "", None),
        ("a", 0, "Star *", "boilerplate"),
        ("a", 3, "Only three words", "news"),
        ("b", 0, "One two three four five six seven", "related-link"),
        ("a", 1, "A line without a label", None),
        ("b", 2, "Share", "boilerplate"),
    ]
    return pd.DataFrame(rows, columns=["page", "position", "text", "label"]).assign(status=["ok"] * 7)


def filled() -> pd.DataFrame:
    """The same without the empty paragraph."""
    table = corpus()
    return table[table["text"] != ""]


def measured(predictor: Predictor, context: str = "bag") -> Evaluation:
    return evaluate(predictor, corpus(), context=context, n_resamples=10)


def places(explained: tuple[Explanation, ...]) -> list[tuple[str, int, str, str]]:
    return [(e.page, e.position, str(LABELS[e.label]), str(LABELS[e.other])) for e in explained]


def test_the_surest_mistakes_come_first_and_equal_ones_in_page_order() -> None:
    rows = [("b", 0, 0.7), ("a", 1, 0.9), ("a", 0, 0.7), ("a", 2, 0.8), ("c", 0, 0.95)]
    table = pd.DataFrame(rows, columns=["page", "position", "p_news"]).assign(label="boilerplate", predicted="news")
    table = table.assign(p_boilerplate=0.0, p_related_link=0.0)
    table.loc[4, "label"] = None
    assert surest_mistakes(table, 9) == [1, 3, 2, 0]
    assert surest_mistakes(table, 2) == [1, 3]
    assert surest_mistakes(table.assign(label=None), 2) == []


def test_each_is_explained_against_its_true_label() -> None:
    explained = with_explanations(measured(Predictor(Wordy(), {}, CONTEXTS[:2])), Predictor(Wordy(), {}, CONTEXTS[:2])).explained
    # Three words less 4.5 and a star: three labels, none of which is news before the others.
    assert places(explained) == [
        ("b", 0, "news", "related-link"),
        ("b", 1, "news", "boilerplate"),
        ("a", 3, "boilerplate", "news"),
    ]
    first, _, last = explained
    assert first.flip is None
    assert [level.context for level in last.levels] == ["alone", "bag"]
    assert last.levels[1].added[0] - last.levels[1].added[1] == pytest.approx(1)
    assert (last.neighbours[0].position, last.neighbours[0].text) == (0, "Star *")
    assert all(neighbour.text for neighbour in last.neighbours)


def test_the_edit_gives_the_true_label() -> None:
    predictor = Predictor(Wordy(), {}, CONTEXTS[:2])
    explained = with_explanations(measured(predictor, "alone"), predictor).explained
    second = explained[1]
    assert second.flip is not None
    assert (len(second.flip.edits), str(LABELS[second.flip.label])) == (2, "boilerplate")
    assert second.neighbours == ()


def test_as_many_as_asked_for_and_nothing_else_changes() -> None:
    predictor = Predictor(Wordy(), {}, CONTEXTS[:2])
    evaluation = measured(predictor)
    everything = with_explanations(evaluation, predictor)
    assert with_explanations(evaluation, predictor, n=2).explained == everything.explained[:2]
    assert with_explanations(evaluation, predictor, n=0).explained == ()
    assert everything.as_dict() == evaluation.as_dict()
    assert with_explanations(evaluation, predictor) == everything
    with pytest.raises(ValueError, match="n: must be >= 0; got -1"):
        with_explanations(evaluation, predictor, n=-1)


def test_what_is_not_the_model_s_answer_is_not_explained() -> None:
    table = measured(Predictor(Wordy(), {}, CONTEXTS[:2])).table
    table.loc[table["position"] == 3, "predicted"] = "related-link"
    evaluation = evaluate_predictions(table, context="bag", n_resamples=10)
    explained = with_explanations(evaluation, Predictor(Wordy(), {}, CONTEXTS[:2])).explained
    assert [place[:2] for place in places(explained)] == [("b", 0), ("b", 1)]


def test_rows_scored_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    n = 50
    text = " ".join(f"w{i}" for i in range(60))
    table = pd.DataFrame(
        {"page": ["p"] * n, "position": range(n), "text": [text] * n, "label": ["news"] + ["boilerplate"] * (n - 1)}
    )
    counts = {}
    for limit in (100, 1_000):
        monkeypatch.setattr(module, "MAX_ROWS_FOREIGN", limit)
        model = Wordy()
        predictor = Predictor(model, {}, CONTEXTS[:2])
        evaluation = evaluate(predictor, table, context="bag", n_resamples=10)
        model.n_rows = 0
        assert len(with_explanations(evaluation, predictor, n=1).explained) == 1
        counts[limit] = model.n_rows
    # Levels, neighbours, then single steps, pairs and two further steps of 14 edits each at least.
    assert counts[100] <= n * (5 + module.N_LEFT_OUT + 14 + 15 + 14)
    assert counts[100] < counts[1_000] <= n * (5 + module.N_LEFT_OUT + 22 + 30 + 22)


def test_pages_too_long_are_passed_over_by_models_that_look_at_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PAGE", 3)
    predictor = Predictor(Wordy(), {}, CONTEXTS[:2])
    evaluation = measured(predictor)
    assert [place[0] for place in places(with_explanations(evaluation, predictor).explained)] == ["b", "b"]


def test_a_foreign_model_is_explained_by_edits_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = filled()
    predictor = train(pd.concat([rows, rows.assign(page=rows["page"] + "'")], ignore_index=True), ModelSpec("three-line"))
    evaluation = evaluate(predictor, rows, n_resamples=10)
    explained = with_explanations(evaluation, predictor).explained
    assert explained
    for explanation in explained:
        assert (explanation.contributions, explanation.levels, explanation.neighbours) == (None, (), ())
    assert any(explanation.flip for explanation in explained)
    monkeypatch.setattr(module, "MAX_PAGE", 1)
    assert with_explanations(evaluation, predictor).explained == explained


def test_of_the_shipped_model_the_parts_sum_to_its_lowest_level() -> None:
    predictor = load_model()
    rows = filled().assign(label=["related-link"] * 6, tag=pd.Series(["p", None] * 3, dtype=object).to_numpy())
    explained = with_explanations(evaluate(predictor, rows, n_resamples=10), predictor).explained
    assert explained
    for explanation in explained:
        assert explanation.contributions is not None
        margin = sum(part.margin(explanation.label, explanation.other) for part in explanation.contributions)
        alone = explanation.levels[0]
        assert alone.context == "alone"
        assert alone.added[explanation.label] - alone.added[explanation.other] == pytest.approx(margin, abs=1e-5)
        assert sum(explanation.logits) == pytest.approx(0, abs=1e-9)
        if explanation.flip:
            assert explanation.flip.label == explanation.other
