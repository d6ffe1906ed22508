"""Options that commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from newswinnow.cli.options import INPUT_SUFFIXES, TABLE_SUFFIXES, open_model
from newswinnow.corpus.streams import COMPRESSIONS
from newswinnow.corpus.tables import TABLE_FORMATS
from newswinnow.harvest.inputs import INPUT_FORMATS
from newswinnow.models.saved import ModelLoadError

TAKING = {
    **dict.fromkeys(("predict", "clean", "explain"), INPUT_SUFFIXES),
    **dict.fromkeys((f"corpus {name}" for name in ("build", "check", "stats", "convert", "export", "queue")), TABLE_SUFFIXES),
    **dict.fromkeys((f"corpus {name}" for name in ("dedup", "split", "review", "apply-review")), TABLE_SUFFIXES),
}


def test_a_trusted_model_is_loaded(saved_model: Any) -> None:
    predictor = open_model(saved_model.path, saved_model.sha256)
    assert predictor.manifest["spec"]["family"] == "three-line"
    assert predictor.predict(["Share"]).tolist() == ["boilerplate"]


def test_trust_is_never_assumed(saved_model: Any) -> None:
    with pytest.raises(ModelLoadError, match="needs explicit trust; got none"):
        open_model(saved_model.path, None)


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match=r"absent/manifest\.json: must be there; got No such file"):
        open_model(tmp_path / "absent", "0" * 64)


@pytest.mark.parametrize("text", [TABLE_SUFFIXES, INPUT_SUFFIXES])
def test_the_suffixes_that_help_names_are_those_that_are_read(text: str) -> None:
    formats = INPUT_FORMATS if text == INPUT_SUFFIXES else TABLE_FORMATS
    plain, _, packed = text.partition(", also ")
    assert sorted(plain.split()) == sorted(f".{name}" for name in formats if name != "htm")
    assert packed.split() == list(COMPRESSIONS)


@pytest.mark.parametrize(("command", "text"), TAKING.items(), ids=lambda value: str(value))
def test_help_names_the_same_suffixes_everywhere(command: str, text: str, cli: Callable[..., Result]) -> None:
    assert text in " ".join(cli(*command.split(), "--help").stdout.split())
