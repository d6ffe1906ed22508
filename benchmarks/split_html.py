"""How long our split of HTML pages takes, side by side with extractors from elsewhere, in one process and on the same pages.

What the paragraphs are worth is measured by the experiments; this script only takes times.
"""

import argparse
import gzip
import importlib.util
import logging
import os
import platform
import re
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.sections import write_section

HERE: Final = Path(__file__).resolve().parent
README: Final = HERE / "README.md"
DEFAULT_FOLDERS: Final = tuple(HERE.parents[1] / "shared" / "sources" / name for name in ("wcxb", "fundus"))
PROGRAM: Final = "benchmarks/split_html.py"


@dataclass(frozen=True)
class Contender:
    """One way from the bytes of a page to its text.

    Attributes
    ----------
    name, call
        As shown in the table.
    distribution, module
        Where it comes from: for the version, and to see whether it is installed.
    load
        Imports it and gives the function to be timed.
    """

    name: str
    call: str
    distribution: str
    module: str
    load: Callable[[], Callable[[bytes], object]]

    @property
    def is_installed(self) -> bool:
        """Whether its module can be imported."""
        return importlib.util.find_spec(self.module) is not None


@dataclass(frozen=True)
class Times:
    """Seconds per page, the median of all rounds each, shape (n_pages,), and how often the contender raised."""

    seconds: Sequence[float]
    n_failed: int

    @property
    def total(self) -> float:
        """Seconds for all pages."""
        return sum(self.seconds)


def _ours() -> Callable[[bytes], object]:
    from newswinnow.harvest.html import split_html

    return split_html


def _trafilatura() -> Callable[[bytes], object]:
    import trafilatura

    return lambda data: trafilatura.extract(data)


def _resiliparse() -> Callable[[bytes], object]:
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.encoding import bytes_to_str, detect_encoding

    return lambda data: extract_plain_text(bytes_to_str(data, detect_encoding(data) or "utf-8"), main_content=True)


def _justext() -> Callable[[bytes], object]:
    import justext

    stoplist = justext.get_stoplist("English")
    return lambda data: justext.justext(data, stoplist)


def _readability() -> Callable[[bytes], object]:
    from readability import Document

    from newswinnow.harvest.encoding import utf8_page

    # It guesses the encoding of bytes with chardet, which would take most of its time.
    return lambda data: Document(utf8_page(data).decode()).summary()


CONTENDERS: Final = (
    Contender("newswinnow", "split_html", "newswinnow", "newswinnow", _ours),
    Contender("resiliparse", "extract_plain_text, main content", "resiliparse", "resiliparse", _resiliparse),
    Contender("trafilatura", "extract", "trafilatura", "trafilatura", _trafilatura),
    Contender("jusText", "justext, English", "justext", "justext", _justext),
    Contender("readability-lxml", "Document.summary", "readability-lxml", "readability", _readability),
)


def read_pages(folders: Iterable[Path]) -> list[bytes]:
    """All pages below the folders.

    Parameters
    ----------
    folders
        Directories with ``.html`` and ``.html.gz`` files at any depth.

    Returns
    -------
    The pages' bytes in order of their paths.

    Raises
    ------
    ValueError
        If a folder has no page.
    """
    pages = []
    for folder in folders:
        found = sorted([*folder.rglob("*.html"), *folder.rglob("*.html.gz")])
        if not found:
            raise ValueError(f"{folder}: must hold .html or .html.gz files; got none")
        pages += [gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in found]
    return pages


def _seconds(run: Callable[[bytes], object], page: bytes) -> tuple[float, bool]:
    begin = time.perf_counter()
    try:
        run(page)
    except Exception:
        return time.perf_counter() - begin, False
    return time.perf_counter() - begin, True


