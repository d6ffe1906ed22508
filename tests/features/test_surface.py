from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix, issparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks

from newswinnow.features.surface import FEATURES, Reading, SurfaceFeatures, measure, surface_categories
from newswinnow.paragraphs.table import FloatArray


def log(count: int) -> float:
    return math.log1p(count)


CASES: list[tuple[str, str, float]] = [
    ("log_chars", "Hello", log(5)),
    ("log_chars", "", 0.0),
    ("log_words", "Don't stop-start, now.", log(3)),
    ("log_words", "— | —", 0.0),
    ("mean_word_chars", "ab, abcd!", 3.0),
    ("mean_word_chars", "…", 0.0),
    ("log_sentence_ends", 'One. "Two?" Three!', log(3)),
    ("log_sentence_ends", "It rose by 3.5 percent", 0.0),
    ("words_per_sentence", "One two. Three four.", log(2)),
    ("words_per_sentence", "One two three", log(3)),
    ("closes_sentence", 'He said "yes."', 1.0),
    ("closes_sentence", "(See above.)", 1.0),
    ("closes_sentence", "Wait…", 1.0),
    ("closes_sentence", "Read more:", 0.0),
    ("closes_sentence", "Share", 0.0),
    ("closes_sentence", "", 0.0),
    ("closes_quote", 'He said "yes"', 1.0),
    ("closes_quote", "Sold out (now)", 1.0),
    ("closes_quote", 'He said "yes".', 0.0),
    ("closes_quote", "", 0.0),
    ("ends_colon", "More on this:", 1.0),
    ("ends_colon", "More: this", 0.0),
    ("ends_question", 'He asked "who?"', 1.0),
    ("ends_question", "Who? Me.", 0.0),
    ("ends_ellipsis", "He was...", 1.0),
    ("ends_ellipsis", "He was…", 1.0),
    ("ends_ellipsis", "He was.", 0.0),
    ("opens_quote", '"Yes", she said', 1.0),
    ("opens_quote", "“Yes”", 1.0),
    ("opens_quote", 'She said "yes"', 0.0),
    ("opens_quote", "", 0.0),
    ("opens_lower", "by Ann", 1.0),
    ("opens_lower", "By Ann", 0.0),
    ("opens_lower", "5 by Ann", 0.0),
    ("opens_digit", "5 things", 1.0),
    ("opens_digit", "Five things", 0.0),
    ("log_commas", "a, b; c, d", log(3)),
    ("log_commas", "a b", 0.0),
    ("log_quotes", '"a" “b”', log(4)),
    ("log_quotes", "it's", 0.0),
    ("log_apostrophes", "it's Ann’s", log(2)),
    ("log_apostrophes", '"its"', 0.0),
    ("log_colons", "12:30: now", log(2)),
    ("log_colons", "a;b", 0.0),
    ("log_brackets", "(a) [b]", log(4)),
    ("log_brackets", "{a}", 0.0),
    ("separator_share", "a|b›", 0.5),
    ("separator_share", "Home News", 0.0),
    ("digit_share", "a1b2", 0.5),
    ("digit_share", "", 0.0),
    ("upper_share", "ABcd", 0.5),
    ("upper_share", "abcd", 0.0),
    ("symbol_share", "a, b", 0.25),
    ("symbol_share", "a b", 0.0),
    ("non_ascii_share", "né", 0.5),
    ("non_ascii_share", "ne", 0.0),
    ("capitalised_share", "the Old bridge", 0.5),
    ("capitalised_share", "Solo", 0.0),
    ("all_caps_share", "ABC news A", 1 / 3),
    ("all_caps_share", "Abc News", 0.0),
    ("long_word_share", "absolute car", 0.5),
    ("long_word_share", "totally car", 0.0),
    ("number_share", "12 cars", 0.5),
    ("number_share", "twelve cars", 0.0),
    ("glued_share", "agoShare now", 0.5),
    ("glued_share", "ABC now", 0.0),
    ("stop_share", "The cat", 0.5),
    ("stop_share", "", 0.0),
    ("pronoun_share", "They ran", 0.5),
    ("pronoun_share", "Cats ran", 0.0),
    ("past_share", "walked home", 0.5),
    ("past_share", "walk editor", 0.0),
    ("first_is_stop", "The cat", 1.0),
    ("first_is_stop", "Cat the", 0.0),
    ("first_is_stop", "", 0.0),
    ("first_is_imperative", "Share this", 1.0),
    ("first_is_imperative", "We share", 0.0),
    ("distinct_share", "go Go stop", 2 / 3),
    ("distinct_share", "", 0.0),
    ("is_doubled", "New bridge new Bridge", 1.0),
    ("is_doubled", "New bridge new", 0.0),
    ("is_doubled", "New bridge new road", 0.0),
    ("is_doubled", "", 0.0),
    ("log_times", "At 12:30, 5 mins ago, 3 hours", log(3)),
    ("log_times", "Twelve thirty", 0.0),
    ("log_dates", "12 March, May 3, 1/2/2024 and 1999", log(4)),
    ("log_dates", "Marching on in 12 groups", 0.0),
    ("log_contacts", "www.paper.example desk@paper.example +4420", log(3)),
    ("log_contacts", "1 + 2", 0.0),
    ("has_rights", "© The Paper", 1.0),
    ("has_rights", "All rights reserved", 1.0),
    ("has_rights", "(c) 2024 The Paper", 1.0),
    ("has_rights", "The right of way", 0.0),
]


