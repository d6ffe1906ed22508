from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswinnow.harvest.align_scorecard import INTERCEPT, Scorecard, fit_scorecard, packaged_scorecard, scorecard_from_json
from newswinnow.paragraphs.label import LABELS, Label

CARD = Scorecard({INTERCEPT: (0.5, 0.0, 0.0), "a": (2.0, 0.0, 0.0), "b": (0.0, 3.0, 1.0), "c": (0.0, 0.5, -1.0)})


def test_verdicts_and_their_reasons() -> None:
    assert CARD.weigh(["a"]).label is Label.NEWS
    verdict = CARD.weigh(["c", "unknown", "b"])
    assert (verdict.label, verdict.because) == (Label.BOILERPLATE, ("b", "c"))
    many = Scorecard({name: (weight, 0.0, 0.0) for name, weight in zip("vwxyz", (1.0, 5.0, 2.0, 4.0, 3.0), strict=True)})
    assert many.weigh("vwxyz").because == ("w", "y", "z")


def test_without_evidence_the_intercept_decides_and_is_no_reason() -> None:
    verdict = CARD.weigh([])
    assert (verdict.label, verdict.because) == (Label.NEWS, ())
    assert verdict.probability == pytest.approx(0.4518, abs=1e-4)


def test_without_weights_all_labels_are_alike() -> None:
    verdict = Scorecard({}).weigh(["a"])
    assert verdict.because == ()
    assert verdict.probability == pytest.approx(1 / 3)


@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True))
def test_the_probability_is_that_of_the_likeliest_label(names: list[str]) -> None:
    assert 1 / 3 <= CARD.weigh(names).probability <= 1.0
    assert CARD.weigh(names) == CARD.weigh(names[::-1])


def test_json_round_trip() -> None:
    assert scorecard_from_json(CARD.as_json()) == CARD
    assert list(json.loads(CARD.as_json())) == sorted(CARD.weights)


@pytest.mark.parametrize("text", ["[]", '{"a": 1}', '{"a": [1, 2]}', '{"a": [1, 2, "3"]}'])
def test_other_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must hold 3 numbers for each name"):
        scorecard_from_json(text)


def test_fit_learns_what_goes_with_what() -> None:
    evidence = [["kind: text", "long"], ["kind: menu"], ["kind: card", "long"]] * 20 + [["kind: text", "rare"]]
    labels = [*LABELS] * 20 + [LABELS[0]]
    card = fit_scorecard(evidence, labels)
    assert [card.weigh(names).label for names in evidence[:3]] == list(LABELS)
    assert "rare" not in card.weights
    assert card == fit_scorecard(evidence, list(map(str, labels)))


def test_families_that_every_paragraph_shows_weigh_nothing_on_average() -> None:
    evidence = [["kind: text", "side: left"], ["kind: menu"], ["kind: card", "side: left"], ["kind: text"]] * 10
    card = fit_scorecard(evidence, [*LABELS, LABELS[0]] * 10)
    for k in range(len(LABELS)):
        mean = sum(card.weights[f"kind: {name}"][k] * share for name, share in (("text", 0.5), ("menu", 0.25), ("card", 0.25)))
        assert mean == pytest.approx(0.0, abs=2e-3)


def test_fit_needs_every_label() -> None:
    with pytest.raises(
        ValueError, match="must hold each of news, boilerplate, related-link; got none of boilerplate, related-link"
    ):
        fit_scorecard([["a"]], ["news"])


def test_the_packaged_weights_know_the_evidence_of_body_and_links() -> None:
    weights = packaged_scorecard().weights
    assert {INTERCEPT, "body: long text in order", "target: article", "list heading", "title equal"} <= set(weights)
    assert weights["body: line in its place"][0] > 0 > weights["body: not in it"][0]
