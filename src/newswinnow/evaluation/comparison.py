"""Is model A better than model B? A paired answer from the predictions both made on the same paragraphs.

Resampling pages gives the interval of the difference, McNemar's exact test its significance; drawing tables is left to reports.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from newswinnow.evaluation.scores import Estimate, confusion_by_page, label_codes, resample_pages, score_confusion
from newswinnow.paragraphs.table import LABEL, PAGE, POSITION, PREDICTED, TEXT, labelled_rows, require_columns

ALPHA: Final = 0.05
BETTER, WORSE, TIED, NOT_ENOUGH = "better", "worse", "tied", "not enough data"
TIE_MARGIN: Final = 0.01
"""Two models whose macro-F1 surely differs by less than one point are tied."""
_CRITICAL: Final = 1.96


@dataclass(frozen=True)
class Comparison:
    """The second model against the first.

    Attributes
    ----------
    difference
        Macro-F1 of the second less that of the first, with its 95 % interval over pages.
    p_value
        Exact McNemar over paragraphs that exactly one model got right.
    n_only_first, n_only_second
        Those paragraphs.
    verdict
        ``better``, ``worse``, ``tied`` or ``not enough data (about n more pages)``, of the second model.
    """

    difference: Estimate
    p_value: float
    n_only_first: int
    n_only_second: int
    verdict: str

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


def _verdict(difference: Estimate, p_value: float, n_only_first: int, n_only_second: int, n_pages: int) -> str:
    # Macro-F1 can rise while most of the changed paragraphs turn wrong: both measures must point the same way.
    if difference.low > 0 and p_value < ALPHA and n_only_second > n_only_first:
        return BETTER
    if difference.high < 0 and p_value < ALPHA and n_only_first > n_only_second:
        return WORSE
    if difference.low > -TIE_MARGIN and difference.high < TIE_MARGIN:
        return TIED
    half_width = (difference.high - difference.low) / 2
    # The interval shrinks with the root of the number of pages: enough pages to separate the difference from 0, or, where it is
    # within the margin, to show that it is. McNemar's statistic grows with that root; it counts once the interval is separate.
    growth = (half_width / max(abs(difference.value), TIE_MARGIN - abs(difference.value))) ** 2
    if difference.low > 0 or difference.high < 0:
        lead = (n_only_second - n_only_first) * np.sign(difference.value)
        growth = max(growth, _CRITICAL**2 * (n_only_first + n_only_second) / max(lead, 1) ** 2)
    more = max(1, int(np.ceil(n_pages * (growth - 1))))
    return f"{NOT_ENOUGH} (about {more} more pages)"


def compare(first: pd.DataFrame, second: pd.DataFrame, *, seed: int = 0, n_resamples: int = 2000) -> Comparison:
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
    for name, table in (("first", first), ("second", second)):
        require_columns(table, [PAGE, POSITION, LABEL, PREDICTED], where=name)
    a, b = (labelled_rows(table).sort_values([PAGE, POSITION], kind="stable") for table in (first, second))
    if not len(a):
        raise ValueError("comparison: needs at least one labelled paragraph; got none")
    keys = [PAGE, POSITION, LABEL, *([TEXT] if TEXT in a.columns and TEXT in b.columns else [])]
    if len(a) != len(b) or not (a[keys].to_numpy() == b[keys].to_numpy()).all():
        raise ValueError(f"comparison: needs the same labelled paragraphs in both; got {len(a)} and {len(b)} that differ")
    truth = label_codes(a[LABEL])
    answers = [label_codes(table[PREDICTED]) for table in (a, b)]
    by_page = [confusion_by_page(truth, answer, a[PAGE]) for answer in answers]
    points = [score_confusion(m.sum(axis=0)).macro_f1 for m in by_page]
    spreads = [score_confusion(resample_pages(m, seed=seed, n_resamples=n_resamples)).macro_f1 for m in by_page]
    low, high = np.quantile(spreads[1] - spreads[0], [0.025, 0.975])
    difference = Estimate(float(points[1] - points[0]), float(low), float(high))
    only_first, only_second, p_value = mcnemar(answers[0] == truth, answers[1] == truth)
    verdict = _verdict(difference, p_value, only_first, only_second, len(by_page[0]))
    return Comparison(difference, p_value, only_first, only_second, verdict)
