"""A chunk into its finished piece of the output: read, score, write, count.

It works on bytes alone and knows no files; where pieces are kept and put together is left to :mod:`newswinnow.scoring.run`.
"""

from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np

from newswinnow.models.predictor import AUTO, Predictor
from newswinnow.paragraphs.label import LABELS, Label
from newswinnow.paragraphs.table import STATUS
from newswinnow.scoring.chunks import Chunk, Scored, Tally
from newswinnow.scoring.pages import score_pages
from newswinnow.scoring.read import read_chunk
from newswinnow.scoring.render import Answers, render_arrow, render_clean, render_jsonl
from newswinnow.scoring.taken import Paragraphs

JSONL, ARROW, TEXT, PAGES = "jsonl", "arrow", "text", "pages"
FORMS: Final = (JSONL, ARROW, TEXT, PAGES)
"""What a piece may be: rows as JSON Lines or Arrow; kept text alone; or kept paragraphs page by page as JSON Lines."""


@dataclass(frozen=True)
class Task:
    """What is wanted of every chunk.

    Attributes
    ----------
    form
        One of :data:`FORMS`.
    context
        Level of information to use.
    keep
        Labels to keep, where text is wanted.
    lists_columns
        Whether the columns met are to be told.
    """

    form: str = JSONL
    context: str = AUTO
    keep: tuple[Label, ...] = (Label.NEWS,)
    lists_columns: bool = False


def score_chunk(model: Predictor, chunk: Chunk, task: Task) -> Scored:
    """Read, score and write one chunk.

    Parameters
    ----------
    model
        The predictor.
    chunk
        A stretch of the input.
    task
        What is wanted.

    Returns
    -------
    The piece of the output, the rejects and the counts.

    Raises
    ------
    RuntimeError
        If a record was lost or doubled.
    ValueError
        If the model does not know the context.
    """
    read = read_chunk(chunk)
    rows = read.rows
    with_hints = model.contexts != ("alone",)
    probabilities = score_pages(model, rows.batch(with_hints=with_hints), context=task.context)
    answers = Answers.of(probabilities)
    payload = _payload(rows, answers, task)
    counts = np.bincount(answers.labels[answers.labels >= 0], minlength=len(LABELS)).tolist()
    tally = Tally(
        read.n_records,
        len(rows.texts),
        len(read.rejects),
        tuple(counts),
        int((answers.labels < 0).sum()),
        _columns(rows) if task.lists_columns else (),
    )
    tally.check(chunk.where)
    return Scored(payload, tuple(read.rejects), tally)


def _payload(rows: Paragraphs, answers: Answers, task: Task) -> bytes:
    if task.form == JSONL:
        return render_jsonl(rows, answers)
    if task.form == ARROW:
        return render_arrow(rows, answers)
    return render_clean(rows, answers, keep=task.keep, as_pages=task.form == PAGES)


def _columns(rows: Paragraphs) -> tuple[str, ...]:
    if rows.records is not None:
        return tuple(dict.fromkeys(chain.from_iterable(rows.records)))
    return tuple(dict.fromkeys([*rows.table.column_names, *([STATUS] if "" in rows.texts else [])]))
