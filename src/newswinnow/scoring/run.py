"""Bulk scoring that survives anything: inputs are cut into chunks, chunks become parts, parts become the output.

A run can be killed at any time and goes on where it was; its output is the same bytes however often that happened and however
many workers there were. Messages, progress bars and exit codes are left to :mod:`newswinnow.cli`.
"""

import hashlib
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from pathlib import Path
from typing import Final

import orjson

from newswinnow.corpus.locks import ResumeError, locked
from newswinnow.corpus.rejects import CorpusError, Reject
from newswinnow.corpus.streams import COMPRESSIONS
from newswinnow.corpus.streams import STDIN as DASH
from newswinnow.harvest.inputs import SNIFFED_BYTES, Input, expand_inputs, sniff
from newswinnow.scoring.chunks import Chunk, Refused, Scored, Tally
from newswinnow.scoring.cut import cut_inputs
from newswinnow.scoring.dask_run import score_on_cluster
from newswinnow.scoring.durable import open_temporary, rename, write_whole
from newswinnow.scoring.parts import Footer, Parts, reject_lines
from newswinnow.scoring.plan import RunPlan, RunSummary, check_plan
from newswinnow.scoring.publish import write_output
from newswinnow.scoring.run_directory import PARTS, REJECTS, STDIN, RunDirectory
from newswinnow.scoring.sources import SourceFile, check_unchanged, digest_inputs
from newswinnow.scoring.stopping import Stop
from newswinnow.scoring.workers import Scorer, score_all, scorers

SMALL_BYTES: Final = 8 << 20
"""Inputs of less than this, expanded, are scored in this process: workers take a second to start."""

_EXPANSION: Final = dict.fromkeys((".parquet", *COMPRESSIONS), 4)
"""How many times its size a file holds, roughly; text compresses 3 to 10 times."""

_BLOCK: Final = 1 << 20
_SHOWN: Final = 10

Progress = Callable[[str, int, int, int], None]
"""Called with what is being done, bytes of input done, bytes in all, and paragraphs scored since the run was started."""


def no_progress(step: str, done: int, total: int, rows: int) -> None:
    """Progress for those who do not watch.

    Parameters
    ----------
    step
        Ignored.
    done
        Ignored.
    total
        Ignored.
    rows
        Ignored.
    """


def run(plan: RunPlan, *, progress: Progress = no_progress, stop: Stop | None = None) -> RunSummary:
    """Score inputs of any size, or go on with it.

    Parameters
    ----------
    plan
        What to do.
    progress
        Called whenever a chunk is done.
    stop
        Asked whether to stop.

    Returns
    -------
    What it came to.

    Raises
    ------
    BusyError
        If another process works in the run directory.
    ResumeError
        If the directory holds another run.
    ModelLoadError
        If the model is refused.
    StoppedError
        If it was told to stop.
    ValueError
        If an input or option is unusable, or an input changed meanwhile.
    OSError
        If something cannot be read or written; the run can go on later.
    """
    check_plan(plan)
    plan.directory.mkdir(parents=False, exist_ok=True)
    with locked(plan.directory):
        return _Run(plan, progress, stop or Stop()).execute()


def is_small(paths: Iterable[Path]) -> bool:
    """Whether inputs are scored in this process, to judge by the sizes and names of the files.

    Parameters
    ----------
    paths
        The files; what is none counts as nothing.

    Returns
    -------
    True for at most :data:`SMALL_BYTES` when expanded.
    """
    sizes = (path.stat().st_size * _EXPANSION.get(path.suffix.lower(), 1) for path in paths if path.is_file())
    return sum(sizes) <= SMALL_BYTES


