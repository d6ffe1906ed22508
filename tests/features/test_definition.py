"""One definition, three readings: the compiled kernel, plain Python, and the reference beside this file."""

import importlib.util
import itertools
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswinnow.features import hashed, kernel, plain
from newswinnow.features.definition import MAX_TOKENS, N_SURFACE, SURFACE_NAMES, CharacterNgrams
from newswinnow.features.hashed import (
    EmbeddingTable,
    LinearWeights,
    _part_of,
    embed,
    hashed_features,
    linear_codes,
    linear_logits,
    linear_probabilities,
    on_grid,
    pack,
)


def _load_reference() -> Any:
    spec = importlib.util.spec_from_file_location("reference", Path(__file__).with_name("reference.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reference = _load_reference()

BITS = 12
SCALES = (1.0, 0.5, 0.75, 0.6)
GRAMS = CharacterNgrams(2, 5)
SPACES = " \t\n\x0b\x0c\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2003\u2028\u2029\u202f\u205f\u3000"
AWKWARD = "aA1 .,“”'’|-()\n…!?éÉßςΣİſ中文한١٢\u0301𐐀𐐨😀\u200b\0©@_" + SPACES
WORDS = (
    "the",
    "council",
    "Ferry",
    "BBC2",
    "agoShare",
    "ended",
    "I",
    "January",
    "minutes",
    "read",
    "été",
    "eightchr",
    "ninecharz",
)

_ANYTHING = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(AWKWARD), max_size=80)
_PIECES = st.lists(st.sampled_from(WORDS) | st.sampled_from(AWKWARD), max_size=20)
TEXTS = _ANYTHING | _PIECES.map(" ".join) | _PIECES.map("".join)


def make_weights(*, is_on_grid: bool = True, characters: CharacterNgrams | None = None) -> LinearWeights:
    rng = np.random.default_rng(0)
    hashed = rng.normal(size=(1 << BITS, 3))
    dense, bias = rng.normal(size=(N_SURFACE, 3)).astype(np.float32), rng.normal(size=3).astype(np.float32)
    table = on_grid(hashed) if is_on_grid else hashed.astype(np.float32)
    return LinearWeights(table, dense, bias, np.array(SCALES), characters or CharacterNgrams())


WEIGHTS = make_weights()


def rows_of(text: str, grams: CharacterNgrams) -> list[list[int]]:
    """The kernel's rows, block by block: a block ends where its weight makes the difference."""
    surface, plan = np.empty((1, N_SURFACE), np.float32), (64 - BITS, grams.shortest, grams.longest)
    ends, found = [0], np.empty(0, np.int32)
    for n_blocks in range(1, 5):
        blocks = np.array([1.0] * n_blocks + [0.0] * (4 - n_blocks))
        part = _part_of(pack([text]), plan, blocks, grams, surface)
        ends.append(int((part.values > 0).sum()))
        found = part.indices
    return [found[low:high].tolist() for low, high in itertools.pairwise(ends)]


def surface_of(text: str) -> dict[str, float]:
    surface = hashed_features([text], bits=BITS, scales=SCALES).surface[0]
    return dict(zip(SURFACE_NAMES, surface.tolist(), strict=True))


@settings(deadline=None, max_examples=200)
@given(TEXTS)
def test_rows_of_kernel_and_plain_are_those_of_the_reference(text: str) -> None:
    expected = [sorted(block) for block in reference.Reference(text).rows(bits=BITS, shortest=2, longest=5)]
    assert [sorted(block) for block in rows_of(text, GRAMS)] == expected
    assert [sorted(block) for block in plain.rows_of(plain.Reading(text), bits=BITS, characters=GRAMS)] == expected


@settings(deadline=None, max_examples=200)
@given(TEXTS)
def test_surface_of_kernel_and_plain_is_that_of_the_reference(text: str) -> None:
    expected = reference.Reference(text).surface()
    np.testing.assert_allclose(list(surface_of(text).values()), expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(plain.surface_of(plain.Reading(text)), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("characters", [CharacterNgrams(), GRAMS], ids=["words", "words and characters"])
@pytest.mark.parametrize("is_on_grid", [True, False], ids=["whole", "floats"])
@settings(deadline=None, max_examples=40)
@given(texts=st.lists(TEXTS, max_size=12))
def test_all_modes_give_the_same_logits(texts: list[str], is_on_grid: bool, characters: CharacterNgrams) -> None:
    weights = make_weights(is_on_grid=is_on_grid, characters=characters)
    logits = linear_logits(texts, weights)
    features = hashed_features(texts, bits=BITS, scales=SCALES, characters=characters)
    expected = features.matrix @ weights.hashed.astype(float) + features.surface @ weights.dense.astype(float) + weights.bias
    size = abs(features.matrix) @ abs(weights.hashed.astype(float)) + abs(features.surface) @ abs(weights.dense) + 1
    assert (abs(logits - expected) <= 1e-6 * size).all()
    np.testing.assert_allclose(plain.logits(texts, weights), logits, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(linear_codes(texts, weights), logits.argmax(axis=1))
    table = EmbeddingTable(weights.hashed.astype(np.float32))
    embedded = embed(texts, table, scales=SCALES, characters=characters)
    np.testing.assert_array_equal(embedded.surface, features.surface)
    sums = embedded.sums + embedded.surface @ weights.dense.astype(float) + weights.bias
    assert (abs(logits - sums) <= 1e-5 * size).all()


@settings(deadline=None, max_examples=40)
@given(st.lists(TEXTS, max_size=12), st.integers(1, 3))
def test_nothing_depends_on_the_batch(texts: list[str], n: int) -> None:
    logits = linear_logits(texts, WEIGHTS)
    for i in range(0, len(texts), n):
        np.testing.assert_array_equal(linear_logits(texts[i : i + n], WEIGHTS), logits[i : i + n])


@settings(deadline=None, max_examples=100)
@given(st.lists(TEXTS, max_size=5), st.lists(st.text(st.sampled_from(SPACES), min_size=1, max_size=3), min_size=1, max_size=8))
def test_kind_and_number_of_spaces_do_not_matter(parts: list[str], gaps: list[str]) -> None:
    spaced = gaps[0] + "".join(part + gaps[i % len(gaps)] for i, part in enumerate(parts))
    plainly = " ".join(" ".join(parts).split())
    np.testing.assert_array_equal(linear_logits([spaced, spaced + "\n", plainly], WEIGHTS), linear_logits([plainly] * 3, WEIGHTS))
    np.testing.assert_array_equal(plain.logits([spaced], WEIGHTS), plain.logits([plainly], WEIGHTS))


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_threads_change_nothing(n_threads: int) -> None:
    texts = [f"Paragraph {i} of the Tarn council, “read” in été {i % 7} min." for i in range(5000)]
    expected = np.vstack([linear_logits(texts[i : i + 1000], WEIGHTS, n_threads=1) for i in range(0, 5000, 1000)])
    np.testing.assert_array_equal(linear_logits(texts, WEIGHTS, n_threads=n_threads), expected)
    table = EmbeddingTable(np.arange(1 << BITS, dtype=np.float32)[:, None] / 4096)
    one, several = embed(texts, table, scales=SCALES, n_threads=1), embed(texts, table, scales=SCALES, n_threads=n_threads)
    np.testing.assert_array_equal(one.sums, several.sums)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ÉTÉ À PARIS", "été à paris"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("ẞ", "ß"),
        ("Kelvin", "kelvin"),
        ("𐐀", "𐐨"),
        ("ДОМ", "дом"),
        ("HARBOURMASTERS", "harbourmasters"),
    ],
)
def test_words_are_folded_whatever_their_script(one: str, other: str) -> None:
    grams = CharacterNgrams()
    assert rows_of(one, grams)[0] == rows_of(other, grams)[0]
    assert one == other or rows_of(one, grams)[1] != rows_of(other, grams)[1]


def test_characters_that_fold_to_several_keep_to_themselves() -> None:
    grams = CharacterNgrams()
    assert rows_of("straße", grams)[0] != rows_of("strasse", grams)[0]
    assert rows_of("İ", grams)[0] != rows_of("i", grams)[0]


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("It rained. It poured!", "log_sentence_ends", math.log1p(2)),
        ("[He ran. ]", "log_sentence_ends", math.log1p(1)),
        ("It rained. It poured!", "closes_sentence", 1),
        ("“It poured.”", "closes_sentence", 1),
        ("“It poured.”", "opens_quote", 1),
        ("Read more:", "ends_colon", 1),
        ("Really?", "ends_question", 1),
        ("Really? Yes", "ends_question", 0),
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
        ("abcdefghIjk", "glued_share", 1),
        ("Storm hits Storm hits", "is_doubled", 1),
        ("Storm hits Storm misses", "is_doubled", 0),
        ("(a) [b]", "log_brackets", math.log1p(4)),
        ("it's", "log_apostrophes", math.log1p(1)),
        ("été", "non_ascii_share", 2 / 3),
        ("  a\u00a0\u00a0b\n", "log_chars", math.log1p(3)),
        ("Read this", "first_is_imperative", 1),
        ("four ended", "past_share", 0.5),
        ("", "log_words", 0),
    ],
)
def test_surface_feature(text: str, name: str, value: float) -> None:
    assert surface_of(text)[name] == pytest.approx(value)
    assert plain.surface_of(plain.Reading(text))[SURFACE_NAMES.index(name)] == pytest.approx(value)


