from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from newswinnow.models.predictor import Predictor
from newswinnow.models.registry import FAMILIES, ModelSpec, build_model, min_per_label
from newswinnow.models.rules import LineRule

LEARNING = ("naive-bayes", "tfidf-logistic", "tfidf-svm", "tfidf-boosting")
SORTED = ["boilerplate", "news", "related-link"]


def small(spec: ModelSpec, *, seed: int = 0) -> Any:
    """The model as built, but with few trees or steps."""
    model = build_model(spec, seed=seed)
    if spec.needs_pages:
        return model.set_params(n_hidden=4, n_epochs=1, least_steps=0)
    return model.set_params(max_iter=8) if spec.family == "tfidf-boosting" else model


@pytest.fixture(scope="module")
def fitted(corpus: pd.DataFrame) -> dict[str, Any]:
    """Every family, trained on all sites but one."""
    rows = corpus[corpus["site"] != "velm.example"]
    return {family: small(ModelSpec(family)).fit(rows, rows["label"].to_numpy(dtype=str)) for family in FAMILIES}


@pytest.fixture(scope="module")
def unseen(corpus: pd.DataFrame) -> pd.DataFrame:
    return corpus[corpus["site"] == "velm.example"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"family": "tfidf-forest"}, r"family: must be one of majority, three-line, .*, ladder; got 'tfidf-forest'"),
        ({"analyzer": "words"}, r"analyzer: must be one of word, char, both; got 'words'"),
        ({"C": 0.0}, r"C: must be > 0; got 0.0"),
        ({"C": -1.0}, r"C: must be > 0; got -1.0"),
        ({"C": float("nan")}, r"C: must be > 0; got nan"),
        ({"min_df": 0}, r"min_df, max_char_features: must be >= 1; got 0, 200000"),
        ({"max_char_features": 0}, r"min_df, max_char_features: must be >= 1; got 2, 0"),
    ],
)
def test_specification_refuses(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ModelSpec(**options)


def test_specification_as_plain_values_and_back() -> None:
    spec = ModelSpec(
        "tfidf-svm", analyzer="char", surface=False, edges=True, C=0.5, balanced=False, min_df=3, max_char_features=9
    )
    assert ModelSpec(**spec.as_dict()) == spec
    assert spec.as_dict()["C"] == 0.5
    assert spec != ModelSpec()


@pytest.mark.parametrize("family", FAMILIES)
def test_family_gives_probabilities_of_the_sorted_labels(family: str, fitted: dict[str, Any], unseen: pd.DataFrame) -> None:
    model = fitted[family]
    assert model.classes_.tolist() == SORTED
    for X in (unseen, unseen["text"], unseen["text"].tolist(), unseen["text"].to_numpy()):
        probabilities = model.predict_proba(X)
        assert probabilities.shape == (len(unseen), 3)
        assert (probabilities >= 0).all()
        assert probabilities.sum(axis=1) == pytest.approx(np.ones(len(unseen)))
        assert model.predict(X).tolist() == model.classes_[probabilities.argmax(axis=1)].tolist()


@pytest.mark.parametrize("family", FAMILIES)
def test_predictor_turns_columns_into_label_order(family: str, fitted: dict[str, Any], unseen: pd.DataFrame) -> None:
    predictor = Predictor(fitted[family])
    assert predictor.classes_.tolist() == ["news", "boilerplate", "related-link"]
    expected = fitted[family].predict_proba(unseen["text"])[:, [1, 0, 2]]
    assert predictor.predict_proba(unseen) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("family", LEARNING)
def test_learning_family_predicts_the_three_labels_on_an_unseen_site(
    family: str, fitted: dict[str, Any], unseen: pd.DataFrame
) -> None:
    found = Predictor(fitted[family]).predict(unseen)
    assert set(found) == set(SORTED)
    assert (found == unseen["label"]).mean() > 0.85


def test_three_line_family_predicts_the_three_labels(fitted: dict[str, Any], unseen: pd.DataFrame) -> None:
    assert set(fitted["three-line"].predict(unseen)) == set(SORTED)


def test_majority_says_the_most_frequent_label_with_its_shares() -> None:
    model = build_model(ModelSpec("majority")).fit(["a", "b", "c", "d"], ["news", "news", "news", "boilerplate"])
    assert model.predict(["Share", "Menu"]).tolist() == ["news", "news"]
    assert model.predict_proba(["Share"]).tolist() == [[0.25, 0.75]]


@pytest.mark.parametrize(("family", "rule"), [("three-line", "three-line"), ("c4", "c4")])
def test_rule_family_is_its_rule(family: str, rule: str) -> None:
    model = build_model(ModelSpec(family))
    assert isinstance(model, LineRule)
    assert model.rule == rule


@pytest.mark.parametrize("family", FAMILIES)
def test_refuses_what_is_not_texts(family: str, fitted: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"X: must be a list, Series or table of texts; got one str 'Share'"):
        fitted[family].predict("Share")
    with pytest.raises(TypeError, match=r"X\[0\]: must be a str; got int 3"):
        fitted[family].predict([3])
    with pytest.raises(ValueError, match=r"X: a paragraph table must have a column 'text'; got \['body'\]"):
        fitted[family].predict(pd.DataFrame({"body": ["Share"]}))


@pytest.mark.parametrize("family", FAMILIES)
def test_equal_seed_equal_model(family: str, fitted: dict[str, Any], corpus: pd.DataFrame, unseen: pd.DataFrame) -> None:
    rows = corpus[corpus["site"] != "velm.example"]
    again = small(ModelSpec(family), seed=0).fit(rows, rows["label"].to_numpy(dtype=str))
    assert np.array_equal(again.predict_proba(unseen), fitted[family].predict_proba(unseen))


@pytest.mark.parametrize(
    ("family", "parameters"),
    [
        ("tfidf-logistic", ["classifier__random_state"]),
        ("tfidf-svm", ["classifier__estimator__random_state"]),
        ("tfidf-boosting", ["random_state", "text_model__classifier__random_state"]),
    ],
)
def test_seed_reaches_everything_random(family: str, parameters: list[str]) -> None:
    found = build_model(ModelSpec(family), seed=7).get_params()
    assert [found[parameter] for parameter in parameters] == [7] * len(parameters)
    assert {value for name, value in found.items() if name.endswith("random_state")} == {7}


@pytest.mark.parametrize("family", FAMILIES)
def test_clone_is_unfitted_and_equal(family: str, fitted: dict[str, Any]) -> None:
    again = clone(fitted[family])
    assert repr(again) == repr(fitted[family])
    assert set(again.get_params()) == set(fitted[family].get_params())
    assert not hasattr(again, "classes_")


@pytest.mark.parametrize("family", FAMILIES)
def test_works_inside_a_pipeline_and_cross_validation(family: str, corpus: pd.DataFrame) -> None:
    strip = FunctionTransformer(lambda texts: [text.strip("“”") for text in texts])
    pipeline = Pipeline([("strip", strip), ("model", small(ModelSpec(family)))])
    found = cross_validate(
        pipeline, corpus["text"], corpus["label"], groups=corpus["site"], cv=GroupKFold(2), error_score="raise"
    )
    assert (found["test_score"] >= 0.3).all()


def test_grid_search_over_options_of_the_text_model(corpus: pd.DataFrame) -> None:
    model = build_model(ModelSpec("tfidf-logistic", analyzer="word"))
    search = GridSearchCV(model, {"classifier__C": [1e-6, 5.0]}, cv=2, scoring="neg_log_loss", error_score="raise")
    search.fit(corpus, corpus["label"].to_numpy(dtype=str))
    assert search.best_params_ == {"classifier__C": 5.0}
    assert search.score(corpus, corpus["label"].to_numpy(dtype=str)) > -0.5


def columns(spec: ModelSpec, corpus: pd.DataFrame) -> list[str]:
    model = build_model(spec).fit(corpus, corpus["label"].to_numpy(dtype=str))
    return list(model.named_steps["features"].get_feature_names_out())


def kinds(names: list[str]) -> set[str]:
    return {name.split("__")[0] for name in names}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (ModelSpec(), {"word", "char", "surface"}),
        (ModelSpec(analyzer="word"), {"word", "surface"}),
        (ModelSpec(analyzer="char"), {"char", "surface"}),
        (ModelSpec(surface=False), {"word", "char"}),
        (ModelSpec(analyzer="word", edges=True), {"word", "edges", "surface"}),
        (ModelSpec("naive-bayes", edges=True, surface=False), {"word", "char", "edges"}),
        (ModelSpec("naive-bayes", analyzer="word"), {"word", "surface"}),
    ],
)
def test_options_choose_the_features(spec: ModelSpec, expected: set[str], corpus: pd.DataFrame) -> None:
    assert kinds(columns(spec, corpus)) == expected


