"""A model on a labelled corpus: scores at every level of information, slices, calibration, and digests of what was measured.

Scores themselves stand in :mod:`newswinnow.evaluation.scores`; showing them is left to :mod:`newswinnow.reports`.
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from newswinnow.evaluation.calibration import Calibration, calibration_of
from newswinnow.evaluation.decisions import NewsLossPoint
from newswinnow.evaluation.explain import Explanation
from newswinnow.evaluation.intervals import N_RESAMPLES
from newswinnow.evaluation.risk import SelectivePoint, news_loss_curve, selective_curve
from newswinnow.evaluation.scores import Scores, score
from newswinnow.evaluation.slices import SEEN, is_small, slice_names, slices_of
from newswinnow.models.predictor import AUTO, Predictor, contexts_for
from newswinnow.models.training import table_digest
from newswinnow.paragraphs.label import Label
from newswinnow.paragraphs.table import (
    LABEL,
    PAGE,
    POSITION,
    PREDICTED,
    PROBABILITY_COLUMNS,
    SITE,
    TEXT,
    labelled_rows,
    require_columns,
)


@dataclass(frozen=True)
class Slice:
    """Scores on a part of the test set; ``is_small`` where it has too few pages or paragraphs to read much into them."""

    kind: str
    name: str
    scores: Scores
    is_small: bool


@dataclass(frozen=True)
class Evaluation:
    """Everything measured of one model on one corpus at one level of information, and the same at its other levels.

    Attributes
    ----------
    name
        What the corpus is called in reports.
    context
        Level of information used.
    scores
        Over all labelled paragraphs.
    slices
        By text length, place on the page, links, site and source, where the corpus has them.
    calibration
        Of the probabilities.
    selective
        Coverage and errors when only the surest predictions count.
    news_loss
        News lost and other paragraphs kept by thresholds on the probability of news; empty where no paragraph is news.
    data_digest, predictions_digest
        sha256 of what was scored and of what was predicted, probabilities included.
    table
        The whole corpus with predictions, unlabelled rows included.
    known_sites
        Digests of the sites that the model was trained on; None where they are unknown.
    levels
        The same corpus at the model's other levels of information, each without levels of its own.
    explained
        Why some of its wrong predictions are what they are, the surest first; empty where nobody asked.
    """

    name: str
    context: str
    scores: Scores
    slices: tuple[Slice, ...]
    calibration: Calibration
    selective: tuple[SelectivePoint, ...]
    news_loss: tuple[NewsLossPoint, ...]
    data_digest: str
    predictions_digest: str
    table: pd.DataFrame
    known_sites: Collection[str] | None = None
    levels: tuple["Evaluation", ...] = ()
    explained: tuple[Explanation, ...] = ()

    @property
    def by_context(self) -> dict[str, "Evaluation"]:
        """Every level that was measured, this one first."""
        return {level.context: level for level in (self, *self.levels)}

    @property
    def n_seen(self) -> int:
        """Labelled paragraphs of sites that the model was trained on, as far as both are known."""
        return sum(part.scores.n_paragraphs for part in self.slices if (part.kind, part.name) == (SITE, SEEN))

    def as_dict(self) -> dict[str, Any]:
        """The numbers as plain values for ``metrics.json``, other levels by their contexts; table and explanations stay out."""
        return {
            "name": self.name,
            "context": self.context,
            "data_digest": self.data_digest,
            "predictions_digest": self.predictions_digest,
            "scores": self.scores.as_dict(),
            "slices": [asdict(part) for part in self.slices],
            "calibration": asdict(self.calibration),
            "selective": [asdict(point) for point in self.selective],
            "news_loss": [asdict(point) for point in self.news_loss],
            "levels": {level.context: level.as_dict() for level in self.levels},
        }


def _slices(
    table: pd.DataFrame, rows: pd.DataFrame, known_sites: Collection[str] | None, seed: int, n_resamples: int
) -> Iterator[Slice]:
    for kind, of_table in slices_of(table, known_sites=known_sites).items():
        names = of_table.loc[rows.index]
        for name in slice_names(kind, names):
            part = rows[(names == name).to_numpy()]
            scores = score(part[LABEL], part[PREDICTED], part[PAGE], seed=seed, n_resamples=n_resamples)
            yield Slice(kind, name, scores, is_small(scores.n_pages, scores.n_paragraphs))


def _news_loss(rows: pd.DataFrame, seed: int) -> tuple[NewsLossPoint, ...]:
    """Every tenth point of the curve, enough to draw it."""
    has_news = bool((rows[LABEL] == Label.NEWS).any())
    return news_loss_curve(rows, seed=seed).points[::10] if has_news else ()


def _predictions_digest(rows: pd.DataFrame) -> str:
    digest = hashlib.sha256()
    columns = [rows[column] for column in (PAGE, POSITION, PREDICTED, *PROBABILITY_COLUMNS)]
    for page, place, label, *probabilities in zip(*columns, strict=True):
        numbers = "\x1f".join(f"{p:.6f}" for p in probabilities)
        digest.update(f"{page}\x1f{place}\x1f{label}\x1f{numbers}\x1e".encode())
    return digest.hexdigest()


def evaluate_predictions(
    table: pd.DataFrame,
    *,
    name: str = "test",
    context: str = "alone",
    seed: int = 0,
    n_resamples: int = N_RESAMPLES,
    known_sites: Collection[str] | None = None,
) -> Evaluation:
    """Measure predictions that stand in a table already.

    Parameters
    ----------
    table
        A paragraph table with labels and prediction columns.
    name
        What the corpus is called in reports.
    context
        Level of information behind the predictions.
    seed
        Seed of the intervals.
    n_resamples
        Resampled corpora behind each interval.
    known_sites
        Digests of the sites that the model was trained on; None where they are unknown.

    Returns
    -------
    The evaluation over the labelled rows.

    Raises
    ------
    ValueError
        If no row is labelled or a column is missing.
    """
    table = table.reset_index(drop=True)
    rows = labelled_rows(table)
    require_columns(rows, [PAGE, POSITION, TEXT, PREDICTED, *PROBABILITY_COLUMNS], where=name)
    scores = score(rows[LABEL], rows[PREDICTED], rows[PAGE], seed=seed, n_resamples=n_resamples)
    probabilities = rows[list(PROBABILITY_COLUMNS)].to_numpy(dtype=np.float64)
    return Evaluation(
        name=name,
        context=context,
        scores=scores,
        slices=tuple(_slices(table, rows, known_sites, seed, n_resamples)),
        calibration=calibration_of(probabilities, rows[LABEL], rows[PAGE], seed=seed, n_resamples=n_resamples),
        selective=selective_curve(probabilities, rows[LABEL], rows[PAGE], seed=seed, n_resamples=n_resamples),
        news_loss=_news_loss(rows, seed),
        data_digest=table_digest(rows),
        predictions_digest=_predictions_digest(rows),
        table=table,
        known_sites=known_sites,
    )


def evaluate(
    model: Predictor,
    corpus: pd.DataFrame,
    *,
    name: str = "test",
    context: str = AUTO,
    seed: int = 0,
    n_resamples: int = N_RESAMPLES,
) -> Evaluation:
    """Predict a labelled corpus and measure the result.

    Parameters
    ----------
    model
        The predictor.
    corpus
        A paragraph table with labels; unlabelled rows are predicted too, as context and for the report.
    name
        What the corpus is called in reports.
    context
        Level of information to use; ``auto`` measures what the model decides by itself and, beside it, every level it offers.
    seed
        Seed of the intervals.
    n_resamples
        Resampled corpora behind each interval.

    Returns
    -------
    The evaluation.

    Raises
    ------
    ValueError
        If no row is labelled or the model does not know the context.
    """
    known = model.manifest.get("training", {}).get("sites")

    def at(level: str, title: str) -> Evaluation:
        predicted = model.predict_table(corpus, context=level)
        return evaluate_predictions(predicted, name=name, context=title, seed=seed, n_resamples=n_resamples, known_sites=known)

    if context != AUTO:
        return at(context, context)
    offered = contexts_for(model, corpus)
    if len(offered) == 1:
        return at(AUTO, offered[0])
    return replace(at(AUTO, AUTO), levels=tuple(at(level, level) for level in offered))
