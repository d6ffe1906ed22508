"""Options that commands share."""

from pathlib import Path
from typing import Any

import pytest

from newswinnow.cli.options import open_model
from newswinnow.models.saved import ModelLoadError


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
