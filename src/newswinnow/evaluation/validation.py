"""Cross-validation on the training pages: the score on sites never seen, and beside it what a random split would pretend.

Both use the same scores as every report; choosing hyper-parameters by them is left to the experiments.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from newswinnow.evaluation.intervals import Estimate
from newswinnow.evaluation.scores import score
from newswinnow.models.fitting import check_counts, fit_weighted
from newswinnow.models.mixing import ALIGNED, LabelMix, origins_of
from newswinnow.models.registry import ModelSpec, build_model, min_per_label
from newswinnow.models.training import check_trainable
from newswinnow.paragraphs.table import LABEL, PAGE, SITE, SOURCE, labelled_rows

Progress = Callable[[str], None]


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
    """

    n_folds: int
    unseen_sites: Estimate
    random_split: Estimate
    leakage_gap: float
    by_source: dict[str, Estimate]

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
class _Fit:
    """What is trained in each fold."""

    spec: ModelSpec
    mix: LabelMix
    seed: int

    def __call__(self, rows: pd.DataFrame) -> Any:
        weights = self.mix.row_weights(rows, self.spec, seed=self.seed)
        return fit_weighted(build_model(self.spec, seed=self.seed), rows, weights, spec=self.spec)


def _out_of_fold(rows: pd.DataFrame, aligned: pd.DataFrame, folds: Iterable[Any], fit: _Fit, *, tick: Callable[[], None]) -> Any:
    """Out-of-fold answers for the rows; aligned labels help to train where their site is not held out."""
    predicted = np.empty(len(rows), dtype=object)
    for fit_rows, held_rows, held_sites in folds:
        fitted = rows.iloc[fit_rows]
        if len(aligned):
            fitted = pd.concat([fitted, aligned[~aligned[SITE].isin(held_sites)]], ignore_index=True)
        predicted[held_rows] = fit(fitted).predict(rows.iloc[held_rows])
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
    labelled = labelled_rows(corpus)
    mix = mix or LabelMix()
    is_aligned = _only_trained_on(labelled, n_folds=n_folds)
    rows, aligned = labelled[~is_aligned].reset_index(drop=True), labelled[is_aligned]
    check_trainable(rows, n_folds=n_folds, spec=spec)
    _check_sites(aligned)
    labels = rows[LABEL].to_numpy(dtype=str)
    by_site = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed).split(rows, labels, groups=rows[SITE])
    at_random = StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(rows, labels)
    folds = {"by site": _with_sites(by_site, rows[SITE]), "at random": _with_sites(at_random, None)}
    _check_folds(rows[LABEL], spec, folds)
    fit = _Fit(spec, mix, seed)
    predicted = {
        kind: _out_of_fold(rows, aligned, parts, fit, tick=partial(progress, f"cross-validating {kind}"))
        for kind, parts in folds.items()
    }
    estimates = {name: score(rows[LABEL], found, rows[PAGE], seed=seed).macro_f1 for name, found in predicted.items()}
    by_source = {}
    if SOURCE in rows.columns and len(rows[SOURCE].unique()) > 1:
        for source, part in rows.groupby(SOURCE):
            found = predicted["by site"][part.index]
            by_source[str(source)] = score(part[LABEL], found, part[PAGE], seed=seed).macro_f1
    gap = estimates["at random"].value - estimates["by site"].value
    return Validation(n_folds, estimates["by site"], estimates["at random"], gap, by_source)
