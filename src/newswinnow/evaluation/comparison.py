"""Is model A better than model B? A paired answer from the predictions both made on the same paragraphs.

Resampling pages gives the interval of the difference, McNemar's exact test the significance of the changed paragraphs; drawing
tables is left to reports.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.special import ndtri
from scipy.stats import binomtest

from newswinnow.evaluation.intervals import CRITICAL, N_RESAMPLES, Estimate, mean_interval, p_value_of, page_draws, spread
from newswinnow.evaluation.scores import confusion_by_page, label_codes, score_confusion
from newswinnow.evaluation.slices import is_small, slice_names, slices_of
from newswinnow.paragraphs.table import LABEL, PAGE, POSITION, PREDICTED, TEXT, IntArray, labelled_rows, require_columns

ALPHA: Final = 0.05
POWER: Final = 0.8
"""The number of pages asked for would settle the question with this chance, if the difference is what it looks like."""

BETTER, WORSE, TIED, NOT_ENOUGH = "better", "worse", "tied", "not enough data"
TIE_MARGIN: Final = 0.01
"""Two models whose macro-F1 surely differs by less than one point are tied."""


@dataclass(frozen=True)
class SliceComparison:
    """The second model against the first on a part of the test set.

    Attributes
    ----------
    kind, name
        Which part.
    n_pages, n_paragraphs
        How much it holds.
    is_small
        Whether that is too little to read much into it.
    difference
        As in :class:`Comparison`; its interval is not widened for the number of slices.
    p_value
        As ``p_verdict`` of :class:`Comparison`, corrected by Holm's method for all slices of the comparison.
    verdict
        By the corrected p value.
    """

    kind: str
    name: str
    n_pages: int
    n_paragraphs: int
    is_small: bool
    difference: Estimate
    p_value: float
    verdict: str


@dataclass(frozen=True)
class Comparison:
    """The second model against the first.

    Attributes
    ----------
    difference
        Macro-F1 of the second less that of the first, with its 95 % interval over pages.
    p_difference
        Chance of a difference as large between equal models, by Student's test over resampled pages.
    p_value
        Exact McNemar over paragraphs that exactly one model got right.
    p_verdict
        What the verdict goes by: the larger of the two; 1 where they favour different models, or McNemar's neither.
    n_only_first, n_only_second
        Those paragraphs.
    verdict
        ``better``, ``worse``, ``tied`` or ``not enough data (about n more pages)``, of the second model.
    more_pages
        That n; 0 where the verdict is another.
    slices
        The same on every part of the test set.
    """

    difference: Estimate
    p_difference: float
    p_value: float
    p_verdict: float
    n_only_first: int
    n_only_second: int
    verdict: str
    more_pages: int
    slices: tuple[SliceComparison, ...]

    def as_dict(self) -> dict[str, Any]:
        """The comparison as plain values."""
        return asdict(self)


def mcnemar(is_right_first: Any, is_right_second: Any) -> tuple[int, int, float]:
    """McNemar's exact test on paired right-or-wrong answers.

    Parameters
    ----------
    is_right_first
        Whether the first model was right, shape (n_paragraphs,).
    is_right_second
        Whether the second was, shape (n_paragraphs,).

    Returns
    -------
    Paragraphs only the first got right, only the second, and the two-sided p value; 1 where they never differ.
    """
    first, second = np.asarray(is_right_first, dtype=bool), np.asarray(is_right_second, dtype=bool)
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    n_different = only_first + only_second
    p_value = float(binomtest(only_first, n_different).pvalue) if n_different else 1.0
    return only_first, only_second, p_value


def holm(p_values: Sequence[float]) -> list[float]:
    """P values corrected for their number so that one false finding among all is as unlikely as one test's (Holm 1979).

    Parameters
    ----------
    p_values
        Of each test.

    Returns
    -------
    Corrected, in the same order.

    Examples
    --------
    >>> holm([0.5, 0.25, 0.01])
    [0.5, 0.5, 0.03]
    """
    order = np.argsort(p_values, kind="stable")
    scaled = np.asarray(p_values, dtype=float)[order] * np.arange(len(p_values), 0, -1)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0) if len(scaled) else scaled
    return [float(p) for p in corrected]


@dataclass(frozen=True)
class _Paired:
    """What two models' answers to the same paragraphs say before any verdict."""

    difference: Estimate
    p_difference: float
    variance: float
    n_pages: int
    n_paragraphs: int
    n_only_first: int
    n_only_second: int
    p_mcnemar: float

    @property
    def p_both(self) -> float:
        # Macro-F1 can rise while most of the changed paragraphs turn wrong: a model is better only where both tests say so, which
        # the larger p value tests.
        lead = self.n_only_second - self.n_only_first
        return max(self.p_difference, self.p_mcnemar) if lead * self.difference.value > 0 else 1.0

    def more_pages(self) -> int:
        """Pages to add so that the verdict would be found with 80 % chance if the difference is what it looks like.

        The standard error shrinks with the root of the number of pages, and McNemar's statistic grows with it.
        """
        needed = (CRITICAL + float(ndtri(POWER))) ** 2
        size, lead = abs(self.difference.value), (self.n_only_second - self.n_only_first) * np.sign(self.difference.value)
        growth = needed * max(
            self.variance / size**2 if size else np.inf, (self.n_only_first + self.n_only_second) / max(lead, 1) ** 2
        )
        if size < TIE_MARGIN:
            growth = min(growth, needed * self.variance / (TIE_MARGIN - size) ** 2)
        return max(1, int(np.ceil(self.n_pages * (growth - 1))))

    def verdict(self, p_value: float) -> str:
        if p_value < ALPHA:
            return BETTER if self.difference.value > 0 else WORSE
        if self.difference.low > -TIE_MARGIN and self.difference.high < TIE_MARGIN:
            return TIED
        return f"{NOT_ENOUGH} (about {self.more_pages()} more pages)"


