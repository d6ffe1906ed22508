"""Two finished runs on one HTML page."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from newswinnow.evaluation.evaluate import Evaluation
from newswinnow.experiments.compare import compare_runs, read_run
from newswinnow.experiments.comparison_page import comparison_html

Evaluated = Callable[..., Evaluation]
Finished = Callable[..., Path]
Jsonl = Callable[[Path, Sequence[dict[str, Any]]], Path]
TRUTH = {"p0": ("NBR", "NNN"), "p1": ("NBR", "NBR")}
OTHER = {"p0": ("NBR", "NBN"), "p1": ("NBR", "NBB")}


def page_of(folder: Path, *names: str, corpora: Sequence[Path] = ()) -> Any:
    runs = [read_run(folder / name) for name in names]
    rows = compare_runs([run.directory for run in runs])
    return html.document_fromstring(comparison_html(runs, rows, corpora=corpora))


def texts(tree: Any) -> list[str]:
    return ["".join(element.itertext()) for element in tree.xpath("//span[@class='t']")]


def configure(directory: Path, tests: dict[str, Any]) -> None:
    """The manifest of a run as far as a comparison looks at it."""
    (directory / "manifest.json").write_text(json.dumps({"config": {"data": {"test": tests}}}), encoding="utf-8")


@pytest.fixture
def runs(tmp_path: Path, evaluated: Evaluated, finished: Finished) -> Path:
    finished(tmp_path / "1-first", evaluated(TRUTH), title="First <b>")
    finished(tmp_path / "2-second", evaluated(OTHER), title="Second")
    return tmp_path


@pytest.fixture
def corpus(tmp_path: Path, evaluated: Evaluated, jsonl: Jsonl) -> Path:
    """What the runs were tested on, with a paragraph without a label."""
    table = evaluated(TRUTH).table[["page", "position", "text", "label"]]
    rows: list[Any] = [*table.to_dict("records"), {"page": "p0", "position": 9, "text": "unlabelled canary", "label": None}]
    return jsonl(tmp_path / "mine.jsonl", rows)


def test_texts_come_from_the_file_that_the_configuration_names(runs: Path, corpus: Path) -> None:
    configure(runs / "2-second", {"mine": "../mine.jsonl"})
    tree = page_of(runs, "1-first", "2-second")
    assert tree.findtext(".//h1") == "2-second against 1-first"
    assert "is 1-first: First <b>" in "".join(tree.xpath("//header")[0].itertext())
    assert texts(tree) == [
        "text 0",
        "text 1 ✓ is boilerplate",
        "text 2 ✗ is related-link",
        "unlabelled canary",
        "text 0",
        "text 1",
        "text 2 ✗ is related-link",
    ]
    assert "not at hand" not in "".join(tree.itertext())


def test_texts_come_from_the_file_named(runs: Path, corpus: Path) -> None:
    tree = page_of(runs, "1-first", "2-second", corpora=[corpus])
    assert "unlabelled canary" in texts(tree)


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        (None, "The texts are not at hand (); --corpus FILE adds them."),
        ({"other": "x.jsonl"}, "The texts are not at hand (); --corpus FILE adds them."),
        ({"mine": "../gone.jsonl"}, "The texts are not at hand (gone.jsonl: not there); --corpus FILE adds them."),
        ({"mine": "../changed.jsonl"}, "(changed.jsonl: other paragraphs or labels); --corpus FILE adds them."),
    ],
)
def test_without_texts_it_says_why_and_shows_places(
    tests: dict[str, Any] | None, said: str, runs: Path, evaluated: Evaluated, jsonl: Jsonl
) -> None:
    table = evaluated(TRUTH).table[["page", "position", "text", "label"]]
    rows: list[Any] = table.assign(text="canary").to_dict("records")
    jsonl(runs / "changed.jsonl", rows)
    if tests is not None:
        for name in ("1-first", "2-second"):
            configure(runs / name, tests)
    tree = page_of(runs, "1-first", "2-second")
    assert said.replace(" ()", "") in "".join(tree.itertext())
    assert texts(tree) == ["paragraph 1 ✓ is boilerplate", "paragraph 2 ✗ is related-link"]
    assert "canary" not in html.tostring(tree, encoding="unicode")


def test_another_corpus_is_refused(runs: Path, jsonl: Jsonl) -> None:
    path = jsonl(runs / "b.jsonl", [{"page": "p0", "position": 0, "text": "x", "label": "news"}])
    with pytest.raises(ValueError, match=r"b\.jsonl: must be a corpus that both runs were tested on; got other paragraphs"):
        page_of(runs, "1-first", "2-second", corpora=[path])


def test_a_damaged_manifest_is_refused(runs: Path) -> None:
    (runs / "1-first" / "manifest.json").write_text('{"config": 3}', encoding="utf-8")
    with pytest.raises(ValueError, match=r"manifest\.json: must be a manifest as a run writes it; got TypeError"):
        page_of(runs, "1-first", "2-second")


def test_two_runs_are_needed(runs: Path) -> None:
    with pytest.raises(ValueError, match="--html: needs exactly two runs; got 3"):
        page_of(runs, "1-first", "2-second", "2-second")


def test_scores_that_are_missing_are_named(runs: Path) -> None:
    metrics = json.loads((runs / "1-first" / "metrics.json").read_text(encoding="utf-8"))
    metrics["evaluations"]["mine"]["context"] = "order"
    (runs / "1-first" / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    with pytest.raises(ValueError, match="1-first: must have measured mine at context alone; got no scores of it"):
        page_of(runs, "1-first", "2-second")


def test_every_shared_level_is_told(tmp_path: Path, evaluated: Evaluated, finished: Finished) -> None:
    def with_levels(pages: dict[str, tuple[str, str]]) -> Evaluation:
        levels = tuple(replace(evaluated(pages), context=context) for context in ("alone", "order"))
        return replace(evaluated(pages), context="auto", levels=levels)

    finished(tmp_path / "1", with_levels(TRUTH))
    finished(tmp_path / "2", with_levels(OTHER))
    tree = page_of(tmp_path, "1", "2")
    rows = tree.xpath("//div[@aria-label='Differences by context']//tbody/tr/th/text()")
    assert rows == ["auto", "alone", "order"]


def test_runs_with_other_main_levels_name_both(tmp_path: Path, evaluated: Evaluated, finished: Finished) -> None:
    finished(tmp_path / "1", evaluated(TRUTH))
    levels = (evaluated(OTHER),)
    finished(tmp_path / "2", replace(evaluated(OTHER), context="auto", levels=levels))
    tree = page_of(tmp_path, "1", "2")
    assert tree.xpath("//div[@aria-label='Differences by context']//tbody/tr/th/text()") == ["alone / auto", "alone"]
