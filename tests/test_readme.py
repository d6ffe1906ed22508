"""Every command and every Python block of the README runs as printed."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAM = Path(sys.executable).with_name("newswinnow")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


def commands() -> Iterator[str]:
    for block in blocks("bash"):
        yield from (line for line in block.splitlines() if line.strip())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readme")
    (folder / "data").symlink_to(ROOT / "data")
    return folder


def test_commands_and_python_run_in_the_order_of_the_page(folder: Path) -> None:
    found = list(commands())
    assert len(found) >= 9
    for command in found:
        words = shlex.split(command, comments=True)
        assert words[0] == "newswinnow"
        done = subprocess.run([PROGRAM, *words[1:]], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
    outputs = [
        subprocess.run([sys.executable, "-c", block], cwd=folder, capture_output=True, text=True, check=False)
        for block in blocks("python")
    ]
    assert [done.returncode for done in outputs] == [0, 0], [done.stderr for done in outputs]
    assert "Advertisement" in outputs[0].stdout
    assert "needs explicit trust; got none" in outputs[1].stdout


def test_the_output_shown_is_the_output_of_the_command(folder: Path) -> None:
    shown = [line for line in blocks("console")[0].splitlines()[1:] if line != "..."]
    done = subprocess.run(
        [PROGRAM, *"predict data/pages/shuffled.txt --format table".split()],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "100", "PATH": "/usr/bin:/bin"},
    )
    found = done.stdout.splitlines()
    assert len(shown) == 9
    for line, actual in zip(shown, found, strict=False):
        assert line.split("  ")[0] == actual.split("  ")[0]  # the label; probabilities may move with the libraries
        assert line.split("%", 1)[1] == actual.split("%", 1)[1]


def test_make_targets_named_in_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^\$ make (\w+)", README, re.M):
        assert re.search(rf"^{target}:", makefile, re.M)
