"""doccano: JSONL of a text classification project."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from newswinnow.corpus.exchange import import_labels


@pytest.fixture
def path(exported: Callable[[str], Path]) -> Path:
    return exported("doccano")


def test_an_example_has_text_and_a_list_of_labels_and_is_ascii(path: Path) -> None:
    examples = list(map(json.loads, path.read_bytes().decode("ascii").splitlines()))
    assert [(example["text"], example["label"]) for example in examples] == [
        ("A bridge opened.", ["news"]),
        ("Share", ["boilerplate"]),
        ("Share", []),
        ("Harbour wall to be raised", ["related-link"]),
    ]
    assert all(isinstance(value, str) for example in examples for name, value in example.items() if name != "label")


def rewritten(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Path:
    """The file with its first example changed."""
    first, *others = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([json.dumps(change(json.loads(first))), *others]), encoding="utf-8")
    return path


def test_older_versions_keep_metadata_under_meta_and_name_labels_in_the_plural(path: Path) -> None:
    def old(example: dict[str, Any]) -> dict[str, Any]:
        labels, text = [example.pop("label")[0]], example.pop("text")
        return {"id": 101, "text": text, "meta": example, "labels": labels}

    reading = import_labels(rewritten(path, old), tool="doccano")
    assert reading.rejects == ()
    assert reading.table["label"].iloc[0] == "news"


@pytest.mark.parametrize(
    ("label", "rule"),
    [
        (["news", "boilerplate"], "label must hold one label at most; got news, boilerplate"),
        ([7], "label must be one of news, boilerplate, related-link; got 7"),
        ("news", "label must be a list; got 'news'"),
        (None, "label must be a list; got None"),
    ],
)
def test_other_than_one_label_is_refused(label: Any, rule: str, path: Path) -> None:
    reading = import_labels(rewritten(path, lambda example: example | {"label": label}), tool="doccano")
    assert list(map(str, reading.rejects)) == [f"{path}:1: {rule}"]
    assert reading.n_records == 4


def test_lines_that_are_no_objects_are_refused(path: Path) -> None:
    path.write_text("[]\n\n" + path.read_text(encoding="utf-8") + "{", encoding="utf-8")
    reading = import_labels(path, tool="doccano")
    assert [reject.line for reject in reading.rejects] == [1, 7]
    assert reading.rejects[0].reason == "must be a JSON object; got list"
    assert len(reading.table) == 4


def test_lines_over_the_limit_are_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from newswinnow.corpus.exchange import lines

    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 20)
    reading = import_labels(path, tool="doccano")
    assert [reject.reason for reject in reading.rejects] == ["must have at most 20 bytes; got more"] * 4


@pytest.mark.parametrize("packed", ["{}", "{", '{"columns": 7, "shown": ""}', '{"columns": {}, "shown": 7}'])
def test_damaged_packed_columns_are_refused(packed: str, path: Path) -> None:
    reading = import_labels(rewritten(path, lambda example: example | {"newswinnow": packed}), tool="doccano")
    assert [reject.line for reject in reading.rejects] == [1]
    assert reading.rejects[0].reason.startswith(("must be valid JSON; got", "'newswinnow' must hold the exported columns; got"))
