"""A step for datatrove pipelines: documents cleaned, or annotated, paragraph by paragraph.

Reading crawls, extracting text and writing results is left to datatrove's own steps around it.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from newswinnow.models.predictor import AUTO, Predictor
from newswinnow.paragraphs.label import LABELS, Label
from newswinnow.paragraphs.table import PROBABILITY_COLUMNS, FloatArray, collapse_whitespace
from newswinnow.scoring.loaded import loaded
from newswinnow.scoring.model_source import ModelSource
from newswinnow.scoring.pages import PageBatch, score_pages

try:
    from datatrove.data import Document
    from datatrove.pipeline.filters.base_filter import BaseFilter
    from datatrove.pipeline.writers.disk_base import DiskWriter
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "newswinnow.datatrove: needs datatrove; got no datatrove (pip install 'newswinnow[datatrove]')", name=error.name
    ) from error

CLEAN, ANNOTATE = "clean", "annotate"
MODES: Final = (CLEAN, ANNOTATE)
LINES, BLOCKS = "lines", "blocks"
PARAGRAPHS: Final = {LINES: "\n", BLOCKS: "\n\n"}
"""What a paragraph is, and what stands between two of those kept."""

NOTHING_LEFT: Final = "nothing_left"
METADATA: Final = "newswinnow"
BATCH_DOCUMENTS: Final = 64
"""Documents scored at once: from there on a call costs nothing beside its texts."""


class ParagraphFilter(BaseFilter):  # type: ignore[misc]
    """Keep of every document the paragraphs with chosen labels, and drop documents of which nothing is left.

    A document is one page: models that look at the whole page see all of its paragraphs in order. The model is loaded when the
    first document comes, once per process, however many tasks and steps use it; it is never pickled with the pipeline. Statistics
    count the paragraphs by label, and the characters kept and removed.

    Parameters
    ----------
    model
        A saved model, a path that is the same for every worker; None for the one that ships.
    trust
        sha256 expected of a joblib model.
    keep
        Labels to keep.
    mode
        ``clean`` removes the other paragraphs from the text. ``annotate`` leaves the text and drops nothing: ``metadata`` gets
        ``newswinnow``, with ``predicted`` and the three probabilities, each a list with an entry for every paragraph.
    paragraphs
        ``lines``: every line that is not blank, as extractors and WET files have them; ``blocks``: what stands between blank
        lines. Paragraphs kept keep their characters; a newline, or a blank line, is put between them.
    context
        Level of information to use.
    exclusion_writer
        Takes the documents dropped, as they came.
    batch_size
        Documents scored at once.

    Raises
    ------
    ValueError
        If an option is unknown, or no label is to be kept.
    """

    name = "🌾 newswinnow"

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        trust: str | None = None,
        keep: Sequence[str] = (Label.NEWS,),
        mode: str = CLEAN,
        paragraphs: str = LINES,
        context: str = AUTO,
        exclusion_writer: DiskWriter | None = None,
        batch_size: int = BATCH_DOCUMENTS,
    ) -> None:
        super().__init__(exclusion_writer, batch_size)
        self.source = ModelSource(None if model is None else Path(model), trust)
        self.keep = _labels_of(keep)
        self.mode = _one_of(mode, MODES, "mode")
        self.paragraphs = _one_of(paragraphs, tuple(PARAGRAPHS), "paragraphs")
        self.context = context
        self._predictor: Predictor | None = None

    def __getstate__(self) -> dict[str, Any]:
        """What travels to other processes, or is copied for another task: all but the model."""
        return {**self.__dict__, "_predictor": None}

    def filter(self, doc: Document) -> bool | tuple[bool, str]:
        """Clean or annotate one document.

        Parameters
        ----------
        doc
            The document, changed in place if it is kept.

        Returns
        -------
        True, or False with the reason.
        """
        return self.filter_batch([doc])[0]

    def filter_batch(self, batch: list[Document]) -> list[bool | tuple[bool, str]]:
        """Clean or annotate documents.

        Parameters
        ----------
        batch
            The documents, changed in place where they are kept.

        Returns
        -------
        For each True, or False with the reason.
        """
        pieces = [split_paragraphs(doc.text, self.paragraphs) for doc in batch]
        # Two documents may have the same id: their place in the batch tells them apart.
        pages = [str(i) for i, texts in enumerate(pieces) for _ in texts]
        positions = [position for texts in pieces for position in range(len(texts))]
        texts = [collapse_whitespace(text) for texts in pieces for text in texts]
        predictor = self._model()
        found = score_pages(predictor, PageBatch(pages, positions, texts), context=self.context)
        labels = predictor.labels_of(found)
        results, at = [], 0
        for doc, own in zip(batch, pieces, strict=True):
            span = slice(at, at + len(own))
            results.append(self._settled(doc, own, labels[span], found[span]))
            at += len(own)
        return results

    def _model(self) -> Predictor:
        if self._predictor is None:
            key = f"{self.source.directory} {self.source.trust} {self.source.sha256()}"
            self._predictor = loaded(key, self.source.load)
        return self._predictor

    def _settled(self, doc: Document, texts: Sequence[str], labels: Sequence[str], found: FloatArray) -> bool | tuple[bool, str]:
        """What becomes of a document, now that its paragraphs are labelled."""
        for label, count in Counter(labels).items():
            self.stat_update(f"paragraphs_{label}", value=count, unit="doc")
        if self.mode == ANNOTATE:
            columns = dict(zip(PROBABILITY_COLUMNS, found.round(6).T.tolist(), strict=True))
            doc.metadata[METADATA] = {"predicted": list(labels), **columns}
            return True
        kept = [text for text, label in zip(texts, labels, strict=True) if label in self.keep]
        n_kept = sum(map(len, kept))
        self.stat_update("characters_kept", value=n_kept, unit="doc")
        self.stat_update("characters_removed", value=sum(map(len, texts)) - n_kept, unit="doc")
        if not kept:
            return False, NOTHING_LEFT
        doc.text = PARAGRAPHS[self.paragraphs].join(kept)
        return True


def split_paragraphs(text: str, paragraphs: str = LINES) -> list[str]:
    r"""A document's paragraphs.

    Parameters
    ----------
    text
        The document.
    paragraphs
        ``lines`` or ``blocks``.

    Returns
    -------
    The paragraphs, whitespace at their ends removed; none of nothing but whitespace.

    Examples
    --------
    >>> split_paragraphs("Share\n\nIt rained\nin Bern.\n")
    ['Share', 'It rained', 'in Bern.']
    >>> split_paragraphs("Share\n \nIt rained\nin Bern.\n", "blocks")
    ['Share', 'It rained\nin Bern.']
    """
    blocks, open_lines = [], []
    for line in [*text.split("\n"), ""]:
        if line.strip():
            open_lines.append(line)
        if open_lines and (paragraphs == LINES or not line.strip()):
            blocks.append("\n".join(open_lines).strip())
            open_lines = []
    return blocks


def _labels_of(keep: Sequence[str]) -> frozenset[str]:
    if isinstance(keep, str):
        raise ValueError(f"keep: must be a list of labels; got one str {keep!r:.40} (write [label])")
    for label in keep:
        if label not in tuple(LABELS):
            raise ValueError(f"keep: must be of {', '.join(LABELS)}; got {label!r:.40}")
    if not keep:
        raise ValueError("keep: must name a label at least; got none")
    return frozenset(map(str, keep))


def _one_of(value: str, allowed: Sequence[str], name: str) -> str:
    if value not in allowed:
        raise ValueError(f"{name}: must be one of {', '.join(allowed)}; got {value!r:.40}")
    return value
