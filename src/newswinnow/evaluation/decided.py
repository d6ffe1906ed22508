"""A predictor whose labels follow a decision in place of the highest probability.

Calibrating decisions is left to :mod:`newswinnow.evaluation.risk`.
"""

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np

from newswinnow.evaluation.decisions import Decision, labels_keeping_news
from newswinnow.models.predictor import AUTO, Predictor
from newswinnow.paragraphs.table import FloatArray, LabelArray

_UNDECIDED: Final = Decision("", AUTO)


@dataclass(frozen=True, repr=False)
class DecidedPredictor(Predictor):
    """A predictor with a decision.

    Attributes
    ----------
    decision
        How probabilities become labels.
    news_threshold
        Least probability of news; None to decide by costs.
    """

    decision: Decision = _UNDECIDED
    news_threshold: float | None = None

    def predict(self, X: Any, *, context: str = AUTO) -> LabelArray:
        """Labels as decided: always from probabilities, never by the shortcut to the largest score.

        Parameters
        ----------
        X
            Texts, shape (n_paragraphs,), or a paragraph table.
        context
            As for :meth:`predict_proba`.

        Returns
        -------
        Shape (n_paragraphs,).
        """
        return np.array(self.labels_of(self.predict_proba(X, context=context)), dtype=object)

    def labels_of(self, probabilities: FloatArray) -> list[str]:
        """Labels as decided, ``unsure`` among them where abstaining is cheaper.

        Parameters
        ----------
        probabilities
            Shape (n_paragraphs, 3), in label order.

        Returns
        -------
        The labels.
        """
        if self.news_threshold is None:
            return self.decision.costs.labels(probabilities)
        return labels_keeping_news(probabilities, self.news_threshold)


def decide_by(
    predictor: Predictor, decision: Decision, *, max_news_loss: float | None = None, context: str = AUTO
) -> DecidedPredictor:
    """Let a decision choose a predictor's labels.

    Parameters
    ----------
    predictor
        A saved model, loaded.
    decision
        Calibrated for it.
    max_news_loss
        Largest mean share of a page's news to lose; None to decide by costs.
    context
        Level of information that will be used.

    Returns
    -------
    The predictor, deciding.

    Raises
    ------
    ValueError
        If the decision is for another model or level, or the limit cannot be ensured.
    """
    digests = {entry["sha256"] for entry in predictor.manifest.get("members", {}).values()}
    if decision.model_sha256 not in digests:
        raise ValueError(f"decision: must be calibrated for this model; got one for {decision.model_sha256[:12]}")
    if decision.context != context and len(predictor.contexts) > 1:
        raise ValueError(f"decision: must be calibrated at context {context}; got {decision.context}")
    threshold = None if max_news_loss is None else decision.news_threshold(max_news_loss)
    parts = {field.name: getattr(predictor, field.name) for field in fields(Predictor)}
    return DecidedPredictor(**parts, decision=decision, news_threshold=threshold)
