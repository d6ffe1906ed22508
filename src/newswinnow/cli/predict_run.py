"""``--run DIR`` of ``newswinnow predict`` and ``newswinnow clean``: bulk scoring that can be killed and goes on.

The work is left to :mod:`newswinnow.scoring.run`.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from newswinnow.cli.output import REJECTED, say

if TYPE_CHECKING:
    from newswinnow.scoring.plan import RunPlan, RunSummary

RunOption = Annotated[
    Path | None,
    typer.Option(
        "--run",
        help="Score in bulk: any size in constant memory, finished parts kept in this directory (local disk), so that the same "
        "command goes on after a crash. Without --output the result lies there too; -o - prints it when it is complete.",
        metavar="DIR",
    ),
]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", help="With --run: processes that score; as many as there are cores if not given.")
]
ChunkOption = Annotated[int | None, typer.Option("--chunk-bytes", help="With --run: least bytes of input scored as one.")]
OnErrorOption = Annotated[
    str | None,
    typer.Option(
        "--on-error", help="With --run: quarantine (set bad records aside, go on; default) or fail (stop at the first)."
    ),
]
DaskOption = Annotated[
    str | None,
    typer.Option(
        "--dask",
        help="With --run: the workers of this Dask scheduler (tcp://HOST:8786) score. They need the same newswinnow, no shared "
        "disk: files are read and written here.",
        metavar="ADDRESS",
    ),
]

STDOUT: Final = Path("-")
_POLICIES: Final = ("quarantine", "fail")


@dataclass(frozen=True)
class BulkOptions:
    """Options that only bulk scoring has.

    Attributes
    ----------
    directory
        The run directory; None to score at once.
    workers
        Processes; None for as many as there are cores.
    chunk_bytes
        Least size of a chunk; None for the default.
    on_error
        ``quarantine`` or ``fail``; None for the default.
    dask
        Address of a Dask scheduler; None to score on this machine.
    """

    directory: Path | None
    workers: int | None = None
    chunk_bytes: int | None = None
    on_error: str | None = None
    dask: str | None = None

    def refuse_without_run(self) -> None:
        """Refuse options that mean nothing without a run directory.

        Raises
        ------
        ValueError
            If one is given.
        """
        names = {"--workers": self.workers, "--chunk-bytes": self.chunk_bytes, "--on-error": self.on_error, "--dask": self.dask}
        for name, value in names.items():
            if value is not None:
                raise ValueError(f"{name}: must be given with --run; got no --run")


def bulk_plan(
    inputs: Sequence[str],
    bulk: BulkOptions,
    *,
    kind: str,
    output: Path | None,
    model: Path | None,
    trust: str | None,
    context: str,
    keep: str,
    input_format: str | None,
    overwrite: bool,
) -> "RunPlan":
    """The plan behind the options of a command.

    Parameters
    ----------
    inputs
        Files, patterns, folders or -.
    bulk
        Options of bulk scoring, with a directory.
    kind
        Kind of output.
    output
        Output file; None or - for one in the run directory.
    model
        Saved model.
    trust
        Expected sha256 of a joblib model.
    context
        Level of information.
    keep
        Labels to keep.
    input_format
        Format of every input.
    overwrite
        Replace an existing output.

    Returns
    -------
    The plan.

    Raises
    ------
    ValueError
        If an option is unusable.
    """
    from newswinnow.paragraphs.label import parse_labels
    from newswinnow.scoring.chunks import CHUNK_BYTES
    from newswinnow.scoring.dask_run import check_address
    from newswinnow.scoring.model_source import ModelSource
    from newswinnow.scoring.plan import RunPlan

    if bulk.on_error not in (None, *_POLICIES):
        raise ValueError(f"--on-error: must be one of {', '.join(_POLICIES)}; got {bulk.on_error!r}")
    if bulk.dask is not None and bulk.workers is not None:
        raise ValueError(f"--workers: must not be given with --dask, whose workers score; got {bulk.workers}")
    if bulk.dask is not None:
        check_address(bulk.dask, where="--dask")
    return RunPlan(
        inputs=tuple(inputs),
        directory=bulk.directory or Path(),
        model=ModelSource(model, trust),
        output=None if output == STDOUT else output,
        kind=kind,
        context=context,
        keep=parse_labels(keep),
        input_format=input_format,
        chunk_bytes=CHUNK_BYTES if bulk.chunk_bytes is None else bulk.chunk_bytes,
        workers=len(os.sched_getaffinity(0)) if bulk.workers is None else bulk.workers,
        fail_on_reject=bulk.on_error == "fail",
        overwrite=overwrite,
        cluster=bulk.dask or "",
    )


def run_kind(output: Path | None, file_format: str | None) -> str:
    """Kind of output that ``predict`` writes.

    Parameters
    ----------
    output
        Output file.
    file_format
        Format asked for; None to go by the suffix of the output.

    Returns
    -------
    The format; JSON Lines where nothing says otherwise.
    """
    from newswinnow.corpus.tables import TABLE_FORMATS, format_of

    suffix = format_of(output) if output else ""
    return file_format or (suffix if suffix in TABLE_FORMATS else "jsonl")


def score_in_bulk(plan: "RunPlan", *, to_stdout: bool) -> None:
    """Do what a plan says, say how it went, and end with the documented exit code.

    Parameters
    ----------
    plan
        The plan.
    to_stdout
        Whether the output is copied to standard output when it is complete.

    Raises
    ------
    Exit
        With 1 if records were rejected, 130 or 143 if a signal ended the run.
    """
    from newswinnow.harvest.folders import describe_passed_over
    from newswinnow.harvest.inputs import passed_over_in
    from newswinnow.scoring.run import run
    from newswinnow.scoring.stopping import StoppedError, stop_on_signals

    # For all processes of the run, and before pyarrow is loaded: its own allocators keep more than they use, 60 of 570 MB.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    if plan.cluster:
        _silence_dask()
    try:
        with stop_on_signals() as stop, _progress() as progress:
            summary = run(plan, progress=progress, stop=stop)
    except StoppedError as error:
        say(f"{plan.directory}: {error}")
        raise typer.Exit(128 + error.number) from None
    if to_stdout:
        with summary.output.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer, 1 << 20)
    _say_summary(summary, plan)
    if skipped := describe_passed_over(passed_over_in(plan.inputs)):
        say(f"passed over: {skipped}")
    if summary.tally.rejected:
        raise typer.Exit(REJECTED)


def _silence_dask() -> None:
    """Keep Dask from logging tracebacks on stderr; what goes wrong is said in one line. To be called before it is imported."""
    import dask

    dask.config.set({"logging": dict.fromkeys(("distributed", "distributed.client", "distributed.batched"), "critical")})


def _say_summary(summary: "RunSummary", plan: "RunPlan") -> None:
    """Say how a run went, its files by the names that the user gave."""
    from newswinnow.paragraphs.label import LABELS

    tally = summary.tally
    shown = [f"{n} {label}" for label, n in zip(LABELS, tally.labels, strict=True)]
    shown += [f"{n} {name}" for name, n in (("empty", tally.empty), ("rejected", tally.rejected)) if n]
    say(f"{tally.rows_out} paragraphs: {', '.join(shown)}")
    for reject in summary.first_rejects:
        say(reject)
    n_more = tally.rejected - len(summary.first_rejects)
    if n_more > 0:
        say(f"... and {n_more} more in {plan.directory / 'rejects.jsonl'}")
    done = "was finished before" if summary.was_done else "done"
    balance = f"rows in {tally.rows_in} = rows out {tally.rows_out} + rejected {tally.rejected}"
    say(f"{plan.directory}: {done}; {balance}; {plan.target}")


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int, int], None]]:
    """A bar with rate and time left, if standard error is a terminal; otherwise nothing."""
    if not sys.stderr.isatty():
        yield lambda step, done, total, rows: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:20}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("starting", total=None, rate="")

        def update(step: str, done: int, total: int, rows: int) -> None:
            # Chunks finish out of order: the bar never goes back within a step.
            current = progress.tasks[0]
            if current.description != step:
                progress.reset(task, description=step, total=max(total, 1), rate="")
            rate = f"{rows / max(current.elapsed or 0.001, 0.001):,.0f} paragraphs/s" if rows else ""
            progress.update(task, completed=max(done, int(current.completed)), rate=rate)

        yield update
