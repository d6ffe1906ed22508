"""trafilatura on pages of bare paragraphs: it reads nothing but HTML, so each page's texts are wrapped in the least there is."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from benchmarks.classify.systems.base import NEWS, NEWS_OR_NOT, REST, Batch, Classify, System


def as_html(texts: Sequence[str]) -> str:
    """A page of nothing but paragraphs.

    Parameters
    ----------
    texts
        Its paragraphs.

    Returns
    -------
    HTML.

    Examples
    --------
    >>> as_html(["Q & A"])
    '<html><body><p>Q &amp; A</p></body></html>'
    """
    return "<html><body>" + "".join(f"<p>{escape(text, quote=False)}</p>" for text in texts) + "</body></html>"


def kept(texts: Sequence[str], extracted: str) -> list[str]:
    """Labels of a page's paragraphs, by which of them stand in what was extracted.

    Parameters
    ----------
    texts
        The page's paragraphs.
    extracted
        The text that was kept, a line per paragraph.

    Returns
    -------
    One label per paragraph; of equal paragraphs the first are the ones kept.

    Examples
    --------
    >>> kept(["Share", "It rained.", "Share"], "It  rained.")
    ['boilerplate', 'news', 'boilerplate']
    """
    lines = Counter(" ".join(line.split()) for line in extracted.splitlines())
    labels = []
    for text in texts:
        line = " ".join(text.split())
        labels.append(NEWS if lines[line] > 0 else REST)
        lines[line] -= 1
    return labels


@dataclass(frozen=True)
class Trafilatura(System):
    """``extract`` with its defaults, but nothing taken for a comment."""

    is_trained: bool = False
    decides: str = NEWS_OR_NOT

    def load(self, folder: Path) -> Classify:
        """Import it.

        Parameters
        ----------
        folder
            Not looked at.

        Returns
        -------
        The function that classifies.
        """
        from trafilatura import extract

        def classify(batch: Batch) -> list[str]:
            labels = []
            for begin, end in batch.bounds:
                texts = batch.texts[begin:end]
                labels += kept(texts, extract(as_html(texts)) or "")
            return labels

        return classify


def trafilatura() -> Trafilatura:
    """The system.

    Returns
    -------
    The system.
    """
    return Trafilatura("trafilatura", "trafilatura, wrapped text", "extract(html)", ("trafilatura",), ("trafilatura",))
