"""Names of features and what each of them adds."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newswinnow.features.definition import MAX_TOKENS, SURFACE_NAMES, CharacterNgrams
from newswinnow.features.plain import Reading, logits, rows_of
from newswinnow.features.weights import LinearWeights
from newswinnow.models.explain_linear import BIAS, contributions, linear_weights_of
from newswinnow.models.explain_names import FeatureName, feature_names, surface_name
from newswinnow.models.predictor import Predictor
from newswinnow.models.rules import LineRule
from newswinnow.models.saved import load_model
from newswinnow.models.winnow import WinnowClassifier

BITS = 12
GRAMS = CharacterNgrams(2, 4)
TEXTS = st.text(max_size=300).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text)) | st.lists(
    st.sampled_from(["the", "Council", "BBC2", "said", "on", "Monday", ".", "Share", "été", "iPhone", "…", "read", "|", "10:30"]),
    max_size=60,
).map(" ".join)


def random_weights(characters: CharacterNgrams, seed: int = 0) -> LinearWeights:
    rng = np.random.default_rng(seed)
    return LinearWeights(
        rng.normal(size=(1 << BITS, 3)).astype(np.float32),
        rng.normal(size=(len(SURFACE_NAMES), 3)).astype(np.float32),
        rng.normal(size=3).astype(np.float32),
        np.array([1.0, 0.5, 0.75, 0.6]),
        characters,
    )


WEIGHTS = {grams: random_weights(grams) for grams in (CharacterNgrams(), GRAMS)}


@pytest.mark.parametrize("grams", WEIGHTS, ids=["words", "words and letters"])
@given(text=TEXTS)
@settings(max_examples=60, deadline=None)
@example(text="")
@example(text=" ".join(f"word{i}" for i in range(MAX_TOKENS + 9)))
@example(text="Share this. " * 30)
def test_contributions_sum_to_the_logits(text: str, grams: CharacterNgrams) -> None:
    parts = contributions(text, WEIGHTS[grams])
    summed = np.sum([part.logits for part in parts], axis=0)
    np.testing.assert_allclose(summed, logits([text], WEIGHTS[grams])[0], rtol=0, atol=1e-9)


@pytest.mark.parametrize("grams", WEIGHTS, ids=["words", "words and letters"])
@given(text=TEXTS)
@settings(max_examples=60, deadline=None)
@example(text="")
@example(text="été " * 700)
def test_every_row_has_a_name(text: str, grams: CharacterNgrams) -> None:
    names = feature_names(Reading(text), characters=grams)
    rows = rows_of(Reading(text), bits=BITS, characters=grams)
    assert list(map(len, names)) == list(map(len, rows))


def test_equal_names_mean_equal_rows() -> None:
    text = "The council of Tarn said on Monday that the council of Osk had met. Council of Tarn"
    row_of: dict[FeatureName, int] = {}
    names, rows = feature_names(Reading(text), characters=GRAMS), rows_of(Reading(text), bits=24, characters=GRAMS)
    for block, of_block in zip(names, rows, strict=True):
        for name, row in zip(block, of_block, strict=True):
            assert row_of.setdefault(name, row) == row


def test_names_are_what_a_person_would_say() -> None:
    reading = Reading("Read more: BBC2 wins, it said.")
    words, edges, categories, letters = feature_names(reading, characters=CharacterNgrams(2, 2))
    assert [name.text for name in words if name.kind == "word"] == ["read", "more", ":", "bbc2", "wins", ",", "it", "said", "."]
    assert FeatureName("word pair", "more :") in words
    assert [name.text for name in edges if name.kind == "first words"] == ["read", "read more", "read more :"]
    assert [name.text for name in edges if name.kind == "last words"] == [".", "said .", "it said ."]
    assert FeatureName("shape", "^ Xx x") in edges
    assert FeatureName("shape", ": X9 x ,") in edges
    assert FeatureName("skeleton", ", it said") in edges
    assert FeatureName("skeleton", "X9 x ,") in edges
    assert [name.text for name in categories] == [
        "6-7 words",
        "6-7 words, ends with “.”",
        "6-7 words, opens with a capital, sentence ends: 1",
        "6-7 words, capitalised words: 20 % to under 40 %",
        "6-7 words, function words: 45 % or more",
        "6-7 words, first word a button's verb, opens with a capital, closes a sentence",
    ]
    assert letters[0] == FeatureName("letters", " r")


def test_names_of_odd_paragraphs() -> None:
    def categories(text: str) -> list[str]:
        return [name.text for name in feature_names(Reading(text), characters=CharacterNgrams())[2]]

    assert categories("")[:3] == ["no words", "no words, ends with nothing", "no words, opens with nothing, sentence ends: 0"]
    assert categories("|")[1] == "no words, ends with a separator or dash"
    assert categories("One")[0] == "1 word"
    assert categories("BBC News. Go. To! Osk? Now")[2].endswith("sentence ends: 3 or more")
    assert categories("word " * 95)[0] == "90 or more words"
    assert categories("BBC News,")[1] == "2 words, ends with “,”"
    assert categories("BBC News")[3] == "2 words, capitalised words: 99 % or more"
    assert surface_name("has_at", 1.0) == FeatureName("surface", "has_at = 1")


def test_equal_features_are_counted_together_and_idle_ones_left_out() -> None:
    weights = WEIGHTS[CharacterNgrams()]
    hashed = weights.hashed.copy()
    silent = rows_of(Reading("Share"), bits=BITS, characters=CharacterNgrams())[0][0]
    hashed[silent] = 0
    quiet = LinearWeights(hashed, weights.dense, weights.bias, weights.scales)
    parts = {part.name: part for part in contributions("Share rain rain rain", quiet)}
    assert parts[FeatureName("word", "rain")].count == 3
    assert FeatureName("word", "share") not in parts
    assert parts[BIAS].logits == tuple(weights.bias.astype(float))
    part = parts[BIAS]
    assert part.margin(0, 2) == part.logits[0] - part.logits[2]


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(ValueError, match="texts: must be valid Unicode; got a lone surrogate"):
        contributions("\ud800", WEIGHTS[CharacterNgrams()])


def test_only_linear_models_have_weights(corpus: pd.DataFrame) -> None:
    shipped = load_model()
    assert linear_weights_of(shipped) is shipped.estimator.alone.weights
    assert linear_weights_of(Predictor(LineRule("three-line").fit([], []))) is None
    fitted = WinnowClassifier(bits=10, min_count=1).fit(corpus, corpus["label"])
    assert linear_weights_of(Predictor(fitted)) is fitted.model_.weights
