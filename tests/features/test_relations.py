"""Paragraphs read for whole pages, and how they stand to each other: compiled and plain agree, and order makes no difference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswinnow.features import kernel
from newswinnow.features import paragraphs as reading
from newswinnow.features.hashed import LinearWeights, linear_logits, on_grid
from newswinnow.features.paragraphs import Paragraphs, read
from newswinnow.features.relations import RELATION_NAMES, Rarity, news_counts, relations

_RNG = np.random.default_rng(5)
WEIGHTS = LinearWeights(
    on_grid(_RNG.normal(size=(1 << 10, 3))),
    _RNG.normal(size=(38, 3)).astype(np.float32),
    np.array([0.1, 0.0, -0.1], np.float32),
    np.array([1.0, 1.0, 0.75]),
)
PAGE = [
    "Ferry to Brenholm cancelled after storm",
    "The ferry to Brenholm was cancelled on Monday after a storm broke two ramps, the Brenholm harbour master said.",
    "Share",
    "Choir festival sells out in an hour",
    "Share",
    "Read more",
]


assert kernel.read  # loaded, so that reading is compiled


def read_both(texts: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[Paragraphs, Paragraphs]:
    compiled = read(texts, WEIGHTS)
    with monkeypatch.context() as patch:
        patch.setattr(reading, "is_small", lambda texts: True)
        return compiled, read(texts, WEIGHTS)


def relations_both(
    paragraphs: Paragraphs, starts: list[int], news: list[int], monkeypatch: pytest.MonkeyPatch
) -> tuple[np.ndarray, np.ndarray]:
    rarity = Rarity.of(paragraphs, np.array(starts))
    compiled = relations(paragraphs, np.array(starts), np.array(news), rarity)
    with monkeypatch.context() as patch:
        patch.setattr("newswinnow.features.relations.is_compiled", lambda: False)
        return compiled, relations(paragraphs, np.array(starts), np.array(news), rarity)


def column(values: np.ndarray, name: str) -> list[float]:
    found: list[float] = values[:, RELATION_NAMES.index(name)].tolist()
    return found


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), min_size=1, max_size=12), data=st.data())
def test_compiled_and_plain_reading_agree(texts: list[str], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(texts)))
    news = data.draw(st.lists(st.integers(0, 256), min_size=len(texts), max_size=len(texts)))
    starts = sorted({0, cut, len(texts)})
    with pytest.MonkeyPatch.context() as monkeypatch:
        compiled, plain = read_both(texts, monkeypatch)
        one, other = relations_both(compiled, starts, news, monkeypatch)
    for name in ("tokens", "pointers", "marks", "surface"):
        assert np.array_equal(getattr(compiled, name), getattr(plain, name)), name
    np.testing.assert_allclose(compiled.logits, plain.logits, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(compiled.logits, linear_logits(texts, WEIGHTS), rtol=1e-12, atol=1e-12)
    assert np.array_equal(one, other)


def test_a_headline_shares_its_rare_words_with_the_article_and_a_teaser_does_not() -> None:
    paragraphs = read(PAGE, WEIGHTS)
    steps = np.full(1 << 16, 100, np.uint8)
    found = relations(paragraphs, np.array([0, len(PAGE)]), np.array([0, 256, 0, 0, 0, 0]), Rarity(steps, 50))
    shared = column(found, "news_share")
    assert shared[0] == 1.0
    assert shared[3] == 0.0
    assert column(found, "log_copies") == pytest.approx([0, 0, np.log(2), 0, np.log(2), 0])


def test_the_order_of_a_page_makes_no_difference_at_all() -> None:
    order = np.random.default_rng(1).permutation(len(PAGE))
    news = np.array([10, 250, 0, 31, 0, 7])
    starts = np.array([0, len(PAGE)])
    one = read(PAGE, WEIGHTS)
    other = read([PAGE[i] for i in order], WEIGHTS)
    rarity = Rarity.of(one, starts)
    assert np.array_equal(relations(one, starts, news, rarity)[order], relations(other, starts, news[order], rarity))


def test_pages_do_not_look_at_each_other() -> None:
    paragraphs = read([*PAGE, *PAGE], WEIGHTS)
    starts = np.array([0, len(PAGE), 2 * len(PAGE)])
    rarity = Rarity.of(paragraphs, starts)
    news = np.arange(2 * len(PAGE)) * 20
    both = relations(paragraphs, starts, news, rarity)
    alone = relations(read(PAGE, WEIGHTS), starts[:2], news[: len(PAGE)], rarity)
    assert np.array_equal(both[: len(PAGE)], alone)


def test_rarity_is_of_pages_not_of_paragraphs() -> None:
    pages = [["the ferry", "the the the"], ["the storm"], *([f"quay {i}"] for i in range(18))]
    texts = [text for page in pages for text in page]
    rarity = Rarity.of(read(texts, WEIGHTS), np.cumsum([0, *map(len, pages)]))
    the, quay = (int(rarity.steps[read([word], WEIGHTS).tokens[0] >> 16]) for word in ("the", "quay"))
    assert the == round(32 * np.log(20 / 3))  # in two of twenty pages; rarer than one in three counts no more
    assert quay == round(32 * np.log(21 / 19))
    assert rarity.rare >= 1


def test_short_paragraphs_count_less_as_news() -> None:
    assert news_counts(np.array([1.0, 1.0, 0.5]), np.array([15.0, 3.0, 40.0])).tolist() == [256, 51, 128]


def test_nothing_is_read_of_nothing() -> None:
    paragraphs = read([], WEIGHTS)
    assert len(paragraphs) == 0
    assert relations(paragraphs, np.array([0]), np.array([], np.int64), Rarity(np.zeros(1 << 16, np.uint8), 1)).shape == (0, 10)


def test_long_texts_are_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"Paragraph {i} of the council." * (i % 5) for i in range(50)]
    whole = read(texts, WEIGHTS)
    monkeypatch.setattr("newswinnow.features.hashed._MAX_BYTES", 200)
    pieces = read(texts, WEIGHTS)
    for name in ("tokens", "pointers", "marks", "surface", "logits"):
        assert np.array_equal(getattr(whole, name), getattr(pieces, name)), name


def test_weights_off_the_grid_are_refused() -> None:
    weights = LinearWeights(WEIGHTS.hashed + np.float32(1e-5), WEIGHTS.dense, WEIGHTS.bias, WEIGHTS.scales)
    with pytest.raises(ValueError, match=r"weights: must lie on a grid of 12 bits to be read with; got others"):
        read(["Share"], weights)
