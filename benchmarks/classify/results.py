"""What a run found, as plain values that go to JSON and back; nothing is rounded here.

Measuring is left to :mod:`benchmarks.classify.measure`, tables to :mod:`benchmarks.classify.render`.
"""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

FORMAT: Final = 1


@dataclass(frozen=True)
class Fitted:
    """A system trained on one training set: seconds of each round, peak memory of its process and size on disk in bytes."""

    seconds: list[float]
    peak_bytes: int
    size_bytes: int


@dataclass(frozen=True)
class Score:
    """Scores of a model on one test set; ``macro_f1`` over three labels, ``news_f1`` of news against the rest."""

    macro_f1: float
    news_f1: float


@dataclass(frozen=True)
class Served:
    """A system as it classifies.

    Attributes
    ----------
    model
        Training set of the model that was timed; empty for a system that is not trained here.
    paragraphs_per_second
        One value per round.
    cold_seconds
        Start of a process to its first label, one value per round.
    peak_bytes
        Most memory the process held.
    size_bytes
        Size of the model on disk; 0 where there is none.
    """

    model: str
    paragraphs_per_second: list[float]
    cold_seconds: list[float]
    peak_bytes: int
    size_bytes: int


@dataclass(frozen=True)
class SystemResult:
    """One system.

    Attributes
    ----------
    key, title, call, threads, processes, model_of, decides
        As in :class:`benchmarks.classify.systems.base.System`.
    fitted
        By training set; empty for a system that is not trained here, or that loads another's model.
    served
        None where it did not run.
    scores
        By training set (empty for a system that is not trained here) and test set.
    failed
        Why it did not run; empty where it did.
    """

    key: str
    title: str
    call: str
    threads: int
    model_of: str
    decides: str
    processes: int = 1
    fitted: dict[str, Fitted] = field(default_factory=dict)
    served: Served | None = None
    scores: dict[str, dict[str, Score]] = field(default_factory=dict)
    failed: str = ""


@dataclass(frozen=True)
class DataSet:
    """Name, description, and size of what was learnt from, scored or timed; ``n_bytes`` is that of the texts in UTF-8."""

    name: str
    described: str
    n_paragraphs: int
    n_pages: int
    n_bytes: int


@dataclass(frozen=True)
class Results:
    """A run.

    Attributes
    ----------
    date
        ISO date.
    machine
        Processor, cores, memory and system in one line.
    versions
        Distribution to version, Python included.
    reference
        Key of the system that ratios are taken against.
    n_rounds
        Rounds of timing; every system had its turn in each.
    seconds
        Length of the whole run.
    trainings, tests, timed
        The paragraphs.
    idle
        A process that classifies nothing: what Python and the texts take by themselves.
    systems
        In the order of the tables.
    skipped
        What could not be measured, and why.
    format
        Version of this layout.
    """

    date: str
    machine: str
    versions: dict[str, str]
    reference: str
    n_rounds: int
    seconds: float
    trainings: list[DataSet]
    tests: list[DataSet]
    timed: DataSet
    idle: Served
    systems: list[SystemResult]
    skipped: list[str]
    format: int = FORMAT


@dataclass(frozen=True)
class Spread:
    """Least, median and greatest of the rounds."""

    least: float
    median: float
    greatest: float


def spread(values: list[float]) -> Spread:
    """Least, median and greatest.

    Parameters
    ----------
    values
        At least one.

    Returns
    -------
    The three.

    Examples
    --------
    >>> spread([3.0, 1.0, 2.0])
    Spread(least=1.0, median=2.0, greatest=3.0)
    """
    return Spread(min(values), median(values), max(values))


def ratios(values: list[float], reference: list[float]) -> list[float]:
    """Ratios round by round: a machine that was busy for a while slows both sides of a ratio.

    Parameters
    ----------
    values
        One value per round.
    reference
        As many.

    Returns
    -------
    One ratio per round.

    Examples
    --------
    >>> ratios([10.0, 4.0], [5.0, 1.0])
    [2.0, 4.0]
    """
    return [value / other for value, other in zip(values, reference, strict=True)]


def write_results(results: Results, path: Path) -> None:
    """Write as JSON.

    Parameters
    ----------
    results
        The run.
    path
        Where to.
    """
    import json

    path.write_text(json.dumps(asdict(results), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_results(path: Path) -> Results:
    """Read what :func:`write_results` wrote.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    The run.

    Raises
    ------
    ValueError
        If it is something else.
    """
    from pydantic import TypeAdapter, ValidationError

    adapter: TypeAdapter[Any] = TypeAdapter(Results)
    try:
        results: Results = adapter.validate_json(path.read_bytes())
    except ValidationError as error:
        raise ValueError(f"{path}: must be results of benchmarks.classify; got {error.errors()[0]['msg']}") from error
    if results.format != FORMAT:
        raise ValueError(f"{path}: format must be {FORMAT}; got {results.format}")
    return results
