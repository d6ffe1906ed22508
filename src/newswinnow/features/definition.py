"""Feature definition 1, which saved models name: its constants, shared by the compiled kernel and the plain reading of it.

A paragraph is cut into tokens: maximal runs of word characters, folded, and single other characters; whitespace only separates.
Three blocks of features are hashed to rows of a table: (words) word 1-2-grams; (edges) the first and last 1-3 tokens, shape
2-4-grams and function-word skeleton 2-3-grams of the first 40 tokens; (categories) six crossed categories of the surface; and,
where asked for, (characters) n-grams of bytes inside words. Beside them stand 38 surface measurements. How they are computed is
left to :mod:`newswinnow.features.kernel` (compiled) and :mod:`newswinnow.features.plain` (Python alone).
"""

from dataclasses import dataclass
from typing import Final

VERSION: Final = 1

MAX_TOKENS: Final = 256
"""Tokens of a paragraph that give features; words beyond are measured all the same."""

MAX_EDGE_TOKENS: Final = 40
N_BLOCKS: Final = 4
N_CATEGORIES: Final = 6
MAX_CHARACTER_BYTES: Final = 2048
"""Bytes of a paragraph's words, spaces around each included, that give character n-grams."""

N_OPENING: Final = 2
N_FORM: Final = 4
"""Tokens, and shapes of tokens, at the beginning by which paragraphs of a page are found alike."""

N_SLOTS: Final = 1024
"""Slots of the table of word sets; a word is in the one of its hash's highest ten bits or that of the next ten."""

# A word is hashed by blocks of eight UTF-8 bytes, each multiplied and folded: one multiplication for most words where FNV-1a over
# characters needs one per character. Constants: golden ratio, SplitMix64, MurmurHash3 and moremur (public-domain hash finishers).
SEED: Final = 0xCBF29CE484222325
PRIME: Final = 0x9E3779B97F4A7C15
MIX: Final = 0xD6E8FEB86659FD93
# A row is the high bits of a sum of token hashes, each times a power of an odd number (Dietzfelbinger's multiply-shift), which is
# another for each kind of n-gram.
PAIR: Final = 0xBF58476D1CE4E5B9
FIRST: Final = 0x94D049BB133111EB
LAST: Final = 0xFF51AFD7ED558CCD
SHAPE: Final = 0xC4CEB9FE1A85EC53
SKELETON: Final = 0x87C37B91114253D5
CHARACTER: Final = 0xE7037ED1A0B428DB
BEGIN: Final = 0x4CF5AD432745937F
END: Final = 0x52DCE729DA3ED5A3

LENGTH_EDGES: Final = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 50, 90)
CAPITAL_EDGES: Final = (0.01, 0.2, 0.4, 0.6, 0.8, 0.99)
STOP_EDGES: Final = (0.01, 0.15, 0.25, 0.35, 0.45)
LONG_WORD_CHARS: Final = 8

SURFACE_NAMES: Final = tuple(
    """log_chars log_words mean_word_chars log_sentence_ends words_per_sentence closes_sentence has_quote ends_colon
    ends_question ends_ellipsis opens_quote opens_lower opens_digit log_commas log_quotes log_apostrophes log_colons
    log_brackets separator_share digit_share upper_share symbol_share non_ascii_share capitalised_share all_caps_share
    long_word_share number_share glued_share stop_share pronoun_share past_share first_is_stop first_is_imperative
    log_durations log_calendar has_at has_rights is_doubled""".split()
)
"""Columns of the surface features; their sources are those of :data:`newswinnow.features.surface.FEATURES`."""

N_SURFACE: Final = len(SURFACE_NAMES)


@dataclass(frozen=True)
class CharacterNgrams:
    """Which n-grams of bytes inside words are features, each word with a space before and after it.

    Attributes
    ----------
    shortest
        Bytes of the shortest, 1 to 8.
    longest
        Bytes of the longest, at most 8; 0 for none at all.
    """

    shortest: int = 1
    longest: int = 0

    def __post_init__(self) -> None:
        if not (1 <= self.shortest <= 8 and 0 <= self.longest <= 8):
            raise ValueError(f"character n-grams: must have 1 to 8 bytes; got {self.shortest} to {self.longest}")


def max_rows(characters: CharacterNgrams) -> int:
    """Rows a paragraph has at most.

    Parameters
    ----------
    characters
        Which character n-grams there are.

    Returns
    -------
    Their number, all blocks together.
    """
    n_sizes = max(characters.longest - characters.shortest + 1, 0)
    return 2 * MAX_TOKENS + 6 + 5 * (MAX_EDGE_TOKENS + 1) + N_CATEGORIES + n_sizes * MAX_CHARACTER_BYTES
