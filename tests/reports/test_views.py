"""What a report shows of an evaluation."""

import random
from collections.abc import Callable
from typing import Any

from newswinnow.evaluation.evaluate import Evaluation
from newswinnow.reports.views import (
    MAX_CHARS,
    MAX_PAGE_PARAGRAPHS,
    N_MISTAKES,
    confusion_rows,
    evaluation_view,
    sample_pages,
    worst_mistakes,
)

Rows = Callable[..., list[dict[str, Any]]]
Evaluated = Callable[..., Evaluation]


def test_mistakes_are_the_surest_wrong_ones_first(rows_of: Rows, evaluated: Evaluated) -> None:
    rows = [
        *rows_of("a", "NBR", "NBN", [0.99, 0.9, 0.6]),
        *rows_of("b", "NBR", "BBR", [0.95, 0.7, 0.7]),
        *rows_of("c", "N-B", "RNN", [0.7, 0.98, 0.8]),
    ]
    found = [(m.page, m.paragraph.position, m.paragraph.probability) for m in worst_mistakes(evaluated(rows))]
    assert found == [("b", 0, 0.95), ("c", 2, 0.8), ("c", 0, 0.7), ("a", 2, 0.6)]


def test_at_most_two_mistakes_of_a_page_and_twelve_in_all(rows_of: Rows, evaluated: Evaluated) -> None:
    rows = []
    for i in range(8):
        rows += rows_of(f"p{i}", "NNNN", "BBBR", [0.5 + i / 100, 0.6 + i / 100, 0.7 + i / 100, 0.4 + i / 100])
    mistakes = worst_mistakes(evaluated(rows))
    assert len(mistakes) == N_MISTAKES == 12
    expected = sorted(
        [(0.7 + i / 100, f"p{i}", 2) for i in range(8)] + [(0.6 + i / 100, f"p{i}", 1) for i in range(8)], reverse=True
    )
    assert [(m.paragraph.probability, m.page, m.paragraph.position) for m in mistakes] == expected[:12]


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
        wrong = [r for r in rows if r["label"] and r["label"] != r["predicted"]]
        best: list[tuple[float, str, int]] = []
        for page in range(5):
            of_page = [(max(r["p_news"], r["p_boilerplate"], r["p_related_link"]), r["page"], r["position"]) for r in wrong]
            best += sorted((c for c in of_page if c[1] == f"p{page}"), reverse=True)[:2]
        found = [(m.paragraph.probability, m.page, m.paragraph.position) for m in worst_mistakes(evaluated(rows))]
        assert found == sorted(best, reverse=True)[:12]


def test_a_mistake_stands_between_its_neighbours_in_page_order(rows_of: Rows, evaluated: Evaluated) -> None:
    rows = rows_of("a", "BBBNRBB", "BBBNNBB")
    (mistake,) = worst_mistakes(evaluated(rows[::-1]))
    assert [p.position for p in mistake.before] == [2, 3]
    assert (mistake.paragraph.position, mistake.paragraph.label, mistake.paragraph.predicted) == (4, "related-link", "news")
    assert [p.position for p in mistake.after] == [5, 6]
    assert mistake.paragraph.is_wrong
    assert not any(p.is_wrong for p in (*mistake.before, *mistake.after))


def test_neighbours_end_with_the_page(rows_of: Rows, evaluated: Evaluated) -> None:
    rows = [*rows_of("a", "NB", "BB"), *rows_of("b", "BN", "BN")]
    (mistake,) = worst_mistakes(evaluated(rows))
    assert (mistake.before, [p.position for p in mistake.after]) == ((), [1])


def test_without_mistakes_there_are_none(rows_of: Rows, evaluated: Evaluated) -> None:
    assert worst_mistakes(evaluated(rows_of("a", "NBR-", "NBRN"))) == ()


def test_rows_without_a_prediction_are_not_shown(rows_of: Rows, evaluated: Evaluated) -> None:
    rows = rows_of("a", "N-R", "BNR")
    rows[1] |= {"predicted": None, "text": "", "p_news": None, "p_boilerplate": None, "p_related_link": None}
    evaluation = evaluated(rows)
    assert [p.position for p in worst_mistakes(evaluation)[0].after] == [2]
    assert [p.position for p in sample_pages(evaluation)[0].paragraphs] == [0, 2]


