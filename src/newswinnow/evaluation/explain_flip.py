"""Why not another label: the smallest edit of a paragraph that changes its label, found by trying.

Small edits are tried exhaustively, larger ones greedily, and what is found was scored. How a text is scored is the caller's.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from newswinnow.paragraphs.table import FloatArray

Scorer = Callable[[Sequence[str]], FloatArray]
"""Versions of one paragraph in, probabilities out: shape (n_versions, n_labels)."""

MAX_PAIRED_WORDS: Final = 60
"""Words of which all pairs are tried: 1,770 of them. Of longer paragraphs, those whose removal alone does most."""

MAX_STEPS: Final = 12
_LEAST_WORDS: Final = 12
_LEAST_PAIRED: Final = 4
_LEAST_STEPS: Final = 2
_CLOSING: Final = re.compile(r"[.!?…]+([\"'”’»)\]]*)$")
_REMOVE, _DROP_CLOSING, _ADD_CLOSING, _LOWER = "remove", "drop the closing punctuation", "add a full stop", "write in lower case"


@dataclass(frozen=True)
class _Edit:
    """One step: a word removed, or a change of the whole."""

    kind: str
    word: int = -1


@dataclass(frozen=True)
class Flip:
    """An edit that changes the label.

    Attributes
    ----------
    edits
        Its steps in words, in the order in which they stand in the text.
    text
        The edited paragraph.
    label
        Number of the label it has then.
    probabilities
        As scored, in label order.
    is_smallest
        Whether every edit of fewer steps was tried; otherwise a smaller one may exist.
    """

    edits: tuple[str, ...]
    text: str
    label: int
    probabilities: tuple[float, ...]
    is_smallest: bool


@dataclass(frozen=True)
class Effort:
    """How much is tried.

    Attributes
    ----------
    max_words
        Words whose removal is tried, half of them from each end of the paragraph; None for all.
    max_paired_words
        Words of which all pairs are tried.
    max_steps
        Steps of the largest edit.
    """

    max_words: int | None = None
    max_paired_words: int = MAX_PAIRED_WORDS
    max_steps: int = MAX_STEPS

    @classmethod
    def within(cls, n_versions: int, n_words: int) -> "Effort":
        """What about so many versions allow, for single steps, for pairs and for further steps each.

        Parameters
        ----------
        n_versions
            Versions of the paragraph that may be scored; a few are in any case.
        n_words
            Words of the paragraph.

        Returns
        -------
        The effort.

        Examples
        --------
        >>> Effort.within(200, 40)
        Effort(max_words=40, max_paired_words=20, max_steps=5)
        >>> Effort.within(10, 400)
        Effort(max_words=12, max_paired_words=4, max_steps=2)
        """
        words = min(max(n_versions, _LEAST_WORDS), n_words)
        pairs = min(max(math.isqrt(2 * n_versions), _LEAST_PAIRED), MAX_PAIRED_WORDS)
        return cls(words, pairs, min(max(n_versions // words, _LEAST_STEPS), MAX_STEPS))


@dataclass(frozen=True)
class _Found:
    edits: tuple[_Edit, ...]
    is_smallest: bool


class _Search:
    """Trying edits of one text; the goal is one label, or any but the present one."""

    def __init__(self, text: str, score: Scorer, *, target: int | None, effort: Effort) -> None:
        self._words = text.split()
        self._text = " ".join(self._words)
        self._score = score
        self._effort = effort
        self._label = int(score([self._text])[0].argmax())
        self._target = target
        self._singles = list(self._atoms())

    def _atoms(self) -> Iterator[_Edit]:
        """Every single step that changes the text and leaves some of it."""
        yield _Edit(_DROP_CLOSING) if _CLOSING.search(self._text) else _Edit(_ADD_CLOSING)
        if self._text.lower() != self._text:
            yield _Edit(_LOWER)
        if len(self._words) > 1:
            yield from (_Edit(_REMOVE, i) for i in self._removable())

    def _removable(self) -> list[int]:
        """Words whose removal is tried."""
        n, limit = len(self._words), self._effort.max_words
        if limit is None or n <= limit:
            return list(range(n))
        return [*range(limit - limit // 2), *range(n - limit // 2, n)]

    @property
    def _tries_all_words(self) -> bool:
        return len(self._removable()) == len(self._words)

    def edited(self, edits: Sequence[_Edit]) -> str:
        """The text after some steps."""
        removed = {edit.word for edit in edits if edit.kind == _REMOVE}
        kinds = {edit.kind for edit in edits}
        text = " ".join(word for i, word in enumerate(self._words) if i not in removed)
        if _LOWER in kinds:
            text = text.lower()
        if _DROP_CLOSING in kinds:
            text = _CLOSING.sub(r"\1", text).rstrip()
        return f"{text}." if _ADD_CLOSING in kinds and not _CLOSING.search(text) else text

    def shown(self, edit: _Edit) -> str:
        """A step in words."""
        return f"remove “{self._words[edit.word]}”" if edit.kind == _REMOVE else edit.kind

    def _gains(self, sets: Sequence[tuple[_Edit, ...]]) -> FloatArray:
        """By how much each set of steps puts the goal before every other label, in logarithms; above 0 where it is reached."""
        texts = [self.edited(edits) for edits in sets]
        scored = np.array([bool(text.split()) for text in texts])
        gains = np.full(len(sets), -np.inf)
        if scored.any():
            logs = np.log(np.maximum(self._score([text for text in texts if text.split()]), 1e-300))
            gains[scored] = self._leads(logs)
        return gains

    def _leads(self, logs: FloatArray) -> FloatArray:
        is_goal = np.arange(logs.shape[1]) == self._target if self._target is not None else self._other_labels(logs.shape[1])
        goal, rest = logs[:, is_goal].max(axis=1), logs[:, ~is_goal].max(axis=1)
        lead: FloatArray = goal - rest
        return lead

    def _other_labels(self, n_labels: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        is_other: np.ndarray[tuple[int], np.dtype[np.bool_]] = np.arange(n_labels) != self._label
        return is_other

    def run(self) -> _Found | None:
        """The best set of steps; None where none was found."""
        if self._target == self._label:
            return None
        singles = [(edit,) for edit in self._singles]
        gains = self._gains(singles)
        if gains.max() > 0:
            return _Found(singles[int(gains.argmax())], True)
        pairs, is_complete = self._pairs(gains)
        paired = self._gains(pairs) if pairs else np.array([-np.inf])
        if paired.max() > 0:
            return _Found(pairs[int(paired.argmax())], self._tries_all_words)
        greedy = self._greedy(singles[int(gains.argmax())], float(gains.max()))
        return _Found(greedy, is_complete and len(greedy) <= 3) if greedy else None

    def _pairs(self, gains: FloatArray) -> tuple[list[tuple[_Edit, ...]], bool]:
        """Pairs of steps, and whether those are all of them."""
        words = [i for i, edit in enumerate(self._singles) if edit.kind == _REMOVE]
        best = sorted(words, key=lambda i: (-gains[i], i))[: self._effort.max_paired_words]
        kept = {*best, *(i for i, edit in enumerate(self._singles) if edit.kind != _REMOVE)}
        edits = [edit for i, edit in enumerate(self._singles) if i in kept]
        return list(combinations(edits, 2)), self._tries_all_words and len(best) == len(words)

    def _greedy(self, edits: tuple[_Edit, ...], gain: float) -> tuple[_Edit, ...] | None:
        """Steps added one at a time while each helps, then those taken back that were not needed."""
        while gain <= 0:
            more = [(*edits, edit) for edit in self._singles if edit not in edits]
            gains = self._gains(more) if more and len(edits) < self._effort.max_steps else np.array([-np.inf])
            if gains.max() <= gain:
                return None
            gain, edits = float(gains.max()), more[int(gains.argmax())]
        while len(edits) > 1:
            fewer = list(combinations(edits, len(edits) - 1))
            gains = self._gains(fewer)
            if gains.max() <= 0:
                break
            edits = fewer[int(gains.argmax())]
        return edits


def smallest_flip(text: str, score: Scorer, *, target: int | None = None, effort: Effort | None = None) -> Flip | None:
    """The smallest edit of a paragraph that changes its label.

    Steps are: remove a word; write everything in lower case; drop the closing punctuation, or add a full stop. One and two are
    tried exhaustively, more greedily.

    Parameters
    ----------
    text
        The paragraph.
    score
        Scores its versions.
    target
        Number of the label it is to get; None for any other one.
    effort
        How much to try; None for as much as a single paragraph deserves.

    Returns
    -------
    The edit, of equally many steps the one that changes most; None where none was found, or the paragraph has that label already.

    Raises
    ------
    ValueError
        If the text is empty.
    """
    if not text.split():
        raise ValueError(f"text: must hold a word to be edited; got {text!r}")
    search = _Search(text, score, target=target, effort=effort or Effort())
    found = search.run()
    if found is None:
        return None
    edits = sorted(found.edits, key=lambda edit: (edit.word < 0, edit.word))
    edited = search.edited(edits)
    # Scored once more by itself: what is said must hold for the text that is shown.
    probabilities = score([edited])[0]
    label = int(probabilities.argmax())
    return Flip(tuple(map(search.shown, edits)), edited, label, tuple(probabilities.tolist()), found.is_smallest)
