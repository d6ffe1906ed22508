"""What kind of character each code point is, and what it folds to: the tables that the n-gram kernel looks up.

The tables are shipped, not computed, so that features do not change with the Unicode version of the Python at hand. Using them is
left to :mod:`newswinnow.features.kernel`.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

N_CODES: Final = 65536
"""The Basic Multilingual Plane; every code point above it counts as ``OTHER`` and folds to itself."""

(
    SPACE,
    LOWER,
    UPPER,
    DIGIT,
    COMMA,
    QUOTE,
    OPENING_QUOTE,
    APOSTROPHE,
    COLON,
    OPENING,
    CLOSING,
    STOP,
    SEPARATOR,
    AT,
    RIGHTS,
    OTHER,
) = range(16)
N_KINDS: Final = 16

_SYMBOLS: Final = {
    COMMA: ",;",
    QUOTE: '"”»',
    OPENING_QUOTE: "“‘«",
    APOSTROPHE: "'’",
    COLON: ":",
    OPENING: "([",
    CLOSING: ")]",
    STOP: ".!?…",
    SEPARATOR: "|•·›>/—–-",
    AT: "@",
    RIGHTS: "©",
}
_FILE: Final = "characters.npz"


@dataclass(frozen=True)
class CharacterTables:
    """Kind (``uint8``) and folded code point (``uint16``) of every code point below 65536, shape (65536,)."""

    kinds: npt.NDArray[np.uint8]
    folded: npt.NDArray[np.uint16]


def _kind_of(character: str) -> int:
    if character.isspace():
        return SPACE
    if character == "_" or character.isalpha() or unicodedata.category(character)[0] == "M":
        return UPPER if character.isupper() else LOWER
    if character.isdecimal():
        return DIGIT
    return LOWER if character.isalnum() else OTHER


def compute_tables() -> CharacterTables:
    """Tables from this Python's Unicode database; how the shipped file was made.

    Returns
    -------
    The tables. Lower-casing is one code point to one code point; where Unicode gives more, the character folds to itself.
    """
    kinds = np.full(N_CODES, OTHER, dtype=np.uint8)
    folded = np.arange(N_CODES, dtype=np.uint16)
    for code in (*range(0xD800), *range(0xE000, N_CODES)):
        character = chr(code)
        kinds[code] = _kind_of(character)
        lowered = character.lower()
        if len(lowered) == 1:
            folded[code] = ord(lowered)
    for kind, symbols in _SYMBOLS.items():
        for symbol in symbols:
            kinds[ord(symbol)] = kind
    return CharacterTables(kinds, folded)


def write_tables(path: Path) -> None:
    """Write tables as they are shipped.

    Parameters
    ----------
    path
        The ``.npz`` file.
    """
    tables = compute_tables()
    np.savez_compressed(path, kinds=tables.kinds, folded=tables.folded)


@cache
def character_tables() -> CharacterTables:
    """The shipped tables, read once.

    Returns
    -------
    The tables.

    Examples
    --------
    >>> tables = character_tables()
    >>> chr(tables.folded[ord("É")]), int(tables.kinds[ord("É")]) == UPPER
    ('é', True)
    """
    with resources.files("newswinnow.features").joinpath(_FILE).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        loaded: dict[str, npt.NDArray[Any]] = {name: arrays[name] for name in ("kinds", "folded")}
    return CharacterTables(loaded["kinds"], loaded["folded"])
