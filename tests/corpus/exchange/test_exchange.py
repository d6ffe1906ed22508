"""What holds for every tool: nothing is lost or changed on the way there and back, whatever the tool does to its records."""

import json
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswinnow.corpus.exchange import TOOLS, export_table, files_of, import_labels
from newswinnow.corpus.exchange.incoming import ImportReading
from newswinnow.corpus.records import RecordCollector, RecordRules
from newswinnow.corpus.rejects import CorpusError
from newswinnow.corpus.tables import table_from_records
from newswinnow.corpus.write import records_of
from newswinnow.paragraphs.label import LABELS

Key = tuple[str, int]
NAMES = list(map(str, LABELS))
SKIPPED = "skipped"

CHARACTERS = st.characters(exclude_categories=["Cs"])
WORDS = ["Share", "__label__news", "</s>", "a\x00b", "“Ünï” 🗞️", "</script>", "{{idx}}", "$page", "\x1b[31m", "a,b"]
TEXTS = st.one_of(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join),
    st.text(CHARACTERS, min_size=1, max_size=20).map(lambda text: " ".join(text.split())).filter(bool),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(CHARACTERS, max_size=8),
)
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=2), st.dictionaries(st.text(CHARACTERS, max_size=3), SCALARS, max_size=2))
COLUMNS = st.sampled_from(["votes", "note é", "id", "meta", "answer", "newswinnow", "queue", "__label__x"])


