"""The compiled kernel against a plain-Python reading of its definition, and against itself in other batches."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswinnow.features import characters as kinds
from newswinnow.features import kernel
from newswinnow.features.characters import character_tables, compute_tables
from newswinnow.features.hashed import SURFACE_NAMES, LinearWeights, hashed_features, linear_logits, pack
from newswinnow.features.words import CALENDAR_WORDS, DURATION_WORDS, IMPERATIVES, PRONOUNS, STOP_WORDS

BITS = 12
MASK = (1 << BITS) - 1
FULL = (1 << 64) - 1
SEED, PRIME = 0xCBF29CE484222325, 0x100000001B3
MIX, SALT = 0xD6E8FEB86659FD93, 0x9E3779B97F4A7C15
TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("aA1 .,“”'’|-()\n…!?"), max_size=80)


def finish(value: int) -> int:
    value ^= value >> 32
    value = value * MIX & FULL
    return value ^ (value >> 32)


def chain(values: list[int]) -> int:
    result = SEED
    for value in values:
        result = (result ^ value) * PRIME & FULL
    return result


class Reference:
    """One paragraph read slowly."""

    def __init__(self, text: str) -> None:
        tables = character_tables()
        codes = [ord(c) for c in text]
        self.kinds = [int(tables.kinds[c]) if c < 65536 else kinds.OTHER for c in codes]
        self.folded = [int(tables.folded[c]) if c < 65536 else c for c in codes]
        self.spans: list[tuple[int, int]] = []
        i = 0
        while i < len(codes):
            j = i
            while j < len(codes) and self.kinds[j] in (kinds.LOWER, kinds.UPPER, kinds.DIGIT):
                j += 1
            if j == i:
                j += 1
                if self.kinds[i] != kinds.SPACE:
                    self.spans.append((i, j))
            else:
                self.spans.append((i, j))
            i = j

    def is_word(self, span: tuple[int, int]) -> bool:
        return self.kinds[span[0]] in (kinds.LOWER, kinds.UPPER, kinds.DIGIT)

    @property
    def word_spans(self) -> list[tuple[int, int]]:
        return [span for span in self.spans if self.is_word(span)]

    def word(self, span: tuple[int, int]) -> str:
        return "".join(map(chr, self.folded[span[0] : span[1]]))

    def token(self, span: tuple[int, int]) -> int:
        return finish(chain(self.folded[span[0] : span[1]]))

    def shape(self, span: tuple[int, int]) -> int:
        if not self.is_word(span):
            return self.token(span)
        runs = [k for i, k in enumerate(self.kinds[span[0] : span[1]]) if i == 0 or k != self.kinds[span[0] + i - 1]]
        return finish(chain([k + 1 for k in runs]))

    def rows(self) -> list[int]:
        spans = self.spans[: kernel.MAX_TOKENS]
        tokens = [self.token(s) for s in spans]
        found = [finish(t ^ SALT) for t in tokens]
        found += [finish(((a * PRIME & FULL) ^ b) ^ (2 * SALT & FULL)) for a, b in itertools.pairwise(tokens)]
        for n in range(1, min(3, len(tokens)) + 1):
            found.append(finish(chain(tokens[:n]) ^ ((2 + n) * SALT & FULL)))
            found.append(finish(chain(tokens[::-1][:n]) ^ ((5 + n) * SALT & FULL)))
        edge = spans[: kernel.MAX_EDGE_TOKENS]
        shapes = [11, *(self.shape(s) for s in edge), 13]
        skeletons = [11, *(self.token(s) if self.word(s) in STOP_WORDS else self.shape(s) for s in edge), 13]
        for sequence, sizes, salt in ((shapes, (2, 3, 4), 9), (skeletons, (2, 3), 12)):
            for size in sizes:
                for i in range(len(sequence) - size + 1):
                    value = sequence[i]
                    for item in sequence[i + 1 : i + size]:
                        value = (value * PRIME & FULL) ^ item
                    found.append(finish(value ^ ((salt + size - 2) * SALT & FULL)))
        return sorted(value & MASK for value in found)


def kernel_rows(text: str) -> tuple[list[int], list[int], Any]:
    from newswinnow.features.hashed import word_sets

    packed, tables = pack([text]), character_tables()
    rows, bounds = np.zeros(kernel.MAX_FEATURES, np.int64), np.zeros(3, np.int64)
    scratch = kernel.make_scratch(packed.offsets)
    kernel.hash_paragraph(
        packed.buffer, 0, len(packed.buffer), tables.kinds, tables.folded, word_sets(), np.uint64(MASK), scratch, rows, bounds
    )
    return sorted(rows[: bounds[1]].tolist()), rows[bounds[1] : bounds[2]].tolist(), scratch[4]


@settings(deadline=None, max_examples=200)
@given(TEXTS)
def test_hashed_features_are_those_of_the_definition(text: str) -> None:
    text = text.replace("\n", " ")
    assert kernel_rows(text)[0] == Reference(text).rows()


@settings(deadline=None, max_examples=200)
@given(TEXTS)
def test_surface_counts_words_and_sets(text: str) -> None:
    text = text.replace("\n", " ")
    reference, surface = Reference(text), dict(zip(SURFACE_NAMES, kernel_rows(text)[2], strict=True))
    words = [reference.word(span) for span in reference.word_spans]
    n_words = max(len(words), 1)
    assert surface["log_chars"] == pytest.approx(math.log1p(len(text)))
    assert surface["log_words"] == pytest.approx(math.log1p(len(words)))
    assert surface["stop_share"] == pytest.approx(sum(w in STOP_WORDS for w in words) / n_words)
    assert surface["pronoun_share"] == pytest.approx(sum(w in PRONOUNS for w in words) / n_words)
    assert surface["log_calendar"] == pytest.approx(math.log1p(sum(w in CALENDAR_WORDS for w in words)))
    assert surface["log_durations"] == pytest.approx(math.log1p(sum(w in DURATION_WORDS for w in words)))
    assert surface["first_is_imperative"] == float(bool(words) and words[0] in IMPERATIVES)
    assert surface["number_share"] == pytest.approx(
        sum(reference.kinds[span[0]] == kinds.DIGIT for span in reference.word_spans) / n_words
    )
    assert surface["long_word_share"] == pytest.approx(sum(len(w) >= 8 for w in words) / n_words)
    assert surface["past_share"] == pytest.approx(sum(len(w) >= 4 and w.endswith("ed") for w in words) / n_words)


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("It rained. It poured!", "log_sentence_ends", math.log1p(2)),
        ("It rained. It poured!", "closes_sentence", 1),
        ("“It poured.”", "closes_sentence", 1),
        ("“It poured.”", "opens_quote", 1),
        ("Read more:", "ends_colon", 1),
        ("Really?", "ends_question", 1),
        ("And then…", "ends_ellipsis", 1),
        ("and then", "opens_lower", 1),
        ("12 dead", "opens_digit", 1),
        ("Home | News | Sport", "separator_share", 2 / 19),
        ("© 2026", "has_rights", 1),
        ("desk@paper.example", "has_at", 1),
        ("Council Votes Again", "capitalised_share", 1),
        ("Council votes Again", "capitalised_share", 0.5),
        ("ADVERTISEMENT here", "all_caps_share", 0.5),
        ("agoShare", "glued_share", 1),
        ("Storm hits Storm hits", "is_doubled", 1),
        ("Storm hits Storm misses", "is_doubled", 0),
        ("(a) [b]", "log_brackets", math.log1p(4)),
        ("it's", "log_apostrophes", math.log1p(1)),
        ("été", "non_ascii_share", 2 / 3),
        ("", "log_words", 0),
    ],
)
def test_surface_feature(text: str, name: str, value: float) -> None:
    surface = kernel_rows(text)[2]
    assert surface[SURFACE_NAMES.index(name)] == pytest.approx(value)


def test_categories_tell_length_ending_and_case_apart() -> None:
    base = kernel_rows("Council to vote on harbour wall")[1]
    assert len(base) == 6
    assert base != kernel_rows("Council to vote on harbour wall.")[1]
    assert base != kernel_rows("Council To Vote On Harbour Wall")[1]
    assert base != kernel_rows("Council to vote on the old harbour wall today")[1]


@settings(deadline=None, max_examples=60)
@given(st.lists(TEXTS, max_size=12))
def test_both_modes_agree_and_nothing_depends_on_the_batch(texts: list[str]) -> None:
    rng = np.random.default_rng(0)
    weights = LinearWeights(
        rng.normal(size=(1 << BITS, 3)).astype(np.float32),
        rng.normal(size=(len(SURFACE_NAMES), 3)).astype(np.float32),
        rng.normal(size=3).astype(np.float32),
        np.array([1.0, 0.5, 0.75]),
    )
    logits = linear_logits(texts, weights)
    features = hashed_features(texts, bits=BITS, scales=(1.0, 0.5, 0.75))
    expected = features.matrix @ weights.hashed.astype(float) + features.surface @ weights.dense.astype(float) + weights.bias
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-4)
    for i, text in enumerate(texts):
        np.testing.assert_array_equal(linear_logits([text], weights)[0], logits[i])


def test_long_paragraphs_keep_their_first_tokens_and_count_all_words() -> None:
    text = " ".join(f"word{i}" for i in range(1000))
    rows, _, surface = kernel_rows(text)
    assert rows == Reference(text).rows()
    assert len(rows) < kernel.MAX_FEATURES
    assert surface[SURFACE_NAMES.index("log_words")] == pytest.approx(math.log1p(1000))


def test_case_and_kind_of_space_do_not_change_word_hashes() -> None:
    plain, spaced = Reference("Été à Paris"), Reference("ÉTÉ\u00a0À\u2028PARIS")
    assert [plain.token(s) for s in plain.spans] == [spaced.token(s) for s in spaced.spans]


def test_lone_surrogates_are_refused() -> None:
    with pytest.raises(ValueError, match=r"texts: must be valid Unicode; got a lone surrogate U\+D800"):
        pack(["fine", "bad \ud800"])


def test_shipped_tables_are_those_of_this_python_for_old_scripts() -> None:
    shipped, computed = character_tables(), compute_tables()
    np.testing.assert_array_equal(shipped.kinds[:0x500], computed.kinds[:0x500])
    np.testing.assert_array_equal(shipped.folded[:0x500], computed.folded[:0x500])
    assert (shipped.kinds == computed.kinds).mean() > 0.99
