"""Fitting a model by its specification to a labelled table.

Checks that the table can train at all come first, before hours are spent; measuring is left to :mod:`newswinnow.evaluation`.
"""

import hashlib
import logging
import warnings
from typing import Any

import pandas as pd
from sklearn.exceptions import ConvergenceWarning

from newswinnow.models.predictor import Predictor
from newswinnow.models.registry import ModelSpec, build_model, min_per_label
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import LABEL, PAGE, POSITION, SITE, TEXT, labelled_rows

MIN_PER_CLASS = 2

_LOG = logging.getLogger(__name__)


def table_digest(table: pd.DataFrame) -> str:
    """Digest of what a table says, whatever file it came from.

    Parameters
    ----------
    table
        A paragraph table.

    Returns
    -------
    sha256 over page, position, text and label of every row, in order.
    """
    digest = hashlib.sha256()
    labels = table[LABEL].astype(object).fillna("").tolist() if LABEL in table.columns else [""] * len(table)
    for page, position, text, label in zip(table[PAGE], table[POSITION], table[TEXT], labels, strict=True):
        digest.update(f"{page}\x1f{position}\x1f{text}\x1f{label}\x1e".encode())
    return digest.hexdigest()


def check_counts(labels: pd.Series, *, at_least: int, where: str) -> None:
    """Refuse labels that no model can be trained on.

    Parameters
    ----------
    labels
        Label strings, shape (n_paragraphs,).
    at_least
        Paragraphs that every label present must have.
    where
        What the message names as their place.

    Raises
    ------
    ValueError
        If a value is not one of the three labels, fewer than two of them occur, or one has too few paragraphs.
    """
    counts = labels.astype(str).value_counts()
    unknown = sorted(set(counts.index) - set(LABELS))
    if unknown:
        raise ValueError(f"{where}: label must be one of {', '.join(LABELS)}; got {unknown[0]!r}")
    shown = ", ".join(f"{label} {counts.get(label, 0)}" for label in LABELS)
    if len(counts) < 2:
        raise ValueError(f"{where}: must have at least two labels to train on; got {shown}")
    if counts.min() < at_least:
        raise ValueError(f"{where}: every label present needs at least {at_least} paragraphs; got {shown}")


def check_trainable(table: pd.DataFrame, *, n_folds: int = 0, spec: ModelSpec | None = None) -> None:
    """Refuse a table that no model can be trained on.

    Parameters
    ----------
    table
        A paragraph table with labels.
    n_folds
        Folds by site that will be asked for; 0 for none.
    spec
        What will be trained, as far as it is known.

    Raises
    ------
    ValueError
        If a label is unknown, fewer than two labels occur, one has fewer than two paragraphs, than folds or than the model needs,
        there are fewer sites than folds, or a labelled paragraph has no site to cut folds by.
    """
    rows = labelled_rows(table)
    check_counts(rows[LABEL], at_least=max(MIN_PER_CLASS, n_folds, min_per_label(spec) if spec else 0), where="corpus")
    if n_folds:
        n_sites = rows[SITE].nunique() if SITE in rows.columns else 0
        if n_sites < n_folds:
            raise ValueError(f"corpus: must have at least as many sites as folds, {n_folds}; got {n_sites} sites")
        n_without = int(rows[SITE].isna().sum())
        if n_without:
            raise ValueError(f"corpus: every labelled paragraph must have a site for folds by site; got {n_without} without")


def train(corpus: pd.DataFrame, spec: ModelSpec | None = None, *, seed: int = 0) -> Predictor:
    """Train a model on the labelled rows of a table.

    Parameters
    ----------
    corpus
        A paragraph table with labels.
    spec
        What to train; the default is TF-IDF with surface features and logistic regression.
    seed
        Seed of everything random.

    Returns
    -------
    The predictor, its manifest filled with specification and training digest.

    Raises
    ------
    ValueError
        If the table cannot train a model.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [("Share", "boilerplate"), ("Menu", "boilerplate"), ("It rained.", "news"), ("He ran.", "news")]
    >>> corpus = pd.DataFrame(rows, columns=["text", "label"]).assign(page="p", position=range(4))
    >>> train(corpus, ModelSpec("three-line")).predict(["Share"]).tolist()
    ['boilerplate']
    """
    spec = spec or ModelSpec()
    check_trainable(corpus, spec=spec)
    rows = labelled_rows(corpus)
    estimator = fit_quietly(build_model(spec, seed=seed), rows, rows[LABEL].to_numpy(dtype=str))
    training = {
        "digest": table_digest(rows),
        "n_paragraphs": len(rows),
        "n_pages": int(rows[PAGE].nunique()),
        "labels": {str(label): int((rows[LABEL] == label).sum()) for label in LABELS},
        "seed": seed,
    }
    return Predictor(estimator, {"spec": spec.as_dict(), "training": training, "metrics": {}})


def fit_quietly(estimator: Any, X: Any, y: Any) -> Any:
    """Fit, turning a failure to converge into a logged warning of one line instead of a screenful.

    Parameters
    ----------
    estimator
        Unfitted classifier.
    X
        A paragraph table.
    y
        Labels, shape (n_paragraphs,).

    Returns
    -------
    The fitted estimator.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        fitted = estimator.fit(X, y)
    for warning in caught:
        if not issubclass(warning.category, ConvergenceWarning):
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    if any(issubclass(warning.category, ConvergenceWarning) for warning in caught):
        _LOG.warning("training: should converge; got a stop at the maximum number of iterations")
    return fitted
