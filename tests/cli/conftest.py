"""A saved rule model, small invented corpora, and a way to call the program in this process or in a new one."""

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from benchmarks.processes import NEWSWINNOW
from typer.testing import CliRunner, Result

from newswinnow.cli.main import app

NEWS = "The council voted on Monday to repair the old bridge over the Tarn."
LINK = "Harbour wall to be raised after storm"


@dataclass(frozen=True)
class SavedModel:
    """A model on disk with the digest a user would pass."""

    path: Path
    sha256: str

    @property
    def options(self) -> list[str]:
        """The options that name and trust it."""
        return ["--model", str(self.path), "--trust", self.sha256]


def corpus_rows(prefix: str, *, n_sites: int = 3, n_pages: int = 2) -> list[dict[str, Any]]:
    """Labelled rows that the three-line rule gets right, two sources, every page with all labels."""
    rows = []
    for s in range(n_sites):
        for p in range(n_pages):
            texts = [
                ("Share", "boilerplate"),
                (f"{NEWS} It is bridge {s} of {p}.", "news"),
                (f"{LINK} {s} {p}", "related-link"),
                ("Sign in", "boilerplate"),
            ]
            for position, (text, label) in enumerate(texts):
                site = f"{prefix}{s}.example"
                row = {"page": f"{site}/{p}", "position": position, "text": text, "label": label, "site": site}
                rows.append({**row, "source": "even" if s % 2 == 0 else "odd"})
    return rows


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def rows_of() -> Callable[..., list[dict[str, Any]]]:
    return corpus_rows


@pytest.fixture
def jsonl() -> Callable[[Path, Sequence[dict[str, Any]]], Path]:
    return write_rows


@pytest.fixture
def cli() -> Callable[..., Result]:
    """Call the program in this process."""

    def call(*arguments: object, stdin: str | bytes | None = None) -> Result:
        return CliRunner().invoke(app, list(map(str, arguments)), input=stdin)

    return call


@pytest.fixture
def program() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Call the installed program in a new process."""

    def call(*arguments: object, stdin: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        command = [NEWSWINNOW, *map(str, arguments)]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, cwd=cwd, timeout=60)

    return call


@pytest.fixture(scope="session")
def saved_model(tmp_path_factory: pytest.TempPathFactory) -> SavedModel:
    """The three-line rule: labels are known from the text alone."""
    import pandas as pd

    from newswinnow.models.registry import ModelSpec
    from newswinnow.models.saved import save_model
    from newswinnow.models.training import train

    predictor = train(pd.DataFrame(corpus_rows("m")), ModelSpec("three-line"))
    path = tmp_path_factory.mktemp("saved") / "rule"
    return SavedModel(path, save_model(predictor, path))


@pytest.fixture(scope="session")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `train.jsonl` and `test.jsonl`, which share no site."""
    folder = tmp_path_factory.mktemp("corpora")
    write_rows(folder / "train.jsonl", corpus_rows("train"))
    write_rows(folder / "test.jsonl", corpus_rows("test", n_sites=2))
    return folder


CONFIG = """
title = "Three lines"
[data]
train = ["{folder}/train.jsonl"]
test = {{ mine = "{folder}/test.jsonl" }}
[model]
family = "three-line"
[validation]
folds = {folds}
"""


@pytest.fixture
def config(tmp_path: Path, corpora: Path) -> Path:
    """A configuration that trains in a moment."""
    path = tmp_path / "config.toml"
    path.write_text(CONFIG.format(folder=corpora, folds=0), encoding="utf-8")
    return path


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A page of plain text: boilerplate, news, related link."""
    path = tmp_path / "page.txt"
    path.write_text(f"Share\n\n{NEWS}\n\n{LINK}\n", encoding="utf-8")
    return path
