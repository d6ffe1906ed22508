"""A model on its way to the workers of a cluster: its files as bytes, known by their digest, loaded once per process.

A worker must compute what this process would: the same code, the same versions of what computes. Loading itself is left to
:mod:`newswinnow.scoring.model_source`.
"""

import hashlib
import pickle
import platform
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from newswinnow.models.predictor import Predictor
from newswinnow.models.saved import MANIFEST, SHIPPED, ModelLoadError, member_of, read_manifest
from newswinnow.models.saved.load import read_weights
from newswinnow.scoring.loaded import loaded
from newswinnow.scoring.model_source import ModelSource, prepared
from newswinnow.scoring.run_directory import code_digest, versions

PICKLE: Final = "predictor.pickle"
"""The one file of a predictor that was made in this session and never saved."""

AnyModel = Predictor | ModelSource | str | Path | None
"""A predictor, where one is saved, or None for the one that ships with the package."""


def environment() -> dict[str, str]:
    """What decides about a score besides the model.

    Returns
    -------
    Name to version; ``code`` is a digest of the source.
    """
    return {**versions(), "code": code_digest()}


@dataclass(frozen=True)
class PackedModel:
    """A model as bytes.

    Attributes
    ----------
    files
        Name to content: a saved model's two files, or a pickled predictor.
    trust
        sha256 expected of a joblib model.
    environment
        Versions that whoever loads it must have.
    """

    files: Mapping[str, bytes]
    trust: str | None = None
    environment: Mapping[str, str] = field(default_factory=environment)

    @cached_property
    def sha256(self) -> str:
        """Digest of all files, of the trust in them, and of the versions to load them with."""
        digest = hashlib.sha256(f"{self.trust} {sorted(self.environment.items())}\n".encode())
        for name, data in sorted(self.files.items()):
            digest.update(f"{name} {len(data)}\n".encode())
            digest.update(data)
        return digest.hexdigest()

    def load(self) -> Predictor:
        """The predictor, loaded if this process does not hold it yet.

        Returns
        -------
        The predictor.

        Raises
        ------
        ModelLoadError
            If it is refused, or this process has other versions than the one that packed it.
        """
        return loaded(self.sha256, self._load)

    def _load(self) -> Predictor:
        _check_environment(self.environment)
        if PICKLE in self.files:
            # From the process that gave us this very function to run: there is nobody left to distrust.
            return prepared(pickle.loads(self.files[PICKLE]))
        with tempfile.TemporaryDirectory(prefix="newswinnow-") as folder:
            for name, data in self.files.items():
                (Path(folder) / name).write_bytes(data)
            return ModelSource(Path(folder), self.trust).load()


def pack(model: AnyModel) -> PackedModel:
    """A model as bytes.

    Parameters
    ----------
    model
        A predictor, where one is saved, or None for the one that ships with the package.

    Returns
    -------
    The packed model; a saved one with its digest and trust checked, its weights not parsed yet.

    Raises
    ------
    ModelLoadError
        If a saved model is missing, damaged or not trusted.
    """
    if isinstance(model, Predictor):
        # Dask's own pickler: it also takes classes that were defined in a notebook.
        import cloudpickle

        return PackedModel({PICKLE: cloudpickle.dumps(model)})
    source = model if isinstance(model, ModelSource) else ModelSource(None if model is None else Path(model))
    folder = source.directory or SHIPPED
    manifest = read_manifest(folder)
    weights = read_weights(folder, manifest, trusts=source.trust is not None, sha256=source.trust)
    return PackedModel({MANIFEST: (folder / MANIFEST).read_bytes(), member_of(manifest).name: weights}, source.trust)


def _check_environment(expected: Mapping[str, str]) -> None:
    here = environment()
    for name, version in expected.items():
        if here.get(name) != version:
            raise ModelLoadError(
                f"worker on {platform.node()}: {name} must be {version:.64}, as where the run began; got {here.get(name)} "
                f"(install the same versions everywhere)"
            )
