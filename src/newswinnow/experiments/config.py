"""The configuration of a run: TOML in, checked values out, every default in one place.

What the values do is said by the classes they configure.
"""

import tomllib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from newswinnow.corpus.config_errors import first_broken_rule
from newswinnow.corpus.sample import resolve_corpus
from newswinnow.experiments.search_space import SearchConfig
from newswinnow.models.mixing import LabelMix
from newswinnow.models.registry import ModelSpec

CONFIG_NAME: Final = "config.toml"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataConfig(_Strict):
    """Corpora: files to train on, how much labels of each origin count there, and named files to evaluate on.

    Attributes
    ----------
    train
        Files to train on.
    test
        Name to file to evaluate on.
    weights, min_agreement
        As in :class:`~newswinnow.models.mixing.LabelMix`.
    """

    train: tuple[str, ...] = ("sample:train",)
    weights: dict[str, float] = Field(default_factory=dict)
    min_agreement: float = 0.0
    test: dict[str, str] = Field(default_factory=lambda: {"sample": "sample:test"})

    @model_validator(mode="after")
    def _is_a_mix(self) -> "DataConfig":
        LabelMix(self.weights, self.min_agreement)
        return self

    @property
    def mix(self) -> LabelMix:
        """How much labels of each origin count."""
        return LabelMix(self.weights, self.min_agreement)


class ValidationConfig(_Strict):
    """Cross-validation on the training pages; 0 folds for none."""

    folds: int = Field(default=5, ge=0, le=50)

    @field_validator("folds")
    @classmethod
    def _is_not_one(cls, folds: int) -> int:
        if folds == 1:
            raise ValueError("must be 0 or at least 2; got 1")
        return folds


class Config(_Strict):
    """A whole configuration; what a search may vary is no part of what a run is told by."""

    title: str = "newswinnow model"
    description: str = ""
    seed: int = Field(default=0, ge=0, lt=2**32)
    data: DataConfig = DataConfig()
    model: ModelSpec = ModelSpec()
    validation: ValidationConfig = ValidationConfig()
    search: SearchConfig | None = Field(default=None, exclude=True)


def parse_config(values: dict[str, Any], *, where: str) -> Config:
    """Checked configuration from TOML's values.

    Parameters
    ----------
    values
        What the file says.
    where
        The file, for messages.

    Returns
    -------
    The configuration.

    Raises
    ------
    ValueError
        If a key is unknown or a value breaks its rule.
    """
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise ValueError(f"{where}: {first_broken_rule(error)}") from error


def read_config(path: str | Path | None) -> Config:
    """Read a configuration file.

    Parameters
    ----------
    path
        The file; None for the packaged default.

    Returns
    -------
    The configuration.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not TOML, a key is unknown or a value breaks its rule.
    """
    if path is None:
        text, where = resources.files("newswinnow").joinpath("default.toml").read_text(encoding="utf-8"), "default.toml"
    else:
        path = Path(path)
        if not path.is_file():
            got = "a directory" if path.is_dir() else "nothing there"
            raise FileNotFoundError(f"{path}: must be an existing TOML file; got {got}")
        text, where = _read_utf8(path), str(path)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{where}: must be valid TOML; got {error}") from error
    return parse_config(values, where=where)


def _read_utf8(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: must be valid UTF-8; got byte 0x{error.object[error.start]:02x} at {error.start}") from error


def with_train(config: Config, corpora: Sequence[str | Path]) -> Config:
    """A configuration that trains on other files.

    Parameters
    ----------
    config
        The configuration.
    corpora
        Paths from the working directory; none to leave the configuration's.

    Returns
    -------
    A copy.
    """
    if not corpora:
        return config
    data = config.data.model_copy(update={"train": tuple(str(Path(path).absolute()) for path in corpora)})
    return config.model_copy(update={"data": data})


def with_folds(config: Config, folds: int | None) -> Config:
    """A configuration with another number of folds.

    Parameters
    ----------
    config
        The configuration.
    folds
        The number; None to leave it.

    Returns
    -------
    A copy.

    Raises
    ------
    ValueError
        If the number is out of range.
    """
    if folds is None:
        return config
    return parse_config({**config.model_dump(), "validation": {"folds": folds}}, where="--folds")


def corpus_paths(config: Config, *, relative_to: Path) -> tuple[list[Path], dict[str, Path]]:
    """Files behind the corpora a configuration names.

    Parameters
    ----------
    config
        The configuration.
    relative_to
        Its folder.

    Returns
    -------
    Training files, and test files by name.

    Raises
    ------
    FileNotFoundError
        If one does not exist.
    """
    train = [resolve_corpus(name, relative_to=relative_to) for name in config.data.train]
    test = {key: resolve_corpus(name, relative_to=relative_to) for key, name in config.data.test.items()}
    for path in [*train, *test.values()]:
        if not path.is_file():
            raise FileNotFoundError(f"{path}: must be an existing corpus file; got nothing there")
    return train, test
