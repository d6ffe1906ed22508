"""Two models on the same pages: verdicts, slices, and every paragraph with both answers beside it, as one HTML document.

Comparing is left to :mod:`newswinnow.evaluation.comparison`, finding runs and texts to :mod:`newswinnow.experiments`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from newswinnow.evaluation.comparison import Comparison
from newswinnow.evaluation.intervals import Estimate
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import LABEL, PAGE, POSITION, TEXT
from newswinnow.reports.charts import difference_scale
from newswinnow.reports.shown import (
    GLANCE_BYTES,
    MARKUP_BYTES,
    MAX_PAGE_CHARS,
    MAX_PAGE_PARAGRAPHS,
    Run,
    runs_of,
)
from newswinnow.reports.templating import render_page
from newswinnow.reports.texts import cut_text, html_bytes
from newswinnow.reports.views import fit_views

FIRST: Final = "first"
SECOND: Final = "second"
_NONE: Final = "none"
_OUTCOMES: Final = {
    (True, True): "both-right",
    (True, False): "is-lost",
    (False, True): "is-won",
    (False, False): "both-wrong",
}


@dataclass(frozen=True)
class ComparedRun:
    """A run as its comparison names it."""

    name: str
    title: str


@dataclass(frozen=True)
class ComparedLevel:
    """Both runs on one corpus at one level of information; ``context`` names both where their own differ."""

    context: str
    first: Estimate
    second: Estimate
    comparison: Comparison


@dataclass(frozen=True)
class ComparedCorpus:
    """Both runs on one test corpus.

    Attributes
    ----------
    name
        The corpus.
    levels
        What the comparison says, the level that stands for the runs first.
    table
        Paragraphs with ``page``, ``position``, ``label`` and the answers ``first`` and ``second`` of that level, missing where a
        paragraph is not labelled; ``text`` where texts are at hand.
    note
        Why there are no texts; empty if there are.
    """

    name: str
    levels: tuple[ComparedLevel, ...]
    table: pd.DataFrame
    note: str = ""


@dataclass(frozen=True)
class PairView:
    """A paragraph with both answers, which are None where it is not labelled."""

    position: int
    text: str
    label: str | None
    first: str | None
    second: str | None

    @property
    def outcome(self) -> str:
        """Who is right, as the style sheet calls it; empty where that is not known."""
        return _OUTCOMES[self.first == self.label, self.second == self.label] if self.label else ""

    @property
    def is_changed(self) -> bool:
        """Whether the answers differ."""
        return self.first != self.second


@dataclass(frozen=True)
class PairPage:
    """A page with both answers, cut after 400 paragraphs."""

    page: str
    paragraphs: tuple[PairView, ...]
    n_hidden: int
    n_won: int
    n_lost: int
    n_changed: int

    @property
    def runs(self) -> tuple[list[Run], list[Run]]:
        """The page at a glance, once for each model."""
        return runs_of([p.first or _NONE for p in self.paragraphs]), runs_of([p.second or _NONE for p in self.paragraphs])

    @property
    def n_bytes(self) -> int:
        """About how much of a document it takes."""
        texts = sum(html_bytes(p.text) + (2 if p.label else 1) * MARKUP_BYTES for p in self.paragraphs)
        return 4 * MARKUP_BYTES + html_bytes(self.page) + texts + GLANCE_BYTES * sum(map(len, self.runs))


@dataclass(frozen=True)
class LabelOutcome:
    """Paragraphs of one true label: how many there are, each model's right ones, and those only one of them got right."""

    label: str
    n_paragraphs: int
    n_first: int
    n_second: int
    n_won: int
    n_lost: int


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _pairs(rows: pd.DataFrame, *, has_texts: bool) -> list[PairView]:
    texts = rows[TEXT].tolist() if has_texts else [""] * len(rows)
    columns = (rows[name].tolist() for name in (POSITION, LABEL, FIRST, SECOND))
    pairs = [
        PairView(int(at), cut_text(str(text), MAX_PAGE_CHARS), *map(_text_or_none, answers))
        for text, at, *answers in zip(texts, *columns, strict=True)
    ]
    return pairs if has_texts else [pair for pair in pairs if pair.is_changed]


