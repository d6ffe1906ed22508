from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks

from newswinnow.models.rules import RULES, LineRule, c4_rule, three_line_rule

EIGHT = "one two three four five six seven eight"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (f"{EIGHT}.", "news"),
        (f"{EIGHT}!”", "news"),
        (f"{EIGHT}?)", "news"),
        (f"{EIGHT}…", "news"),
        (f"{EIGHT}...", "news"),
        (EIGHT, "related-link"),
        (f"{EIGHT}:", "related-link"),
        (f"one. {EIGHT}", "related-link"),
        ("one two three four five six seven.", "related-link"),
        ("one two three four five", "related-link"),
        ("one two three four.", "boilerplate"),
        ("Share", "boilerplate"),
        ("", "boilerplate"),
    ],
)
def test_three_line_rule(text: str, label: str) -> None:
    assert three_line_rule(text) == label


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("The council met on Monday.", "news"),
        ("Who will pay for it?", "news"),
        ("Nobody here will pay it!", "news"),
        ('He said "nobody will pay"', "news"),
        ("He said “nobody will pay”", "news"),
        ("The council met on Monday", "boilerplate"),
        ("The council met on Monday:", "boilerplate"),
        ("The council met on Monday...", "boilerplate"),
        ("The council met again.", "boilerplate"),
        ("Please enable JavaScript to see it.", "boilerplate"),
        ("Lorem ipsum dolor sit amet then.", "boilerplate"),
        ("The function f { returns it here.", "boilerplate"),
        ("You agree to our Terms of Use.", "boilerplate"),
        ("Here you find our privacy policy.", "boilerplate"),
        ("Here you find our cookie policy.", "boilerplate"),
        ("This whole site uses cookies now.", "boilerplate"),
        ("Read on our use of cookies.", "boilerplate"),
        ("Like all others we use cookies.", "boilerplate"),
        ("", "boilerplate"),
    ],
)
def test_c4_rule(text: str, label: str) -> None:
    assert c4_rule(text) == label


def test_c4_knows_no_related_links(corpus: Any) -> None:
    found = LineRule("c4").fit(corpus, corpus["label"]).predict(corpus)
    assert set(found) == {"news", "boilerplate"}
    assert (found[corpus["label"] == "related-link"] == "boilerplate").all()


@pytest.mark.parametrize("rule", list(RULES))
@settings(deadline=None, max_examples=100)
@given(texts=st.lists(st.text(max_size=60), max_size=5))
def test_classifier_says_what_the_rule_says(rule: str, texts: list[str]) -> None:
    model = LineRule(rule).fit([], [])
    predicted, probabilities = model.predict(texts), model.predict_proba(texts)
    assert predicted.tolist() == [str(RULES[rule](text)) for text in texts]
    assert probabilities.shape == (len(texts), 3)
    assert (probabilities.sum(axis=1) == 1).all()
    assert (probabilities.max(axis=1) == 1).all()
    assert model.classes_[probabilities.argmax(axis=1)].tolist() == predicted.tolist()


def test_classes_are_all_three_sorted_whatever_was_seen() -> None:
    assert LineRule().fit(["Share"], ["boilerplate"]).classes_.tolist() == ["boilerplate", "news", "related-link"]


def test_refuses_an_unknown_rule_at_fit() -> None:
    with pytest.raises(ValueError, match=r"rule: must be one of three-line, c4; got 'four-line'"):
        LineRule("four-line").fit(["Share"], ["boilerplate"])


def test_refuses_labels_that_do_not_match_the_texts() -> None:
    with pytest.raises(ValueError, match=r"y: must have one label per text, 2; got 1"):
        LineRule().fit(["Share", "Menu"], ["boilerplate"])


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_refuses_to_predict_before_fit(method: str) -> None:
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(LineRule(), method)(["Share"])


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_refuses_what_is_not_texts(method: str) -> None:
    model = LineRule().fit([], [])
    with pytest.raises(TypeError, match=r"X: must be a list, Series or table of texts; got one str"):
        getattr(model, method)("Share")
    with pytest.raises(TypeError, match=r"X\[1\]: must be a str; got NoneType None"):
        getattr(model, method)(["Share", None])


def test_clone_and_parameters() -> None:
    model = LineRule("c4").fit([], [])
    again = clone(model)
    assert again.get_params() == {"rule": "c4"}
    assert not hasattr(again, "classes_")
    assert clone(model).set_params(rule="three-line").fit([], []).predict([EIGHT]).tolist() == ["related-link"]


def test_works_in_a_pipeline(corpus: Any) -> None:
    cut = FunctionTransformer(lambda texts: [text[:10] for text in texts])
    pipeline = make_pipeline(cut, LineRule()).fit(corpus["text"], corpus["label"])
    assert set(pipeline.predict([f"{EIGHT}."])) == {"boilerplate"}


def test_works_in_cross_validation(corpus: Any) -> None:
    found = cross_validate(LineRule(), corpus, corpus["label"], groups=corpus["site"], cv=GroupKFold(4), scoring="f1_macro")
    whole = LineRule().fit(corpus, corpus["label"]).score(corpus, corpus["label"])
    assert len(found["test_score"]) == 4
    assert np.isfinite(found["test_score"]).all()
    assert whole > 0.75


def test_grid_search_prefers_the_rule_that_knows_related_links(corpus: Any) -> None:
    search = GridSearchCV(LineRule(), {"rule": ["c4", "three-line"]}, cv=3).fit(corpus["text"], corpus["label"])
    assert search.best_params_ == {"rule": "three-line"}
    assert search.predict(["Share"]).tolist() == ["boilerplate"]


# The rest of check_estimator feeds numbers, which a classifier of texts refuses.
@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_estimator_cloneable,
        estimator_checks.check_estimator_repr,
        estimator_checks.check_no_attributes_set_in_init,
        estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
        estimator_checks.check_mixin_order,
        estimator_checks.check_valid_tag_types,
        estimator_checks.check_get_params_invariance,
        estimator_checks.check_set_params,
        estimator_checks.check_parameters_default_constructible,
    ],
)
def test_passes_the_checks_of_scikit_learn_that_need_no_numbers(check: Any) -> None:
    check("LineRule", LineRule())
