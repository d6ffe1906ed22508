"""Sections of Markdown pages that a benchmark writes whole, between two marks of its own, so that no figure is copied by hand.

What stands in a section is left to the benchmarks.
"""

from pathlib import Path


def marks(program: str) -> tuple[str, str]:
    """The lines before and after what a program writes.

    Parameters
    ----------
    program
        Its name.

    Returns
    -------
    Both lines.

    Examples
    --------
    >>> marks("benchmarks/bulk.py")
    ('<!-- written by benchmarks/bulk.py --write -->', '<!-- end of what benchmarks/bulk.py wrote -->')
    """
    return f"<!-- written by {program} --write -->", f"<!-- end of what {program} wrote -->"


def write_section(path: Path, text: str, *, program: str) -> None:
    """Replace what a program wrote before; writing the same twice changes nothing.

    Parameters
    ----------
    path
        A Markdown page that has the program's marks.
    text
        What is to stand between them.
    program
        Its name.

    Raises
    ------
    ValueError
        If the page or the text does not have each mark as often as it must: the page once, the text never.
    """
    begin, end = marks(program)
    page = path.read_text(encoding="utf-8")
    if begin in text or end in text:
        raise ValueError(f"{program}: must write no mark of its own section; got one in what is to stand there")
    before, found_begin, rest = page.partition(f"{begin}\n")
    _, found_end, after = rest.partition(end)
    if not found_begin or not found_end or page.count(begin) > 1 or page.count(end) > 1:
        raise ValueError(f"{path}: must have the lines {begin!r} and {end!r} once, in this order; got something else")
    section = text.strip("\n")
    path.write_text(f"{before}{begin}\n{section}\n{end}{after}", encoding="utf-8")
