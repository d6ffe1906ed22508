"""What to label next: of the paragraphs without a label, those whose label would teach a model most.

A fast model, fitted on the labels there are, says where it hesitates; a strategy spreads the picks over texts and sites.
Showing the picks to annotators is left to :mod:`newswinnow.corpus.exchange`; that the picks beat chance is measured in
``experiments/015-label-queue``.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Literal, Self

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier

from newswinnow.corpus.exchange.outgoing import QUEUE
from newswinnow.features.surface import SurfaceFeatures
from newswinnow.paragraphs.table import LABEL, PAGE, POSITION, SITE, TEXT, FloatArray, IntArray, require_columns

_HASHED: Final = 1 << 16
_SURFACE_WEIGHT: Final = 0.3
_EPOCHS: Final = 20
_SHORTLIST: Final = 6
"""Diversity is weighed among so many times the picks wanted, the most doubtful ones: the rest is too sure to be picked anyway."""


@dataclass(frozen=True)
class Strategy:
    """How to pick: what makes a paragraph worth a label, and how the picks are spread.

    Attributes
    ----------
    measure
        ``margin``: how close the two likeliest labels are; ``entropy``: of all three; ``random``: nothing.
    spread
        ``none``: each paragraph for itself; ``texts``: unlike those already picked; ``pages``: pages with the largest mean.
    """

    measure: Literal["margin", "entropy", "random"]
    spread: Literal["none", "texts", "pages"] = "none"


STRATEGIES: Final[dict[str, Strategy]] = {
    "margin-diverse": Strategy("margin", "texts"),
    "margin": Strategy("margin"),
    "entropy": Strategy("entropy"),
    "margin-page": Strategy("margin", "pages"),
    "diverse": Strategy("random", "texts"),
    "random": Strategy("random"),
    "random-page": Strategy("random", "pages"),
}
DEFAULT_STRATEGY: Final = "margin-diverse"
DEFAULT_PER_SITE: Final = 10
"""The limit neither helped nor hurt in experiments/015-label-queue; it keeps one large site from filling a round."""


@dataclass(frozen=True)
class TextVectors:
    """Two views of the same texts, rows in the same order.

    Attributes
    ----------
    words
        Hashed word 1-2-grams, rows of length 1, so that a product of two rows is their cosine; shape (n_paragraphs, 65536).
    features
        The same beside surface features: what the model sees; shape (n_paragraphs, n_features).
    """

    words: csr_matrix
    features: csr_matrix

    @classmethod
    def of(cls, texts: list[str]) -> Self:
        """Vectors of texts.

        Parameters
        ----------
        texts
            The paragraphs, at least one.

        Returns
        -------
        Their vectors; scales of the surface features come from these texts, labels are not needed.
        """
        hashing = HashingVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\w+|[^\w\s]", n_features=_HASHED)
        words = csr_matrix(hashing.transform(texts))
        surface = SurfaceFeatures().fit(texts).transform(texts) * _SURFACE_WEIGHT
        return cls(words, csr_matrix(hstack([words, surface])))


def queue_model(seed: int = 0) -> SGDClassifier:
    """The unfitted classifier that says where it hesitates.

    Parameters
    ----------
    seed
        Seed of the order in which it sees its examples.

    Returns
    -------
    Logistic regression by stochastic descent, for :attr:`TextVectors.features`. On 4,000 hand-read paragraphs it took 0.1 s and
    gave macro-F1 0.744 on unseen sites, where the exact solver took 2.6 s and gave 0.740.
    """
    return SGDClassifier(loss="log_loss", alpha=1e-4, class_weight="balanced", max_iter=_EPOCHS, tol=None, random_state=seed)


@dataclass(frozen=True)
class Candidates:
    """Paragraphs that could be labelled.

    Attributes
    ----------
    probabilities
        Of the labels, shape (n_candidates, n_labels); None as long as there is no model: every strategy is then ``random``.
    words
        Rows of length 1, shape (n_candidates, n_words).
    pages, sites
        Where each stands, shape (n_candidates,).
    """

    probabilities: FloatArray | None
    words: csr_matrix
    pages: np.ndarray[Any, np.dtype[Any]]
    sites: np.ndarray[Any, np.dtype[Any]]


def _doubt(candidates: Candidates, measure: str, rng: np.random.Generator) -> FloatArray:
    """Worth of a label in [0, 1] for each candidate; chance breaks ties without changing any other order that matters."""
    chance: FloatArray = rng.random(len(candidates.pages))
    probabilities = candidates.probabilities
    if probabilities is None or measure == "random":
        return chance
    if measure == "margin":
        ordered = np.sort(probabilities, axis=1)
        worth = 1.0 - (ordered[:, -1] - ordered[:, -2])
    else:
        safe = np.clip(probabilities, 1e-12, 1.0)
        worth = -(safe * np.log(safe)).sum(axis=1) / np.log(probabilities.shape[1])
    return worth * (1 - 1e-9) + chance * 1e-9


class _Quota:
    """Counts picks per site and refuses those over the limit."""

    def __init__(self, sites: np.ndarray[Any, np.dtype[Any]], per_site: int | None) -> None:
        self._sites, self._limit = sites, per_site
        self._taken: Counter[Any] = Counter()

    def take(self, i: int) -> bool:
        """Count a pick if its site has room."""
        site = self._sites[i]
        if self._limit is not None and self._taken[site] >= self._limit:
            return False
        self._taken[site] += 1
        return True


def _by_worth(worth: FloatArray) -> Iterator[int]:
    yield from np.argsort(-worth, kind="stable").tolist()


def _by_page(worth: FloatArray, pages: np.ndarray[Any, np.dtype[Any]]) -> Iterator[int]:
    """Pages by the mean worth of their paragraphs, and within a page by worth."""
    frame = pd.DataFrame({"page": pages, "worth": worth})
    frame["mean"] = frame.groupby("page", sort=False)["worth"].transform("mean")
    yield from frame.sort_values(["mean", "page", "worth"], ascending=[False, True, False], kind="stable").index.tolist()


def _unlike(worth: FloatArray, words: csr_matrix, *, n: int) -> Iterator[int]:
    """Greedy: the largest worth times distance from everything given before; in the end, by worth, what was never weighed."""
    order = np.argsort(-worth, kind="stable")
    shortlist = order[: n * _SHORTLIST]
    rows = words[shortlist]
    left, distance = worth[shortlist], np.ones(len(shortlist))
    for _ in range(len(shortlist)):
        gain = left * distance
        # Copies of what was given have no gain left; they come last, by worth.
        at = int(np.argmax(gain if gain.max() > 0 else left))
        yield int(shortlist[at])
        left[at] = -1.0
        likeness = rows @ rows[at].toarray().ravel()
        np.minimum(distance, 1.0 - np.clip(likeness, 0.0, 1.0), out=distance)
    yield from order[n * _SHORTLIST :].tolist()


def pick(
    candidates: Candidates, n: int, *, strategy: str = DEFAULT_STRATEGY, per_site: int | None = DEFAULT_PER_SITE, seed: int = 0
) -> IntArray:
    """Pick what to label next.

    Parameters
    ----------
    candidates
        The paragraphs without a label.
    n
        How many to pick.
    strategy
        One of :data:`STRATEGIES`.
    per_site
        At most so many of one site; None for no limit.
    seed
        Seed of every chance.

    Returns
    -------
    Row numbers, first pick first; fewer than ``n`` where the candidates or the sites' quotas do not suffice.

    Raises
    ------
    ValueError
        If the strategy is unknown or a number is below 1.
    """
    if strategy not in STRATEGIES:
        raise ValueError(f"strategy: must be one of {', '.join(STRATEGIES)}; got {strategy!r}")
    if n < 1 or (per_site is not None and per_site < 1):
        raise ValueError(f"queue: numbers of paragraphs must be >= 1; got {n} in all, {per_site} per site")
    # Without a model chance alone: spread over texts it was worse than plain chance (experiments/015-label-queue, "diverse").
    chosen = STRATEGIES[strategy if candidates.probabilities is not None else "random"]
    worth = _doubt(candidates, chosen.measure, np.random.default_rng(seed))
    orders = {
        "none": lambda: _by_worth(worth),
        "texts": lambda: _unlike(worth, candidates.words, n=n),
        "pages": lambda: _by_page(worth, candidates.pages),
    }
    quota = _Quota(candidates.sites, per_site)
    # A refused candidate also counts as given in the order of "texts": what is like it is as little wanted.
    return np.asarray(list(islice(filter(quota.take, orders[chosen.spread]()), n)), dtype=np.int64)


def sites_of(table: pd.DataFrame) -> np.ndarray[Any, np.dtype[Any]]:
    """Site of every row; a page without a site counts as a site of its own.

    Parameters
    ----------
    table
        A paragraph table.

    Returns
    -------
    Names, shape (n_paragraphs,).
    """
    pages = "page:" + table[PAGE].astype(str)
    if SITE not in table.columns:
        return pages.to_numpy(dtype=object)
    has_site = table[SITE].notna() & (table[SITE] != "")
    return table[SITE].where(has_site, pages).to_numpy(dtype=object)


def label_queue(
    table: pd.DataFrame,
    n: int,
    *,
    strategy: str = DEFAULT_STRATEGY,
    per_site: int | None = DEFAULT_PER_SITE,
    seed: int = 0,
) -> pd.DataFrame:
    """Rank the unlabelled paragraphs of a table that should be labelled next.

    Parameters
    ----------
    table
        A paragraph table; a ``label`` column is optional. With fewer than two labels in use there is nothing to fit a model on,
        and chance picks, within the limit per site.
    n
        How many to pick.
    strategy
        One of :data:`STRATEGIES`.
    per_site
        At most so many of one site, or of one page where it has no site; None for no limit.
    seed
        Seed of model and picks.

    Returns
    -------
    The table with the column :data:`QUEUE`, all rows kept.

    Raises
    ------
    ValueError
        If a needed column is missing, the strategy is unknown, a number is below 1 or no row is without a label.
    """
    require_columns(table, (PAGE, POSITION, TEXT), where="table")
    labels = table[LABEL] if LABEL in table.columns else pd.Series(None, index=table.index, dtype=object)
    is_open = labels.isna().to_numpy()
    if not is_open.any():
        raise ValueError(f"table: must have paragraphs without a label; got {len(table)} labelled ones")
    vectors = TextVectors.of(table[TEXT].tolist())
    candidates = Candidates(
        _probabilities(vectors.features, labels.to_numpy(dtype=object), is_open, seed=seed),
        vectors.words[is_open],
        table[PAGE].to_numpy(dtype=object)[is_open],
        sites_of(table)[is_open],
    )
    picked = pick(candidates, n, strategy=strategy, per_site=per_site, seed=seed)
    ranks = np.full(len(table), None, dtype=object)
    ranks[np.flatnonzero(is_open)[picked]] = list(range(1, len(picked) + 1))
    return table.assign(**{QUEUE: pd.Series(ranks, index=table.index, dtype=object)})


def queued_rows(ranked: pd.DataFrame, *, whole_pages: bool) -> pd.DataFrame:
    """What an annotator needs of a table that a queue has ranked.

    Parameters
    ----------
    ranked
        What :func:`label_queue` gave.
    whole_pages
        Whether the other paragraphs of a pick's page come along, as context.

    Returns
    -------
    The rows in their order, all columns kept.
    """
    is_picked = ranked[QUEUE].notna()
    if whole_pages:
        is_picked = ranked[PAGE].isin(set(ranked.loc[is_picked, PAGE]))
    return ranked[is_picked]


def _probabilities(features: csr_matrix, labels: Any, is_open: Any, *, seed: int) -> FloatArray | None:
    known = labels[~is_open].astype(str)
    if len(set(known)) < 2:
        return None
    model = queue_model(seed).fit(features[~is_open], known)
    probabilities: FloatArray = model.predict_proba(features[is_open])
    return probabilities
