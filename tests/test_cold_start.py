"""What each way in may load: nobody waits for libraries that the work does not need. Times are no matter of a test."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TABLES = {"pandas", "pyarrow"}
TRAINING = {"sklearn", "joblib", "newswinnow.models.winnow", "newswinnow.models.registry", "newswinnow.models.training"}
REPORTS = {"jinja2", "matplotlib", "newswinnow.evaluation", "newswinnow.reports", "newswinnow.experiments"}
WEB = {"lxml", "selectolax", "tldextract", "pooch", "rensa", "http.client", "urllib.request"}
TERMINAL = {"typer", "click", "rich", "pydantic"}
COMPILER = {"numba", "llvmlite", "scipy"}
KERNEL = COMPILER | {"safetensors", "newswinnow.features"}
NUMBERS = {"numpy", "scipy"}
NEVER = TABLES | TRAINING | REPORTS | WEB | {"rich", "click"}

PROGRAM = "import sys; sys.argv[0] = 'newswinnow'; from newswinnow.cli.main import run; run()"
LOADED = "import atexit, sys; atexit.register(lambda: print('\\n' + ' '.join(sys.modules), file=sys.stderr));"


def modules_after(code: str, *arguments: str, cwd: Path | None = None) -> set[str]:
    """Modules that a new process holds when it ends."""
    command = [sys.executable, "-c", f"{LOADED} {code}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=cwd)
    return set(done.stderr.splitlines()[-1].split(" "))


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A page of plain text."""
    path = tmp_path / "page.txt"
    path.write_text("Share\n\nThe council of Tarn voted on Monday to repair the bridge.\n", encoding="utf-8")
    return path


def test_import_loads_nothing_else() -> None:
    loaded = modules_after("import newswinnow")
    assert loaded.isdisjoint(NEVER | TERMINAL | KERNEL | NUMBERS | {"importlib.metadata", "email", "zipfile"})
    assert {name for name in loaded if name.startswith("newswinnow")} == {"newswinnow"}


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["predict", "--help"], ["corpus", "--help"], ["model", "export", "--help"], ["--version"]],
    ids=" ".join,
)
def test_help_loads_no_numbers_and_no_work(arguments: list[str]) -> None:
    loaded = modules_after(PROGRAM, *arguments)
    assert loaded.isdisjoint(NEVER | KERNEL | NUMBERS | {"orjson"})
    assert {name for name in loaded if name.startswith("newswinnow.")} <= {
        name for name in loaded if name.startswith("newswinnow.cli")
    }


def test_the_shipped_model_reads_a_few_texts_without_the_compiler() -> None:
    loaded = modules_after("from newswinnow import load_model; load_model().predict(['Share'])")
    assert "newswinnow.features" in loaded
    assert loaded.isdisjoint(NEVER | TERMINAL | COMPILER | {"orjson", "newswinnow.corpus", "newswinnow.scoring"})


@pytest.mark.parametrize("options", [[], ["--format", "table"], ["-o", "out.csv"]], ids=" ".join)
def test_a_page_of_text_is_labelled_without_tables_training_and_html(page: Path, options: list[str]) -> None:
    loaded = modules_after(PROGRAM, "predict", page.name, *options, cwd=page.parent)
    assert "newswinnow.features" in loaded
    assert loaded.isdisjoint(NEVER | COMPILER)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.html", "<p>Share</p><p>The council of Tarn voted on Monday.</p>"),
        ("page.jsonl", json.dumps({"page": "p", "position": 0, "text": "Share"}) + "\n"),
        ("page.csv", "page,position,text\np,0,Share\n"),
    ],
)
@pytest.mark.parametrize("command", ["predict", "clean"])
def test_other_inputs_need_their_parser_at_most(tmp_path: Path, command: str, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    loaded = modules_after(PROGRAM, command, name, cwd=tmp_path)
    assert loaded.isdisjoint(NEVER - {"selectolax"})
    assert ("selectolax" in loaded) == name.endswith(".html")


@pytest.mark.parametrize("command", ["predict", "clean"])
def test_no_thread_waits_for_matrices(page: Path, command: str) -> None:
    count = "import atexit, os, sys; atexit.register(lambda: print(len(os.listdir('/proc/self/task')), file=sys.stderr));"
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    arguments = [sys.executable, "-c", f"{count} {PROGRAM}", command, str(page)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, env=environment)
    assert done.stderr.splitlines()[-1] == "1"


def test_a_manifest_is_shown_without_the_kernel() -> None:
    loaded = modules_after(PROGRAM, "model", "show")
    assert loaded.isdisjoint(NEVER | KERNEL)
