"""The datatrove step: JSON Lines in, cleaned JSON Lines out, through the executor that datatrove users run."""

import copy
import gzip
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import dill
import numpy as np
import orjson
import pandas as pd
import pytest
from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter

from newswinnow import load_model
from newswinnow.datatrove import ANNOTATE, BLOCKS, ParagraphFilter, split_paragraphs
from newswinnow.models.predictor import Predictor
from newswinnow.models.saved import ModelLoadError, save_model

NEWS = "The council voted on Monday to repair the old bridge over the Tarn, which had been closed since spring."
MORE = "Drivers will be sent around by way of the mill, the mayor said after the meeting."
LINK = "Harbour Wall to Be Raised After Storm"


def documents(n: int = 40) -> list[dict[str, Any]]:
    texts = [f"Share\n{NEWS} {{}}\n\n  {MORE}\t \n{LINK}", "Share\nSign in", "", f"{NEWS}"]
    return [{"id": f"d{i}", "text": texts[i % 4].format(i), "metadata": {"site": f"s{i}.example"}} for i in range(n)]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows))
    return path


def read(folder: Path) -> list[dict[str, Any]]:
    lines = [
        line for path in sorted(folder.glob("*.jsonl.gz")) for line in gzip.decompress(path.read_bytes()).split(b"\n") if line
    ]
    return sorted(map(orjson.loads, lines), key=lambda row: int(row["id"][1:]))


def stats_of(folder: Path, step: str) -> dict[str, Any]:
    [found] = [entry for entry in orjson.loads((folder / "stats.json").read_bytes()) if step in entry["name"]]
    stats: dict[str, Any] = found["stats"]
    return stats


def total(stat: Any) -> int:
    number: int = stat["total"] if isinstance(stat, dict) else stat
    return number


@pytest.mark.parametrize(("tasks", "workers"), [(1, 1), (4, 2)])
def test_a_pipeline_cleans_documents_end_to_end(tasks: int, workers: int, tmp_path: Path) -> None:
    rows = documents()
    for i in range(4):
        write(tmp_path / "in" / f"{i}.jsonl", rows[i * 10 : i * 10 + 10])
    step = ParagraphFilter(exclusion_writer=JsonlWriter(str(tmp_path / "dropped")), batch_size=7)
    pipeline = [JsonlReader(str(tmp_path / "in")), step, JsonlWriter(str(tmp_path / "out"))]
    logs = tmp_path / "logs"
    LocalPipelineExecutor(pipeline, tasks=tasks, workers=workers, logging_dir=str(logs)).run()

    full = [row for row in rows if row["text"]]
    labels = {text: str(load_model().predict([text])[0]) for row in full for text in split_paragraphs(row["text"])}
    expected = {row["id"]: [text for text in split_paragraphs(row["text"]) if labels[text] == "news"] for row in full}
    out = read(tmp_path / "out")
    assert {row["id"]: row["text"] for row in out} == {key: "\n".join(kept) for key, kept in expected.items() if kept}
    assert len(out) == 20
    assert {row["metadata"]["site"] for row in out} == {f"s{i}.example" for i in range(40) if i % 4 in (0, 3)}
    dropped = read(tmp_path / "dropped")
    assert {row["text"] for row in dropped} == {"Share\nSign in"}
    assert {row["metadata"]["filter_reason"] for row in dropped} == {"nothing_left"}

    stats = stats_of(logs, "newswinnow")
    seen = [labels[text] for row in full for text in split_paragraphs(row["text"])]
    for label in ("news", "boilerplate", "related-link"):
        assert total(stats[f"paragraphs_{label}"]) == seen.count(label)
    assert total(stats["dropped_nothing_left"]) == total(stats["dropped"]) == 10
    assert total(stats["forwarded"]) == 20
    n_kept = sum(len(text) for kept in expected.values() for text in kept)
    assert total(stats["characters_kept"]) == n_kept
    assert total(stats["characters_removed"]) == sum(map(len, [t for r in full for t in split_paragraphs(r["text"])])) - n_kept


