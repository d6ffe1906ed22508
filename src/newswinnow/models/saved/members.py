"""Files of a saved model in: regular files only, capped in size, each read once.

What the bytes mean is left to the manifest and the families.
"""

import hashlib
import os
import stat
from pathlib import Path
from typing import Final

from newswinnow.models.saved.errors import ModelLoadError

# A link set in place of the file after it was looked at is not followed, and a pipe does not make the opening wait.
_OPENING: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def sha256_of(data: bytes) -> str:
    """Digest of bytes.

    Parameters
    ----------
    data
        The bytes.

    Returns
    -------
    64 hexadecimal digits in lower case.
    """
    return hashlib.sha256(data).hexdigest()


def read_member(path: Path, *, limit: int) -> bytes:
    """The bytes of a regular file, read once: what is digested is what is used.

    Parameters
    ----------
    path
        The file.
    limit
        Bytes it may have at most; a larger one is not read.

    Returns
    -------
    The bytes.

    Raises
    ------
    ModelLoadError
        If it is missing, a link or a device, or too large.
    """
    try:
        _check_regular(path, path.lstat())
        with os.fdopen(os.open(path, _OPENING), "rb") as file:
            _check_regular(path, os.fstat(file.fileno()))
            size = os.fstat(file.fileno()).st_size
            # One more than there is: a file that grows is noticed, and no memory is asked for that it does not need.
            data = file.read(size + 1) if size <= limit else b""
    except OSError as error:
        raise ModelLoadError(f"{path}: must be there; got {error.strerror}") from error
    if max(size, len(data)) > limit:
        raise ModelLoadError(f"{path}: must have at most {limit} bytes; got {max(size, len(data))}")
    return data


def _check_regular(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ModelLoadError(f"{path}: must be a regular file; got {stat.filemode(status.st_mode)}")
