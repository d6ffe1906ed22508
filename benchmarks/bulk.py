"""Bulk scoring end to end: rows or pages per second, processor time per row, and memory of all its processes together.

``python -m benchmarks.bulk --write`` puts its figures into docs/reliability.md. On a machine that does other
work, processor time is the number to read: two free cores do two seconds of it in one.
"""

import argparse
import gzip
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np
import orjson
from benchmarks.bulk_datatrove import to_documents
from benchmarks.classify.systems.base import Training
from benchmarks.classify.systems.fasttext import fasttext
from benchmarks.processes import NEWSWINNOW, PARENT, SYSTEM_TICKS, USER_TICKS, processes
from benchmarks.sections import write_section
from benchmarks.split_html import machine

from newswinnow.scoring.run import SMALL_BYTES, is_small

REPORT = Path(__file__).parents[1] / "docs" / "reliability.md"
WORDS = """the council voted on Monday to repair old bridge over harbour wall raised after storm Share Menu ferry crew praised
night rescue and of in Advertisement said would police minister report weather news city""".split()
TICK = os.sysconf("SC_CLK_TCK")
SAMPLE = Path(__file__).parents[1] / "data" / "sample" / "train.jsonl"
JSONL, FASTTEXT = "JSONL to JSONL", "fastText"
DASK = "JSONL to JSONL over Dask, the cluster's start included"
TROVES = {
    "newswinnow": "datatrove, newswinnow.datatrove.ParagraphFilter",
    "fasttext": "datatrove, its FastTextClassifierFilter by paragraph",
    "none": "datatrove, no filter",
}
MOST_OTHERS = 1_000_000
"""Rows of the file that Parquet and fastText are measured with."""


@dataclass(frozen=True)
class Measured:
    """One run: what, how many rows or pages, wall and processor seconds, most memory in MB, bytes read and bytes written."""

    name: str
    n: int
    seconds: float
    cpu_seconds: float
    megabytes: int
    n_read: int
    n_written: int


def write_rows(path: Path, n_rows: int) -> Path:
    """Invented pages of 5 to 90 paragraphs with long addresses as ids, as crawls have them."""
    rng = random.Random(1)
    page = position = left = 0
    with path.open("wb") as file:
        for _ in range(n_rows):
            if not left:
                page, position, left = page + 1, 0, rng.randint(5, 90)
            text = " ".join(rng.choices(WORDS, k=rng.choice([1, 2, 4, 5, 8, 12, 16, 25, 40]))).capitalize() + rng.choice(
                ["", ".", "?"]
            )
            site = f"example{page % 97}.org"
            row = {"page": f"https://{site}/2026/11/story-{page}.html", "position": position, "text": text, "site": site}
            file.write(orjson.dumps(row) + b"\n")
            position, left = position + 1, left - 1
    return path


def to_parquet(path: Path) -> Path:
    """The same rows as Parquet."""
    import pyarrow.json
    import pyarrow.parquet

    table = pyarrow.json.read_json(path)
    pyarrow.parquet.write_table(table, path.with_suffix(".parquet"), row_group_size=100_000)
    return path.with_suffix(".parquet")


def to_wet(path: Path) -> Path:
    """The same pages as a web archive of texts, each record compressed by itself, as crawls publish them."""
    wet = path.with_suffix(".wet.gz")
    with path.open("rb") as rows, wet.open("wb") as file:
        for page, lines in groupby(map(orjson.loads, rows), key=itemgetter("page")):
            text = "\n".join(row["text"] for row in lines).encode()
            head = f"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: {page}\r\nContent-Type: text/plain\r\n"
            file.write(gzip.compress(f"{head}Content-Length: {len(text)}\r\n\r\n".encode() + text + b"\r\n\r\n", 6))
    return wet


