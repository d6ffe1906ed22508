"""Fitting a model by its specification to a labelled table.

Checks that the table can train at all come first, before hours are spent; measuring is left to :mod:`newswinnow.evaluation`.
"""

import hashlib
from typing import Any

import pandas as pd

from newswinnow.models.fitting import check_counts, fit_pages, fit_weighted
from newswinnow.models.mixing import LabelMix, origins_of
from newswinnow.models.predictor import ALONE, Predictor
from newswinnow.models.registry import ModelSpec, build_model, min_per_label
from newswinnow.models.saved.families import deployed
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import LABEL, PAGE, POSITION, READ, SITE, TEXT, FloatArray, labelled_rows

MIN_PER_CLASS = 2


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


def site_digest(site: str) -> str:
    """Short digest of a site: enough to tell whether a model was trained on it, without a list of names in every model.

    Parameters
    ----------
    site
        Registrable domain.

    Returns
    -------
    The first 12 hexadecimal digits of its sha256.
    """
    return hashlib.sha256(site.encode()).hexdigest()[:12]


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


def train(corpus: pd.DataFrame, spec: ModelSpec | None = None, *, mix: LabelMix | None = None, seed: int = 0) -> Predictor:
    """Train a model on the labelled rows of a table.

    Parameters
    ----------
    corpus
        A paragraph table with labels.
    spec
        What to train; the default is TF-IDF with surface features and logistic regression.
    mix
        How much labels of each origin count; all the same by default.
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
    spec, mix = spec or ModelSpec(), mix or LabelMix()
    check_trainable(corpus, spec=spec)
    corpus = corpus.reset_index(drop=True)
    rows = labelled_rows(corpus)
    weights = mix.row_weights(rows, spec, seed=seed)
    rows, weights = rows[weights > 0], weights[weights > 0]
    check_trainable(rows, spec=spec)
    model = build_model(spec, seed=seed)
    estimator = fit_pages(model, corpus, rows, weights) if spec.needs_pages else fit_weighted(model, rows, weights, spec=spec)
    training = {
        "digest": table_digest(rows),
        "n_paragraphs": len(rows),
        "n_pages": int(rows[PAGE].nunique()),
        "labels": {str(label): int((rows[LABEL] == label).sum()) for label in LABELS},
        "seed": seed,
        "sites": sorted({site_digest(str(site)) for site in rows[SITE].dropna()}) if SITE in rows.columns else [],
        **_origins(rows, weights, mix),
    }
    contexts = getattr(deployed(estimator), "contexts", (ALONE,))
    return Predictor(estimator, {"spec": spec.as_dict(), "training": training, "metrics": {}}, contexts)


def _origins(rows: pd.DataFrame, weights: FloatArray, mix: LabelMix) -> dict[str, Any]:
    """What a manifest says of the origin of labels: nothing where all are read and count the same."""
    origins = pd.Series(origins_of(rows))
    if mix == LabelMix() and (origins == READ).all():
        return {}
    summed = pd.Series(weights).groupby(origins.to_numpy())
    return {
        "origins": {str(name): {"n_paragraphs": len(part), "weight": float(part.sum())} for name, part in summed},
        "min_agreement": mix.min_agreement,
    }
