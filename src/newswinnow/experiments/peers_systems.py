"""The extractors and classifiers that the project is held against, each called as its own documentation says.

Nothing of them is imported before it is called. Measuring them is left to :mod:`newswinnow.experiments.peers`.
"""

import importlib.util
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar, Final

import pandas as pd

from newswinnow.harvest.html import split_html
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import LABEL, TEXT

INSTALL: Final = "pip install 'newswinnow[peers]'"

Extract = Callable[[str], str]
"""A page's HTML in, the text of its article out."""

Classify = Callable[[Sequence[str]], list[str]]
"""Paragraphs in, one label each out."""


@dataclass(frozen=True)
class Extractor:
    """A library that finds the article in HTML.

    Attributes
    ----------
    title
        As tables show it.
    call
        How it is called, as tables show it.
    distribution, module
        What must be installed, and importable.
    open
        Imports it.
    """

    title: str
    call: str
    distribution: str
    module: str
    open: Callable[[], Extract]

    @property
    def is_here(self) -> bool:
        """Whether it can be imported."""
        return importlib.util.find_spec(self.module) is not None


def _trafilatura() -> Extract:
    from trafilatura import extract

    return lambda html: extract(html) or ""


def _justext() -> Extract:
    from justext import get_stoplist, justext

    stop_words = get_stoplist("English")
    return lambda html: "\n".join(p.text for p in justext(html, stop_words) if not p.is_boilerplate)


def _readability() -> Extract:
    from readability import Document

    # Its result is HTML again; cut into paragraphs as our own pages are, so that no two of them run into one word.
    return lambda html: "\n".join(paragraph.text for paragraph in split_html(Document(html).summary().encode()))


def _resiliparse() -> Extract:
    from resiliparse.extract.html2text import extract_plain_text

    return lambda html: str(extract_plain_text(html, main_content=True))


def _boilerpy3() -> Extract:
    from boilerpy3.extractors import ArticleExtractor

    return lambda html: str(ArticleExtractor().get_content(html))


EXTRACTORS: Final = (
    Extractor("trafilatura", "extract(html)", "trafilatura", "trafilatura", _trafilatura),
    Extractor("readability-lxml", "Document(html).summary()", "readability-lxml", "readability", _readability),
    Extractor("resiliparse", "extract_plain_text(html, main_content=True)", "resiliparse", "resiliparse", _resiliparse),
    Extractor("jusText", 'justext(html, get_stoplist("English"))', "jusText", "justext", _justext),
    Extractor("boilerpy3", "ArticleExtractor().get_content(html)", "boilerpy3", "boilerpy3", _boilerpy3),
)


@dataclass(frozen=True)
class FastText:
    """fastText's supervised classifier, trained on labelled paragraphs.

    Attributes
    ----------
    title, call
        As tables show them.
    options
        Of ``train_supervised``, beside one thread and a fixed seed.
    """

    title: str
    call: str
    options: dict[str, Any] = field(default_factory=dict)

    distribution: ClassVar[str] = "fasttext-numpy2-wheel"
    module: ClassVar[str] = "fasttext"

    @property
    def is_here(self) -> bool:
        """Whether it can be imported."""
        return importlib.util.find_spec(self.module) is not None

    def train(self, rows: pd.DataFrame, *, seed: int) -> Classify:
        """Train it.

        Parameters
        ----------
        rows
            Paragraphs, all labelled.
        seed
            Seed of its vectors.

        Returns
        -------
        The trained classifier.
        """
        import fasttext

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "train.txt"
            lines = zip(rows[LABEL], rows[TEXT], strict=True)
            path.write_text("".join(f"{_PREFIX}{label} {_line(text)}" for label, text in lines), encoding="utf-8")
            # One thread: more of them race, and every run would give other vectors.
            model = fasttext.train_supervised(str(path), thread=1, seed=seed, verbose=0, **self.options)
        predict = model.f.multilinePredict
        names = {_PREFIX + label: str(label) for label in LABELS}
        return lambda texts: [names[found[0]] for found in predict([_line(text) for text in texts], 1, 0.0, "strict")[0]]


_PREFIX: Final = "__label__"


def _line(text: str) -> str:
    return text.replace("\n", " ") + "\n"


FASTTEXT: Final = (
    FastText("fastText", "train_supervised(file)"),
    FastText(
        "fastText, bigrams and characters",
        "train_supervised(file, lr=0.5, wordNgrams=2, minn=2, maxn=5)",
        {"lr": 0.5, "wordNgrams": 2, "minn": 2, "maxn": 5},
    ),
)


def version_of(distribution: str) -> str:
    """Installed version.

    Parameters
    ----------
    distribution
        Name on the package index; must be installed.

    Returns
    -------
    The version.
    """
    return metadata.version(distribution)
