"""Every peer that is installed, on one invented page. One that is not is skipped, since the tests need none of them."""

from __future__ import annotations

import warnings

import pandas as pd
import pytest

from newswinnow.experiments.peers_match import kept_paragraphs
from newswinnow.experiments.peers_systems import EXTRACTORS, FASTTEXT, Extractor, FastText, version_of
from newswinnow.paragraphs.label import LABELS

BODY = [
    "The council voted on Monday to repair the old bridge over the Tarn before the winter, after two years of argument over who "
    "should pay for it and whether it was worth the money at all that there is.",
    "The mayor said that it should have been done years ago, and that she had asked for it when she was first elected to the "
    "council, long before the cracks in the northern pier were found by the two divers who went down to see it.",
    "Work will begin in March and is expected to last until the end of the summer, when the road on the north bank of the river "
    "will be open again to cars, to buses and to all of those who walk to the market on a Saturday.",
]
MENU = ["Home", "News", "Sport", "Weather"]
HTML = (
    "<html><head><title>Bridge to be repaired</title></head><body><ul>"
    + "".join(f'<li><a href="/{name}">{name}</a></li>' for name in MENU)
    + "</ul><article><h1>Bridge to be repaired</h1>"
    + "".join(f"<p>{text}</p>" for text in BODY)
    + "</article></body></html>"
)


@pytest.mark.parametrize("extractor", EXTRACTORS, ids=lambda extractor: str(extractor.title))
def test_an_extractor_keeps_the_body_and_drops_the_menu(extractor: Extractor) -> None:
    if not extractor.is_here:
        pytest.skip(f"{extractor.distribution} is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text = extractor.open()(HTML)
    kept = kept_paragraphs([*MENU, *BODY], text)
    assert kept[4:] == [True] * 3
    # boilerpy3 takes the menu's last entry for a heading.
    assert kept[:3] == [False] * 3
    assert version_of(extractor.distribution)[0].isdigit()


def test_an_absent_extractor_is_known_to_be_absent() -> None:
    assert not Extractor("x", "x()", "x", "no_such_module_of_ours", lambda: str).is_here


@pytest.mark.parametrize("peer", FASTTEXT, ids=lambda peer: str(peer.title))
def test_fasttext_gives_one_of_the_labels_and_the_same_ones_again(peer: FastText) -> None:
    if not peer.is_here:
        pytest.skip(f"{peer.distribution} is not installed")
    small = FastText(peer.title, peer.call, {**peer.options, "bucket": 100, "dim": 4})
    rows = pd.DataFrame(
        {"text": [*BODY, *MENU, "Read more:\nHarbour wall"], "label": ["news"] * 3 + ["boilerplate"] * 4 + ["related-link"]}
    )
    first, second = (small.train(rows, seed=0)(["Home", "two\nlines", ""]) for _ in range(2))
    assert first == second
    assert len(first) == 3
    assert set(first) <= set(LABELS)
