"""What kind of character each code point is, and what it folds to: the tables that the feature definition looks up.

The tables are shipped, not computed, so that features do not change with the Unicode version of the Python at hand. Using them is
left to :mod:`newswinnow.features.kernel` and :mod:`newswinnow.features.plain`.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

N_CODES: Final = 0x110000
KIND_SHIFT: Final = 24
CODE_MASK: Final = (1 << KIND_SHIFT) - 1

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
    """What is known of every code point, in two steps, because most pages of 256 code points are alike.

    Attributes
    ----------
    pages
        Which row of ``entries`` a page is, ``uint16``, shape (4352,).
    entries
        Kind in the highest byte; below it what to add to the code point, modulo 2**24, to fold it; ``uint32``, shape
        (n_distinct_pages, 256).
    """

    pages: npt.NDArray[np.uint16]
    entries: npt.NDArray[np.uint32]

    def kind(self, code: int) -> int:
        """Kind of a code point."""
        return int(self.entries[self.pages[code >> 8], code & 255]) >> KIND_SHIFT

    def folded(self, code: int) -> int:
        """What a code point folds to; itself unless it is a word character."""
        return (code + int(self.entries[self.pages[code >> 8], code & 255])) & CODE_MASK


def _kind_of(character: str) -> int:
    if character.isspace():
        return SPACE
    if character == "_" or character.isalpha() or unicodedata.category(character)[0] == "M":
        return UPPER if character.isupper() else LOWER
    if character.isdecimal():
        return DIGIT
    return LOWER if character.isalnum() else OTHER


def _folded(character: str) -> int:
    """Simple case folding: one code point to one; where full folding gives more, lower case does, or the character itself."""
    for folded in (character.casefold(), character.lower()):
        if len(folded) == 1:
            return ord(folded)
    return ord(character)


def compute_tables() -> CharacterTables:
    """Tables from this Python's Unicode database; how the shipped file was made.

    Returns
    -------
    The tables. Only word characters are folded.
    """
    special = {ord(symbol): kind for kind, symbols in _SYMBOLS.items() for symbol in symbols}
    codes = np.arange(N_CODES, dtype=np.uint32)
    entries = codes | np.uint32(OTHER << KIND_SHIFT)
    for code in (*range(0xD800), *range(0xE000, N_CODES)):
        kind = special.get(code, _kind_of(chr(code)))
        folded = _folded(chr(code)) if LOWER <= kind <= DIGIT else code
        entries[code] = folded | kind << KIND_SHIFT
    # Differences, not code points: pages of nothing but Chinese characters are then all one.
    entries = (entries & np.uint32(~CODE_MASK & 0xFFFFFFFF)) | ((entries - codes) & np.uint32(CODE_MASK))
    pages, index = np.unique(entries.reshape(-1, 256), axis=0, return_inverse=True)
    return CharacterTables(index.reshape(-1).astype(np.uint16), np.ascontiguousarray(pages))


def write_tables(path: Path) -> None:
    """Write tables as they are shipped.

    Parameters
    ----------
    path
        The ``.npz`` file.
    """
    tables = compute_tables()
    np.savez_compressed(path, pages=tables.pages, entries=tables.entries)


@cache
def character_tables() -> CharacterTables:
    """The shipped tables, read once.

    Returns
    -------
    The tables.

    Examples
    --------
    >>> tables = character_tables()
    >>> chr(tables.folded(ord("É"))), tables.kind(ord("É")) == UPPER
    ('é', True)
    """
    with resources.files("newswinnow.features").joinpath(_FILE).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        loaded: dict[str, npt.NDArray[Any]] = {name: arrays[name] for name in ("pages", "entries")}
    return CharacterTables(loaded["pages"], loaded["entries"])