def table_of(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows as the readers would give them."""
    collector = RecordCollector(RecordRules())
    for row in rows:
        collector.add(row, source="test", line=None)
    assert not collector.rejects
    return table_from_records(collector)


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    """Tables of a few pages, rows in any order, with known and unknown columns."""
    key = st.tuples(st.text(CHARACTERS, min_size=1, max_size=6), st.integers(0, 2**53))
    names = draw(st.lists(COLUMNS, unique=True, max_size=3))
    has_labels = draw(st.booleans())
    rows = []
    for page, position in draw(st.lists(key, min_size=1, max_size=8, unique=True)):
        row = {"page": page, "position": position, "text": draw(TEXTS), "site": draw(st.none() | st.just("a.example"))}
        row |= {"label": draw(st.none() | st.sampled_from(NAMES))} if has_labels else {}
        row |= {"origin": draw(st.sampled_from([None, "aligned", "read"])), "link_density": draw(st.none() | st.floats(0, 1))}
        rows.append(row | {name: draw(VALUES) for name in names})
    return table_of(rows)


def rows_of(table: pd.DataFrame) -> list[Any]:
    """Rows by page and position, every value with its type."""
    ordered = sorted(records_of(table), key=lambda row: (row["page"], row["position"]))
    return [[(name, repr(value)) for name, value in row.items()] for row in ordered]


def back_and_forth(table: pd.DataFrame, tool: str, change: Callable[[str], str] = str) -> ImportReading:
    """Export, let a simulated tool change the main file, import."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "exchanged"
        export_table(table, path, tool=tool)
        path.write_bytes(change(path.read_bytes().decode("utf-8")).encode("utf-8"))
        return import_labels(path, tool=tool)


@pytest.mark.parametrize("tool", TOOLS)
@given(table=tables())
@settings(max_examples=60, deadline=None)
def test_every_value_of_every_column_survives(tool: str, table: pd.DataFrame) -> None:
    reading = back_and_forth(table, tool)
    assert reading.rejects == ()
    assert rows_of(reading.table) == rows_of(table)
    assert list(reading.table.columns) == list(table.columns)


def keys_of(table: pd.DataFrame) -> dict[tuple[str, str], Key]:
    """Page and position by what tools show of them."""
    return {
        (page.replace("\0", "\ufffd"), str(position)): (page, position)
        for page, position in zip(table["page"], table["position"], strict=True)
    }


def in_label_studio(text: str, answers: dict[tuple[str, str], Any], rng: random.Random) -> str:
    """Tasks moved, keys sorted as jsonb does, predictions as ids, answers as annotations, pages with a skip cancelled."""
    tasks = json.loads(text)
    rng.shuffle(tasks)
    for number, task in enumerate(tasks, start=1):
        paragraphs = task["data"]["paragraphs"]
        given = [answers[task["data"]["page"], paragraph["heading"]] for paragraph in paragraphs]
        result = [
            {
                **{"from_name": f"label_{i}", "to_name": f"paragraph_{i}", "type": "choices", "id": f"x{i}", "origin": "manual"},
                "value": {"choices": [label]},
            }
            for i, label in enumerate(given)
            if label not in (None, SKIPPED)
        ]
        rng.shuffle(result)
        result.append({"from_name": "comment", "to_name": "paragraph_0", "type": "textarea", "value": {"text": ["?"]}})
        annotation = {"id": 7, "completed_by": 1, "was_cancelled": SKIPPED in given, "result": result, "lead_time": 4.2}
        task |= {"id": number, "project": 83, "annotations": [annotation], "predictions": [286], "drafts": [], "meta": {}}
    assert "\\u0000" not in text.replace("\\\\u0000", "")
    return json.dumps(tasks, sort_keys=True, ensure_ascii=False)


def in_doccano(text: str, answers: dict[tuple[str, str], Any], rng: random.Random) -> str:
    """Every record through a DataFrame and its to_json, as doccano does; examples moved, ids and comments added."""
    examples = [json.loads(line) for line in text.split("\n") if line]
    for number, example in enumerate(examples, start=1):
        label = answers[example["page"], example["position"]]
        example |= {"label": [] if label in (None, SKIPPED) else [label], "id": number, "Comments": []}
    rng.shuffle(examples)
    exported: str = pd.DataFrame(examples).to_json(orient="records", lines=True, force_ascii=False)
    return exported


def in_prodigy(text: str, answers: dict[tuple[str, str], Any], rng: random.Random) -> str:
    """Tasks answered and moved, hashes and session added."""
    tasks = [json.loads(line) for line in text.split("\n") if line]
    assert len({task["input"] for task in tasks}) == len(tasks)
    for task in tasks:
        label = answers[task["meta"]["page"], str(task["meta"]["position"])]
        task |= {"accept": [] if label in (None, SKIPPED) else [label], "answer": "ignore" if label == SKIPPED else "accept"}
        task |= {"_input_hash": -1530009927, "_task_hash": 7, "_session_id": "d-ann", "_view_id": "choice"}
    rng.shuffle(tasks)
    return "".join(json.dumps(dict(reversed(task.items())), ensure_ascii=False) + "\n" for task in tasks)


SIMULATED = {"label-studio": in_label_studio, "doccano": in_doccano, "prodigy": in_prodigy}


@pytest.mark.parametrize("tool", SIMULATED)
@given(table=tables(), rng=st.randoms(use_true_random=False), data=st.data())
@settings(max_examples=60, deadline=None)
def test_only_what_was_decided_changes(tool: str, table: pd.DataFrame, rng: random.Random, data: st.DataObject) -> None:
    shown = keys_of(table)
    if len(shown) < len(table):
        return
    may_skip = [] if tool == "doccano" else [SKIPPED]
    answers = {key: data.draw(st.sampled_from([None, *NAMES, *may_skip])) for key in shown}
    reading = back_and_forth(table, tool, lambda text: SIMULATED[tool](text, answers, rng))
    assert reading.rejects == ()
    skipped = {shown[key] for key, answer in answers.items() if answer == SKIPPED}
    if tool == "label-studio":
        skipped = {key for key in shown.values() if key[0] in {page for page, _ in skipped}}
    assert reading.undecided == skipped
    expected = []
    for row in records_of(table):
        key = (row["page"], row["position"])
        answer = answers[key[0].replace("\0", "\ufffd"), str(key[1])]
        if key not in skipped and answer != row.get("label"):
            row |= {"label": answer, "origin": row["origin"] if answer is None else "read"}
        expected.append(row)
    assert rows_of(reading.table) == rows_of(table_of(expected))


@pytest.mark.parametrize("tool", TOOLS)
@given(damage=st.binary(max_size=30), at=st.integers(0, 2000), data=st.data())
@settings(max_examples=60, deadline=None)
def test_damaged_files_give_typed_errors_or_counted_rejects(tool: str, damage: bytes, at: int, data: st.DataObject) -> None:
    table = table_of([{"page": "p", "position": i, "text": f"A bridge opened {i}."} for i in range(4)])
    with TemporaryDirectory() as folder:
        path = Path(folder) / "exchanged"
        export_table(table, path, tool=tool)
        hurt = Path(data.draw(st.sampled_from([str(file) for file in files_of(path, tool) if file.suffix != ".xml"])))
        content = hurt.read_bytes()
        hurt.write_bytes(content[:at] + damage + content[at + len(damage) :])
        with suppress(CorpusError):
            reading = import_labels(path, tool=tool)
            assert reading.n_records == len(reading.table) + len(reading.rejects)
            # Where the damage hits an id and leaves the file whole, nothing tells that it is another one's; it hits one at most.
            assert (reading.table["page"] != "p").sum() <= 1


@pytest.mark.parametrize("tool", TOOLS)
def test_an_unknown_label_is_refused(tool: str, exported: Callable[[str], Path]) -> None:
    path = exported(tool)
    text = path.read_text(encoding="utf-8").replace("__label__related-link ", "__label__relatd ")
    text = text.replace('["related-link"]', '["relatd"]')
    if tool == "label-studio":
        tasks = json.loads(text)
        tasks[1]["annotations"] = tasks[1].pop("predictions")
        text = json.dumps(tasks)
    path.write_text(text, encoding="utf-8")
    reading = import_labels(path, tool=tool)
    number = 2 if tool == "label-studio" else 4
    rule = "label must be one of news, boilerplate, related-link; got 'relatd'"
    assert list(map(str, reading.rejects)) == [f"{path}:{number}: {rule}"]
    assert len(reading.table) == 3


@pytest.mark.parametrize("tool", ["label-studio", "doccano", "prodigy"])
def test_a_text_edited_in_the_tool_is_refused(tool: str, exported: Callable[[str], Path]) -> None:
    path = exported(tool)
    path.write_text(path.read_text(encoding="utf-8").replace('"text": "A bridge', '"text": "The bridge'), encoding="utf-8")
    reading = import_labels(path, tool=tool)
    assert list(map(str, reading.rejects)) == [f"{path}:1: text must be the one exported; got 'The bridge opened.'"]


@pytest.mark.parametrize("tool", ["label-studio", "doccano", "prodigy"])
def test_a_record_without_its_packed_columns_is_refused(tool: str, exported: Callable[[str], Path]) -> None:
    path = exported(tool)
    path.write_text(path.read_text(encoding="utf-8").replace('"newswinnow"', '"lost"', 1), encoding="utf-8")
    [reject] = import_labels(path, tool=tool).rejects
    assert reject.reason == "must have the strings 'text' and 'newswinnow' of the export; got 'A bridge opened.', None"


@pytest.mark.parametrize("tool", ["doccano", "prodigy"])
def test_a_paragraph_may_come_back_once(tool: str, exported: Callable[[str], Path]) -> None:
    path = exported(tool)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([*lines, lines[0]]), encoding="utf-8")
    reading = import_labels(path, tool=tool)
    assert [reject.line for reject in reading.rejects] == [5]
    assert "must be unique" in reading.rejects[0].reason
    assert reading.n_records == 5


