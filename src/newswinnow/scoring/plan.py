"""What a run is to do, and what it came to.

Doing it is left to :mod:`newswinnow.scoring.run`.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from newswinnow.corpus.parquet import require_pyarrow
from newswinnow.corpus.streams import zstd_of
from newswinnow.harvest.inputs import expand_inputs
from newswinnow.models.predictor import AUTO
from newswinnow.paragraphs.label import LABELS, Label
from newswinnow.scoring.chunks import CHUNK_BYTES, Tally
from newswinnow.scoring.dask_run import check_address
from newswinnow.scoring.files import check_output
from newswinnow.scoring.model_source import ModelSource
from newswinnow.scoring.run_directory import FORMAT, code_digest, versions
from newswinnow.scoring.score import ARROW, JSONL, PAGES, TEXT, Task

KINDS: Final = {"jsonl": JSONL, "csv": JSONL, "tsv": JSONL, "parquet": ARROW, "text": TEXT, "pages": PAGES}
"""Kinds of output, and the form their parts have."""


@dataclass(frozen=True)
class RunPlan:
    """What a run is to do.

    Attributes
    ----------
    inputs
        Files, patterns, directories or ``-``.
    directory
        The run directory, on a local file system.
    model
        The model.
    output
        Where the result goes; None for a file in the run directory.
    kind
        One of :data:`KINDS`.
    context
        Level of information to use.
    keep
        Labels to keep, where the output is text.
    input_format
        Format of every input; None to go by suffix.
    chunk_bytes
        Least size of a chunk.
    workers
        How many processes score.
    use_threads
        Whether workers are threads instead.
    fail_on_reject
        Whether the first bad record ends the run.
    overwrite
        Whether an existing output may be replaced.
    cluster
        Address of a Dask scheduler whose workers score instead; empty to score on this machine.
    """

    inputs: tuple[str, ...]
    directory: Path
    model: ModelSource = field(default_factory=ModelSource)
    output: Path | None = None
    kind: str = "jsonl"
    context: str = AUTO
    keep: tuple[Label, ...] = (Label.NEWS,)
    input_format: str | None = None
    chunk_bytes: int = CHUNK_BYTES
    workers: int = 2
    use_threads: bool = False
    fail_on_reject: bool = False
    overwrite: bool = False
    cluster: str = ""

    @property
    def target(self) -> Path:
        """The file that is published."""
        if self.output is not None:
            return self.output
        return self.directory / {"text": "clean.txt", "pages": "clean.jsonl"}.get(self.kind, f"predictions.{self.kind}")

    def task(self) -> Task:
        """What is wanted of every chunk."""
        return Task(KINDS[self.kind], self.context, self.keep, lists_columns=self.kind in ("csv", "tsv"))

    def identity(self) -> dict[str, Any]:
        """Everything but the inputs that decides about the output."""
        return {
            "format": FORMAT,
            "model_sha256": self.model.sha256(),
            "options": {
                "kind": self.kind,
                "context": self.context,
                "keep": [str(label) for label in self.keep],
                "chunk_bytes": self.chunk_bytes,
                "input_format": self.input_format,
                "on_error": "fail" if self.fail_on_reject else "quarantine",
                "output": str(self.target.absolute()),
            },
            "code_sha256": code_digest(),
            "versions": versions(),
        }


@dataclass(frozen=True)
class RunSummary:
    """What a run came to.

    Attributes
    ----------
    output
        The file published.
    n_bytes
        Its length.
    sha256
        Its digest.
    tally
        Counts; rows in = rows out + rejected.
    n_files
        Inputs.
    first_rejects
        The first ten rejects, for messages.
    was_done
        Whether there was nothing left to do.
    """

    output: Path
    n_bytes: int
    sha256: str
    tally: Tally
    n_files: int
    first_rejects: tuple[str, ...] = ()
    was_done: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``DONE.json`` holds them."""
        tally = self.tally
        return {
            "output": str(self.output),
            "bytes": self.n_bytes,
            "sha256": self.sha256,
            "files": self.n_files,
            "rows_in": tally.rows_in,
            "rows_out": tally.rows_out,
            "rejected": tally.rejected,
            "empty": tally.empty,
            "labels": {str(label): n for label, n in zip(LABELS, tally.labels, strict=True)},
            "first_rejects": list(self.first_rejects),
        }

    @staticmethod
    def of(done: dict[str, Any]) -> "RunSummary":
        """The summary of a finished run.

        Parameters
        ----------
        done
            From ``DONE.json``.

        Returns
        -------
        The summary.
        """
        labels = tuple(done["labels"][label] for label in LABELS)
        tally = Tally(done["rows_in"], done["rows_out"], done["rejected"], labels, done["empty"])
        rejects = tuple(done["first_rejects"])
        return RunSummary(Path(done["output"]), done["bytes"], done["sha256"], tally, done["files"], rejects, was_done=True)


def check_plan(plan: RunPlan) -> None:
    """Refuse what cannot come to anything, before a file is touched.

    Parameters
    ----------
    plan
        What to do.

    Raises
    ------
    ValueError
        If an option is unusable.
    FileNotFoundError
        If an input or a folder is not there.
    FileExistsError
        If the output is an input or no file, or the run directory is a file.
    """
    _check_options(plan)
    if not plan.directory.parent.is_dir():
        raise FileNotFoundError(f"{plan.directory}: must be in an existing folder; got no {plan.directory.parent}")
    if plan.directory.exists() and not plan.directory.is_dir():
        raise FileExistsError(f"{plan.directory}: must be a directory; got a file")
    expand_inputs(plan.inputs, file_format=plan.input_format)
    if plan.output is not None:
        check_output(plan.output, plan.inputs, overwrite=True)


def _check_options(plan: RunPlan) -> None:
    if plan.kind not in KINDS:
        raise ValueError(f"format: must be one of jsonl, csv, tsv, parquet; got {plan.kind!r}")
    for name, value in (("--workers", plan.workers), ("--chunk-bytes", plan.chunk_bytes)):
        if value < 1:
            raise ValueError(f"{name}: must be at least 1; got {value}")
    if plan.cluster:
        check_address(plan.cluster, where="--dask")
    if plan.kind == "parquet":
        require_pyarrow(str(plan.target))
    if plan.target.suffix.lower() == ".zst":
        zstd_of(str(plan.target))
