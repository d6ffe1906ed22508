"""Records that could not be taken, and the error that names them.

Deciding what is wrong with a record is left to :mod:`newswinnow.corpus.records`.
"""

import reprlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

_SHOWN = 10
_EXCERPT_CHARS = 80
_REASON_CHARS = 1000
# The built-in repr overflows the stack on deeply nested values, and spells out huge ones in full before they are cut.
_REPR = reprlib.Repr()
_REPR.maxlist = _REPR.maxdict = _REPR.maxtuple = 20
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = _EXCERPT_CHARS


@dataclass(frozen=True)
class Reject:
    """One record that was not taken: where it stands, why, and an escaped excerpt of at most 80 characters."""

    source: str
    line: int | None
    reason: str
    excerpt: str = ""

    def __post_init__(self) -> None:
        # Reasons list the columns or keys found, and the one column of what is no table at all can be megabytes long.
        if len(self.reason) > _REASON_CHARS:
            object.__setattr__(self, "reason", f"{self.reason[: _REASON_CHARS - 1]}…")

    @property
    def where(self) -> str:
        """``file:line``, or the file alone where a record has no line."""
        return self.source if self.line is None else f"{self.source}:{self.line}"

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"

    def as_record(self) -> dict[str, Any]:
        """The reject as a JSON-ready dictionary; a file name that is not UTF-8 comes escaped."""
        return asdict(self) | {"source": self.source.encode("utf-8", "backslashreplace").decode()}


def excerpt_of(value: object) -> str:
    """A printable piece of a value for messages and quarantine files.

    Parameters
    ----------
    value
        Anything.

    Returns
    -------
    Its ``repr``, control characters escaped, cut to 80 characters.
    """
    shown = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
    show = _REPR.repr if not isinstance(shown, str) else repr if shown.isprintable() else ascii
    text = show(shown)
    return text if len(text) <= _EXCERPT_CHARS else text[: _EXCERPT_CHARS - 1] + "…"


class CorpusError(ValueError):
    """A corpus that cannot be used; the message lists the first ten bad records.

    Parameters
    ----------
    rejects
        What was rejected, at least one.
    """

    def __init__(self, rejects: Sequence[Reject]) -> None:
        self.rejects = tuple(rejects)
        lines = [str(reject) for reject in self.rejects[:_SHOWN]]
        if len(self.rejects) > _SHOWN:
            lines.append(f"... and {len(self.rejects) - _SHOWN} more")
        super().__init__("\n".join(lines))


def fail(source: str, reason: str, *, line: int | None = None, value: object = None) -> CorpusError:
    """An error about a single place, ready to raise.

    Parameters
    ----------
    source
        The file.
    reason
        ``rule; got value``.
    line
        Line or row, where there is one.
    value
        What to show as excerpt.

    Returns
    -------
    The error.
    """
    return CorpusError([Reject(source, line, reason, "" if value is None else excerpt_of(value))])
