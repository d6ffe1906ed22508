"""What `import newswinnow` gives and what it costs."""

import json
import subprocess
import sys

import pytest

import newswinnow

HEAVY = ["typer", "click", "rich", "sklearn", "pandas", "numpy", "scipy", "matplotlib", "jinja2", "pydantic", "joblib", "lxml"]
PUBLIC = ["Label", "read_paragraphs", "train", "load_model", "evaluate", "compare", "clean"]


def modules_after(code: str) -> set[str]:
    """Top-level modules that a new process holds after running the code."""
    program = f"{code}\nimport json, sys\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_import_is_light() -> None:
    assert modules_after("import newswinnow").isdisjoint(HEAVY)


def test_import_of_the_command_line_loads_no_numeric_library() -> None:
    loaded = modules_after("import newswinnow.cli.main")
    assert "typer" in loaded
    assert loaded.isdisjoint(["sklearn", "pandas", "numpy", "scipy", "matplotlib", "jinja2", "pydantic", "joblib", "lxml"])


def test_using_a_public_function_does_not_load_the_command_line() -> None:
    loaded = modules_after("import newswinnow\nnewswinnow.train, newswinnow.load_model, newswinnow.clean, newswinnow.evaluate")
    assert "sklearn" in loaded
    assert loaded.isdisjoint(["typer", "matplotlib"])


@pytest.mark.parametrize("name", sorted(newswinnow.__all__))
def test_every_public_name_is_importable_and_documented(name: str) -> None:
    found = getattr(newswinnow, name)
    assert found.__name__ == name
    assert found.__module__.startswith("newswinnow.")
    assert found.__doc__


def test_the_promised_names_are_public() -> None:
    assert set(PUBLIC) <= set(newswinnow.__all__)
    assert set(newswinnow.__all__) <= set(dir(newswinnow))


def test_unknown_attribute_raises() -> None:
    with pytest.raises(AttributeError, match="module 'newswinnow' has no attribute 'predcit'"):
        _ = newswinnow.predcit


def test_version_is_that_of_the_distribution() -> None:
    from importlib.metadata import version

    assert newswinnow.__version__ == version("newswinnow")
