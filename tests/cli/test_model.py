"""`newswinnow model`."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

Cli = Callable[..., Result]


@pytest.fixture
def copied(saved_model: Any, tmp_path: Path) -> Path:
    """A copy of the model that a test may damage."""
    return Path(shutil.copytree(saved_model.path, tmp_path / "copy"))


def change_manifest(directory: Path, **values: Any) -> None:
    path = directory / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **values}), encoding="utf-8")


def test_show_prints_what_the_model_is(cli: Cli, saved_model: Any) -> None:
    result = cli("model", "show", saved_model.path)
    assert result.exit_code == 0
    lines = dict(line.split(": ", 1) for line in result.stdout.splitlines())
    assert list(lines) == ["format", "spec", "training", "metrics", "versions", "members"]
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
    manifest["probes"]["probabilities"][0] = manifest["probes"]["probabilities"][0][::-1]
    manifest["probes"]["probabilities"][1] = [0.2, 0.3, 0.5]
    change_manifest(copied, probes=manifest["probes"])
    result = cli("model", "verify", copied, "--trust", saved_model.sha256)
    assert result.exit_code == 5
    assert "golden probes must agree to 1e-12; got a difference of " in result.stderr
