r"""Invented paragraphs and pages as the behaviour suite writes them down, and the small changes it makes to them.

What a model must say of them is left to :mod:`newswinnow.evaluation.behaviour_suite`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import pandas as pd

from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import LINK_DENSITY, PAGE, POSITION, TAG, TEXT

_LETTERS: Final = {str(label)[0]: str(label) for label in LABELS}
_LINE: Final = re.compile(r"(?P<letter>[a-z?])(?P<star>\*?)(?: (?P<tag>[a-z][a-z0-9]*)(?P<link>@1)?)? ?\| (?P<text>\S.*)")


@dataclass(frozen=True)
class Line:
    """One paragraph of a page.

    Attributes
    ----------
    text
        The paragraph.
    label
        What it is; empty where the suite does not say.
    is_target
        Whether the model's answer to it counts.
    tag
        HTML element it would stand in.
    link_density
        Share of it inside a link, 0 or 1.
    """

    text: str
    label: str = ""
    is_target: bool = True
    tag: str = "p"
    link_density: float = 0.0


Page = tuple[Line, ...]
"""A page in order; a paragraph alone is a page of one line."""


def alone(text: str, label: str = "") -> Page:
    """A paragraph without its page.

    Parameters
    ----------
    text
        The paragraph.
    label
        What it is, if the suite says so.

    Returns
    -------
    A page of one line, its target.
    """
    return (Line(text, label),)


def parse_page(text: str, *, where: str) -> Page:
    r"""Read a page from its notation: one paragraph a line, ``LABEL[*] [TAG[@1]] | TEXT``.

    ``LABEL`` is the first letter of a label, or ``?`` for a paragraph without one; ``*`` marks those whose answers count, all
    with a label where none is marked. ``TAG`` is ``p`` if left out, and ``@1`` says that the whole of it is a link.

    Parameters
    ----------
    text
        The lines.
    where
        What a message names as their place.

    Returns
    -------
    The page.

    Raises
    ------
    ValueError
        If a line is of another form, or none counts.

    Examples
    --------
    >>> [line.label for line in parse_page("b li@1 | Home\nn* h1 | Ferry sinks at its berth", where="example")]
    ['boilerplate', 'news']
    """
    found = [_parse_line(line, f"{where}, line {n}") for n, line in enumerate(text.strip("\n").split("\n"), 1)]
    if not any(line.is_target for line in found):
        found = [replace(line, is_target=bool(line.label)) for line in found]
    if not any(line.is_target for line in found):
        raise ValueError(f"{where}: a page must have a line with a label; got none")
    return tuple(found)


def _parse_line(text: str, where: str) -> Line:
    found = _LINE.fullmatch(text)
    letter = found["letter"] if found else ""
    if found is None or letter not in (*_LETTERS, "?"):
        raise ValueError(f"{where}: a line must be LABEL[*] [TAG[@1]] | TEXT; got {text[:60]!r}")
    return Line(found["text"], _LETTERS.get(letter, ""), bool(found["star"]), found["tag"] or "p", 1.0 if found["link"] else 0.0)


def table_of(pages: dict[str, Page], *, markup: bool) -> pd.DataFrame:
    """Pages as one paragraph table.

    Parameters
    ----------
    pages
        By id.
    markup
        Whether tags and link densities stand in it.

    Returns
    -------
    Columns ``page``, ``position``, ``text`` and, with markup, ``tag`` and ``link_density``; rows in order.
    """
    rows: list[dict[str, Any]] = [
        {PAGE: page, POSITION: n, TEXT: line.text, TAG: line.tag, LINK_DENSITY: line.link_density}
        for page, lines in pages.items()
        for n, line in enumerate(lines)
    ]
    table = pd.DataFrame(rows, columns=[PAGE, POSITION, TEXT, TAG, LINK_DENSITY])
    return table if markup else table.drop(columns=[TAG, LINK_DENSITY])


@dataclass(frozen=True)
class Changed:
    """A page after a change.

    Attributes
    ----------
    page
        The page.
    came_from
        Index of the line before the change that each line was, shape (n_lines,); -1 for one that was added.
    """

    page: Page
    came_from: tuple[int, ...]


Change = Callable[[Page], Changed]


def _each(change: Callable[[str], str]) -> Change:
    def apply(page: Page) -> Changed:
        return Changed(tuple(replace(line, text=change(line.text)) for line in page), tuple(range(len(page))))

    return apply


def _order(page: Page, places: list[int]) -> Changed:
    return Changed(tuple(page[i] for i in places), tuple(places))


def _riffled(page: Page) -> Changed:
    """Every third line first, then the others: neighbours are torn apart."""
    return _order(page, [i for start in range(3) for i in range(start, len(page), 3)])


def _with_menu_twice(page: Page) -> Changed:
    """The menu, list items that are links at the head of the page, once more at its foot, as many pages have it."""
    n_menu = next((i for i, line in enumerate(page) if (line.tag, line.link_density) != ("li", 1.0)), len(page))
    return Changed((*page, *page[:n_menu]), (*range(len(page)), *[-1] * n_menu))


def _straight(text: str) -> str:
    return text.translate(str.maketrans("‘’“”", "''\"\""))


ORDER_CHANGES: Final[dict[str, Change]] = {
    "lines reversed": lambda page: _order(page, list(range(len(page)))[::-1]),
    "lines riffled": _riffled,
}
"""Changes of the order alone."""

CHANGES: Final[dict[str, Change]] = {
    "upper case": _each(str.upper),
    "lower case": _each(str.lower),
    "trailing spaces": _each(lambda text: text + "  "),
    "leading spaces": _each(lambda text: "  " + text),
    "non-breaking spaces": _each(lambda text: text.replace(" ", "\xa0")),
    "doubled spaces": _each(lambda text: text.replace(" ", "  ")),
    "straight quotes": _each(_straight),
    "menu repeated": _with_menu_twice,
    **ORDER_CHANGES,
}
"""Changes that must leave every answer as it is, by the name the suite calls them by."""
