"""The kernel's first step: from bytes to folded bytes and the class of each byte.

ASCII, which is most of what comes, is done for a whole batch at once, in a loop that the compiler turns into vector instructions
(0.1 ns a byte); a paragraph with other letters is then done again, character by character (3 ns a byte). Cutting tokens is left
to :mod:`newswinnow.features.walk`.
"""

from typing import Any, Final

import numpy as np

from newswinnow.features.characters import CODE_MASK, DIGIT, KIND_SHIFT, LOWER, SPACE, UPPER
from newswinnow.features.jit import inlined, lean, load8

# Class of a byte. Bits 0-2: lower case, upper case, digit; bit 3: first byte of a word character, bits 4 and 5 of an upper-case
# one and of a digit, so that counting is counting bits; bit 7: no word character.
LOWER_CLASS: Final = 1
UPPER_CLASS: Final = 2
DIGIT_CLASS: Final = 4
FIRST_LOWER: Final = LOWER_CLASS | 8
FIRST_UPPER: Final = UPPER_CLASS | 8 | 16
FIRST_DIGIT: Final = DIGIT_CLASS | 8 | 32
NO_WORD: Final = 128

PADDING: Final = 16
"""Bytes after the last that may be read."""

NEWLINE: Final = 10
BLANK: Final = 32


@lean
def scan_ascii(buffer: Any, folded: Any, classes: Any) -> None:
    """Fold a batch and class its bytes as far as they are ASCII; other bytes stay as they are and class as no word.

    Parameters
    ----------
    buffer
        Paragraphs, a newline after each, ``uint8``.
    folded
        Receives the folded bytes, every whitespace but the newline a blank; PADDING bytes longer.
    classes
        Receives the classes; as long.
    """
    # Every step is kept to eight bits, or the compiler widens all of them and the loop takes four times as long.
    for i in range(len(buffer)):
        byte = buffer[i]
        is_upper = np.uint8(byte - np.uint8(65)) < np.uint8(26)
        is_lower = (np.uint8(byte - np.uint8(97)) < np.uint8(26)) | (byte == np.uint8(95))
        is_digit = np.uint8(byte - np.uint8(48)) < np.uint8(10)
        is_control = np.uint8(byte - np.uint8(28)) < np.uint8(4)
        is_space = is_control | ((np.uint8(byte - np.uint8(9)) < np.uint8(5)) & (byte != np.uint8(NEWLINE)))
        kind = np.uint8(FIRST_DIGIT) if is_digit else np.uint8(NO_WORD)
        kind = np.uint8(FIRST_UPPER) if is_upper else kind
        classes[i] = np.uint8(FIRST_LOWER) if is_lower else kind
        lowered = np.uint8(byte | np.uint8(32)) if is_upper else byte
        folded[i] = np.uint8(BLANK) if is_space else lowered


@inlined
def width_of(byte: Any) -> Any:
    """Bytes of the UTF-8 character that begins with a byte.

    Parameters
    ----------
    byte
        Its first byte.

    Returns
    -------
    1 to 4.
    """
    return 1 + (byte >= 0xC0) + (byte >= 0xE0) + (byte >= 0xF0)


@inlined
def decode(buffer: Any, at: Any, width: Any) -> Any:
    """Code point of a character of several bytes.

    Parameters
    ----------
    buffer
        Well-formed UTF-8.
    at
        Its first byte.
    width
        Its number of bytes, 2 to 4.

    Returns
    -------
    ``int64``.
    """
    code = np.int64(load8(buffer, at)) & (0x7F >> width)
    for k in range(1, width):
        code = code << 6 | np.int64(load8(buffer, at + k)) & 0x3F
    return code


@inlined
def entry_of(code: Any, pages: Any, entries: Any) -> Any:
    """Entry of a code point in :class:`newswinnow.features.characters.CharacterTables`.

    Parameters
    ----------
    code
        Code point.
    pages
        The first table.
    entries
        The second.

    Returns
    -------
    Kind and way to the folded code point, ``int64``.
    """
    return np.int64(entries[np.uint64(pages[np.uint64(code >> 8)]), np.uint64(code & 255)])


@lean
def scan_unicode(buffer: Any, at: Any, pages: Any, entries: Any, folded: Any, classes: Any) -> Any:
    """Fold one paragraph and class its bytes, whatever its characters.

    Parameters
    ----------
    buffer
        Paragraphs, a newline after each, well-formed UTF-8, ``uint8``.
    at
        First byte of the paragraph.
    pages
        Character table.
    entries
        Character table.
    folded
        Receives the folded paragraph with its newline, PADDING bytes longer than half as much again.
    classes
        Receives the classes; as long.

    Returns
    -------
    Number of word characters that are not ASCII.
    """
    n = n_others = 0
    byte = load8(buffer, at)
    while byte != NEWLINE:
        width = width_of(byte)
        code = np.int64(byte)
        if width > 1:
            code = decode(buffer, at, width)
        item = entry_of(code, pages, entries)
        kind = item >> KIND_SHIFT
        is_word = (kind >= LOWER) & (kind <= DIGIT)
        n_others += (width > 1) & is_word
        n = _write(folded, classes, n, (code + item) & CODE_MASK, BLANK if kind == SPACE else kind)
        at += width
        byte = load8(buffer, at)
    folded[n], classes[n] = NEWLINE, NO_WORD
    return n_others


@inlined
def _class_of(kind: Any) -> Any:
    if kind == LOWER:
        return FIRST_LOWER
    if kind == UPPER:
        return FIRST_UPPER
    return FIRST_DIGIT if kind == DIGIT else NO_WORD


@inlined
def _write(folded: Any, classes: Any, n: Any, code: Any, kind: Any) -> Any:
    """Append a character as UTF-8; classes of all but its first byte have no bits to be counted."""
    first = _class_of(kind)
    rest = first & (NO_WORD | 7)
    classes[n] = first
    if code < 0x80:
        folded[n] = BLANK if kind == BLANK else code
        return n + 1
    width = 2 + (code >= 0x800) + (code >= 0x10000)
    for k in range(width - 1, 0, -1):
        folded[n + k], classes[n + k] = 0x80 | code & 0x3F, rest
        code >>= 6
    folded[n] = (0xF00 >> width) & 0xFF | code
    return n + width
