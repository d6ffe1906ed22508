"""fastText as a bulk scorer: JSONL in, JSONL with a label in every row out, on several processes.

``python -m benchmarks.bulk_fasttext MODEL INPUT OUTPUT --workers N``; MODEL is a folder as
:mod:`benchmarks.classify.systems.fasttext` saves them. It does the least that such a script can do: nothing is counted, checked
or resumed.
"""

import argparse
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import BinaryIO, Final

import orjson
from benchmarks.classify.systems.base import Batch
from benchmarks.classify.systems.fasttext import fasttext

CHUNK: Final = 4 << 20
"""Bytes of lines that are parsed, labelled and written at a time."""


def stretches(path: Path, n: int) -> list[tuple[int, int]]:
    """A file cut into so many stretches of whole lines.

    Parameters
    ----------
    path
        A file of lines.
    n
        How many.

    Returns
    -------
    First byte and one past the last of each; some may be empty.
    """
    size = path.stat().st_size
    ends = [0]
    with path.open("rb") as file:
        for i in range(1, n):
            file.seek(max(i * size // n, ends[-1]))
            file.readline()
            ends.append(file.tell())
    return list(zip(ends, [*ends[1:], size], strict=True))


def _chunks(file: BinaryIO, end: int) -> Iterator[list[bytes]]:
    lines: list[bytes] = []
    at = begin = file.tell()
    while at < end:
        lines.append(file.readline())
        at += len(lines[-1])
        if at - begin >= CHUNK or at >= end:
            yield lines
            lines, begin = [], at


def label(folder: Path, given: Path, bounds: tuple[int, int], output: Path) -> int:
    """Label the rows of a stretch.

    Parameters
    ----------
    folder
        The model.
    given
        JSON Lines with ``text``.
    bounds
        First byte of the stretch and one past its last.
    output
        Where its rows go, with ``predicted``.

    Returns
    -------
    How many rows there were.
    """
    classify, n = fasttext().load(folder), 0
    with given.open("rb") as source, output.open("wb") as target:
        source.seek(bounds[0])
        for lines in _chunks(source, bounds[1]):
            rows = [orjson.loads(line) for line in lines]
            found = classify(Batch([row["text"] for row in rows], [(0, len(rows))]))
            target.writelines(
                orjson.dumps({**row, "predicted": one}, option=orjson.OPT_APPEND_NEWLINE)
                for row, one in zip(rows, found, strict=True)
            )
            n += len(rows)
    return n


def main() -> None:
    """Label a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("model", "input", "output"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    bounds = stretches(options.input, options.workers)
    parts = [options.output.with_suffix(f".{i}") for i in range(len(bounds))]
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(label, options.model, options.input, *of) for of in zip(bounds, parts, strict=True)]
        print(sum(job.result() for job in jobs))
    with options.output.open("wb") as target:
        for part in parts:
            with part.open("rb") as source:
                shutil.copyfileobj(source, target)
            part.unlink()


if __name__ == "__main__":
    main()
