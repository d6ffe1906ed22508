"""Texts as reports show them: cut where they are long, measured by what they take in a document.

Escaping is left to the templates.
"""

from markupsafe import escape


def html_bytes(text: str) -> int:
    """What a text takes in a document.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    Bytes in UTF-8, escaped.
    """
    return len(str(escape(text)).encode("utf-8", "surrogatepass"))


def cut_text(text: str, max_chars: int) -> str:
    """A text of at most so many characters, an ellipsis at its end if it was longer.

    Parameters
    ----------
    text
        Any text.
    max_chars
        Limit.

    Returns
    -------
    The text as shown.

    Examples
    --------
    >>> cut_text("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= max_chars else text[: max_chars - 1].rstrip() + "…"
