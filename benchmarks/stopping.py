"""How long commands go on after Ctrl-C or SIGTERM at a random time, how they end, and what they leave behind.

``python -m benchmarks.stopping --write`` takes some minutes and puts its figures into docs/reliability.md.
"""

import argparse
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.processes import NEWSWINNOW, SESSION, STATE, processes
from benchmarks.reliability import REPORT, write_pages
from benchmarks.sections import write_section

PROGRAM: Final = "benchmarks/stopping.py"
ALLOWED_SECONDS: Final = 5.0
SHELL_BASE: Final = 128
CONFIG: Final = """
title = "stopped"
[data]
train = ["sample:train"]
[model]
family = "winnow"
[validation]
folds = 5
"""


@dataclass
class Stopped:
    """What became of one command.

    Attributes
    ----------
    name
        The command.
    number
        The signal.
    seconds
        From the signal to the end of the process, one for each try that the signal reached.
    codes
        Exit codes other than the documented one.
    n_left
        Processes that were still there when the command had ended.
    n_partial
        Results that stood under their final name with other contents than those of a command left alone.
    """

    name: str
    number: signal.Signals
    seconds: list[float] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    n_left: int = 0
    n_partial: int = 0

    def is_as_promised(self) -> bool:
        """Whether every try ended in time, with the documented code, and left nothing."""
        return bool(self.seconds) and max(self.seconds) <= ALLOWED_SECONDS and not (self.codes or self.n_left or self.n_partial)


def in_session(leader: int) -> list[int]:
    """Processes of a session, zombies aside; Linux.

    Parameters
    ----------
    leader
        Its number.

    Returns
    -------
    Process ids.
    """
    return [process for process, fields in processes() if int(fields[SESSION]) == leader and fields[STATE] != "Z"]


@dataclass(frozen=True)
class Undisturbed:
    """What a command does when it is left alone.

    Attributes
    ----------
    arguments
        Of the command line, DIR in them for a folder of each try's own.
    result
        What it makes in there.
    code
        Its exit code.
    seconds
        How long it takes.
    made
        Contents of what it makes.
    """

    arguments: list[str]
    result: str
    code: int
    seconds: float
    made: dict[str, bytes]


