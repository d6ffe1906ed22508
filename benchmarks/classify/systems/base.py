"""What a system under test is: how it is fitted, saved and loaded, and what it is called in the tables.

Processes, clocks and memory are left to :mod:`benchmarks.classify.child`; this module stays light: every cold start pays it.
"""

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

THREE_LABELS: Final = "three labels"
NEWS_OR_NOT: Final = "news or not"
NEWS: Final = "news"
REST: Final = "boilerplate"
"""What a system that only tells news from the rest is taken to say of the rest: the more frequent of the other two labels."""


@dataclass(frozen=True)
class Batch:
    """Paragraphs to be classified, all of whole pages and in page order.

    Attributes
    ----------
    texts
        Shape (n_paragraphs,).
    bounds
        First paragraph of each page and one past its last, shape (n_pages, 2).
    """

    texts: list[str]
    bounds: list[tuple[int, int]]


@dataclass(frozen=True)
class Training:
    """Paragraphs to be learnt from.

    Attributes
    ----------
    texts, labels, pages
        Shape (n_paragraphs,).
    sites
        Registrable domains, shape (n_paragraphs,); None where nobody knows.
    origins
        ``read``, ``aligned`` or ``written``, shape (n_paragraphs,); None where nobody says.
    """

    texts: list[str]
    labels: list[str]
    pages: list[str]
    sites: list[str | None]
    origins: list[str | None]


Classify = Callable[[Batch], Sequence[str]]
"""Paragraphs in, one label each out: what is timed."""


@dataclass(frozen=True)
class System(ABC):
    """One row of the tables.

    Attributes
    ----------
    key
        Short name, also that of its folder.
    title
        As shown.
    call
        What is timed, as shown.
    distributions
        What must be installed, for the versions.
    modules
        What must be importable.
    threads
        Threads, and processor cores, it may use to classify; training always has one.
    processes
        Processes, each with so many cores and all paragraphs for itself, that classify at once: what a machine's cores can
        do together, when no thread waits for another. Speeds are those of all together.
    model_of
        Key of the system whose trained model it loads; empty for its own.
    is_trained
        Whether the run trains it.
    decides
        :data:`THREE_LABELS` or :data:`NEWS_OR_NOT`.
    knows
        Test sets that it learnt from before the run, and is therefore not scored on.
    """

    key: str
    title: str
    call: str
    distributions: tuple[str, ...]
    modules: tuple[str, ...]
    threads: int = 1
    processes: int = 1
    model_of: str = ""
    is_trained: bool = True
    decides: str = THREE_LABELS
    knows: tuple[str, ...] = ()

    @property
    def n_cores(self) -> int:
        """Cores that it takes."""
        return self.threads * self.processes

    @property
    def missing(self) -> list[str]:
        """Modules that cannot be imported."""
        return [name for name in self.modules if importlib.util.find_spec(name) is None]

    def prepare(self, training: Training, folder: Path) -> Any:
        """Bring the paragraphs into the form the system reads; not timed.

        Parameters
        ----------
        training
            The paragraphs.
        folder
            An empty folder for whatever must be a file.

        Returns
        -------
        What :meth:`fit` takes.
        """
        return training

    def fit(self, prepared: Any) -> Any:
        """Train; this is the training time.

        Parameters
        ----------
        prepared
            From :meth:`prepare`.

        Returns
        -------
        The fitted model.
        """
        raise NotImplementedError(f"{self.key}: must not be trained; got a call of fit")

    def save(self, fitted: Any, folder: Path) -> None:  # noqa: B027 (a system without a model has nothing to save)
        """Save a model as its users would; not timed.

        Parameters
        ----------
        fitted
            From :meth:`fit`.
        folder
            An existing folder.
        """

    @abstractmethod
    def load(self, folder: Path) -> Classify:
        """Load a model, as part of the cold start.

        Parameters
        ----------
        folder
            Where it was saved; not looked at by a system that is not trained.

        Returns
        -------
        The function that classifies.
        """

    def size_bytes(self, folder: Path) -> int:
        """Size of the saved model.

        Parameters
        ----------
        folder
            Where it was saved.

        Returns
        -------
        Bytes of all files; 0 for a system without a model.
        """
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
