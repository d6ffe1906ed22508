"""Files in, files out."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newswinnow.corpus.rejects import CorpusError, Reject
from newswinnow.models.predictor import Predictor
from newswinnow.models.registry import ModelSpec
from newswinnow.models.saved import load_model
from newswinnow.models.training import train
from newswinnow.paragraphs.label import Label
from newswinnow.paragraphs.rows import Rows
from newswinnow.scoring.files import check_inputs, check_output, clean, clean_pages, predict_inputs, write_rejects

NEWS = "The council voted on Monday to repair the old bridge over the Tarn."
LINK = "Harbour wall to be raised after storm"


@pytest.fixture(scope="module")
def rule() -> Predictor:
    """The three-line rule: what it says is known from the text."""
    rows = [("Share", "boilerplate"), ("Menu", "boilerplate"), (NEWS, "news"), (NEWS, "news")]
    corpus = pd.DataFrame(rows, columns=["text", "label"]).assign(page="p", position=range(4))
    return train(corpus, ModelSpec("three-line"))


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_predictions_keep_input_order_and_count(rule: Predictor, tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text(f"{LINK}\n\nShare\n", encoding="utf-8")
    table = write_rows(
        tmp_path / "table.jsonl",
        [
            {"page": "q", "position": 3, "text": NEWS},
            {"page": "q", "position": 1, "text": " "},
            {"page": "q", "position": -1, "text": "x"},
        ],
    )
    scored = predict_inputs(rule, [table, tmp_path / "page.txt"])
    assert scored.table[["page", "position"]].to_numpy().tolist() == [["q", 3], ["q", 1], ["page", 0], ["page", 1]]
    assert scored.table["predicted"].fillna("-").tolist() == ["news", "-", "related-link", "boilerplate"]
    assert scored.counts() == {"news": 1, "boilerplate": 1, "related-link": 1, "empty": 1, "rejected": 1}
    (reject,) = scored.rejects
    assert str(reject).startswith(f"{table}:3: position must be an integer")


def test_rows_lost_by_a_model_are_noticed(rule: Predictor, tmp_path: Path) -> None:
    class Careless(Predictor):
        def predict_rows(self, rows: Rows, *, context: str = "auto") -> Rows:
            return super().predict_rows(rows, context=context).where([False] + [True] * (len(rows) - 1))

    (tmp_path / "page.txt").write_text("Share\n\nMenu\n", encoding="utf-8")
    with pytest.raises(RuntimeError, match="rows out and rejects must equal rows in, 2; got 1"):
        predict_inputs(Careless(rule.estimator), [tmp_path / "page.txt"])


@pytest.mark.parametrize(
    ("named", "file_format", "error", "message"),
    [
        ("absent.txt", None, FileNotFoundError, r"absent\.txt: must be an existing file or directory; got nothing there"),
        ("page.doc", None, CorpusError, r"page\.doc: must end in one of \.txt, .*; got '\.doc'"),
        ("page.doc", "word", ValueError, "input format: must be one of txt, .*, warc, wet; got 'word'"),
    ],
)
def test_inputs_are_checked_before_work(
    named: str, file_format: str | None, error: type[Exception], message: str, tmp_path: Path
) -> None:
    (tmp_path / "page.doc").write_text("Share", encoding="utf-8")
    with pytest.raises(error, match=message):
        check_inputs([tmp_path / named], file_format=file_format)


def test_usable_inputs_pass(tmp_path: Path) -> None:
    (tmp_path / "page.doc").write_text("Share", encoding="utf-8")
    check_inputs(["-", tmp_path])
    check_inputs([tmp_path / "page.doc"], file_format="txt")


def test_a_new_output_passes_and_an_existing_one_only_on_demand(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("Share", encoding="utf-8")
    check_output(tmp_path / "out.csv", [tmp_path / "in.txt"])
    (tmp_path / "out.csv").write_text("old", encoding="utf-8")
    with pytest.raises(FileExistsError, match=r"out\.csv: must not exist yet; got an existing path \(--overwrite"):
        check_output(tmp_path / "out.csv", [tmp_path / "in.txt"])
    check_output(tmp_path / "out.csv", [tmp_path / "in.txt", "-"], overwrite=True)
    check_output(tmp_path / "out.csv", ["-"], overwrite=True)


@pytest.mark.parametrize("how", ["same", "relative", "symlink", "hardlink", "in folder", "dot-dot"])
def test_an_input_is_never_an_output(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source, other = tmp_path / "in.txt", tmp_path / "other.txt"
    source.write_text("Share", encoding="utf-8")
    named: Path = source
    output = source
    if how == "relative":
        output = Path("in.txt")
    elif how == "dot-dot":
        (tmp_path / "sub").mkdir()
        output = tmp_path / "sub" / ".." / "in.txt"
    elif how == "in folder":
        named = tmp_path
    elif how != "same":
        output = other
        (other.symlink_to if how == "symlink" else other.hardlink_to)(source)
    with pytest.raises(FileExistsError, match="must not be one of the inputs; got "):
        check_output(output, [named], overwrite=True)


def test_what_is_no_regular_file_is_never_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path(os.devnull)):
        with pytest.raises(FileExistsError, match="must not exist yet; got an existing path"):
            check_output(path, ["-"], overwrite=True)


def test_an_output_needs_its_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"out\.csv: must be in an existing folder; got no .*absent"):
        check_output(tmp_path / "absent" / "out.csv", ["-"])


def test_clean_pages_keeps_labels_orders_by_position_and_names_empty_pages() -> None:
    rows = [
        ("b", 2, "two", "news"),
        ("a", 0, "zero", "boilerplate"),
        ("b", 1, "one", "related-link"),
        ("b", 0, "nought", "news"),
        ("b", 3, "", None),
    ]
    table = pd.DataFrame(rows, columns=["page", "position", "text", "predicted"])
    assert list(clean_pages(table)) == [("b", ["nought", "two"]), ("a", [])]
    both = dict(clean_pages(table, keep=(Label.NEWS, Label.RELATED_LINK)))
    assert both == {"b": ["nought", "one", "two"], "a": []}


def test_clean_gives_the_text_of_every_page(rule: Predictor, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"Share\n\n{NEWS}\n\n{LINK}\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("Share\n", encoding="utf-8")
    assert clean(tmp_path, model=rule) == {"a": NEWS, "b": ""}
    assert clean(tmp_path / "a.txt", model=rule, keep=(Label.RELATED_LINK, Label.NEWS)) == {"a": f"{NEWS}\n\n{LINK}"}
    for keep in ("news,related-link", ["related-link", "news"]):
        assert clean(tmp_path / "a.txt", model=rule, keep=keep) == {"a": f"{NEWS}\n\n{LINK}"}
    with pytest.raises(ValueError, match="context: must be auto or one of alone for this model; got 'order'"):
        clean(tmp_path, model=rule, context="order")
    with pytest.raises(ValueError, match="labels: must be of news, boilerplate, related-link; got 'nws'"):
        clean(tmp_path, model=rule, keep="nws")


def test_clean_takes_the_model_of_the_package_unless_told() -> None:
    page = Path(__file__).parents[2] / "data" / "pages" / "daily.html"
    assert clean(page) == clean(page, model=load_model())
    assert len(clean(page)["daily"]) > 500


def test_clean_warns_of_what_it_refused(rule: Predictor, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"page": "p", "position": 0, "text": NEWS}) + '\n{"page": "p"}\n', encoding="utf-8")
    with pytest.warns(UserWarning, match=r"1 records were refused; the first: .*rows\.jsonl:2: "):
        assert clean(rows, model=rule) == {"p": NEWS}


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reasons=st.lists(st.tuples(st.text(max_size=9), st.none() | st.integers(1, 9), st.text(max_size=20)), max_size=5))
def test_rejects_read_back_one_a_line(reasons: list[tuple[str, int | None, str]], tmp_path: Path) -> None:
    path = tmp_path / "rejects.jsonl"
    write_rejects([Reject(f"f{source}", line, reason, "'x'") for source, line, reason in reasons], path)
    found = [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
    assert [(r["line"], r["reason"], r["excerpt"]) for r in found] == [(line, reason, "'x'") for _, line, reason in reasons]
    assert [r["source"] for r in found] == [f"f{source}" for source, _, _ in reasons]


def test_rejects_of_a_file_whose_name_is_not_utf8(tmp_path: Path) -> None:
    write_rejects([Reject(os.fsdecode(b"b\xffd.txt"), None, "rule; got value")], tmp_path / "r.jsonl")
    assert json.loads((tmp_path / "r.jsonl").read_bytes())["source"] == "b\\xffd.txt"
