"""`newswinnow train`."""

import fcntl
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

Cli = Callable[..., Result]


def test_train_writes_a_model_that_predict_takes_as_told(cli: Cli, config: Path, page: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    result = cli("train", config, "-o", out, "--folds", 2)
    assert result.exit_code == 0
    said = dict(line.split(":", 1) for line in result.stdout.splitlines())
    assert list(said) == ["macro-F1 on mine", "macro-F1 on unseen sites", "report", "model", "sha256"]
    assert said["macro-F1 on mine"] == " 1.000"
    assert said["macro-F1 on unseen sites"] == " 1.000 (random split would say 1.000)"
    *steps, hint = result.stderr.splitlines()
    assert steps[0] == "[1/8] reading the corpora"
    assert steps[-1] == "[8/8] writing"
    assert [step.split("]")[0] for step in steps] == [f"[{n}/8" for n in range(1, 9)]
    command = hint.removeprefix("use it: newswinnow ").replace("page.txt", str(page)).split()
    used = cli(*command)
    assert used.exit_code == 0
    assert [json.loads(line)["predicted"] for line in used.stdout.splitlines()] == ["boilerplate", "news", "related-link"]
    assert json.loads((out / "metrics.json").read_text(encoding="utf-8"))["validation"]["n_folds"] == 2


def test_train_on_other_corpora_as_json_and_not_twice(
    cli: Cli, config: Path, jsonl: Any, rows_of: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text(config.read_text(encoding="utf-8").replace("/train.jsonl", "/absent.jsonl"), encoding="utf-8")
    jsonl(tmp_path / "a.jsonl", rows_of("a", n_sites=1))
    jsonl(tmp_path / "b.jsonl", rows_of("b", n_sites=1))
    monkeypatch.chdir(tmp_path)
    arguments = ["train", config, "--corpus", "a.jsonl", "--corpus", "b.jsonl", "-o", "run", "--json"]
    result = cli(*arguments)
    assert result.exit_code == 0
    summary = json.loads(result.stdout)
    assert summary["macro_f1"] == {"mine": 1.0}
    assert summary["unseen_sites_macro_f1"] is None
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["config"]["data"]["train"] == [str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")]
    saved = json.loads((tmp_path / "run" / "model" / "manifest.json").read_text(encoding="utf-8"))
    assert saved["training"]["n_paragraphs"] == 16
    assert saved["members"]["model.joblib"]["sha256"] == summary["sha256"]

    before = (tmp_path / "run" / "metrics.json").stat().st_mtime_ns
    again = cli(*arguments)
    assert (again.exit_code, again.stdout) == (2, "")
    assert again.stderr == "run: must not hold a finished run; got metrics.json there (--overwrite replaces it)\n"
    assert (tmp_path / "run" / "metrics.json").stat().st_mtime_ns == before
    assert cli(*arguments, "--overwrite").exit_code == 0
    assert (tmp_path / "run" / "metrics.json").stat().st_mtime_ns > before


def test_a_second_writer_exits_3_at_once(cli: Cli, config: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    out.mkdir()
    with (out / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = cli("train", config, "-o", out)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == f"{out}: must be free; got another process writing to it\n"
    assert sorted(p.name for p in out.iterdir()) == [".lock"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('family = "three-line"', 'familly = "three-line"', "model.familly must be a known key; got 'three-line'"),
        ("[validation]", "[validaton]", "validaton must be a known key; got {'folds': 0}"),
        ('"three-line"', '"forest"', "family: must be one of majority, three-line"),
        ("folds = 0", "folds = -1", "validation.folds: input should be greater than or equal to 0; got -1"),
        ("[model]", "[model", "must be valid TOML; got "),
        ("/train.jsonl", "/absent.jsonl", "/absent.jsonl: must be an existing corpus file; got nothing there"),
        ("folds = 0", "folds = 4", "corpus: must have at least as many sites as folds, 4; got 3 sites"),
        ("folds = 0", "folds = 1", "validation.folds: must be 0 or at least 2; got 1"),
    ],
)
def test_what_a_configuration_says_wrong(old: str, new: str, said: str, cli: Cli, config: Path, tmp_path: Path) -> None:
    text = config.read_text(encoding="utf-8")
    assert old in text
    config.write_text(text.replace(old, new), encoding="utf-8")
    result = cli("train", config, "-o", tmp_path / "run")
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "run" / "metrics.json").exists()


@pytest.mark.parametrize("name", ["labels.jsonl", "labels.csv.gz"])
def test_a_table_in_place_of_a_configuration_is_told_where_it_goes(name: str, cli: Cli, tmp_path: Path) -> None:
    result = cli("train", tmp_path / name, "-o", tmp_path / "run")
    assert (result.exit_code, result.stdout) == (2, "")
    said = f"{tmp_path}/{name}: a configuration must be TOML; got a table (train on it with --corpus {tmp_path}/{name})\n"
    assert result.stderr == said


def test_a_config_that_is_no_file(cli: Cli, tmp_path: Path) -> None:
    missing = cli("train", tmp_path / "absent.toml", "-o", tmp_path / "run")
    assert missing.exit_code == 2
    assert missing.stderr == f"{tmp_path}/absent.toml: must be an existing TOML file; got nothing there\n"
    folder = cli("train", tmp_path, "-o", tmp_path / "run")
    assert folder.stderr == f"{tmp_path}: must be an existing TOML file; got a directory\n"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("news", 4)], "corpus: must have at least two labels to train on; got news 4, boilerplate 0, related-link 0"),
        (
            [("news", 4), ("boilerplate", 1)],
            "corpus: every label present needs at least 2 paragraphs; got news 4, boilerplate 1, related-link 0",
        ),
        ([], "must have labelled paragraphs; got 0 rows without a label"),
    ],
)
def test_a_corpus_that_cannot_train(
    rows: list[tuple[str, int]], said: str, cli: Cli, config: Path, jsonl: Any, tmp_path: Path
) -> None:
    labels = [label for label, n in rows for _ in range(n)]
    source = jsonl(
        tmp_path / "in.jsonl", [{"page": "p", "position": i, "text": f"t {i}", "label": label} for i, label in enumerate(labels)]
    )
    result = cli("train", config, "--corpus", source, "-o", tmp_path / "run")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith(said + "\n")


def test_training_stops_at_bad_records(cli: Cli, config: Path, jsonl: Any, rows_of: Any, tmp_path: Path) -> None:
    rows = rows_of("a")
    rows[1]["label"] = "NEWS"
    rows[4]["text"] = "  "
    source = jsonl(tmp_path / "in.jsonl", rows)
    result = cli("train", config, "--corpus", source, "-o", tmp_path / "run")
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"{source}:2: label must be one of news, boilerplate, related-link; got 'NEWS'",
        f"{source}:5: text must not be empty; got '  '",
    ]


def test_train_and_test_must_not_share_a_site(cli: Cli, config: Path, jsonl: Any, rows_of: Any, tmp_path: Path) -> None:
    source = jsonl(tmp_path / "in.jsonl", [*rows_of("a"), *rows_of("test", n_sites=1)])
    result = cli("train", config, "--corpus", source, "-o", tmp_path / "run")
    assert result.exit_code == 2
    assert result.stderr == "data.test.mine: must share no site with data.train; got 1 shared, first 'test0.example'\n"
