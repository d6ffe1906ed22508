"""Why the surest mistakes of an evaluation were made: each explained against its true label, scoring a bounded number of rows.

Explaining single paragraphs is left to :mod:`newswinnow.evaluation.explain`, showing it to :mod:`newswinnow.reports`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from newswinnow.evaluation.evaluate import Evaluation
from newswinnow.evaluation.explain import Explanation, Wishes, explain_page
from newswinnow.models.predictor import ALONE, Predictor
from newswinnow.models.saved.families import family_of
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.rows import Rows
from newswinnow.paragraphs.table import LABEL, LINK_DENSITY, PAGE, POSITION, PREDICTED, PROBABILITY_COLUMNS, TAG, TEXT

N_EXPLAINED: Final = 20
"""Of one evaluation."""

N_LEFT_OUT: Final = 16
"""Nearest neighbours left out in turn: among them are 81 % of the five strongest of 100, for mistakes on the written sample."""

MAX_PAGE: Final = 1_000
"""Paragraphs of the longest page explained, for models that look at pages: every version of a paragraph costs the whole page."""

MAX_ROWS: Final = 4_000
"""Rows for each stage of the search for an edit; with 25 times as many, 1 or 2 edits more are found of 20 (mixed pages)."""

MAX_ROWS_FOREIGN: Final = 120
"""The same for models that are not our own, which score a tenth as fast or less."""

_COLUMNS: Final = (PAGE, POSITION, TEXT, TAG, LINK_DENSITY)


def surest_mistakes(table: pd.DataFrame, n: int) -> list[int]:
    """The wrong predictions that were surest.

    Parameters
    ----------
    table
        A predicted table with labels.
    n
        How many.

    Returns
    -------
    Their index labels, the surest first, equally sure ones in page order.
    """
    ordered = table.sort_values([PAGE, POSITION], kind="stable")
    wrong = ordered[ordered[LABEL].notna() & ordered[PREDICTED].notna() & (ordered[LABEL] != ordered[PREDICTED])]
    sureness = wrong[list(PROBABILITY_COLUMNS)].to_numpy(dtype=np.float64).max(axis=1, initial=0.0)
    found: list[int] = wrong.index.to_numpy()[np.argsort(-sureness, kind="stable")[:n]].tolist()
    return found


def with_explanations(evaluation: Evaluation, predictor: Predictor, *, n: int = N_EXPLAINED) -> Evaluation:
    """An evaluation with its surest mistakes explained.

    Parameters
    ----------
    evaluation
        What was measured.
    predictor
        The model that was measured. Of a foreign one less can be told: which edit would have given the true label.
    n
        How many mistakes at most.

    Returns
    -------
    The same with ``explained``, each against the true label: what speaks for the answer, what each level adds, the strongest of
    the nearest neighbours, and the smallest edit found that gives the true label.

    Raises
    ------
    ValueError
        If the number is negative, or the model does not know the evaluation's level of information.
    """
    if n < 0:
        raise ValueError(f"n: must be >= 0; got {n}")
    table = evaluation.table.reset_index(drop=True)
    sizes = table[PAGE].map(table[PAGE].value_counts())
    places = surest_mistakes(table[sizes <= MAX_PAGE] if _knows_pages(predictor) else table, n)
    pages, answers = table[PAGE].tolist(), table[PREDICTED].tolist()
    is_ours = family_of(predictor.estimator) is not None
    wishes = Wishes(evaluation.context, n_left_out=N_LEFT_OUT, max_rows=MAX_ROWS if is_ours else MAX_ROWS_FOREIGN)
    found: dict[int, Explanation] = {}
    # Many small products: threads of the algebra library beside those of the model double the time where cores are busy.
    with threadpool_limits(1):
        for page in dict.fromkeys(pages[place] for place in places):
            here = [place for place in places if pages[place] == page]
            found |= _of_page(predictor, table[(table[PAGE] == page) & table[PREDICTED].notna()], here, wishes)
    # An answer on the edge may turn out otherwise when its page is scored by itself; it is not what would be explained then.
    kept = [found[place] for place in places if str(LABELS[found[place].label]) == answers[place]]
    return replace(evaluation, explained=tuple(kept))


def _of_page(predictor: Predictor, page: pd.DataFrame, places: Sequence[int], wishes: Wishes) -> Mapping[int, Explanation]:
    """Explanations of paragraphs of one page by their places, each against its true label."""
    if not _knows_pages(predictor):
        page = page.loc[list(places)]
    rows = Rows({name: _plain(page[name]) for name in _COLUMNS if name in page.columns})
    number_of = {place: number for number, place in enumerate(page.index.tolist())}
    labels = dict(zip(page.index.tolist(), page[LABEL].tolist(), strict=True))
    found: dict[int, Explanation] = {}
    for code, label in enumerate(LABELS):
        of_label = [place for place in places if labels[place] == label]
        if of_label:
            numbers = [number_of[place] for place in of_label]
            told = explain_page(predictor, rows, numbers, wishes=replace(wishes, target=code))
            found |= dict(zip(of_label, told, strict=True))
    return found


def _knows_pages(predictor: Predictor) -> bool:
    return predictor.contexts != (ALONE,)


def _plain(values: pd.Series) -> list[Any]:
    """Values with None for what is missing."""
    return [None if missing else value for value, missing in zip(values.tolist(), values.isna().tolist(), strict=True)]