def _paired(truth: IntArray, answers: Sequence[IntArray], pages: Any, *, seed: int, n_resamples: int) -> _Paired:
    by_page = np.stack([confusion_by_page(truth, answer, pages) for answer in answers])
    n_pages = by_page.shape[1]
    values = score_confusion(by_page.sum(axis=1)).macro_f1
    value = float(values[1] - values[0])
    resampled = np.zeros(n_resamples)
    if (by_page[0] != by_page[1]).any():
        draws = page_draws(n_pages, seed=seed, n_resamples=n_resamples)
        drawn = (draws @ by_page.reshape(2, n_pages, -1).astype(np.float64)).reshape(2, n_resamples, *by_page.shape[2:])
        resampled = np.diff(score_confusion(drawn).macro_f1, axis=0)[0]
    only_first, only_second, p_mcnemar = mcnemar(answers[0] == truth, answers[1] == truth)
    if n_pages > 1:
        difference = mean_interval(value, resampled, n_pages=n_pages)
        p_difference, variance = p_value_of(difference, n_pages=n_pages), spread(resampled, n_pages)
    else:
        is_same = not resampled.any()
        difference = Estimate(value, *((value, value) if is_same and not value else (-1.0, 1.0)))
        p_difference, variance = 1.0, 0.0 if is_same else 1.0
    return _Paired(difference, p_difference, variance, n_pages, len(truth), only_first, only_second, p_mcnemar)


def _checked_pair(first: pd.DataFrame, second: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The labelled rows of both tables in the same order, the slices of the first as columns; other tables are refused."""
    for name, table in (("first", first), ("second", second)):
        require_columns(table, [PAGE, POSITION, LABEL, PREDICTED], where=name)
    a, b = (labelled_rows(table).sort_values([PAGE, POSITION], kind="stable") for table in (first, second))
    if not len(a):
        raise ValueError("comparison: needs at least one labelled paragraph; got none")
    keys = [PAGE, POSITION, LABEL, *([TEXT] if TEXT in a.columns and TEXT in b.columns else [])]
    if len(a) != len(b) or not (a[keys].to_numpy() == b[keys].to_numpy()).all():
        raise ValueError(f"comparison: needs the same labelled paragraphs in both; got {len(a)} and {len(b)} that differ")
    return a, b


def _slice_pairs(
    first: pd.DataFrame, a: pd.DataFrame, answers: Sequence[IntArray], truth: IntArray, *, seed: int, n_resamples: int
) -> Iterator[tuple[str, str, _Paired]]:
    pages = a[PAGE].to_numpy(dtype=object)
    for kind, of_table in slices_of(first).items():
        names = of_table.loc[a.index]
        for name in slice_names(kind, names):
            here = (names == name).to_numpy()
            part = [answer[here] for answer in answers]
            yield kind, name, _paired(truth[here], part, pages[here], seed=seed, n_resamples=n_resamples)


def compare(first: pd.DataFrame, second: pd.DataFrame, *, seed: int = 0, n_resamples: int = N_RESAMPLES) -> Comparison:
    """Compare two models by their predictions on the same paragraphs.

    Parameters
    ----------
    first
        Paragraph table with labels and the first model's predictions.
    second
        The same paragraphs with the second model's predictions.
    seed
        Seed of the interval.
    n_resamples
        Resampled corpora behind it.

    Returns
    -------
    The second model's standing against the first.

    Raises
    ------
    ValueError
        If a table lacks a column, or the tables do not hold the same labelled paragraphs, one at least.
    """
    first = first.reset_index(drop=True)
    a, b = _checked_pair(first, second)
    truth = label_codes(a[LABEL])
    answers = [label_codes(table[PREDICTED]) for table in (a, b)]
    whole = _paired(truth, answers, a[PAGE], seed=seed, n_resamples=n_resamples)
    parts = list(_slice_pairs(first, a, answers, truth, seed=seed, n_resamples=n_resamples))
    corrected = holm([part.p_both for _, _, part in parts])
    slices = tuple(
        SliceComparison(
            kind,
            name,
            part.n_pages,
            part.n_paragraphs,
            is_small(part.n_pages, part.n_paragraphs),
            part.difference,
            p_value,
            part.verdict(p_value),
        )
        for (kind, name, part), p_value in zip(parts, corrected, strict=True)
    )
    verdict = whole.verdict(whole.p_both)
    return Comparison(
        difference=whole.difference,
        p_difference=whole.p_difference,
        p_value=whole.p_mcnemar,
        p_verdict=whole.p_both,
        n_only_first=whole.n_only_first,
        n_only_second=whole.n_only_second,
        verdict=verdict,
        more_pages=whole.more_pages() if verdict.startswith(NOT_ENOUGH) else 0,
        slices=slices,
    )
