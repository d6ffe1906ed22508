"""Whole pages to train on: the read ones, their unlabelled paragraphs labelled by alignment where it is known, and aligned ones.

Takes the public pages with labels by alignment alone, and the read pages, and leaves out every page and every registrable domain of
the pages to report on. The column `aligned_label` holds what alignment says, of read paragraphs too: the ladder's teacher learns from
it how far alignment is right.

    .venv/bin/newswinnow corpus build experiments/028-ladder/build.toml
    .venv/bin/python experiments/028-ladder/prepare.py runs/by-alignment.jsonl.gz runs/pages.jsonl
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from newswinnow.corpus.sites import registrable_domains, without_sites_of
from newswinnow.corpus.tables import format_of, read_corpus
from newswinnow.corpus.write import write_table
from newswinnow.paragraphs.table import ALIGNED_LABEL, LABEL, LINK_DENSITY, ORIGIN, PAGE, POSITION, SITE, SOURCE, TAG, TEXT

GOLD: Final = Path(__file__).resolve().parents[3] / "shared" / "gold"
COLUMNS: Final = [PAGE, POSITION, TEXT, LABEL, SITE, SOURCE, ORIGIN, TAG, LINK_DENSITY, ALIGNED_LABEL]


def with_aligned(read: pd.DataFrame, public: pd.DataFrame) -> pd.DataFrame:
    """Read pages with what alignment says of the same paragraphs; those nobody read are labelled by it."""
    known = public.loc[public[LABEL].notna(), [PAGE, POSITION, TEXT, LABEL]].rename(columns={LABEL: ALIGNED_LABEL})
    found = read[[PAGE, POSITION, TEXT]].merge(known, how="left", on=[PAGE, POSITION, TEXT])
    aligned = pd.Series(found[ALIGNED_LABEL].astype(object).to_numpy(), index=read.index)
    is_read = read[LABEL].notna()
    origin = pd.Series("read", index=read.index, dtype=object).where(is_read, aligned.map(lambda label: label and "aligned"))
    return read.assign(**{LABEL: read[LABEL].astype(object).where(is_read, aligned), ORIGIN: origin, ALIGNED_LABEL: aligned})


def site_names(pages: pd.DataFrame, read: pd.DataFrame) -> pd.Series:
    """The name under which the read corpus knows a page's domain; the domain where it does not."""
    known = read.dropna(subset=[SITE])
    by_domain = known.assign(domain=registrable_domains(known[SITE])).drop_duplicates("domain").set_index("domain")[SITE]
    domain = registrable_domains(pages[SITE])
    return domain.map(by_domain).fillna(domain)


def prepare(public: pd.DataFrame, read: pd.DataFrame, reported: pd.DataFrame) -> pd.DataFrame:
    """Pages to train on.

    Parameters
    ----------
    public
        The public pages, labelled by alignment.
    read
        The read pages to train on, unlabelled paragraphs included.
    reported
        The pages to report on.

    Returns
    -------
    Columns as in ``COLUMNS``, whole pages.
    """
    read = read.assign(**{SITE: read[SITE].where(read[SITE].notna(), read[PAGE])})
    others = without_sites_of(public[~public[PAGE].isin(set(read[PAGE]))], [reported])
    others = others.assign(**{SITE: site_names(others, read), ALIGNED_LABEL: others[LABEL]})
    return pd.concat([with_aligned(read, public)[COLUMNS], others[COLUMNS]], ignore_index=True)


def main(arguments: Sequence[str]) -> None:
    """Write the pages to train on; see the module's first lines."""
    public, output = arguments
    reported = read_corpus([GOLD / "dev_news.jsonl", GOLD / "dev_mixed.jsonl"])
    pages = prepare(read_corpus([public]), read_corpus([GOLD / "train.jsonl"]), reported)
    Path(output).parent.mkdir(parents=True, exist_ok=True)
    write_table(pages, output, file_format=format_of(output))
    print(f"{output}: {len(pages)} paragraphs of {pages[PAGE].nunique()} pages")
    print(pages.groupby(ORIGIN, dropna=False)[LABEL].value_counts(dropna=False).to_string())


if __name__ == "__main__":
    main(sys.argv[1:])
