"""Label Studio: whole pages as tasks, the labelling configuration, and its JSON export."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from lxml import etree

from newswinnow.corpus.exchange import export_table, import_labels, label_studio
from newswinnow.corpus.exchange.label_studio import labelling_config
from newswinnow.corpus.rejects import CorpusError

Tasks = list[dict[str, Any]]


@pytest.fixture
def path(exported: Callable[[str], Path]) -> Path:
    return exported("label-studio")


def tasks_of(path: Path) -> Tasks:
    tasks: Tasks = json.loads(path.read_text(encoding="utf-8"))
    return tasks


def answer(labels: dict[int, Any], **fields: Any) -> dict[str, Any]:
    """An annotation that gives paragraphs of a page a label."""
    return {"result": [{"from_name": f"label_{i}", "value": {"choices": [label]}} for i, label in labels.items()], **fields}


def imported(path: Path, tasks: Any) -> tuple[dict[tuple[str, int], Any], list[str]]:
    """Labels by page and position, and rejects, of tasks written back."""
    path.write_text(json.dumps(tasks), encoding="utf-8")
    reading = import_labels(path, tool="label-studio")
    rows = reading.table.astype(object).where(reading.table.notna(), None)
    labels = {(row["page"], row["position"]): row["label"] for row in rows.to_dict("records")}
    return labels, [str(reject).removeprefix(str(path)) for reject in reading.rejects]


EXPORTED = {("p", 0): "news", ("p", 1): "boilerplate", ("q", 0): None, ("q", 7): "related-link"}


def test_a_task_is_a_page_with_its_paragraphs_in_order(path: Path) -> None:
    first, second = tasks_of(path)
    assert (first["data"]["page"], second["data"]["page"]) == ("p", "q")
    assert [paragraph["text"] for paragraph in first["data"]["paragraphs"]] == ["A bridge opened.", "Share"]
    assert [paragraph["heading"] for paragraph in second["data"]["paragraphs"]] == ["0", "7"]


def test_known_labels_prefill_the_form_and_only_these(path: Path) -> None:
    _, second = tasks_of(path)
    [prediction] = second["predictions"]
    expected = {"from_name": "label_1", "to_name": "paragraph_1", "type": "choices", "value": {"choices": ["related-link"]}}
    assert [{**result, **expected} for result in prediction["result"]] == prediction["result"]


def test_a_page_without_labels_has_no_predictions(small: pd.DataFrame, tmp_path: Path) -> None:
    export_table(small.drop(columns="label"), tmp_path / "tasks.json", tool="label-studio")
    assert [task["predictions"] for task in tasks_of(tmp_path / "tasks.json")] == [[], []]


def test_the_configuration_repeats_a_choice_of_the_three_labels_over_the_paragraphs(path: Path) -> None:
    root = etree.fromstring(Path(f"{path}.xml").read_bytes())
    [repeater] = root.findall("Repeater")
    [text], [choices] = repeater.findall("Text"), repeater.findall("Choices")
    assert repeater.get("on") == "$paragraphs"
    assert text.get("value") == "$paragraphs[{{idx}}].text"
    assert (choices.get("toName"), choices.get("choice")) == (text.get("name"), "single-radio")
    assert [choice.get("value") for choice in choices] == ["news", "boilerplate", "related-link"]
    names = {choices.get("name").replace("{{idx}}", "1"), text.get("name").replace("{{idx}}", "1")}
    result = tasks_of(path)[1]["predictions"][0]["result"][0]
    assert {result["from_name"], result["to_name"]} == names
    assert Path(f"{path}.xml").read_text(encoding="utf-8") == labelling_config()


@pytest.mark.parametrize(
    "annotations",
    [None, [], [answer({0: "news"}, was_cancelled=True)]],
    ids=["no key", "not annotated", "skipped"],
)
def test_what_nobody_decided_keeps_its_label(annotations: Any, path: Path) -> None:
    tasks = tasks_of(path)
    for task in tasks:
        task |= {"annotations": annotations, "predictions": [286]}
    assert imported(path, tasks) == (EXPORTED, [])


def test_predictions_never_decide(path: Path) -> None:
    tasks = tasks_of(path)
    tasks[1]["predictions"] = [answer({0: "news", 1: "news"})]
    assert imported(path, tasks) == (EXPORTED, [])


def test_a_paragraph_left_empty_loses_its_label(path: Path) -> None:
    tasks = tasks_of(path)
    tasks[0]["annotations"] = [answer({1: "related-link"})]
    labels, rejects = imported(path, tasks)
    assert (labels["p", 0], labels["p", 1], rejects) == (None, "related-link", [])


def test_annotators_who_agree_count_once_and_an_empty_form_has_no_say(path: Path) -> None:
    tasks = tasks_of(path)
    cancelled = answer({0: "boilerplate"}, was_cancelled=True)
    tasks[1]["annotations"] = [answer({0: "news", 1: "news"}), answer({0: "news"}), cancelled]
    labels, rejects = imported(path, tasks)
    assert (labels["q", 0], labels["q", 7], rejects) == ("news", "news", [])


def test_annotators_who_disagree_are_refused_paragraph_by_paragraph(path: Path) -> None:
    tasks = tasks_of(path)
    tasks[1]["annotations"] = [answer({0: "news", 1: "news"}), answer({0: "boilerplate", 1: "news"})]
    labels, rejects = imported(path, tasks)
    assert rejects == [":2: annotators must agree on one label; got news, boilerplate"]
    assert ("q", 0) not in labels
    assert labels["q", 7] == "news"


def test_results_for_paragraphs_that_are_not_there_are_counted(path: Path) -> None:
    tasks = tasks_of(path)
    tasks[0]["annotations"] = [answer({0: "news", 1: "boilerplate", 2: "news"})]
    assert imported(path, tasks) == (EXPORTED, [":1: results must belong to one of 2 paragraphs; got 'label_2'"])


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"data": None}, "tasks must be objects with 'data' (the JSON export, not JSON-MIN); got {"),
        ({"data": {"text": "x"}}, "data must have a list of 'paragraphs'; got text"),
        ({"annotations": {}}, None),
        ({"annotations": {"a": 1}}, "annotations must be a list of objects; got {'a': 1}"),
        ({"annotations": [7]}, "annotations must be a list of objects; got [7]"),
        ({"annotations": [{"result": 7}]}, "result must be a list; got 7"),
        (
            {"annotations": [{"result": [{"from_name": "label_0", "value": 7}]}]},
            "results of 'label_0' must have 'choices'; got 7",
        ),
    ],
)
def test_damaged_tasks_are_refused_by_number(change: dict[str, Any], rule: str | None, path: Path) -> None:
    tasks = tasks_of(path)
    tasks[1] |= change
    _, rejects = imported(path, tasks)
    assert [reject.startswith(f":2: {rule}") for reject in rejects] == [True] * (rule is not None)


def test_damaged_paragraphs_are_refused_one_by_one(path: Path) -> None:
    tasks = tasks_of(path)
    tasks[0]["data"]["paragraphs"][0] = "A bridge opened."
    labels, rejects = imported(path, tasks)
    assert rejects == [":1: paragraphs must be objects; got 'A bridge opened.'"]
    assert len(labels) == 3


def test_a_task_that_is_no_object_is_refused(path: Path) -> None:
    labels, rejects = imported(path, [*tasks_of(path), 7])
    assert labels == EXPORTED
    assert [reject.split("; got")[-1] for reject in rejects] == [" 7"]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"{}", "must be a JSON array of tasks; got dict"),
        (b"", "must be valid JSON; got Expecting value"),
        (b"[1", "must be valid JSON; got Expecting"),
        (b"[NaN]", "must be valid JSON; got the constant NaN"),
        (b'[{"a": 1, "a": 2}]', "must be valid JSON; got a key that stands twice in one object"),
        (b"[" * 100_000, "must be valid JSON; got maximum recursion depth exceeded"),
        (b'["\xff"]', "must be valid UTF-8; got byte 0xff at byte 2"),
    ],
    ids=["object", "empty", "cut", "NaN", "twice", "deep", "bytes"],
)
def test_files_that_are_no_export_are_refused(content: bytes, rule: str, tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=f"^{path}: {rule}"):
        import_labels(path, tool="label-studio")


def test_a_file_over_the_limit_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_studio, "MAX_DOCUMENT_BYTES", 100)
    with pytest.raises(CorpusError, match="must have at most 100 bytes; got more"):
        import_labels(path, tool="label-studio")
