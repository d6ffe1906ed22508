"""Bulk scoring end to end: rows or pages per second, processor time per row, and memory of all its processes together.

``python benchmarks/bulk.py --write`` puts its figures into docs/reliability.md. On a machine that does other
work, processor time is the number to read: two free cores do two seconds of it in one.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

REPORT = Path(__file__).parents[1] / "docs" / "reliability.md"
BEGIN, END = "<!-- written by benchmarks/bulk.py --write -->", "<!-- end of what benchmarks/bulk.py wrote -->"
PROGRAM = str(Path(sys.executable).parent / "newswinnow")
WORDS = """the council voted on Monday to repair old bridge over harbour wall raised after storm Share Menu ferry crew praised
night rescue and of in Advertisement said would police minister report weather news city""".split()
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Measured:
    """One run of the program: what, how many rows, wall and processor seconds, most memory of the process tree in MB."""

    name: str
    n: int
    seconds: float
    cpu_seconds: float
    megabytes: int


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
        for path in Path("/proc").glob("[0-9]*"):
            fields = _fields(path)
            if fields and (int(fields[1]) in self.known or int(path.name) in self.known):
                self.known.add(int(path.name))
                self.seconds[int(path.name)] = (int(fields[11]) + int(fields[12])) / TICK
        self.most = max(self.most, sum(map(_proportional_kb, self.known)) // 1024)


def _fields(path: Path) -> list[str]:
    try:
        return (path / "stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return []


def _proportional_kb(process: int) -> int:
    """Memory of a process, pages that it shares counted in shares."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def measure(name: str, given: Path, folder: Path, options: Sequence[str], n: int) -> Measured:
    """Run the program once."""
    place = folder / "run"
    shutil.rmtree(place, ignore_errors=True)
    begun = time.perf_counter()
    process = subprocess.Popen([PROGRAM, "predict", str(given), "--run", str(place), *options], stderr=subprocess.PIPE)
    watcher = Watcher(process.pid)
    watcher.start()
    _, said = process.communicate()
    seconds = time.perf_counter() - begun
    watcher.ended.set()
    watcher.join()
    if process.returncode:
        raise RuntimeError(said.decode())
    return Measured(name, n, seconds, sum(watcher.seconds.values()), watcher.most)


def table(measured: Sequence[Measured]) -> str:
    """The figures as Markdown."""
    lines = [
        "| | rows or pages | seconds | per second | processor µs each | memory, MB |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {m.name} | {m.n:,} | {m.seconds:.1f} | {m.n / m.seconds:,.0f} | {m.cpu_seconds / m.n * 1e6:.1f} | {m.megabytes} |"
        for m in measured
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], help="sizes of the JSONL input")
    parser.add_argument(
        "--html", type=Path, default=Path("../shared/sources/wcxb"), help="folder of HTML pages; passed over if absent"
    )
    parser.add_argument("--workers", default="2")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/reliability.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, measured = Path(name), []
        workers = ["--workers", options.workers]
        for n in options.rows:
            given = write_rows(folder / "rows.jsonl", n)
            measured.append(measure("JSONL to JSONL", given, folder, workers, n))
            print(measured[-1], file=sys.stderr)
        parquet = to_parquet(given)
        measured.append(measure("Parquet to Parquet", parquet, folder, [*workers, "--format", "parquet"], n))
        print(measured[-1], file=sys.stderr)
        if options.html.is_dir():
            n_pages = sum(1 for path in options.html.rglob("*") if path.name.removesuffix(".gz").endswith(".html"))
            measured.append(measure("HTML to JSONL", options.html, folder, workers, n_pages))
    text = table(measured)
    print(text)
    if options.write:
        page = REPORT.read_text(encoding="utf-8")
        before, rest = page.split(BEGIN)
        REPORT.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
