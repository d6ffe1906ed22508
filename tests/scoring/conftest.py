"""The harness of benchmarks/reliability.py, a model loaded once, and small invented inputs."""

from pathlib import Path
from types import ModuleType

import pytest

from benchmarks import reliability
from newswinnow.scoring.model_source import ModelSource


@pytest.fixture(scope="session")
def harness() -> ModuleType:
    """The script as a module."""
    return reliability


@pytest.fixture(scope="session")
def source(harness: ModuleType) -> ModelSource:
    """The model that ships, loaded before any process is forked."""
    model: ModelSource = harness.LoadedSource()
    model.load()
    return model


@pytest.fixture(scope="session")
def pages(harness: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """JSON Lines of 400 rows, some of them to be refused, empty or to be collapsed."""
    path: Path = harness.write_pages(tmp_path_factory.mktemp("pages") / "pages.jsonl", n_rows=400)
    return path
