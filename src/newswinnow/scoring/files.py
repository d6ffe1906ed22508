"""Predicting and cleaning what a user names: the table of predictions, or the text worth keeping.

Where results go is checked before any work starts; parsing the command line is left to :mod:`newswinnow.cli`.
"""

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from newswinnow.corpus.records import RecordRules
from newswinnow.corpus.rejects import Reject
from newswinnow.corpus.tables import table_from_rows
from newswinnow.corpus.write import atomic_file
from newswinnow.harvest.inputs import INPUT_FORMATS, expand_inputs, read_rows
from newswinnow.models.predictor import AUTO, Predictor
from newswinnow.paragraphs.label import LABELS, Label, parse_labels
from newswinnow.paragraphs.rows import Rows
from newswinnow.paragraphs.table import IN_ORDER, PAGE, POSITION, PREDICTED, TEXT
from newswinnow.scoring.parts import reject_lines

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Scored:
    """Predictions and what could not be read.

    Attributes
    ----------
    rows
        The paragraphs with prediction columns, input order kept.
    rejects
        Records refused; records in = rows + rejects.
    """

    rows: Rows
    rejects: tuple[Reject, ...]

    @property
    def table(self) -> "pd.DataFrame":
        """The rows as a table, made anew at each call."""
        return table_from_rows(self.rows)

    def counts(self) -> dict[str, int]:
        """Paragraphs by predicted label, empty ones, and rejects."""
        n_of = Counter(self.rows[PREDICTED])
        return {**{str(label): n_of[label] for label in LABELS}, "empty": n_of[None], "rejected": len(self.rejects)}


def predict_inputs(
    model: Predictor, inputs: Sequence[str | Path], *, context: str = AUTO, file_format: str | None = None
) -> Scored:
    """Predict every paragraph of the inputs.

    Parameters
    ----------
    model
        The predictor.
    inputs
        Files, directories or ``-``.
    context
        Level of information to use.
    file_format
        Read everything as this format; None to go by suffix.

    Returns
    -------
    Predictions and rejects.

    Raises
    ------
    FileNotFoundError
        If a path is not there.
    CorpusError
        If a file as a whole is unusable.
    """
    reading = read_rows(inputs, rules=RecordRules(keeps_empty=True), file_format=file_format)
    scored = Scored(model.predict_rows(reading.known, context=context).without(IN_ORDER), reading.rejects)
    if len(scored.rows) + len(scored.rejects) != reading.n_records:
        raise RuntimeError(f"rows out and rejects must equal rows in, {reading.n_records}; got {len(scored.rows)}")
    return scored


def check_inputs(inputs: Sequence[str | Path], *, file_format: str | None = None) -> None:
    """Refuse inputs that are not there or of no known kind, before a model is loaded.

    Parameters
    ----------
    inputs
        Files, directories or ``-``.
    file_format
        Format everything will be read as; None to go by suffix.

    Raises
    ------
    FileNotFoundError
        If a path is not there.
    ValueError
        If a format is unknown.
    """
    if file_format is not None and file_format not in INPUT_FORMATS:
        raise ValueError(f"input format: must be one of {', '.join(INPUT_FORMATS)}; got {file_format!r}")
    expand_inputs(inputs, file_format=file_format)


def check_output(output: str | Path, inputs: Sequence[str | Path], *, overwrite: bool = False) -> None:
    """Refuse an output that exists, cannot be made, or is one of the inputs, before any work.

    Parameters
    ----------
    output
        Where results are to go.
    inputs
        What is read.
    overwrite
        Whether an existing file may be replaced; an input never is.

    Raises
    ------
    FileExistsError
        If the output exists or is an input.
    FileNotFoundError
        If its folder does not exist.
    """
    output = Path(output)
    if not output.parent.is_dir():
        raise FileNotFoundError(f"{output}: must be in an existing folder; got no {output.parent}")
    if not output.exists():
        return
    # Only the paths matter here; the named format keeps a suffix that no reader knows from being refused a second time.
    for item in expand_inputs(inputs, file_format="txt"):
        if Path(item.path).exists() and output.samefile(item.path):
            raise FileExistsError(f"{output}: must not be one of the inputs; got {item.path}")
    if not output.is_file() or not overwrite:
        raise FileExistsError(f"{output}: must not exist yet; got an existing path (--overwrite replaces a file)")


def clean_pages(table: "Rows | pd.DataFrame", *, keep: Sequence[Label] = (Label.NEWS,)) -> Iterator[tuple[str, list[str]]]:
    """The kept paragraphs of every page, pages in input order, paragraphs by position.

    Parameters
    ----------
    table
        Predictions.
    keep
        Labels to keep.

    Yields
    ------
    Page id and texts; a page with nothing kept comes with none.
    """
    wanted = {str(label) for label in keep}
    pages: dict[str, list[tuple[int, str]]] = {}
    for page, position, text, predicted in zip(*(table[name] for name in (PAGE, POSITION, TEXT, PREDICTED)), strict=True):
        kept = pages.setdefault(page, [])
        if predicted in wanted:
            kept.append((position, text))
    for page, kept in pages.items():
        yield page, [text for _, text in sorted(kept, key=itemgetter(0))]


def clean(
    *inputs: str | Path,
    model: Predictor | None = None,
    keep: str | Sequence[str] = Label.NEWS,
    context: str = AUTO,
) -> dict[str, str]:
    """The text worth keeping of every page.

    Records that are refused are told in a warning.

    Parameters
    ----------
    *inputs
        Files, directories or ``-``.
    model
        The predictor; None for the one that ships with the package.
    keep
        Labels to keep, such as ``("news", "related-link")`` or ``"news,related-link"``.
    context
        Level of information to use.

    Returns
    -------
    Page id to its text, paragraphs separated by blank lines.

    Raises
    ------
    FileNotFoundError
        If a path is not there.
    CorpusError
        If a file as a whole is unusable.
    ValueError
        If a label or the context is unknown.
    """
    from newswinnow.models.saved import load_model

    kept = parse_labels(keep if isinstance(keep, str) else ",".join(keep))
    scored = predict_inputs(model or load_model(), inputs, context=context)
    if scored.rejects:
        warnings.warn(f"{len(scored.rejects)} records were refused; the first: {scored.rejects[0]}", stacklevel=2)
    return {page: "\n\n".join(texts) for page, texts in clean_pages(scored.rows, keep=kept)}


def write_rejects(rejects: Sequence[Reject], path: str | Path) -> None:
    """Write refused records as JSON Lines: source, line, reason, excerpt.

    Parameters
    ----------
    rejects
        The records.
    path
        The file, replaced whole.
    """
    with atomic_file(Path(path)) as file:
        file.write(reject_lines(rejects))
