"""The registered systems: what they are called, and that each learns and answers."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.classify.systems import REFERENCE, SYSTEMS, system_named
from benchmarks.classify.systems.base import THREE_LABELS, Batch, System, Training
from benchmarks.classify.systems.fasttext import FastText
from benchmarks.classify.systems.newswinnow import classify_with
from benchmarks.classify.systems.trafilatura import as_html, kept

NEWS = "The ferry to the northern islands, which had been laid up since May, will sail again on Monday, the harbour master said."
MENU = "Share this story with friends"
LINK = "Read more: Bridge over the Tarn opens"
ONE_OF_EACH = (NEWS, MENU, LINK)


def is_ready(system: System) -> None:
    if system.missing:
        pytest.skip(f"{system.title} is not installed (pip install -e '.[bench]')")


def test_keys_are_unique_and_the_reference_is_one_of_them() -> None:
    keys = [system.key for system in SYSTEMS]
    assert len(set(keys)) == len({system.title for system in SYSTEMS}) == len(keys)
    assert system_named(REFERENCE).threads == 1


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^system: must be one of shipped, .*; got 'slowtext'$"):
        system_named("slowtext")


def test_what_shares_a_model_comes_after_its_owner() -> None:
    keys = [system.key for system in SYSTEMS]
    for system in SYSTEMS:
        if system.model_of:
            assert keys.index(system.model_of) < keys.index(system.key)
            assert system_named(system.model_of).is_trained == system.is_trained


# fastText's size on disk is that of its vectors: 800 MB for the reference's 100 dimensions.
SMALL = [replace(system, dim=2) if isinstance(system, FastText) else system for system in SYSTEMS if system.key != REFERENCE]


@pytest.mark.parametrize("system", [s for s in SMALL if s.is_trained and not s.model_of], ids=lambda system: str(system.key))
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_trained_system_comes_back_from_its_folder(system: System, tmp_path: Path) -> None:
    is_ready(system)
    texts = [f"{text} {i}" for i in range(40) for text in ONE_OF_EACH]
    pages = [f"page {i}" for i in range(40) for _ in ONE_OF_EACH]
    training = Training(texts, ["news", "boilerplate", "related-link"] * 40, pages, [None] * 120, ["read"] * 120)
    scratch, model = tmp_path / "scratch", tmp_path / "model"
    scratch.mkdir()
    model.mkdir()
    system.save(system.fit(system.prepare(training, scratch)), model)
    assert system.size_bytes(model) > 0
    classify = system.load(model)
    assert list(classify(Batch([*ONE_OF_EACH, "two\nlines", ""], [(0, 5)])))[:3] == ["news", "boilerplate", "related-link"]


@pytest.mark.parametrize("key", [s.key for s in SYSTEMS if not s.is_trained and not s.model_of])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_an_untrained_system_answers_for_every_paragraph_of_every_page(key: str, tmp_path: Path) -> None:
    system = system_named(key)
    is_ready(system)
    article = [MENU, NEWS * 3, NEWS, NEWS * 2, "Menu"]
    labels = list(system.load(tmp_path)(Batch([*article, *ONE_OF_EACH], [(0, 5), (5, 8)])))
    assert len(labels) == 8
    assert labels[1] == "news"
    assert set(labels) <= {"news", "boilerplate", "related-link"}
    assert system.decides == THREE_LABELS or "related-link" not in labels
    with pytest.raises(NotImplementedError, match=rf"^{key}: must not be trained"):
        system.fit(None)


@pytest.mark.parametrize("n_texts", [0, 1, 2, 7])
def test_answers_are_in_order(n_texts: int) -> None:
    class Echo:
        def predict(self, texts: list[str], *, context: str) -> Any:
            assert context == "alone"
            return np.array(texts, dtype=object)

    texts = [f"paragraph {i}" for i in range(n_texts)]
    assert classify_with(Echo())(Batch(texts, [(0, n_texts)])) == texts


def test_text_is_wrapped_and_found_again_whatever_is_in_it() -> None:
    texts = ["1 < 2 & 3", "a  b", "Share", "Share"]
    assert as_html(texts[:1]) == "<html><body><p>1 &lt; 2 &amp; 3</p></body></html>"
    assert kept(texts, "1 < 2 & 3\na b\nShare") == ["news", "news", "news", "boilerplate"]
    assert kept([], "") == []


def test_pages_do_not_run_into_each_other() -> None:
    system = system_named("justext")
    is_ready(system)
    classify = system.load(Path())
    pages = [[MENU, NEWS * 3], [NEWS * 3, MENU]]
    alone = [label for page in pages for label in classify(Batch(page, [(0, len(page))]))]
    bounds = list(pairwise([0, 2, 4]))
    assert list(classify(Batch([text for page in pages for text in page], bounds))) == alone
