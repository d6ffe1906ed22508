"""Explanations as reports show them."""

from dataclasses import replace

import pytest
from tests.reports.hostile import explanation_of

import newswinnow.reports.templating as templating
from newswinnow.evaluation.explain import Explanation
from newswinnow.evaluation.explain_context import Neighbour
from newswinnow.evaluation.explain_flip import Flip
from newswinnow.reports.explained import (
    ALONE,
    BAR_WIDTH,
    LEVELS,
    MAX_EDITED_CHARS,
    MAX_FEATURE_CHARS,
    MAX_NEIGHBOUR_CHARS,
    N_FEATURES,
    NEIGHBOURS,
    ExplanationView,
    FlipView,
    LevelMean,
    explanation_view,
    summary_of,
)
from newswinnow.reports.shown import MistakeView, ParagraphView
from newswinnow.reports.texts import cut_text

NEWS, BOILERPLATE = 0, 1
EXPLANATION = explanation_of("council", "a", 7, "The council met.", NEWS, BOILERPLATE)


def lines(view: ExplanationView, title: str) -> list[tuple[str, str, float]]:
    (group,) = [group for group in view.groups if group.title == title]
    return [(part.what, part.detail, part.margin) for part in group.parts]


def test_the_weightiest_features_are_shown_and_the_rest_summed() -> None:
    found = lines(explanation_view(EXPLANATION), ALONE)
    assert len(found) == N_FEATURES + 1
    assert found[0] == ("first", "council × 2", 2.0)
    assert found[-1] == ("3 others together", "", -1.5)
    # Seven times 2, four times -0.5; looked at alone they are one level of several, whose sum stands there.
    assert sum(margin for _, _, margin in found) == 12
    flat = explanation_view(replace(EXPLANATION, levels=(), neighbours=()))
    assert lines(flat, ALONE)[-1] == ("in all", "news 80\N{NO-BREAK SPACE}%, boilerplate 10\N{NO-BREAK SPACE}%", 2.0)
    assert [group.title for group in flat.groups] == [ALONE]


def test_levels_and_neighbours_say_what_they_add_for_the_answer() -> None:
    view = explanation_view(EXPLANATION)
    assert [(what, margin) for what, _, margin in lines(view, LEVELS)] == [
        ("alone", 2.0),
        ("and bag", -0.5),
        ("as answered", 2.0),
    ]
    assert lines(view, LEVELS)[0][1] == "then news 80\N{NO-BREAK SPACE}%, boilerplate 10\N{NO-BREAK SPACE}%"
    assert lines(view, NEIGHBOURS) == [("council", "1 below", 2.0), ("council too", "2 above", -0.5)]
    assert [group.is_quoted for group in view.groups] == [False, False, True]


def test_neighbours_that_do_nothing_are_left_out() -> None:
    idle = Neighbour(7, "beside", (0.004, 0.0, 0.0))
    there = Neighbour(7, "twin", (0.5, 0.0, 0.0))
    view = explanation_view(replace(EXPLANATION, neighbours=(there, idle)))
    assert lines(view, NEIGHBOURS) == [("twin", "at the same position", 0.5)]
    assert NEIGHBOURS not in [group.title for group in explanation_view(replace(EXPLANATION, neighbours=(idle,))).groups]


def test_bars_lean_to_the_side_they_speak_for_on_one_scale() -> None:
    parts = [part for group in explanation_view(EXPLANATION).groups for part in group.parts]
    largest = max(abs(part.margin) for part in parts)
    for part in parts:
        assert part.width == pytest.approx(BAR_WIDTH / 2 * abs(part.margin) / largest)
        assert part.begin == pytest.approx(BAR_WIDTH / 2 - (part.width if part.margin < 0 else 0))
    still = replace(EXPLANATION, contributions=None, neighbours=(), levels=EXPLANATION.levels[:1], logits=(0.0,) * 3)
    level = replace(still.levels[0], added=(0.0, 0.0, 0.0))
    assert {part.width for group in explanation_view(replace(still, levels=(level,))).groups for part in group.parts} == {0.0}


def test_long_texts_are_cut() -> None:
    flip = Flip((f"remove “{'x' * 500}”",), "y" * 5000, BOILERPLATE, (0.2, 0.7, 0.1), True)
    long = explanation_of("z" * 500, "a", 7, "The council met.", NEWS, BOILERPLATE)
    view = explanation_view(replace(long, flip=flip))
    assert max(len(what) for what, _, _ in lines(view, ALONE)) == MAX_FEATURE_CHARS
    assert max(len(what) for what, _, _ in lines(view, NEIGHBOURS)) == MAX_NEIGHBOUR_CHARS
    edit = cut_text(flip.edits[0], MAX_FEATURE_CHARS)
    assert view.flip == FlipView((edit,), "y" * (MAX_EDITED_CHARS - 1) + "…", "boilerplate", 0.7, True)


@pytest.mark.parametrize("payload", ["council", "<&\"'>" * 40, "ä" * 200])
def test_bytes_are_about_those_of_the_document(payload: str) -> None:
    view = explanation_view(explanation_of(payload, "a", 7, payload, NEWS, BOILERPLATE))
    template = templating._environment(is_html=True).from_string('{% from "macros.html.j2" import why %}{{ why(w) }}')
    n_bytes = len(template.render(w=view).encode())
    assert n_bytes <= view.n_bytes <= 1.2 * n_bytes
    bare = explanation_view(replace(EXPLANATION, contributions=None, levels=(), neighbours=(), flip=None))
    assert len(template.render(w=bare).encode()) <= bare.n_bytes
    assert "Of this model only the answers are known" in template.render(w=bare)


def test_a_mistake_takes_its_explanation_along() -> None:
    paragraph = ParagraphView(0, "x", "news", "boilerplate", 0.9)
    view = explanation_view(EXPLANATION)
    bare = MistakeView("a", (), paragraph, ())
    assert replace(bare, why=view).n_bytes == bare.n_bytes + view.n_bytes


def test_explanations_in_a_few_numbers() -> None:
    def with_steps(n: int) -> Explanation:
        return replace(EXPLANATION, flip=Flip(("step",) * n, "t", BOILERPLATE, (0.2, 0.7, 0.1), True))

    plain = replace(EXPLANATION, levels=EXPLANATION.levels[:1], flip=None)
    found = summary_of([with_steps(2), with_steps(1), plain, with_steps(2)])
    assert found is not None
    assert (found.n, found.steps, found.n_without) == (4, ((1, 1), (2, 2)), 1)
    assert found.levels == (LevelMean("alone", 2.0), LevelMean("bag", -0.5))
    assert summary_of([]) is None
