"""The program as a whole: help, exit codes, streams, pipes and signals."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer.main
from benchmarks.processes import NEWSWINNOW
from typer.testing import Result

from newswinnow.cli.main import app

LISTENING = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); os.execv(sys.argv[1], sys.argv[1:])"
)
"""Starts a program that does not ignore SIGINT, as a shell's background jobs do and whatever they start."""

PROMISED = [
    ["predict"],
    ["clean"],
    ["train"],
    ["evaluate"],
    ["experiments", "run"],
    ["experiments", "list"],
    ["experiments", "compare"],
    ["corpus", "check"],
    ["corpus", "stats"],
    ["corpus", "convert"],
    ["corpus", "export"],
    ["corpus", "import"],
    ["corpus", "queue"],
    ["corpus", "fetch"],
    ["corpus", "build"],
    ["corpus", "release-labels"],
    ["model", "show"],
    ["model", "verify"],
    ["model", "export"],
]


def all_commands() -> list[list[str]]:
    """Every command of the program, groups resolved."""
    root: Any = typer.main.get_command(app)
    return [
        [name, *below]
        for name, command in root.commands.items()
        for below in ([[inner] for inner in getattr(command, "commands", {})] or [[]])
    ]


COMMANDS = all_commands()


def test_the_promised_commands_are_there() -> None:
    assert [command for command in PROMISED if command not in COMMANDS] == []


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_shows_usage_and_an_example_of_the_command(command: list[str], option: str, cli: Callable[..., Result]) -> None:
    result = cli(*command, option)
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    assert text.startswith(f"Usage: newswinnow {' '.join(command)} ")
    example = text.partition(f"Example: newswinnow {' '.join(command)} ")[2]
    assert example
    for word in example.split():
        assert not word.startswith("-") or f"{word} " in text.partition("Options:")[2].partition("Example:")[0].replace(",", " ,")
    assert "Parameters" not in text


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_option_is_explained(command: list[str], cli: Callable[..., Result]) -> None:
    text = cli(*command, "--help").stdout
    options = text[text.index("Options:") :].split("\n\n")[0].split("\n")[1:]
    named = [line for line in options if re.match(r"  (-|\s+--)", line)]
    assert named
    for at, line in enumerate(options):
        if line in named:
            explained = re.split(r"\s{2,}", line.strip())[1:] or options[at + 1].strip().split()
            assert explained, line


def test_version(cli: Callable[..., Result]) -> None:
    result = cli("--version")
    assert (result.exit_code, result.stdout) == (0, f"newswinnow {version('newswinnow')}\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["predcit"], "predcit"),
        (["predict"], "inputs"),
        (["predict", "--nope", "x"], "--nope"),
        (["evaluate", "m"], "CORPUS"),
        (["model", "export"], "--output"),
        (["train", "--folds", "many"], "--folds"),
    ],
)
def test_wrong_usage_exits_2_and_names_what_is_wrong(arguments: list[str], said: str, cli: Callable[..., Result]) -> None:
    result = cli(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_result_on_stdout_all_else_on_stderr(program: Callable[..., Any], saved_model: Any, page: Path) -> None:
    done = program("predict", page.name, *saved_model.options, "--format", "csv", cwd=page.parent)
    assert done.returncode == 0
    header, *rows = done.stdout.splitlines()
    assert header.startswith("page,position,text,")
    assert [row.split(",")[:2] for row in rows] == [["page", "0"], ["page", "1"], ["page", "2"]]
    assert done.stderr == "3 paragraphs: 1 news, 1 boilerplate, 1 related-link\n"


def test_a_user_error_is_one_line_without_a_traceback(program: Callable[..., Any]) -> None:
    done = program("corpus", "stats", "absent.jsonl")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "absent.jsonl: must be an existing file; got nothing there\n"


def test_head_may_close_the_pipe(tmp_path: Path, saved_model: Any) -> None:
    page = tmp_path / "long.txt"
    page.write_text("\n\n".join(f"Paragraph number {i} of a long page" for i in range(20_000)), encoding="utf-8")
    command = [NEWSWINNOW, "predict", str(page), *saved_model.options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert b'"position":0' in process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read().decode()
        assert process.wait(timeout=60) == 0
    assert "Traceback" not in said
    assert "BrokenPipe" not in said


def test_a_reader_that_reads_nothing_is_no_crash(corpora: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [NEWSWINNOW, "corpus", "stats", str(corpora / "train.jsonl")],
            stdout=writer,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
    ids=["ctrl-c", "sigterm"],
)
def test_a_signal_ends_training_and_leaves_no_model(number: int, code: int, said: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-c", LISTENING, NEWSWINNOW, "train", "-o", str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "reading the corpora" in process.stderr.readline()
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == code
    assert stdout == ""
    assert stderr.splitlines()[-1] == said
    assert "Traceback" not in stderr
    assert not (out / "model").exists()
    assert not (out / "metrics.json").exists()
