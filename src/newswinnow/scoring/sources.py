"""The inputs of a run: which files, in which order, and by which digest they are known again.

Cutting them is left to :mod:`newswinnow.scoring.cut`.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from newswinnow.corpus.streams import STDIN
from newswinnow.harvest.inputs import Input
from newswinnow.scoring.durable import sha256_of


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One input file.

    Attributes
    ----------
    path
        Where it is read.
    source
        What messages call it.
    file_format
        Its format.
    page
        Page id, where the file is one page.
    n_bytes
        Its size.
    modified_ns
        When it was last modified.
    sha256
        Its digest.
    begin_bytes
        Bytes of all inputs before it.
    """

    path: Path
    source: str
    file_format: str
    page: str
    n_bytes: int
    modified_ns: int
    sha256: str
    begin_bytes: int = 0

    def identity(self) -> dict[str, str | int]:
        """What must be the same when a run goes on."""
        return {
            "source": os.fsencode(self.source).decode("utf-8", "backslashreplace"),
            "format": self.file_format,
            "page": os.fsencode(self.page).decode("utf-8", "backslashreplace"),
            "bytes": self.n_bytes,
            "sha256": self.sha256,
        }


def digest_inputs(inputs: Sequence[Input], *, stdin: Path, progress: Callable[[int, int], None]) -> list[SourceFile]:
    """Inputs with their sizes and digests.

    Parameters
    ----------
    inputs
        The files, in order.
    stdin
        The file in which standard input is kept.
    progress
        Called with the bytes digested and the bytes in all.

    Returns
    -------
    As many files, in the same order.

    Raises
    ------
    ValueError
        If a file is named twice.
    OSError
        If a file cannot be read.
    """
    paths = [stdin if item.path == STDIN else Path(item.path) for item in inputs]
    seen: set[str] = set()
    for path in paths:
        name = os.path.realpath(path)
        if name in seen:
            raise ValueError(f"{path}: an input must be named once; got it again")
        seen.add(name)
    begins = [0, *accumulate(path.stat().st_size for path in paths)]
    files = []
    for item, path, begin in zip(inputs, paths, begins, strict=False):
        progress(begin, begins[-1])
        files.append(_digested(item, path, begin))
    progress(begins[-1], begins[-1])
    return files


def _digested(item: Input, path: Path, begin: int) -> SourceFile:
    status = path.stat()
    source = "stdin" if item.path == STDIN else item.path
    return SourceFile(
        path, source, item.file_format, item.page, status.st_size, status.st_mtime_ns, sha256_of(path), begin_bytes=begin
    )


def check_unchanged(files: Sequence[SourceFile]) -> None:
    """Refuse to publish what was read from files that changed meanwhile.

    Parameters
    ----------
    files
        The inputs as they were when the run began.

    Raises
    ------
    ValueError
        If one has another size, or was modified and has another digest.
    """
    for file in files:
        status = file.path.stat()
        is_same = (status.st_size, status.st_mtime_ns) == (file.n_bytes, file.modified_ns)
        if not is_same and (status.st_size != file.n_bytes or sha256_of(file.path) != file.sha256):
            raise ValueError(f"{file.source}: must not change while it is read; got other content than at the beginning")
