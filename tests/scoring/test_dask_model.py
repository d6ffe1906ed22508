"""Models as bytes: what comes out scores as what went in, and only where everything else is the same."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pytest

from newswinnow.models.predictor import Predictor
from newswinnow.models.saved import ModelLoadError, load_model, save_model
from newswinnow.models.saved.load import SHIPPED
from newswinnow.scoring.dask_model import PICKLE, PackedModel, environment, pack
from newswinnow.scoring.model_source import ModelSource

TEXTS = ["Share", "The council voted on Monday to repair the old bridge over the Tarn.", "Harbour wall to be raised after storm"]


@dataclass
class Same:
    """A model that says the same of everything."""

    contexts = ("alone",)
    p_news: float = 0.6

    @property
    def classes_(self) -> list[str]:
        return ["news", "boilerplate", "related-link"]

    def predict_proba(self, X: Any) -> np.ndarray[Any, Any]:
        return np.tile([self.p_news, 0.3, 0.7 - self.p_news], (len(X), 1))


@pytest.mark.parametrize("model", [None, SHIPPED, str(SHIPPED), ModelSource()], ids=["none", "path", "str", "source"])
def test_a_saved_model_travels_as_its_two_files(model: Any) -> None:
    packed = pack(model)
    assert packed.files == {p.name: p.read_bytes() for p in SHIPPED.iterdir() if p.is_file()}
    arrived: PackedModel = cloudpickle.loads(cloudpickle.dumps(packed))
    assert arrived.sha256 == packed.sha256 == pack(None).sha256
    assert np.array_equal(arrived.load().predict_proba(TEXTS), load_model().predict_proba(TEXTS))
    assert arrived.load() is packed.load()


def test_a_predictor_travels_as_it_is() -> None:
    packed = pack(Predictor(Same()))
    assert list(packed.files) == [PICKLE]
    arrived: PackedModel = cloudpickle.loads(cloudpickle.dumps(packed))
    assert arrived.load().predict(TEXTS).tolist() == ["news"] * 3
    assert pack(Predictor(Same(0.1))).sha256 != packed.sha256


def test_a_joblib_model_keeps_its_trust(tmp_path: Path) -> None:
    digest = save_model(Predictor(Same(), {}), tmp_path / "same", as_joblib=True)
    with pytest.raises(ModelLoadError, match="needs explicit trust; got none"):
        pack(tmp_path / "same")
    with pytest.raises(ModelLoadError, match="sha256 must be 00"):
        pack(ModelSource(tmp_path / "same", "0" * 64))
    packed = pack(ModelSource(tmp_path / "same", digest))
    assert packed.load().predict(TEXTS).tolist() == ["news"] * 3
    with pytest.raises(ModelLoadError, match="needs explicit trust"):
        replace(packed, trust=None).load()


def test_damaged_files_are_refused_where_they_arrive() -> None:
    packed = pack(None)
    name = next(name for name in packed.files if name.endswith(".safetensors"))
    data = bytearray(packed.files[name])
    data[-1] ^= 1
    with pytest.raises(ModelLoadError, match="sha256 must be"):
        PackedModel({**packed.files, name: bytes(data)}).load()


@pytest.mark.parametrize("name", ["numpy", "python", "newswinnow", "code"])
def test_other_versions_are_refused(name: str) -> None:
    packed = replace(pack(None), environment={**environment(), name: "0.0"})
    with pytest.raises(
        ModelLoadError, match=rf"worker on .*: {name} must be 0\.0, as where the run began; got .*\(install the same"
    ):
        packed.load()
