"""Copies of saved models, and turning one format into the other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from newswinnow.models.predictor import Predictor
from newswinnow.models.saved import SHIPPED, ModelLoadError, export_model, load_model, save_model
from newswinnow.models.winnow import WinnowClassifier

TEXTS = ["Share this", "The council of Tarn voted on Monday, officials said.", "Tarn to repair old bridge", "Ξένο"]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def pickled(corpus: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A model of our own family that somebody kept as joblib, inside a pipeline."""
    winnow = WinnowClassifier(bits=10).fit(corpus["text"].tolist(), corpus["label"].tolist())
    directory = tmp_path_factory.mktemp("pickled") / "model"
    predictor = Predictor(Pipeline([("winnow", winnow)]), {"metrics": {"held": 0.5}})
    return directory, save_model(predictor, directory, as_joblib=True)


def test_without_a_source_the_shipped_model_is_copied_byte_for_byte(tmp_path: Path) -> None:
    digest = export_model(None, tmp_path / "models" / "copy")
    assert contents(tmp_path / "models" / "copy") == contents(SHIPPED)
    assert digest in (tmp_path / "models" / "copy" / "manifest.json").read_text(encoding="utf-8")


def test_joblib_model_is_copied_byte_for_byte(original: Any, tmp_path: Path) -> None:
    assert export_model(original.directory, tmp_path / "copy", file_format="joblib") == original.sha256
    assert contents(tmp_path / "copy") == contents(original.directory)


def test_joblib_model_of_our_own_family_becomes_plain_numbers(pickled: tuple[Path, str], tmp_path: Path) -> None:
    directory, trusted = pickled
    digest = export_model(directory, tmp_path / "portable", sha256=trusted)
    loaded = load_model(tmp_path / "portable", sha256=digest)
    expected = load_model(directory, allow_pickle=True, sha256=trusted).predict_proba(TEXTS)
    assert np.allclose(loaded.predict_proba(TEXTS), expected, rtol=0, atol=1e-12)
    assert loaded.manifest["metrics"] == {"held": 0.5}


def test_plain_numbers_become_joblib_on_demand(portable: Any, tmp_path: Path) -> None:
    digest = export_model(portable.directory, tmp_path / "pickled", file_format="joblib")
    loaded = load_model(tmp_path / "pickled", allow_pickle=True, sha256=digest)
    assert np.array_equal(loaded.predict_proba(TEXTS), load_model(portable.directory).predict_proba(TEXTS))
    assert export_model(tmp_path / "pickled", tmp_path / "back", sha256=digest) == portable.sha256
    before, after = (
        json.loads((folder / "manifest.json").read_text("utf-8")) for folder in (portable.directory, tmp_path / "back")
    )
    for changing in ("versions", "sha256", "probes"):
        del before[changing], after[changing]
    assert before == after


def test_model_of_another_family_has_no_portable_form(original: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"model: must be of a portable family, linear.*; got Pipeline \(--format joblib copies"):
        export_model(original.directory, tmp_path / "portable", sha256=original.sha256)
    assert not (tmp_path / "portable").exists()


def test_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="format: must be one of portable, joblib; got 'onnx'"):
        export_model(None, tmp_path / "copy", file_format="onnx")


@pytest.mark.parametrize("name", ["weights.safetensors", "manifest.json"])
def test_damaged_model_is_not_copied(portable: Any, name: str, tmp_path: Path) -> None:
    data = bytearray((portable.directory / name).read_bytes())
    data[len(data) // 2] ^= 1
    (portable.directory / name).write_bytes(data)
    with pytest.raises(ModelLoadError, match=r"must be .*; got"):
        export_model(portable.directory, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_model_that_fails_its_probes_is_not_copied(portable: Any, tmp_path: Path) -> None:
    portable.edit(lambda m: m["probes"]["probabilities"].update(alone=[[0.2, 0.3, 0.5]] * 64))
    with pytest.raises(ModelLoadError, match="golden probes must agree to 1e-06; got"):
        export_model(portable.directory, tmp_path / "copy")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["portable"]


def test_unexpected_digest_stops_the_copy(portable: Any, original: Any, tmp_path: Path) -> None:
    for saved, file_format in ((portable, "portable"), (original, "joblib")):
        with pytest.raises(ModelLoadError, match=rf"sha256 must be 0{{64}}; got {saved.sha256}"):
            export_model(saved.directory, tmp_path / "copy", file_format=file_format, sha256="0" * 64)
    assert not (tmp_path / "copy").exists()


def test_what_is_there_is_replaced_only_on_demand(portable: Any, tmp_path: Path) -> None:
    export_model(None, tmp_path / "copy")
    with pytest.raises(FileExistsError, match=r"copy: must not exist yet; got an existing path"):
        export_model(portable.directory, tmp_path / "copy")
    export_model(portable.directory, tmp_path / "copy", overwrite=True)
    assert contents(tmp_path / "copy") == contents(portable.directory)
    export_model(portable.directory, portable.directory, overwrite=True)
    assert contents(tmp_path / "copy") == contents(portable.directory)
