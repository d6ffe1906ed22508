"""Two finished runs on one HTML page, with the texts of their test corpora where those are at hand.

The statistics come from :mod:`newswinnow.experiments.compare`; the look is left to :mod:`newswinnow.reports.side_by_side`.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from newswinnow.corpus.sample import resolve_corpus
from newswinnow.corpus.tables import read_corpus
from newswinnow.evaluation.intervals import Estimate
from newswinnow.experiments.answers import ANSWERS, Answers, read_answers
from newswinnow.experiments.compare import Row, RunSummary
from newswinnow.experiments.run import RUN_MANIFEST
from newswinnow.models.training import table_digest
from newswinnow.paragraphs.table import LABEL, PAGE, POSITION, PREDICTED, TEXT, labelled_rows
from newswinnow.reports.side_by_side import FIRST, SECOND, ComparedCorpus, ComparedLevel, ComparedRun, render_comparison

_KEYS: Final = [PAGE, POSITION]


def comparison_html(runs: Sequence[RunSummary], rows: Sequence[Row], *, corpora: Sequence[str | Path] = ()) -> str:
    """The second run against the first as an HTML document.

    Parameters
    ----------
    runs
        The two runs, the baseline first.
    rows
        What :func:`~newswinnow.experiments.compare.compare_runs` says of them.
    corpora
        Files to take texts from, besides those that the runs' configurations name.

    Returns
    -------
    The document. A test corpus whose texts are nowhere at hand is shown by the places of what changed.

    Raises
    ------
    ValueError
        If there are not two runs, or a corpus named is not one that they were tested on.
    """
    check_pair(runs)
    answers = [read_answers(run.directory / ANSWERS) for run in runs]
    tests = list(dict.fromkeys(row.test for row in rows))
    given = {path: read_corpus([path]) for path in map(Path, corpora)}
    _check_known(given, {answers[0][test].data_digest for test in tests})
    compared = tuple(_corpus(test, rows, runs, [found[test] for found in answers], given) for test in tests)
    first, second = (ComparedRun(run.name, run.title) for run in runs)
    return render_comparison(first, second, corpora=compared)


def check_pair(runs: Sequence[RunSummary]) -> None:
    """Refuse what is not two runs.

    Parameters
    ----------
    runs
        The runs.

    Raises
    ------
    ValueError
        If there are not two.
    """
    if len(runs) != 2:
        raise ValueError(f"--html: needs exactly two runs; got {len(runs)}")


def _check_known(given: dict[Path, pd.DataFrame], digests: set[str]) -> None:
    for path, table in given.items():
        if table_digest(labelled_rows(table)) not in digests:
            raise ValueError(f"{path}: must be a corpus that both runs were tested on; got other paragraphs or labels")


def _corpus(
    test: str, rows: Sequence[Row], runs: Sequence[RunSummary], answers: Sequence[Answers], given: dict[Path, pd.DataFrame]
) -> ComparedCorpus:
    texts, tried = None, []
    for name, table in _candidates(test, runs, given):
        if table is not None and table_digest(labelled_rows(table)) == answers[0].data_digest:
            texts = table
            break
        tried.append(f"{name}: {'not there' if table is None else 'other paragraphs or labels'}")
    why = f" ({'; '.join(tried)})" if tried else ""
    note = "" if texts is not None else f"The texts are not at hand{why}; --corpus FILE adds them."
    return ComparedCorpus(test, tuple(_levels(test, rows)), _table(answers, texts), note)


def _levels(test: str, rows: Sequence[Row]) -> Iterator[ComparedLevel]:
    """Rows of one corpus come in pairs: the baseline, then the run that is compared with it."""
    of_test = [row for row in rows if row.test == test]
    for base, row in zip(of_test[::2], of_test[1::2], strict=True):
        if row.comparison is None:
            raise ValueError(f"{row.run}: must be compared with {base.run}; got no comparison")
        context = base.context if base.context == row.context else f"{base.context} / {row.context}"
        yield ComparedLevel(context, _estimate(base), _estimate(row), row.comparison)


def _estimate(row: Row) -> Estimate:
    if not row.macro_f1:
        raise ValueError(f"{row.run}: must have measured {row.test} at context {row.context}; got no scores of it")
    return Estimate(row.macro_f1["value"], row.macro_f1["low"], row.macro_f1["high"])


def _candidates(
    test: str, runs: Sequence[RunSummary], given: dict[Path, pd.DataFrame]
) -> Iterator[tuple[str, pd.DataFrame | None]]:
    """Names of files that may hold the texts, and what they hold; None where there is no such file."""
    yield from ((str(path), table) for path, table in given.items())
    seen: set[Path] = set()
    for run in runs:
        path = _configured(test, run)
        if path is not None and path.resolve() not in seen:
            seen.add(path.resolve())
            yield path.name, read_corpus([path]) if path.is_file() else None


def _configured(test: str, run: RunSummary) -> Path | None:
    """The file that a run's configuration names for a test corpus."""
    manifest = run.directory / RUN_MANIFEST
    if not manifest.is_file():
        return None
    try:
        name = json.loads(manifest.read_text(encoding="utf-8"))["config"]["data"]["test"].get(test)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{manifest}: must be a manifest as a run writes it; got {type(error).__name__}: {error}") from error
    return resolve_corpus(name, relative_to=run.directory) if isinstance(name, str) else None


def _table(answers: Sequence[Answers], texts: pd.DataFrame | None) -> pd.DataFrame:
    """Both answers to each labelled paragraph; on whole pages where there are texts."""
    first, second = (found.main for found in answers)
    pairs = first[[*_KEYS, LABEL, PREDICTED]].rename(columns={PREDICTED: FIRST})
    pairs = pairs.merge(second[[*_KEYS, PREDICTED]].rename(columns={PREDICTED: SECOND}), on=_KEYS, validate="one_to_one")
    if texts is None:
        return pairs
    return texts[[*_KEYS, TEXT]].merge(pairs, on=_KEYS, how="left", validate="one_to_one")