def begin(arguments: list[str], here: Path) -> "subprocess.Popen[bytes]":
    """Start the program in a session of its own.

    Parameters
    ----------
    arguments
        Of the command line, DIR in them for ``here``.
    here
        The try's folder.

    Returns
    -------
    The process.
    """
    (here / "config.toml").write_text(CONFIG, encoding="utf-8")
    command = [NEWSWINNOW, *(word.replace("DIR", str(here)) for word in arguments)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def contents(result: Path) -> dict[str, bytes]:
    """What stands under a name; manifests by their names only, because they tell how long the fit took.

    Parameters
    ----------
    result
        A file, a directory or nothing.

    Returns
    -------
    The bytes of its files by their names.
    """
    files = sorted(path for path in [result, *result.rglob("*")] if path.is_file())
    return {str(path.relative_to(result)): b"" if path.name == "manifest.json" else path.read_bytes() for path in files}


def leave_alone(arguments: list[str], result: str, here: Path) -> Undisturbed:
    """Let a command come to its end.

    Parameters
    ----------
    arguments
        Of the command line, DIR in them for ``here``.
    result
        What it makes in there.
    here
        An empty folder.

    Returns
    -------
    What it does.

    Raises
    ------
    RuntimeError
        If it fails or makes nothing.
    """
    begun = time.perf_counter()
    with begin(arguments, here) as process:
        code = process.wait()
    found = Undisturbed(arguments, result, code, time.perf_counter() - begun, contents(here / result))
    if code not in (0, 1) or not found.made:
        raise RuntimeError(f"{' '.join(arguments)}: must end by itself with 0 or 1 and {result}; got {code}")
    return found


def stop(alone: Undisturbed, here: Path, after: float, into: Stopped) -> None:
    """Start a command, send it a signal, and see.

    Parameters
    ----------
    alone
        What it does when it is left alone.
    here
        An empty folder.
    after
        When to send the signal, in seconds.
    into
        Takes what is found; nothing if the command was done before.
    """
    with begin(alone.arguments, here) as process:
        time.sleep(after)
        if process.poll() is not None:
            return
        begun = time.perf_counter()
        process.send_signal(into.number)
        code = process.wait()
        into.seconds.append(time.perf_counter() - begun)
    into.n_left += len(in_session(process.pid))
    made = contents(here / alone.result)
    into.n_partial += made not in ({}, alone.made)
    # The signal may come when everything is done. A process that has no handler yet, or none any more, dies of it; a shell
    # shows the same code.
    if code not in (SHELL_BASE + into.number, -into.number) and (code, made) != (alone.code, alone.made):
        into.codes.append(code)


def commands(folder: Path, *, n_rows: int = 150_000) -> dict[str, tuple[list[str], str]]:
    """What is stopped: the arguments, DIR in them for a folder of each try's own, and what it makes in there.

    Parameters
    ----------
    folder
        Where inputs are put.
    n_rows
        Of the largest of them.

    Returns
    -------
    By name.
    """
    pages = write_pages(folder / "pages.jsonl", n_rows=n_rows)
    few = write_pages(folder / "few.jsonl", n_rows=max(1, n_rows // 8))
    run = ["predict", str(pages), "--run", "DIR/run", "--workers", "2", "--chunk-bytes", "200000"]
    return {
        "`predict --run`, 2 workers": (run, "run/predictions.jsonl"),
        "`predict -o`": (["predict", str(few), "-o", "DIR/found.jsonl"], "found.jsonl"),
        "`train`": (["train", "DIR/config.toml", "-o", "DIR/model"], "model"),
        "`experiments run --jobs 2`": (["experiments", "run", "DIR", "--jobs", "2"], "metrics.json"),
    }


def try_all(folder: Path, of: dict[str, tuple[list[str], str]], *, tries: int, seed: int = 0) -> list[Stopped]:
    """Every command with either signal, at times drawn between its beginning and its end.

    Parameters
    ----------
    folder
        Where each try gets a folder of its own.
    of
        The commands, as `commands` gives them.
    tries
        Of each command with each signal.
    seed
        Seed of the times.

    Returns
    -------
    What became of each.

    Raises
    ------
    RuntimeError
        If a command fails when it is left alone.
    """
    # A shell's background jobs ignore Ctrl-C and hand that on; a handler is not handed on.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    rng, found = random.Random(seed), []
    for name, (arguments, result) in of.items():
        alone = leave_alone(arguments, result, Path(tempfile.mkdtemp(dir=folder)))
        for number in (signal.SIGINT, signal.SIGTERM):
            found.append(Stopped(name, number))
            while len(found[-1].seconds) < tries:
                stop(alone, Path(tempfile.mkdtemp(dir=folder)), rng.uniform(0.05, alone.seconds), found[-1])
            print(found[-1], file=sys.stderr)
    return found


def table(found: list[Stopped]) -> str:
    """The figures as Markdown.

    Parameters
    ----------
    found
        Of every command.

    Returns
    -------
    The table.
    """
    lines = [
        "| command | signal | tries | seconds to the end, median | longest | other codes | processes left | results half done |",
        "| --- " * 8 + "|",
    ]
    lines += [
        f"| {s.name} | {s.number.name} | {len(s.seconds)} | {statistics.median(s.seconds):.2f} | {max(s.seconds):.2f} "
        f"| {len(s.codes)} | {s.n_left} | {s.n_partial} |"
        for s in found
    ]
    return "\n".join(lines)


def main() -> int:
    """Stop everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=20, help="of each command with each signal")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/reliability.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = try_all(Path(name), commands(Path(name)), tries=options.tries)
    print(table(found))
    if options.write:
        write_section(REPORT, table(found), program=PROGRAM)
    return int(not all(stopped.is_as_promised() for stopped in found))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
