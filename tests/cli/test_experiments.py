"""`newswinnow experiments`."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from newswinnow.cli.main import app

Cli = Callable[..., Result]
CONFIG = """
title = "Rule {family}"
[data]
train = ["{corpora}/train.jsonl"]
test = {{ mine = "{corpora}/test.jsonl" }}
[model]
family = "{family}"
[validation]
folds = 0
"""


@pytest.fixture(scope="module")
def finished(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run of the C4 rule and one of the three-line rule, run through the command."""
    folder = tmp_path_factory.mktemp("experiments")
    for name, family in (("001-c4", "c4"), ("002-three-line", "three-line")):
        (folder / name).mkdir()
        (folder / name / "config.toml").write_text(CONFIG.format(corpora=corpora, family=family), encoding="utf-8")
    runs = [str(folder / "001-c4"), str(folder / "002-three-line" / "config.toml")]
    result = CliRunner().invoke(app, ["experiments", "run", *runs])
    assert result.exit_code == 0
    (folder / "printed.txt").write_text(result.stdout, encoding="utf-8")
    return folder


def test_run_puts_results_beside_each_configuration_and_prints_scores(finished: Path) -> None:
    lines = [line.split() for line in (finished / "printed.txt").read_text(encoding="utf-8").splitlines()]
    assert lines[0] == ["experiment", "test", "macro-F1"]
    assert lines[2:] == [
        [str(finished / "001-c4"), "mine", "0.6000"],
        [str(finished / "002-three-line"), "mine", "1.0000"],
    ]
    metrics = json.loads((finished / "001-c4" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["evaluations"]["mine"]["scores"]["macro_f1"]["value"] == pytest.approx(0.6)


def test_run_refuses_a_finished_one_and_gives_json_on_demand(cli: Cli, finished: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(finished / "001-c4", tmp_path / "copy"))
    refused = cli("experiments", "run", copy)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr == f"{copy}: must not hold a finished run; got metrics.json there (--overwrite replaces it)\n"
    result = cli("experiments", "run", copy, "--overwrite", "--json")
    assert result.exit_code == 0
    (summary,) = json.loads(result.stdout)
    assert summary["directory"] == str(copy)
    assert summary["macro_f1"] == {"mine": pytest.approx(0.6)}


def test_run_needs_a_configuration(cli: Cli, tmp_path: Path) -> None:
    result = cli("experiments", "run", tmp_path)
    assert result.exit_code == 2
    assert result.stderr == f"{tmp_path}/config.toml: must be an existing TOML file; got nothing there\n"


def test_list_shows_every_finished_run(cli: Cli, finished: Path) -> None:
    result = cli("experiments", "list", "--folder", finished)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["experiment", "model", "mine", "unseen", "sites", "leakage", "gap"]
    assert [line.split()[:3] for line in lines[2:]] == [["001-c4", "c4", "0.600"], ["002-three-line", "three-line", "1.000"]]
    found = json.loads(cli("experiments", "list", "--folder", finished, "--json").stdout)
    assert [(run["name"], run["title"]) for run in found] == [("001-c4", "Rule c4"), ("002-three-line", "Rule three-line")]
    assert found[1]["metrics"]["evaluations"]["mine"]["scores"]["accuracy"]["value"] == 1.0


def test_list_of_an_empty_folder_and_of_none(cli: Cli, tmp_path: Path) -> None:
    empty = cli("experiments", "list", "--folder", tmp_path)
    assert (empty.exit_code, len(empty.stdout.splitlines())) == (0, 2)
    assert json.loads(cli("experiments", "list", "--folder", tmp_path, "--json").stdout) == []
    absent = cli("experiments", "list", "--folder", tmp_path / "absent")
    assert absent.exit_code == 2
    assert absent.stderr == f"{tmp_path}/absent: must be a folder of experiments; got nothing there\n"


def test_list_escapes_names(cli: Cli, finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished / "001-c4", tmp_path / "\x1b[2Jevil")
    result = cli("experiments", "list", "--folder", tmp_path)
    assert "\\x1b[2Jevil" in result.stdout
    assert "\x1b" not in result.stdout


def test_compare_puts_the_first_named_first(cli: Cli, finished: Path) -> None:
    result = cli("experiments", "compare", finished / "002-three-line", finished / "001-c4", "--json")
    assert result.exit_code == 0
    base, other = json.loads(result.stdout)
    assert (base["run"], base["comparison"]) == ("002-three-line", None)
    assert other["run"] == "001-c4"
    assert other["comparison"]["difference"]["value"] == pytest.approx(-0.4)
    assert (other["comparison"]["n_only_first"], other["comparison"]["n_only_second"]) == (4, 0)


def test_compare_without_names_takes_the_folder_and_writes_markdown(cli: Cli, finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "README.md"
    result = cli("experiments", "compare", "--folder", finished, "-o", out)
    assert result.exit_code == 0
    assert result.stderr == f"written: {out}\n"
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["test", "context", "experiment", "macro-F1", "difference", "p", "verdict"]
    assert lines[2].endswith("baseline")
    assert "002-three-line" in lines[3]
    assert "+0.400" in lines[3]
    text = out.read_text(encoding="utf-8")
    assert "## Against 001-c4" in text
    assert "## 002-three-line: Rule three-line" in text


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["001-c4"], "compare: needs at least two runs; got 1"),
        (["001-c4", "absent"], "absent: must hold a finished run; got no metrics.json (newswinnow experiments run makes it)"),
    ],
)
def test_compare_refuses_what_cannot_be_compared(names: list[str], said: str, cli: Cli, finished: Path) -> None:
    result = cli("experiments", "compare", *(finished / name for name in names))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith(said + "\n")
