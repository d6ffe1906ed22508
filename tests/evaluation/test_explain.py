"""Explaining what a page adds and which edit changes a label, by models whose ways are known."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import newswinnow.evaluation.explain as module
import newswinnow.evaluation.explain_context as explain_context
from newswinnow.evaluation.explain import Wishes, explain_page
from newswinnow.evaluation.explain_context import level_effects, levels_for, logits_of, neighbour_effects
from newswinnow.evaluation.explain_flip import MAX_STEPS, Effort, smallest_flip
from newswinnow.features.plain import softmax
from newswinnow.models.linear import LinearModel
from newswinnow.models.predictor import Predictor
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.rows import Rows

NEWS, BOILERPLATE, RELATED = range(3)


class Neighbourly:
    """Knows contexts. A paragraph’s own news logit is its number of words less 4; each paragraph with a star adds 2 to all others
    of its page from `bag` on, the one above adds 1 if it is long from `order` on, a tag `p` adds 3 in `markup`."""

    classes_ = np.array([str(label) for label in LABELS])
    calls = 0

    def predict_proba(self, table: Any, *, context: str) -> Any:
        type(self).calls += 1
        texts, pages = list(table["text"]), list(table["page"])
        tags = list(table["tag"]) if "tag" in table.columns else [None] * len(texts)
        level = {"alone": 0, "bag": 1, "order": 2, "markup": 3, "auto": 2}[context]
        out = np.zeros((len(texts), 3))
        for i, text in enumerate(texts):
            others = [j for j in range(len(texts)) if pages[j] == pages[i] and j != i]
            value = len(text.split()) - 4.0
            value += 2.0 * sum("*" in texts[j] for j in others) * (level >= 1)
            value += 1.0 * (level >= 2 and i > 0 and i - 1 in others and len(texts[i - 1].split()) > 5)
            value += 3.0 * (level >= 3 and tags[i] == "p")
            out[i] = [value, 0.0, -1.0]
        return softmax(out)


PAGE = Rows(
    {
        "page": ["a"] * 4,
        "position": [0, 1, 2, 5],
        "text": ["Menu", "A long line of more than five words *", "Three words here", "Star *"],
        "tag": [None, "p", "p", None],
    }
)
KNOWING = Predictor(Neighbourly(), {}, ("alone", "bag", "order", "markup"))


def difference(values: Sequence[float], first: int = NEWS, second: int = BOILERPLATE) -> float:
    return values[first] - values[second]


@given(st.lists(st.floats(-12, 12), min_size=3, max_size=3))
def test_logits_of_probabilities_are_the_logits_less_their_mean(values: list[float]) -> None:
    logits = np.array(values)
    np.testing.assert_allclose(logits_of(softmax(logits[None]))[0], logits - logits.mean(), atol=1e-6)
    assert np.isfinite(logits_of(np.array([1.0, 0.0, 0.0]))).all()


def test_levels_are_those_of_model_and_page() -> None:
    assert levels_for(KNOWING, PAGE) == ["alone", "bag", "order", "markup"]
    assert levels_for(KNOWING, PAGE.without("tag")) == ["alone", "bag", "order"]
    bare = PAGE.with_columns({"tag": [None] * 4})
    assert levels_for(Predictor(Neighbourly(), {}, ("alone", "bag")), bare) == ["alone", "bag"]


def test_what_each_level_adds_is_what_the_model_does_there() -> None:
    effects = level_effects(KNOWING, PAGE)[2]
    assert [effect.context for effect in effects] == ["alone", "bag", "order", "markup"]
    # 3 words less 4; two starred others; a long one above; a tag.
    assert [difference(effect.added) for effect in effects] == pytest.approx([-1, 4, 1, 3])
    summed = np.sum([effect.added for effect in effects], axis=0)
    np.testing.assert_allclose(summed, logits_of(np.array(effects[-1].probabilities)), atol=1e-9)


def test_what_each_neighbour_does_is_found_by_leaving_it_out() -> None:
    found = {n.position: n for n in neighbour_effects(KNOWING, PAGE, 2, context="bag")}
    assert {position: round(difference(n.effect), 6) for position, n in found.items()} == {0: 0.0, 1: 2.0, 5: 2.0}
    assert found[1].text == PAGE["text"][1]
    ordered = {n.position: difference(n.effect) for n in neighbour_effects(KNOWING, PAGE, 2, context="order")}
    # Without the long line the menu stands above, which is short.
    assert ordered == pytest.approx({0: 0.0, 1: 3.0, 5: 2.0}, abs=1e-6)


def test_a_lone_paragraph_has_no_neighbours_and_a_crowded_one_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = PAGE.where([True, False, False, False])
    assert neighbour_effects(KNOWING, alone, 0, context="bag") == []
    n = 20
    crowd = Rows({"page": ["a"] * n, "position": list(range(n)), "text": ["A line"] * n})
    for n_nearest in (6, None):
        found = [n.position for n in neighbour_effects(KNOWING, crowd, 10, context="bag", n_nearest=n_nearest)]
        assert found == [7, 8, 9, 11, 12, 13]
        monkeypatch.setattr(explain_context, "MAX_NEIGHBOURS", 6)


def test_an_explanation_with_context() -> None:
    found = explain_page(KNOWING, PAGE, [2, 0], wishes=Wishes(context="order", n_neighbours=2))
    first, second = found
    assert (first.page, first.position, first.text, LABELS[first.label]) == ("a", 2, "Three words here", "news")
    assert first.contributions is None
    assert [n.position for n in first.neighbours] == [1, 5]
    assert second.position == 0
    # 1 word less 4, two stars: news by 1, until nothing is left to remove but the page still holds it.
    assert second.flip is None
    plain = first.as_dict()
    assert plain["label"] == "news"
    assert plain["contributions"] is None
    assert list(plain["probabilities"]) == ["news", "boilerplate", "related-link"]
    assert plain["levels"][1]["context"] == "bag"
    assert plain["neighbours"][0]["effect"]["news"] == first.neighbours[0].effect[NEWS]


def test_an_edit_is_scored_within_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    page = PAGE.with_columns({"text": ["Menu", "no star in this line", "one two three four five", "Star"]})
    monkeypatch.setattr(module, "MAX_ROWS_SCORED", 9)
    found = explain_page(KNOWING, page, [2], wishes=Wishes(context="bag"))[0]
    assert found.label == NEWS
    flip = found.flip
    assert flip is not None
    # 5 words are news by 1, 4 are a tie that the first label wins, 3 are boilerplate.
    assert len(flip.text.split()) == 3
    assert (flip.label, flip.is_smallest) == (BOILERPLATE, True)
    again = KNOWING.predict_proba(page.with_columns({"text": [*page["text"][:2], flip.text, "Star"]}), context="bag")[2]
    assert flip.probabilities == pytest.approx(again.tolist())


def test_alone_no_neighbour_counts() -> None:
    found = explain_page(KNOWING, PAGE, [2], wishes=Wishes(context="alone", with_flip=False))[0]
    assert (found.neighbours, found.flip) == ((), None)
    assert LABELS[found.label] == "boilerplate"


def score_by(**points: float) -> Any:
    """News by words: each word of the text adds its points, lower-cased ones half; a closing sign adds `stop`."""

    def score(texts: Sequence[str]) -> Any:
        out = np.zeros((len(texts), 3))
        for i, text in enumerate(texts):
            words = text.rstrip(".!?").split()
            out[i, NEWS] = sum(points.get(word, points.get(word.capitalize(), 0) / 2) for word in words)
            out[i, NEWS] += points.get("stop", 0) * text.endswith((".", "!", "?"))
            out[i, RELATED] = 0.1
        return softmax(out)

    return score


@pytest.mark.parametrize(
    ("text", "points", "edits", "flipped"),
    [
        ("Rain fell today.", {"stop": 2}, ("drop the closing punctuation",), "Rain fell today"),
        ("Rain fell today", {"stop": 2}, ("add a full stop",), "Rain fell today."),
        ("Rain fell “today.”", {"Rain": 1.0}, ("remove “Rain”",), "fell “today.”"),
        ("Rain Fell Today", {"Rain": 0.15}, ("remove “Rain”",), "Fell Today"),
        ("Rain Fell Hard", {"Rain": 0.06, "Fell": 0.06, "Hard": 0.06}, ("write in lower case",), "rain fell hard"),
        ("Rain fell on Osk", {"Rain": 0.5, "Osk": 0.5}, ("remove “Rain”", "remove “Osk”"), "fell on"),
        ("Rain fell.", {"Rain": 1, "stop": 1}, ("remove “Rain”", "drop the closing punctuation"), "fell"),
    ],
)
def test_the_smallest_edit(text: str, points: dict[str, float], edits: tuple[str, ...], flipped: str) -> None:
    score = score_by(**points)
    found = smallest_flip(text, score)
    assert found is not None
    assert (found.text, found.is_smallest) == (flipped, True)
    assert sorted(found.edits) == sorted(edits)
    assert found.probabilities == tuple(score([flipped])[0])
    assert found.label == int(np.argmax(found.probabilities)) != int(score([text])[0].argmax())


def test_larger_edits_are_found_greedily_and_made_smaller() -> None:
    text = "Rain wind snow hail sun"
    score = score_by(Rain=1, wind=1, snow=1, hail=1)
    found = smallest_flip(text, score)
    assert found is not None
    assert (found.text, len(found.edits), found.is_smallest) == ("sun", 4, False)
    three = smallest_flip("Rain wind snow sun", score_by(Rain=1, wind=1, snow=1))
    assert three is not None
    assert (three.text, three.is_smallest) == ("sun", True)
    few = smallest_flip("Rain wind snow sun", score_by(Rain=1, wind=1, snow=1), effort=Effort(max_paired_words=2))
    assert few is not None
    assert (few.text, few.is_smallest) == ("sun", False)


def test_little_effort_tries_the_ends_and_does_not_call_it_the_smallest() -> None:
    text = " ".join(["Rain", *(f"w{i}" for i in range(20)), "Osk"])
    points = score_by(Rain=0.5, Osk=0.5, w10=3)
    ends = smallest_flip(text, score_by(Rain=0.5, Osk=0.5), effort=Effort(max_words=4))
    assert ends is not None
    assert (ends.text, ends.is_smallest) == (" ".join(f"w{i}" for i in range(20)), False)
    assert smallest_flip(text, points, effort=Effort(max_words=4)) is None
    single = smallest_flip(text, score_by(Osk=0.5), effort=Effort(max_words=3))
    assert single is not None
    assert (single.edits, single.is_smallest) == (("remove “Osk”",), True)
    four = "Rain wind snow hail sun"
    assert smallest_flip(four, score_by(Rain=1, wind=1, snow=1, hail=1), effort=Effort(max_steps=3)) is None


@given(st.integers(0, 5000), st.integers(1, 500))
def test_effort_keeps_within_the_versions_allowed(n_versions: int, n_words: int) -> None:
    effort = Effort.within(n_versions, n_words)
    assert effort.max_words is not None
    assert 1 <= effort.max_words <= min(n_words, max(n_versions, 12))
    assert math.comb(effort.max_paired_words, 2) <= max(n_versions, 6)
    assert effort.max_steps * effort.max_words <= max(n_versions, 2 * effort.max_words)
    assert 2 <= effort.max_steps <= MAX_STEPS


def test_no_edit_where_none_helps() -> None:
    def always(texts: Sequence[str]) -> Any:
        return np.tile([0.8, 0.1, 0.1], (len(texts), 1))

    assert smallest_flip("Rain fell today.", always) is None
    assert smallest_flip("Rain", always) is None
    assert smallest_flip("Rain fell.", always, target=NEWS) is None
    assert smallest_flip("Rain fell.", always, target=BOILERPLATE) is None
    long = " ".join(f"w{i}" for i in range(3 * MAX_STEPS))
    assert smallest_flip(long, score_by(**{f"w{i}": 1.0 for i in range(3 * MAX_STEPS)})) is None
    with pytest.raises(ValueError, match="text: must hold a word to be edited; got ' '"):
        smallest_flip(" ", always)


def test_a_target_is_reached_or_nothing_is_said() -> None:
    def score(texts: Sequence[str]) -> Any:
        return softmax(np.array([[2.0 * ("rain" in t.lower()) + 1, 1.5 + ("wind" in t), 3.0 * ("snow" not in t)] for t in texts]))

    found = smallest_flip("Rain wind snow", score, target=BOILERPLATE)
    assert found is not None
    assert (found.edits, found.label) == (("remove “Rain”",), BOILERPLATE)
    other = smallest_flip("Rain wind snow", score, target=RELATED)
    assert other is not None
    assert other.label == RELATED


@given(st.lists(st.sampled_from(["the", "Council", "said", "Share", "more", "Monday."]), min_size=1, max_size=7))
@settings(max_examples=12, deadline=None)
def test_an_edit_of_the_shipped_features_holds_and_none_smaller_does(words: list[str]) -> None:
    predictor = Predictor(LinearModel(_weights()))
    text = " ".join(words)
    page = Rows({"page": ["p"], "position": [0], "text": [text]})
    found = explain_page(predictor, page, [0])[0]
    assert found.label == int(predictor.predict_proba([text])[0].argmax())
    assert found.contributions is not None
    for label in range(3):
        assert math.fsum(part.logits[label] for part in found.contributions) == pytest.approx(found.logits[label], abs=1e-9)
    np.testing.assert_allclose(softmax(np.array([found.logits]))[0], found.probabilities, atol=1e-9)
    if found.flip is not None:
        assert int(predictor.predict_proba([found.flip.text])[0].argmax()) == found.flip.label != found.label
        if len(found.flip.edits) == 2 and len(words) > 1:
            shorter = [" ".join(words[:i] + words[i + 1 :]) for i in range(len(words))]
            assert {int(p.argmax()) for p in predictor.predict_proba(shorter)} == {found.label}


def _weights() -> Any:
    from newswinnow.features.definition import N_SURFACE
    from newswinnow.features.weights import LinearWeights, on_grid

    rng = np.random.default_rng(5)
    dense = rng.normal(size=(N_SURFACE, 3)).astype(np.float32) * 0.2
    return LinearWeights(on_grid(rng.normal(size=(1 << 10, 3))), dense, np.zeros(3, np.float32), np.ones(3))


def test_ranked_contributions_and_what_they_speak_against() -> None:
    predictor = Predictor(LinearModel(_weights()))
    page = Rows({"page": ["p"], "position": [0], "text": ["Share this story"]})
    runner_up = explain_page(predictor, page, [0], wishes=Wishes(with_flip=False))[0]
    third = 3 - runner_up.label - runner_up.other
    asked = explain_page(predictor, page, [0], wishes=Wishes(target=third))[0]
    assert asked.other == third
    assert asked.flip is None or asked.flip.label == third
    itself = explain_page(predictor, page, [0], wishes=Wishes(target=runner_up.label))[0]
    assert (itself.other, itself.flip) == (runner_up.other, None)
    margins = [abs(part.margin(asked.label, third)) for part in asked.ranked()]
    assert margins == sorted(margins, reverse=True)
    assert len(asked.as_dict()["contributions"]) == len(margins)
