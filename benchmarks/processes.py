"""Where the program is, and what the kernel says of all processes; Linux.

What is made of it is left to the benchmarks.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

NEWSWINNOW: Final = str(Path(sys.executable).parent / "newswinnow")

STATE: Final = 0
PARENT: Final = 1
SESSION: Final = 3
USER_TICKS: Final = 11
SYSTEM_TICKS: Final = 12
"""Places in what :func:`processes` gives of each."""


def processes() -> Iterator[tuple[int, list[str]]]:
    """All processes that are there.

    Yields
    ------
    Number, and the fields of ``/proc/NUMBER/stat`` that follow the name (proc(5)).
    """
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # A name may hold spaces, brackets and bytes of any encoding.
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if fields:
            yield int(path.parent.name), fields
