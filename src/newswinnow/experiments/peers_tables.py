"""Measured peers into ``report.md``, ``metrics.json`` and ``manifest.json``, and as rows for a terminal.

Measuring is left to :mod:`newswinnow.experiments.peers`.
"""

import json
import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from newswinnow.corpus.write import write_text
from newswinnow.evaluation.intervals import Estimate
from newswinnow.experiments.peers_config import PeersConfig
from newswinnow.experiments.peers_scores import Peers, PeerScore
from newswinnow.experiments.peers_systems import EXTRACTORS, FASTTEXT, version_of
from newswinnow.models.predictor import Predictor
from newswinnow.models.saved import library_versions
from newswinnow.reports.render import METRICS, REPORT_MARKDOWN
from newswinnow.reports.templating import markdown_cell

MANIFEST: Final = "manifest.json"
PROJECT: Final = "newswinnow"
COLUMNS: Final = (
    "system",
    "reads",
    "news precision",
    "news recall",
    "news F1",
    "without h1",
    "related links kept",
    "boilerplate kept",
    "body F1",
    "failed",
)
_HOW: Final = """\
News F1: paragraphs kept or dropped against hand-read labels, news against the rest; `without h1` leaves headlines out, which most
extractors give apart from the text or not at all. Body F1: runs of four tokens against the article's known body, mean over pages.
`failed`: pages on which the system raised an error and so kept nothing. 95 % intervals over pages."""


def machine_line() -> str:
    """Processor, cores, system and Python in one line.

    Returns
    -------
    The line.
    """
    information = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", information.read_text(encoding="utf-8")) if information.is_file() else None
    processor = found[1] if found else platform.machine()
    return f"{processor}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def peer_versions() -> dict[str, str]:
    """Versions of the project and of every peer that is installed.

    Returns
    -------
    Distribution to version.
    """
    here = {peer.distribution for peer in (*EXTRACTORS, *FASTTEXT) if peer.is_here}
    return {name: version_of(name) for name in sorted({PROJECT, *here}, key=str.casefold)}


def _cell(estimate: Estimate | None) -> str:
    return f"{estimate.value:.3f} ({estimate.low:.3f}–{estimate.high:.3f})" if estimate else "–"


def row_of(score: PeerScore) -> list[str]:
    """One system as a row of a table.

    Parameters
    ----------
    score
        Its scores.

    Returns
    -------
    A cell for each of :data:`COLUMNS`.
    """
    name = f"{score.system}, {score.context}" if score.context else score.system
    estimates = (
        score.precision,
        score.recall,
        score.f1,
        score.f1_without_h1,
        score.related_as_news,
        score.boilerplate_as_news,
        score.body_f1,
    )
    return [name, score.reads, *map(_cell, estimates), str(score.n_failed)]


def _markdown_row(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"


def _lines(peers: Peers, config: PeersConfig, versions: dict[str, str], machine: str) -> Iterator[str]:
    yield f"# {markdown_cell(config.title)}\n"
    if config.description:
        yield f"{config.description}\n"
    yield f"{_HOW}\n"
    for test in peers.tests:
        yield f"## {markdown_cell(test.name)}\n"
        missing = f"; {test.n_without_html} labelled pages without HTML left out" if test.n_without_html else ""
        yield f"{test.n_paragraphs:,} labelled paragraphs on {test.n_pages} pages, {test.n_bodies} with a known body{missing}."
        yield f"An extractor that kept exactly what was read as news would reach a news F1 of {_cell(test.matching_f1)}.\n"
        yield _markdown_row(COLUMNS)
        yield _markdown_row(["---"] * len(COLUMNS))
        yield from (_markdown_row(row_of(score)) for score in test.scores)
        yield ""
    calls = {score.system: score.call for test in peers.tests for score in test.scores if score.call}
    if calls:
        yield "## How each was called\n"
        yield from (f"- {system}: `{call}`" for system, call in calls.items())
        yield ""
    if peers.skipped:
        yield "## Left out\n"
        yield from (f"- {markdown_cell(name)}: {markdown_cell(reason)}" for name, reason in peers.skipped.items())
        yield ""
    yield f"Versions: {', '.join(f'{name} {version}' for name, version in versions.items())}. Machine: {machine}."


def peers_markdown(peers: Peers, config: PeersConfig, *, versions: dict[str, str], machine: str) -> str:
    """The tables as Markdown.

    Parameters
    ----------
    peers
        What was measured.
    config
        What was to be measured.
    versions
        Distribution to version.
    machine
        As :func:`machine_line` gives it.

    Returns
    -------
    The document.
    """
    return "\n".join(_lines(peers, config, versions, machine)) + "\n"


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"


def write_peers(peers: Peers, config: PeersConfig, model: Predictor, folder: Path) -> Path:
    """Write ``report.md``, ``metrics.json`` and ``manifest.json``.

    Parameters
    ----------
    peers
        What was measured.
    config
        What was to be measured.
    model
        Our model, for what the manifest says of it.
    folder
        Where to; made if need be.

    Returns
    -------
    Path of the report.
    """
    versions, machine = peer_versions(), machine_line()
    training = model.manifest.get("training", {})
    manifest = {
        "config": config.model_dump(mode="json"),
        "model": {"spec": model.manifest.get("spec", {}), "training_digest": training.get("digest")},
        "test_digests": {test.name: test.data_digest for test in peers.tests},
        "versions": {**library_versions(), **versions, "python": platform.python_version()},
        "machine": machine,
    }
    contents = {
        REPORT_MARKDOWN: peers_markdown(peers, config, versions=versions, machine=machine),
        MANIFEST: _json(manifest),
        # Last, because metrics.json is what makes a run finished.
        METRICS: _json(peers.as_dict()),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in contents.items():
        write_text(folder / name, text)
    return folder / REPORT_MARKDOWN
