"""What workers are handed and what they hand back: a stretch of the input, and its finished piece of the output.

Cutting inputs into chunks is left to :mod:`newswinnow.scoring.cut`, scoring them to :mod:`newswinnow.scoring.score`.
"""

from dataclasses import dataclass, field
from typing import Final

from newswinnow.corpus.rejects import Reject

CHUNK_BYTES: Final = 4 << 20
"""Bytes of a chunk before the page that is open there ends: about 20,000 paragraphs of JSON Lines."""

MAX_PIECE_BYTES: Final = 16 << 20
"""Longest stretch of one page in a table that is held together; what follows is a piece of its own."""

MAX_PAGES: Final = 256
"""Most page files in one chunk, however small they are."""


@dataclass(frozen=True, slots=True)
class PageData:
    """One page as it came.

    Attributes
    ----------
    source
        The file, for messages.
    line
        Number of the record in a web archive; None for a file of its own.
    page
        Its id.
    file_format
        ``txt``, ``html`` or ``wet``.
    data
        Its bytes.
    url
        Where it was fetched from; None if nobody says.
    reason
        Why it cannot be read; empty if it can.
    """

    source: str
    line: int | None
    page: str
    file_format: str
    data: bytes
    url: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of the input, cut at page borders by the input alone.

    Attributes
    ----------
    number
        Place in the run, from 0.
    file
        Index of the input that it begins in.
    first
        Its first line, row or page there, from 1.
    n
        Lines, rows or pages it spans; of page files, files.
    source
        The file, for messages.
    kind
        ``jsonl``, ``csv``, ``tsv``, ``arrow`` or ``pages``.
    data
        Lines, a serialised Arrow table, or nothing where there are ``pages``.
    header
        The header of a CSV or TSV file, with its line end.
    pages
        Pages.
    done_bytes
        Bytes of all inputs read when the chunk was complete, for the progress bar.
    """

    number: int
    file: int
    first: int
    n: int
    source: str
    kind: str
    data: bytes = b""
    header: bytes = b""
    pages: tuple[PageData, ...] = ()
    done_bytes: int = 0

    @property
    def key(self) -> tuple[int, int, int]:
        """What the chunk covers: file, first record, how many."""
        return self.file, self.first, self.n

    @property
    def where(self) -> str:
        """The chunk in words."""
        unit = {"arrow": "rows", "pages": "pages"}.get(self.kind, "lines")
        return f"{self.source}: {unit} {self.first} to {self.first + self.n - 1}"


@dataclass(frozen=True, slots=True)
class Refused:
    """An input that is unusable as a whole: none of its rows are published."""

    file: int
    reject: Reject


@dataclass(frozen=True, slots=True)
class Tally:
    """Records counted.

    Attributes
    ----------
    rows_in
        Records read.
    rows_out
        Paragraphs that got an answer, empty ones included.
    rejected
        Records refused.
    labels
        Paragraphs by predicted label, in label order.
    empty
        Paragraphs of nothing but whitespace.
    columns
        Names of the columns met, in order; filled only where the output needs them.
    """

    rows_in: int = 0
    rows_out: int = 0
    rejected: int = 0
    labels: tuple[int, ...] = (0, 0, 0)
    empty: int = 0
    columns: tuple[str, ...] = ()

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.rows_in + other.rows_in,
            self.rows_out + other.rows_out,
            self.rejected + other.rejected,
            tuple(a + b for a, b in zip(self.labels, other.labels, strict=True)),
            self.empty + other.empty,
            tuple(dict.fromkeys((*self.columns, *other.columns))),
        )

    def check(self, where: str) -> None:
        """Refuse a count that does not add up.

        Parameters
        ----------
        where
            What was counted, for the message.

        Raises
        ------
        RuntimeError
            If a record was lost or doubled.
        """
        if self.rows_in != self.rows_out + self.rejected or self.rows_out != sum(self.labels) + self.empty:
            raise RuntimeError(f"{where}: rows in must equal rows out and rejects; got {self}")


@dataclass(frozen=True, slots=True)
class Scored:
    """A chunk's piece of the output.

    Attributes
    ----------
    payload
        The bytes to publish, in the form of the run.
    rejects
        Records refused, by line.
    tally
        Counts.
    """

    payload: bytes
    rejects: tuple[Reject, ...] = field(default=())
    tally: Tally = field(default_factory=Tally)