def test_long_paragraphs_keep_their_first_tokens_and_count_all_words() -> None:
    text = " ".join(f"word{i}" for i in range(6000))
    expected = reference.Reference(text).rows(bits=BITS, shortest=2, longest=5)
    assert [sorted(block) for block in rows_of(text, GRAMS)] == [sorted(block) for block in expected]
    assert len(expected[0]) == 2 * MAX_TOKENS - 1
    assert surface_of(text)["log_words"] == pytest.approx(math.log1p(6000))
    np.testing.assert_allclose(linear_logits([text], WEIGHTS), plain.logits([text], WEIGHTS), rtol=1e-12)


def test_all_equal_extreme_weights_are_summed_exactly() -> None:
    text = " ".join(["word"] * 300)
    for extreme in (2047.0, -2047.0):
        hashed = np.full((1 << BITS, 3), extreme, dtype=np.float32)
        weights = LinearWeights(hashed, np.zeros((N_SURFACE, 3), np.float32), np.zeros(3, np.float32), np.array([1.0]))
        assert weights.lanes is not None
        np.testing.assert_allclose(linear_logits([text], weights), extreme * math.sqrt(511), rtol=1e-12)


def test_the_grid_keeps_twelve_bits_and_half_precision_holds_it() -> None:
    weights = np.random.default_rng(1).normal(size=(64, 3)) * 5
    rounded = on_grid(weights)
    assert abs(rounded - weights).max() <= abs(weights).max() / 1023 / 2
    np.testing.assert_array_equal(rounded.astype(np.float16).astype(np.float32), rounded)
    np.testing.assert_array_equal(on_grid(rounded), rounded)
    np.testing.assert_array_equal(on_grid(np.zeros((4, 3))), np.zeros((4, 3)))


