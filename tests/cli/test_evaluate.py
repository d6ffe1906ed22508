"""`newswinnow evaluate`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from typer.testing import Result

Cli = Callable[..., Result]


@pytest.fixture
def wrong_rows(rows_of: Any) -> list[dict[str, Any]]:
    """Eight paragraphs of one page each twice; the rule takes one related link for news."""
    rows: list[dict[str, Any]] = rows_of("w", n_sites=1)
    rows[2]["text"] = "Council to vote on harbour wall after a second storm."
    return rows


def test_scores_are_printed_and_written(cli: Cli, saved_model: Any, wrong_rows: Any, jsonl: Any, tmp_path: Path) -> None:
    source, out = jsonl(tmp_path / "mine.v2.jsonl", wrong_rows), tmp_path / "report"
    result = cli("evaluate", saved_model.path, source, "--trust", saved_model.sha256, "-o", out)
    assert result.exit_code == 0
    cells = [line.split() for line in result.stdout.splitlines()]
    assert cells[0] == ["corpus", "label", "precision", "recall", "F1", "paragraphs"]
    assert ["mine.v2", "news", "0.667", "1.000", "0.800", "2"] in cells
    assert ["mine.v2", "boilerplate", "1.000", "1.000", "1.000", "4"] in cells
    assert ["mine.v2", "related-link", "1.000", "0.500", "0.667", "2"] in cells
    assert result.stdout.splitlines()[-1].startswith("macro-F1 on mine.v2: 0.822 (")
    assert result.stderr == f"report: {out}/report.html\n"
    metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["model"] == {"family": "three-line"}
    scores = metrics["evaluations"]["mine.v2"]["scores"]
    assert scores["confusion"] == [[2, 0, 0], [0, 4, 0], [1, 0, 1]]
    assert scores["macro_f1"]["value"] == pytest.approx((0.8 + 1 + 2 / 3) / 3)
    assert "rule on mine" in html.parse(str(out / "report.html")).findtext(".//title")


def test_the_word_shipped_names_the_model_of_the_package(cli: Cli, corpora: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    result = cli("evaluate", "shipped", corpora / "test.jsonl", "-o", out, "--explain", 0)
    assert result.exit_code == 0, result.output
    metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["model"] == {"family": "ladder"}
    assert set(metrics["evaluations"]["test"]["levels"]) >= {"alone", "bag", "order"}
    assert "shipped on test" in html.parse(str(out / "report.html")).findtext(".//title")
    assert "trained on" not in result.stderr


def test_scores_on_sites_of_the_training_are_said_to_flatter(cli: Cli, tmp_path: Path) -> None:
    sample, out = Path(__file__).parents[2] / "data" / "sample" / "test.jsonl", tmp_path / "report"
    result = cli("evaluate", "shipped", sample, "-o", out, "--explain", 0)
    n = json.loads((out / "metrics.json").read_text(encoding="utf-8"))["evaluations"]["test"]["scores"]["n_paragraphs"]
    said = "are of sites that the model was trained on, which flatters it"
    assert f"test: {n} of {n} paragraphs {said}\n" in result.stderr
    assert f"**{n} of them {said}.**" in (out / "report.md").read_text(encoding="utf-8")
    (strong,) = html.parse(str(out / "report.html")).xpath("//p[@class='soft']/strong/text()")
    assert strong == f"{n} of them {said}."


def test_mistakes_are_explained_in_the_report_unless_none_is_to_be(
    cli: Cli, saved_model: Any, wrong_rows: Any, jsonl: Any, tmp_path: Path
) -> None:
    source = jsonl(tmp_path / "mine.jsonl", wrong_rows)
    arguments = ["evaluate", saved_model.path, source, "--trust", saved_model.sha256]
    assert cli(*arguments, "-o", tmp_path / "some").exit_code == 0
    assert cli(*arguments, "-o", tmp_path / "none", "--explain", 0).exit_code == 0
    (why,) = html.parse(str(tmp_path / "some" / "report.html")).xpath("//details[@class='why']")
    assert why.xpath(".//span[@class='step']/text()") == ["drop the closing punctuation"]
    assert why.xpath(".//p[@class='edited']/text()") == ["Council to vote on harbour wall after a second storm"]
    assert not html.parse(str(tmp_path / "none" / "report.html")).xpath("//details[@class='why']")
    some, none = ((tmp_path / name / "metrics.json").read_bytes() for name in ("some", "none"))
    assert some == none
    refused = cli(*arguments, "-o", tmp_path / "bad", "--explain", -1)
    assert (refused.exit_code, refused.stdout) == (2, "")


def test_json_is_metrics_json(cli: Cli, saved_model: Any, corpora: Path, tmp_path: Path) -> None:
    files = [corpora / "train.jsonl", corpora / "test.jsonl"]
    out = tmp_path / "report"
    result = cli("evaluate", saved_model.path, *files, "--trust", saved_model.sha256, "-o", out, "--json")
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    assert printed == json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert list(printed["evaluations"]) == ["train", "test"]


def test_an_earlier_report_is_replaced_only_on_demand(cli: Cli, saved_model: Any, corpora: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    out.mkdir()
    (out / "metrics.json").write_text("old", encoding="utf-8")
    arguments = ["evaluate", saved_model.path, corpora / "test.jsonl", "--trust", saved_model.sha256, "-o", out]
    refused = cli(*arguments)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr == f"{out}: must not hold a report; got metrics.json there (--overwrite replaces it)\n"
    assert [p.name for p in out.iterdir()] == ["metrics.json"]
    assert (out / "metrics.json").read_text(encoding="utf-8") == "old"
    assert cli(*arguments, "--overwrite").exit_code == 0
    assert json.loads((out / "metrics.json").read_text(encoding="utf-8"))["evaluations"]["test"]


def test_untrusted_model_exits_5(cli: Cli, saved_model: Any, corpora: Path, tmp_path: Path) -> None:
    result = cli("evaluate", saved_model.path, corpora / "test.jsonl", "-o", tmp_path / "report")
    assert (result.exit_code, result.stdout) == (5, "")
    assert "needs explicit trust; got none" in result.stderr
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--context", "page"], "context: must be auto or one of alone for this model; got 'page'\n"),
        (["--context", "order"], "context: must be auto or one of alone for this model; got 'order'\n"),
    ],
)
def test_unknown_context(options: list[str], said: str, cli: Cli, saved_model: Any, corpora: Path, tmp_path: Path) -> None:
    arguments = ["--trust", saved_model.sha256, "-o", tmp_path / "report"]
    result = cli("evaluate", saved_model.path, corpora / "test.jsonl", *arguments, *options)
    assert (result.exit_code, result.stderr) == (2, said)


def test_corpora_of_one_name_are_refused(
    cli: Cli, saved_model: Any, corpora: Path, jsonl: Any, rows_of: Any, tmp_path: Path
) -> None:
    other = jsonl(tmp_path / "test.jsonl", rows_of("o"))
    arguments = ["--trust", saved_model.sha256, "-o", tmp_path / "report"]
    result = cli("evaluate", saved_model.path, corpora / "test.jsonl", other, *arguments)
    assert result.exit_code == 2
    assert result.stderr == f"CORPUS: files must have different names; got {corpora}/test.jsonl, {other}\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "in.jsonl: must be an existing file; got nothing there"),
        ("", "in.jsonl: must have labelled paragraphs; got 0 rows without a label"),
        (
            '{"page": "p", "position": 0, "text": "x"}\n',
            "in.jsonl:1: must have the columns page, position, text, label; got page, position, text",
        ),
        (
            '{"page": "p", "position": 0, "text": "x", "label": null}\n',
            "in.jsonl: must have labelled paragraphs; got 1 rows without a label",
        ),
    ],
)
def test_a_corpus_without_labels(content: str | None, said: str, cli: Cli, saved_model: Any, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    if content is not None:
        source.write_text(content, encoding="utf-8")
    result = cli("evaluate", saved_model.path, source, "--trust", saved_model.sha256, "-o", tmp_path / "report")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"{tmp_path}/{said}\n"
