"""The rules for records, asked of whole columns: most break none, and asking every row alone takes several times as long.

A column that does not pass is no verdict; what each rule says is left to :mod:`newswinnow.corpus.records`.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from newswinnow.corpus.records import MAX_POSITION, MAX_TEXT_CHARS
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import LABEL, LINK_DENSITY, ORIGIN, ORIGINS, SITE, SOURCE, TAG

_STRING_OR_NONE: Final = frozenset({str, type(None)})
_NUMBER_OR_NONE: Final = frozenset({float, int, type(None)})
_LABELS: Final = frozenset({*map(str, LABELS), None})
_ORIGINS: Final = frozenset({*ORIGINS, None})
_SPACE: Final = ord(" ")
_LAST_ASCII: Final = 127
_WIDE_SPACES: Final = np.array([code for code in range(_LAST_ASCII + 1, 0x3001) if chr(code).isspace()], dtype=np.uint32)
"""All whitespace beyond ASCII; the ideographic space U+3000 is the last."""


def collapsed(texts: Sequence[str]) -> list[str]:
    r"""Texts with every run of whitespace made one space and none at their ends.

    Parameters
    ----------
    texts
        Any strings.

    Returns
    -------
    As many, each as :func:`~newswinnow.paragraphs.table.collapse_whitespace` gives it.

    Examples
    --------
    >>> collapsed(["Most read", " Most\u2028 read"])
    ['Most read', 'Most read']
    """
    # A text that is empty or has a space at an end makes two spaces in a row here. 0.1 instead of 1.0 us a text where all are in
    # order, as nearly all are.
    joined = " ".join(texts)
    if joined and joined[0] != " " != joined[-1] and _has_single_spaces(joined):
        return list(texts)
    return [text if _is_collapsed(text) else " ".join(text.split()) for text in texts]


def _has_single_spaces(text: str) -> bool:
    """Whether all whitespace of a text is single spaces; a text with control characters may be said not to be so."""
    if text.isascii():
        return _are_single(np.frombuffer(text.encode(), dtype=np.uint8))
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    return _are_single(codes) and not np.isin(codes[codes > _LAST_ASCII], _WIDE_SPACES).any()


def _are_single(codes: npt.NDArray[np.unsignedinteger[Any]]) -> bool:
    """Whether there are neither control characters of ASCII nor two spaces in a row."""
    is_space = codes == _SPACE
    return not ((codes < _SPACE).any() or (is_space[1:] & is_space[:-1]).any())


def _is_collapsed(text: str) -> bool:
    return text.isprintable() and "  " not in text and text.strip() == text


def columns_pass(pages: Sequence[Any], positions: Sequence[Any], texts: Sequence[Any]) -> bool:
    """Whether every value of the three needed columns obeys the rules; empty texts do.

    Parameters
    ----------
    pages
        Values of ``page``.
    positions
        Values of ``position``.
    texts
        Values of ``text``, whitespace as it came.

    Returns
    -------
    False if a value might break a rule.
    """
    if set(map(type, pages)) != {str} or set(map(type, texts)) != {str} or set(map(type, positions)) != {int}:
        return False
    return "" not in pages and min(positions) >= 0 and max(positions) <= MAX_POSITION and max(map(len, texts)) <= MAX_TEXT_CHARS


def optional_pass(name: str, values: Sequence[Any]) -> bool:
    """Whether every value of a column that the table knows obeys its rule.

    Parameters
    ----------
    name
        The column.
    values
        Its values, None where missing.

    Returns
    -------
    False if a value might break a rule; True for columns that just pass through.
    """
    if name in (SITE, SOURCE, TAG):
        return set(map(type, values)) <= _STRING_OR_NONE
    if name in (LABEL, ORIGIN):
        return set(map(type, values)) <= _STRING_OR_NONE and set(values) <= (_LABELS if name == LABEL else _ORIGINS)
    if name == LINK_DENSITY:
        return set(map(type, values)) <= _NUMBER_OR_NONE and all(0 <= value <= 1 for value in values if value is not None)
    return True
