"""The predictor that users hold: texts or a paragraph table in, labels and probabilities out, in the project's label order.

Where the model comes from, fitted just now or loaded from a directory, is left to training and to the saved-model format.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.rows import Rows
from newswinnow.paragraphs.table import (
    LINK_DENSITY,
    PAGE,
    PREDICTED,
    PROBABILITY_COLUMNS,
    STATUS,
    TAG,
    TEXT,
    FloatArray,
    LabelArray,
    labels_at,
    require_columns,
    texts_of,
)

if TYPE_CHECKING:
    import pandas as pd

CONTEXTS: Final = ("alone", "bag", "order", "markup")
ALONE: Final = "alone"
MARKUP: Final = "markup"
AUTO: Final = "auto"


@dataclass(frozen=True, repr=False)
class Predictor:
    """A fitted model with its manifest.

    Attributes
    ----------
    estimator
        Fitted classifier: of lists of texts, as scikit-learn's are; or, if it knows more ``contexts``, of tables (``Rows`` or
        ``DataFrame``, at least a ``text`` column), with ``predict_proba(table, context=...)``.
    manifest
        What is known of the model: specification, training data, versions, metrics.
    contexts
        Levels of information the model can use.
    """

    estimator: Any
    manifest: dict[str, Any] = field(default_factory=dict)
    contexts: tuple[str, ...] = ("alone",)

    def __repr__(self) -> str:
        # One line: that of a dataclass would spell out all weights.
        family = self.manifest.get("spec", {}).get("family", type(self.estimator).__name__)
        return f"{type(self).__name__}(family={family!r}, contexts={self.contexts!r})"

    @property
    def classes_(self) -> np.ndarray[Any, np.dtype[np.str_]]:
        """The labels in the order of the columns of :meth:`predict_proba`: news, boilerplate, related-link."""
        return np.array([str(label) for label in LABELS], dtype=np.str_)

    def predict_proba(self, X: Any, *, context: str = AUTO) -> FloatArray:
        """Probabilities of the three labels.

        Parameters
        ----------
        X
            Texts, shape (n_paragraphs,), or a paragraph table.
        context
            ``alone``, ``bag``, ``order``, ``markup``, or ``auto`` for the most the model and the input allow.

        Returns
        -------
        Shape (n_paragraphs, 3), columns as in ``classes_``; 0 for a label the model never saw.

        Raises
        ------
        TypeError
            If ``X`` is one string or holds something else than strings.
        ValueError
            If the model does not know the context, or a table has no ``text``.
        """
        self._check_context(context)
        texts = texts_of(X)
        probabilities = np.zeros((len(texts), len(LABELS)))
        if texts:
            columns = [LABELS.index(label) for label in self.estimator.classes_]
            if self.contexts == (ALONE,):
                probabilities[:, columns] = self.estimator.predict_proba(texts)
            else:
                table = X if hasattr(X, "columns") else Rows({TEXT: texts})
                probabilities[:, columns] = self.estimator.predict_proba(table, context=context)
        return probabilities

    def predict(self, X: Any, *, context: str = AUTO) -> LabelArray:
        """Most probable labels.

        Parameters
        ----------
        X
            Texts, shape (n_paragraphs,), or a paragraph table.
        context
            As for :meth:`predict_proba`.

        Returns
        -------
        Shape (n_paragraphs,); of equal probabilities the first in label order.
        """
        # Our own linear model finds the largest score without probabilities, which are a third of its time.
        find = getattr(self.estimator, "predict_texts", None)
        if find and self._judges_alone(X, context):
            self._check_context(context)
            try:
                # Packing finds what is no text, for nothing; looking for it beforehand takes a twentieth of the time.
                labels: LabelArray = find(X if type(X) is list else texts_of(X))
            except (AttributeError, TypeError):
                texts_of(X)
                raise
            return labels
        return np.array(self.labels_of(self.predict_proba(X, context=context)), dtype=object)

    def labels_of(self, probabilities: FloatArray) -> list[str]:
        """Labels by probabilities.

        Parameters
        ----------
        probabilities
            Shape (n_paragraphs, 3), in label order.

        Returns
        -------
        The most probable ones; of equal probabilities the first in label order.
        """
        labels: list[str] = labels_at(probabilities.argmax(axis=1)).tolist()
        return labels

    def predict_table(self, table: "pd.DataFrame", *, context: str = AUTO) -> "pd.DataFrame":
        """A paragraph table with its predictions.

        Parameters
        ----------
        table
            A paragraph table; rows with ``status`` ``empty`` get no prediction.
        context
            As for :meth:`predict_proba`.

        Returns
        -------
        A copy with the columns ``predicted``, ``p_news``, ``p_boilerplate`` and ``p_related_link`` added or replaced.

        Raises
        ------
        ValueError
            If the model does not know the context.
        """
        import pandas as pd

        is_full, answers = self._answers(table, context)
        result = table.copy()
        if STATUS in result.columns and all(is_full):
            result = result.drop(columns=STATUS)
        for name, values in answers.items():
            result[name] = pd.Series(values, index=table.index, dtype="str" if name == PREDICTED else "float64")
        return result

    def predict_rows(self, rows: Rows, *, context: str = AUTO) -> Rows:
        """Rows with their predictions: what :meth:`predict_table` does, without pandas.

        Parameters
        ----------
        rows
            The paragraphs; empty texts get no prediction.
        context
            As for :meth:`predict_proba`.

        Returns
        -------
        The rows with the prediction columns added or replaced; None where there is no prediction.

        Raises
        ------
        ValueError
            If the model does not know the context.
        """
        is_full, answers = self._answers(rows, context)
        return (rows.without(STATUS) if all(is_full) else rows).with_columns(answers)

    def _judges_alone(self, X: Any, context: str) -> bool:
        """Whether no paragraph's page is looked at."""
        return self.contexts == (ALONE,) or context == ALONE or (context == AUTO and PAGE not in getattr(X, "columns", ()))

    def _check_context(self, context: str) -> None:
        if context != AUTO and context not in self.contexts:
            raise ValueError(f"context: must be auto or one of {', '.join(self.contexts)} for this model; got {context!r}")

    def _answers(self, table: "Rows | pd.DataFrame", context: str) -> tuple[list[bool], dict[str, list[Any]]]:
        """Whether each paragraph has a text, and the prediction columns with None where it has none."""
        require_columns(table, [TEXT], where="table")
        is_full = [isinstance(text, str) and text != "" for text in table[TEXT]]
        kept: Any = table.where(is_full) if isinstance(table, Rows) else table.loc[is_full]
        found = self.predict_proba(kept, context=context)
        n_before = np.cumsum(is_full) - 1
        at = [int(n) if is_here else None for n, is_here in zip(n_before, is_full, strict=True)]
        columns = [self.labels_of(found), *found.round(6).T.tolist()]
        names = (PREDICTED, *PROBABILITY_COLUMNS)
        answers = {name: [None if i is None else column[i] for i in at] for name, column in zip(names, columns, strict=True)}
        return is_full, answers


def contexts_for(model: Predictor, corpus: "pd.DataFrame") -> tuple[str, ...]:
    """The levels of information a model offers that a corpus has something for.

    Parameters
    ----------
    model
        The predictor.
    corpus
        A paragraph table.

    Returns
    -------
    The model's contexts, without ``markup`` where the table has neither tags nor link densities.
    """
    has_markup = any(column in corpus.columns and corpus[column].notna().any() for column in (TAG, LINK_DENSITY))
    return tuple(context for context in model.contexts if context != MARKUP or has_markup)
