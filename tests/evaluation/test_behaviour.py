from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from newswinnow.evaluation.behaviour import Behaviour, behaviour_of
from newswinnow.evaluation.behaviour_suite import Suite, parse_cases, read_suite
from newswinnow.models.predictor import CONTEXTS, Predictor
from newswinnow.models.rules import LineRule
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import TAG, texts_of

Answer = Callable[[list[str]], list[tuple[float, float, float]]]
NEWS, BOILERPLATE, RELATED = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


class Fake:
    """A classifier that answers page by page as it is told to, and remembers what it was asked."""

    classes_ = np.array([str(label) for label in LABELS])

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[tuple[str, bool]] = []

    def predict_proba(self, X: Any, context: str = "alone") -> np.ndarray:
        self.asked.append((context, TAG in getattr(X, "columns", ())))
        if not isinstance(X, pd.DataFrame) or "page" not in X.columns:
            return np.array([self.answer([text])[0] for text in texts_of(X)])
        return np.concatenate([self.answer(rows["text"].tolist()) for _, rows in X.groupby("page", sort=False)])


def suite_of(text: str) -> Suite:
    return Suite(tuple(parse_cases(text, where="mine.toml")), "digest")


def ask(answer: Answer, text: str, *, contexts: tuple[str, ...] = ("alone",)) -> Behaviour:
    return behaviour_of(Predictor(Fake(answer), contexts=contexts), suite=suite_of(text))


def passed(behaviour: Behaviour) -> list[bool]:
    return [outcome.is_passed for outcome in behaviour.outcomes]


def certainly(p_news: float) -> tuple[float, float, float]:
    return (p_news, 1 - p_news, 0.0)


def test_a_paragraph_must_get_its_label() -> None:
    suite = '[[functionality]]\ncapability = "x"\nlabel = "news"\ntexts = ["It rained.", "Share"]'
    found = ask(lambda texts: [NEWS if text.endswith(".") else BOILERPLATE for text in texts], suite)
    assert passed(found) == [True, False]
    assert (found.overall.n_cases, found.overall.n_passed, found.overall.share) == (2, 1, 0.5)
    assert [(o.case.name, o.context, o.got) for o in found.failures] == [("functionality/news: x/2", "alone", ("boilerplate",))]


@pytest.mark.parametrize(
    ("before", "after", "is_passed"),
    [(0.2, 0.3, True), (0.3, 0.3, False), (0.3, 0.2, False), (0.96, 0.95, True), (0.96, 0.94, False), (0.94, 0.945, True)],
)
def test_a_probability_must_rise_unless_there_is_no_room(before: float, after: float, is_passed: bool) -> None:
    suite = '[[direction]]\ncapability = "x"\ntoward = "news"\npairs = [["a", "b"]]'
    found = ask(lambda texts: [certainly({"a": before, "b": after}[text]) for text in texts], suite)
    assert passed(found) == [is_passed]


@pytest.mark.parametrize(("answer", "is_passed"), [(NEWS, False), (BOILERPLATE, True), (RELATED, True)])
def test_a_label_may_be_forbidden(answer: tuple[float, float, float], is_passed: bool) -> None:
    suite = '[[direction]]\ncapability = "x"\nnever = "news"\nbefore = "r | a"\nafter = """\n? | c\nr* | b"""'
    found = ask(lambda texts: [answer for _ in texts], suite, contexts=("alone", "order"))
    assert passed(found) == [is_passed, is_passed]
    assert [o.context for o in found.outcomes] == ["order", "auto"]


def test_a_change_without_meaning_must_leave_the_label() -> None:
    suite = '[[invariance]]\ncapability = "x"\nchange = "upper case"\ntexts = ["Share", "a"]'
    found = ask(lambda texts: [certainly(0.4 if text.isupper() and len(text) > 1 else 0.1 * len(text)) for text in texts], suite)
    # 0.5 is still called news, being the first of two equal ones.
    assert passed(found) == [False, True]


def test_the_order_of_a_bag_must_not_matter_to_the_last_bit() -> None:
    page = '[[page]]\ncapability = "x"\nchanges = ["lines reversed"]\ncontexts = ["bag", "order"]\nlines = """\nn | a\nn | b"""'

    def by_place(texts: list[str]) -> list[tuple[float, float, float]]:
        return [certainly(0.9 + 1e-15 * i) for i, _ in enumerate(texts)]

    def by_text(texts: list[str]) -> list[tuple[float, float, float]]:
        return [certainly(0.9 if text == "a" else 0.8) for text in texts]

    names = ["functionality/news: x/1", "functionality/news: x/2", "invariance/lines reversed on a page/1"]
    at_bag = [
        [o for o in ask(answer, page, contexts=("alone", "bag")).outcomes if o.context == "bag"] for answer in (by_place, by_text)
    ]
    assert [[o.case.name for o in found] for found in at_bag] == [names, names]
    assert [[o.is_passed for o in found] for found in at_bag] == [[True, True, False], [True, True, True]]


def test_only_markup_shows_tags_and_only_pages_need_a_context() -> None:
    fake = Fake(lambda texts: [NEWS for _ in texts])
    found = behaviour_of(Predictor(fake, contexts=CONTEXTS))
    assert list(found.by_context) == [*CONTEXTS, "auto"]
    assert sorted(set(fake.asked)) == [("alone", False), ("auto", False), ("bag", False), ("markup", True), ("order", False)]
    assert {o.context for o in found.outcomes if len(o.case.page) > 1} == {"bag", "order", "markup", "auto"}
    alone = behaviour_of(Predictor(Fake(lambda texts: [NEWS for _ in texts])))
    assert list(alone.by_context) == ["alone"]
    assert all(len(o.case.page) == 1 for o in alone.outcomes)


def oracle() -> Answer:
    """Answers every functionality question of the suite in the package rightly, by paragraph and page."""
    known: dict[tuple[frozenset[str], str], str] = {}
    for case in read_suite().cases:
        for page in (case.page, case.before):
            texts = frozenset(line.text for line in page)
            for line in page:
                if line.label:
                    known[texts, line.text] = line.label

    def answer(texts: list[str]) -> list[tuple[float, float, float]]:
        labels = [known.get((frozenset(texts), text), "boilerplate") for text in texts]
        return [{"news": NEWS, "boilerplate": BOILERPLATE, "related-link": RELATED}[label] for label in labels]

    return answer


def test_whoever_knows_the_labels_passes_every_question_about_a_page() -> None:
    found = behaviour_of(Predictor(Fake(oracle()), contexts=CONTEXTS))
    assert {o.case.name for o in found.failures if o.case.kind == "functionality" or len(o.case.page) > 1} == set()


def test_the_dictionary_holds_rates_and_failures_and_goes_through_json() -> None:
    found = behaviour_of(Predictor(LineRule("three-line").fit([], [])))
    values = found.as_dict()
    assert json.loads(json.dumps(values)) == values
    assert values["n_cases"] == len(found.outcomes)
    assert values["n_passed"] == values["n_cases"] - len(values["failures"])
    assert sum(rate["n_cases"] for rate in values["by_kind"].values()) == values["n_cases"]
    assert sum(rate["n_cases"] for rate in values["by_capability"].values()) == values["n_cases"]
    assert values["by_kind_and_context"]["direction"]["alone"] == values["by_kind"]["direction"]
    assert values["suite_digest"] == read_suite().digest
    assert behaviour_of(Predictor(LineRule("three-line").fit([], []))).as_dict() == values


def test_of_no_cases_all_are_passed() -> None:
    assert behaviour_of(Predictor(LineRule("three-line").fit([], [])), suite=Suite((), "none")).overall.share == 1.0
