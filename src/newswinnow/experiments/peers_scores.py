"""Scores of a system that keeps some paragraphs of a page and drops the others, and the text it makes of them.

What the systems are, and asking them, is left to :mod:`newswinnow.experiments.peers`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from newswinnow.evaluation.intervals import N_RESAMPLES, Estimate, page_draws, page_share, ratio_interval
from newswinnow.evaluation.scores import score
from newswinnow.experiments.peers_match import body_f1, kept_paragraphs
from newswinnow.models.training import table_digest
from newswinnow.paragraphs.label import Label
from newswinnow.paragraphs.table import LABEL, PAGE, TAG, TEXT, labelled_rows


@dataclass(frozen=True)
class PeerPage:
    """One page that is measured.

    Attributes
    ----------
    html
        The page as text.
    body
        Paragraphs of the known article body; empty where nobody knows it.
    rows
        Its paragraphs in order, unlabelled ones included, with the index they have in the corpus.
    """

    html: str
    body: tuple[str, ...]
    rows: pd.DataFrame


@dataclass(frozen=True)
class Named:
    """A system as tables show it; the fields are those of :class:`PeerScore`."""

    system: str
    reads: str
    call: str = ""
    context: str = ""


@dataclass(frozen=True)
class PeerScore:
    """One system on one set of pages.

    Attributes
    ----------
    system
        Its name.
    call
        How it was called.
    reads
        What it was given.
    context
        Level of information, of our own model; else empty.
    precision, recall, f1
        Of news against the rest, over labelled paragraphs.
    f1_without_h1
        The same F1 without paragraphs in ``h1``: extractors give the headline apart or not at all; None without tags.
    related_as_news, boilerplate_as_news
        Share of the label's paragraphs that were kept; None where there are none.
    body_f1
        Mean F1 of 4-token shingles over pages with a known body; None where there are none.
    n_failed
        Pages on which it raised an error, and was taken to have kept nothing.
    """

    system: str
    call: str
    reads: str
    context: str
    precision: Estimate
    recall: Estimate
    f1: Estimate
    f1_without_h1: Estimate | None
    related_as_news: Estimate | None
    boilerplate_as_news: Estimate | None
    body_f1: Estimate | None
    n_failed: int


@dataclass(frozen=True)
class PeerTest:
    """All systems on one set of pages.

    Attributes
    ----------
    name
        Of the set.
    n_pages, n_paragraphs, n_bodies
        Pages with HTML, labelled paragraphs on them, and pages whose body is known.
    n_without_html
        Pages of the table that no collection holds; they are left out.
    data_digest
        sha256 of the labelled paragraphs.
    matching_f1
        News F1 of an extractor that keeps exactly the paragraphs read as news: what is missing from 1 is the fault of finding
        paragraphs in a text, which extractors of HTML pay for and classifiers of paragraphs do not.
    scores
        One per system.
    """

    name: str
    n_pages: int
    n_paragraphs: int
    n_bodies: int
    n_without_html: int
    data_digest: str
    matching_f1: Estimate
    scores: tuple[PeerScore, ...]


@dataclass(frozen=True)
class Peers:
    """What was measured, and what was not and why."""

    tests: tuple[PeerTest, ...]
    skipped: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """The numbers as plain values, for ``metrics.json``."""
        return {"tests": {test.name: asdict(test) for test in self.tests}, "skipped": self.skipped}


@dataclass(frozen=True)
class Answer:
    """What a system kept.

    Attributes
    ----------
    is_kept
        Whether each paragraph of the pages was kept, with the index of the corpus.
    texts
        The text of each page, in the order of the pages.
    n_failed
        Pages on which the system raised an error.
    """

    is_kept: pd.Series
    texts: list[str]
    n_failed: int = 0


def matched(rows: pd.DataFrame, text: str) -> pd.Series:
    """Which paragraphs of a page stand in an extractor's text.

    Parameters
    ----------
    rows
        All paragraphs of the page.
    text
        The extractor's text.

    Returns
    -------
    Booleans with the index of the rows.
    """
    return pd.Series(kept_paragraphs(rows[TEXT].tolist(), text), index=rows.index, dtype=bool)


class Measure:
    """Scores of answers on one set of pages, resampled alike for all of them.

    Parameters
    ----------
    pages
        The pages, at least one.
    seed
        Seed of the intervals.
    n_resamples
        Resampled corpora behind each interval.
    """

    def __init__(self, pages: Sequence[PeerPage], *, seed: int = 0, n_resamples: int = N_RESAMPLES) -> None:
        self._rows = labelled_rows(pd.concat([page.rows for page in pages]))
        self._pages = pages
        self._seed, self._n_resamples = seed, n_resamples

    def of(self, answer: Answer, named: Named) -> PeerScore:
        """One system's scores.

        Parameters
        ----------
        answer
            What it kept.
        named
            What it is called.

        Returns
        -------
        The scores.
        """
        is_kept = answer.is_kept.loc[self._rows.index].to_numpy()
        precision, recall, f1 = self._news(np.ones(len(self._rows), dtype=bool), is_kept)
        is_body = ~self._rows[TAG].eq("h1").to_numpy(dtype=bool) if TAG in self._rows.columns else None
        return PeerScore(
            named.system,
            named.call,
            named.reads,
            named.context,
            precision,
            recall,
            f1,
            None if is_body is None else self._news(is_body, is_kept)[2],
            self._kept_of(Label.RELATED_LINK, is_kept),
            self._kept_of(Label.BOILERPLATE, is_kept),
            self._body(answer.texts),
            answer.n_failed,
        )

    def _news(self, is_in: Any, is_kept: Any) -> tuple[Estimate, ...]:
        rows = self._rows[is_in]
        found = np.where(is_kept[is_in], str(Label.NEWS), str(Label.BOILERPLATE))
        news = score(rows[LABEL], found, rows[PAGE], seed=self._seed, n_resamples=self._n_resamples).labels[0]
        return news.precision, news.recall, news.f1

    def _kept_of(self, label: Label, is_kept: Any) -> Estimate | None:
        is_in = (self._rows[LABEL] == label).to_numpy()
        codes, pages = pd.factorize(self._rows[PAGE])
        draws = page_draws(len(pages), seed=self._seed, n_resamples=self._n_resamples)
        return page_share(is_in, is_kept, codes, draws) if is_in.any() else None

    def _body(self, texts: Sequence[str]) -> Estimate | None:
        found = [body_f1(text, body) for text, body in zip(texts, (page.body for page in self._pages), strict=True) if body]
        draws = page_draws(max(len(found), 1), seed=self._seed, n_resamples=self._n_resamples)
        return ratio_interval(np.array(found), np.ones(len(found)), draws) if found else None

    def test(self, name: str, scores: Sequence[PeerScore], *, n_without_html: int) -> PeerTest:
        """All systems' scores with what they were measured on.

        Parameters
        ----------
        name
            Of the set of pages.
        scores
            One per system.
        n_without_html
            Labelled pages left out.

        Returns
        -------
        The test.
        """
        return PeerTest(
            name,
            n_pages=len(self._pages),
            n_paragraphs=len(self._rows),
            n_bodies=sum(bool(page.body) for page in self._pages),
            n_without_html=n_without_html,
            data_digest=table_digest(self._rows),
            matching_f1=self._matching(),
            scores=tuple(scores),
        )

    def _matching(self) -> Estimate:
        texts = ("\n".join(page.rows.loc[page.rows[LABEL] == Label.NEWS, TEXT]) for page in self._pages)
        is_kept = pd.concat([matched(page.rows, text) for page, text in zip(self._pages, texts, strict=True)])
        return self._news(np.ones(len(self._rows), dtype=bool), is_kept.loc[self._rows.index].to_numpy())[2]
