"""Paragraphs, mistakes and pages as reports show them."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from newswinnow.evaluation.evaluate import Evaluation
from newswinnow.reports.shown import (
    MAX_CHARS,
    MAX_MISTAKES,
    MAX_PAGE_CHARS,
    MAX_PAGE_PARAGRAPHS,
    Mistakes,
    Pages,
    PageView,
    ParagraphView,
    Run,
    Said,
    ShownTable,
    mistakes_of,
    pages_of,
)
from newswinnow.reports.texts import html_bytes

Rows = Callable[..., list[dict[str, Any]]]
Evaluated = Callable[..., Evaluation]
PLENTY = 10**9


def mistakes(evaluation: Evaluation, *, max_bytes: int = PLENTY) -> Mistakes:
    return mistakes_of(ShownTable(evaluation), max_bytes=max_bytes)


def pages(evaluation: Evaluation, *, max_bytes: int = PLENTY) -> Pages:
    return pages_of(ShownTable(evaluation), max_bytes=max_bytes)


def shown_pages(evaluation: Evaluation) -> tuple[PageView, ...]:
    return pages(evaluation).shown


def test_mistakes_are_the_surest_wrong_ones_first(rows_of: Rows, evaluated: Evaluated) -> None:
    rows = [
        *rows_of("a", "NBR", "NBN", [0.99, 0.9, 0.6]),
        *rows_of("b", "NBR", "BBR", [0.95, 0.7, 0.7]),
        *rows_of("c", "N-B", "RNN", [0.7, 0.98, 0.8]),
    ]
    found = mistakes(evaluated(rows))
    assert [(m.page, m.paragraph.position, m.paragraph.probability) for m in found.shown] == [
        ("b", 0, 0.95),
        ("c", 2, 0.8),
        ("c", 0, 0.7),
        ("a", 2, 0.6),
    ]
    assert found.n_left_out == 0


def test_random_predictions_agree_with_a_plain_search(rows_of: Rows, evaluated: Evaluated) -> None:
    draw = random.Random(7)
    for _ in range(20):
        rows: list[dict[str, Any]] = []
        for page in range(5):
            n = draw.randint(1, 6)
            truth, guess = ("".join(draw.choices(letters, k=n)) for letters in ("NBR-", "NBR"))
            rows += rows_of(f"p{page}", truth, guess, [draw.random() / 2 + 0.5 for _ in range(n)])
        if not any(row["label"] for row in rows):
            continue
        draw.shuffle(rows)
        wrong = [r for r in rows if r["label"] and r["label"] != r["predicted"]]
        expected = sorted((-max(r["p_news"], r["p_boilerplate"], r["p_related_link"]), r["page"], r["position"]) for r in wrong)
        found = [(-m.paragraph.probability, m.page, m.paragraph.position) for m in mistakes(evaluated(rows)).shown]
        assert found == expected


def test_no_more_than_a_browser_can_sort(rows_of: Rows, evaluated: Evaluated) -> None:
    rows = [row for i in range(3) for row in rows_of(f"p{i}", "N" * 150, "B" * 150)]
    found = mistakes(evaluated(rows))
    assert (len(found.shown), found.n_left_out) == (MAX_MISTAKES, 450 - MAX_MISTAKES)


def test_what_does_not_fit_is_counted(rows_of: Rows, evaluated: Evaluated) -> None:
    evaluation = evaluated(rows_of("a", "N" * 9, "B" * 9, [0.9 - i / 100 for i in range(9)]))
    everything = mistakes(evaluation).shown
    n_bytes = sum(view.n_bytes for view in everything[:4])
    found = mistakes(evaluation, max_bytes=n_bytes)
    assert (found.shown, found.n_left_out) == (everything[:4], 5)
    assert mistakes(evaluation, max_bytes=n_bytes - 1).shown == everything[:3]
    assert mistakes(evaluation, max_bytes=0).n_left_out == 9


def test_a_mistake_stands_between_its_neighbours_in_page_order(rows_of: Rows, evaluated: Evaluated) -> None:
    rows = rows_of("a", "BBBNRBB", "BBBNNBB")
    (mistake,) = mistakes(evaluated(rows[::-1])).shown
    assert [p.position for p in mistake.before] == [2, 3]
    assert (mistake.paragraph.position, mistake.paragraph.label, mistake.paragraph.predicted) == (4, "related-link", "news")
    assert [p.position for p in mistake.after] == [5, 6]
    assert mistake.paragraph.is_wrong
    assert not any(p.is_wrong for p in (*mistake.before, *mistake.after))


def test_neighbours_end_with_the_page(rows_of: Rows, evaluated: Evaluated) -> None:
    rows = [*rows_of("a", "NB", "BB"), *rows_of("b", "BN", "BN")]
    (mistake,) = mistakes(evaluated(rows)).shown
    assert (mistake.before, [p.position for p in mistake.after]) == ((), [1])


def test_without_mistakes_there_are_none(rows_of: Rows, evaluated: Evaluated) -> None:
    found = mistakes(evaluated(rows_of("a", "NBR-", "NBRN")))
    assert (found.shown, found.n_left_out, found.filters) == ((), 0, ())


def test_mistakes_are_filtered_by_the_slices_they_are_in(rows_of: Rows, evaluated: Evaluated) -> None:
    rows = rows_of("a", "NNNNNN", "BNNBNB")
    rows[0]["text"] = "one two"
    for row, source in zip(rows, "xyxyxy", strict=True):
        row["source"] = source
    found = mistakes(evaluated(rows))
    names = {f.kind: dict(f.names) for f in found.filters}
    assert names == {
        "length": {0: "1-2 words", 1: "3-5 words"},
        "position": {2: "top third", 3: "middle third", 4: "bottom third"},
        "source": {5: "x", 6: "y"},
    }
    assert {m.paragraph.position: m.slices for m in found.shown} == {0: (0, 2, 5), 3: (1, 3, 6), 5: (1, 4, 6)}


def test_mistakes_are_sorted_in_three_more_ways(rows_of: Rows, evaluated: Evaluated) -> None:
    rows = [*rows_of("b", "NR", "RN", [0.9, 0.8]), *rows_of("a", "NB", "BN", [0.7, 0.6])]
    rows[3]["text"] = "much longer than every other paragraph of these pages"
    found = mistakes(evaluated(rows))
    place = {name: [found.shown[ranks.index(i)] for i in range(4)] for name, ranks in found.orders.items()}
    pages_by = {name: [(m.page, m.paragraph.position) for m in ms] for name, ms in place.items()}
    assert pages_by["by page and place"] == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    assert pages_by["by label and prediction"] == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]
    assert pages_by["longest text first"][0] == ("a", 1)


def test_rows_without_a_prediction_are_not_shown(rows_of: Rows, evaluated: Evaluated) -> None:
    rows = rows_of("a", "N-R", "BNR")
    rows[1] |= {"predicted": None, "text": "", "p_news": None, "p_boilerplate": None, "p_related_link": None}
    evaluation = evaluated(rows)
    assert [p.position for p in mistakes(evaluation).shown[0].after] == [2]
    assert [p.position for p in shown_pages(evaluation)[0].paragraphs] == [0, 2]


@pytest.mark.parametrize("limit", [MAX_CHARS, MAX_PAGE_CHARS])
def test_long_texts_are_cut(limit: int, rows_of: Rows, evaluated: Evaluated) -> None:
    rows = rows_of("a", "NN", "BB")
    rows[0]["text"] = "x" * limit
    rows[1]["text"] = "x" * (limit + 1)
    evaluation = evaluated(rows)
    on_page = [p.text for p in shown_pages(evaluation)[0].paragraphs]
    whole, cut = on_page if limit == MAX_PAGE_CHARS else [m.paragraph.text for m in mistakes(evaluation).shown]
    assert whole == "x" * limit
    assert cut == "x" * (limit - 1) + "…"


def test_pages_run_from_the_worst_to_the_best(rows_of: Rows, evaluated: Evaluated) -> None:
    rows = []
    for n_right in (3, 8, 0, 5):
        rows += rows_of(f"right{n_right}", "N" * 8, "N" * n_right + "B" * (8 - n_right))
    rows += rows_of("unlabelled", "--", "NB")
    found = pages(evaluated(rows))
    assert [(p.page, p.n_right, p.n_labelled) for p in found.shown] == [
        ("right0", 0, 8),
        ("right3", 3, 8),
        ("right5", 5, 8),
        ("right8", 8, 8),
    ]
    assert found.n_left_out == 0


def test_pages_that_do_not_fit_leave_a_spread_from_the_worst_to_the_best(rows_of: Rows, evaluated: Evaluated) -> None:
    rows = [row for i in range(9) for row in rows_of(f"p{i}", "N" * 8, "N" * i + "B" * (8 - i))]
    evaluation = evaluated(rows)
    n_bytes = max(view.n_bytes for view in shown_pages(evaluation))
    found = pages(evaluation, max_bytes=3 * n_bytes)
    assert [p.page for p in found.shown] == ["p0", "p4", "p8"]
    assert found.n_left_out == 6
    assert pages(evaluation, max_bytes=100) == Pages((), 9)


def test_a_long_page_is_cut_and_what_is_hidden_is_counted(rows_of: Rows, evaluated: Evaluated) -> None:
    n = MAX_PAGE_PARAGRAPHS + 7
    (page,) = shown_pages(evaluated(rows_of("long", "N" * (n - 1) + "-", "N" * (n - 2) + "BB")))
    assert len(page.paragraphs) == MAX_PAGE_PARAGRAPHS
    assert (page.n_hidden, page.n_labelled, page.n_right) == (7, n - 1, n - 2)
    (exact,) = shown_pages(evaluated(rows_of("long", "N" * MAX_PAGE_PARAGRAPHS, "N" * MAX_PAGE_PARAGRAPHS)))
    assert exact.n_hidden == 0


def test_an_unlabelled_paragraph_is_never_wrong(rows_of: Rows, evaluated: Evaluated) -> None:
    (page,) = shown_pages(evaluated(rows_of("a", "N-R", "NBR")))
    assert [(p.label, p.is_wrong) for p in page.paragraphs] == [("news", False), (None, False), ("related-link", False)]


def test_a_page_at_a_glance(rows_of: Rows, evaluated: Evaluated) -> None:
    (page,) = shown_pages(evaluated(rows_of("a", "NN-BR", "NNNBB")))
    assert page.runs == [Run(0, 3, "news"), Run(3, 2, "boilerplate")]
    assert page.wrong == [4]


def test_other_levels_are_told_where_one_of_them_says_otherwise(rows_of: Rows, evaluated: Evaluated) -> None:
    rows = [*rows_of("b", "NBR", "NNR"), *rows_of("a", "N", "N")]
    levels = [
        replace(evaluated([*rows_of("b", "NBR", "NNR"), *rows_of("a", "N", "B")]), context="alone"),
        replace(evaluated([*rows_of("b", "NBR", "NBR"), *rows_of("a", "N", "N")]), context="order"),
    ]
    worst, *_ = shown_pages(replace(evaluated(rows), levels=tuple(levels)))
    assert [p.others for p in worst.paragraphs] == [(), (Said("alone", "news"), Said("order", "boilerplate")), ()]
    of_a = next(p for p in shown_pages(replace(evaluated(rows), levels=tuple(levels))) if p.page == "a")
    assert of_a.paragraphs[0].others == (Said("alone", "boilerplate"), Said("order", "news"))


def test_bytes_are_those_of_escaped_utf8() -> None:
    assert html_bytes("a<ä") == 1 + 4 + 2
    plain = ParagraphView(0, "x", None, "news", 1.0)
    assert replace(plain, text="<<").n_bytes == plain.n_bytes + 7
    assert replace(plain, others=(Said("alone", "news"),)).n_bytes > plain.n_bytes
