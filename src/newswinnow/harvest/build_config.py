"""What a corpus is to be built from: TOML in, checked values out, every default in one place.

Carrying it out is left to :mod:`newswinnow.harvest.build`.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from newswinnow.corpus.config_errors import first_broken_rule
from newswinnow.corpus.rejects import fail
from newswinnow.corpus.tables import TABLE_FORMATS, format_of
from newswinnow.harvest.sources import READERS

SOURCE_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceConfig(_Strict):
    """One collection.

    Attributes
    ----------
    name
        First part of its page ids; the reader's name if left out.
    reader
        How it is read: ``wcxb``, ``fundus`` or ``folder``.
    path
        Its directory, from the configuration's folder; None for the copy that ``corpus fetch`` made.
    include, exclude
        Patterns on page ids, as in a shell; a page is taken that matches one of the first and none of the second.
    keep_unlabelled
        Whether pages without any label are kept, for somebody to label.
    """

    name: Annotated[str, Field(pattern=SOURCE_NAME)]
    reader: str
    path: str | None = None
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    keep_unlabelled: bool = False

    @model_validator(mode="before")
    @classmethod
    def _name_after_reader(cls, values: Any) -> Any:
        return {"name": values["reader"], **values} if isinstance(values, dict) and "reader" in values else values

    @field_validator("reader")
    @classmethod
    def _known_reader(cls, reader: str) -> str:
        if reader not in READERS:
            raise ValueError(f"must be one of {', '.join(READERS)}; got {reader!r}")
        return reader


class LabelsConfig(_Strict):
    """One label release.

    Attributes
    ----------
    file
        The release, from the configuration's folder.
    hold_out
        Whether all pages of the sites it labels are left out: what it labels is then for testing models trained on the corpus.
    """

    file: str
    hold_out: bool = False


class BuildConfig(_Strict):
    """A whole configuration: where the corpus goes, the collections, and the label releases, later ones before earlier ones."""

    output: str
    source: tuple[SourceConfig, ...] = Field(min_length=1)
    labels: tuple[LabelsConfig, ...] = ()

    @field_validator("output")
    @classmethod
    def _known_format(cls, output: str) -> str:
        if format_of(output) not in TABLE_FORMATS:
            raise ValueError(f"must end in one of {', '.join('.' + name for name in TABLE_FORMATS)}; got {output!r}")
        return output

    @model_validator(mode="after")
    def _different_names(self) -> "BuildConfig":
        names = [source.name for source in self.source]
        if len(set(names)) < len(names):
            raise ValueError(f"must have different names; got {', '.join(names)}")
        return self


def read_build_config(path: Path) -> BuildConfig:
    """Read a configuration.

    Parameters
    ----------
    path
        The TOML file.

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
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: must be an existing TOML file; got {'a directory' if path.is_dir() else 'nothing there'}"
        )
    try:
        return BuildConfig.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise fail(str(path), f"must be valid UTF-8 TOML; got {error}") from error
    except ValidationError as error:
        raise fail(str(path), first_broken_rule(error, root="source")) from error
