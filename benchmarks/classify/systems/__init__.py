"""The systems that are compared, in the order of the tables; a new one is a module here and a line in :data:`SYSTEMS`."""

from typing import Final

from benchmarks.classify.systems.base import System
from benchmarks.classify.systems.fasttext import fasttext
from benchmarks.classify.systems.justext import justext
from benchmarks.classify.systems.newswinnow import shipped, shipped_in_processes, shipped_with_pages, winnow
from benchmarks.classify.systems.sklearn_text import hashing_sgd, tfidf_logistic
from benchmarks.classify.systems.trafilatura import trafilatura

SYSTEMS: Final[tuple[System, ...]] = (
    shipped(),
    shipped(threads=2),
    shipped_in_processes(2),
    shipped_with_pages("bag"),
    shipped_with_pages("order"),
    winnow(),
    winnow(threads=2),
    fasttext(),
    fasttext(dim=16),
    hashing_sgd(),
    tfidf_logistic(),
    justext(),
    trafilatura(),
)

REFERENCE: Final = "fasttext"
"""The system that ratios are taken against."""


def system_named(key: str) -> System:
    """A system by its key.

    Parameters
    ----------
    key
        Such as ``fasttext``.

    Returns
    -------
    The system.

    Raises
    ------
    ValueError
        If there is none.
    """
    for system in SYSTEMS:
        if system.key == key:
            return system
    raise ValueError(f"system: must be one of {', '.join(system.key for system in SYSTEMS)}; got {key!r}")
