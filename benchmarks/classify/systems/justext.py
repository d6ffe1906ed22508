"""jusText's own two passes over paragraphs, without the HTML they usually come from: no links, no headings."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.classify.systems.base import NEWS, NEWS_OR_NOT, REST, Batch, Classify, System


@dataclass(frozen=True)
class JusText(System):
    """Length and stop words of each paragraph, then its neighbours on the page."""

    is_trained: bool = False
    decides: str = NEWS_OR_NOT

    def load(self, folder: Path) -> Classify:
        """Get the English stop words.

        Parameters
        ----------
        folder
            Not looked at.

        Returns
        -------
        The function that classifies.
        """
        import justext
        from justext.core import PathInfo, classify_paragraphs, revise_paragraph_classification
        from justext.paragraph import Paragraph

        stop_words = justext.get_stoplist("English")
        path = PathInfo().append("p")

        def classify(batch: Batch) -> list[str]:
            labels = []
            for begin, end in batch.bounds:
                page = [Paragraph(path) for _ in range(begin, end)]
                for paragraph, text in zip(page, batch.texts[begin:end], strict=True):
                    paragraph.append_text(text)
                classify_paragraphs(page, stop_words)
                revise_paragraph_classification(page)
                labels += [NEWS if paragraph.class_type == "good" else REST for paragraph in page]
            return labels

        return classify


def justext() -> JusText:
    """The system.

    Returns
    -------
    The system.
    """
    call = "classify_paragraphs, revise_paragraph_classification"
    return JusText("justext", "jusText, text path", call, ("justext",), ("justext",))
