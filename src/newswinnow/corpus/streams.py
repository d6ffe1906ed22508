"""Bytes in: opening plain, gzipped, zstandard and standard input, and cutting them into lines under a size limit.

It knows nothing of formats; what a line means is left to the readers.
"""

import gzip
import io
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from newswinnow.corpus.rejects import CorpusError, fail

STDIN = "-"
MAX_RECORD_BYTES = 8 << 20
"""Longest line read into memory: 1 MB of text is allowed, up to six bytes of JSON escapes each, and other columns."""

MAX_GZIP_BYTES = 8 << 30
MAX_GZIP_RATIO = 250
"""Text compresses 3-10 times; gzip's own ceiling is about 1,032, which only bombs reach."""

_CHUNK = 1 << 20
_NEWLINE = re.compile(rb"\r\n|\r|\n")
BOM = b"\xef\xbb\xbf"


COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
"""Suffixes of compressed files, and what they are."""


def zstd_of(name: str) -> Any:
    """The module that compresses ``.zst``.

    Parameters
    ----------
    name
        The file, for messages.

    Returns
    -------
    ``backports.zstd``.

    Raises
    ------
    CorpusError
        If it is not installed.
    """
    try:
        from backports import zstd
    except ImportError as error:
        raise fail(name, ".zst needs backports.zstd; got no such package (pip install 'newswinnow[zstd]')") from error
    return zstd


def _decompressor(raw: BinaryIO, path: Path) -> BinaryIO:
    if path.suffix.lower() == ".gz":
        return cast(BinaryIO, gzip.GzipFile(fileobj=raw, mode="rb"))
    return cast(BinaryIO, zstd_of(str(path)).open(raw, "rb"))


class _Guarded(io.RawIOBase):
    """Decompressed bytes of a file; refuses bombs and truncated files while reading."""

    def __init__(self, path: Path, *, is_streamed: bool) -> None:
        self._path = path
        self._kind = COMPRESSIONS[path.suffix.lower()]
        self._compressed_bytes = path.stat().st_size
        self._raw = path.open("rb")
        try:
            self._file = _decompressor(self._raw, path)
        except CorpusError:
            self._raw.close()
            raise
        self._is_streamed = is_streamed
        self._n_read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        if not self._compressed_bytes:
            raise self._damaged("0 bytes")
        try:
            data = self._file.read(len(view))
        except (EOFError, zlib.error, OSError) as error:
            raise self._damaged(str(error)) from error
        except Exception as error:  # of zstd's own, which cannot be named where it is not installed
            if type(error).__name__ != "ZstdError":
                raise
            raise self._damaged(str(error)) from error
        view[: len(data)] = data
        self._n_read += len(data)
        limit = max(_CHUNK * 16, self._compressed_bytes * MAX_GZIP_RATIO)
        if self._n_read > (limit if self._is_streamed else min(MAX_GZIP_BYTES, limit)):
            raise fail(
                str(self._path),
                f"must not expand to more than {MAX_GZIP_RATIO} times its size; got {self._n_read} bytes from "
                f"{self._compressed_bytes}",
            )
        return len(data)

    def _damaged(self, why: str) -> CorpusError:
        return fail(str(self._path), f"must be a whole {self._kind} file; got {why}")

    def close(self) -> None:
        self._file.close()
        self._raw.close()
        super().close()

    @property
    def position(self) -> int:
        """Bytes taken from the compressed file so far."""
        return self._raw.tell()


@contextmanager
def open_bytes(path: str | Path, *, is_streamed: bool = False) -> Iterator[BinaryIO]:
    """Open a file, a ``.gz`` or ``.zst`` file or standard input (``-``) for reading bytes.

    Parameters
    ----------
    path
        The file, or ``-``.
    is_streamed
        Whether memory does not grow with the file; then only the ratio bounds what a compressed one may expand to.

    Yields
    ------
    A binary stream.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CorpusError
        While reading: if a compressed file is cut, damaged or a bomb.
    """
    if str(path) == STDIN:
        yield sys.stdin.buffer
        return
    path = Path(path)
    if not path.is_file():
        found = "a directory" if path.is_dir() else "a device or pipe" if path.exists() else "nothing there"
        raise FileNotFoundError(f"{path}: must be an existing file; got {found}")
    if path.suffix.lower() in COMPRESSIONS:
        with io.BufferedReader(_Guarded(path, is_streamed=is_streamed), _CHUNK) as stream:
            yield stream
    else:
        with path.open("rb") as file:
            yield file


def position_of(stream: BinaryIO) -> int:
    """How far a stream from :func:`open_bytes` has been read, for progress.

    Parameters
    ----------
    stream
        A file that is no standard input.

    Returns
    -------
    Bytes of the file as it lies on the disk.
    """
    raw = getattr(stream, "raw", None)
    return raw.position if isinstance(raw, _Guarded) else stream.tell()


@dataclass(frozen=True)
class Line:
    """One line of a file: its number from 1, its bytes without the newline, and whether it was too long to keep."""

    number: int
    data: bytes
    is_too_long: bool = False


def iter_lines(stream: BinaryIO, *, max_bytes: int = MAX_RECORD_BYTES) -> Iterator[Line]:
    r"""Lines of a byte stream, ended by LF, CRLF or CR and by nothing else; a UTF-8 byte order mark is dropped.

    Parameters
    ----------
    stream
        The bytes.
    max_bytes
        A longer line is not kept in memory: its beginning comes with ``is_too_long``.

    Yields
    ------
    The lines; an unfinished last line counts as one.

    Examples
    --------
    >>> import io
    >>> [line.data for line in iter_lines(io.BytesIO(b"a\r\nb\rc\xe2\x80\xa8d"))]
    [b'a', b'b', b'c\xe2\x80\xa8d']
    """
    number, pending, is_too_long = 0, b"", False
    is_first = True
    while True:
        chunk = stream.read(_CHUNK)
        data = pending + chunk
        if is_first:
            data, is_first = data.removeprefix(BOM), False
        held = b"\r" if data.endswith(b"\r") and chunk else b""
        *lines, pending = _NEWLINE.split(data[: len(data) - len(held)])
        for line in lines:
            number += 1
            too_long = is_too_long or len(line) > max_bytes
            yield Line(number, line[:max_bytes], too_long)
            is_too_long = False
        if not chunk:
            break
        if len(pending) > max_bytes:
            pending, is_too_long = pending[:max_bytes], True
        pending += held
    if pending:
        yield Line(number + 1, pending[:max_bytes], is_too_long or len(pending) > max_bytes)
