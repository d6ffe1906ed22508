"""A saved joblib model, a saved model of plain numbers, and ways to damage copies of them."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from newswinnow.models.predictor import Predictor
from newswinnow.models.registry import ModelSpec
from newswinnow.models.rules import LineRule
from newswinnow.models.saved import save_model
from newswinnow.models.saved.manifest import manifest_bytes
from newswinnow.models.training import train

FORMAT_1 = Path(__file__).parents[1] / "fixtures" / "format-1"


@dataclass(frozen=True)
class Saved:
    """A saved model and what it was before; a copy may be damaged."""

    directory: Path
    sha256: str
    predictor: Predictor

    @property
    def member(self) -> Path:
        """The one member."""
        return next(path for path in self.directory.iterdir() if path.name != "manifest.json")

    def edit(self, change: Callable[[dict[str, Any]], Any]) -> None:
        """Change the manifest as somebody would who knows how it is sealed."""
        path = self.directory / "manifest.json"
        manifest = json.loads(path.read_text(encoding="utf-8"))
        change(manifest)
        path.write_bytes(manifest_bytes(manifest, where="test"))

    def put_member(self, data: bytes) -> str:
        """Replace the member and make the manifest agree with it."""
        digest = hashlib.sha256(data).hexdigest()
        name = self.member.name
        (self.directory / name).write_bytes(data)
        self.edit(lambda m: m["members"].update({name: {"sha256": digest, "bytes": len(data)}}))
        return digest


@pytest.fixture(scope="session")
def original(corpus: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Saved:
    """A joblib model, not to be changed."""
    predictor = train(corpus, ModelSpec("tfidf-logistic", analyzer="word", min_df=8, surface=False), seed=5)
    predictor.manifest["metrics"] = {"held": 0.5}
    directory = tmp_path_factory.mktemp("saved") / "new" / "model"
    return Saved(directory, save_model(predictor, directory), predictor)


@pytest.fixture
def model(original: Saved, tmp_path: Path) -> Saved:
    """A copy of the joblib model that a test may damage."""
    directory = tmp_path / "model"
    shutil.copytree(original.directory, directory)
    return Saved(directory, original.sha256, original.predictor)


@pytest.fixture
def portable(tmp_path: Path) -> Saved:
    """A copy of the committed model of plain numbers that a test may damage."""
    directory = tmp_path / "portable"
    shutil.copytree(FORMAT_1, directory)
    digest = hashlib.sha256((directory / "weights.safetensors").read_bytes()).hexdigest()
    return Saved(directory, digest, Predictor(None))


@pytest.fixture(scope="session")
def rule() -> Predictor:
    """The three-line rule, which becomes a joblib model."""
    return Predictor(LineRule().fit([], []), {"spec": {}, "training": {}, "metrics": {}})
