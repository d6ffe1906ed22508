"""What several runs say together."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from newswinnow.evaluation.evaluate import Evaluation
from newswinnow.experiments.compare import compare_runs, find_runs, read_run
from newswinnow.experiments.comparison_tables import (
    comparison_markdown,
    comparison_rows,
    overview_markdown,
    overview_rows,
    slice_rows,
)

Evaluated = Callable[..., Evaluation]
Finished = Callable[..., Path]
TRUTH = "NBRNBRNBRNBR"
ALL_NEWS = "N" * 12


def pages_of(guesses: str, *, n: int = 12, truth: str = TRUTH) -> dict[str, tuple[str, str]]:
    return {f"p{i:02}": (truth, guesses) for i in range(n)}


@pytest.fixture
def runs(tmp_path: Path, evaluated: Evaluated, finished: Finished) -> Path:
    """A bad run and a perfect one on the same pages."""
    finished(tmp_path / "1-bad", evaluated(pages_of(ALL_NEWS)), title="All news")
    finished(tmp_path / "2-good", evaluated(pages_of(TRUTH)), title="All right")
    return tmp_path


@pytest.mark.parametrize(("order", "verdict"), [(["1-bad", "2-good"], "better"), (["2-good", "1-bad"], "worse")])
def test_verdict_is_of_the_later_run_against_the_first(order: list[str], verdict: str, runs: Path) -> None:
    base, other = compare_runs([runs / name for name in order])
    assert (base.run, base.comparison) == (order[0], None)
    assert other.run == order[1]
    assert other.comparison is not None
    assert other.comparison.verdict == verdict
    assert other.macro_f1["value"] - base.macro_f1["value"] == pytest.approx(other.comparison.difference.value)


def test_equal_runs_are_tied(runs: Path) -> None:
    comparison = compare_runs([runs / "2-good", runs / "2-good"])[1].comparison
    assert comparison is not None
    assert (comparison.verdict, comparison.p_value) == ("tied", 1.0)


def test_the_printed_p_is_the_one_that_decides(tmp_path: Path, evaluated: Evaluated, finished: Finished) -> None:
    # The rare label is found at the price of four paragraphs of a frequent one: macro-F1 rises, and most changes are wrong.
    truth = "R" + "N" * 64 + "B" * 60
    first, second = "N" + "N" * 64 + "B" * 60, "R" + "B" * 4 + "N" * 60 + "B" * 60
    for name, guesses in (("one", first), ("two", second)):
        finished(tmp_path / name, evaluated({f"p{i}": (truth, guesses) for i in range(8)}))
    rows = compare_runs([tmp_path / "one", tmp_path / "two"])
    comparison = rows[1].comparison
    assert comparison is not None
    assert max(comparison.p_value, comparison.p_difference) < 0.05
    assert comparison_rows(rows)[1][1][5:][0] == "1"
    assert comparison.as_dict()["p_verdict"] == 1
    assert comparison.verdict.startswith("not enough data")


def test_few_pages_are_not_enough_data(tmp_path: Path, evaluated: Evaluated, finished: Finished) -> None:
    truth = {"a": ("NBR", "NBR"), "b": ("NBR", "NBB"), "c": ("NBR", "NBR")}
    other = {"a": ("NBR", "NBB"), "b": ("NBR", "NBR"), "c": ("NBR", "NBR")}
    finished(tmp_path / "one", evaluated(truth))
    finished(tmp_path / "two", evaluated(other))
    comparison = compare_runs([tmp_path / "one", tmp_path / "two"])[1].comparison
    assert comparison is not None
    assert comparison.verdict.startswith("not enough data (about ")


def test_other_data_of_the_same_name_are_refused(runs: Path, evaluated: Evaluated, finished: Finished) -> None:
    finished(runs / "3-other", evaluated(pages_of(ALL_NEWS, n=11)))
    with pytest.raises(ValueError, match=r"3-other: test corpus 'mine' must be the one of .*1-bad; got other data"):
        compare_runs([runs / "1-bad", runs / "3-other"])


def test_runs_without_a_shared_test_are_refused(runs: Path, evaluated: Evaluated, finished: Finished) -> None:
    finished(runs / "3-other", evaluated(pages_of(ALL_NEWS), name="theirs"))
    with pytest.raises(ValueError, match=r"^compare: runs must share a test corpus; got 1-bad: mine; 3-other: theirs$"):
        compare_runs([runs / "1-bad", runs / "3-other"])


def test_only_shared_tests_are_compared(runs: Path, evaluated: Evaluated, finished: Finished) -> None:
    finished(runs / "3-two", evaluated(pages_of(ALL_NEWS), name="theirs"), evaluated(pages_of(TRUTH)))
    rows = compare_runs([runs / "3-two", runs / "1-bad"])
    assert [(row.test, row.run) for row in rows] == [("mine", "3-two"), ("mine", "1-bad")]


@pytest.mark.parametrize("n", [0, 1])
def test_one_run_cannot_be_compared(n: int, runs: Path) -> None:
    with pytest.raises(ValueError, match=f"^compare: needs at least two runs; got {n}$"):
        compare_runs([runs / "1-bad"] * n)


def test_the_same_seed_gives_the_same_comparison(runs: Path) -> None:
    directories = [runs / "1-bad", runs / "2-good"]
    assert [r.as_dict() for r in compare_runs(directories)] == [r.as_dict() for r in compare_runs(directories)]


def test_find_runs_takes_finished_ones_by_name(runs: Path, evaluated: Evaluated, finished: Finished) -> None:
    finished(runs / "0-first", evaluated(pages_of(TRUTH)))
    (runs / "3-unfinished").mkdir()
    (runs / "3-unfinished" / "config.toml").write_text("", encoding="utf-8")
    (runs / "4-curves").mkdir()
    (runs / "4-curves" / "run.py").touch()
    (runs / "4-curves" / "metrics.json").write_text("{}", encoding="utf-8")
    assert [run.name for run in find_runs(runs)] == ["0-first", "1-bad", "2-good"]
    with pytest.raises(FileNotFoundError, match="absent: must be a folder of experiments; got nothing there"):
        find_runs(runs / "absent")


def test_read_run_takes_title_and_notes(runs: Path) -> None:
    (runs / "1-bad" / "notes.md").write_text("\nToo simple.\n", encoding="utf-8")
    run = read_run(runs / "1-bad")
    assert (run.name, run.title, run.notes, run.tests) == ("1-bad", "All news", "Too simple.", ["mine"])
    assert run.macro_f1("absent") is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"metrics\.json: must be valid JSON; got "),
        ("[]", r"metrics\.json: must hold model, validation and evaluations; got something else"),
        ('{"model": {}}', r"metrics\.json: must hold model, validation and evaluations; got something else"),
    ],
)
def test_damaged_metrics_are_named(content: str, message: str, runs: Path) -> None:
    (runs / "1-bad" / "metrics.json").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_run(runs / "1-bad")


def test_overview_shows_scores_and_the_leakage_gap(runs: Path, evaluated: Evaluated, finished: Finished) -> None:
    estimate = {"value": 0.75, "low": 0.5, "high": 0.875}
    validation = {"n_folds": 2, "unseen_sites": estimate, "random_split": {**estimate, "value": 0.8}, "leakage_gap": 0.05}
    finished(runs / "3-other", evaluated(pages_of(TRUTH), name="theirs"), validation=validation)
    columns, rows = overview_rows(find_runs(runs))
    assert columns == ["experiment", "model", "mine", "theirs", "unseen sites", "leakage gap"]
    assert rows[0][:2] + rows[0][3:] == ["1-bad", "c4", "", "", ""]
    assert rows[0][2].startswith("0.167 (0.")
    assert rows[2][:3] + rows[2][4:] == ["3-other", "c4", "", "0.750 (0.500–0.875)", "+0.050"]


def test_comparison_table_reads_from_left_to_right(runs: Path) -> None:
    columns, rows = comparison_rows(compare_runs([runs / "1-bad", runs / "2-good"]))
    assert columns == ["test", "context", "experiment", "macro-F1", "difference", "p", "verdict"]
    assert rows[0][:3] == ["mine", "alone", "1-bad"]
    assert rows[0][3].startswith("0.167 (0.")
    assert rows[0][4:] == ["", "", "baseline"]
    assert rows[1][3].startswith("1.000 (0.")
    assert rows[1][4] == "+0.833 (+0.833 to +0.833)"
    assert rows[1][6] == "better"


def test_slices_are_compared_and_small_ones_marked(runs: Path) -> None:
    rows = compare_runs([runs / "1-bad", runs / "2-good"])
    columns, table = slice_rows(rows)
    assert columns[3:] == ["slice", "paragraphs on pages", "difference", "p (Holm)", "verdict"]
    assert [row[3:5] for row in table] == [
        ["length: 1-2 words", "144 on 12"],
        ["position: top third", "48 on 12 (small)"],
        ["position: middle third", "48 on 12 (small)"],
        ["position: bottom third", "48 on 12 (small)"],
    ]
    assert {row[7] for row in table} == {"better"}
    text = comparison_markdown(rows)
    assert text.startswith("| test | context | experiment | macro-F1 | difference | p | verdict |\n")
    assert "<details><summary>By slice (4)</summary>" in text
    assert "<details>" not in comparison_markdown([replace(row, comparison=None) for row in rows])


def test_levels_that_all_share_are_compared(tmp_path: Path, evaluated: Evaluated, finished: Finished) -> None:
    bad, good = evaluated(pages_of(ALL_NEWS)), evaluated(pages_of(TRUTH))
    finished(tmp_path / "one", replace(good, context="auto", levels=(bad, replace(good, context="bag"))))
    finished(tmp_path / "two", replace(good, context="auto", levels=(good,)))
    finished(tmp_path / "three", good)
    rows = compare_runs([tmp_path / "one", tmp_path / "two"])
    assert [(row.context, row.run) for row in rows] == [("auto", "one"), ("auto", "two"), ("alone", "one"), ("alone", "two")]
    verdicts = [row.comparison.verdict for row in rows if row.comparison]
    assert verdicts == ["tied", "better"]
    assert [row.macro_f1["value"] for row in rows] == pytest.approx([1, 1, 1 / 6, 1])
    mixed = compare_runs([tmp_path / "one", tmp_path / "three"])
    assert [(row.context, row.run) for row in mixed] == [
        ("auto", "one"),
        ("alone", "three"),
        ("alone", "one"),
        ("alone", "three"),
    ]
    assert [row.as_dict()["context"] for row in mixed] == ["auto", "alone", "alone", "alone"]


def test_runs_of_the_first_format_are_compared_with_new_ones(runs: Path) -> None:
    path = runs / "1-bad" / "answers.json"
    entry = json.loads(path.read_text(encoding="utf-8"))["tests"]["mine"]
    pages = {page: [found["positions"], found["truth"], found["levels"]["alone"]] for page, found in entry["pages"].items()}
    path.write_text(json.dumps({"mine": {"data_digest": entry["data_digest"], "pages": pages}}), encoding="utf-8")
    rows = compare_runs([runs / "1-bad", runs / "2-good"])
    assert [(row.context, row.run) for row in rows] == [("alone", "1-bad"), ("alone", "2-good")]
    assert rows[1].comparison is not None
    assert rows[1].comparison.verdict == "better"


def test_overview_markdown_holds_tables_titles_and_notes(runs: Path) -> None:
    (runs / "2-good" / "notes.md").write_text("It learnt.\n", encoding="utf-8")
    text = overview_markdown(find_runs(runs), compare_runs([runs / "1-bad", runs / "2-good"]))
    assert re.search(r"\| 1-bad \| c4 \| 0\.167 \(0\.\d+–0\.\d+\) \|  \|  \|", text)
    assert "## Against 1-bad\n" in text
    assert "## 2-good: All right\n\nIt learnt.\n" in text
    assert "## Against" not in overview_markdown(find_runs(runs), [])


def test_names_and_titles_cannot_break_the_markdown(tmp_path: Path, evaluated: Evaluated, finished: Finished) -> None:
    payload = "a|b <script>alert(1)</script> [x](javascript:1)"
    finished(tmp_path / "1-a|b", evaluated(pages_of(TRUTH), name=payload), title=payload)
    finished(tmp_path / "2", evaluated(pages_of(TRUTH), name=payload))
    runs = find_runs(tmp_path)
    assert runs[0].title == payload
    text = overview_markdown(runs, compare_runs([run.directory for run in runs]))
    assert not re.search(r"(?<!\\)[<\[]", text)
    tables = [line for line in text.splitlines() if line.startswith("|")]
    n_cells = {line.replace("\\|", "").count("|") for line in tables}
    assert n_cells == {6, 8}


def test_markdown_is_of_the_same_bytes_each_time(runs: Path) -> None:
    found = find_runs(runs)
    rows = compare_runs([run.directory for run in found])
    assert overview_markdown(found, rows) == overview_markdown(find_runs(runs), compare_runs([run.directory for run in found]))
    assert json.loads((runs / "1-bad" / "metrics.json").read_text(encoding="utf-8")) == found[0].metrics


def test_names_of_slices_cannot_become_markup(tmp_path: Path, evaluated: Evaluated, finished: Finished) -> None:
    payload = "|</details><script>alert(1)</script>\n# x"
    for name, guesses in (("1", ALL_NEWS), ("2", TRUTH)):
        evaluation = evaluated(pages_of(guesses))
        evaluation.table["source"] = [payload, "other"] * 72
        finished(tmp_path / name, evaluation)
    rows = compare_runs([tmp_path / "1", tmp_path / "2"])
    assert any(payload in row[3] for row in slice_rows(rows)[1])
    text = comparison_markdown(rows)
    assert "<script" not in text.replace("\\<script", "")
    assert text.count("</details>") == 1
    assert not re.search(r"^# x", text, re.MULTILINE)