def _page(page: str, rows: pd.DataFrame, *, has_texts: bool) -> PairPage:
    pairs = _pairs(rows, has_texts=has_texts)
    outcomes = [pair.outcome for pair in pairs]
    return PairPage(
        page,
        tuple(pairs[:MAX_PAGE_PARAGRAPHS]),
        max(len(pairs) - MAX_PAGE_PARAGRAPHS, 0),
        outcomes.count("is-won"),
        outcomes.count("is-lost"),
        sum(pair.is_changed for pair in pairs),
    )


def pair_pages(corpus: ComparedCorpus, *, max_bytes: int) -> tuple[tuple[PairPage, ...], int]:
    """Pages with both answers, those with most changes first; pages on which nothing changed come last.

    Parameters
    ----------
    corpus
        What was compared.
    max_bytes
        About how much of a document they may take.

    Returns
    -------
    The pages, and how many are left out. Without texts a page shows what changed on it only, and is left off where nothing did.
    """
    has_texts = TEXT in corpus.table.columns
    ordered = corpus.table.sort_values([PAGE, POSITION], kind="stable")
    pages = [_page(str(page), rows, has_texts=has_texts) for page, rows in ordered.groupby(PAGE, sort=False)]
    ranked = sorted((page for page in pages if page.paragraphs), key=lambda page: (-page.n_changed, page.page))
    shown, left = [], max_bytes
    for page in ranked:
        left -= page.n_bytes
        if left < 0:
            break
        shown.append(page)
    return tuple(shown), len(ranked) - len(shown)


def label_outcomes(table: pd.DataFrame) -> list[LabelOutcome]:
    """Who is right on which label.

    Parameters
    ----------
    table
        As :class:`ComparedCorpus` has it.

    Returns
    -------
    One for each label, in label order.
    """
    found = []
    for label in map(str, LABELS):
        rows = table[table[LABEL] == label]
        first, second = rows[FIRST] == label, rows[SECOND] == label
        counts = (first, second, second & ~first, first & ~second)
        found.append(LabelOutcome(label, len(rows), *(int(values.sum()) for values in counts)))
    return found


def _corpus_view(corpus: ComparedCorpus, max_bytes: int) -> dict[str, Any]:
    pages, n_left_out = pair_pages(corpus, max_bytes=max_bytes)
    main = corpus.levels[0].comparison
    return {
        "name": corpus.name,
        "note": corpus.note,
        "levels": corpus.levels,
        "main": corpus.levels[0],
        "level_scale": difference_scale(level.comparison.difference for level in corpus.levels),
        "slices": main.slices,
        "slice_scale": difference_scale(part.difference for part in main.slices),
        "outcomes": label_outcomes(corpus.table),
        "pages": pages,
        "n_left_out": n_left_out,
        "n_bytes": sum(page.n_bytes for page in pages),
        "has_texts": TEXT in corpus.table.columns,
    }


def render_comparison(first: ComparedRun, second: ComparedRun, *, corpora: Sequence[ComparedCorpus]) -> str:
    """The second run against the first as one HTML document below 5 MB that loads nothing and runs nothing.

    Parameters
    ----------
    first
        The baseline.
    second
        The run that is judged.
    corpora
        What was compared, one corpus at least.

    Returns
    -------
    The document.
    """
    sizes = [len(corpus.table) for corpus in corpora]
    values = {
        "title": f"{second.name} against {first.name}",
        "first": first,
        "second": second,
        "corpora": fit_views(lambda i, max_bytes: _corpus_view(corpora[i], max_bytes), sizes=sizes),
        "labels": [str(label) for label in LABELS],
    }
    return render_page("side_by_side.html.j2", values)
