"""What commands write for people: `experiments compare --html` and the files of `evaluate`."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from typer.testing import Result

Cli = Callable[..., Result]
CANARY = "canary-7f3a"


@pytest.fixture
def runs(cli: Cli, corpora: Path, tmp_path: Path) -> list[Path]:
    """Two finished runs of `train` on the same test corpus."""
    folders = []
    for family in ("three-line", "majority"):
        config = tmp_path / f"{family}.toml"
        config.write_text(
            f'title = "{family}"\n[data]\ntrain = ["{corpora}/train.jsonl"]\ntest = {{ mine = "{corpora}/test.jsonl" }}\n'
            f'[model]\nfamily = "{family}"\n[validation]\nfolds = 0\n',
            encoding="utf-8",
        )
        folders.append(tmp_path / family)
        result = cli("train", config, "-o", folders[-1])
        assert result.exit_code == 0, result.stderr
    return folders


def test_two_runs_page_by_page(cli: Cli, runs: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "compared.html"
    result = cli("experiments", "compare", *runs, "--html", out)
    assert result.exit_code == 0
    assert result.stderr == f"written: {out}\n"
    assert result.stdout.split()[:2] == ["test", "context"]
    tree = html.parse(str(out))
    assert tree.findtext(".//h1") == "majority against three-line"
    assert any("The council voted" in text for text in tree.xpath("//span[@class='t']/text()"))
    assert not tree.xpath("//script")


def test_texts_from_a_file_named(cli: Cli, runs: list[Path], corpora: Path, tmp_path: Path) -> None:
    for run in runs:
        (run / "manifest.json").unlink()
    out = tmp_path / "compared.html"
    assert cli("experiments", "compare", *runs, "--html", out, "--json").exit_code == 0
    assert "The council voted" not in out.read_text(encoding="utf-8")
    assert cli("experiments", "compare", *runs, "--html", out, "--corpus", corpora / "test.jsonl").exit_code == 0
    assert "The council voted" in out.read_text(encoding="utf-8")


def test_what_cannot_be_shown_is_refused(cli: Cli, runs: list[Path], corpora: Path, tmp_path: Path) -> None:
    out = tmp_path / "compared.html"
    three = cli("experiments", "compare", *runs, runs[0], "--html", out)
    assert (three.exit_code, three.stdout, three.stderr) == (2, "", "--html: needs exactly two runs; got 3\n")
    alone = cli("experiments", "compare", *runs, "--corpus", corpora / "test.jsonl")
    assert (alone.exit_code, alone.stdout, alone.stderr) == (2, "", "--corpus: must come with --html FILE; got none\n")
    other = cli("experiments", "compare", *runs, "--html", out, "--corpus", corpora / "train.jsonl")
    assert other.exit_code == 2
    assert other.stderr.startswith(f"{corpora / 'train.jsonl'}: must be a corpus that both runs were tested on; got other")
    assert not out.exists()


def test_texts_of_pages_stay_in_the_files_that_are_for_them(
    cli: Cli, saved_model: Any, rows_of: Any, jsonl: Any, tmp_path: Path
) -> None:
    rows = rows_of("w", n_sites=1)
    for row in rows:
        row["text"] = f"{CANARY} {row['text']}"
    rows[2]["text"] = f"{CANARY} has a council that voted to pay for the bridge on Monday."
    source, out = jsonl(tmp_path / "mine.jsonl", rows), tmp_path / "report"
    result = cli("evaluate", saved_model.path, source, "--trust", saved_model.sha256, "-o", out)
    assert result.exit_code == 0
    assert CANARY not in result.stdout + result.stderr
    holding = [path.name for path in sorted(out.iterdir()) if CANARY.encode() in path.read_bytes()]
    assert holding == ["mistakes.csv", "report.html"]


def test_training_writes_no_text_but_into_its_report(cli: Cli, rows_of: Any, jsonl: Any, tmp_path: Path) -> None:
    rows = [{**row, "text": f"{CANARY} {row['text']}"} for row in (*rows_of("train"), *rows_of("test", n_sites=2))]
    jsonl(tmp_path / "train.jsonl", [row for row in rows if row["site"].startswith("train")])
    jsonl(tmp_path / "test.jsonl", [row for row in rows if row["site"].startswith("test")])
    config, out = tmp_path / "config.toml", tmp_path / "run"
    config.write_text(
        'title = "mine"\n[data]\ntrain = ["train.jsonl"]\ntest = { mine = "test.jsonl" }\n'
        '[model]\nfamily = "winnow"\nbits = 12\n[validation]\nfolds = 2\n',
        encoding="utf-8",
    )
    result = cli("train", config, "-o", out)
    assert result.exit_code == 0, result.stderr
    assert CANARY not in result.stdout + result.stderr
    files = sorted(path for path in out.rglob("*") if path.is_file())
    assert {"answers.json", "manifest.json", "metrics.json", "report.md", "weights.safetensors"} <= {path.name for path in files}
    assert [path.name for path in files if CANARY.encode() in path.read_bytes()] == ["report.html"]


def test_mistakes_as_csv(cli: Cli, saved_model: Any, rows_of: Any, jsonl: Any, tmp_path: Path) -> None:
    rows = rows_of("w", n_sites=1)
    rows[2]["text"] = "=1+1 is what the council voted to pay for the bridge on Monday."
    source, out = jsonl(tmp_path / "mine.jsonl", rows), tmp_path / "report"
    assert cli("evaluate", saved_model.path, source, "--trust", saved_model.sha256, "-o", out).exit_code == 0
    with (out / "mistakes.csv").open(encoding="utf-8-sig", newline="") as file:
        (mistake,) = csv.DictReader(file)
    assert mistake["text"] == f"'{rows[2]['text']}"
    assert (mistake["page"], mistake["label"], mistake["predicted"]) == (rows[2]["page"], "related-link", "news")
    metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["evaluations"]["mine"]["scores"]["confusion"][2] == [1, 0, 1]
