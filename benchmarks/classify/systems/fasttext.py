"""fastText's supervised classifier, with word bigrams and character 2- to 5-grams."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.classify.systems.base import Batch, Classify, System, Training

_PREFIX: Final = "__label__"
_MODEL: Final = "model.bin"
_EPOCHS: Final = 5
_RATE: Final = 0.5


def as_lines(texts: Iterable[str]) -> list[str]:
    r"""Texts as fastText wants them: one line each, with the newline that its ``predict`` would add.

    Parameters
    ----------
    texts
        The paragraphs.

    Returns
    -------
    One line each.

    Examples
    --------
    >>> as_lines(["Share", "two\nlines"])
    ['Share\n', 'two lines\n']
    """
    return [text.replace("\n", " ") + "\n" for text in texts]


@dataclass(frozen=True)
class FastText(System):
    """``train_supervised``; ``dim`` is the length of its vectors, 100 by default."""

    dim: int = 100

    def prepare(self, training: Training, folder: Path) -> Path:
        """Write fastText's training file.

        Parameters
        ----------
        training
            The paragraphs.
        folder
            Where to.

        Returns
        -------
        The file.
        """
        path = folder / "train.txt"
        with path.open("w", encoding="utf-8") as file:
            lines = as_lines(training.texts)
            file.writelines(f"{_PREFIX}{label} {line}" for label, line in zip(training.labels, lines, strict=True))
        return path

    def fit(self, prepared: Path) -> Any:
        """Train.

        Parameters
        ----------
        prepared
            The training file.

        Returns
        -------
        fastText's model.
        """
        import fasttext

        options = {"wordNgrams": 2, "minn": 2, "maxn": 5, "dim": self.dim, "lr": _RATE, "epoch": _EPOCHS}
        return fasttext.train_supervised(str(prepared), **options, thread=1, seed=0, verbose=0)

    def save(self, fitted: Any, folder: Path) -> None:
        """Save without quantisation, which would slow its answers down.

        Parameters
        ----------
        fitted
            fastText's model.
        folder
            Where to.
        """
        fitted.save_model(str(folder / _MODEL))

    def load(self, folder: Path) -> Classify:
        """Load it again.

        Parameters
        ----------
        folder
            Where it was saved.

        Returns
        -------
        The function that classifies.
        """
        import fasttext

        # The call beneath predict(list) is the fastest there is: no loop in Python, no array per paragraph but its own.
        predict = fasttext.load_model(str(folder / _MODEL)).f.multilinePredict
        names = {_PREFIX + name: name for name in ("news", "boilerplate", "related-link")}

        def classify(batch: Batch) -> list[str]:
            found, _ = predict(as_lines(batch.texts), 1, 0.0, "strict")
            return [names[labels[0]] for labels in found]

        return classify


def fasttext(dim: int = 100) -> FastText:
    """The system by its name in the tables.

    Parameters
    ----------
    dim
        Length of its vectors.

    Returns
    -------
    The system.
    """
    key, title = ("fasttext", "fastText") if dim == 100 else (f"fasttext-{dim}", f"fastText, {dim} dimensions")
    return FastText(key, title, "multilinePredict(lines)", ("fasttext-numpy2-wheel",), ("fasttext",), dim=dim)
