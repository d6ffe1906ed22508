"""Line rules that need no training: the baselines a model has to beat.

They look at length, closing punctuation and a few phrases; nothing is learnt from the data but which labels occur.
"""

import re
from collections.abc import Callable
from typing import Any, Final, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from newswinnow.paragraphs.label import LABELS, Label
from newswinnow.paragraphs.table import FloatArray, texts_of

_CLOSED: Final = re.compile(r"[.!?…][\"'”’»)\]]*$")
_C4_ENDINGS: Final = (".", "!", "?", '"', "”")
_C4_MIN_WORDS: Final = 5
_C4_PHRASES: Final = (
    "javascript",
    "lorem ipsum",
    "{",
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)


def three_line_rule(text: str) -> Label:
    """Eight words or more and closing punctuation are news; of the rest, five words or more are a related link.

    Parameters
    ----------
    text
        The paragraph.

    Returns
    -------
    Its label.

    Examples
    --------
    >>> str(three_line_rule("Council to vote on harbour wall after second storm"))
    'related-link'
    """
    n_words = len(text.split())
    if n_words >= 8 and _CLOSED.search(text):
        return Label.NEWS
    return Label.RELATED_LINK if n_words >= 5 else Label.BOILERPLATE


def c4_rule(text: str) -> Label:
    """The line filter of C4 (Raffel et al. 2020, section 2.2): terminal punctuation, five words, no code or policy phrase.

    Parameters
    ----------
    text
        The paragraph.

    Returns
    -------
    ``news`` for a line that C4 keeps, ``boilerplate`` otherwise; C4 knows no related links.

    Examples
    --------
    >>> str(c4_rule("By using this site you accept our terms of use."))
    'boilerplate'
    """
    lowered = text.lower()
    is_kept = (
        text.endswith(_C4_ENDINGS)
        and not text.endswith("...")
        and len(text.split()) >= _C4_MIN_WORDS
        and not any(phrase in lowered for phrase in _C4_PHRASES)
    )
    return Label.NEWS if is_kept else Label.BOILERPLATE


RULES: Final[dict[str, Callable[[str], Label]]] = {"three-line": three_line_rule, "c4": c4_rule}


class LineRule(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A line rule as a scikit-learn classifier.

    Parameters
    ----------
    rule
        Name of the rule, one of :data:`RULES`.
    """

    def __init__(self, rule: str = "three-line") -> None:
        self.rule = rule

    def fit(self, X: Any, y: Any) -> Self:
        """Check the input; a rule learns nothing.

        Parameters
        ----------
        X
            Texts, shape (n_paragraphs,), or a paragraph table.
        y
            Labels, shape (n_paragraphs,).

        Returns
        -------
        The estimator itself.

        Raises
        ------
        ValueError
            If the rule is unknown or ``X`` and ``y`` differ in length.
        """
        if self.rule not in RULES:
            raise ValueError(f"rule: must be one of {', '.join(RULES)}; got {self.rule!r}")
        n_texts = len(texts_of(X))
        if n_texts != len(y):
            raise ValueError(f"y: must have one label per text, {n_texts}; got {len(y)}")
        self.classes_ = np.unique([str(label) for label in LABELS])
        return self

    def predict(self, X: Any) -> np.ndarray[Any, np.dtype[np.str_]]:
        """Labels of texts.

        Parameters
        ----------
        X
            Texts, shape (n_paragraphs,), or a paragraph table.

        Returns
        -------
        Labels, shape (n_paragraphs,).
        """
        check_is_fitted(self)
        rule = RULES[self.rule]
        return np.array([str(rule(text)) for text in texts_of(X)], dtype=np.str_)

    def predict_proba(self, X: Any) -> FloatArray:
        """Certainty: 1 for the rule's label, 0 for the others.

        Parameters
        ----------
        X
            Texts, shape (n_paragraphs,), or a paragraph table.

        Returns
        -------
        Probabilities, shape (n_paragraphs, 3), columns in the order of ``classes_``.
        """
        chosen: FloatArray = (self.predict(X)[:, None] == self.classes_[None, :]).astype(np.float64)
        return chosen