@pytest.mark.parametrize(("name", "text", "expected"), CASES)
def test_feature_on_hand_made_text(name: str, text: str, expected: float) -> None:
    assert FEATURES[name](Reading(text)) == pytest.approx(expected)


def test_every_feature_has_cases_with_different_values() -> None:
    values: dict[str, set[float]] = {name: set() for name in FEATURES}
    for name, _, expected in CASES:
        values[name].add(expected)
    assert [name for name, found in values.items() if len(found) < 2] == []


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ("Stop.", "."),
        ("Stop!”", "!"),
        ("Why?)", "?"),
        ("More:", ":"),
        ("cut…", "…"),
        ("one,", ","),
        ("one;", ";"),
        ("page 2", "digit"),
        ("page", "word"),
        ("page |", "other"),
        ('"', "other"),
        ("", "other"),
    ],
)
def test_ending(text: str, ending: str) -> None:
    assert Reading(text).ending == ending


@pytest.mark.parametrize(
    ("text", "opening"),
    [("«Oui", "quote"), ("7 days", "digit"), ("seven", "lower"), ("Seven", "upper"), ("| Seven", "other"), ("", "other")],
)
def test_opening(text: str, opening: str) -> None:
    assert Reading(text).opening == opening


def test_categories_of_a_button() -> None:
    found = surface_categories(Reading("Share this now"))
    assert found == ("3", "3/word", "3/upper/0", "3/0", "3/3", "3/imperative/False")


def test_categories_of_a_sentence_count_at_most_three_ends() -> None:
    found = surface_categories(Reading("The Tarn rose. It fell. It rose. It fell again."))
    assert found == ("8", "8/.", "8/upper/3", "8/3", "8/4", "8/stop/True")


def test_categories_of_an_empty_text() -> None:
    assert surface_categories(Reading("")) == ("0", "0/other", "0/other/0", "0/0", "0/0", "0/other/False")


@pytest.mark.parametrize(
    ("n_words", "bucket"),
    [(0, 0), (1, 1), (2, 2), (6, 6), (7, 6), (8, 7), (9, 7), (19, 10), (20, 11), (89, 13), (90, 14), (500, 14)],
)
def test_length_bucket(n_words: int, bucket: int) -> None:
    assert surface_categories(Reading("ox " * n_words))[0] == str(bucket)