def test_long_texts_are_cut(rows_of: Rows, evaluated: Evaluated) -> None:
    rows = rows_of("a", "NN", "NN")
    rows[0]["text"] = "x" * MAX_CHARS
    rows[1]["text"] = "x" * (MAX_CHARS + 1)
    whole, cut = (p.text for p in sample_pages(evaluated(rows))[0].paragraphs)
    assert whole == "x" * MAX_CHARS
    assert cut == "x" * (MAX_CHARS - 1) + "…"


def test_pages_run_from_the_worst_to_the_best(rows_of: Rows, evaluated: Evaluated) -> None:
    rows = []
    for n_right in (3, 8, 0, 5, 6, 1, 7):
        rows += rows_of(f"right{n_right}", "N" * 8, "N" * n_right + "B" * (8 - n_right))
    pages = sample_pages(evaluated(rows))
    assert [(p.page, p.n_right, p.n_labelled) for p in pages] == [
        ("right0", 0, 8),
        ("right3", 3, 8),
        ("right6", 6, 8),
        ("right8", 8, 8),
    ]


def test_large_pages_are_preferred_and_small_ones_better_than_none(rows_of: Rows, evaluated: Evaluated) -> None:
    small = [*rows_of("s1", "NB", "NN"), *rows_of("s2", "NB", "NB"), *rows_of("unlabelled", "--", "NB")]
    assert [p.page for p in sample_pages(evaluated(small))] == ["s1", "s2"]
    large = [*small, *rows_of("large", "N" * 8, "N" * 8)]
    assert [p.page for p in sample_pages(evaluated(large))] == ["large"]


def test_a_long_page_is_cut_and_what_is_hidden_is_counted(rows_of: Rows, evaluated: Evaluated) -> None:
    n = MAX_PAGE_PARAGRAPHS + 7
    (page,) = sample_pages(evaluated(rows_of("long", "N" * (n - 1) + "-", "N" * (n - 2) + "BB")))
    assert len(page.paragraphs) == MAX_PAGE_PARAGRAPHS
    assert (page.n_hidden, page.n_labelled, page.n_right) == (7, n - 1, n - 2)
    (exact,) = sample_pages(evaluated(rows_of("long", "N" * MAX_PAGE_PARAGRAPHS, "N" * MAX_PAGE_PARAGRAPHS)))
    assert exact.n_hidden == 0


def test_an_unlabelled_paragraph_is_never_wrong(rows_of: Rows, evaluated: Evaluated) -> None:
    (page,) = sample_pages(evaluated(rows_of("a", "N-R", "NBR")))
    assert [(p.label, p.is_wrong) for p in page.paragraphs] == [("news", False), (None, False), ("related-link", False)]


def test_confusion_shares_are_of_the_true_label(rows_of: Rows, evaluated: Evaluated) -> None:
    rows = list(confusion_rows(evaluated(rows_of("a", "NNNNBB", "NNNRBN"))))
    assert [(label, total, [(c.count, c.share) for c in cells]) for label, total, cells in rows] == [
        ("news", 4, [(3, 0.75), (0, 0.0), (1, 0.25)]),
        ("boilerplate", 2, [(1, 0.5), (1, 0.5), (0, 0.0)]),
        ("related-link", 0, [(0, 0.0), (0, 0.0), (0, 0.0)]),
    ]
    assert [[c.is_right for c in cells] for _, _, cells in rows] == [[i == j for j in range(3)] for i in range(3)]


def test_the_view_is_of_the_evaluation(rows_of: Rows, evaluated: Evaluated) -> None:
    evaluation = evaluated(rows_of("a", "NBR", "NBN"), name="theirs")
    view = evaluation_view(evaluation)
    assert (view["name"], view["scores"], view["data_digest"]) == ("theirs", evaluation.scores, evaluation.data_digest)
    assert (view["mistakes"], view["pages"]) == (worst_mistakes(evaluation), sample_pages(evaluation))
