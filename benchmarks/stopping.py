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
import sysconfig
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

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
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            state, _, _, session = (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(session) == leader and state != "Z":
            found.append(int(entry.name))
    return found


def begin(arguments: list[str]) -> "subprocess.Popen[bytes]":
    """Start the program in a session of its own.

    Parameters
    ----------
    arguments
        Of the command line.

    Returns
    -------
    The process.
    """
    program = Path(sysconfig.get_path("scripts")) / "newswinnow"
    return subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


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


def stop(
    arguments: list[str], result: Path, whole: dict[str, bytes], number: signal.Signals, after: float, into: Stopped
) -> None:
    """Start a command, send it a signal, and see.

    Parameters
    ----------
    arguments
        Of the command line.
    result
        What it makes.
    whole
        What that is when nothing disturbs it.
    number
        The signal.
    after
        When to send it, in seconds.
    into
        Takes what is found; nothing if the command was done before.
    """
    with begin(arguments) as process:
        time.sleep(after)
        if process.poll() is not None:
            return
        begun = time.perf_counter()
        process.send_signal(number)
        code = process.wait()
        into.seconds.append(time.perf_counter() - begun)
    into.n_left += len(in_session(process.pid))
    if code == 0:
        # The signal came when everything was done.
        return
    # A process that has no handler yet, or none any more, dies of the signal; a shell shows the same code.
    if code not in (SHELL_BASE + number, -number):
        into.codes.append(code)
    into.n_partial += contents(result) not in ({}, whole)


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
        If a command does not come to its end when it is left alone.
    """
    rng, found = random.Random(seed), []

    def place() -> Path:
        here = Path(tempfile.mkdtemp(dir=folder))
        (here / "config.toml").write_text(CONFIG, encoding="utf-8")
        return here

    for name, (arguments, result) in of.items():
        here = place()
        begun = time.perf_counter()
        with begin([word.replace("DIR", str(here)) for word in arguments]) as process:
            code = process.wait()
        length = time.perf_counter() - begun
        whole = contents(here / result)
        if code not in (0, 1) or not whole:
            raise RuntimeError(f"{name}: must end by itself with 0 or 1 and {result}; got {code}")
        for number in (signal.SIGINT, signal.SIGTERM):
            found.append(Stopped(name, number))
            while len(found[-1].seconds) < tries:
                here = place()
                own = [word.replace("DIR", str(here)) for word in arguments]
                stop(own, here / result, whole, number, rng.uniform(0.05, length), found[-1])
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
