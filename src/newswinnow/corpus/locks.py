"""A directory held for one writer by the kernel, which lets go when the process ends, however it ends.

What is written into it is left to the caller. Local file systems only: over NFS a lock may hold nothing.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

LOCK: Final = ".lock"


class BusyError(RuntimeError):
    """A directory that another process is writing to."""


class ResumeError(ValueError):
    """A directory that holds another run than the one asked for."""


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold a directory for one writer.

    Parameters
    ----------
    directory
        The directory.

    Yields
    ------
    Nothing.

    Raises
    ------
    BusyError
        If another process holds it.
    """
    with (directory / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BusyError(f"{directory}: must be free; got another process writing to it") from error
        yield