class Watcher(threading.Thread):
    """Reads processor time and memory of a process and all that descend from it or were started by it, until it ends."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.root = root
        self.known: set[int] = {root}
        self.seconds: dict[int, float] = {}
        self.most = 0
        self.ended = threading.Event()

    def run(self) -> None:
        """Look every tenth of a second."""
        while not self.ended.wait(0.1):
            self.look()

    def look(self) -> None:
        """Processor seconds by process, and the sum of their proportional memory."""
        for process, fields in processes():
            if int(fields[PARENT]) in self.known or process in self.known:
                self.known.add(process)
                self.seconds[process] = (int(fields[USER_TICKS]) + int(fields[SYSTEM_TICKS])) / TICK
        self.most = max(self.most, sum(map(_proportional_kb, self.known)) // 1024)


def _proportional_kb(process: int) -> int:
    """Memory of a process, pages that it shares counted in shares."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def measure(name: str, given: Path, output: Path, options: Sequence[str], n: int, *, verb: str = "predict") -> Measured:
    """Run the program once."""
    place = output.parent / "run"
    files = [given] if given.is_file() else [path for path in given.rglob("*") if path.is_file()]
    shutil.rmtree(place, ignore_errors=True)
    command = [NEWSWINNOW, verb, str(given), "--run", str(place), "-o", str(output), "--overwrite", *options]
    found = measure_command(f"{name}, one process" if is_small(files) else name, command, n)
    return replace(found, n_read=size_of(given), n_written=size_of(output))


def measure_command(name: str, command: Sequence[str], n: int) -> Measured:
    """Run a command once; what it reads and writes is left to the caller."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    watcher = Watcher(process.pid)
    watcher.start()
    _, said = process.communicate()
    seconds = time.perf_counter() - begun
    watcher.ended.set()
    watcher.join()
    if process.returncode:
        raise RuntimeError(said.decode())
    return Measured(name, n, seconds, sum(watcher.seconds.values()), watcher.most, 0, 0)


def fasttext_model(folder: Path) -> Path | None:
    """A folder with fastText's model, trained on the written sample; None where it is not installed."""
    system = fasttext()
    if system.missing:
        return None
    sample = [orjson.loads(line) for line in SAMPLE.read_bytes().splitlines()]
    rows = [row for row in sample if row["label"]]
    training = Training(*([row[name] for row in rows] for name in ("text", "label", "page", "site", "origin")))
    model = folder / "fasttext"
    model.mkdir()
    system.save(system.fit(system.prepare(training, model)), model)
    return model


def measure_script(name: str, module: str, arguments: Sequence[object], given: Path, output: Path, n: int) -> Measured:
    """Run another scorer of this folder once."""
    found = measure_command(name, [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)], n)
    return replace(found, n_read=size_of(given), n_written=size_of(output))


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    return sum(one.stat().st_size for one in ([path] if path.is_file() else path.rglob("*")) if one.is_file())


def measure_others(given: Path, folder: Path, workers: int, n: int) -> Iterator[Measured]:
    """The same rows over Dask, through fastText, and through datatrove pipelines; what is not installed is passed over."""
    output = folder / "others.jsonl"
    if find_spec("distributed"):
        yield measure_script(DASK, "bulk_dask", [given, output, "--run", folder / "dask", "--workers", workers], given, output, n)
    model = fasttext_model(folder)
    if model:
        yield measure_script(
            f"{FASTTEXT}, JSONL to JSONL", "bulk_fasttext", [model, given, output, "--workers", workers], given, output, n
        )
    if not find_spec("datatrove"):
        return
    documents = to_documents(given, folder / "documents", workers)
    for name, title in TROVES.items():
        if name != "fasttext" or model:
            kept = folder / f"kept-{name}"
            options = [name, documents, kept, "--workers", workers, *(["--model", model / "model.bin"] if model else [])]
            yield measure_script(title, "bulk_datatrove", options, documents, kept, n)


def table(measured: Sequence[Measured]) -> str:
    """The figures as Markdown."""
    lines = [
        "| | rows or pages | seconds | per second | processor µs each | memory, MB | bytes read each | bytes written each |",
        "| --- " * 8 + "|",
    ]
    lines += [
        f"| {m.name} | {m.n:,} | {m.seconds:.1f} | {m.n / m.seconds:,.0f} | {m.cpu_seconds / m.n * 1e6:.1f} | {m.megabytes} "
        f"| {m.n_read / m.n:,.0f} | {m.n_written / m.n:,.0f} |"
        for m in measured
    ]
    return "\n".join(lines)