def measure(pages: Sequence[bytes], contenders: Sequence[Contender], *, n_rounds: int) -> dict[str, Times]:
    """Time every contender on every page.

    Parameters
    ----------
    pages
        The pages.
    contenders
        All installed. They take turns on each page, so that a busy machine slows all of them alike.
    n_rounds
        Times that all of it is done.

    Returns
    -------
    Times by name.
    """
    runs = {contender.name: contender.load() for contender in contenders}
    taken: dict[str, list[list[float]]] = {name: [[] for _ in pages] for name in runs}
    n_failed = dict.fromkeys(runs, 0)
    for _ in range(n_rounds):
        for i, page in enumerate(pages):
            for name, run in runs.items():
                seconds, is_done = _seconds(run, page)
                taken[name][i].append(seconds)
                n_failed[name] += not is_done
    return {name: Times([median(rounds) for rounds in taken[name]], n_failed[name] // n_rounds) for name in runs}


def machine() -> str:
    """Processor, number of cores, memory, system and Python in one line."""
    model = _first_match(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo"))
    kibibytes = _first_match(r"MemTotal:\s*(\d+)", Path("/proc/meminfo"))
    memory = f"{int(kibibytes) / 2**20:.0f} GiB memory, " if kibibytes else ""
    processor = f"{model or platform.machine()}, {os.cpu_count()} cores"
    return f"{processor}, {memory}{platform.system()}, Python {platform.python_version()}"


def _first_match(pattern: str, path: Path) -> str:
    found = re.search(pattern, path.read_text(encoding="utf-8")) if path.is_file() else None
    return found.group(1) if found else ""


def table(times: dict[str, Times], contenders: Sequence[Contender], *, n_bytes: int) -> str:
    """Times as a Markdown table, ours first.

    Parameters
    ----------
    times
        By name, as measured.
    contenders
        What each of them is.
    n_bytes
        Size of all pages together.

    Returns
    -------
    One row per contender; the last column is its total time over ours.
    """
    ours = times[contenders[0].name].total
    rows = ["| | call | version | ms per page, median | mean | MB/s | time over ours | pages failed |"]
    rows.append("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for contender in contenders:
        found = times[contender.name]
        milliseconds = [1000 * seconds for seconds in found.seconds]
        rows.append(
            f"| {contender.name} | {contender.call} | {version(contender.distribution)} | {median(milliseconds):.2f} "
            f"| {sum(milliseconds) / len(milliseconds):.2f} | {n_bytes / 1e6 / found.total:.1f} | {found.total / ours:.1f} "
            f"| {found.n_failed} |"
        )
    return "\n".join(rows)


def report(pages: Sequence[bytes], contenders: Sequence[Contender], *, n_rounds: int) -> str:
    """Measure and tell.

    Parameters
    ----------
    pages
        The pages.
    contenders
        As listed; those not installed are named and left out.
    n_rounds
        As in :func:`measure`.

    Returns
    -------
    Markdown: the pages and the machine in one paragraph, then the table.
    """
    present = [contender for contender in contenders if contender.is_installed]
    n_bytes = sum(map(len, pages))
    text = (
        f"{len(pages)} pages, {n_bytes / 1e6:.0f} MB, median {median(map(len, pages)) / 1e3:.0f} kB; one thread; per page the "
        f"median of {n_rounds} rounds.\n{machine()}; newswinnow parses with selectolax {version('selectolax')}.\n\n"
        + table(measure(pages, present, n_rounds=n_rounds), present, n_bytes=n_bytes)
    )
    absent = [contender.name for contender in contenders if contender not in present]
    return text + (f"\n\nNot installed: {', '.join(absent)}." if absent else "")


def main(arguments: Sequence[str]) -> int:
    """Run from the command line.

    Parameters
    ----------
    arguments
        Without the program's name.

    Returns
    -------
    Exit code: 0, or 2 for an input error.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folders", nargs="*", type=Path, metavar="DIR", help="folders of .html and .html.gz files")
    parser.add_argument("--rounds", type=int, default=3, help="how often every page is measured (default 3)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take only every Nth page")
    parser.add_argument("--write", action="store_true", help="put the result into benchmarks/README.md")
    chosen = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)
    try:
        pages = read_pages(chosen.folders or DEFAULT_FOLDERS)[:: chosen.every]
        section = report(pages, CONTENDERS, n_rounds=chosen.rounds)
        if chosen.write:
            write_section(README, section, program=PROGRAM)
    except (OSError, ValueError) as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 2
    print(section)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
