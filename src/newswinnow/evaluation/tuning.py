"""One candidate of a hyper-parameter search: trained on some of the pages, scored on sites it never saw, as reports score.

It also says how many candidates get how many pages (successive halving, Jamieson and Talwalkar 2016). What is tried, and keeping
what was found, is left to :mod:`newswinnow.experiments.search`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from newswinnow.evaluation.folds import FoldFit, fold_rows
from newswinnow.evaluation.scores import Scores, confusion_by_page, label_codes, score, score_confusion
from newswinnow.models.fitting import check_counts
from newswinnow.models.mixing import LabelMix
from newswinnow.models.predictor import AUTO
from newswinnow.models.registry import ModelSpec, min_per_label
from newswinnow.paragraphs.table import LABEL, PAGE, labelled_rows


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
    rows = fold_rows(labelled, n_folds=n_folds)
    rows.check(n_folds=n_folds)
    return min(rows.fitted(fold)[PAGE].nunique() for fold in rows.by_site(n_folds=n_folds, seed=0))


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
    fit = FoldFit(candidate.spec, candidate.mix, candidate.seed, corpus)
    parted = fold_rows(labelled, n_folds=n_folds)
    rows = parted.scored
    order = np.random.default_rng(candidate.seed).permutation(np.unique(labelled[PAGE].to_numpy(dtype=str))).tolist()
    predicted, n_pages, by_fold = np.empty(len(rows), dtype=object), [], []
    for fold in parted.by_site(n_folds=n_folds, seed=candidate.seed):
        chosen, held = _some_pages(parted.fitted(fold), order, share), parted.held(fold)
        check_counts(chosen[LABEL], at_least=min_per_label(fit.spec), where=f"corpus, {share:.3g} of a fold's pages")
        predicted[fold.held] = fit.answers(fit(chosen), held)[AUTO]
        n_pages.append(int(chosen[PAGE].nunique()))
        by_fold.append(_macro_f1(held[LABEL], predicted[fold.held]))
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
