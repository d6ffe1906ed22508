"""How commands speak: results on stdout, everything else on stderr, one line per error, documented exit codes.

What is said is left to the commands.
"""

import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NoReturn

import typer

if TYPE_CHECKING:
    import pandas as pd

    from newswinnow.paragraphs.rows import Rows

DONE, REJECTED, USAGE, BUSY, RESUME_MISMATCH, MODEL_REFUSED, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 4, 5, 130, 143
_DEBUG: Final = "NEWSWINNOW_DEBUG"
_HARMLESS: Final = frozenset("\n\t\xad\u200c\u200d")
"""Shown as they are: newline, tab, soft hyphen, and the joiners that Persian and emoji are written with."""


def escape_controls(text: str) -> str:
    r"""Text that cannot steer a terminal: what a terminal could obey or show reversed is escaped.

    Parameters
    ----------
    text
        Any string.

    Returns
    -------
    The printable string.

    Examples
    --------
    >>> escape_controls("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    return "".join(c if c.isprintable() or c in _HARMLESS else c.encode("unicode_escape").decode() for c in text)


def say(message: str) -> None:
    """Print one message on stderr.

    Parameters
    ----------
    message
        What to say.
    """
    print(escape_controls(message), file=sys.stderr)


def print_json(value: Any) -> None:
    """Print a result as JSON on stdout.

    Parameters
    ----------
    value
        Plain values.
    """
    print(json_text(value))


def json_text(value: Any) -> str:
    r"""JSON for people and programs: readable letters, but nothing that steers a terminal or cannot be encoded.

    Parameters
    ----------
    value
        Plain values.

    Returns
    -------
    The document.

    Examples
    --------
    >>> print(json_text("caf\xe9 \x9b31m"))
    "café \u009b31m"
    """
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print an aligned table on stdout.

    Parameters
    ----------
    columns
        Names.
    rows
        Cells as text.
    """
    shown = [[escape_controls(cell) for cell in row] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(columns, *shown, strict=True)]
    for line in (columns, ["-" * width for width in widths], *shown):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def print_predictions(table: "Rows | pd.DataFrame") -> None:
    """Print predictions for reading: label, its probability, and as much of the text as fits on a line.

    Parameters
    ----------
    table
        Predictions.
    """
    from newswinnow.paragraphs.table import PAGE, PREDICTED, PROBABILITY_COLUMNS, TEXT

    width = max(shutil.get_terminal_size((100, 24)).columns - 21, 20)
    several = len(set(table[PAGE])) > 1
    shown = None
    columns = (table[name] for name in (PAGE, PREDICTED, TEXT, *PROBABILITY_COLUMNS))
    for page, predicted, text, *probabilities in zip(*columns, strict=True):
        if several and page != shown:
            print(f"== {escape_controls(page)}")
            shown = page
        label = f"{predicted:12}  {max(probabilities):4.0%}" if isinstance(predicted, str) else f"{'(empty)':12}      "
        text = escape_controls(text)
        print(f"{label}  {text if len(text) <= width else text[: width - 1] + '…'}")


def exit_code_of(error: BaseException) -> int:
    """Exit code of an error.

    Parameters
    ----------
    error
        What a command raised.

    Returns
    -------
    The documented code: 3 for a busy directory, 4 for one with another run, 5 for a refused model, 2 for every other input error.
    """
    from newswinnow.corpus.locks import BusyError, ResumeError
    from newswinnow.models.saved import ModelLoadError

    if isinstance(error, ModelLoadError):
        return MODEL_REFUSED
    if isinstance(error, ResumeError):
        return RESUME_MISMATCH
    return BUSY if isinstance(error, BusyError) else USAGE


@contextmanager
def reported_errors() -> Iterator[None]:
    """Turn an input error into one line on stderr and its exit code; ``NEWSWINNOW_DEBUG=1`` shows the traceback instead.

    Yields
    ------
    Nothing.
    """
    try:
        with _terminable(), _flushed_stdout():
            yield
    except typer.Exit:
        # Typer's own way out, although it is a RuntimeError.
        raise
    except BrokenPipeError:
        # The reader (head, less) went away: not an error of ours, and nothing more can be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(DONE) from None
    except _TerminatedError:
        say("terminated")
        raise SystemExit(TERMINATED) from None
    except KeyboardInterrupt:
        say("interrupted")
        raise SystemExit(INTERRUPTED) from None
    except (ValueError, OSError, RuntimeError, ModuleNotFoundError) as error:
        if os.environ.get(_DEBUG):
            raise
        say(_line_of(error))
        raise SystemExit(exit_code_of(error)) from None


class _TerminatedError(KeyboardInterrupt):
    """SIGTERM came: everything is wound up as by Ctrl-C, worker processes too."""


@contextmanager
def _terminable() -> Iterator[None]:
    """Make SIGTERM an exception, where the main thread is asked and nobody else has made something of the signal."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def terminate(number: int, frame: object) -> NoReturn:
        raise _TerminatedError

    signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def _flushed_stdout() -> Iterator[None]:
    """Write out what was printed while a broken pipe can still be told from a crash at exit."""
    try:
        yield
    finally:
        sys.stdout.flush()


def _line_of(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: must be readable and writable as needed; got {error.strerror}"
    return str(error) or type(error).__name__


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on stderr if that is a terminal, a line per step if it is not.

    Yields
    ------
    A function of step, steps done and steps in all.
    """
    if not sys.stderr.isatty():
        yield lambda step, done, total: say(f"[{done}/{total}] {step}")
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("reading the corpora", total=None)
        yield lambda step, done, total: progress.update(task, description=step, completed=done, total=total)
