"""What the README's section says of a run."""

from dataclasses import replace

import pytest
from benchmarks.classify.render import rounded, score_table, section, speed_table, thread_gains, training_table
from benchmarks.classify.results import Results


def rows_of(table: str) -> dict[str, list[str]]:
    """Cells behind the first one of each row, by the first."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert len({len(row) for row in cells}) == 1
    return {row[0]: row[1:] for row in cells}


def test_speeds_are_medians_with_their_range_and_ratios_are_taken_round_by_round(results: Results) -> None:
    rows = rows_of(speed_table(results))
    assert rows[""] == ["call", "paragraphs/s", "MB/s", "times Slow", "peak memory, MB", "model, MB", "cold start, s"]
    assert rows["Fast"] == ["`fast(texts)`", "500,000 (400,000–600,000)", "60", "10 (8–12) ×", "120", "3", "0.6 (0.5–0.7)"]
    assert rows["Slow"] == ["`slow(texts)`", "50,000", "6", "1 ×", "850", "800", "1"]
    assert rows["Rule"][5] == "–"
    assert rows["Python and the texts alone"] == ["–", "–", "–", "–", "15", "–", "0.05"]
    assert "Gone" not in rows


def test_a_run_without_the_reference_has_no_ratios(results: Results) -> None:
    alone = replace(results, systems=[system for system in results.systems if system.key != "slow"])
    assert rows_of(speed_table(alone))["Fast"][3] == "–"
    assert rows_of(training_table(alone))["Fast"] == ["2.5 (2–3)", "–", "150"]


def test_threads_are_compared_with_the_same_model_on_one(results: Results) -> None:
    assert thread_gains(results) == "Fast, 2 threads: 1.9 (1.8–2) × the paragraphs of one thread."


def test_processes_say_what_the_cores_can_do(results: Results) -> None:
    systems = [replace(system, processes=2) if system.key == "fast-2" else system for system in results.systems]
    found = thread_gains(replace(results, systems=systems))
    assert found.endswith("1.9 (1.8–2) × the paragraphs of one process: what this machine's cores can do together.")


def test_training_shows_the_reference_s_time_over_each(results: Results) -> None:
    rows = rows_of(training_table(results))
    assert rows[""] == ["read: s", "Slow's time over it", "peak memory, MB"]
    assert rows["Fast"] == ["2.5 (2–3)", "12.5 (10–15) ×", "150"]
    assert set(rows) == {"", "---", "Fast", "Slow"}


def test_a_system_not_trained_on_a_set_has_dashes_there(results: Results) -> None:
    both = replace(results, trainings=[*results.trainings, replace(results.trainings[0], name="mixed")])
    assert rows_of(training_table(both))["Fast"][3:] == ["–", "–", "–"]


def test_scores_of_systems_that_only_know_news_have_no_macro_f1(results: Results) -> None:
    rows = rows_of(score_table(results))
    assert rows[""] == ["learnt from", "dev_news: macro-F1", "dev_news: news F1"]
    assert rows["Fast"] == ["read", "0.846", "0.900"]
    assert rows["Rule"] == ["–", "–", "0.700"]


def test_section_names_data_machine_versions_and_what_is_missing(results: Results) -> None:
    text = section(results)
    assert text.startswith("2026-01-02. A processor, 2 cores.\nVersions: Python 3.12.0, fast 1.0.\n")
    assert "- **classified**: 1,000 paragraphs of 20 pages, 0.12 MB, all of whole pages\n" in text
    assert "- **learnt from**, `read`: hand-read paragraphs; 2,000 paragraphs of 40 pages, 0.25 MB\n" in text
    assert "- **not measured**: aligned paragraphs: no built corpus was named\n" in text
    assert "- **did not run**: Gone: gone: must be installed; got no module gone\n" in text
    assert "median of 3 rounds" in text
    assert "One core, 2 rounds;" in text
    assert "Rule: only news or not" in text


def test_section_of_a_run_that_trained_nothing_has_no_training(results: Results) -> None:
    untrained = replace(results, systems=[system for system in results.systems if system.key == "rule"])
    assert "### Training" not in section(untrained)


@pytest.mark.parametrize(("value", "shown"), [(999.6, "1,000"), (99.96, "100"), (1.0, "1"), (0.5, "0.5"), (0.000123, "0.000123")])
def test_numbers_have_three_digits_and_no_exponent(value: float, shown: str) -> None:
    assert rounded(value) == shown
