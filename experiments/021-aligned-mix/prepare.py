"""The labels that alignment derived, ready to be trained on beside the read ones.

Takes the public corpus (`newswinnow corpus build data/build-public.toml`), leaves out every page and every registrable domain of
the pages to report on, and writes the aligned paragraphs alone, under the site names of the read corpus.

    .venv/bin/python experiments/021-aligned-mix/prepare.py runs/public.jsonl.gz runs/aligned.jsonl
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from newswinnow.corpus.sites import registrable_domains, without_sites_of
from newswinnow.corpus.tables import format_of, read_corpus
from newswinnow.corpus.write import write_table
from newswinnow.paragraphs.table import LABEL, ORIGIN, PAGE, POSITION, SITE, SOURCE, TEXT

GOLD: Final = Path(__file__).resolve().parents[3] / "shared" / "gold"
COLUMNS: Final = [PAGE, POSITION, TEXT, LABEL, SITE, SOURCE, ORIGIN]


def site_names(aligned: pd.DataFrame, read: pd.DataFrame) -> pd.Series:
    """The name under which the read corpus knows a row's site, by its page or its domain; the domain where it does not."""
    pages = read.drop_duplicates(PAGE).set_index(PAGE)[SITE]
    by_domain = read.assign(domain=registrable_domains(read[SITE])).drop_duplicates("domain").set_index("domain")[SITE]
    domain = registrable_domains(aligned[SITE])
    return aligned[PAGE].map(pages).fillna(domain.map(by_domain)).fillna(domain)


def prepare(public: pd.DataFrame, read: pd.DataFrame, reported: pd.DataFrame) -> pd.DataFrame:
    """Aligned rows of pages and domains that no report is on.

    Parameters
    ----------
    public
        The public corpus.
    read
        The read corpus to train on.
    reported
        The pages to report on.

    Returns
    -------
    Columns as in ``COLUMNS``; page ids end in ``#aligned``, because the read corpus has the same pages.
    """
    aligned = public[(public[ORIGIN] == "aligned") & public[LABEL].notna()]
    aligned = without_sites_of(aligned, [reported])
    return aligned.assign(**{SITE: site_names(aligned, read), PAGE: aligned[PAGE] + "#aligned"})[COLUMNS]


def main(arguments: Sequence[str]) -> None:
    """Read, prepare, write.

    Parameters
    ----------
    arguments
        Public corpus, output.
    """
    source, output = arguments
    reported = read_corpus([GOLD / "dev_news.jsonl", GOLD / "dev_mixed.jsonl"])
    write_table(
        prepare(read_corpus([source]), read_corpus([GOLD / "train.jsonl"]), reported), output, file_format=format_of(output)
    )


if __name__ == "__main__":
    main(sys.argv[1:])
