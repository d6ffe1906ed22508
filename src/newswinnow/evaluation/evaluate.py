"""A model on a labelled corpus: overall scores, slices, calibration and the digests that say what was measured.

Scores themselves stand in :mod:`newswinnow.evaluation.scores`; showing them is left to :mod:`newswinnow.reports`.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from newswinnow.evaluation.scores import Scores, label_codes, score
from newswinnow.models.predictor import AUTO, Predictor
from newswinnow.models.training import table_digest
from newswinnow.paragraphs.table import (
    LABEL,
    LINK_DENSITY,
    PAGE,
    POSITION,
    PREDICTED,
    PROBABILITY_COLUMNS,
    SOURCE,
    TEXT,
    FloatArray,
    labelled_rows,
    n_words_of,
    require_columns,
)

LENGTH_EDGES: Final = (0, 3, 6, 11, 21, 51)
_LENGTH_NAMES: Final = ("1-2 words", "3-5 words", "6-10 words", "11-20 words", "21-50 words", "over 50 words")
_MAX_SOURCES: Final = 12
_N_BINS: Final = 10


@dataclass(frozen=True)
class Slice:
    """Scores on a part of the test set."""

    kind: str
    name: str
    scores: Scores


@dataclass(frozen=True)
class ReliabilityBin:
    """Predictions whose highest probability falls into one tenth: how sure they were and how often right."""

    low: float
    confidence: float
    accuracy: float
    n_paragraphs: int


@dataclass(frozen=True)
class Calibration:
    """Expected calibration error (Naeini et al. 2015) of the highest probability over ten equal bins, and the bins."""

    ece: float
    bins: tuple[ReliabilityBin, ...]


@dataclass(frozen=True)
class Evaluation:
    """Everything measured of one model on one corpus.

    Attributes
    ----------
    name
        What the corpus is called in reports.
    context
        Level of information used.
    scores
        Over all labelled paragraphs.
    slices
        By text length, source and link density, where the corpus has them.
    calibration
        Of the probabilities.
    data_digest, predictions_digest
        sha256 of what was scored and of what was predicted.
    table
        The whole corpus with predictions, unlabelled rows included.
    """

    name: str
    context: str
    scores: Scores
    slices: tuple[Slice, ...]
    calibration: Calibration
    data_digest: str
    predictions_digest: str
    table: pd.DataFrame

    def as_dict(self) -> dict[str, Any]:
        """The numbers as plain values for ``metrics.json``; the table stays out."""
        return {
            "name": self.name,
            "context": self.context,
            "data_digest": self.data_digest,
            "predictions_digest": self.predictions_digest,
            "scores": self.scores.as_dict(),
            "slices": [asdict(part) for part in self.slices],
            "calibration": asdict(self.calibration),
        }


def calibration_of(probabilities: FloatArray, y_true: Any) -> Calibration:
    """Expected calibration error and reliability bins.

    Parameters
    ----------
    probabilities
        Shape (n_paragraphs, 3), in label order.
    y_true
        Label strings, shape (n_paragraphs,).

    Returns
    -------
    The error, and the bins that hold any paragraph.
    """
    confidence = probabilities.max(axis=1)
    is_right = probabilities.argmax(axis=1) == label_codes(y_true)
    index = np.minimum((confidence * _N_BINS).astype(int), _N_BINS - 1)
    bins = []
    for i in np.unique(index):
        here = index == i
        bins.append(ReliabilityBin(i / _N_BINS, float(confidence[here].mean()), float(is_right[here].mean()), int(here.sum())))
    ece = sum(b.n_paragraphs * abs(b.confidence - b.accuracy) for b in bins) / len(confidence)
    return Calibration(float(ece), tuple(bins))


def _slice_names(rows: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    """Kinds of slices with the slice each row belongs to."""
    n_words = n_words_of(rows[TEXT]).to_numpy()
    length = np.searchsorted(LENGTH_EDGES, n_words, side="right") - 1
    yield "length", pd.Series([_LENGTH_NAMES[i] for i in length], index=rows.index)
    if SOURCE in rows.columns and 1 < rows[SOURCE].nunique() <= _MAX_SOURCES:
        yield SOURCE, rows[SOURCE]
    if LINK_DENSITY in rows.columns and rows[LINK_DENSITY].notna().any():
        density = rows[LINK_DENSITY]
        linked = np.where(density.isna(), "unknown", np.where(density >= 0.5, "linked", "not linked"))
        yield "links", pd.Series(linked, index=rows.index)


def _slices(rows: pd.DataFrame, seed: int, n_resamples: int) -> Iterator[Slice]:
    for kind, names in _slice_names(rows):
        order = _LENGTH_NAMES if kind == "length" else sorted(names.dropna().unique())
        for name in order:
            part = rows[names == name]
            if len(part):
                scores = score(part[LABEL], part[PREDICTED], part[PAGE], seed=seed, n_resamples=n_resamples)
                yield Slice(kind, str(name), scores)


def evaluate_predictions(
    table: pd.DataFrame, *, name: str = "test", context: str = "alone", seed: int = 0, n_resamples: int = 2000
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

    Returns
    -------
    The evaluation over the labelled rows.

    Raises
    ------
    ValueError
        If no row is labelled or a column is missing.
    """
    rows = labelled_rows(table)
    require_columns(rows, [PAGE, POSITION, TEXT, PREDICTED, *PROBABILITY_COLUMNS], where=name)
    scores = score(rows[LABEL], rows[PREDICTED], rows[PAGE], seed=seed, n_resamples=n_resamples)
    probabilities = rows[list(PROBABILITY_COLUMNS)].to_numpy(dtype=np.float64)
    predictions = "\n".join(
        f"{page}\x1f{place}\x1f{label}" for page, place, label in zip(rows[PAGE], rows[POSITION], rows[PREDICTED], strict=True)
    )
    return Evaluation(
        name=name,
        context=context,
        scores=scores,
        slices=tuple(_slices(rows, seed, n_resamples)),
        calibration=calibration_of(probabilities, rows[LABEL]),
        data_digest=table_digest(rows),
        predictions_digest=hashlib.sha256(predictions.encode()).hexdigest(),
        table=table,
    )


def evaluate(
    model: Predictor, corpus: pd.DataFrame, *, name: str = "test", context: str = AUTO, seed: int = 0, n_resamples: int = 2000
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
        Level of information to use.
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
    predicted = model.predict_table(corpus, context=context)
    used = model.contexts[-1] if context == AUTO else context
    return evaluate_predictions(predicted, name=name, context=used, seed=seed, n_resamples=n_resamples)
