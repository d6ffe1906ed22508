"""Cross-validation on the training pages: the score on sites never seen, and beside it what a random split would pretend.

Both use the same scores as every report; choosing hyper-parameters by them is left to the experiments.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from newswinnow.evaluation.scores import Estimate, score
from newswinnow.models.registry import ModelSpec, build_model, min_per_label
from newswinnow.models.training import check_counts, check_trainable, fit_quietly
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
        for i, (fit_rows, _) in enumerate(parts, start=1):
            check_counts(labels.iloc[fit_rows], at_least=min_per_label(spec), where=f"corpus, all but fold {i} {kind}")


def _out_of_fold(rows: pd.DataFrame, spec: ModelSpec, folds: Iterable[Any], *, seed: int, tick: Callable[[], None]) -> Any:
    labels = rows[LABEL].to_numpy(dtype=str)
    predicted = np.empty(len(rows), dtype=object)
    for fit_rows, held_rows in folds:
        model = fit_quietly(build_model(spec, seed=seed), rows.iloc[fit_rows], labels[fit_rows])
        predicted[held_rows] = model.predict(rows.iloc[held_rows])
        tick()
    return predicted


def cross_validate_sites(
    corpus: pd.DataFrame, spec: ModelSpec, *, n_folds: int = 5, seed: int = 0, progress: Progress = _ignore
) -> Validation:
    """Cross-validate a specification by site and, for the leakage gap, at random.

    Parameters
    ----------
    corpus
        A paragraph table with labels and sites.
    spec
        What to train in each fold.
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
    check_trainable(corpus, n_folds=n_folds, spec=spec)
    rows = labelled_rows(corpus).reset_index(drop=True)
    labels = rows[LABEL].to_numpy(dtype=str)
    by_site = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed).split(rows, labels, groups=rows[SITE])
    at_random = StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(rows, labels)
    folds = {"by site": list(by_site), "at random": list(at_random)}
    _check_folds(rows[LABEL], spec, folds)
    predicted = {
        kind: _out_of_fold(rows, spec, parts, seed=seed, tick=partial(progress, f"cross-validating {kind}"))
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
