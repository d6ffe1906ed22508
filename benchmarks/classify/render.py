"""Results as Markdown for ``benchmarks/README.md``; the only place where numbers are rounded.

Measuring is left to :mod:`benchmarks.classify.measure`.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from benchmarks.classify.results import DataSet, Fitted, Results, Score, Served, Spread, SystemResult, ratios, spread
from benchmarks.classify.systems.base import NEWS_OR_NOT, REST

_NOTHING: Final = "–"
_MEGABYTE: Final = 1e6


def rounded(value: float) -> str:
    """Three significant digits, thousands separated, no exponent.

    Parameters
    ----------
    value
        Not negative.

    Returns
    -------
    The number.

    Examples
    --------
    >>> [rounded(value) for value in (654321.0, 123.4, 9.876, 0.01234, 0.0)]
    ['654,000', '123', '9.88', '0.0123', '0']
    """
    if value == 0:
        return "0"
    if value >= 100:
        digits = len(str(int(value))) - 3
        return f"{round(value, -digits):,.0f}"
    return f"{value:.3g}" if value >= 1 else f"{float(f'{value:.3g}'):f}".rstrip("0")


def _range(values: Spread, unit: float = 1.0) -> str:
    middle = rounded(values.median / unit)
    if values.least == values.greatest:
        return middle
    return f"{middle} ({rounded(values.least / unit)}–{rounded(values.greatest / unit)})"


def _times(values: Spread) -> str:
    """Ratios, as ``× 12 (11–13)``."""
    return f"{_range(values)} ×"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(map(_row, [header, ["---"] * len(header), *rows]))


def _served(results: Results) -> list[tuple[SystemResult, Served]]:
    return [(system, system.served) for system in results.systems if system.served]


def _reference(results: Results) -> SystemResult | None:
    return next((system for system in results.systems if system.key == results.reference and system.served), None)


def speed_table(results: Results) -> str:
    """How fast and how large each system is when it classifies.

    Parameters
    ----------
    results
        The run.

    Returns
    -------
    Markdown.
    """
    reference = _reference(results)
    speeds = reference.served.paragraphs_per_second if reference and reference.served else None
    megabytes = results.timed.n_bytes / results.timed.n_paragraphs / _MEGABYTE
    against = f"times {reference.title}" if reference else "times the reference"
    header = ["", "call", "paragraphs/s", "MB/s", against, "peak memory, MB", "model, MB", "cold start, s"]
    rows = []
    for system, served in _served(results):
        speed = spread(served.paragraphs_per_second)
        rows.append(
            [
                system.title,
                f"`{system.call}`",
                _range(speed),
                rounded(speed.median * megabytes),
                _times(spread(ratios(served.paragraphs_per_second, speeds))) if speeds else _NOTHING,
                rounded(served.peak_bytes / _MEGABYTE),
                rounded(served.size_bytes / _MEGABYTE) if served.size_bytes else _NOTHING,
                _range(spread(served.cold_seconds)),
            ]
        )
    idle = results.idle
    nothing = ["Python and the texts alone", *[_NOTHING] * 4, rounded(idle.peak_bytes / _MEGABYTE), _NOTHING]
    return _table(header, [*rows, [*nothing, _range(spread(idle.cold_seconds))]])


def thread_gains(results: Results) -> str:
    """How much more systems classify on several threads, or in several processes, than on one.

    Parameters
    ----------
    results
        The run.

    Returns
    -------
    A sentence for each; empty where nothing ran on more than one.
    """
    served = {system.key: served for system, served in _served(results)}
    sentences = []
    for system, own in _served(results):
        if base := served.get(system.model_of):
            gain = spread(ratios(own.paragraphs_per_second, base.paragraphs_per_second))
            limit = ": what this machine's cores can do together" if system.processes > 1 else ""
            one = "process" if system.processes > 1 else "thread"
            sentences.append(f"{system.title}: {_times(gain)} the paragraphs of one {one}{limit}.")
    return " ".join(sentences)


def training_table(results: Results) -> str:
    """How long each system trains on each training set.

    Parameters
    ----------
    results
        The run.

    Returns
    -------
    Markdown; empty where nothing was trained.
    """
    names = [training.name for training in results.trainings]
    trained = [system for system in results.systems if system.fitted]
    if not trained:
        return ""
    reference = next((system for system in trained if system.key == results.reference), None)
    against = f"{reference.title}'s time over it" if reference else "the reference's time over it"
    header = [""]
    for name in names:
        header += [f"{name}: s", against, "peak memory, MB"]
    rows = []
    for system in trained:
        cells = [system.title]
        for name in names:
            cells += _training_cells(system.fitted.get(name), reference.fitted.get(name) if reference else None)
        rows.append(cells)
    return _table(header, rows)


def _training_cells(fitted: Fitted | None, reference: Fitted | None) -> list[str]:
    if not fitted:
        return [_NOTHING] * 3
    ratio = _times(spread(ratios(reference.seconds, fitted.seconds))) if reference else _NOTHING
    return [_range(spread(fitted.seconds)), ratio, rounded(fitted.peak_bytes / _MEGABYTE)]


def score_table(results: Results) -> str:
    """Scores of each model on each test set.

    Parameters
    ----------
    results
        The run.

    Returns
    -------
    Markdown.
    """
    tests = [test.name for test in results.tests]
    header = ["", "learnt from", *(f"{name}: {what}" for what in ("macro-F1", "news F1") for name in tests)]
    rows = []
    for system in results.systems:
        for training, scores in system.scores.items():
            macro = [_NOTHING if system.decides == NEWS_OR_NOT else _score(scores.get(name), "macro_f1") for name in tests]
            rows.append([system.title, training or _NOTHING, *macro, *(_score(scores.get(name), "news_f1") for name in tests)])
    return _table(header, rows)


def _score(score: Score | None, name: str) -> str:
    return f"{getattr(score, name):.3f}" if score else _NOTHING


def _size(data: DataSet) -> str:
    return f"{data.n_paragraphs:,} paragraphs of {data.n_pages:,} pages, {rounded(data.n_bytes / _MEGABYTE)} MB"


def _facts(results: Results) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    lines = [f"{results.date}. {results.machine}.", f"Versions: {versions}.", ""]
    lines.append(f"- **classified**: {_size(results.timed)}, all of whole pages")
    lines += [f"- **learnt from**, `{data.name}`: {data.described}; {_size(data)}" for data in results.trainings]
    lines += [f"- **scored**, `{data.name}`: {_size(data)}" for data in results.tests]
    lines += [f"- **not measured**: {reason}" for reason in results.skipped]
    lines += [f"- **did not run**: {system.title}: {system.failed}" for system in results.systems if system.failed]
    return "\n".join(lines)


def _speed_notes(results: Results) -> str:
    return (
        f"From a list of strings to a list of labels, one core unless said otherwise; median of {results.n_rounds} rounds "
        "(least–greatest), in each of which every system had its turn. Ratios are taken round by round. Models trained here are "
        f"those of `{results.trainings[-1].name}`. Memory is the peak of a process of its own, Python and the texts included; a "
        "cold start runs from the start of a process to the first label."
    )


def _score_notes(results: Results) -> str:
    """Which systems only tell news from the rest."""
    binary = [system.title for system in results.systems if system.decides == NEWS_OR_NOT and system.scores]
    note = "Sites of the scored pages are left out of what is learnt from."
    if binary:
        note += f" {' and '.join(binary)}: only news or not, so the rest counts as {REST} and macro-F1 says nothing."
    return note


def section(results: Results) -> str:
    """The whole section.

    Parameters
    ----------
    results
        The run.

    Returns
    -------
    Markdown without a heading.
    """
    rounds = max((len(fitted.seconds) for system in results.systems for fitted in system.fitted.values()), default=0)
    training = f"One core, {rounds} round{'s' if rounds != 1 else ''}; from lists of texts and labels to the fitted model."
    parts = [_facts(results), "### Classifying", _speed_notes(results), speed_table(results), thread_gains(results)]
    if rounds:
        parts += ["### Training", training, training_table(results)]
    return "\n\n".join(filter(None, [*parts, "### Scores", _score_notes(results), score_table(results)]))
