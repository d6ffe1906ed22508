"""What leaks from the training part of a corpus into another: sites, near-duplicate paragraphs, and the score of mere look-up.

Cutting a corpus so that little leaks is left to :mod:`newswinnow.corpus.splits`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from newswinnow.corpus.dedup import Duplicates, find_duplicates
from newswinnow.corpus.similar import DuplicateRule, nearest
from newswinnow.corpus.splits import OWN_SITE, sites_of
from newswinnow.evaluation.scores import confusion_by_page, label_codes, score_confusion
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import LABEL, PAGE, POSITION, TEXT, IntArray, labelled_rows

LOOKUP_MARGIN: Final = 0.05
"""A look-up of long paragraphs that gains more macro-F1 than this over the majority label is suspicious.

On 495 hand-read pages it gained 0.000 to 0.017 where the split was by site (four parts), 0.057 where by page and 0.130 where
by paragraph.
"""

_EXAMPLES: Final = 5


@dataclass(frozen=True)
class SharedParagraph:
    """A long paragraph of the audited part with a near duplicate in the training part."""

    text: str
    where: str
    training_text: str
    training_where: str


@dataclass(frozen=True)
class Lookup:
    """What copying labels from similar training paragraphs scores.

    Attributes
    ----------
    macro_f1
        Of the look-up: the label of the most similar training paragraph, the majority label where none is similar.
    majority_macro_f1
        Of giving everything the majority label of such training paragraphs.
    n_paragraphs
        Labelled paragraphs looked up.
    n_found
        Those with a similar training paragraph.
    """

    macro_f1: float
    majority_macro_f1: float
    n_paragraphs: int
    n_found: int


@dataclass(frozen=True)
class Leakage:
    """What one part has in common with the training part.

    Attributes
    ----------
    part
        Name of the part.
    n_paragraphs, n_labelled, n_long
        Rows, rows with a label, rows long enough for near duplicates.
    shared_sites
        Registrable domains that stand in both.
    n_shared_pages
        Pages that have rows in both.
    n_shared
        Long paragraphs with a near duplicate in the training part.
    n_shared_labelled
        Those of them that carry a label.
    examples
        The first of them.
    n_short_seen
        Short lines that stand word for word in the training part too, as menus do.
    long_lookup, lookup
        Look-up over the long labelled paragraphs, and over all of them; None where there are none.
    """

    part: str
    n_paragraphs: int
    n_labelled: int
    n_long: int
    shared_sites: tuple[str, ...]
    n_shared_pages: int
    n_shared: int
    n_shared_labelled: int
    examples: tuple[SharedParagraph, ...]
    n_short_seen: int
    long_lookup: Lookup | None
    lookup: Lookup | None

    def as_dict(self) -> dict[str, Any]:
        """The audit as plain values, warnings included."""
        return {**asdict(self), "warnings": self.warnings()}

    def warnings(self) -> list[str]:
        """What a person should know before trusting a score on this part; empty where nothing is suspicious."""
        found = []
        if self.shared_sites:
            shown = ", ".join(self.shared_sites[:_EXAMPLES])
            found.append(f"{self.part}: {len(self.shared_sites)} sites stand in the training part too ({shown})")
        if self.n_shared_pages:
            found.append(f"{self.part}: {self.n_shared_pages} pages have rows in the training part too")
        if self.n_shared:
            found.append(
                f"{self.part}: {self.n_shared} of {self.n_long} long paragraphs have a near duplicate in the training part, "
                f"{self.n_shared_labelled} of them labelled"
            )
        look = self.long_lookup
        if look and look.macro_f1 > look.majority_macro_f1 + LOOKUP_MARGIN:
            found.append(
                f"{self.part}: copying the label of the most similar training paragraph scores macro-F1 {look.macro_f1:.3f} "
                f"on long paragraphs, the majority label {look.majority_macro_f1:.3f}: "
                "a model can score here by remembering, not by reading"
            )
        return found


def _macro_f1(y_true: IntArray, y_predicted: IntArray) -> float:
    pages = np.zeros(len(y_true), dtype=np.int64)
    return float(score_confusion(confusion_by_page(y_true, y_predicted, pages)[0]).macro_f1)


def _lookup(y_true: IntArray, copied: IntArray, training: IntArray) -> Lookup | None:
    """Scores of copied label codes, -1 where there was nothing to copy; the majority is that of the training codes."""
    if not len(y_true):
        return None
    majority = int(np.argmax(np.bincount(training, minlength=len(LABELS))))
    answers = np.where(copied < 0, majority, copied)
    plain = np.full(len(y_true), majority)
    return Lookup(_macro_f1(y_true, answers), _macro_f1(y_true, plain), len(y_true), int((copied >= 0).sum()))


def _lookups(train: pd.DataFrame, part: pd.DataFrame, *, rule: DuplicateRule) -> tuple[Lookup | None, Lookup | None]:
    """Look-up over long and over all labelled paragraphs of a part."""
    if LABEL not in train.columns or LABEL not in part.columns:
        return None, None
    known, asked = labelled_rows(train), labelled_rows(part)
    if not len(known):
        return None, None
    codes, y_true = label_codes(known[LABEL]), label_codes(asked[LABEL])
    found = nearest(asked[TEXT].tolist(), known[TEXT].tolist(), rule)
    copied = np.where(found < 0, -1, codes[found])
    long_known, long_asked = (np.array([rule.is_long(text) for text in rows[TEXT]], dtype=bool) for rows in (known, asked))
    return _lookup(y_true[long_asked], copied[long_asked], codes[long_known]), _lookup(y_true, copied, codes)


def _where(row: Any) -> str:
    return f"{row[PAGE]}:{row[POSITION]}"


def _examples(train: pd.DataFrame, part: pd.DataFrame, duplicates: Duplicates, shared: IntArray) -> tuple[SharedParagraph, ...]:
    found = []
    training_clusters = duplicates.cluster[: len(train)]
    for i in shared[:_EXAMPLES]:
        here = part.iloc[i]
        there = train.iloc[int(np.argmax(training_clusters == duplicates.cluster[len(train) + i]))]
        found.append(SharedParagraph(str(here[TEXT]), _where(here), str(there[TEXT]), _where(there)))
    return tuple(found)


def audit_part(train: pd.DataFrame, part: pd.DataFrame, *, name: str = "test", rule: DuplicateRule | None = None) -> Leakage:
    """Measure what a part of a corpus has in common with the training part.

    Parameters
    ----------
    train
        Paragraph table that models are fitted on.
    part
        Paragraph table that they are measured on.
    name
        What the part is called.
    rule
        When two paragraphs are duplicates.

    Returns
    -------
    The audit. Sites are compared as registrable domains; pages without a site by their id.

    Raises
    ------
    ModuleNotFoundError
        If rensa or tldextract is not installed.
    ValueError
        If a page has two sites.
    """
    rule = rule or DuplicateRule()
    duplicates = find_duplicates([*train[TEXT], *part[TEXT]], rule)
    is_seen = np.isin(duplicates.cluster[len(train) :], duplicates.cluster[: len(train)])
    is_long = duplicates.is_long[len(train) :]
    is_labelled = part[LABEL].notna().to_numpy() if LABEL in part.columns else np.zeros(len(part), dtype=bool)
    long_lookup, lookup = _lookups(train, part, rule=rule)
    sites = set(sites_of(train)) & set(sites_of(part))
    return Leakage(
        part=name,
        n_paragraphs=len(part),
        n_labelled=int(is_labelled.sum()),
        n_long=int(is_long.sum()),
        shared_sites=tuple(sorted(site for site in sites if not site.startswith(OWN_SITE))),
        n_shared_pages=int(part.loc[part[PAGE].isin(set(train[PAGE])), PAGE].nunique()),
        n_shared=int((is_seen & is_long).sum()),
        n_shared_labelled=int((is_seen & is_long & is_labelled).sum()),
        examples=_examples(train, part, duplicates, np.flatnonzero(is_seen & is_long)),
        n_short_seen=int((is_seen & ~is_long).sum()),
        long_lookup=long_lookup,
        lookup=lookup,
    )


def audit_split(parts: Sequence[tuple[str, pd.DataFrame]], *, rule: DuplicateRule | None = None) -> list[Leakage]:
    """Audit every part of a split against the first, which is the one to train on.

    Parameters
    ----------
    parts
        Names and tables.
    rule
        When two paragraphs are duplicates.

    Returns
    -------
    One audit per further part.
    """
    return [audit_part(parts[0][1], table, name=name, rule=rule) for name, table in parts[1:]]
