"""What ``newswinnow experiments peers`` measures: HTML collections, labelled tables of their pages, paragraphs to train on.

Measuring is left to :mod:`newswinnow.experiments.peers`.
"""

import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from newswinnow.corpus.config_errors import first_broken_rule
from newswinnow.experiments.config import CONFIG_NAME

SHARED: Final = "../shared"
"""Where the collections lie beside a checkout of the project."""


class PeersConfig(BaseModel):
    """The configuration, ``config.toml`` of a results directory.

    Attributes
    ----------
    title, description
        Head of the report.
    seed
        Seed of intervals and of fastText.
    sources
        Collection to folder of HTML; ``wcxb`` and ``fundus`` are read in their own layouts, others as folders of HTML files.
    tests
        Name to labelled paragraph table, its page ids ``COLLECTION/...``.
    train
        Labelled tables for fastText; none to leave it out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = "Extractors and fastText beside newswinnow"
    description: str = ""
    seed: int = Field(default=0, ge=0, lt=2**31)
    sources: dict[str, str]
    tests: dict[str, str]
    train: tuple[str, ...] = ()


def default_config() -> PeersConfig:
    """What is measured if nothing is named: the dev pages beside a checkout.

    Returns
    -------
    Paths relative to the working directory.
    """
    return PeersConfig(
        sources={name: f"{SHARED}/sources/{name}" for name in ("fundus", "wcxb")},
        tests={name: f"{SHARED}/gold/{name}.jsonl" for name in ("dev_news", "dev_mixed")},
        train=(f"{SHARED}/gold/train.jsonl",),
    )


def read_peers_config(folder: Path) -> tuple[PeersConfig, Path]:
    """The configuration in a results directory, or the default one.

    Parameters
    ----------
    folder
        The directory.

    Returns
    -------
    The configuration, and the folder that its paths start from.

    Raises
    ------
    ValueError
        If there is a configuration and it is malformed.
    """
    path = folder / CONFIG_NAME
    if not path.is_file():
        return default_config(), Path()
    try:
        return PeersConfig.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))), folder
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: must be valid TOML; got {error}") from error
    except ValidationError as error:
        raise ValueError(f"{path}: {first_broken_rule(error)}") from error


def parse_sources(named: Iterable[str]) -> dict[str, str]:
    """Collections as the command line names them.

    Parameters
    ----------
    named
        ``NAME=FOLDER`` each.

    Returns
    -------
    Name to folder, made absolute.

    Raises
    ------
    ValueError
        If one is of another form.

    Examples
    --------
    >>> parse_sources(["mine=/data/pages"])
    {'mine': '/data/pages'}
    """
    found = {}
    for value in named:
        name, equals, folder = value.partition("=")
        if not name or not equals or not folder:
            raise ValueError(f"--html: must be NAME=FOLDER; got {value!r}")
        found[name] = str(Path(folder).absolute())
    return found


def with_options(config: PeersConfig, *, html: Sequence[str], corpora: Sequence[Path], train: Sequence[Path]) -> PeersConfig:
    """A configuration in which the command line replaces what it names.

    Parameters
    ----------
    config
        The configuration.
    html
        Collections as :func:`parse_sources` takes them.
    corpora
        Labelled tables.
    train
        Tables for fastText.

    Returns
    -------
    A copy.
    """
    update: dict[str, object] = {}
    if html:
        update["sources"] = parse_sources(html)
    if corpora:
        update["tests"] = {path.name.removesuffix(".gz").rsplit(".", 1)[0]: str(path.absolute()) for path in corpora}
    if train or corpora:
        update["train"] = tuple(str(path.absolute()) for path in train)
    return config.model_copy(update=update)