def scaling(measured: Sequence[Measured]) -> str:
    """How time and memory grow with the rows of one format."""
    runs = [m for m in measured if m.name in (JSONL, f"{JSONL}, one process")]
    if len(runs) < 3:
        return ""
    n, seconds = np.array([m.n for m in runs], float), np.array([m.seconds for m in runs])
    # Relative residuals: the largest run would decide everything else.
    slope, start = np.polyfit(n, seconds, 1, w=1 / seconds)
    misses = np.abs(start + slope * n - seconds) / seconds
    most = [m.megabytes for m in runs[-2:]]
    return (
        f"Straight line through the JSONL runs: {start:.1f} s and {slope * 1e6:.1f} µs a row; the runs are off it by "
        f"{100 * misses.min():.0f} to {100 * misses.max():.0f} %. Memory at the two largest: {most[0]} and {most[1]} MB.\n"
    )


def against_fasttext(measured: Sequence[Measured]) -> str:
    """Rows per second against fastText's on the same file, and of one datatrove pipeline against the other."""
    rates = {m.name: (m.n / m.seconds, m.n) for m in measured}
    other, (ours, theirs) = f"{FASTTEXT}, JSONL to JSONL", (TROVES["newswinnow"], TROVES["fasttext"])
    same = [m for m in measured if m.name == JSONL and other in rates and m.n == rates[other][1]]
    lines = [
        f"JSONL to JSONL, {m.n:,} rows: {m.n / m.seconds / rates[name][0]:.2f} × the rows a second of {title}.\n"
        for m in same
        for name, title in ((other, "fastText's script"), (theirs, "datatrove with its fastText filter"))
        if name in rates
    ]
    if ours in rates and theirs in rates:
        ratio = rates[ours][0] / rates[theirs][0]
        lines.append(f"Within datatrove: {ratio:.2f} × the paragraphs a second of its fastText filter.\n")
    return "".join(lines)


def section(measured: Sequence[Measured], *, workers: int, load: float) -> str:
    """What stands in docs/reliability.md: the machine, what else it did, and the figures."""
    return (
        f"{machine()}; {workers} workers; inputs of less than {SMALL_BYTES >> 20} MB in one process. Load of the machine when "
        f"the first run began: {load:.1f}.\n\n{table(measured)}\n\n{scaling(measured)}{against_fasttext(measured)}"
    )


def measure_all(folder: Path, sizes: Sequence[int], html: Path, n_workers: int) -> Iterator[Measured]:
    """Every format, and the others beside JSON Lines."""
    workers = ["--workers", str(n_workers)]
    for n in sizes:
        yield measure(JSONL, write_rows(folder / "rows.jsonl", n), folder / "out.jsonl", workers, n)
    n = min(max(sizes), MOST_OTHERS)
    given = write_rows(folder / "rows.jsonl", n)
    yield from measure_others(given, folder, n_workers, n)
    yield measure("Parquet to Parquet", to_parquet(given), folder / "out.parquet", workers, n)
    wet, n_pages = to_wet(given), len({orjson.loads(line)["page"] for line in given.open("rb")})
    yield measure("WET to news text, pages", wet, folder / "out.txt.gz", workers, n_pages, verb="clean")
    yield measure("WET to Parquet, pages", wet, folder / "out.parquet", workers, n_pages)
    if html.is_dir():
        pages = unpacked(html, folder / "pages")
        yield measure("HTML to JSONL, pages", pages, folder / "out.jsonl", workers, sum(1 for _ in pages.iterdir()))


def unpacked(html: Path, folder: Path) -> Path:
    """The pages of a collection as plain files."""
    folder.mkdir()
    for i, path in enumerate(sorted(html.rglob("*.html*"))):
        data = path.read_bytes()
        (folder / f"{i}.html").write_bytes(gzip.decompress(data) if path.suffix == ".gz" else data)
    return folder


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000, 5_000_000], help="sizes of the JSONL input"
    )
    parser.add_argument(
        "--html", type=Path, default=Path("../shared/sources/wcxb"), help="folder of HTML pages; passed over if absent"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes that score (default 2)")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/reliability.md")
    options = parser.parse_args()
    load, measured = os.getloadavg()[0], []
    with tempfile.TemporaryDirectory() as name:
        for found in measure_all(Path(name), options.rows, options.html, options.workers):
            print(found, file=sys.stderr)
            measured.append(found)
    text = section(measured, workers=options.workers, load=load)
    print(text)
    if options.write:
        write_section(REPORT, text, program="benchmarks/bulk.py")


if __name__ == "__main__":
    main()
