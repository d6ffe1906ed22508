"""Kill bulk scoring at every place and at random times, let every disk call fail, and see whether its output is ever another.

``python -m benchmarks.reliability --kills 200 --write`` takes some minutes and puts its figures into docs/reliability.md. A naive
implementation, which appends to its output and notes finished chunks in a second file, goes through the same kills.
"""

import argparse
import errno
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
from benchmarks.sections import write_section

from newswinnow.corpus.locks import BusyError
from newswinnow.models.predictor import Predictor
from newswinnow.scoring import durable
from newswinnow.scoring.chunks import Chunk
from newswinnow.scoring.cut import cut_inputs
from newswinnow.scoring.model_source import ModelSource
from newswinnow.scoring.parts import Parts
from newswinnow.scoring.plan import RunPlan
from newswinnow.scoring.run import run
from newswinnow.scoring.run_directory import DONE, PARTS
from newswinnow.scoring.score import score_chunk
from newswinnow.scoring.sources import digest_inputs

REPORT = Path(__file__).parents[1] / "docs" / "reliability.md"
CALLS = ("open", "write", "fsync", "replace")
WORDS = "the council voted on Monday to repair old bridge harbour wall raised after storm Share Menu ferry crew praised".split()

_LOADED: dict[ModelSource, Predictor] = {}


@dataclass(frozen=True)
class LoadedSource(ModelSource):
    """A model that is loaded once and then shared with all forked processes."""

    def load(self) -> Predictor:
        """Load the model, the first time."""
        if self not in _LOADED:
            _LOADED[self] = super().load()
        return _LOADED[self]


@dataclass
class Outcome:
    """What a loop found."""

    name: str
    tries: int = 0
    finished: int = 0
    wrong: int = 0
    broken: list[str] = field(default_factory=list)


def write_pages(path: Path, *, n_rows: int, seed: int = 0) -> Path:
    """Invented pages; now and then a record that must be refused, an empty text or one to be collapsed."""
    rng, lines = random.Random(seed), []
    for i in range(n_rows):
        row = {"page": f"p{i // 9}", "position": i % 9, "text": " ".join(rng.choices(WORDS, k=rng.randint(1, 30)))}
        if i % 101 == 50:
            row["position"] = -1
        if i % 97 == 30:
            row["text"] = "  "
        if i % 89 == 20:
            row["text"] = f" {row['text']}\u2028"
        lines.append(orjson.dumps(row) + b"\n")
    path.write_bytes(b"".join(lines))
    return path


