"""Calling an estimator's ``fit``: with labels it can learn from, with weights where they differ, without a screenful of warnings.

What is fitted to which rows is left to :mod:`newswinnow.models.training`.
"""

import logging
import warnings
from typing import Any

import pandas as pd
from sklearn.exceptions import ConvergenceWarning

from newswinnow.models.registry import ModelSpec, weight_parameter
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import LABEL, PAGE, FloatArray

_LOG = logging.getLogger(__name__)


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


def fit_quietly(estimator: Any, X: Any, y: Any, **parameters: Any) -> Any:
    """Fit, turning a failure to converge into a logged warning of one line instead of a screenful.

    Parameters
    ----------
    estimator
        Unfitted classifier.
    X
        A paragraph table.
    y
        Labels, shape (n_paragraphs,).
    **parameters
        Passed on to ``fit``.

    Returns
    -------
    The fitted estimator.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        fitted = estimator.fit(X, y, **parameters)
    for warning in caught:
        if not issubclass(warning.category, ConvergenceWarning):
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    if any(issubclass(warning.category, ConvergenceWarning) for warning in caught):
        _LOG.warning("training: should converge; got a stop at the maximum number of iterations")
    return fitted


def fit_pages(estimator: Any, table: pd.DataFrame, rows: pd.DataFrame, weights: FloatArray) -> Any:
    """Fit to whole pages: the rows are learnt from, every other paragraph of their pages is context.

    Parameters
    ----------
    estimator
        Unfitted classifier of whole pages.
    table
        A paragraph table with an index that names each row once.
    rows
        Labelled rows of it.
    weights
        Weight of each of these rows, shape (n_rows,).

    Returns
    -------
    The fitted estimator.
    """
    labels, weight_of = rows[LABEL].astype(object)[weights > 0], pd.Series(weights, index=rows.index)
    pages = table[table[PAGE].isin(rows.loc[labels.index, PAGE].unique())]
    y = labels.reindex(pages.index).astype(object)
    return fit_quietly(
        estimator,
        pages,
        y.where(y.notna(), None).to_numpy(dtype=object),
        sample_weight=weight_of.reindex(pages.index, fill_value=0.0).to_numpy(),
    )


def fit_weighted(estimator: Any, rows: pd.DataFrame, weights: FloatArray, *, spec: ModelSpec) -> Any:
    """Fit to labelled rows, each counting as much as it weighs.

    Parameters
    ----------
    estimator
        Unfitted classifier.
    rows
        Labelled rows of a paragraph table.
    weights
        Shape (n_rows,); rows of weight 0 are left out.
    spec
        What the estimator was built from.

    Returns
    -------
    The fitted estimator.

    Raises
    ------
    ValueError
        If weights other than 0 and 1 are given to a model that can do nothing with them.
    """
    counts = weights > 0
    if not counts.all():
        rows, weights = rows[counts], weights[counts]
    parameters = {} if (weights == 1).all() else {weight_parameter(spec): weights}
    return fit_quietly(estimator, rows, rows[LABEL].to_numpy(dtype=str), **parameters)