def test_measure_puts_features_in_their_order() -> None:
    found = measure(["Share this", "The council met."])
    assert found.shape == (2, len(FEATURES))
    column = list(FEATURES).index("closes_sentence")
    assert found[:, column].tolist() == [0.0, 1.0]
    assert found[0, list(FEATURES).index("first_is_imperative")] == 1.0


def test_measure_of_nothing_has_columns() -> None:
    assert measure([]).shape == (0, len(FEATURES))


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text(max_size=80), max_size=4))
def test_measure_is_finite_and_looks_at_each_text_alone(texts: list[str]) -> None:
    found = measure(texts)
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    shares = [i for i, name in enumerate(FEATURES) if name.endswith("_share")]
    assert (found[:, shares] <= 1).all()
    for i, text in enumerate(texts):
        assert np.array_equal(found[[i]], measure([text]))


TEXTS = [
    "Share this",
    "Share now",
    "Menu",
    "The council of Tarn voted to close the old bridge on Monday.",
    "The mayor of Tarn said the work would take two years.",
    "Residents of the valley had asked for help in March, they said.",
    "Old bridge to close in June",
    "Valley asks for help: 5 things to know",
    "© The Tarn Paper 2024",
]


@pytest.fixture(scope="module")
def fitted() -> SurfaceFeatures:
    return SurfaceFeatures().fit(TEXTS)


def test_numeric_features_are_standardised() -> None:
    found = SurfaceFeatures(crossed=False).fit_transform(TEXTS)
    assert issparse(found)
    assert found.shape == (len(TEXTS), len(FEATURES))
    dense = found.toarray()
    varies = measure(TEXTS).std(axis=0) > 0
    assert 20 < varies.sum() < len(FEATURES)
    assert dense.mean(axis=0) == pytest.approx(np.zeros(len(FEATURES)), abs=1e-12)
    assert dense[:, varies].std(axis=0) == pytest.approx(np.ones(varies.sum()))
    assert (dense[:, ~varies] == 0).all()


def test_numeric_features_are_clipped_at_five_deviations() -> None:
    found = SurfaceFeatures(crossed=False).fit(TEXTS).transform(["x" * 5000, ","]).toarray()
    assert found.max() == 5.0
    assert found.min() >= -5.0


def test_crossed_features_are_indicators() -> None:
    texts = ["Share this"] * 3 + ["The council met on Monday, they said."] * 3
    found = SurfaceFeatures(numeric=False).fit_transform(texts)
    assert found.shape == (6, 12)
    assert set(found.data) == {1.0}
    assert found.sum(axis=1).ravel().tolist() == [[6.0] * 6]
    assert (found[0] != found[3]).nnz == 12


def test_categories_seen_less_than_three_times_share_a_column() -> None:
    common, rare, rarer = ["Share this"] * 3, ["Menu"] * 2, ["The council met on Monday, they said."]
    features = SurfaceFeatures(numeric=False).fit(common + rare + rarer)
    assert len(features.get_feature_names_out()) == 12
    assert sum(name.endswith("infrequent_sklearn") for name in features.get_feature_names_out()) == 6
    assert (features.transform(rare[:1]) != features.transform(rarer)).nnz == 0


def test_unknown_categories_are_all_zero() -> None:
    features = SurfaceFeatures(numeric=False).fit(["Share this"] * 3)
    found = features.transform(["The council met on Monday, they said.", "Share this"])
    assert found.sum(axis=1).ravel().tolist() == [[0.0, 6.0]]


@pytest.mark.parametrize(("numeric", "crossed"), [(True, True), (True, False), (False, True)])
def test_output_is_sparse_and_named(numeric: bool, crossed: bool) -> None:
    features = SurfaceFeatures(numeric=numeric, crossed=crossed).fit(TEXTS)
    names = features.get_feature_names_out()
    for texts in (TEXTS, ["never seen"], [""], []):
        found = features.transform(texts)
        assert isinstance(found, csr_matrix)
        assert found.shape == (len(texts), len(names))
        assert found.dtype == np.float64
    assert len(set(names)) == len(names)
    assert (list(names[: len(FEATURES)]) == list(FEATURES)) is numeric
    assert (len(names) > len(FEATURES) or not numeric) is crossed