@pytest.mark.parametrize("tool", ["doccano", "prodigy"])
def test_one_paragraph_at_a_time_comes_with_its_neighbours(tool: str, exported: Callable[[str], Path]) -> None:
    records = list(map(json.loads, exported(tool).read_text(encoding="utf-8").splitlines()))
    contexts = [record.get("meta", record) for record in records]
    assert [(context["before"], context["after"]) for context in contexts] == [
        ("", "Share"),
        ("A bridge opened.", ""),
        ("", "Harbour wall to be raised"),
        ("Share", ""),
    ]


@pytest.mark.parametrize(("tool", "n_written"), [("label-studio", 2), ("doccano", 1), ("prodigy", 1), ("fasttext", 1)])
def test_only_queued(tool: str, n_written: int, small: pd.DataFrame, tmp_path: Path) -> None:
    queued = small.assign(queue=pd.Series([None, None, 1, None], dtype=object))
    exported = export_table(queued, tmp_path / "out", tool=tool, only_queued=True)
    assert (exported.n_pages, exported.n_paragraphs) == (1, n_written)
    assert set(exported.files) == set(tmp_path.iterdir())
    assert exported.files[0].read_text(encoding="utf-8").count("← label this one") == (tool == "label-studio")
    table = import_labels(tmp_path / "out", tool=tool).table
    assert list(table["page"]) == ["q"] * n_written


def test_only_queued_needs_a_queue(small: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^table: must have the columns page, position, text, queue; got page, "):
        export_table(small, tmp_path / "out", tool="doccano", only_queued=True)


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (2**64, "columns must hold JSON values; got Integer exceeds 64-bit range"),
        (float("inf"), "columns must hold JSON values; got Out of range float values"),
        ({1, 2}, "columns must hold JSON values; got Type is not JSON serializable: set"),
        (pd.Timestamp("2024-01-01"), "columns must hold JSON values; got Type is not JSON serializable"),
        ((1, 2), "columns must be the same after a way through JSON"),
    ],
)
def test_a_value_that_would_not_come_back_the_same_is_refused(value: Any, rule: str, small: pd.DataFrame, tmp_path: Path) -> None:
    odd = small.assign(odd=pd.Series([None, value, None, None], dtype=object))
    with pytest.raises(CorpusError, match=f"^table:2: {rule}"):
        export_table(odd, tmp_path / "out", tool="prodigy")
    assert not list(tmp_path.iterdir())


def test_a_row_that_no_reader_takes_is_not_exported(small: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"^table:3: label must be one of news, boilerplate, related-link; got 'News'"):
        export_table(small.assign(label=pd.Series(["news", None, "News", None], dtype=object)), tmp_path / "out", tool="doccano")


def test_unknown_tools_are_refused(small: pd.DataFrame, tmp_path: Path) -> None:
    rule = "^tool: must be one of label-studio, doccano, prodigy, fasttext; got 'labelme'$"
    with pytest.raises(ValueError, match=rule):
        export_table(small, tmp_path / "out", tool="labelme")
    with pytest.raises(ValueError, match=rule):
        import_labels(tmp_path / "out", tool="labelme")


@pytest.mark.parametrize("tool", TOOLS)
def test_same_table_same_bytes(tool: str, small: pd.DataFrame, tmp_path: Path) -> None:
    export_table(small, tmp_path / "one", tool=tool)
    export_table(small, tmp_path / "two", tool=tool)
    for one, two in zip(files_of(tmp_path / "one", tool), files_of(tmp_path / "two", tool), strict=True):
        assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("tool", TOOLS)
def test_an_empty_table_comes_back_empty(tool: str, small: pd.DataFrame) -> None:
    reading = back_and_forth(small.iloc[:0], tool)
    assert (len(reading.table), reading.rejects) == (0, ())