class _Run:
    """One process's work on a run, in its locked directory."""

    def __init__(self, plan: RunPlan, progress: Progress, stop: Stop) -> None:
        self.plan = plan
        self.progress = progress
        self.stop = stop
        self.directory = RunDirectory(plan.directory)
        self.files: list[SourceFile] = []
        self.keys: list[tuple[int, int, int]] = []
        self.refused: dict[int, Reject] = {}

    def execute(self) -> RunSummary:
        self.directory.check_free()
        inputs = self._inputs()
        with self._scorers(inputs) as functions:
            self.files = digest_inputs(inputs, stdin=self.plan.directory / STDIN, progress=self._digested)
            identity = self.plan.identity()
            if self.directory.is_new:
                self._check_target()
            self.directory.begin(identity, self.files)
            done = self.directory.finished()
            parts_folder = self.plan.directory / PARTS
            if done is not None:
                if parts_folder.is_dir():
                    Parts(parts_folder).clear()
                return RunSummary.of(done)
            self._check_target()
            parts = Parts(parts_folder)
            self._score(parts, functions)
        check_unchanged(self.files)
        summary = self._publish(parts)
        parts.clear()
        return summary

    def _scorers(self, inputs: Sequence[Input]) -> AbstractContextManager[Callable[[], list[Scorer]]]:
        """What scores; processes of its own load the model while the inputs are hashed."""
        plan = self.plan
        paths = [plan.directory / STDIN if item.path == DASH else Path(item.path) for item in inputs]
        is_needed = not plan.cluster and not self.directory.is_finished
        workers = plan.workers if is_needed and (plan.use_threads or not is_small(paths)) else 1
        return scorers(plan.model, plan.task(), workers=workers, use_threads=plan.use_threads)

    def _digested(self, done: int, total: int) -> None:
        self.stop.check()
        self.progress("checking the inputs", done, total, 0)

    def _inputs(self) -> list[Input]:
        """The inputs, standard input kept in a file of the run directory."""
        inputs = expand_inputs(self.plan.inputs, file_format=self.plan.input_format)
        return [_keep_stdin(item, self.directory) if item.path == DASH else item for item in inputs]

    def _check_target(self) -> None:
        """Refuse to replace a file that is neither ours nor given up by its owner."""
        target = self.plan.target
        if self.plan.overwrite or not target.exists() or self.directory.has_published(target):
            return
        raise FileExistsError(f"{target}: must not exist yet; got an existing path (--overwrite replaces a file)")

    def _chunks(self, parts: Parts) -> Iterator[Chunk]:
        """Chunks that have no good part yet; what the others are, is noted."""
        for item in cut_inputs(self.files, chunk_bytes=self.plan.chunk_bytes):
            if isinstance(item, Refused):
                if self.plan.fail_on_reject:
                    raise CorpusError([item.reject])
                self.refused[item.file] = item.reject
                continue
            self.keys.append(item.key)
            if not parts.is_done(item):
                yield item

    def _score(self, parts: Parts, functions: Callable[[], list[Scorer]]) -> None:
        n_rows, total = 0, sum(file.n_bytes for file in self.files)
        with closing(self._scored(self._chunks(parts), functions)) as results:
            for chunk, scored in results:
                if scored.rejects and self.plan.fail_on_reject:
                    raise CorpusError(scored.rejects)
                parts.write(chunk, scored)
                n_rows += scored.tally.rows_out
                self.progress("scoring", chunk.done_bytes, total, n_rows)
                self.stop.check()

    def _scored(
        self, chunks: Iterator[Chunk], functions: Callable[[], list[Scorer]]
    ) -> Generator[tuple[Chunk, Scored], None, None]:
        """Chunks with what came of them, scored here or by a cluster."""
        plan = self.plan
        if plan.cluster:
            yield from score_on_cluster(chunks, plan.model, plan.task(), address=plan.cluster, tick=self.stop.check)
            return
        yield from score_all(chunks, functions(), tick=self.stop.check)

    def _footers(self, parts: Parts) -> list[Footer]:
        """Footers of all chunks, in order, without those of files that were refused."""
        found = []
        for number, key in enumerate(self.keys):
            footer = parts.footer(number)
            if footer is None or footer.key != key:
                raise RuntimeError(f"{parts.path(number)}: must hold chunk {key}; got {footer and footer.key} (run again)")
            if key[0] not in self.refused:
                found.append(footer)
        return found

    def _publish(self, parts: Parts) -> RunSummary:
        plan, target = self.plan, self.plan.target
        footers = self._footers(parts)
        refused = [self.refused[i] for i in sorted(self.refused)]
        if refused and len(refused) == len(self.files):
            raise CorpusError(refused)
        tally = Tally(len(refused), 0, len(refused))
        for footer in footers:
            tally += replace(footer.tally, columns=())
        tally.check(str(plan.directory))
        shown = self._write_rejects(parts, footers)
        # The same name every time: what a killed process leaves there is written over. Two runs have two names.
        own = hashlib.sha256(str(plan.directory.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:12]
        temporary = target.with_name(f".{target.name}.{own}.tmp")
        written = write_output(parts, footers, temporary, name=target.name, kind=plan.kind, tick=self.stop.check)
        self._check_target()
        self.directory.announce(written)
        rename(temporary, target)
        summary = RunSummary(target.absolute(), written.n_bytes, written.sha256, tally, len(self.files), shown)
        self.directory.finish(summary.as_dict())
        return summary

    def _write_rejects(self, parts: Parts, footers: Sequence[Footer]) -> tuple[str, ...]:
        """All rejects in the order of the inputs; the first ten come back as text."""
        shown: list[str] = []

        def pieces() -> Iterator[bytes]:
            waiting = sorted(self.refused)
            for footer in footers:
                while waiting and waiting[0] < footer.key[0]:
                    yield reject_lines([self.refused[waiting.pop(0)]])
                yield parts.rejects(footer)
            for i in waiting:
                yield reject_lines([self.refused[i]])

        write_whole(self.plan.directory / REJECTS, _peeked(pieces(), shown))
        return tuple(shown)


def _peeked(pieces: Iterator[bytes], shown: list[str]) -> Iterator[bytes]:
    """Pieces of the rejects file as they are; the first of its lines are noted as messages."""
    for piece in pieces:
        for line in piece.split(b"\n")[: _SHOWN - len(shown)]:
            if line:
                shown.append(str(Reject(**orjson.loads(line))))
        yield piece


def _keep_stdin(item: Input, directory: RunDirectory) -> Input:
    """Standard input kept in a file, so that it can be read again; where it is there already, it must be the same."""
    path = directory.path / STDIN
    stream = sys.stdin.buffer
    if directory.is_new:
        temporary = path.with_name(f"{STDIN}.tmp.new")
        with open_temporary(temporary) as file:
            while data := stream.read(_BLOCK):
                file.write(data)
            file.sync()
        rename(temporary, path)
    else:
        with path.open("rb") as kept:
            while (data := stream.read(_BLOCK)) == kept.read(_BLOCK):
                if not data:
                    break
            else:
                raise ResumeError(
                    f"{directory.path}: stdin must be as when the run began; got something else (name another --run)"
                )
    with path.open("rb") as kept:
        return replace(item, file_format=item.file_format or sniff(kept.read(SNIFFED_BYTES)))
