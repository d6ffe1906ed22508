"""Cross-validation on the training pages: the score on sites never seen, and beside it what a random split would pretend.

Both use the same scores as every report; choosing hyper-parameters by them is left to the experiments.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import Parallel, delayed
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from newswinnow.evaluation.intervals import Estimate
from newswinnow.evaluation.scores import score
from newswinnow.models.fitting import check_counts, fit_pages, fit_weighted
from newswinnow.models.mixing import LabelMix, origins_of
from newswinnow.models.predictor import AUTO, Predictor, contexts_for
from newswinnow.models.registry import ModelSpec, build_model, min_per_label
from newswinnow.models.saved.families import deployed
from newswinnow.models.training import check_trainable
from newswinnow.paragraphs.table import ALIGNED, LABEL, PAGE, SITE, SOURCE, labelled_rows

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


def _check_folds(labels: pd.Series, spec: ModelSpec, folds: dict[str, list[Any]]) -> None:
    """Refuse before the first fit what the last one could not be trained on."""
    for kind, parts in folds.items():
        for i, (fit_rows, *_) in enumerate(parts, start=1):
            check_counts(labels.iloc[fit_rows], at_least=min_per_label(spec), where=f"corpus, all but fold {i} {kind}")


def _check_sites(aligned: pd.DataFrame) -> None:
    """Refuse aligned labels without a site: nobody could tell which fold may train on them."""
    n_without = int(aligned[SITE].isna().sum()) if SITE in aligned.columns else len(aligned)
    if n_without:
        raise ValueError(f"corpus: every aligned paragraph must have a site for folds by site; got {n_without} without")


@dataclass(frozen=True)
class FoldFit:
    """What is trained in each fold, and the whole table, whose unlabelled paragraphs are context."""

    spec: ModelSpec
    mix: LabelMix
    seed: int
    table: pd.DataFrame

    def __call__(self, rows: pd.DataFrame) -> Predictor:
        """A model fitted to some labelled rows of the table."""
        weights = self.mix.row_weights(rows, self.spec, seed=self.seed)
        model = build_model(self.spec, seed=self.seed)
        if not self.spec.needs_pages:
            return Predictor(fit_weighted(model, rows, weights, spec=self.spec))
        # Temperatures change no label, and finding them takes as long as the fit.
        fitted = fit_pages(model.set_params(calibration_share=0.0), self.table, rows, weights)
        return Predictor(fitted, contexts=deployed(fitted).contexts)

    def answers(self, predictor: Predictor, rows: pd.DataFrame) -> dict[str, Any]:
        """Labels of some rows at every level, first what the model chooses by itself."""
        if not self.spec.needs_pages:
            return {AUTO: predictor.estimator.predict(rows)}
        pages = self.table[self.table[PAGE].isin(rows[PAGE].unique())]
        levels = (AUTO, *contexts_for(predictor, self.table))
        return {level: pd.Series(predictor.predict(pages, context=level), pages.index)[rows.index].to_numpy() for level in levels}


def _fold_answers(rows: pd.DataFrame, aligned: pd.DataFrame, fold: Any, fit: FoldFit) -> dict[str, Any]:
    """Answers for the held rows of a fold by level; aligned labels help to train where their site is not held out."""
    fit_rows, held_rows, held_sites = fold
    fitted = rows.iloc[fit_rows]
    if len(aligned):
        fitted = pd.concat([fitted, aligned[~aligned[SITE].isin(held_sites)]])
    return fit.answers(fit(fitted), rows.iloc[held_rows])


def _out_of_fold(
    rows: pd.DataFrame, aligned: pd.DataFrame, folds: Sequence[Any], fit: FoldFit, *, n_jobs: int, tick: Callable[[], None]
) -> dict[str, Any]:
    """Out-of-fold answers for the rows by level."""
    predicted: dict[str, Any] = {}
    tasks = (delayed(_fold_answers)(rows, aligned, fold, fit) for fold in folds)
    # One after the other without joblib, which has no use there and nothing to swallow an interruption with.
    answered = Parallel(n_jobs=n_jobs, return_as="generator")(tasks) if n_jobs > 1 else (run(*a, **b) for run, a, b in tasks)
    for fold, found in zip(folds, answered, strict=True):
        for level, answers in found.items():
            predicted.setdefault(level, np.empty(len(rows), dtype=object))[fold[1]] = answers
        tick()
    return predicted


def _with_sites(folds: Iterable[Any], sites: pd.Series | None) -> list[Any]:
    """Folds with the sites that no row of the training part may come from; none without ``sites``."""
    return [(fit_rows, held, set(sites.iloc[held]) if sites is not None else set()) for fit_rows, held in folds]


def _only_trained_on(labelled: pd.DataFrame, *, n_folds: int) -> npt.NDArray[np.bool_]:
    """Which rows are aligned, if the others can be cut into folds by site; none if they cannot."""
    is_aligned: npt.NDArray[np.bool_] = origins_of(labelled) == ALIGNED
    n_sites = labelled.loc[~is_aligned, SITE].nunique() if SITE in labelled.columns else 0
    return is_aligned if n_sites >= n_folds else np.zeros(len(labelled), dtype=np.bool_)


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
    labelled = labelled_rows(corpus)
    mix = mix or LabelMix()
    is_aligned = _only_trained_on(labelled, n_folds=n_folds)
    rows, aligned = labelled[~is_aligned], labelled[is_aligned]
    check_trainable(rows, n_folds=n_folds, spec=spec)
    _check_sites(aligned)
    labels = rows[LABEL].to_numpy(dtype=str)
    by_site = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed).split(rows, labels, groups=rows[SITE])
    at_random = StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(rows, labels)
    folds = {"by site": _with_sites(by_site, rows[SITE]), "at random": _with_sites(at_random, None)}
    _check_folds(rows[LABEL], spec, folds)
    fit = FoldFit(spec, mix, seed, corpus)
    predicted = {
        kind: _out_of_fold(rows, aligned, parts, fit, n_jobs=n_jobs, tick=partial(progress, f"cross-validating {kind}"))
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
