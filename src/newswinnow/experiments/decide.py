"""Making a decision file: a saved model's probabilities on labelled pages it has not seen, calibrated.

The bound itself stands in :mod:`newswinnow.evaluation.risk`; using the file is left to prediction.
"""

import tomllib
from pathlib import Path
from typing import Any, Final

import pandas as pd
from sklearn.model_selection import GroupKFold

from newswinnow.corpus.write import write_text
from newswinnow.evaluation.decisions import Costs, Decision
from newswinnow.evaluation.risk import CONFIDENCE, news_loss_curve
from newswinnow.models.predictor import AUTO, Predictor
from newswinnow.models.registry import ModelSpec
from newswinnow.models.training import check_trainable, site_digest, train
from newswinnow.paragraphs.table import PAGE, PREDICTION_COLUMNS, SITE, require_columns

LIMITS: Final = (0.005, 0.01, 0.02, 0.05, 0.1)
"""Limits on lost news that are shown after a calibration."""


def read_costs(path: Path | None) -> Costs:
    """Costs of mistakes from a TOML file with ``mistakes`` (true label before answer) and ``unsure``.

    Parameters
    ----------
    path
        The file; None for mistakes that cost 1 each, and no abstention.

    Returns
    -------
    The costs.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it does not hold costs.
    """
    if path is None:
        return Costs()
    if not path.is_file():
        raise FileNotFoundError(f"{path}: must be an existing TOML file; got nothing there")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        unknown = sorted(set(values) - {"mistakes", "unsure"})
        if unknown:
            raise ValueError(f"costs: must have no key but mistakes and unsure; got {unknown[0]!r}")
        mistakes = values.get("mistakes", Costs().mistakes)
        return Costs(tuple(tuple(row) for row in mistakes), values.get("unsure"))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from error


def _digest_of(model: Predictor) -> str:
    members = model.manifest.get("members", {})
    digests = [entry["sha256"] for entry in members.values()]
    if len(digests) != 1:
        raise ValueError(f"model: must be a saved one, whose digest a decision can name; got {len(digests)} digests")
    return str(digests[0])


def _check_unseen(model: Predictor, corpus: pd.DataFrame) -> None:
    """Refuse to calibrate on sites that the model remembers."""
    known = set(model.manifest.get("training", {}).get("sites") or ())
    sites = set(map(str, corpus[SITE].dropna())) if SITE in corpus.columns else set()
    seen = sorted(site for site in sites if site_digest(site) in known)
    if seen:
        raise ValueError(
            f"CORPUS: must hold no site the model was trained on; got {len(seen)}, first {seen[0]!r} (--folds trains it anew)"
        )


def out_of_fold(model: Predictor, corpus: pd.DataFrame, *, folds: int, context: str = AUTO) -> pd.DataFrame:
    """Each page predicted by a model of the same specification that was trained on other sites.

    Parameters
    ----------
    model
        Whose specification and seed to use.
    corpus
        Labelled pages with sites; a page without one counts as a site of its own.
    folds
        How many models to train.
    context
        Level of information to use.

    Returns
    -------
    The table with predictions.

    Raises
    ------
    ValueError
        If there are fewer than two folds, or the corpus cannot train them.
    """
    if folds < 2:
        raise ValueError(f"--folds: must be 0 or at least 2; got {folds}")
    require_columns(corpus, [SITE], where="CORPUS")
    spec = ModelSpec(**model.manifest["spec"])
    seed = int(model.manifest.get("training", {}).get("seed", 0))
    check_trainable(corpus, n_folds=folds, spec=spec)
    groups = corpus[SITE].fillna(corpus[PAGE])
    parts = []
    for fit_rows, held_rows in GroupKFold(folds, shuffle=True, random_state=seed).split(corpus, groups=groups):
        fold = train(corpus.iloc[fit_rows], spec, seed=seed)
        parts.append(fold.predict_table(corpus.iloc[held_rows], context=context))
    return pd.concat(parts).sort_index()


def calibrate(
    model: Predictor,
    corpus: pd.DataFrame,
    *,
    costs: Costs | None = None,
    folds: int = 0,
    confidence: float = CONFIDENCE,
    context: str = AUTO,
    seed: int = 0,
) -> Decision:
    """Calibrate a model's decisions.

    Parameters
    ----------
    model
        A saved model, loaded.
    corpus
        Labelled pages of sites that it was not trained on; or, with folds, those it was trained on.
    costs
        What mistakes cost; None for 1 each.
    folds
        Train the specification anew in so many folds by site and calibrate on the pages left out of each; 0 to use the model as
        it is. The bound then holds for models trained on all folds but one; the one trained on all is taken to be no worse.
    confidence
        Chance with which a bound on lost news holds.
    context
        Level of information to use.
    seed
        Seed of the order in which pages are looked at.

    Returns
    -------
    The decision.

    Raises
    ------
    ValueError
        If the model is not a saved one, knows a site of the corpus, or the corpus does not serve.
    """
    digest = _digest_of(model)
    corpus = corpus.drop(columns=[c for c in PREDICTION_COLUMNS if c in corpus.columns]).reset_index(drop=True)
    if folds:
        predicted = out_of_fold(model, corpus, folds=folds, context=context)
    else:
        _check_unseen(model, corpus)
        predicted = model.predict_table(corpus, context=context)
    curve = news_loss_curve(predicted, confidence=confidence, seed=seed)
    return Decision(digest, context, costs or Costs(), curve)


def reachable(decision: Decision, limit: float) -> list[Any]:
    """A row of text on one limit: limit, threshold, loss in calibration and what else is kept; or why it cannot be ensured.

    Parameters
    ----------
    decision
        A calibrated decision.
    limit
        Largest mean share of a page's news to lose.

    Returns
    -------
    Four cells.
    """
    try:
        threshold = decision.news_threshold(limit)
    except ValueError as error:
        return [f"{limit:g}", "", str(error).split("; ", 1)[0], ""]
    curve = decision.news_loss
    points = {point.threshold: point for point in (curve.points if curve else ())}
    point = points[threshold]
    return [f"{limit:g}", f"{threshold:g}", f"{point.loss:.4f}", f"{point.rest_kept:.1%}"]


def write_decision(decision: Decision, path: Path) -> None:
    """Write a decision file at once.

    Parameters
    ----------
    decision
        What to write.
    path
        Where to; its folder is made if need be.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, decision.as_json())