def test_probabilities_are_those_of_the_logits() -> None:
    texts = ["Share", "", "The council of Tarn voted."]
    powers = np.exp(linear_logits(texts, WEIGHTS))
    np.testing.assert_allclose(linear_probabilities(texts, WEIGHTS), powers / powers.sum(axis=1, keepdims=True), rtol=1e-12)
    np.testing.assert_allclose(plain.softmax(plain.logits(texts, WEIGHTS)), linear_probabilities(texts, WEIGHTS), rtol=1e-12)
    assert linear_probabilities([], WEIGHTS).shape == (0, 3)
    assert plain.softmax(np.empty((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
@pytest.mark.parametrize("width", [3, 16, 40])
@pytest.mark.parametrize("n_steps", [None, 1, 1 << BITS])
def test_embeddings_are_scaled_sums_of_rows(dtype: str, width: int, n_steps: int | None) -> None:
    rng = np.random.default_rng(2)
    rows = (rng.normal(size=(1 << BITS, width)) * 30).astype(dtype)
    steps = None if n_steps is None else rng.uniform(0.5, 2, n_steps).astype(np.float32)
    texts = ["Share", "", "The council of Tarn voted on Monday.", "Ο δήμαρχος της Ταρν"]
    found = embed(texts, EmbeddingTable(rows, steps), scales=SCALES[:3])
    matrix = hashed_features(texts, bits=BITS, scales=SCALES[:3]).matrix
    scaled = rows.astype(float) * (1 if steps is None else steps[:, None])
    np.testing.assert_allclose(found.sums, matrix @ scaled, rtol=1e-4, atol=1e-3)
    assert found.sums.dtype == np.float32


@pytest.mark.parametrize(
    ("rows", "steps", "message"),
    [
        (np.zeros((3, 16), np.float32), None, r"rows: must be two-dimensional with a power of two of rows; got shape \(3, 16\)"),
        (np.zeros(16, np.float32), None, r"rows: must be two-dimensional with a power of two of rows; got shape \(16,\)"),
        (np.zeros((4, 16)), None, r"rows: must be float32, float16 or int8; got float64"),
        (np.zeros((4, 16), np.int8), np.ones(3, np.float32), r"steps: must be one, or one per row, 4; got shape \(3,\)"),
    ],
)
def test_bad_embedding_tables_are_refused(rows: Any, steps: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EmbeddingTable(rows, steps)


def test_bad_character_ngrams_are_refused() -> None:
    with pytest.raises(ValueError, match=r"character n-grams: must have 1 to 8 bytes; got 2 to 9"):
        CharacterNgrams(2, 9)


def test_lone_surrogates_are_refused() -> None:
    message = r"texts: must be valid Unicode; got a lone surrogate U\+D800"
    with pytest.raises(ValueError, match=message):
        pack(["fine", "bad \ud800"])
    with pytest.raises(ValueError, match=message):
        plain.logits(["bad \ud800"], WEIGHTS)


def test_of_equal_logits_the_first_is_the_largest() -> None:
    rows = np.array(list(itertools.product((-1.0, 0.0, 2.0), repeat=3)))
    codes = np.empty(len(rows), np.uint8)
    kernel.best_of(rows, codes)
    np.testing.assert_array_equal(codes, rows.argmax(axis=1))


SWITCH = """
import sys
from newswinnow import load_model
texts = ["The council of Tarn voted on Monday, “read” officials said.", "Share", "Été à 5 min."] * 100
model = load_model()
loaded = ["numba" in sys.modules]
first = model.predict(texts), model.predict_proba(texts)
loaded.append("numba" in sys.modules)
for _ in range(9):
    model.predict(texts)
loaded.append("numba" in sys.modules)
second = model.predict(texts), model.predict_proba(texts)
print(loaded, (first[0] == second[0]).all(), abs(first[1] - second[1]).max() < 1e-12)
"""


def test_a_process_begins_in_plain_python_and_goes_on_compiled_with_the_same_answers() -> None:
    done = subprocess.run([sys.executable, "-c", SWITCH], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[False, False, True] True True"


def test_small_inputs_are_scored_in_plain_python_with_the_same_results(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["The council of Tarn voted on Monday, “read” officials said.", "Share", "", "Été à 5 min."]
    compiled: Any = linear_logits(texts, WEIGHTS), linear_probabilities(texts, WEIGHTS), linear_codes(texts, WEIGHTS)
    monkeypatch.setattr(hashed, "is_small", lambda texts: True)
    plainly: Any = linear_logits(texts, WEIGHTS), linear_probabilities(texts, WEIGHTS), linear_codes(texts, WEIGHTS)
    for one, other in zip(compiled, plainly, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_plain_python_has_a_budget_of_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "newswinnow.features.kernel")
    monkeypatch.setattr(hashed._Plain, "n_chars", 0)
    assert hashed.is_small(["x" * 30_000])
    assert not hashed.is_small(["x" * 30_000])


def test_long_paragraphs_are_packed_in_several_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"Paragraph {i} of the council." * (i % 5) for i in range(50)]
    expected = linear_logits(texts, WEIGHTS)
    monkeypatch.setattr(hashed, "_MAX_BYTES", 100)
    np.testing.assert_array_equal(linear_logits(texts, WEIGHTS), expected)


@pytest.mark.parametrize("is_exact", [True, False])
def test_newlines_inside_texts_count_as_blanks_in_every_batch(is_exact: bool) -> None:
    weights = WEIGHTS if is_exact else replace(WEIGHTS, hashed=WEIGHTS.hashed + np.float32(1e-6))
    assert (weights.lanes is not None) == is_exact
    texts = ["The council\nvoted", "Share", "Read\n\nmore\n", "\n"] * 700
    blanks = [text.replace("\n", " ") for text in texts]
    for n_threads in (1, 2):
        found = linear_logits(texts, weights, n_threads=n_threads)
        np.testing.assert_array_equal(found, linear_logits(blanks, weights, n_threads=1))


def test_what_warms_up_leaves_nothing_to_be_compiled() -> None:
    hashed.warm_up()
    assert kernel.score.signatures
    assert kernel.softmax.signatures
