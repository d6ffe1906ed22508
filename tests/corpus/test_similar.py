"""How alike texts are, and look-ups among many."""

import builtins
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswinnow.corpus.similar import DuplicateRule, SimilarityIndex, link_similar, nearest, normalised, similarity, words_of

WORDS = "the mayor opened a new bridge over river tarn on monday after nine years of work and two floods".split()
LONG = "The mayor opened the new bridge over the river Tarn on Monday morning"
sentences = st.lists(st.sampled_from(WORDS), max_size=20).map(" ".join)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"threshold": 0.4}, "threshold: must be from 0.5 to 1; got 0.4"),
        ({"threshold": 1.1}, "threshold: must be from 0.5 to 1; got 1.1"),
        ({"min_words": 0}, "min_words: must be >= 1; got 0"),
        ({"seed": -1}, "seed: must be >= 0; got -1"),
    ],
)
def test_a_rule_out_of_range_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        DuplicateRule(**options)


@pytest.mark.parametrize(("text", "words"), [("…—!", []), ("ＢＲＩＤＧＥ Ⅳ", ["bridge", "iv"]), ("Straße", ["strasse"])])
def test_words_have_case_width_and_punctuation_levelled(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@given(sentences, sentences)
def test_similarity_is_symmetric_and_one_only_for_equal_sets(first: str, second: str) -> None:
    found = similarity(first, second)
    assert found == similarity(second, first)
    assert 0 <= found <= 1
    assert similarity(first, first) == 1


def test_words_in_another_order_are_less_alike_than_the_same_words() -> None:
    assert similarity("dog bites man", "man bites dog") < 1


def test_short_lines_differ_by_their_punctuation_long_ones_do_not() -> None:
    assert normalised("Share »", min_words=8) == ("share »", False)
    assert normalised(f"{LONG}.", min_words=8) == normalised(f"“{LONG.upper()}!”", min_words=8)
    assert normalised("», ", min_words=8) != normalised("•", min_words=8)


def test_a_rule_tells_long_from_short() -> None:
    assert [DuplicateRule(min_words=3).is_long(text) for text in ("one two", "one two three")] == [False, True]


def random_sentence(random_source: random.Random) -> list[str]:
    return [f"word{random_source.randrange(2000)}" for _ in range(random_source.randrange(12, 40))]


def test_every_near_duplicate_planted_among_others_is_linked() -> None:
    source = random.Random(1)
    originals = [random_sentence(source) for _ in range(200)]
    copies = [[*words[:-1], "changed"] for words in originals]
    keys = [" ".join(words) for words in (*originals, *copies)]
    expected = [similarity(a, b) >= 0.7 for a, b in zip(keys[:200], keys[200:], strict=True)]
    linked = link_similar(keys, lambda key: [*key.split()], threshold=0.7, seed=3)
    assert linked[:200] == list(range(200))
    assert sum(expected) > 150
    assert all(linked[200 + i] == i for i in range(200))


def test_links_do_not_depend_on_the_seed_of_the_sketches() -> None:
    source = random.Random(2)
    base = random_sentence(source)
    keys = [" ".join([*base, *extra]) for extra in ([], ["a"], ["a", "b"], ["a", "b", "c"])]
    found = {tuple(link_similar(keys, str.split, threshold=0.7, seed=seed)) for seed in range(5)}
    assert found == {(0, 0, 0, 0)}


def test_the_most_similar_reference_is_found() -> None:
    references = ["Share", f"{LONG} in the rain", LONG, "Nothing in common with any of the other long lines here at all"]
    asked = [
        f"{LONG}.",
        f"{LONG} in the heavy rain",
        "share",
        "Menu",
        "An entirely different paragraph about nine other unrelated things",
    ]
    assert nearest(asked, references).tolist() == [2, 1, 0, -1, -1]


def test_of_equally_similar_references_the_first_is_taken() -> None:
    assert nearest([LONG], ["Menu", f"{LONG}!", f"{LONG}?"]).tolist() == [1]
    assert nearest([f"{LONG} x"], [f"{LONG} y", f"{LONG} z"]).tolist() == [0]
    # Seven words and a lone sign are a short line, which matches only what is equal.
    assert nearest(["Bridge opened on Monday by mayor at last"], ["Bridge opened on Monday by mayor at ."]).tolist() == [-1]


@pytest.mark.parametrize(("texts", "references"), [([], []), ([], [LONG]), ([LONG, "Share"], [])])
def test_nothing_to_look_up_or_among(texts: list[str], references: list[str]) -> None:
    found = nearest(texts, references)
    assert found.tolist() == [-1] * len(texts)
    assert found.dtype == np.int64


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "rensa":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(ModuleNotFoundError, match=r"need rensa; got no such package \(pip install 'newswinnow\[clean\]'\)"):
        SimilarityIndex()
