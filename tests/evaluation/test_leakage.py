"""The leakage audit on splits that leak in known ways."""

import random
from typing import Any

import pandas as pd
import pytest

from newswinnow.corpus.similar import DuplicateRule
from newswinnow.corpus.splits import SplitOptions, split_by_site
from newswinnow.evaluation.leakage import LOOKUP_MARGIN, audit_part, audit_split

COLUMNS = ["page", "position", "text", "label", "site"]
NEWS = "The mayor opened the new bridge over the river Tarn on Monday morning"
LINK = "Ferry crew praised for the rescue of nine people from a sinking boat at night"
COOKIES = "We use cookies to give you the best experience on our website, as you may well know"


def table(*rows: tuple[str, int, str, str | None, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


TRAIN = table(
    ("t/1", 0, NEWS, "news", "www.t.example"),
    ("t/1", 1, LINK, "related-link", "www.t.example"),
    ("t/1", 2, COOKIES, "boilerplate", "www.t.example"),
    ("t/1", 3, "Share", "boilerplate", "www.t.example"),
    ("t/1", 4, "Another long paragraph of the story about the bridge and its builders", "news", "www.t.example"),
)
CLEAN = table(
    ("c/1", 0, "Quite another story, told at some length in a paper of its own", "news", "c.example"),
    ("c/1", 1, "Share", "boilerplate", "c.example"),
    ("c/1", 2, "Menu", None, "c.example"),
)
LEAKY = table(
    ("l/1", 0, f"{NEWS}.", "news", "blog.t.example"),
    ("l/1", 1, f"{LINK}, again", "related-link", "blog.t.example"),
    ("l/1", 2, COOKIES.upper(), "boilerplate", "blog.t.example"),
    ("l/1", 3, f"{NEWS}!", None, "blog.t.example"),
    ("l/1", 4, "Share", "boilerplate", "blog.t.example"),
)


def test_a_clean_part_has_no_warning() -> None:
    found = audit_part(TRAIN, CLEAN, name="dev")
    assert (found.part, found.n_paragraphs, found.n_labelled, found.n_long) == ("dev", 3, 2, 1)
    assert (found.shared_sites, found.n_shared_pages, found.n_shared, found.n_shared_labelled, found.examples) == (
        (),
        0,
        0,
        0,
        (),
    )
    assert found.n_short_seen == 1
    assert found.warnings() == []


def test_shared_sites_paragraphs_and_the_look_up_are_found() -> None:
    found = audit_part(TRAIN, LEAKY)
    assert found.shared_sites == ("t.example",)
    assert (found.n_shared, found.n_shared_labelled, found.n_short_seen) == (4, 3, 1)
    assert [(e.where, e.training_where) for e in found.examples[:2]] == [("l/1:0", "t/1:0"), ("l/1:1", "t/1:1")]
    assert found.examples[1].training_text == LINK
    assert found.long_lookup is not None
    assert (found.long_lookup.macro_f1, found.long_lookup.n_paragraphs, found.long_lookup.n_found) == (1.0, 3, 3)
    # The majority label of long training paragraphs is news: right once of three, F1 0.5 on one label of three.
    assert found.long_lookup.majority_macro_f1 == pytest.approx(0.5 / 3)
    assert found.lookup is not None
    assert (found.lookup.macro_f1, found.lookup.n_paragraphs) == (1.0, 4)


def test_warnings_have_words_of_their_own() -> None:
    sites, paragraphs, lookup = audit_part(TRAIN, LEAKY).warnings()
    assert sites == "test: 1 sites stand in the training part too (t.example)"
    assert paragraphs == "test: 4 of 4 long paragraphs have a near duplicate in the training part, 3 of them labelled"
    assert lookup.startswith(
        "test: copying the label of the most similar training paragraph scores macro-F1 1.000 on long paragraphs, "
    )
    assert lookup.endswith("the majority label 0.167: a model can score here by remembering, not by reading")


def test_pages_cut_through_are_counted() -> None:
    found = audit_part(TRAIN.iloc[:2], TRAIN.iloc[2:].assign(site=None))
    assert (found.shared_sites, found.n_shared_pages) == ((), 1)
    assert "test: 1 pages have rows in the training part too" in found.warnings()
    assert audit_part(TRAIN.iloc[:2].drop(columns="site"), TRAIN.iloc[2:].drop(columns="site")).shared_sites == ()


def test_the_threshold_of_the_rule_counts() -> None:
    part = table(("l/1", 0, f"{NEWS} with quite a few more words of its own", "news", "l.example"))
    assert audit_part(TRAIN, part).n_shared == 0
    assert audit_part(TRAIN, part, rule=DuplicateRule(threshold=0.5)).n_shared == 1
    assert audit_part(TRAIN, part, rule=DuplicateRule(threshold=0.5, min_words=50)).n_long == 0


@pytest.mark.parametrize(
    ("train", "part"),
    [
        (TRAIN.drop(columns="label"), CLEAN),
        (TRAIN, CLEAN.drop(columns="label")),
        (TRAIN.assign(label=None), CLEAN),
        (TRAIN, CLEAN.assign(label=None)),
        (TRAIN, CLEAN.iloc[:0]),
    ],
)
def test_without_labels_there_is_nothing_to_look_up(train: pd.DataFrame, part: pd.DataFrame) -> None:
    found = audit_part(train, part)
    assert (found.long_lookup, found.lookup) == (None, None)
    assert found.warnings() == []


def test_a_part_of_short_lines_has_no_look_up_of_long_ones() -> None:
    found = audit_part(TRAIN, CLEAN.iloc[1:2])
    assert found.long_lookup is None
    assert found.lookup is not None


def test_the_audit_as_plain_values_holds_the_warnings() -> None:
    values = audit_part(TRAIN, LEAKY).as_dict()
    assert values["warnings"] == audit_part(TRAIN, LEAKY).warnings()
    assert values["lookup"]["macro_f1"] == 1.0


def paragraphs(site: int) -> list[dict[str, Any]]:
    source = random.Random(site)
    labels = ("news", "news", "boilerplate", "related-link")
    own = [{"text": " ".join(f"w{source.randrange(9999)}" for _ in range(12)), "label": label} for label in labels]
    shared = [{"text": COOKIES, "label": "boilerplate"}, {"text": f"{LINK} and day", "label": "related-link"}]
    rows = own + (shared if site % 2 else [])
    return [{**row, "page": f"s{site}.example/1", "position": i, "site": f"s{site}.example"} for i, row in enumerate(rows)]


def test_a_split_by_site_does_not_leak_a_random_one_does() -> None:
    corpus = pd.DataFrame([row for site in range(40) for row in paragraphs(site)])
    split = split_by_site(corpus, SplitOptions({"train": 0.6, "dev": 0.2, "test": 0.2}))
    audits = audit_split([(name, part.table) for name, part in split.parts.items()])
    assert [audit.part for audit in audits] == ["dev", "test"]
    assert [audit.warnings() for audit in audits] == [[], []]
    shuffled = corpus.sample(frac=1, random_state=0)
    leaky = audit_part(shuffled.iloc[:160], shuffled.iloc[160:])
    assert leaky.n_shared > 5
    assert leaky.long_lookup is not None
    assert leaky.long_lookup.macro_f1 > leaky.long_lookup.majority_macro_f1 + LOOKUP_MARGIN
    assert len(leaky.warnings()) == 4