def dense(features: SurfaceFeatures, X: Any) -> FloatArray:
    found: FloatArray = features.transform(X).toarray()
    return found


def test_numeric_columns_stand_before_crossed_ones(fitted: SurfaceFeatures) -> None:
    both = dense(fitted, TEXTS)
    numeric = dense(SurfaceFeatures(crossed=False).fit(TEXTS), TEXTS)
    crossed = dense(SurfaceFeatures(numeric=False).fit(TEXTS), TEXTS)
    assert np.array_equal(both, np.hstack([numeric, crossed]))


@pytest.mark.parametrize("kind", ["series", "array", "table", "tuple"])
def test_every_kind_of_input_gives_the_same(fitted: SurfaceFeatures, kind: str) -> None:
    table = pd.DataFrame({"page": "p", "text": TEXTS}, index=range(7, 7 + len(TEXTS)))
    X = {"series": table["text"], "array": np.array(TEXTS), "table": table, "tuple": tuple(TEXTS)}[kind]
    assert np.array_equal(dense(fitted, X), dense(fitted, TEXTS))
    assert np.array_equal(dense(SurfaceFeatures().fit(X), TEXTS), dense(fitted, TEXTS))


def test_transform_leaves_table_and_transformer_as_they_were(fitted: SurfaceFeatures) -> None:
    table = pd.DataFrame({"text": ["Share this", "x" * 900]})
    before = table.copy()
    first = dense(fitted, table)
    pd.testing.assert_frame_equal(table, before)
    assert np.array_equal(first, dense(fitted, table))


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ("Share", TypeError, r"X: must be a list, Series or table of texts; got one str 'Share'"),
        (["Share", 3], TypeError, r"X\[1\]: must be a str; got int 3"),
        ([None], TypeError, r"X\[0\]: must be a str; got NoneType None"),
        (pd.Series(["a", float("nan")], dtype=object), TypeError, r"X\[1\]: must be a str; got float nan"),
        (b"Share", TypeError, r"X\[0\]: must be a str; got int 83"),
        (pd.DataFrame({"texts": ["Share"]}), ValueError, r"X: a paragraph table must have a column 'text'; got \['texts'\]"),
    ],
)
def test_refuses_what_is_not_texts(fitted: SurfaceFeatures, X: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        SurfaceFeatures().fit(X)
    with pytest.raises(error, match=message):
        fitted.transform(X)


def test_refuses_to_give_no_features() -> None:
    with pytest.raises(ValueError, match=r"numeric, crossed: at least one must be True; got neither"):
        SurfaceFeatures(numeric=False, crossed=False).fit(TEXTS)


def test_refuses_to_learn_from_nothing() -> None:
    with pytest.raises(ValueError, match=r"X: must have at least one text to learn from; got none"):
        SurfaceFeatures().fit([])


@pytest.mark.parametrize("X", [["Share"], []])
def test_refuses_to_transform_before_fit(X: list[str]) -> None:
    with pytest.raises(NotFittedError, match="not fitted yet"):
        SurfaceFeatures().transform(X)


def test_clone_forgets_what_was_learnt(fitted: SurfaceFeatures) -> None:
    again = clone(fitted.set_params(numeric=True))
    assert again.get_params() == {"numeric": True, "crossed": True}
    assert not hasattr(again, "scaler_")
    assert np.array_equal(dense(again.fit(TEXTS), TEXTS), dense(fitted, TEXTS))


def test_works_in_a_pipeline(fitted: SurfaceFeatures) -> None:
    pipeline = make_pipeline(SurfaceFeatures(), FunctionTransformer(lambda found: found * 2))
    found = pipeline.fit_transform(TEXTS)
    assert np.array_equal(found.toarray(), 2 * dense(fitted, TEXTS))


# The rest of check_estimator feeds numbers, which a transformer of texts refuses.
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
    check("SurfaceFeatures", SurfaceFeatures())
