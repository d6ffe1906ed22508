"""Paragraph tables to annotation tools and back, ids and every column unharmed: the closed list of tools.

What a tool's file looks like stands in its own module; reading and writing tables is left to :mod:`newswinnow.corpus.tables` and
:mod:`newswinnow.corpus.write`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from newswinnow.corpus.exchange import doccano, fasttext, label_studio, prodigy
from newswinnow.corpus.exchange.incoming import DecisionCollector, ImportReading, reading_of
from newswinnow.corpus.exchange.outgoing import Page, pages_of
from newswinnow.corpus.write import atomic_file


@dataclass(frozen=True)
class Tool:
    """What is known of one annotation tool.

    Attributes
    ----------
    export
        Pages to files, by what is added to the name of the main one.
    read
        A file of the tool into a collector.
    companions
        What is added to the file's name for the files beside it.
    """

    export: Callable[..., dict[str, Iterator[bytes]]]
    read: Callable[[str | Path, DecisionCollector], None]
    companions: tuple[str, ...] = ()


TOOLS: Final[dict[str, Tool]] = {
    "label-studio": Tool(label_studio.export_pages, label_studio.read_export, (label_studio.CONFIG_SUFFIX,)),
    "doccano": Tool(doccano.export_pages, doccano.read_export),
    "prodigy": Tool(prodigy.export_pages, prodigy.read_export),
    "fasttext": Tool(fasttext.export_pages, fasttext.read_export, (fasttext.COMPANION_SUFFIX,)),
}


def tool_of(name: str) -> Tool:
    """An annotation tool by name.

    Parameters
    ----------
    name
        One of :data:`TOOLS`.

    Returns
    -------
    The tool.

    Raises
    ------
    ValueError
        If it is not in the list.
    """
    if name not in TOOLS:
        raise ValueError(f"tool: must be one of {', '.join(TOOLS)}; got {name!r}")
    return TOOLS[name]


def files_of(path: str | Path, tool: str) -> list[Path]:
    """The files that an export writes.

    Parameters
    ----------
    path
        The main one.
    tool
        One of :data:`TOOLS`.

    Returns
    -------
    The main file, then those beside it.
    """
    return [Path(f"{path}{suffix}") for suffix in ("", *tool_of(tool).companions)]


@dataclass(frozen=True)
class Exported:
    """What was written: numbers of pages and paragraphs, and the files."""

    n_pages: int
    n_paragraphs: int
    files: tuple[Path, ...]


def export_table(table: pd.DataFrame, path: str | Path, *, tool: str, only_queued: bool = False) -> Exported:
    """Write a table for an annotation tool.

    Parameters
    ----------
    table
        A paragraph table.
    path
        The main file; an older one is replaced, whole or not at all.
    tool
        One of :data:`TOOLS`.
    only_queued
        Ask only about paragraphs that a queue picked; where whole pages are shown the others stand beside them.

    Returns
    -------
    What was written.

    Raises
    ------
    ValueError
        If the tool is unknown, the table lacks a column or a row cannot be exchanged.
    """
    pages = pages_of(table, only_queued=only_queued)
    contents = tool_of(tool).export(pages, only_queued=only_queued)
    for suffix, parts in contents.items():
        with atomic_file(Path(f"{path}{suffix}")) as file:
            file.writelines(parts)
    return Exported(len(pages), _n_written(pages, tool, only_queued=only_queued), tuple(files_of(path, tool)))


def _n_written(pages: Sequence[Page], tool: str, *, only_queued: bool) -> int:
    is_page_wise = tool == "label-studio"
    return sum(is_page_wise or not only_queued or item.is_asked for page in pages for item in page.items)


def import_labels(path: str | Path, *, tool: str) -> ImportReading:
    """Read what a tool exported.

    Parameters
    ----------
    path
        The file; ``-`` for standard input where a tool needs no companion file.
    tool
        One of :data:`TOOLS`.

    Returns
    -------
    The paragraphs with their labels and columns, and what was refused.

    Raises
    ------
    FileNotFoundError
        If a file is not there.
    ValueError
        If the tool is unknown or the file as a whole is unusable.

    Examples
    --------
    >>> import pandas as pd
    >>> path = getfixture("tmp_path") / "tasks.jsonl"
    >>> table = pd.DataFrame({"page": ["p"], "position": [0], "text": ["Share"], "votes": [3]})
    >>> export_table(table, path, tool="prodigy").n_paragraphs
    1
    >>> import_labels(path, tool="prodigy").table.to_dict("records")
    [{'page': 'p', 'position': 0, 'text': 'Share', 'votes': 3}]
    """
    collector = DecisionCollector()
    tool_of(tool).read(path, collector)
    return reading_of(collector)
