"""The project beside extractors of HTML and fastText on the same pages: what each keeps of the news, of the rest, of the body.

How a text is held against paragraphs is said in :mod:`newswinnow.experiments.peers_match`; showing the numbers is left to
:mod:`newswinnow.experiments.peers_tables`.
"""

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pandas as pd

from newswinnow.corpus.tables import read_corpus
from newswinnow.evaluation.intervals import N_RESAMPLES
from newswinnow.experiments.peers_config import PeersConfig
from newswinnow.experiments.peers_scores import Answer, Measure, Named, PeerPage, Peers, PeerTest, matched
from newswinnow.experiments.peers_systems import EXTRACTORS, FASTTEXT, INSTALL, Classify, Extract, Extractor, FastText
from newswinnow.harvest.align import closest_article
from newswinnow.harvest.encoding import utf8_page
from newswinnow.harvest.sources import READERS, find_pages, load_page
from newswinnow.harvest.sources.page import PageFiles
from newswinnow.harvest.structure import structure_html
from newswinnow.models.predictor import Predictor, contexts_for
from newswinnow.paragraphs.label import Label
from newswinnow.paragraphs.table import PAGE, POSITION, PREDICTED, TEXT, labelled_rows

OURS: Final = "newswinnow"
EVERYTHING: Final = "everything kept"
_FOLDER: Final = "folder"
_HTML, _PARAGRAPHS, _TABLE = "HTML", "paragraphs", "paragraphs with tags"

Step = Callable[[str], None]
"""Called with what has just been done."""

Classifiers = dict[str, Classify]


def _load(files: PageFiles, rows: pd.DataFrame) -> PeerPage:
    page = load_page(files)
    body: tuple[str, ...] = ()
    if page.articles:
        found = closest_article(structure_html(page.html), page.articles).body
        body = (found,) if isinstance(found, str) else tuple(found)
    return PeerPage(utf8_page(page.html).decode("utf-8"), body, rows)


def load_pages(corpus: pd.DataFrame, sources: dict[str, Path]) -> list[PeerPage]:
    """The pages of a labelled table whose HTML is at hand.

    Parameters
    ----------
    corpus
        A paragraph table; a page without labels counts for nothing and is left out.
    sources
        Collection to folder.

    Returns
    -------
    The pages in order of their ids.

    Raises
    ------
    ValueError
        If a file is damaged.
    """
    labelled = set(labelled_rows(corpus)[PAGE])
    groups = {str(page): rows.sort_values(POSITION) for page, rows in corpus.groupby(PAGE) if page in labelled}
    found = [
        files
        for name, folder in sources.items()
        for files in find_pages(name if name in READERS else _FOLDER, folder, source=name)
        if files.page in groups
    ]
    return [_load(files, groups[files.page]) for files in sorted(found, key=lambda files: files.page)]


def _text_of(rows: pd.DataFrame, is_kept: pd.Series) -> str:
    return "\n".join(rows.loc[is_kept.loc[rows.index], TEXT])


def _of_labels(pages: Sequence[PeerPage], predicted: pd.Series) -> Answer:
    is_kept = predicted == Label.NEWS
    return Answer(is_kept, [_text_of(page.rows, is_kept) for page in pages])


@contextmanager
def _silence() -> Iterator[None]:
    """Neither warnings nor log lines: extractors say much about every damaged page."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _extracted(extract: Extract, html: str) -> str | None:
    """An extractor's text; None where it failed: what it raises is its own affair, and counted."""
    try:
        with _silence():
            return extract(html)
    except Exception:
        return None


def _of_extractor(pages: Sequence[PeerPage], extractor: Extractor) -> Answer:
    extract = extractor.open()
    texts = [_extracted(extract, page.html) for page in pages]
    is_kept = pd.concat([matched(page.rows, text or "") for page, text in zip(pages, texts, strict=True)])
    return Answer(is_kept, [text or "" for text in texts], texts.count(None))


def _answers(pages: Sequence[PeerPage], model: Predictor, classifiers: Classifiers) -> Iterator[tuple[Answer, Named]]:
    table = pd.concat([page.rows for page in pages])
    for context in contexts_for(model, table):
        predicted = model.predict_table(table, context=context)[PREDICTED]
        reads = _TABLE if context == "markup" else _PARAGRAPHS
        yield _of_labels(pages, predicted), Named(OURS, reads, context=context)
    calls = {peer.title: peer.call for peer in FASTTEXT}
    for title, classify in classifiers.items():
        predicted = pd.Series(classify(table[TEXT].tolist()), index=table.index)
        yield _of_labels(pages, predicted), Named(title, _PARAGRAPHS, calls[title])
    for peer in EXTRACTORS:
        if peer.is_here:
            yield _of_extractor(pages, peer), Named(peer.title, _HTML, peer.call)
    kept = pd.Series(str(Label.NEWS), index=table.index)
    yield _of_labels(pages, kept), Named(EVERYTHING, _PARAGRAPHS)