def test_annotating_keeps_texts_and_drops_nothing(tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.jsonl", [row for row in documents(8) if row["text"]])
    pipeline = [JsonlReader(str(tmp_path / "in")), ParagraphFilter(mode=ANNOTATE), JsonlWriter(str(tmp_path / "out"))]
    LocalPipelineExecutor(pipeline, logging_dir=str(tmp_path / "logs")).run()
    out = read(tmp_path / "out")
    assert [row["text"] for row in out] == [row["text"] for row in documents(8) if row["text"]]
    for row in out:
        found = row["metadata"]["newswinnow"]
        texts = split_paragraphs(row["text"])
        page = pd.DataFrame({"page": "p", "position": range(len(texts)), "text": texts})
        assert found["predicted"] == load_model().predict(page).tolist()
        rows = [found[name] for name in ("p_news", "p_boilerplate", "p_related_link")]
        assert np.allclose(np.transpose(rows), load_model().predict_proba(page), atol=1e-6)


def test_a_document_without_text_is_annotated_with_nothing() -> None:
    step = ParagraphFilter(mode=ANNOTATE)
    doc = Document(" \n", "a")
    assert step.filter(doc) is True
    assert doc.metadata["newswinnow"] == {"predicted": [], "p_news": [], "p_boilerplate": [], "p_related_link": []}


def test_other_labels_and_blocks_can_be_kept() -> None:
    doc = Document(f"Share\n\n{NEWS}\n{MORE}\n\n{LINK}\n", "a")
    assert ParagraphFilter(keep=["news", "boilerplate"], paragraphs=BLOCKS).filter(doc) is True
    assert doc.text == f"Share\n\n{NEWS}\n{MORE}"
    assert ParagraphFilter(keep=["related-link"]).filter(Document("Share", "b")) == (False, "nothing_left")


class Pages:
    """A model of whole pages that notes what it was handed: news is what does not come first."""

    classes_ = ("news", "boilerplate", "related-link")

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def predict_proba(self, X: Any, *, context: str) -> np.ndarray[Any, Any]:
        self.seen.append((X, context))
        is_first = np.array(X["position"]) == 0
        return np.column_stack([0.8 - 0.7 * is_first, 0.1 + 0.7 * is_first, np.full(len(X), 0.1)])


def test_a_model_of_pages_sees_each_document_as_a_page() -> None:
    step, model = ParagraphFilter(context="order"), Pages()
    step._predictor = Predictor(model, {}, ("alone", "order"))
    batch = [Document("One\nTwo", "same"), Document("Three", "same"), Document("", "none"), Document("Four\nFive", "same")]
    assert step.filter_batch(batch) == [True, (False, "nothing_left"), (False, "nothing_left"), True]
    assert [doc.text for doc in batch] == ["Two", "Three", "", "Five"]
    [(seen, context)] = model.seen
    assert context == "order"
    assert dict(seen.data) == {
        "page": ["0", "0", "1", "2", "2"],
        "position": [0, 1, 0, 0, 1],
        "text": ["One", "Two", "Three", "Four", "Five"],
    }


def test_a_process_loads_the_model_once_for_all_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    from newswinnow.scoring import loaded
    from newswinnow.scoring.model_source import ModelSource

    calls: list[ModelSource] = []
    load = ModelSource.load

    def counted(source: ModelSource) -> Predictor:
        calls.append(source)
        return load(source)

    monkeypatch.setattr(ModelSource, "load", counted)
    loaded._HELD.clear()
    step = ParagraphFilter()
    for task in (step, copy.deepcopy(step), dill.loads(dill.dumps(step)), ParagraphFilter(keep=["boilerplate"])):
        assert task._predictor is None
        task.filter(Document(NEWS, "a"))
        assert task._predictor is not None
    assert len(calls) == 1
    used = dill.dumps(step)
    assert len(used) < 20_000
    assert dill.loads(used)._predictor is None
    assert copy.deepcopy(step)._predictor is None


def test_a_joblib_model_needs_its_digest(tmp_path: Path) -> None:
    digest = save_model(load_model(), tmp_path / "model", as_joblib=True)
    with pytest.raises(ModelLoadError, match="needs explicit trust"):
        ParagraphFilter(tmp_path / "model").filter(Document(NEWS, "a"))
    assert ParagraphFilter(tmp_path / "model", trust=digest).filter(Document(NEWS, "a")) is True


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keep": []}, "keep: must name a label at least; got none"),
        ({"keep": "news"}, r"keep: must be a list of labels; got one str 'news' \(write \[label\]\)"),
        ({"keep": ["chaff"]}, "keep: must be of news, boilerplate, related-link; got 'chaff'"),
        ({"mode": "drop"}, "mode: must be one of clean, annotate; got 'drop'"),
        ({"paragraphs": "words"}, "paragraphs: must be one of lines, blocks; got 'words'"),
    ],
)
def test_unknown_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ParagraphFilter(**options)


def test_the_step_is_named_in_reports() -> None:
    assert repr(ParagraphFilter()) == "🔻 - FILTER: 🌾 newswinnow"
    assert pickle.loads(pickle.dumps(ParagraphFilter(keep=["news"]))).keep == {"news"}


def test_the_package_is_not_shadowed_and_its_absence_named() -> None:
    import datatrove

    assert datatrove.__name__ == "datatrove"
    assert "site-packages" in str(datatrove.__file__)
    code = (
        "import sys; sys.modules['datatrove'] = None\n"
        "try:\n import newswinnow.datatrove\nexcept ModuleNotFoundError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "newswinnow.datatrove: needs datatrove; got no datatrove (pip install 'newswinnow[datatrove]')\n"
