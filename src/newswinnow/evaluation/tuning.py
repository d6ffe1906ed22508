"""One candidate of a hyper-parameter search: trained on some of the pages, scored on sites it never saw, as reports score.

It also says how many candidates get how many pages (successive halving, Jamieson and Talwalkar 2016). What is tried, and keeping
what was found, is left to :mod:`newswinnow.experiments.search`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from newswinnow.evaluation.scores import Scores, confusion_by_page, label_codes, score, score_confusion
from newswinnow.evaluation.validation import FoldFit
from newswinnow.models.fitting import check_counts
from newswinnow.models.mixing import LabelMix, origins_of
from newswinnow.models.predictor import AUTO
from newswinnow.models.registry import ModelSpec, min_per_label
from newswinnow.models.training import check_trainable
from newswinnow.paragraphs.table import ALIGNED, LABEL, PAGE, SITE, labelled_rows


@dataclass(frozen=True)
class Candidate:
    """What is trained.

    Attributes
    ----------
    spec
        The model.
    mix
        How much labels of each origin count.
    seed
        Seed of folds, pages and model.
    """

    spec: ModelSpec
    mix: LabelMix
    seed: int


@dataclass(frozen=True)
class Round:
    """One round of halving.

    Attributes
    ----------
    n_candidates
        How many take part, the one that may not be dropped not counted.
    share
        Share of each fold's training pages they are trained on; 1 in the last round.
    """

    n_candidates: int
    share: float


@dataclass(frozen=True)
class CandidateScore:
    """How a candidate did in one round.

    Attributes
    ----------
    n_pages
        Pages trained on in each fold.
    scores
        Of the answers of all folds together, as in every report.
    by_fold
        Macro-F1 of each fold.
    """

    n_pages: tuple[int, ...]
    scores: Scores
    by_fold: tuple[float, ...]


def plan_rounds(n_candidates: int, *, factor: int, n_pages: int, min_pages: int) -> tuple[Round, ...]:
    """Who takes part in which round with how many pages.

    Parameters
    ----------
    n_candidates
        How many there are.
    factor
        One candidate in so many goes on to the next round, with so many times the pages.
    n_pages
        Pages that a fold has to train on.
    min_pages
        The first round has at least so many; all of them where there are no more.

    Returns
    -------
    The rounds; in the last one at least two candidates, if there are as many, are trained on all pages.

    Examples
    --------
    >>> [(r.n_candidates, round(r.share, 2)) for r in plan_rounds(27, factor=3, n_pages=400, min_pages=20)]
    [(27, 0.11), (9, 0.33), (3, 1.0)]
    >>> plan_rounds(27, factor=3, n_pages=40, min_pages=20)
    (Round(n_candidates=27, share=1.0),)
    """
    sizes = [n_candidates]
    while sizes[-1] > factor and n_pages >= min_pages * factor ** len(sizes):
        sizes.append(-(-sizes[-1] // factor))
    return tuple(Round(size, 1 / factor ** (len(sizes) - 1 - i)) for i, size in enumerate(sizes))


def split_origins(labelled: pd.DataFrame, *, n_folds: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows that folds are cut through and scored, and aligned ones that are only trained on.

    Parameters
    ----------
    labelled
        Labelled rows.
    n_folds
        Folds by site; where the others stand on fewer sites, all rows are treated alike.

    Returns
    -------
    Both tables, with the index of the rows.
    """
    is_aligned = origins_of(labelled) == ALIGNED
    if SITE not in labelled.columns or labelled.loc[~is_aligned, SITE].nunique() < n_folds:
        is_aligned = np.zeros(len(labelled), dtype=np.bool_)
    return labelled[~is_aligned], labelled[is_aligned]


def check_searchable(labelled: pd.DataFrame, *, n_folds: int) -> int:
    """Refuse rows that no search can use.

    Parameters
    ----------
    labelled
        Labelled rows.
    n_folds
        Folds by site.

    Returns
    -------
    Pages that the smallest training part of a fold has.

    Raises
    ------
    ValueError
        If they have fewer sites than folds, an aligned row has no site, or there is too little of a label.
    """
    rows, aligned = split_origins(labelled, n_folds=n_folds)
    check_trainable(rows, n_folds=n_folds)
    n_without = int(aligned[SITE].isna().sum())
    if n_without:
        raise ValueError(f"corpus: every aligned paragraph must have a site for folds by site; got {n_without} without")
    return min(fitted[PAGE].nunique() for fitted, _ in _folds(rows, aligned, n_folds=n_folds, seed=0))