def test_word_features_are_words_and_pairs_with_punctuation(corpus: pd.DataFrame) -> None:
    names = columns(ModelSpec(analyzer="word", surface=False), corpus)
    assert {"word__council", "word__said .", "word__read more", "word__:"} <= set(names)
    assert max(len(name.split()) for name in names) == 2


def test_naive_bayes_sees_no_negative_feature(corpus: pd.DataFrame) -> None:
    names = columns(ModelSpec("naive-bayes", analyzer="word"), corpus)
    assert "surface__log_chars" not in names
    assert any(name.startswith("surface__x0") for name in names)


def test_min_df_drops_rare_words(corpus: pd.DataFrame) -> None:
    often = columns(ModelSpec(analyzer="word", surface=False, min_df=10), corpus)
    texts = corpus["text"].str.lower()
    assert "word__council" in often
    assert "word__osk" in columns(ModelSpec(analyzer="word", surface=False, min_df=2), corpus)
    for name in often:
        first = name.removeprefix("word__").split()[0]
        assert texts.str.contains(first, regex=False).sum() >= 10


def test_max_char_features_is_a_cap(corpus: pd.DataFrame) -> None:
    assert len(columns(ModelSpec(analyzer="char", surface=False, max_char_features=17), corpus)) == 17


@pytest.mark.parametrize(
    ("family", "weight", "strength"),
    [
        ("tfidf-logistic", "classifier__class_weight", "classifier__C"),
        ("tfidf-svm", "classifier__estimator__class_weight", "classifier__estimator__C"),
        ("tfidf-boosting", "text_model__classifier__class_weight", "text_model__classifier__C"),
    ],
)
@pytest.mark.parametrize(("balanced", "expected"), [(True, "balanced"), (False, None)])
def test_balance_and_strength_reach_the_classifier(
    family: str, weight: str, strength: str, balanced: bool, expected: str | None
) -> None:
    found = build_model(ModelSpec(family, balanced=balanced, C=0.125)).get_params()
    assert found[weight] == expected
    assert found[strength] == 0.125


def test_surface_features_weigh_less_than_n_grams() -> None:
    weights = build_model(ModelSpec()).get_params()["features__transformer_weights"]
    assert 0 < weights["surface"] < 1


@pytest.mark.parametrize("family", FAMILIES)
def test_min_per_label_is_enough_to_fit(family: str) -> None:
    n = max(2, min_per_label(ModelSpec(family)))
    rows = [(f"The council of Tarn met on day {i}.", "news") for i in range(n)] + [
        (f"Share this {i}", "boilerplate") for i in range(n)
    ]
    spec = ModelSpec(family, analyzer="word", min_df=1)
    model = small(spec).fit([text for text, _ in rows], [label for _, label in rows])
    assert model.predict_proba(["Share this"]).shape == (1, len(model.classes_))
