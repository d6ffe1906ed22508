"""Surface features: what a paragraph looks like, whatever its words mean.

It measures length, punctuation, case, digits and function words of each text alone; n-grams and page context are left to
other modules.
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.validation import check_is_fitted

from newswinnow.features.words import IMPERATIVES, PRONOUNS, STOP_WORDS
from newswinnow.paragraphs.table import FloatArray, texts_of

_WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")
_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*(?=\s|$)")
_CLOSING = "\"'”’»)]"
_OPENING_QUOTES = "\"'“‘«"
_TIME = re.compile(
    r"\b\d{1,2}[:.]\d{2}\b|\b\d+\s*(?:min|mins|minutes?|hours?|hrs?|days?|weeks?|months?|years?)\b(?:\s+(?:ago|read))?", re.I
)
_DATE = re.compile(
    r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]*\.?\s+\d{1,2}\b|\b\d{1,2}(?:st|nd|rd|th)?\s+"
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b|\b(?:19|20)\d\d\b|\b\d{1,2}/\d{1,2}/\d{2,4}\b",
    re.I,
)
_CONTACT = re.compile(r"https?://|www\.|\S@\S|\.com\b|\+\d{2,}", re.I)
_RIGHTS = re.compile(r"©|\(c\)\s*\d{4}|copyright|rights reserved", re.I)
_PAST = re.compile(r"[a-z]{2,}ed\Z")
_SEPARATORS = frozenset("|•·›»>/—–-")
_LENGTH_EDGES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 50, 90)


@dataclass(frozen=True)
class Reading:
    """One text with what several features share, computed once."""

    text: str

    @cached_property
    def words(self) -> list[str]:
        """Words in order, punctuation removed."""
        return _WORD.findall(self.text)

    @cached_property
    def lowered(self) -> list[str]:
        """The words in lower case."""
        return [word.lower() for word in self.words]

    @cached_property
    def n_words(self) -> int:
        """Number of words."""
        return len(self.words)

    @cached_property
    def n_sentence_ends(self) -> int:
        """Number of places where a sentence closes."""
        return len(_SENTENCE_END.findall(self.text))

    @cached_property
    def ending(self) -> str:
        """Kind of the last character once closing quotes and brackets are removed; ``other`` for an empty text."""
        last = self.text.rstrip(_CLOSING)[-1:]
        if last and last in ".!?:…,;":
            return last
        return "digit" if last.isdigit() else "word" if last.isalpha() else "other"

    @cached_property
    def opening(self) -> str:
        """Kind of the first character; ``other`` for an empty text."""
        first = self.text[:1]
        if first and first in _OPENING_QUOTES:
            return "quote"
        if first.isdigit():
            return "digit"
        if first.isalpha():
            return "lower" if first.islower() else "upper"
        return "other"

    def share_of_words(self, claim: Callable[[str], bool]) -> float:
        """Share of the words for which a claim holds; 0 without words."""
        return sum(map(claim, self.words)) / self.n_words if self.n_words else 0.0

    def share_of_chars(self, claim: Callable[[str], bool]) -> float:
        """Share of the characters for which a claim holds; 0 for an empty text."""
        return sum(map(claim, self.text)) / len(self.text) if self.text else 0.0

    @cached_property
    def capitalised_share(self) -> float:
        """Share of words beyond the first that begin with a capital; 0 for a single word."""
        rest = self.words[1:]
        return sum(word[0].isupper() for word in rest) / len(rest) if rest else 0.0

    @cached_property
    def stop_share(self) -> float:
        """Share of words that are function words."""
        return sum(word in STOP_WORDS for word in self.lowered) / self.n_words if self.n_words else 0.0


def _is_doubled(reading: Reading) -> bool:
    """Whether the second half of the words repeats the first, as image-plus-headline links do."""
    words = reading.lowered
    half = len(words) // 2
    return half > 0 and len(words) % 2 == 0 and words[:half] == words[half:]


def _count(pattern: re.Pattern[str]) -> Callable[[Reading], float]:
    return lambda reading: math.log1p(len(pattern.findall(reading.text)))


def _chars(characters: str) -> Callable[[Reading], float]:
    return lambda reading: math.log1p(sum(map(reading.text.count, characters)))


def _first_word_in(words: frozenset[str]) -> Callable[[Reading], float]:
    return lambda reading: float(bool(reading.lowered) and reading.lowered[0] in words)


# Name -> measurement. Lengths are logged: between 3 and 6 words lies as much as between 30 and 60.
# Source column: J = jusText (length, stop-word density), C4 = Raffel et al. 2020 (terminal punctuation), B = boilerpipe
# (Kohlschütter 2010: word length, capitals), own = read off the three label definitions.
FEATURES: dict[str, Callable[[Reading], float]] = {
    "log_chars": lambda r: math.log1p(len(r.text)),  # J
    "log_words": lambda r: math.log1p(r.n_words),  # B
    "mean_word_chars": lambda r: sum(map(len, r.words)) / r.n_words if r.n_words else 0.0,  # B
    "log_sentence_ends": lambda r: math.log1p(r.n_sentence_ends),  # C4
    "words_per_sentence": lambda r: math.log1p(r.n_words / max(r.n_sentence_ends, 1)),  # own
    "closes_sentence": lambda r: float(r.ending in ".!?…"),  # C4
    "closes_quote": lambda r: float(r.text.endswith(tuple(_CLOSING))),  # own
    "ends_colon": lambda r: float(r.ending == ":"),  # own
    "ends_question": lambda r: float(r.ending == "?"),  # own
    "ends_ellipsis": lambda r: float(r.text.endswith(("...", "…"))),  # own: cut teasers
    "opens_quote": lambda r: float(r.opening == "quote"),  # own
    "opens_lower": lambda r: float(r.opening == "lower"),  # own
    "opens_digit": lambda r: float(r.opening == "digit"),  # own
    "log_commas": _chars(",;"),  # own
    "log_quotes": _chars('"“”«»'),  # own
    "log_apostrophes": _chars("'’"),  # own
    "log_colons": _chars(":"),  # own
    "log_brackets": _chars("()[]"),  # own
    "separator_share": lambda r: r.share_of_chars(_SEPARATORS.__contains__),  # own: menus, breadcrumbs
    "digit_share": lambda r: r.share_of_chars(str.isdigit),  # own
    "upper_share": lambda r: r.share_of_chars(str.isupper),  # B
    "symbol_share": lambda r: r.share_of_chars(lambda c: not (c.isalnum() or c.isspace())),  # own
    "non_ascii_share": lambda r: r.share_of_chars(lambda c: ord(c) > 127),  # own
    "capitalised_share": lambda r: r.capitalised_share,  # B
    "all_caps_share": lambda r: r.share_of_words(lambda w: len(w) > 1 and w.isupper()),  # B
    "long_word_share": lambda r: r.share_of_words(lambda w: len(w) >= 8),  # own
    "number_share": lambda r: r.share_of_words(lambda w: w[0].isdigit()),  # own
    "glued_share": lambda r: r.share_of_words(lambda w: w[1:] != w[1:].lower() and not w.isupper()),  # own: "agoShare"
    "stop_share": lambda r: r.stop_share,  # J
    "pronoun_share": lambda r: sum(w in PRONOUNS for w in r.lowered) / max(r.n_words, 1),  # own
    "past_share": lambda r: sum(bool(_PAST.match(w)) for w in r.lowered) / max(r.n_words, 1),  # own
    "first_is_stop": _first_word_in(STOP_WORDS),  # own
    "first_is_imperative": _first_word_in(IMPERATIVES),  # own: buttons
    "distinct_share": lambda r: len(set(r.lowered)) / max(r.n_words, 1),  # own
    "is_doubled": lambda r: float(_is_doubled(r)),  # own: image and headline of one link
    "log_times": _count(_TIME),  # own
    "log_dates": _count(_DATE),  # own
    "log_contacts": _count(_CONTACT),  # own
    "has_rights": lambda r: float(bool(_RIGHTS.search(r.text))),  # own
}


def _bucket(value: float, edges: Sequence[float]) -> int:
    return sum(value >= edge for edge in edges)


def surface_categories(reading: Reading) -> tuple[str, ...]:
    """Crossed categories of one text: what a linear model cannot combine by itself.

    Parameters
    ----------
    reading
        The text.

    Returns
    -------
    Six strings: length bucket alone and crossed with ending, opening, capitals, function words and the first word's kind.
    """
    length = str(_bucket(reading.n_words, _LENGTH_EDGES))
    capitals = str(_bucket(reading.capitalised_share, (0.01, 0.2, 0.4, 0.6, 0.8, 0.99)))
    stops = str(_bucket(reading.stop_share, (0.01, 0.15, 0.25, 0.35, 0.45)))
    first = reading.lowered[0] if reading.lowered else ""
    kind = "imperative" if first in IMPERATIVES else "stop" if first in STOP_WORDS else reading.opening
    return (
        f"{length}",
        f"{length}/{reading.ending}",
        f"{length}/{reading.opening}/{min(reading.n_sentence_ends, 3)}",
        f"{length}/{capitals}",
        f"{length}/{stops}",
        f"{length}/{kind}/{reading.ending in '.!?…'}",
    )


def _categories(texts: Iterable[str]) -> list[tuple[str, ...]]:
    return [surface_categories(Reading(text)) for text in texts]


def measure(texts: Iterable[str]) -> FloatArray:
    """Surface features of texts.

    Parameters
    ----------
    texts
        The paragraphs.

    Returns
    -------
    Values, shape (n_paragraphs, n_features), columns in the order of :data:`FEATURES`.
    """
    rows = [[feature(reading) for feature in FEATURES.values()] for reading in map(Reading, texts)]
    return np.asarray(rows, dtype=np.float64).reshape(len(rows), len(FEATURES))


@dataclass(frozen=True)
class _Measured:
    """Numbers, shape (n_paragraphs, n_features), and crossed categories of the same texts."""

    numbers: FloatArray
    categories: list[tuple[str, ...]]


class SurfaceFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Scikit-learn transformer: standardised surface features and their crossed categories.

    Parameters
    ----------
    numeric
        Whether to give the standardised features of :data:`FEATURES`, clipped to 5 standard deviations.
    crossed
        Whether to give the one-hot crossed categories of :func:`surface_categories`.
    """

    def __init__(self, *, numeric: bool = True, crossed: bool = True) -> None:
        self.numeric = numeric
        self.crossed = crossed

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn scales and categories.

        Parameters
        ----------
        X
            Texts, shape (n_paragraphs,), or a paragraph table.
        y
            Ignored.

        Returns
        -------
        The transformer itself.

        Raises
        ------
        ValueError
            If neither kind of feature is asked for, or there is no text.
        """
        self._learn(X)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> csr_matrix:
        """Learn scales and categories and give the features, each text read once.

        Parameters
        ----------
        X
            As in :meth:`fit`.
        y
            Ignored.

        Returns
        -------
        Sparse matrix, shape (n_paragraphs, n_features).
        """
        return self._matrix(self._learn(X))

    def _learn(self, X: Any) -> _Measured:
        if not (self.numeric or self.crossed):
            raise ValueError("numeric, crossed: at least one must be True; got neither")
        texts = texts_of(X)
        if not texts:
            raise ValueError("X: must have at least one text to learn from; got none")
        found = self._measured(texts)
        if self.numeric:
            self.scaler_ = StandardScaler().fit(found.numbers)
        if self.crossed:
            self.encoder_ = OneHotEncoder(handle_unknown="ignore", min_frequency=3).fit(found.categories)
        return found

    def _measured(self, texts: list[str]) -> _Measured:
        numbers = measure(texts) if self.numeric else np.zeros((len(texts), 0))
        return _Measured(numbers, _categories(texts) if self.crossed else [])

    def _matrix(self, found: _Measured) -> csr_matrix:
        parts = []
        if self.numeric:
            parts.append(csr_matrix(np.clip(self.scaler_.transform(found.numbers), -5.0, 5.0)))
        if self.crossed:
            parts.append(self.encoder_.transform(found.categories))
        return csr_matrix(hstack(parts))

    def transform(self, X: Any) -> csr_matrix:
        """Surface features of texts.

        Parameters
        ----------
        X
            Texts, shape (n_paragraphs,), or a paragraph table.

        Returns
        -------
        Sparse matrix, shape (n_paragraphs, n_features).
        """
        check_is_fitted(self)
        texts = texts_of(X)
        if not texts:
            return csr_matrix((0, len(self.get_feature_names_out())))
        return self._matrix(self._measured(texts))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, np.dtype[Any]]:
        """Names of the columns.

        Parameters
        ----------
        input_features
            Ignored.

        Returns
        -------
        Names, shape (n_features,).
        """
        names = list(FEATURES) if self.numeric else []
        if self.crossed:
            names += list(self.encoder_.get_feature_names_out())
        return np.asarray(names, dtype=object)
