"""The written sample keeps its promises: size, proportions, split by site, and no sentence frame on more than three pages."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from newswinnow.corpus.tables import read_corpus
from newswinnow.features.words import STOP_WORDS
from newswinnow.harvest.inputs import read_paragraphs
from newswinnow.paragraphs.label import LABELS, Label

DATA = Path(__file__).resolve().parents[2] / "data"
MAX_PAGES_PER_FRAME = 3
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


@pytest.fixture(scope="module")
def parts() -> dict[str, pd.DataFrame]:
    return {part: read_corpus([DATA / "sample" / f"{part}.jsonl"]) for part in ("train", "test")}


@pytest.fixture(scope="module")
def sample(parts: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(parts.values(), ignore_index=True)


def sentences(sample: pd.DataFrame) -> Iterator[tuple[str, list[str]]]:
    for page, text in zip(sample["page"], sample["text"], strict=True):
        for sentence in re.split(r"(?<=[.!?])\s+", text):
            words = _WORD.findall(sentence)
            if len(words) >= 6:
                yield page, words


def runs_of_six(words: list[str]) -> list[str]:
    lowered = [word.lower() for word in words]
    return [" ".join(lowered[i : i + 6]) for i in range(len(lowered) - 5)]


def masked_names_and_numbers(words: list[str]) -> list[str]:
    kinds = ["#" if w[0].isdigit() else "@" if i and w[0].isupper() else w.lower() for i, w in enumerate(words)]
    # A date or copyright line is not a sentence: four words at least must stand unmasked.
    return [re.sub(r"@( @)+", "@", " ".join(kinds))] if sum(kind not in "#@" for kind in kinds) >= 4 else []


def function_words_only(words: list[str]) -> list[str]:
    kinds = [w.lower() if w.lower() in STOP_WORDS else "_" for w in words]
    # With fewer than three function words or eight words in all, grammar alone makes sentences alike.
    return [" ".join(kinds)] if len(kinds) >= 8 and sum(kind != "_" for kind in kinds) >= 3 else []


@pytest.mark.parametrize("frames_of", [runs_of_six, masked_names_and_numbers, function_words_only])
def test_no_sentence_frame_serves_more_than_three_pages(sample: pd.DataFrame, frames_of: object) -> None:
    assert callable(frames_of)
    pages = defaultdict(set)
    for page, words in sentences(sample):
        for frame in frames_of(words):
            pages[frame].add(page)
    assert len(pages) > 500
    assert {frame: found for frame, found in pages.items() if len(found) > MAX_PAGES_PER_FRAME} == {}


def test_the_frame_checks_find_a_planted_frame() -> None:
    pages = pd.DataFrame(
        {"page": list("abcd"), "text": [f"The council in {name} has said it will mend the old bridge." for name in "WXYZ"]}
    )
    for frames_of in (masked_names_and_numbers, function_words_only, runs_of_six):
        frames = [set(frames_of(words)) for _, words in sentences(pages)]
        assert set.intersection(*frames)


def test_size_and_proportions(sample: pd.DataFrame) -> None:
    share = sample["label"].value_counts(normalize=True)
    assert sample["page"].nunique() >= 60
    assert sample["site"].nunique() >= 45
    assert len(sample) >= 1800
    assert 0.35 <= share[Label.NEWS] <= 0.50
    assert 0.15 <= share[Label.RELATED_LINK] <= 0.25
    assert sample["label"].notna().all()


def test_pages_are_short_and_long(sample: pd.DataFrame) -> None:
    lengths = sample.groupby("page").size()
    assert lengths.min() <= 15
    assert lengths.max() >= 100


def test_the_split_keeps_sites_apart_and_labels_everywhere(parts: dict[str, pd.DataFrame]) -> None:
    assert not set(parts["train"]["site"]) & set(parts["test"]["site"])
    assert not set(parts["train"]["page"]) & set(parts["test"]["page"])
    for part in parts.values():
        assert set(part["label"]) == set(LABELS)


def test_everything_is_invented_and_marked_so(sample: pd.DataFrame) -> None:
    assert sample["site"].str.endswith(".example").all()
    assert set(sample["origin"]) == {"written"}
    assert set(sample["source"]) == {"sample"}


def test_counts_in_the_readme_are_true(parts: dict[str, pd.DataFrame]) -> None:
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    for name, part in parts.items():
        counts = " / ".join(f"{(part['label'] == label).sum():,}" for label in LABELS)
        row = f"| `sample/{name}.jsonl` | {part['page'].nunique()} | {part['site'].nunique()} | {len(part):,} | {counts} |"
        assert row in readme
    demo = read_corpus([DATA / "pages-labels.jsonl"])
    assert f"| {len(demo)} | {' / '.join(str((demo['label'] == label).sum()) for label in LABELS)};" in readme


def test_demo_pages_are_those_whose_labels_are_known() -> None:
    pages = read_paragraphs(DATA / "pages")
    labels = read_corpus([DATA / "pages-labels.jsonl"])
    assert pages["page"].nunique() == 6
    merged = pages.merge(labels, on=["page", "position", "text"])
    assert len(merged) == len(pages) == len(labels)
