"""What runs in a system's own process: train it once, serve it for rounds of timing, or start it cold.

One command per line on standard input, one JSON answer per line on standard output; the parent's side is
:mod:`benchmarks.classify.processes`. Nothing heavy is imported here, because every cold start pays for it.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, TextIO

from benchmarks.classify.systems import system_named
from benchmarks.classify.systems.base import Batch, Training

IDLE: Final = "idle"
"""Key of no system: a process that does everything but classify, to see what Python and the texts cost by themselves."""

COLD_TEXT: Final = "The ferry to the northern islands will sail again on Monday, the harbour master said."


def peak_bytes() -> int:
    """Most memory this process ever held.

    Returns
    -------
    Bytes. Linux's ``VmHWM`` where there is one: ``ru_maxrss`` of a process also counts what its parent held when it forked.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def read_batch(path: Path) -> Batch:
    """Paragraphs from JSON Lines with ``page`` and ``text``.

    Parameters
    ----------
    path
        The file; rows of a page stand together.

    Returns
    -------
    The paragraphs.
    """
    texts, bounds, last = [], [], None
    with path.open(encoding="utf-8") as file:
        for i, line in enumerate(file):
            row = json.loads(line)
            if row["page"] != last:
                bounds.append(i)
                last = row["page"]
            texts.append(row["text"])
    return Batch(texts, list(pairwise([*bounds, len(texts)])))


def read_training(path: Path) -> Training:
    """Paragraphs from JSON Lines with ``text``, ``label``, ``page``, ``site`` and ``origin``.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    The paragraphs.
    """
    with path.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return Training(*([row[name] for row in rows] for name in ("text", "label", "page", "site", "origin")))


def train(key: str, corpus: Path, folder: Path, scratch: Path) -> dict[str, Any]:
    """Train a system and save its model.

    Parameters
    ----------
    key
        The system.
    corpus
        What to learn from, as :func:`read_training` reads it.
    folder
        Where the model goes.
    scratch
        An empty folder.

    Returns
    -------
    ``seconds`` of fitting alone, ``peak`` and ``size`` in bytes; the peak is taken before the model is saved.
    """
    system = system_named(key)
    prepared = system.prepare(read_training(corpus), scratch)
    begin = time.perf_counter()
    fitted = system.fit(prepared)
    seconds = time.perf_counter() - begin
    peak = peak_bytes()
    system.save(fitted, folder)
    return {"seconds": seconds, "peak": peak, "size": system.size_bytes(folder)}


def time_passes(run: Callable[[], object], *, at_least: float) -> list[float]:
    """Run again and again until enough time has passed.

    Parameters
    ----------
    run
        One pass.
    at_least
        Seconds; one pass is made in any case.

    Returns
    -------
    Seconds of each pass.
    """
    taken: list[float] = []
    while not taken or sum(taken) < at_least:
        begin = time.perf_counter()
        run()
        taken.append(time.perf_counter() - begin)
    return taken


def serve(key: str, folder: Path, batch_file: Path, lines: TextIO, answers: TextIO) -> None:
    """Load a system and answer commands until there are no more.

    ``{"do": "time", "seconds": S}`` times passes over the batch, ``{"do": "labels", "file": F}`` labels another batch, and
    ``{"do": "peak"}`` tells the most memory held so far.

    Parameters
    ----------
    key
        The system, or :data:`IDLE`.
    folder
        Its model.
    batch_file
        What is timed.
    lines
        Commands.
    answers
        Where one answer per command goes, after one that says that loading and a first pass are done.
    """
    batch = read_batch(batch_file)
    system = None if key == IDLE else system_named(key)
    classify = system.load(folder) if system else lambda batch: batch.texts
    # The first pass compiles, fills caches and grows buffers; nobody's second batch pays for that.
    n_labels = len(classify(batch))
    _say(answers, {"n_labels": n_labels, "size": system.size_bytes(folder) if system else 0})
    for line in lines:
        command = json.loads(line)
        if command["do"] == "time":
            _say(answers, {"seconds": time_passes(lambda: classify(batch), at_least=command["seconds"])})
        elif command["do"] == "labels":
            _say(answers, {"labels": list(map(str, classify(read_batch(Path(command["file"])))))})
        else:
            _say(answers, {"peak": peak_bytes()})


def cold(key: str, folder: Path) -> dict[str, Any]:
    """The first label of a new process.

    Parameters
    ----------
    key
        The system, or :data:`IDLE`.
    folder
        Its model.

    Returns
    -------
    ``label`` of one paragraph.
    """
    if key == IDLE:
        return {"label": ""}
    return {"label": str(system_named(key).load(folder)(Batch([COLD_TEXT], [(0, 1)]))[0])}


def _say(answers: TextIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def main(arguments: Sequence[str]) -> None:
    """Run a mode: ``cores mode key folder [corpus scratch | batch]``.

    Parameters
    ----------
    arguments
        Cores separated by commas, empty for any; then the mode and what it takes.
    """
    cores, mode, key, *paths = arguments
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core) for core in cores.split(",")})
    folder, *others = map(Path, paths)
    # Libraries print to standard output as they please; the answers get a descriptor of their own.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        if mode == "train":
            _say(answers, train(key, others[0], folder, others[1]))
        elif mode == "serve":
            serve(key, folder, others[0], sys.stdin, answers)
        else:
            _say(answers, cold(key, folder))


if __name__ == "__main__":
    main(sys.argv[1:])
