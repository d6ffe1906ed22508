"""The table of word sets finds every word and no other."""

import pytest

from newswinnow.features.tables import SETS, Tables, encode, hash_word, kernel_tables, sets_of


def look_up(word: str, tables: Tables) -> int:
    value = hash_word(word)
    slots = [int(tables.sets[value >> 54]), int(tables.sets[value >> 44 & 1023])]
    return next((slot & 31 for slot in slots if slot >> 5 == value >> 5), 0)


def test_every_word_is_found_with_its_sets() -> None:
    for word in frozenset().union(*SETS):
        assert look_up(word, kernel_tables()) == sets_of(word) != 0


@pytest.mark.parametrize("word", ["council", "The", "", "harbourmaster", "thethethethe"])
def test_other_words_are_in_none(word: str) -> None:
    assert look_up(word, kernel_tables()) == sets_of(word) == 0


def test_length_buckets_end_with_the_longest() -> None:
    buckets = kernel_tables().length_buckets.tolist()
    assert (buckets[0], buckets[1], buckets[7], buckets[8], buckets[90]) == (0, 1, 6, 7, 14)


def test_lone_surrogates_are_no_unicode() -> None:
    assert encode("é") == b"\xc3\xa9"
    with pytest.raises(ValueError, match=r"texts: must be valid Unicode; got a lone surrogate U\+DFFF"):
        encode("a\udfff")
