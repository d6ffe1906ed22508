"""What is in a corpus, and what is doubtful about it: counts, lengths, duplicates, clashing labels.

Records that break a rule never get this far; the readers refuse them.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import LABEL, PAGE, POSITION, SITE, SOURCE, TEXT, labelled_rows, n_words_of

QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
_SHOWN: Final = 10
CLASH_MIN_WORDS: Final = 5


@dataclass(frozen=True)
class Clash:
    """One text that carries different labels, with where each first stands."""

    text: str
    labels: dict[str, str]


@dataclass(frozen=True)
class CorpusStats:
    """Counts over a corpus; lengths in words over labelled paragraphs."""

    n_paragraphs: int
    n_labelled: int
    n_pages: int
    n_sites: int
    labels: dict[str, int]
    sources: dict[str, int]
    sites: dict[str, int]
    words_quantiles: dict[str, dict[str, float]]
    n_duplicate_texts: int
    n_clashing_texts: int

    def as_dict(self) -> dict[str, Any]:
        """The counts as plain values."""
        return asdict(self)


def clashing_labels(table: pd.DataFrame) -> list[Clash]:
    """Texts that carry different labels in different places.

    Parameters
    ----------
    table
        A paragraph table with labels.

    Returns
    -------
    One entry per text, in order of appearance. A short line may rightly be both (a title can stand as headline here and as link
    there), so the list is for reading, not for deleting.
    """
    rows = labelled_rows(table)
    several = rows.groupby(TEXT, sort=False)[LABEL].nunique()
    clashing = rows[rows[TEXT].isin(several.index[several > 1])].drop_duplicates([TEXT, LABEL])
    return [
        Clash(
            str(text),
            {label: f"{page}:{place}" for label, page, place in zip(part[LABEL], part[PAGE], part[POSITION], strict=True)},
        )
        for text, part in clashing.groupby(TEXT, sort=False)
    ]


def _counts(table: pd.DataFrame, column: str) -> dict[str, int]:
    if column not in table.columns:
        return {}
    return {str(name): int(n) for name, n in table[column].value_counts().items()}


def _length_quantiles(rows: pd.DataFrame) -> dict[str, dict[str, float]]:
    n_words = n_words_of(rows[TEXT])
    found = {}
    for label in LABELS:
        lengths = n_words[rows[LABEL] == label]
        if len(lengths):
            found[str(label)] = {f"{q:.0%}": float(np.quantile(lengths, q)) for q in QUANTILES}
    return found


def corpus_stats(table: pd.DataFrame) -> CorpusStats:
    """Count a corpus.

    Parameters
    ----------
    table
        A paragraph table; labels and sites are counted where it has them.

    Returns
    -------
    The counts.
    """
    rows = labelled_rows(table) if LABEL in table.columns else table.iloc[:0].assign(**{LABEL: None})
    return CorpusStats(
        n_paragraphs=len(table),
        n_labelled=len(rows),
        n_pages=int(table[PAGE].nunique()),
        n_sites=int(table[SITE].nunique()) if SITE in table.columns else 0,
        labels={str(label): int((rows[LABEL] == label).sum()) for label in LABELS},
        sources=_counts(table, SOURCE),
        sites=_counts(table, SITE),
        words_quantiles=_length_quantiles(rows),
        n_duplicate_texts=int(table[TEXT].duplicated().sum()),
        n_clashing_texts=len(clashing_labels(rows)),
    )


def warnings_of(table: pd.DataFrame) -> list[str]:
    """What a person should look at before training on a corpus.

    Parameters
    ----------
    table
        A paragraph table that was read without rejects.

    Returns
    -------
    One line each; empty for a corpus without anything doubtful.
    """
    found = []
    counts = corpus_stats(table).labels
    if missing := [label for label, n in counts.items() if n == 0]:
        found.append(f"no paragraph is labelled {', '.join(missing)}")
    if SITE not in table.columns or table[SITE].isna().any():
        found.append("rows without a site: splits cannot keep sites apart (add a 'site' column)")
    clashes = [clash for clash in clashing_labels(table) if len(clash.text.split()) >= CLASH_MIN_WORDS]
    for clash in clashes[:_SHOWN]:
        places = ", ".join(f"{label} at {place}" for label, place in clash.labels.items())
        found.append(f"clashing labels: {clash.text[:60]!r} is {places}")
    if len(clashes) > _SHOWN:
        found.append(f"... and {len(clashes) - _SHOWN} more texts with clashing labels")
    return found
