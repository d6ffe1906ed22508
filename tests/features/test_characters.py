"""The shipped table of characters: what the definition relies on."""

import sys
from pathlib import Path

import numpy as np
import pytest

from newswinnow.features import characters as c
from newswinnow.features.characters import character_tables, compute_tables, write_tables

TABLES = character_tables()


def test_shipped_tables_are_those_of_this_python_for_old_scripts() -> None:
    computed = compute_tables()
    for code in range(0x500):
        assert (TABLES.kind(code), TABLES.folded(code)) == (computed.kind(code), computed.folded(code))
    same = [TABLES.kind(code) == computed.kind(code) for code in range(0, sys.maxunicode, 17)]
    assert np.mean(same) > 0.99


def test_every_kind_of_whitespace_is_a_space() -> None:
    for code in range(0x3100):
        assert (TABLES.kind(code) == c.SPACE) == chr(code).isspace()


def test_only_word_characters_fold_and_never_twice() -> None:
    for code in (*range(0xD800), *range(0xE000, 0x1F000)):
        folded = TABLES.folded(code)
        assert TABLES.folded(folded) == folded
        assert folded == code or c.LOWER <= TABLES.kind(code) <= c.DIGIT


@pytest.mark.parametrize(
    ("character", "kind", "folded"),
    [
        ("É", c.UPPER, "é"),
        ("ς", c.LOWER, "σ"),
        ("ẞ", c.UPPER, "ß"),
        ("ß", c.LOWER, "ß"),
        ("İ", c.UPPER, "İ"),
        ("𐐀", c.UPPER, "𐐨"),
        ("中", c.LOWER, "中"),
        ("𠀀", c.LOWER, "𠀀"),
        ("١", c.DIGIT, "١"),
        ("_", c.LOWER, "_"),
        ("\u0301", c.LOWER, "\u0301"),
        ("Ⓐ", c.OTHER, "Ⓐ"),
        ("’", c.APOSTROPHE, "’"),
        ("😀", c.OTHER, "😀"),
    ],
)
def test_character(character: str, kind: int, folded: str) -> None:
    assert (TABLES.kind(ord(character)), chr(TABLES.folded(ord(character)))) == (kind, folded)


def test_tables_survive_their_file(tmp_path: Path) -> None:
    write_tables(tmp_path / "tables.npz")
    with np.load(tmp_path / "tables.npz", allow_pickle=False) as arrays:
        assert arrays["pages"].shape == (0x1100,)
        assert arrays["entries"].shape[1] == 256
