"""The harness of benchmarks/reliability.py, a model loaded once, and small invented inputs."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from newswinnow.scoring.model_source import ModelSource

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "reliability.py"


@pytest.fixture(scope="session")
def harness() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("benchmark_reliability", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


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
