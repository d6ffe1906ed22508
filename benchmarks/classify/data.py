"""The paragraphs of a run: what is learnt from, what is scored and what is timed, as files for the systems' processes.

Sites of the test pages are left out of everything learnt from; measuring is left to :mod:`benchmarks.classify.measure`.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from newswinnow.corpus.sample import sample_path
from newswinnow.corpus.sites import without_sites_of
from newswinnow.corpus.tables import read_corpus
from newswinnow.paragraphs.table import LABEL, ORIGIN, PAGE, POSITION, SITE, TEXT, labelled_rows

GOLD: Final = Path(__file__).resolve().parents[3] / "shared" / "gold"
TESTS: Final = ("dev_news", "dev_mixed")
READ: Final = "read"
MIXED: Final = "mixed"
SAMPLE: Final = "sample"


@dataclass(frozen=True)
class TrainingSet:
    """Labelled rows to learn from.

    Attributes
    ----------
    name
        ``read``, ``mixed`` or ``sample``.
    described
        What it is, for the report.
    table
        Labelled rows.
    """

    name: str
    described: str
    table: pd.DataFrame


@dataclass(frozen=True)
class Data:
    """All paragraphs of a run.

    Attributes
    ----------
    trainings
        What is learnt from, the smallest first; the last one's models are those that are timed.
    tests
        Whole pages by name, unlabelled rows included, in page order.
    timed
        Whole pages that are classified against the clock.
    skipped
        What is not there, and why.
    """

    trainings: tuple[TrainingSet, ...]
    tests: dict[str, pd.DataFrame]
    timed: pd.DataFrame
    skipped: tuple[str, ...]


def in_page_order(table: pd.DataFrame) -> pd.DataFrame:
    """Rows with pages together, in order of their first appearance, and positions rising.

    Parameters
    ----------
    table
        A paragraph table.

    Returns
    -------
    A sorted copy with a fresh index.
    """
    pages = pd.Series(pd.factorize(table[PAGE])[0], index=table.index)
    order = pd.DataFrame({"page": pages, "position": table[POSITION]}).sort_values(["page", "position"], kind="stable")
    return table.loc[order.index].reset_index(drop=True)


def whole_pages(tables: Iterable[pd.DataFrame], *, n_paragraphs: int) -> pd.DataFrame:
    """The first pages that together have enough paragraphs.

    Parameters
    ----------
    tables
        Tables in page order.
    n_paragraphs
        How many are enough; fewer come back where there are no more.

    Returns
    -------
    Columns ``page`` and ``text``; the last page is not cut.
    """
    rows = pd.concat([table[[PAGE, TEXT]] for table in tables], ignore_index=True)
    if len(rows) <= n_paragraphs:
        return rows
    last = rows[PAGE].iloc[n_paragraphs - 1]
    return rows.iloc[: int((rows[PAGE] == last).to_numpy().nonzero()[0].max()) + 1]


def mix(read: pd.DataFrame, aligned: pd.DataFrame, *, n_paragraphs: int) -> pd.DataFrame:
    """Hand-read rows with the rows of a built corpus.

    Parameters
    ----------
    read
        All of these are kept, and of a paragraph that stands in both, only these.
    aligned
        Whole pages of these are added, in an order that depends on nothing but their names.
    n_paragraphs
        Pages are added until there are so many labelled rows.

    Returns
    -------
    Labelled rows.
    """
    read, aligned = labelled_rows(read), labelled_rows(aligned)
    known = pd.MultiIndex.from_frame(read[[PAGE, TEXT]])
    aligned = aligned[~pd.MultiIndex.from_frame(aligned[[PAGE, TEXT]]).isin(known)]
    sizes = aligned.groupby(PAGE).size()
    order = sorted(sizes.index, key=lambda page: hashlib.sha256(str(page).encode()).digest())
    n_before = sizes.loc[order].cumsum() - sizes.loc[order]
    wanted = n_before.index[n_before < n_paragraphs - len(read)]
    return pd.concat([read, aligned[aligned[PAGE].isin(wanted)]], ignore_index=True)


def gather(corpora: Sequence[Path], *, gold: Path = GOLD, n_timed: int, n_mixed: int) -> Data:
    """All paragraphs of a run.

    Parameters
    ----------
    corpora
        Built corpora to learn from beside the hand-read one.
    gold
        Folder of ``train.jsonl``, ``dev_news.jsonl`` and ``dev_mixed.jsonl``; where one is missing, the written sample serves.
    n_timed
        Paragraphs to classify against the clock.
    n_mixed
        Labelled paragraphs of the mixed training set.

    Returns
    -------
    The data.
    """
    absent = [name for name in ("train", *TESTS) if not (gold / f"{name}.jsonl").is_file()]
    if absent:
        reason = f"hand-read pages: {', '.join(absent)} not in {gold.name}/ beside the project; the written sample stands in"
        train, tests = read_corpus([sample_path("train")]), {SAMPLE: in_page_order(read_corpus([sample_path("test")]))}
        first, skipped = TrainingSet(SAMPLE, "the written sample's training part", labelled_rows(train)), [reason]
    else:
        tests = {name: in_page_order(read_corpus([gold / f"{name}.jsonl"])) for name in TESTS}
        train = without_sites_of(read_corpus([gold / "train.jsonl"]), tests.values())
        first, skipped = TrainingSet(READ, "hand-read paragraphs", labelled_rows(train)), []
    trainings = [first]
    if corpora:
        built = without_sites_of(read_corpus(list(corpora)), tests.values())
        described = f"{first.described} and paragraphs labelled by aligning pages with known articles"
        trainings.append(TrainingSet(MIXED, described, mix(train, built, n_paragraphs=n_mixed)))
    else:
        skipped.append("aligned paragraphs: no built corpus was named (--corpus FILE, see docs/corpus.md)")
    timed = whole_pages([*tests.values(), in_page_order(train)], n_paragraphs=n_timed)
    return Data(tuple(trainings), tests, timed, tuple(skipped))


def write_batch(table: pd.DataFrame, path: Path) -> Path:
    """Paragraphs as :func:`benchmarks.classify.child.read_batch` reads them.

    Parameters
    ----------
    table
        Rows in page order.
    path
        Where to.

    Returns
    -------
    The path.
    """
    with path.open("w", encoding="utf-8") as file:
        for page, text in zip(table[PAGE], table[TEXT], strict=True):
            file.write(json.dumps({"page": page, "text": text}) + "\n")
    return path


def write_training(table: pd.DataFrame, path: Path) -> Path:
    """Paragraphs as :func:`benchmarks.classify.child.read_training` reads them.

    Parameters
    ----------
    table
        Labelled rows.
    path
        Where to.

    Returns
    -------
    The path.
    """
    names = (TEXT, LABEL, PAGE, SITE, ORIGIN)
    columns = [
        table[name].astype(object).where(table[name].notna(), None) if name in table.columns else [None] * len(table)
        for name in names
    ]
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in zip(*columns, strict=True))
    return path
