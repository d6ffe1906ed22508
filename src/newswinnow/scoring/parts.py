"""Finished pieces of a run's output, one file each, in the run directory: a part's final name is the record that it is done.

A part is the piece, then its rejects as JSON Lines, then a footer that says what it covers, how long it is, its counts and its
sha256, then the footer's length. Putting parts together is left to :mod:`newswinnow.scoring.publish`.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from newswinnow.corpus.rejects import Reject
from newswinnow.scoring.chunks import Chunk, Scored, Tally
from newswinnow.scoring.durable import sync_folder, write_whole

_BLOCK: Final = 1 << 20
_TRAILER_BYTES: Final = 9
_MARK: Final = ".tmp."


class PartError(RuntimeError):
    """A part that is not what its footer says: the disk changed it after it was written."""


@dataclass(frozen=True)
class Footer:
    """What a part holds.

    Attributes
    ----------
    number
        Of its chunk.
    key
        File, first record and number of records of its chunk.
    payload_bytes
        Length of the piece.
    rejects_bytes
        Length of the rejects.
    sha256
        Of both.
    tally
        Counts.
    """

    number: int
    key: tuple[int, int, int]
    payload_bytes: int
    rejects_bytes: int
    sha256: str
    tally: Tally

    def as_bytes(self) -> bytes:
        """The footer with its length, as it stands in the file."""
        line = orjson.dumps(asdict(self), option=orjson.OPT_APPEND_NEWLINE)
        return line + b"%08x\n" % len(line)

    @staticmethod
    def parse(data: bytes) -> "Footer":
        """A footer from its line.

        Parameters
        ----------
        data
            The line.

        Returns
        -------
        The footer.

        Raises
        ------
        ValueError
            If it is none.
        """
        fields: dict[str, Any] = orjson.loads(data)
        try:
            tally = fields["tally"]
            counts = Tally(**{**tally, "labels": tuple(tally["labels"]), "columns": tuple(tally["columns"])})
            file, first, n = fields["key"]
            return Footer(**{**fields, "key": (file, first, n), "tally": counts})
        except (TypeError, KeyError, ValueError) as error:
            raise ValueError(f"footer: must have the fields of one; got {error}") from error


def reject_lines(rejects: Sequence[Reject]) -> bytes:
    """Rejects as JSON Lines.

    Parameters
    ----------
    rejects
        The records refused.

    Returns
    -------
    One object a line: source, line, reason, excerpt; file names and texts that are no UTF-8 come escaped.
    """
    out = []
    for reject in rejects:
        # File names need not be valid UTF-8, JSON must be.
        source = os.fsencode(reject.source).decode("utf-8", "backslashreplace")
        out.append(orjson.dumps({**reject.as_record(), "source": source}, option=orjson.OPT_APPEND_NEWLINE))
    return b"".join(out)


class Parts:
    """The parts of a run.

    Parameters
    ----------
    folder
        Where they lie; made if need be.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not folder.is_dir():
            folder.mkdir()
            sync_folder(folder.parent)
        for path in folder.iterdir():
            if _MARK in path.name:
                path.unlink()

    def path(self, number: int) -> Path:
        """Where a part lies.

        Parameters
        ----------
        number
            Of its chunk.

        Returns
        -------
        The path; numbers, so that no name comes from the input.
        """
        return self._folder / f"{number:08d}.part"

    def write(self, chunk: Chunk, scored: Scored) -> None:
        """Keep a piece, for good.

        Parameters
        ----------
        chunk
            Its chunk.
        scored
            What came of it.
        """
        rejects = reject_lines(scored.rejects)
        digest = hashlib.sha256(scored.payload)
        digest.update(rejects)
        footer = Footer(chunk.number, chunk.key, len(scored.payload), len(rejects), digest.hexdigest(), scored.tally)
        write_whole(self.path(chunk.number), [scored.payload, rejects, footer.as_bytes()])

    def footer(self, number: int) -> Footer | None:
        """The footer of a part.

        Parameters
        ----------
        number
            Of its chunk.

        Returns
        -------
        The footer; None if there is no part or it is damaged.
        """
        try:
            with self.path(number).open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(size - _TRAILER_BYTES, 0))
                length = int(file.read(_TRAILER_BYTES), 16)
                file.seek(size - _TRAILER_BYTES - length)
                footer = Footer.parse(file.read(length))
        except (OSError, ValueError, TypeError):
            return None
        is_whole = footer.payload_bytes + footer.rejects_bytes + length + _TRAILER_BYTES == size and footer.number == number
        return footer if is_whole else None

    def is_done(self, chunk: Chunk) -> bool:
        """Whether a chunk's part is there and every byte of it as it was written; a bad one is removed.

        Parameters
        ----------
        chunk
            The chunk.

        Returns
        -------
        False if it must be scored.
        """
        footer = self.footer(chunk.number)
        if footer is not None and footer.key == chunk.key:
            try:
                for _ in self.payload(footer):
                    pass
                return True
            except PartError:
                pass
        self.path(chunk.number).unlink(missing_ok=True)
        return False

    def payload(self, footer: Footer) -> Iterator[bytes]:
        """A part's piece, block by block.

        Parameters
        ----------
        footer
            Of the part.

        Yields
        ------
        Blocks of at most a megabyte.

        Raises
        ------
        PartError
            At the end, if it is not as it was written.
        """
        digest = hashlib.sha256()
        with self.path(footer.number).open("rb") as file:
            left = footer.payload_bytes
            while left and (data := file.read(min(_BLOCK, left))):
                left -= len(data)
                digest.update(data)
                yield data
            digest.update(file.read(footer.rejects_bytes))
        if digest.hexdigest() != footer.sha256:
            raise PartError(f"{self.path(footer.number)}: must be as it was written; got another sha256 (run again)")

    def rejects(self, footer: Footer) -> bytes:
        """A part's rejects.

        Parameters
        ----------
        footer
            Of the part.

        Returns
        -------
        JSON Lines.
        """
        with self.path(footer.number).open("rb") as file:
            file.seek(footer.payload_bytes)
            return file.read(footer.rejects_bytes)

    def clear(self) -> None:
        """Remove all parts, once they are published."""
        for path in self._folder.iterdir():
            path.unlink()
        self._folder.rmdir()
