"""The run directory: what run it holds, whether it is finished, and what was published.

``run.json`` and ``inputs.jsonl`` are written once and say what the run is; ``parts/`` holds finished pieces; ``publish.json``
says what is about to get the output's name; ``DONE.json`` is written last. Scoring is left to :mod:`newswinnow.scoring.run`.
"""

import hashlib
import platform
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import orjson

import newswinnow
from newswinnow.corpus.locks import LOCK, ResumeError
from newswinnow.models.saved import library_versions
from newswinnow.scoring.durable import Written, sha256_of, write_whole
from newswinnow.scoring.sources import SourceFile

FORMAT: Final = 1
RUN, INPUTS, PUBLISH, DONE, PARTS, REJECTS, STDIN = (
    "run.json",
    "inputs.jsonl",
    "publish.json",
    "DONE.json",
    "parts",
    "rejects.jsonl",
    "stdin",
)
_SHOWN: Final = 200
_LAYERS: Final = ("corpus", "features", "harvest", "models", "paragraphs", "scoring")


@cache
def code_digest() -> str:
    """Digest of the source that decides about the output, so that parts of two versions are never put together.

    Returns
    -------
    A sha256 in hexadecimal.
    """
    digest = hashlib.sha256()
    folder = Path(newswinnow.__file__).parent
    for path in sorted(path for layer in _LAYERS for path in (folder / layer).rglob("*.py")):
        digest.update(f"{path.relative_to(folder).as_posix()}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def versions() -> dict[str, str]:
    """Versions of what computes.

    Returns
    -------
    Name to version.
    """
    return {**library_versions(), "python": platform.python_version(), "orjson": orjson.__version__}


class RunDirectory:
    """One run's directory, held by this process.

    Parameters
    ----------
    path
        The directory, which must be there and locked.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def is_new(self) -> bool:
        """Whether no run has begun here."""
        return not (self.path / RUN).exists()

    def check_free(self) -> None:
        """Refuse a directory with files of somebody else.

        Raises
        ------
        FileExistsError
            If no run has begun here, and yet there is something.
        """
        ours = (LOCK, INPUTS, STDIN)
        others = [p.name for p in self.path.iterdir() if p.name not in ours and ".tmp." not in p.name]
        if self.is_new and others:
            raise FileExistsError(
                f"{self.path}: must be a new or empty directory, or one of a run; got {sorted(others)[0]} in it"
            )
        for path in self.path.iterdir():
            if ".tmp." in path.name:
                path.unlink()

    def begin(self, identity: Mapping[str, Any], files: Sequence[SourceFile]) -> None:
        """Write down what the run is, or check that it is the one that began here.

        Parameters
        ----------
        identity
            Everything but the inputs that decides about the output.
        files
            The inputs.

        Raises
        ------
        ResumeError
            If something differs; the message names it.
        """
        lines = [orjson.dumps(file.identity(), option=orjson.OPT_APPEND_NEWLINE) for file in files]
        if self.is_new:
            write_whole(self.path / INPUTS, lines)
            about = {**identity, "inputs": len(files), "inputs_sha256": hashlib.sha256(b"".join(lines)).hexdigest()}
            write_whole(self.path / RUN, [orjson.dumps(about, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)])
            return
        before, now = _flat(self._read(RUN) or {}), _flat(orjson.loads(orjson.dumps(dict(identity))))
        for name, value in now.items():
            if before.get(name) != value:
                raise self._mismatch(name, before.get(name), value)
        self._check_inputs(lines)

    def _check_inputs(self, lines: Sequence[bytes]) -> None:
        with (self.path / INPUTS).open("rb") as file:
            for old, new in zip_longest(file, lines):
                if old != new:
                    was, now = (orjson.loads(line) if line else {"source": None} for line in (old, new))
                    name = next(key for key in was if was[key] != now.get(key))
                    raise self._mismatch(
                        f"inputs: {was['source']} {name}" if now["source"] else "inputs", was[name], now.get(name)
                    )

    def _mismatch(self, field: str, before: object, now: object) -> ResumeError:
        was, here = (str(value)[:_SHOWN] for value in (before, now))
        return ResumeError(f"{self.path}: {field} must be as when the run began, {was}; got {here} (or name another --run)")

    @property
    def is_finished(self) -> bool:
        """Whether the run says that it is finished."""
        return (self.path / DONE).exists()

    def finished(self) -> dict[str, Any] | None:
        """Summary of the run, if it is finished.

        Returns
        -------
        What :meth:`finish` was given; None if it is not.

        Raises
        ------
        FileNotFoundError
            If it is finished, but its output is gone or of another size.
        """
        done = self._read(DONE)
        if done is None:
            return None
        output = Path(done["output"])
        if not output.is_file() or output.stat().st_size != done["bytes"]:
            raise FileNotFoundError(
                f"{self.path}: is finished, {output} must be as it was published; got another file or none (name another --run)"
            )
        return done

    def announce(self, written: Written) -> None:
        """Write down what is about to get the output's name.

        Parameters
        ----------
        written
            Its length and digest.
        """
        write_whole(self.path / PUBLISH, [orjson.dumps(written.as_dict(), option=orjson.OPT_APPEND_NEWLINE)])

    def has_published(self, output: Path) -> bool:
        """Whether an existing output is this run's own, published before a crash.

        Parameters
        ----------
        output
            The file.

        Returns
        -------
        True if it is what was announced.
        """
        announced = self._read(PUBLISH)
        return announced is not None and output.stat().st_size == announced["bytes"] and sha256_of(output) == announced["sha256"]

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write down that the run is done; nothing else is written after it.

        Parameters
        ----------
        summary
            With at least ``output`` and ``bytes``.
        """
        write_whole(self.path / DONE, [orjson.dumps(dict(summary), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)])

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            data: dict[str, Any] = orjson.loads((self.path / name).read_bytes())
        except FileNotFoundError:
            return None
        return data


def _flat(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of fields as fields of their own, named ``outer.inner``."""
    flat: dict[str, Any] = {}
    for name, value in fields.items():
        inner = {f"{name}.{key}": entry for key, entry in value.items()} if isinstance(value, dict) else {name: value}
        flat |= inner
    return flat
