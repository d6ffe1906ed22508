"""The three labels, in the order that every table, matrix and report uses.

What a label means is said in the project's labelling rules (``data/README.md``); deciding between them is left to the models.
"""

from enum import StrEnum


class Label(StrEnum):
    """What a paragraph is to an archive that wants the text of one article and nothing else."""

    NEWS = "news"
    """The article's own editorial text, its headline and captions included."""

    BOILERPLATE = "boilerplate"
    """Neither the article nor a pointer to another piece: menus, buttons, ads, bylines, dates, comments, legal lines."""

    RELATED_LINK = "related-link"
    """Text that sends the reader to other content: headlines and teasers of other stories, and headings over them."""


LABELS: tuple[Label, ...] = tuple(Label)


def parse_labels(names: str) -> tuple[Label, ...]:
    """Labels from a comma-separated list.

    Parameters
    ----------
    names
        Such as ``news,related-link``.

    Returns
    -------
    The labels, in the order named.

    Raises
    ------
    ValueError
        If a name is not one of the three labels.

    Examples
    --------
    >>> [str(label) for label in parse_labels("news, related-link")]
    ['news', 'related-link']
    """
    found = [name.strip() for name in names.split(",")]
    for name in found:
        if name not in LABELS:
            raise ValueError(f"labels: must be of {', '.join(LABELS)}; got {name!r}")
    return tuple(map(Label, found))
