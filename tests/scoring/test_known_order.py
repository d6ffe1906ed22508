"""Pages cut from HTML and from web archives are in order for certain, whatever their paragraphs look like; tables are not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.harvest.test_warc import record, response
from tests.scoring.test_run import lines_of

from newswinnow.harvest.inputs import read_rows
from newswinnow.models.predictor import Predictor
from newswinnow.paragraphs.rows import Rows
from newswinnow.paragraphs.table import IN_ORDER, PREDICTED
from newswinnow.scoring.files import predict_inputs
from newswinnow.scoring.model_source import ModelSource
from newswinnow.scoring.plan import RunPlan
from newswinnow.scoring.run import run

N_PAIRS = 30
TEXTS = [
    text
    for i in range(N_PAIRS)
    for text in (f"The council said on Monday that pier {i} would be repaired before the winter storms arrive.", f"Photo {i}")
]
"""As unlike their neighbours as can be: by itself no order that a model would trust."""

HTML = "<h1>Piers</h1>" + "".join(f"<p>{text}</p>" for text in TEXTS)


def as_html(path: Path) -> Path:
    file = path / "page.html"
    file.write_text(HTML, encoding="utf-8")
    return file


def as_warc(path: Path) -> Path:
    pytest.importorskip("fastwarc.warc", reason="needs the warc extra")
    file = path / "pages.warc"
    file.write_bytes(response(1, HTML.encode()))
    return file


def as_wet(path: Path) -> Path:
    pytest.importorskip("fastwarc.warc", reason="needs the warc extra")
    file = path / "pages.wet"
    file.write_bytes(record("conversion", 1, "\n".join(["Piers", *TEXTS]).encode(), "text/plain"))
    return file


@pytest.mark.parametrize(("write", "level"), [(as_html, "markup"), (as_warc, "markup"), (as_wet, "order")])
def test_auto_takes_a_page_of_known_order_in_order(
    write: Callable[[Path], Path], level: str, source: ModelSource, tmp_path: Path
) -> None:
    model: Predictor = source.load()
    file = write(tmp_path)
    rows = read_rows([file]).rows
    assert IN_ORDER not in rows.columns
    assert set(model.estimator.levels_of(rows)) == {"bag"}, "the page must be one whose order does not show"
    answers = {context: model.predict_proba(rows, context=context) for context in ("bag", level)}
    assert not np.allclose(answers["bag"], answers[level])

    found = predict_inputs(model, [file]).rows
    assert IN_ORDER not in found.columns
    np.testing.assert_array_equal(probabilities(found), answers[level].round(6))
    output = tmp_path / "found.jsonl"
    run(RunPlan((str(file),), tmp_path / "run", source, output))
    lines = lines_of(output)
    assert [line[PREDICTED] for line in lines] == list(found[PREDICTED])
    assert all(IN_ORDER not in line for line in lines)


def probabilities(rows: Rows) -> Any:
    return np.column_stack([rows[name] for name in ("p_news", "p_boilerplate", "p_related_link")])


def test_what_is_known_of_one_input_is_not_said_of_the_others(source: ModelSource, tmp_path: Path) -> None:
    model: Predictor = source.load()
    text, page = tmp_path / "a.txt", as_html(tmp_path)
    text.write_text("\n\n".join(TEXTS), encoding="utf-8")
    for inputs in ([text, page], [page, text]):
        reading = read_rows(inputs)
        assert list(reading.in_order or ()) == [name == "page" for name in reading.rows["page"]]
        levels = dict(zip(reading.rows["page"], model.estimator.levels_of(reading.known), strict=True))
        assert levels == {"a": "bag", "page": "markup"}
    assert read_rows([text]).in_order is None


def test_an_explicit_level_is_taken_at_its_word(source: ModelSource, tmp_path: Path) -> None:
    model: Predictor = source.load()
    file = as_html(tmp_path)
    found = predict_inputs(model, [file], context="bag").rows
    np.testing.assert_array_equal(probabilities(found), model.predict_proba(read_rows([file]).rows, context="bag").round(6))
