"""Files that are there whole or not at all, also after a power cut: written beside their name, synced, renamed, folder synced.

Every call that writes to the disk goes through this module, so that a test can make the n-th of them fail; what is written is
left to the callers.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_BLOCK: Final = 1 << 20


@dataclass(frozen=True)
class Written:
    """What a finished file holds: its length in bytes and its sha256."""

    n_bytes: int
    sha256: str

    def as_dict(self) -> dict[str, int | str]:
        """Plain values for a manifest."""
        return {"bytes": self.n_bytes, "sha256": self.sha256}


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Put the file's name into errors that know a number only."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


class DurableFile:
    """An open file that counts what is written to it.

    Parameters
    ----------
    path
        A new file, or an old one to begin anew.
    also
        Given everything that is written.
    """

    def __init__(self, path: Path, *, also: Callable[[memoryview], object] | None = None) -> None:
        self._path = path
        self._also = also
        with _named(path):
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        self._n_bytes = 0
        self.closed = False

    def write(self, data: bytes) -> int:
        """Write all of the data.

        Parameters
        ----------
        data
            Bytes, or a buffer of them.

        Returns
        -------
        How many there were.
        """
        view = memoryview(data).cast("B") if not isinstance(data, bytes) else memoryview(data)
        if self._also is not None:
            self._also(view)
        self._n_bytes += len(view)
        at = 0
        with _named(self._path):
            while at < len(view):
                at += os.write(self._fd, view[at:])
        return len(view)

    def flush(self) -> None:
        """Do nothing: no byte waits here."""

    def tell(self) -> int:
        """Bytes written so far."""
        return self._n_bytes

    def writable(self) -> bool:
        """Whether bytes are taken: always."""
        return True

    def seekable(self) -> bool:
        """Whether one can go back: never."""
        return False

    def sync(self) -> None:
        """Bring everything to the disk."""
        with _named(self._path):
            os.fsync(self._fd)

    def close(self) -> None:
        """Let go of the file; once is enough."""
        if not self.closed:
            self.closed = True
            os.close(self._fd)


@contextmanager
def open_temporary(path: Path, *, also: Callable[[memoryview], object] | None = None) -> Iterator[DurableFile]:
    """A file under a temporary name; it is closed at the end, and removed if something went wrong.

    Parameters
    ----------
    path
        The temporary name.
    also
        Given everything that is written, such as a digest's ``update``.

    Yields
    ------
    The file.
    """
    file = DurableFile(path, also=also)
    try:
        yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        file.close()


def sync_folder(folder: Path) -> None:
    """Bring a folder's names to the disk: without it a renamed file may be gone after a power cut.

    Parameters
    ----------
    folder
        The folder.
    """
    with _named(folder):
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def rename(temporary: Path, path: Path) -> None:
    """Give a synced file its name, for good.

    Parameters
    ----------
    temporary
        The file.
    path
        Its name, in the same folder; an older file of that name is replaced.
    """
    with _named(path):
        os.replace(temporary, path)  # noqa: PTH105 - tests count the calls of os
    sync_folder(path.parent)


def write_whole(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file that appears whole or not at all.

    Parameters
    ----------
    path
        Its name.
    pieces
        Its content.
    """
    temporary = path.with_name(f"{path.name}.tmp.{os.getpid()}")
    with open_temporary(temporary) as file:
        for piece in pieces:
            file.write(piece)
        file.sync()
    rename(temporary, path)


def sha256_of(path: Path) -> str:
    """Digest of a file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Its sha256 in hexadecimal.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(_BLOCK):
            digest.update(data)
    return digest.hexdigest()
