"""Scores in the README and on the model card are those of committed experiments, digit by digit."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
EXPERIMENTS = ROOT / "experiments"
README = (ROOT / "README.md").read_text(encoding="utf-8")
CARD = (ROOT / "docs" / "model-card.md").read_text(encoding="utf-8")
LEVELS = ("alone", "bag", "order", "markup")
PEERS = "027-peers"
AUTO = "036-order-of-markup"


def metrics(name: str) -> Any:
    return json.loads((EXPERIMENTS / name / "metrics.json").read_text(encoding="utf-8"))


def shipped() -> str:
    """The experiment that ``make ship`` runs."""
    found = re.search(r"^SHIPPED := experiments/(\S+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert found is not None
    return found[1]


def tables(text: str) -> list[list[list[str]]]:
    """Rows of cells of every table, header first, without what makes a cell bold or code."""
    blocks = re.findall(r"(?:^\|.*\|\n)+", text, re.M)
    rows = [[line.strip("|\n ").split(" | ") for line in block.splitlines()] for block in blocks]
    return [[[re.sub(r"[*`]", "", cell).strip() for cell in row] for row in table if "---" not in row[0]] for table in rows]


def table_of(text: str, first: str) -> list[list[str]]:
    """Rows of the table whose header begins with a word, without the header."""
    (found,) = [table[1:] for table in tables(text) if table[0][0] == first]
    return found


def score(estimate: dict[str, float]) -> str:
    return f"{estimate['value']:.3f} ({estimate['low']:.3f}–{estimate['high']:.3f})"


def level_scores(found: dict[str, Any], level: str) -> list[str]:
    """Macro-F1 on news pages and on mixed ones."""
    tests = (found["evaluations"][name] for name in ("dev_news", "dev_mixed"))
    return [score((test.get("levels", {}).get(level) or test)["scores"]["macro_f1"]) for test in tests]


def test_both_name_the_experiment_that_ships() -> None:
    assert f"`experiments/{shipped()}`" in README
    assert f"`experiments/{shipped()}`" in CARD


def test_scores_of_the_model_that_ships() -> None:
    found = metrics(shipped())
    validation = found["validation"]["levels"]
    expected = [[*level_scores(found, level), score(validation[level]["unseen_sites"])] for level in LEVELS]
    assert [row[1:] for row in table_of(README, "what it is given")] == expected


def test_scores_on_the_model_card() -> None:
    found = metrics(shipped())
    validation = found["validation"]["levels"]
    rows = table_of(CARD, "level")
    assert [row[0] for row in rows] == list(LEVELS)
    for level, *cells in rows:
        by_source = validation[level]["by_source"]
        sources = ("fundus", "wcxb", "postlight", "readability")
        assert cells == [*level_scores(found, level), *(score(by_source[source]) for source in sources)]


def test_scores_of_auto_on_the_model_card() -> None:
    found = metrics(AUTO)["Dev files, the model that ships"]
    auto = [score(found[name]["macro_f1"]["auto"]) for name in ("dev_news", "dev_mixed")]
    assert f"`auto` on the same pages: {auto[0]} and {auto[1]} (`experiments/{AUTO}`)" in CARD
    assert [found[f"{name}, shuffled"]["in_order"]["auto"] for name in ("dev_news", "dev_mixed")] == [0, 0]
    assert "on the same pages shuffled it takes every one for a bag" in CARD.replace("\n", " ")


@pytest.mark.parametrize("row", table_of(README, "model"), ids=lambda row: row[-1])
def test_scores_of_other_models(row: list[str]) -> None:
    assert row[1:-1] == level_scores(metrics(row[-1]), "alone")


def test_scores_beside_other_tools() -> None:
    tests = metrics(PEERS)["tests"]
    rows = table_of(README, "system")
    assert len(rows) == 10
    for system, _, *cells in rows:
        name, _, context = system.partition(", ")
        found = [
            next(each for each in tests[test]["scores"] if each["system"] == name and (each["context"] or "") == context)
            for test in ("dev_news", "dev_mixed")
        ]
        expected = [(score(each["f1"]), f"{each['related_as_news']['value']:.1%}".replace("%", " %")) for each in found]
        assert cells == [cell for pair in expected for cell in pair]
