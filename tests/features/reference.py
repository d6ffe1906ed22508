"""The feature definition written out once more, character by character: what plain and compiled must equal.

Only the tables of characters and words are shared with the package.
"""

import itertools
import math

from newswinnow.features import characters as c
from newswinnow.features.characters import character_tables
from newswinnow.features.words import CALENDAR_WORDS, DURATION_WORDS, IMPERATIVES, PRONOUNS, STOP_WORDS

FULL = (1 << 64) - 1
SEED, PRIME, MIX = 0xCBF29CE484222325, 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93
PAIR, FIRST, LAST = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xFF51AFD7ED558CCD
SHAPE, SKELETON, CHARACTER = 0xC4CEB9FE1A85EC53, 0x87C37B91114253D5, 0xE7037ED1A0B428DB
BEGIN, END = 0x4CF5AD432745937F, 0x52DCE729DA3ED5A3
WORD_KINDS = (c.LOWER, c.UPPER, c.DIGIT)
CLOSING_KINDS = (c.QUOTE, c.APOSTROPHE, c.CLOSING)


def finish(value: int) -> int:
    value &= FULL
    return (value ^ (value >> 32)) * MIX & FULL


def kind_of(character: str) -> int:
    return character_tables().kind(ord(character))


def collapsed(text: str) -> str:
    """Every run of whitespace one blank, none at the ends."""
    result = ""
    for character in text:
        if kind_of(character) != c.SPACE:
            result += character
        elif result and result[-1] != " ":
            result += " "
    return result.rstrip(" ")


def tokens_of(text: str) -> list[str]:
    """Runs of word characters and single other characters, as they stand."""
    tokens: list[str] = []
    is_open = False
    for character in text:
        is_word = kind_of(character) in WORD_KINDS
        if is_word and is_open:
            tokens[-1] += character
        elif character != " ":
            tokens.append(character)
        is_open = is_word
    return tokens


def is_word(token: str) -> bool:
    return kind_of(token[0]) in WORD_KINDS


def fold(token: str) -> str:
    return "".join(chr(character_tables().folded(ord(character))) for character in token)


def hash_of(token: str) -> int:
    data, value = fold(token).encode(), SEED
    while data:
        block, data = data[:8], data[8:]
        value = (value ^ int.from_bytes(block.ljust(8, b"\0"), "little")) * PRIME & FULL
        value ^= value >> 32
    return value * MIX & FULL


def shape_of(token: str) -> int:
    if not is_word(token):
        return hash_of(token)
    classes = [{c.LOWER: 1, c.UPPER: 2, c.DIGIT: 4}[kind_of(character)] for character in token]
    occurring = 0
    for value in classes:
        occurring |= value
    is_glued = (1, 2) in itertools.pairwise(classes)
    return finish((1 + occurring + 8 * classes[0] + 64 * classes[-1] + 512 * is_glued) * PRIME)


def bucket(value: float, edges: tuple[float, ...]) -> int:
    return len([edge for edge in edges if value >= edge])


