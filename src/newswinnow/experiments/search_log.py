"""The files of a search: what is searched, and a line for every finished trial, so that a killed search goes on where it was.

What is tried is left to :mod:`newswinnow.experiments.search`. Lines are written in the order of the plan and hold no times, so
that the same search gives the same bytes, however many processes it ran in and however often it was interrupted.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

import pandas as pd

from newswinnow.corpus.locks import ResumeError
from newswinnow.corpus.write import write_text
from newswinnow.experiments.search_space import value_at
from newswinnow.paragraphs.table import LABEL, LINK_DENSITY, ORIGIN, PAGE, POSITION, SITE, TAG, TEXT

IDENTITY: Final = "search.json"
TRIALS: Final = "trials.jsonl"
RESULT: Final = "result.json"


@dataclass(frozen=True)
class Trial:
    """One candidate in one round.

    Attributes
    ----------
    round
        From 0.
    candidate
        From 0, which is the configuration itself.
    parameters
        Dotted key to value; None for what the configuration leaves to a default.
    share
        Share of each fold's training pages it was trained on.
    n_pages
        How many pages those were, by fold.
    macro_f1
        Of all folds together, with its 95 % interval; None where it could not be trained.
    f1
        The same by label, without intervals.
    by_fold
        Macro-F1 of each fold.
    error
        Why it could not be trained; None where it could.
    """

    round: int
    candidate: int
    parameters: dict[str, Any]
    share: float
    n_pages: tuple[int, ...]
    macro_f1: dict[str, float] | None
    f1: dict[str, float]
    by_fold: tuple[float, ...]
    error: str | None

    @property
    def value(self) -> float | None:
        """Macro-F1; None where the candidate could not be trained."""
        return None if self.macro_f1 is None else self.macro_f1["value"]

    def as_dict(self) -> dict[str, Any]:
        """The trial as plain values."""
        return asdict(self)

    def line(self) -> bytes:
        """The trial as a line of JSON."""
        return json.dumps(self.as_dict(), ensure_ascii=False).encode() + b"\n"

    @classmethod
    def of_line(cls, line: bytes) -> Self:
        """A trial from its line.

        Parameters
        ----------
        line
            As :meth:`line` wrote it.

        Returns
        -------
        The trial.

        Raises
        ------
        ValueError
            If the line is damaged.
        """
        try:
            fields = json.loads(line)
            return cls(**{**fields, "n_pages": tuple(fields["n_pages"]), "by_fold": tuple(fields["by_fold"])})
        except (KeyError, TypeError) as error:
            raise ValueError(f"must be a trial; got {line[:40]!r}") from error


class TrialLog:
    """``trials.jsonl``: finished trials in the order of the plan; a line counts when it ends in a newline.

    Parameters
    ----------
    path
        The file; it need not be there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._finished = _whole_lines(path)
        self._n_read = 0

    def take(self, round_number: int, candidate: int, parameters: Mapping[str, Any]) -> Trial | None:
        """The next finished trial, if it is the one that is asked for.

        Parameters
        ----------
        round_number
            Its round.
        candidate
            Its candidate.
        parameters
            What it tried.

        Returns
        -------
        The trial, or None where the file ends; what is damaged, or follows something damaged, counts as not there.
        """
        if self._n_read < len(self._finished):
            try:
                trial = Trial.of_line(self._finished[self._n_read])
            except ValueError:
                trial = None
            if trial and (trial.round, trial.candidate, trial.parameters) == (round_number, candidate, dict(parameters)):
                self._n_read += 1
                return trial
            del self._finished[self._n_read :]
        return None

    def add(self, trial: Trial) -> None:
        """Put a trial behind those taken so far, and on the disk.

        Parameters
        ----------
        trial
            The trial.
        """
        with self._path.open("ab") as file:
            file.truncate(sum(map(len, self._finished)))
            file.write(trial.line())
            file.flush()
            os.fsync(file.fileno())
        self._finished.append(trial.line())
        self._n_read += 1


def _whole_lines(path: Path) -> list[bytes]:
    if not path.exists():
        return []
    return [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def rows_digest(corpus: pd.DataFrame) -> str:
    """Digest of everything in the rows that a search depends on.

    Parameters
    ----------
    corpus
        A paragraph table; rows without a label are context of the others.

    Returns
    -------
    sha256 over page, position, text, label, site, origin and markup hints of every row, in order.
    """
    names = [name for name in (PAGE, POSITION, TEXT, LABEL, SITE, ORIGIN, TAG, LINK_DENSITY) if name in corpus.columns]
    digest = hashlib.sha256(json.dumps(names).encode())
    for values in zip(*(corpus[name].astype(object) for name in names), strict=True):
        digest.update("\x1f".join(map(str, values)).encode() + b"\x1e")
    return digest.hexdigest()


def hold_identity(directory: Path, identity: Mapping[str, Any]) -> None:
    """Write down what is searched, or make sure that it is what was searched so far.

    Parameters
    ----------
    directory
        The search's directory.
    identity
        Everything the trials depend on, as plain values.

    Raises
    ------
    ResumeError
        If another search was begun there; the message names the first thing that differs.
    """
    path = directory / IDENTITY
    text = json.dumps(identity, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if not path.exists():
        write_text(path, text)
        return
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ResumeError(f"{path}: must be valid JSON; got {error} (--overwrite begins anew)") from error
    here = json.loads(text)
    if before != here:
        name = next(iter(sorted(set(_names(before)) ^ set(_names(here)) or _different(before, here))), "contents")
        raise ResumeError(
            f"{path}: {name} must be as when this search was begun, {value_at(before, name)!r}; got {value_at(here, name)!r} "
            f"(--overwrite begins anew)"
        )


def _names(value: Any, prefix: str = "") -> list[str]:
    """Dotted keys of all that is no table."""
    if not isinstance(value, dict) or not value:
        return [prefix]
    return [name for key, inner in value.items() for name in _names(inner, f"{prefix}.{key}" if prefix else key)]


def _different(before: Any, here: Any) -> list[str]:
    return [name for name in _names(here) if value_at(before, name) != value_at(here, name)]


def begin_anew(directory: Path) -> None:
    """Forget an earlier search.

    Parameters
    ----------
    directory
        Its directory; other files there stay.
    """
    for name in (RESULT, TRIALS, IDENTITY):
        (directory / name).unlink(missing_ok=True)
