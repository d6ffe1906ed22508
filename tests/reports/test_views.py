"""What a report shows of an evaluation."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from newswinnow.evaluation.evaluate import Evaluation
from newswinnow.reports.shown import ShownTable, mistakes_of
from newswinnow.reports.views import MAX_BYTES, charts_of, confusion_rows, evaluation_view, explorer_rules, fit_views, full_view

Rows = Callable[..., list[dict[str, Any]]]
Evaluated = Callable[..., Evaluation]


def test_confusion_shares_are_of_the_true_label(rows_of: Rows, evaluated: Evaluated) -> None:
    rows = list(confusion_rows(evaluated(rows_of("a", "NNNNBB", "NNNRBN")).scores))
    assert [(label, total, [(c.count, c.share) for c in cells]) for label, total, cells in rows] == [
        ("news", 4, [(3, 0.75), (0, 0.0), (1, 0.25)]),
        ("boilerplate", 2, [(1, 0.5), (1, 0.5), (0, 0.0)]),
        ("related-link", 0, [(0, 0.0), (0, 0.0), (0, 0.0)]),
    ]
    assert [[c.is_right for c in cells] for _, _, cells in rows] == [[i == j for j in range(3)] for i in range(3)]
    assert [[c.begin for c in cells] for _, _, cells in rows] == [[0, 0.75, 0.75], [0, 0.5, 1], [0, 0, 0]]
    assert [[c.shade for c in cells] for _, _, cells in rows] == [[7, 0, 3], [5, 5, 0], [0, 0, 0]]


def test_the_view_is_of_the_evaluation(rows_of: Rows, evaluated: Evaluated) -> None:
    evaluation = evaluated(rows_of("a", "NBR", "NBN"), name="theirs")
    view = evaluation_view(evaluation)
    assert (view["name"], view["scores"], view["data_digest"]) == ("theirs", evaluation.scores, evaluation.data_digest)
    assert view["levels"] == []
    full = full_view(evaluation, max_bytes=10**6)
    assert [m.page for m in full["mistakes"].shown] == ["a"]
    assert full["n_bytes"] == full["mistakes"].shown[0].n_bytes + full["pages"].shown[0].n_bytes
    assert view["charts"] == full["charts"]


def test_every_level_is_in_the_table_the_main_one_first(rows_of: Rows, evaluated: Evaluated) -> None:
    rows = rows_of("a", "NBR", "NBR")
    alone = replace(evaluated(rows_of("a", "NBR", "NNN")), context="alone")
    evaluation = replace(evaluated(rows), context="auto", levels=(alone, replace(evaluated(rows), context="order")))
    view = evaluation_view(evaluation)
    assert [(level.context, level.scores.accuracy.value) for level in view["levels"]] == [
        ("auto", 1.0),
        ("alone", pytest.approx(1 / 3)),
        ("order", 1.0),
    ]
    assert view["level_scale"].low <= alone.scores.macro_f1.low


def test_lost_news_is_drawn_where_there_is_news(rows_of: Rows, evaluated: Evaluated) -> None:
    main, by_label = charts_of(evaluated(rows_of("a", "NBR", "NBN")))
    assert [chart.title.split(":")[0].split(" ")[0] for chart in main] == ["Reliability", "Coverage", "News"]
    assert [chart.title for chart in by_label] == [
        "Reliability: news",
        "Reliability: boilerplate",
        "Reliability: related-link",
    ]
    assert len(charts_of(evaluated(rows_of("a", "BR", "BN")))[0]) == 2


def test_what_a_small_corpus_leaves_is_for_the_larger_ones() -> None:
    asked: dict[int, int] = {}

    def view_of(i: int, max_bytes: int) -> dict[str, Any]:
        asked[i] = max_bytes
        return {"number": i, "n_bytes": min(max_bytes, 100 if i == 1 else 10**9)}

    views = fit_views(view_of, sizes=[50, 2, 30])
    assert [view["number"] for view in views] == [0, 1, 2]
    assert asked == {1: MAX_BYTES // 3, 2: (MAX_BYTES - 100) // 2, 0: MAX_BYTES - 100 - (MAX_BYTES - 100) // 2}
    assert sum(view["n_bytes"] for view in views) <= MAX_BYTES
    assert fit_views(view_of, sizes=[]) == []


def test_rules_hold_numbers_only(rows_of: Rows, evaluated: Evaluated) -> None:
    rows = rows_of("</style><script>", "NNNNNN", "BNNBNB")
    for row, source in zip(rows, ["*/", "}", "*/", "}", "*/", "}"], strict=True):
        row["source"] = source
    found = mistakes_of(ShownTable(evaluated(rows)), max_bytes=10**6)
    rules = explorer_rules([found, found]).split("\n")
    for rule in rules:
        assert re.fullmatch(
            r'\.explore:has\(option\[value="s\d+"\]:checked\) \.mistake:not\(\.s\d+\)\{display:none\}'
            r'|\.explore:has\(option\[value="o\d"\]:checked\) \.mistake\{order:var\(--o\d\)\}'
            r"|#m\d>:nth-child\(\d+\)\{--o0:\d+;--o1:\d+;--o2:\d+\}",
            rule,
        )
    assert len(rules) == 5 + 3 + 2 * 3
    assert explorer_rules([]) == ""