def measure_pages(
    name: str,
    corpus: pd.DataFrame,
    sources: dict[str, Path],
    model: Predictor,
    *,
    classifiers: Classifiers | None = None,
    seed: int = 0,
    n_resamples: int = N_RESAMPLES,
    progress: Step = lambda step: None,
) -> PeerTest | None:
    """All systems on one labelled table.

    Parameters
    ----------
    name
        Of the table.
    corpus
        The table.
    sources
        Collection to folder of HTML.
    model
        Our own, at every level it knows.
    classifiers
        Trained classifiers of text, by name.
    seed
        Seed of the intervals.
    n_resamples
        Resampled corpora behind each interval.
    progress
        Called with each system's name when it is done.

    Returns
    -------
    The scores; None where no labelled page has HTML.

    Raises
    ------
    ValueError
        If a file is damaged.
    """
    corpus = corpus.reset_index(drop=True)
    pages = load_pages(corpus, sources)
    if not pages:
        return None
    measure = Measure(pages, seed=seed, n_resamples=n_resamples)
    scores = []
    for answer, named in _answers(pages, model, classifiers or {}):
        scores.append(measure.of(answer, named))
        progress(f"{name}: {named.system}")
    return measure.test(name, scores, n_without_html=labelled_rows(corpus)[PAGE].nunique() - len(pages))


def _skipped_systems(config: PeersConfig, train_paths: Sequence[Path]) -> Iterator[tuple[str, str]]:
    for peer in (*EXTRACTORS, *FASTTEXT):
        if not peer.is_here:
            yield peer.title, f"{peer.distribution} is not installed ({INSTALL})"
        elif isinstance(peer, FastText) and not config.train:
            yield peer.title, "no labelled paragraphs to train it on were named"
        elif isinstance(peer, FastText) and (absent := [path for path in train_paths if not path.is_file()]):
            yield peer.title, f"{absent[0]} is not here"


def run_peers(
    config: PeersConfig,
    model: Predictor,
    *,
    relative_to: Path = Path(),
    n_resamples: int = N_RESAMPLES,
    progress: Step = lambda step: None,
) -> Peers:
    """Measure every system that is installed on every test that is here.

    Parameters
    ----------
    config
        What to measure.
    model
        Our own model.
    relative_to
        Folder that the configuration's paths start from.
    n_resamples
        Resampled corpora behind each interval.
    progress
        Called with each step when it is done.

    Returns
    -------
    The scores, and by name what was skipped and why.

    Raises
    ------
    FileNotFoundError
        If nothing can be measured: no table is here, or none of its pages has HTML.
    ValueError
        If a corpus is malformed.
    """
    train_paths = [relative_to / path for path in config.train]
    sources = {name: relative_to / folder for name, folder in config.sources.items()}
    tests = {name: relative_to / path for name, path in config.tests.items()}
    absent = {name: f"{path} is not here" for name, path in {**sources, **tests}.items() if not path.exists()}
    here = {name: folder for name, folder in sources.items() if name not in absent}
    corpora = {name: read_corpus([path]) for name, path in tests.items() if here and name not in absent}
    no_peer = dict(_skipped_systems(config, train_paths))
    classifiers: Classifiers = {}
    for peer in FASTTEXT:
        if corpora and peer.title not in no_peer:
            classifiers[peer.title] = peer.train(labelled_rows(read_corpus(train_paths)), seed=config.seed)
            progress(f"training {peer.title}")
    found = {
        name: measure_pages(
            name, corpus, here, model, classifiers=classifiers, seed=config.seed, n_resamples=n_resamples, progress=progress
        )
        for name, corpus in corpora.items()
    }
    absent |= {name: "none of its labelled pages stands in the HTML collections" for name in found if found[name] is None}
    measured = tuple(test for test in found.values() if test)
    if not measured:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in absent.items())
        raise FileNotFoundError(f"peers: needs a labelled table and the HTML of its pages; got none ({reasons})")
    return Peers(measured, {**no_peer, **absent})