def _folds(rows: pd.DataFrame, aligned: pd.DataFrame, *, n_folds: int, seed: int) -> Iterator[tuple[pd.DataFrame, Any]]:
    """Rows to train on, aligned ones of other sites among them, and the numbers of those held out.

    The same folds as :func:`newswinnow.evaluation.validation.cross_validate_sites` cuts.
    """
    folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    for fit_rows, held in folds.split(rows, rows[LABEL].to_numpy(dtype=str), groups=rows[SITE]):
        fitted = rows.iloc[fit_rows]
        if len(aligned):
            fitted = pd.concat([fitted, aligned[~aligned[SITE].isin(set(rows[SITE].iloc[held]))]])
        yield fitted, held


def _some_pages(fitted: pd.DataFrame, order: Sequence[Any], share: float) -> pd.DataFrame:
    """The first pages in a given order; a larger share holds the smaller ones."""
    here = set(fitted[PAGE])
    pages = [page for page in order if page in here]
    return fitted[fitted[PAGE].isin(pages[: int(np.ceil(share * len(pages)))])]


def score_candidate(corpus: pd.DataFrame, candidate: Candidate, *, share: float, n_folds: int) -> CandidateScore:
    """Train a candidate on a share of the pages of each fold by site and score its answers on the sites held out.

    Parameters
    ----------
    corpus
        A paragraph table with sites, an index that names each row once; rows without a label are context.
    candidate
        What to train.
    share
        Share of the training pages of each fold; with 1 the score is that of
        :func:`~newswinnow.evaluation.validation.cross_validate_sites`.
    n_folds
        Number of folds.

    Returns
    -------
    Its score, at the level of information that a model which knows several chooses by itself.

    Raises
    ------
    ValueError
        If the chosen pages cannot train it.
    """
    labelled = labelled_rows(corpus)
    spec, fit = candidate.spec, FoldFit(candidate.spec, candidate.mix, candidate.seed, corpus)
    rows, aligned = split_origins(labelled, n_folds=n_folds)
    order = np.random.default_rng(candidate.seed).permutation(np.unique(labelled[PAGE].to_numpy(dtype=str))).tolist()
    predicted, n_pages, by_fold = np.empty(len(rows), dtype=object), [], []
    for fitted, held in _folds(rows, aligned, n_folds=n_folds, seed=candidate.seed):
        chosen = _some_pages(fitted, order, share)
        check_counts(chosen[LABEL], at_least=min_per_label(spec), where=f"corpus, {share:.3g} of a fold's pages")
        predicted[held] = fit.answers(fit(chosen), rows.iloc[held])[AUTO]
        n_pages.append(int(chosen[PAGE].nunique()))
        by_fold.append(_macro_f1(rows[LABEL].iloc[held], predicted[held]))
    return CandidateScore(tuple(n_pages), score(rows[LABEL], predicted, rows[PAGE], seed=candidate.seed), tuple(by_fold))


def _macro_f1(truth: Any, predicted: Any) -> float:
    confusion = confusion_by_page(label_codes(truth), label_codes(predicted), np.zeros(len(predicted)))[0]
    return float(score_confusion(confusion).macro_f1)


def survivors(macro_f1: dict[int, float | None], n_kept: int) -> list[int]:
    """Who goes on.

    Parameters
    ----------
    macro_f1
        Candidate to score; None for one that could not be trained.
    n_kept
        How many go on, apart from candidate 0, which is never dropped while it can be trained.

    Returns
    -------
    Their numbers, ascending; of equal ones the first.

    Examples
    --------
    >>> survivors({0: 0.5, 1: None, 2: 0.9, 3: 0.7, 4: 0.9}, 2)
    [0, 2, 4]
    """
    scored = {number: value for number, value in macro_f1.items() if value is not None}
    best = sorted((number for number in scored if number), key=lambda number: (-scored[number], number))[:n_kept]
    return sorted([*best, *([0] if 0 in scored else [])])