class Disk:
    """The calls of ``os`` that change the disk, counted; something happens at the n-th.

    Parameters
    ----------
    at
        Which call; 0 for none.
    then
        What happens: it gets the call's name and a function that makes the call with arguments of its own.
    """

    def __init__(self, at: int = 0, then: Callable[[str, Callable[..., Any], tuple[Any, ...]], Any] | None = None) -> None:
        self.n_calls = 0
        self._at = at
        self._then = then

    @contextmanager
    def watched(self) -> Iterator["Disk"]:
        """Count the calls of the bulk scorer, and let it happen."""
        proxy = SimpleNamespace(**{name: getattr(os, name) for name in dir(os)})
        for name in CALLS:
            setattr(proxy, name, self._counted(name, getattr(os, name)))
        before = vars(durable)["os"]
        vars(durable)["os"] = proxy
        try:
            yield self
        finally:
            vars(durable)["os"] = before

    def _counted(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self.n_calls += 1
            if self.n_calls == self._at and self._then is not None:
                return self._then(name, real, arguments)
            return real(*arguments)

        return call


def half_a_write(name: str, real: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Where something is written, write half of it: that is what a full disk and a crash leave."""
    if name == "write":
        fd, data = arguments
        real(fd, bytes(data)[: len(data) // 2])


def disk_full(name: str, real: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Fail as a full disk does."""
    half_a_write(name, real, arguments)
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def die(name: str, real: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Die in the middle of the call."""
    half_a_write(name, real, arguments)
    os.kill(os.getpid(), signal.SIGKILL)


def violations(plan: RunPlan, expected: bytes) -> list[str]:
    """What must never be seen, whatever happened before."""
    found = []
    if plan.target.exists() and plan.target.read_bytes() != expected:
        found.append("the output is visible and not what it must be")
    if (plan.directory / DONE).exists() and not plan.target.exists():
        found.append("the run is marked as done without an output")
    folder = plan.directory / PARTS
    if folder.is_dir():
        parts = Parts(folder)
        for path in folder.glob("*.part"):
            footer = parts.footer(int(path.stem))
            if footer is None or sum(map(len, parts.payload(footer))) != footer.payload_bytes:
                found.append(f"{path.name} has its final name and is damaged")
    return found


def in_child(work: Callable[[], object], *, kill_after: float | None = None) -> int:
    """Do something in a forked process; its exit status, negative for the signal that ended it."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            os._exit(1)
        os._exit(0)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def reference(plan: RunPlan, folder: Path) -> bytes:
    """The output of a run that nothing happens to."""
    undisturbed = replace(plan, directory=folder / "reference", workers=1)
    run(undisturbed)
    return undisturbed.target.read_bytes()


def kill_at_every_call(plan: RunPlan, folder: Path) -> Outcome:
    """Die once at every call that changes the disk, then go on undisturbed."""
    expected, outcome = reference(plan, folder), Outcome("killed in the n-th disk call, n = 1, 2, ...")
    for n in range(1, 100_000):
        here = replace(plan, directory=folder / f"call{n}")

        def work(here: RunPlan = here, n: int = n) -> None:
            with Disk(n, die).watched():
                run(here)

        if in_child(work) == 0:
            break
        outcome.tries += 1
        outcome.broken += violations(here, expected)
        _finish(here, expected, outcome)
    return outcome


def fail_at_every_call(plan: RunPlan, folder: Path) -> Outcome:
    """Let every call that changes the disk fail once, as on a full disk, then go on undisturbed."""
    expected, outcome = reference(plan, folder), Outcome("disk full in the n-th disk call, n = 1, 2, ...")
    for n in range(1, 100_000):
        here = replace(plan, directory=folder / f"fail{n}")
        try:
            with Disk(n, disk_full).watched():
                run(here)
            break
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        outcome.tries += 1
        outcome.broken += violations(here, expected)
        _finish(here, expected, outcome)
    return outcome


def _finish(plan: RunPlan, expected: bytes, outcome: Outcome) -> None:
    if in_child(lambda: run(plan)) == 0:
        outcome.finished += 1
    outcome.wrong += not plan.target.exists() or plan.target.read_bytes() != expected


def kill_at_random(plan: RunPlan, folder: Path, *, kills: int, seed: int = 0) -> Outcome:
    """Kill at random times, again and again until a run is through; then begin another, until there were enough kills."""
    workers = f"{plan.workers} {'threads' if plan.use_threads else 'worker'}"
    expected, outcome = reference(plan, folder), Outcome(f"killed at a random time, {workers}")
    rng = random.Random(seed)
    begun = time.perf_counter()
    in_child(lambda: run(replace(plan, directory=folder / "timed")))
    seconds = time.perf_counter() - begun
    while outcome.tries < kills:
        here = replace(plan, directory=folder / f"random{outcome.finished}")
        while not (here.directory / DONE).exists():
            here.directory.mkdir(exist_ok=True)
            status = in_child(lambda here=here: run(here), kill_after=rng.uniform(0, seconds))  # type: ignore[misc]
            outcome.tries += status < 0
            if status > 0:
                outcome.broken.append(f"a resumed run ended with {status}")
            outcome.broken += violations(here, expected)
            if outcome.tries >= kills:
                break
        _finish(here, expected, outcome)
    return outcome


def naive(plan: RunPlan, output: Path) -> None:
    """What one writes at first: append rows, note finished chunks in a file, after a crash go on behind the last one noted."""
    from newswinnow.harvest.inputs import expand_inputs

    model, noted = plan.model.load(), output.with_suffix(".done")
    n_done = int(noted.read_text() or 0) if noted.exists() else 0
    files = digest_inputs(expand_inputs(plan.inputs), stdin=output, progress=lambda done, total: None)
    with output.open("ab") as file:
        for chunk in cut_inputs(files, chunk_bytes=plan.chunk_bytes):
            if isinstance(chunk, Chunk) and chunk.number >= n_done:
                for line in score_chunk(model, chunk, plan.task()).payload.splitlines(keepends=True):
                    file.write(line)
                noted.write_text(str(chunk.number + 1))


def kill_naive(plan: RunPlan, folder: Path, *, kills: int, seed: int = 0) -> Outcome:
    """The random kills, on the naive implementation."""
    expected, outcome = reference(plan, folder), Outcome("the naive control, killed at a random time")
    rng = random.Random(seed)
    begun = time.perf_counter()
    in_child(lambda: naive(plan, folder / "timed.jsonl"))
    seconds = time.perf_counter() - begun
    while outcome.tries < kills:
        output, status = folder / f"naive{outcome.finished}.jsonl", -1
        while status < 0:
            in_time = rng.uniform(0, seconds) if outcome.tries < kills else None
            status = in_child(lambda output=output: naive(plan, output), kill_after=in_time)  # type: ignore[misc]
            outcome.tries += status < 0
        outcome.finished += 1
        outcome.wrong += output.read_bytes() != expected
    return outcome


def concurrent_writers(plan: RunPlan, folder: Path, *, n: int = 4) -> list[int]:
    """Exit codes of processes that begin the same run at the same time; the winner waits until the others have given up."""

    def work(mine: Path) -> None:
        def wait(step: str, done: int, total: int, rows: int) -> None:
            deadline = time.monotonic() + 60
            while len(list(folder.glob("busy*"))) < n - 1 and time.monotonic() < deadline:
                time.sleep(0.01)

        try:
            run(replace(plan, directory=folder / "shared"), progress=wait)
        except BusyError:
            mine.touch()
            os._exit(3)

    children = []
    for i in range(n):
        child = os.fork()
        if child == 0:
            work(folder / f"busy{i}")
            os._exit(0)
        children.append(child)
    return sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)


def table(outcomes: list[Outcome], codes: list[int]) -> str:
    """The figures as Markdown."""
    lines = [
        "| loop | kills or failures | runs finished after them | with other bytes | broken promises |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [f"| {o.name} | {o.tries} | {o.finished} | {o.wrong} | {len(o.broken)} |" for o in outcomes]
    return "\n".join(
        [*lines, "", f"Exit codes of {len(codes)} processes that begin the same run at once: {', '.join(map(str, codes))}."]
    )


def main() -> int:
    """Run all loops."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="random kills of each implementation")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/reliability.md")
    options = parser.parse_args()
    # In memory where that can be had: a killed process loses nothing that a file system keeps, and syncing a disk takes long.
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        folder = Path(name)
        source = LoadedSource()
        source.load()
        small = RunPlan((str(write_pages(folder / "small.jsonl", n_rows=400)),), folder, source, workers=1, chunk_bytes=8000)
        large = RunPlan((str(write_pages(folder / "large.jsonl", n_rows=4000)),), folder, source, workers=1, chunk_bytes=20_000)
        threads = replace(large, workers=2, use_threads=True)
        outcomes = []
        for loop, plan, options_of in (
            (kill_at_every_call, small, {}),
            (fail_at_every_call, small, {}),
            (kill_at_random, large, {"kills": options.kills}),
            (kill_at_random, threads, {"kills": options.kills // 4, "seed": 1}),
            (kill_naive, large, {"kills": options.kills}),
        ):
            place = Path(tempfile.mkdtemp(dir=folder))
            outcomes.append(loop(plan, place, **options_of))
            print(outcomes[-1].name, outcomes[-1], file=sys.stderr)
        codes = concurrent_writers(small, Path(tempfile.mkdtemp(dir=folder)))
    text = table(outcomes, codes)
    print(text)
    if options.write:
        write_section(REPORT, text, program="benchmarks/reliability.py")
    *ours, control = outcomes
    return int(any(o.wrong or o.broken for o in ours) or not control.wrong or codes != [0, 3, 3, 3])


if __name__ == "__main__":
    sys.exit(main())
