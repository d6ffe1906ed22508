"""The predictor that users hold: texts or a paragraph table in, labels and probabilities out, in the project's label order.

Where the model comes from, fitted just now or loaded from a directory, is left to training and to the saved-model format.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd

from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import PREDICTED, PROBABILITY_COLUMNS, STATUS, TEXT, FloatArray, require_columns, texts_of

CONTEXTS: Final = ("alone", "bag", "order", "markup")
AUTO: Final = "auto"


@dataclass(frozen=True)
class Predictor:
    """A fitted model with its manifest.

    Attributes
    ----------
    estimator
        Fitted scikit-learn classifier of texts.
    manifest
        What is known of the model: specification, training data, versions, metrics.
    contexts
        Levels of information the model can use.
    """

    estimator: Any
    manifest: dict[str, Any] = field(default_factory=dict)
    contexts: tuple[str, ...] = ("alone",)

    @property
    def classes_(self) -> np.ndarray[Any, np.dtype[np.str_]]:
        """The labels in the order of the columns of :meth:`predict_proba`: news, boilerplate, related-link."""
        return np.array([str(label) for label in LABELS], dtype=np.str_)

    def predict_proba(self, X: Any) -> FloatArray:
        """Probabilities of the three labels.

        Parameters
        ----------
        X
            Texts, shape (n_paragraphs,), or a paragraph table.

        Returns
        -------
        Shape (n_paragraphs, 3), columns as in ``classes_``; 0 for a label the model never saw.
        """
        texts = texts_of(X)
        probabilities = np.zeros((len(texts), len(LABELS)))
        if texts:
            columns = [LABELS.index(label) for label in self.estimator.classes_]
            probabilities[:, columns] = self.estimator.predict_proba(texts)
        return probabilities

    def predict(self, X: Any) -> np.ndarray[Any, np.dtype[np.str_]]:
        """Most probable labels.

        Parameters
        ----------
        X
            Texts, shape (n_paragraphs,), or a paragraph table.

        Returns
        -------
        Shape (n_paragraphs,); of equal probabilities the first in label order.
        """
        labels: np.ndarray[Any, np.dtype[np.str_]] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return labels

    def predict_table(self, table: pd.DataFrame, *, context: str = AUTO) -> pd.DataFrame:
        """A paragraph table with its predictions.

        Parameters
        ----------
        table
            A paragraph table; rows with ``status`` ``empty`` get no prediction.
        context
            ``alone``, ``bag``, ``order``, ``markup``, or ``auto`` for the most the model and the table allow.

        Returns
        -------
        A copy with the columns ``predicted``, ``p_news``, ``p_boilerplate`` and ``p_related_link`` added or replaced.

        Raises
        ------
        ValueError
            If the model does not know the context.
        """
        require_columns(table, [TEXT], where="table")
        if context != AUTO and context not in self.contexts:
            raise ValueError(f"context: must be auto or one of {', '.join(self.contexts)} for this model; got {context!r}")
        is_full = table[TEXT].str.len().to_numpy() > 0 if len(table) else np.zeros(0, dtype=bool)
        probabilities = np.full((len(table), len(LABELS)), np.nan)
        probabilities[is_full] = self.predict_proba(table.loc[is_full, TEXT])
        predicted = np.full(len(table), None, dtype=object)
        predicted[is_full] = self.classes_[probabilities[is_full].argmax(axis=1)]
        result = table.copy()
        if STATUS in result.columns and not (~is_full).any():
            result = result.drop(columns=STATUS)
        result[PREDICTED] = pd.Series(predicted, index=table.index, dtype="str")
        for i, column in enumerate(PROBABILITY_COLUMNS):
            result[column] = probabilities[:, i].round(6)
        return result
