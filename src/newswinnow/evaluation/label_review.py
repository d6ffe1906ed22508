"""Labels that a model of other sites doubts, the most doubtful first.

The file in which a person decides about them, and putting the decisions into the corpus, is left to
:mod:`newswinnow.corpus.review`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from newswinnow.corpus.splits import sites_of
from newswinnow.evaluation.scores import label_codes
from newswinnow.models.fitting import check_counts, fit_quietly
from newswinnow.models.registry import ModelSpec, build_model, min_per_label
from newswinnow.models.training import check_trainable
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import LABEL, FloatArray, IntArray, labelled_rows

CONFIDENCE: Final = "confidence"
SUGGESTED: Final = "suggested"


@dataclass(frozen=True)
class Suspects:
    """Labelled paragraphs, the most doubtful label first.

    Attributes
    ----------
    table
        The labelled rows with two more columns: ``confidence``, the out-of-fold probability of the label they carry, and
        ``suggested``, the most probable label. Ascending in confidence; ties in the order of the corpus.
    n_likely
        How many of them, counted from the top, are likely wrong: as many as rows whose suggested label is another and at least as
        probable as is usual for rows that carry that label (the off-diagonal of the confident joint, Northcutt et al. 2021).
    """

    table: pd.DataFrame
    n_likely: int


def out_of_fold(corpus: pd.DataFrame, spec: ModelSpec | None = None, *, n_folds: int = 5, seed: int = 0) -> FloatArray:
    """Probabilities of every labelled row by a model that saw no page of its site.

    Parameters
    ----------
    corpus
        A paragraph table with labels.
    spec
        What to fit; the default is TF-IDF with surface features and logistic regression.
    n_folds
        Folds, cut by registrable domain.
    seed
        Seed of folds and models.

    Returns
    -------
    Shape (n_labelled, 3), in label order; 0 for a label that occurs nowhere.

    Raises
    ------
    ModuleNotFoundError
        If tldextract is not installed.
    ValueError
        If the table cannot train a model, be it only what is left of it beside one fold, or has fewer sites than folds.
    """
    if n_folds < 2:
        raise ValueError(f"folds: must be >= 2; got {n_folds}")
    spec = spec or ModelSpec()
    check_trainable(corpus, spec=spec)
    rows = labelled_rows(corpus)
    sites = sites_of(rows)
    check_counts(rows[LABEL], at_least=n_folds, where="corpus")
    if sites.nunique() < n_folds:
        raise ValueError(f"corpus: must have at least as many sites as folds, {n_folds}; got {sites.nunique()} sites")
    labels = rows[LABEL].to_numpy(dtype=str)
    probabilities = np.zeros((len(rows), len(LABELS)))
    folds = list(StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed).split(labels, labels, groups=sites))
    for i, (fit_rows, _) in enumerate(folds, start=1):
        check_counts(rows[LABEL].iloc[fit_rows], at_least=min_per_label(spec), where=f"corpus, all but fold {i} by site")
    for fit_rows, held_rows in folds:
        model = fit_quietly(build_model(spec, seed=seed), rows.iloc[fit_rows], labels[fit_rows])
        columns = label_codes(model.classes_)
        probabilities[held_rows[:, None], columns] = model.predict_proba(rows.iloc[held_rows])
    return probabilities


def _n_likely(probabilities: FloatArray, given: IntArray) -> int:
    n = len(LABELS)
    confidence = probabilities[np.arange(len(given)), given]
    usual = np.array([confidence[given == label].mean() if (given == label).any() else np.inf for label in range(n)])
    sure = np.where(probabilities >= usual, probabilities, -1.0)
    return int((sure.max(axis=1) > sure[np.arange(len(given)), given]).sum())


def rank_suspects(rows: pd.DataFrame, probabilities: FloatArray) -> Suspects:
    """Rank labels by how little a model believes them.

    The score is the probability of the label given, the "self-confidence" of confident learning. None of cleanlab's other scores
    brought more planted errors to the top (``experiments/020-label-review``).

    Parameters
    ----------
    rows
        Labelled rows of a paragraph table.
    probabilities
        Out-of-fold, shape (n_labelled, 3), in label order.

    Returns
    -------
    All rows, ranked.

    Raises
    ------
    ValueError
        If there is not one row of probabilities for every row.
    """
    if probabilities.shape != (len(rows), len(LABELS)):
        raise ValueError(f"probabilities: must have the shape ({len(rows)}, {len(LABELS)}); got {probabilities.shape}")
    given = label_codes(rows[LABEL])
    names = np.array([str(label) for label in LABELS], dtype=object)
    found = rows.assign(
        **{CONFIDENCE: probabilities[np.arange(len(given)), given].round(6), SUGGESTED: names[probabilities.argmax(axis=1)]}
    )
    return Suspects(found.sort_values(CONFIDENCE, kind="stable"), _n_likely(probabilities, given))


def suspect_labels(corpus: pd.DataFrame, spec: ModelSpec | None = None, *, n_folds: int = 5, seed: int = 0) -> Suspects:
    """Rank the labels of a corpus by how little a model fitted on other sites believes them.

    Parameters
    ----------
    corpus
        A paragraph table with labels.
    spec
        What to fit.
    n_folds
        Folds by site.
    seed
        Seed of folds and models.

    Returns
    -------
    All labelled rows, ranked.

    Raises
    ------
    ModuleNotFoundError
        If tldextract is not installed.
    ValueError
        If the table cannot train a model or has fewer sites than folds.
    """
    return rank_suspects(labelled_rows(corpus), out_of_fold(corpus, spec, n_folds=n_folds, seed=seed))
