"""Cross-validation on the training pages: the score on sites never seen, and beside it what a random split would pretend.

Both use the same scores as every report; cutting folds is left to :mod:`newswinnow.evaluation.folds`, choosing by the scores
to the experiments.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from newswinnow.evaluation.folds import Fold, FoldFit, FoldRows, fold_rows
from newswinnow.evaluation.intervals import Estimate
from newswinnow.evaluation.scores import score
from newswinnow.models.fitting import check_counts
from newswinnow.models.mixing import LabelMix
from newswinnow.models.predictor import AUTO
from newswinnow.models.registry import ModelSpec, min_per_label
from newswinnow.paragraphs.table import LABEL, PAGE, SOURCE, labelled_rows

Progress = Callable[[str], None]


@dataclass(frozen=True)
class LevelValidation:
    """Cross-validated macro-F1 on sites never seen, at one level of information; ``by_source`` as of :class:`Validation`."""

    unseen_sites: Estimate
    by_source: dict[str, Estimate]


@dataclass(frozen=True)
class Validation:
    """Cross-validated macro-F1 with intervals over pages.

    Attributes
    ----------
    n_folds
        Folds of both splits.
    unseen_sites
        Folds cut by site.
    random_split
        Folds cut at random, neighbours of training paragraphs in the test fold.
    leakage_gap
        The random split's score less that on unseen sites.
    by_source
        The unseen-site score of each source, where the table has more than one.
    levels
        Level of information to the scores there, of models that know more than one; the scores above are those of what such a
        model chooses by itself.
    """

    n_folds: int
    unseen_sites: Estimate
    random_split: Estimate
    leakage_gap: float
    by_source: dict[str, Estimate]
    levels: dict[str, "LevelValidation"] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The validation as plain values, for ``metrics.json``."""
        return asdict(self)


def _ignore(step: str) -> None:
    """Progress for those who do not watch."""


def _check_folds(labels: pd.Series, spec: ModelSpec, folds: dict[str, list[Fold]]) -> None:
    """Refuse before the first fit what the last one could not be trained on."""
    for kind, parts in folds.items():
        for i, fold in enumerate(parts, start=1):
            check_counts(labels.iloc[fold.fitted], at_least=min_per_label(spec), where=f"corpus, all but fold {i} {kind}")


def _fold_answers(rows: FoldRows, fold: Fold, fit: FoldFit) -> dict[str, Any]:
    """Answers for the held rows of a fold by level."""
    return fit.answers(fit(rows.fitted(fold)), rows.held(fold))


def _out_of_fold(rows: FoldRows, folds: Sequence[Fold], fit: FoldFit, *, n_jobs: int, tick: Callable[[], None]) -> dict[str, Any]:
    """Out-of-fold answers for the scored rows by level."""
    predicted: dict[str, Any] = {}
    tasks = (delayed(_fold_answers)(rows, fold, fit) for fold in folds)
    # One after the other without joblib, which has no use there and nothing to swallow an interruption with.
    answered = Parallel(n_jobs=n_jobs, return_as="generator")(tasks) if n_jobs > 1 else (run(*a, **b) for run, a, b in tasks)
    for fold, found in zip(folds, answered, strict=True):
        for level, answers in found.items():
            predicted.setdefault(level, np.empty(len(rows.scored), dtype=object))[fold.held] = answers
        tick()
    return predicted


def cross_validate_sites(
    corpus: pd.DataFrame,
    spec: ModelSpec,
    *,
    mix: LabelMix | None = None,
    n_folds: int = 5,
    seed: int = 0,
    n_jobs: int = 1,
    progress: Progress = _ignore,
) -> Validation:
    """Cross-validate a specification by site and, for the leakage gap, at random.

    Aligned labels are only trained on: folds are cut through the others, and only those are scored. Where the others stand on too
    few sites for that, all labels are treated alike.

    Parameters
    ----------
    corpus
        A paragraph table with labels and sites.
    spec
        What to train in each fold.
    mix
        How much labels of each origin count in training; all the same by default.
    n_folds
        Number of folds.
    seed
        Seed of folds and models.
    n_jobs
        Folds fitted at once, each in a process of its own; the scores are the same.
    progress
        Called with a few words after each of the ``2 * n_folds`` fits.

    Returns
    -------
    The scores.

    Raises
    ------
    ValueError
        If the table has fewer sites than folds or cannot train a model, be it only what is left of it beside one fold.
    """
    if n_folds < 2:
        raise ValueError(f"folds: must be >= 2; got {n_folds}")
    corpus = corpus.reset_index(drop=True)
    parted = fold_rows(labelled_rows(corpus), n_folds=n_folds)
    parted.check(n_folds=n_folds, spec=spec)
    rows = parted.scored
    folds = {
        "by site": parted.by_site(n_folds=n_folds, seed=seed),
        "at random": parted.at_random(n_folds=n_folds, seed=seed),
    }
    _check_folds(rows[LABEL], spec, folds)
    fit = FoldFit(spec, mix or LabelMix(), seed, corpus)
    predicted = {
        kind: _out_of_fold(parted, parts, fit, n_jobs=n_jobs, tick=partial(progress, f"cross-validating {kind}"))
        for kind, parts in folds.items()
    }
    levels = {level: _level(rows, found, seed=seed) for level, found in predicted["by site"].items()}
    chosen = levels.pop(AUTO)
    at_random_score = score(rows[LABEL], predicted["at random"][AUTO], rows[PAGE], seed=seed).macro_f1
    gap = at_random_score.value - chosen.unseen_sites.value
    return Validation(n_folds, chosen.unseen_sites, at_random_score, gap, chosen.by_source, levels)


def _level(rows: pd.DataFrame, predicted: Any, *, seed: int) -> LevelValidation:
    by_source = {}
    if SOURCE in rows.columns and len(rows[SOURCE].unique()) > 1:
        found = pd.Series(predicted, index=rows.index)
        for source, part in rows.groupby(SOURCE):
            by_source[str(source)] = score(part[LABEL], found[part.index], part[PAGE], seed=seed).macro_f1
    return LevelValidation(score(rows[LABEL], predicted, rows[PAGE], seed=seed).macro_f1, by_source)
