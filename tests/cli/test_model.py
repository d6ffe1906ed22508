"""`newswinnow model`."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import Result

from newswinnow.models.saved.families import FAMILIES
from newswinnow.models.saved.manifest import manifest_bytes

FAMILY_NAMES = ", ".join(FAMILIES)
N_FLIPS, N_CUTS = 16, 4  # tests/models/saved/test_load.py has 200 and 50, without the command line around them
FORMAT_1 = Path(__file__).parents[1] / "models" / "fixtures" / "format-1"
Cli = Callable[..., Result]


@pytest.fixture
def copied(saved_model: Any, tmp_path: Path) -> Path:
    """A copy of the model that a test may damage."""
    return Path(shutil.copytree(saved_model.path, tmp_path / "copy"))


@pytest.fixture
def portable(tmp_path: Path) -> Path:
    """A copy of the committed model of plain numbers that a test may damage."""
    return Path(shutil.copytree(FORMAT_1, tmp_path / "portable"))


def change_manifest(directory: Path, **values: Any) -> None:
    """Change a manifest as somebody would who knows how it is sealed."""
    path = directory / "manifest.json"
    path.write_bytes(manifest_bytes({**json.loads(path.read_text(encoding="utf-8")), **values}, where="test"))


def test_show_prints_what_the_model_is(cli: Cli, saved_model: Any) -> None:
    result = cli("model", "show", saved_model.path)
    assert result.exit_code == 0
    lines = dict(line.split(": ", 1) for line in result.stdout.splitlines())
    assert list(lines) == [
        "format",
        "format_version",
        "feature_definition",
        "contexts",
        "spec",
        "training",
        "metrics",
        "versions",
        "members",
    ]
    assert "family=three-line" in lines["spec"]
    assert "n_paragraphs=24" in lines["training"]
    assert saved_model.sha256 in lines["members"]


def test_show_json_is_the_manifest(cli: Cli, saved_model: Any) -> None:
    shown = json.loads(cli("model", "show", saved_model.path, "--json").stdout)
    assert shown == json.loads((saved_model.path / "manifest.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_show_needs_no_trust_because_it_opens_no_pickle(options: list[str], cli: Cli, copied: Path) -> None:
    (copied / "model.joblib").unlink()
    assert cli("model", "show", copied, *options).exit_code == 0


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_show_escapes_what_a_hostile_manifest_says(options: list[str], cli: Cli, copied: Path) -> None:
    change_manifest(copied, spec={"family": "\x1b[2J\x9b31m"}, metrics={"\x1b]0;x\x07": 1})
    result = cli("model", "show", copied, *options)
    assert result.exit_code == 0
    assert all(c.isprintable() or c == "\n" for c in result.stdout)


def test_show_of_no_model_exits_5(cli: Cli, tmp_path: Path) -> None:
    result = cli("model", "show", tmp_path)
    assert (result.exit_code, result.stdout) == (5, "")
    assert result.stderr == f"{tmp_path}/manifest.json: must be there; got No such file or directory\n"


def test_verify_accepts_the_model_as_saved(cli: Cli, saved_model: Any) -> None:
    result = cli("model", "verify", *[saved_model.path, "--trust", saved_model.sha256])
    assert (result.exit_code, result.stdout) == (0, f"{saved_model.path}: verified\n")


def test_verify_refuses_another_digest(cli: Cli, saved_model: Any) -> None:
    result = cli("model", "verify", saved_model.path, "--trust", "f" * 64)
    assert (result.exit_code, result.stdout) == (5, "")
    assert f"sha256 must be {'f' * 64}; got {saved_model.sha256}" in result.stderr


def test_verify_refuses_a_changed_member(cli: Cli, saved_model: Any, copied: Path) -> None:
    data = bytearray((copied / "model.joblib").read_bytes())
    data[len(data) // 2] ^= 1
    (copied / "model.joblib").write_bytes(data)
    result = cli("model", "verify", copied, "--trust", saved_model.sha256)
    assert result.exit_code == 5
    assert f"sha256 must be {saved_model.sha256}; got " in result.stderr


def test_verify_notices_probes_that_score_otherwise(cli: Cli, saved_model: Any, copied: Path) -> None:
    manifest = json.loads((copied / "manifest.json").read_text(encoding="utf-8"))
    manifest["probes"]["probabilities"]["alone"][1] = [0.2, 0.3, 0.5]
    change_manifest(copied, probes=manifest["probes"])
    result = cli("model", "verify", copied, "--trust", saved_model.sha256)
    assert result.exit_code == 5
    assert "golden probes must agree to 1e-06; got a difference of " in result.stderr


def test_without_a_model_the_shipped_one_is_shown_and_verified(cli: Cli) -> None:
    assert "family=ladder" in cli("model", "show").stdout
    result = cli("model", "verify", "--json")
    assert result.exit_code == 0
    shown = json.loads(result.stdout)
    assert (shown["verified"], shown["format"], len(shown["sha256"])) == (True, "ladder", 64)


@pytest.mark.parametrize("name", ["manifest.json", "weights.safetensors"])
def test_any_damage_is_one_line_and_exit_5(cli: Cli, portable: Path, name: str) -> None:
    good = (portable / name).read_bytes()
    assert cli("model", "verify", portable).exit_code == 0
    rng = np.random.default_rng(2)
    flips = [bytearray(good) for _ in range(N_FLIPS)]
    for data, place in zip(flips, rng.choice(len(good) * 8, size=N_FLIPS, replace=False).tolist(), strict=True):
        data[place // 8] ^= 1 << place % 8
    cuts = [good[:length] for length in rng.choice(len(good), size=N_CUTS, replace=False).tolist()]
    for damaged in (*map(bytes, flips), *cuts):
        (portable / name).write_bytes(damaged)
        result = cli("model", "verify", portable)
        assert (result.exit_code, result.stdout) == (5, "")
        assert result.stderr.startswith(f"{portable}/{name}: ")
        assert "; got " in result.stderr
        assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [["predict", "page.txt", "--model"], ["model", "show"], ["model", "verify"]])
def test_a_refused_model_ends_every_command_with_5(
    cli: Cli, command: list[str], portable: Path, page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(page.parent)
    change_manifest(portable, format="pickle")
    result = cli(*command, portable)
    assert (result.exit_code, result.stdout) == (5, "")
    assert result.stderr == f"{portable}/manifest.json: format must be one of joblib, {FAMILY_NAMES}; got 'pickle'\n"


def test_export_copies_the_shipped_model(cli: Cli, tmp_path: Path, page: Path) -> None:
    result = cli("model", "export", "-o", tmp_path / "copy")
    assert result.exit_code == 0
    lines = dict(re.split(r":\s+", line, maxsplit=1) for line in result.stdout.splitlines())
    assert lines["model"] == str(tmp_path / "copy")
    assert result.stderr == f"use it: newswinnow predict page.txt --model {tmp_path / 'copy'}\n"
    assert cli("model", "verify", tmp_path / "copy", "--trust", lines["sha256"]).exit_code == 0
    assert cli("predict", page, "--model", tmp_path / "copy").stdout == cli("predict", page).stdout


def test_export_to_joblib_and_back(cli: Cli, portable: Path, tmp_path: Path) -> None:
    there = cli("model", "export", portable, "-o", tmp_path / "pickled", "--format", "joblib", "--json")
    assert there.exit_code == 0
    made = json.loads(there.stdout)
    assert (made["model"], made["format"]) == (str(tmp_path / "pickled"), "joblib")
    assert there.stderr == ""
    untrusted = cli("model", "export", tmp_path / "pickled", "-o", tmp_path / "back")
    assert untrusted.exit_code == 5
    assert "needs explicit trust; got none" in untrusted.stderr
    assert cli("model", "export", tmp_path / "pickled", "-o", tmp_path / "back", "--trust", made["sha256"]).exit_code == 0
    assert (tmp_path / "back" / "weights.safetensors").read_bytes() == (portable / "weights.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--format", "onnx"], "format: must be one of portable, joblib; got 'onnx'\n"),
        (
            ["--trust", "{sha256}"],
            "{model}: must be of a portable family, {families}; got LineRule (--format joblib copies it as it is)\n",
        ),
    ],
)
def test_export_that_cannot_be_is_an_input_error(
    cli: Cli, saved_model: Any, tmp_path: Path, options: list[str], said: str
) -> None:
    names = {"sha256": saved_model.sha256, "model": saved_model.path, "families": FAMILY_NAMES}
    result = cli("model", "export", saved_model.path, "-o", tmp_path / "out", *(option.format(**names) for option in options))
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", said.format(**names))
    assert not (tmp_path / "out").exists()


def test_export_replaces_a_model_only_on_demand_and_nothing_else_ever(cli: Cli, portable: Path, tmp_path: Path) -> None:
    assert cli("model", "export", "-o", portable).exit_code == 2
    assert cli("model", "export", "-o", portable, "--overwrite").exit_code == 0
    (tmp_path / "thesis").mkdir()
    result = cli("model", "export", "-o", tmp_path / "thesis", "--overwrite")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"{tmp_path}/thesis: must be a saved model to be replaced; got ")
