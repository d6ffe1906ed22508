"""How good labels derived by alignment are: against hand-read labels of the same pages, per source, with intervals over pages.

Deriving labels is left to :mod:`newswinnow.harvest.align`; the scores themselves stand in :mod:`newswinnow.evaluation.scores`.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

import pandas as pd

from newswinnow.evaluation.intervals import N_RESAMPLES
from newswinnow.evaluation.scores import Scores, score
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import (
    ALIGNED_LABEL,
    LABEL,
    PAGE,
    POSITION,
    SOURCE,
    TEXT,
    collapse_whitespace,
    require_columns,
)

IS_JOINED: Final = "is_joined"
_OCCURRENCE: Final = "_occurrence"
_KEY: Final = [PAGE, TEXT]


@dataclass(frozen=True)
class AlignmentQuality:
    """Aligned labels of one source against the hand-read ones.

    Attributes
    ----------
    source
        Name of the source.
    n_pages, n_read
        Pages and hand-read paragraphs that were to be joined.
    share_joined
        Of the hand-read paragraphs, those found among the aligned ones without ambiguity.
    share_null
        Of those joined, the ones that alignment left without a label.
    null_by_label
        The same for each hand-read label; 0 where the label does not occur.
    scores
        Of the paragraphs joined and labelled.
    """

    source: str
    n_pages: int
    n_read: int
    share_joined: float
    share_null: float
    null_by_label: dict[str, float]
    scores: Scores

    def as_dict(self) -> dict[str, Any]:
        """The measurement as plain values, for ``metrics.json``."""
        return asdict(self)


def _prepared(table: pd.DataFrame) -> pd.DataFrame:
    """Rows in page order, texts collapsed, with the how-manieth row of its text on its page each one is."""
    ordered = table.assign(**{TEXT: table[TEXT].map(collapse_whitespace)}).sort_values([PAGE, POSITION], kind="stable")
    return ordered.assign(**{_OCCURRENCE: ordered.groupby(_KEY, sort=False).cumcount()})


def join_read(aligned: pd.DataFrame, read: pd.DataFrame) -> pd.DataFrame:
    """Give each hand-read paragraph the label that alignment found for it.

    Two splitters may cut a page differently, so positions do not match; page and text do. A text that stands several times on a
    page is joined in order where both tables have it equally often, and otherwise only where alignment labels all of them alike.

    Parameters
    ----------
    aligned
        Paragraphs with aligned labels, null where doubtful.
    read
        Paragraphs with hand-read labels, null rows included: they count for the order of equal texts.

    Returns
    -------
    The labelled rows of ``read`` in page order, with ``aligned_label`` and, whether it could be joined at all, ``is_joined``.

    Raises
    ------
    ValueError
        If a table lacks a column.
    """
    for name, table in (("aligned", aligned), ("read", read)):
        require_columns(table, [PAGE, POSITION, TEXT, LABEL], where=name)
    found, wanted = _prepared(aligned), _prepared(read)
    labels = found[LABEL].astype(object).where(found[LABEL].notna(), None)
    by_place = dict(zip(zip(found[PAGE], found[TEXT], found[_OCCURRENCE], strict=True), labels, strict=True))
    n_found, n_wanted = found.groupby(_KEY).size().to_dict(), wanted.groupby(_KEY).size().to_dict()
    rows = wanted[wanted[LABEL].notna()]
    joined: list[bool] = []
    values: list[Any] = []
    for page, text, occurrence in zip(rows[PAGE], rows[TEXT], rows[_OCCURRENCE], strict=True):
        n = n_found.get((page, text), 0)
        alternatives = (
            {by_place[page, text, occurrence]}
            if n == n_wanted[page, text]
            else {by_place[page, text, other] for other in range(n)}
        )
        joined.append(len(alternatives) == 1)
        values.append(alternatives.pop() if len(alternatives) == 1 else None)
    found_labels = pd.Series(values, index=rows.index, dtype=object)
    return rows.drop(columns=_OCCURRENCE).assign(**{ALIGNED_LABEL: found_labels, IS_JOINED: pd.Series(joined, index=rows.index)})


def measure_alignment(
    aligned: pd.DataFrame, read: pd.DataFrame, *, seed: int = 0, n_resamples: int = N_RESAMPLES
) -> tuple[AlignmentQuality, ...]:
    """Measure aligned labels against hand-read ones.

    Parameters
    ----------
    aligned
        Paragraphs with aligned labels; pages without any count as not joined.
    read
        Paragraphs with hand-read labels and their ``source``.
    seed
        Seed of the intervals.
    n_resamples
        Resampled corpora behind each interval.

    Returns
    -------
    One measurement per source, by name.

    Raises
    ------
    ValueError
        If a table lacks a column, or of a source no paragraph is both joined and labelled.
    """
    require_columns(read, [SOURCE], where="read")
    joined = join_read(aligned, read)
    sources: Iterable[Any] = sorted(joined[SOURCE].unique())
    return tuple(
        _quality(str(source), joined[joined[SOURCE] == source], seed=seed, n_resamples=n_resamples) for source in sources
    )


def _quality(source: str, rows: pd.DataFrame, *, seed: int, n_resamples: int) -> AlignmentQuality:
    joined = rows[rows[IS_JOINED]]
    is_null = joined[ALIGNED_LABEL].isna()
    labelled = joined[~is_null]
    if labelled.empty:
        raise ValueError(f"{source}: need paragraphs that are both read and aligned; got none")
    shares = is_null.groupby(joined[LABEL]).mean()
    return AlignmentQuality(
        source=source,
        n_pages=int(rows[PAGE].nunique()),
        n_read=len(rows),
        share_joined=len(joined) / len(rows),
        share_null=float(is_null.mean()),
        null_by_label={str(label): float(shares.get(label, 0.0)) for label in LABELS},
        scores=score(labelled[LABEL], labelled[ALIGNED_LABEL], labelled[PAGE], seed=seed, n_resamples=n_resamples),
    )
