"""The behaviour suite on the model that ships: a floor for each kind at each level, and what must hold without exception.

Floors are what was measured, less one case or two, so that a model that is better elsewhere is not refused over one paragraph.
"""

from __future__ import annotations

import pytest

from newswinnow.corpus.sample import sample_path
from newswinnow.corpus.tables import read_corpus
from newswinnow.evaluation.behaviour import Behaviour, behaviour_of
from newswinnow.evaluation.behaviour_suite import read_suite
from newswinnow.models.saved import load_model
from newswinnow.paragraphs.label import LABELS

FLOORS = {
    "functionality": {"alone": 0.94, "bag": 0.88, "order": 0.86, "markup": 0.94, "auto": 0.82},
    "invariance": {"alone": 0.97, "bag": 1.0, "order": 0.83, "markup": 1.0, "auto": 0.75},
    "direction": {"alone": 0.95, "bag": 0.55, "order": 0.27, "markup": 1.0, "auto": 0.63},
}
CELLS = [(kind, context) for kind, floors in FLOORS.items() for context in floors]
NEVER_BROKEN = (
    "trailing spaces",
    "leading spaces",
    "doubled spaces",
    "non-breaking spaces",
    "lines reversed on a page",
    "lines riffled on a page",
)


@pytest.fixture(scope="module")
def behaviour() -> Behaviour:
    return behaviour_of(load_model())


@pytest.mark.parametrize(("kind", "context"), CELLS)
def test_no_kind_falls_below_its_floor(behaviour: Behaviour, kind: str, context: str) -> None:
    failed = [o.case.name for o in behaviour.failures if (o.case.kind, o.context) == (kind, context)]
    assert behaviour.by_kind_and_context[kind][context].share >= FLOORS[kind][context], failed


@pytest.mark.parametrize("label", LABELS)
def test_every_label_is_found_where_no_reader_would_hesitate(behaviour: Behaviour, label: str) -> None:
    of_label = behaviour.by(lambda outcome: f"{outcome.case.kind} {outcome.context} {outcome.case.label}")
    assert of_label[f"functionality alone {label}"].share >= 0.9


@pytest.mark.parametrize("name", NEVER_BROKEN)
def test_spaces_and_the_order_of_a_bag_never_matter(behaviour: Behaviour, name: str) -> None:
    of_kind = [outcome for outcome in behaviour.outcomes if outcome.case.kind == "invariance"]
    assert not [o.case.name for o in of_kind if o.case.capability.startswith(name.removesuffix(" on a page")) and not o.is_passed]


def test_every_level_that_the_model_offers_was_asked(behaviour: Behaviour) -> None:
    contexts = load_model().contexts
    assert list(behaviour.by_context) == [*contexts, *(["auto"] if len(contexts) > 1 else [])]


def test_nothing_but_furniture_stands_in_the_written_sample_too() -> None:
    sample = set(read_corpus([sample_path("train"), sample_path("test")])["text"].str.casefold())
    lines = [line for case in read_suite().cases for line in case.page if line.text.casefold() in sample]
    assert {line.text for line in lines if line.label == "news"} <= {"References", "Verdict", "Key events", "In this article"}
    assert max(len(line.text.split()) for line in lines if line.label != "boilerplate") <= 4
