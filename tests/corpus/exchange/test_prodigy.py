"""Prodigy: tasks of the choice interface and what db-out makes of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from newswinnow.corpus.exchange import export_table, import_labels


@pytest.fixture
def path(exported: Callable[[str], Path]) -> Path:
    return exported("prodigy")


def answered(path: Path, **fields: Any) -> Path:
    """The file with fields of its first task replaced, or removed if None."""
    first, *others = path.read_text(encoding="utf-8").splitlines()
    task = {name: value for name, value in {**json.loads(first), **fields}.items() if value is not None}
    path.write_text("\n".join([json.dumps(task), *others]), encoding="utf-8")
    return path


def test_a_task_offers_the_three_labels_with_the_known_one_selected(path: Path) -> None:
    tasks = list(map(json.loads, path.read_text(encoding="utf-8").splitlines()))
    assert [option["id"] for option in tasks[0]["options"]] == ["news", "boilerplate", "related-link"]
    assert [task["accept"] for task in tasks] == [["news"], ["boilerplate"], [], ["related-link"]]
    assert [task["input"] for task in tasks] == ["p 0", "p 1", "q 0", "q 7"]


@pytest.mark.parametrize("answer", ["reject", "ignore"])
def test_other_answers_decide_nothing(answer: str, path: Path) -> None:
    reading = import_labels(answered(path, answer=answer, accept=["boilerplate"]), tool="prodigy")
    assert reading.undecided == {("p", 0)}
    assert reading.table["label"].iloc[0] == "news"


@pytest.mark.parametrize(("accept", "label"), [(["boilerplate"], "boilerplate"), ([], None)])
def test_an_accepted_answer_decides(accept: list[str], label: str | None, path: Path) -> None:
    reading = import_labels(answered(path, answer="accept", accept=accept), tool="prodigy")
    found = reading.table["label"].iloc[0]
    assert (None if pd.isna(found) else found) == label
    assert reading.undecided == frozenset()


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"answer": "maybe"}, "answer must be one of accept, reject, ignore; got 'maybe'"),
        ({"answer": ["accept"]}, "answer must be one of accept, reject, ignore; got ['accept']"),
        ({"accept": None}, "accept must be a list of options; got None"),
        ({"accept": ["news", "boilerplate"]}, "accept must hold one option at most; got news, boilerplate"),
    ],
)
def test_answers_that_cannot_be_read_are_refused(fields: dict[str, Any], rule: str, path: Path) -> None:
    reading = import_labels(answered(path, **fields), tool="prodigy")
    assert list(map(str, reading.rejects)) == [f"{path}:1: {rule}"]


def test_long_neighbours_are_cut(small: pd.DataFrame, tmp_path: Path) -> None:
    export_table(small.assign(text=["Share", "x" * 300, "Share", "y" * 200]), tmp_path / "out", tool="prodigy")
    metas = [json.loads(line)["meta"] for line in (tmp_path / "out").read_text(encoding="utf-8").splitlines()]
    assert (metas[1]["before"], metas[2]["after"]) == ("x" * 199 + "…", "y" * 200)