class Reference:
    """One paragraph read slowly."""

    def __init__(self, text: str) -> None:
        self.text = collapsed(text)
        self.tokens = tokens_of(self.text)
        self.words = [token for token in self.tokens if is_word(token)]
        self.lowered = [fold(word) for word in self.words]

    def rows(self, *, bits: int, shortest: int = 1, longest: int = 0) -> list[list[int]]:
        blocks = [self.word_values(), self.edge_values(), self.category_values(), self.character_values(shortest, longest)]
        return [[(value & FULL) >> (64 - bits) for value in block] for block in blocks]

    def word_values(self) -> list[int]:
        hashes = [hash_of(token) for token in self.tokens[:256]]
        return hashes + [a * PAIR + b for a, b in itertools.pairwise(hashes)]

    def edge_values(self) -> list[int]:
        hashes = [hash_of(token) for token in self.tokens[:256]]
        values = []
        for start, multiplier, ordered in ((BEGIN, FIRST, hashes), (END, LAST, hashes[::-1])):
            value = start
            for one in ordered[:3]:
                value = (value + one) * multiplier
                values.append(value)
        edge = self.tokens[:40]
        shapes = [BEGIN, *map(shape_of, edge), END]
        skeletons = [BEGIN, *(hash_of(t) if fold(t) in STOP_WORDS else shape_of(t) for t in edge), END]
        for sequence, sizes, m in ((shapes, (2, 3, 4), SHAPE), (skeletons, (2, 3), SKELETON)):
            for size in sizes:
                for i in range(len(sequence) - size + 1):
                    values.append(sum(item * m ** (size - 1 - k) for k, item in enumerate(sequence[i : i + size])))
        return values

    def character_values(self, shortest: int, longest: int) -> list[int]:
        values, n_read = [], 0
        for token in self.tokens[:256]:
            data = f" {fold(token)} ".encode()
            n_read += len(data)
            if n_read > 2048:
                break
            for size in range(shortest, longest + 1):
                grams = [data[i : i + size] for i in range(len(data) - size + 1)]
                values += [finish((int.from_bytes(gram, "little") ^ CHARACTER) * PRIME) for gram in grams]
        return values

    def n(self, *kinds: int) -> int:
        return len([character for character in self.text if kind_of(character) in kinds])

    def n_ends(self) -> int:
        n, may_end = 0, False
        for character in self.text + " ":
            kind = kind_of(character)
            n += may_end and kind == c.SPACE
            if kind not in CLOSING_KINDS:
                may_end = kind == c.STOP
        return n

    def last(self) -> str:
        open_ = [character for character in self.text if kind_of(character) not in (*CLOSING_KINDS, c.SPACE)]
        return open_[-1] if open_ else ""

    def capitals(self) -> float:
        rest = self.words[1:]
        return len([word for word in rest if kind_of(word[0]) == c.UPPER]) / len(rest) if rest else 0.0

    def share(self, n: int) -> float:
        return n / max(len(self.words), 1)

    def category_values(self) -> list[int]:
        length = bucket(len(self.words), (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 50, 90))
        last, first = self.last(), self.text[:1]
        last_kind, first_kind = kind_of(last) if last else -1, kind_of(first) if first else -1
        sets = 0
        if self.words:
            sets = (self.lowered[0] in STOP_WORDS) + 2 * (self.lowered[0] in IMPERATIVES)
        crossed = [
            0,
            last.encode()[0] if last_kind in (c.STOP, c.COMMA) else 257 + last_kind,
            (first_kind + 1) * 4 + min(self.n_ends(), 3),
            bucket(self.capitals(), (0.01, 0.2, 0.4, 0.6, 0.8, 0.99)),
            bucket(self.share(len([w for w in self.lowered if w in STOP_WORDS])), (0.01, 0.15, 0.25, 0.35, 0.45)),
            (sets * 32 + first_kind + 1) * 2 + (last_kind == c.STOP),
        ]
        return [finish((k * 65536 + value * 16 + length) * PRIME) for k, value in enumerate(crossed)]

    def surface(self) -> list[float]:
        log, words, lowered, n_chars = math.log1p, self.words, self.lowered, max(len(self.text), 1)
        last, first = self.last(), self.text[:1]
        last_kind, first_kind = kind_of(last) if last else -1, kind_of(first) if first else -1
        n_alnum = self.n(*WORD_KINDS)
        half = len(self.tokens) // 2
        hashes = [hash_of(token) for token in self.tokens]
        return [
            log(len(self.text)),
            log(len(words)),
            self.share(n_alnum),
            log(self.n_ends()),
            log(len(words) / max(self.n_ends(), 1)),
            last_kind == c.STOP,
            self.n(c.QUOTE, c.OPENING_QUOTE) > 0,
            last_kind == c.COLON,
            last == "?",
            last == "…",
            first_kind in (c.QUOTE, c.OPENING_QUOTE, c.APOSTROPHE),
            first_kind == c.LOWER,
            first_kind == c.DIGIT,
            log(self.n(c.COMMA)),
            log(self.n(c.QUOTE, c.OPENING_QUOTE)),
            log(self.n(c.APOSTROPHE)),
            log(self.n(c.COLON)),
            log(self.n(c.OPENING, c.CLOSING)),
            self.n(c.SEPARATOR) / n_chars,
            self.n(c.DIGIT) / n_chars,
            self.n(c.UPPER) / n_chars,
            (len(self.text) - n_alnum - self.n(c.SPACE)) / n_chars,
            len([character for character in self.text if ord(character) > 127]) / n_chars,
            self.capitals(),
            self.share(len([w for w in words if len(w) > 1 and {kind_of(x) for x in w} == {c.UPPER}])),
            self.share(len([w for w in words if len(w) >= 8])),
            self.share(len([w for w in words if kind_of(w[0]) == c.DIGIT])),
            self.share(len([w for w in words if (c.LOWER, c.UPPER) in itertools.pairwise(map(kind_of, w))])),
            self.share(len([w for w in lowered if w in STOP_WORDS])),
            self.share(len([w for w in lowered if w in PRONOUNS])),
            self.share(len([w for w in lowered if len(w) >= 4 and w.endswith("ed")])),
            bool(lowered) and lowered[0] in STOP_WORDS,
            bool(lowered) and lowered[0] in IMPERATIVES,
            log(len([w for w in lowered if w in DURATION_WORDS])),
            log(len([w for w in lowered if w in CALENDAR_WORDS])),
            self.n(c.AT) > 0,
            self.n(c.RIGHTS) > 0,
            half > 0 and 2 * half == len(hashes) < 256 and hashes[:half] == hashes[half:],
        ]
