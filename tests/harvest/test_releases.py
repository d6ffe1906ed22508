import contextlib
import gzip
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswinnow.corpus.rejects import CorpusError
from newswinnow.harvest.releases import (
    RELEASE_COLUMNS,
    ReleasedLabel,
    match_labels,
    read_release,
    release_labels,
    text_sha256,
    write_release,
)
from newswinnow.paragraphs.label import LABELS

SHA = "0" * 64
HEADER = ",".join(RELEASE_COLUMNS)


def table(*rows: tuple[str, int, str, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["page", "position", "text", "label"])


def labels_of(texts: list[tuple[int, str]]) -> list[ReleasedLabel]:
    return [ReleasedLabel(position, text_sha256(text), f"{position}") for position, text in texts]


def test_a_release_holds_labels_and_digests_but_no_text(tmp_path: Path) -> None:
    release = release_labels(
        table(("b", 1, "Share", "boilerplate"), ("a", 7, "A  bridge\u2028opened.", "news"), ("a", 2, "Home", None))
    )
    assert release.to_dict("records") == [
        {"page": "a", "position": 7, "text_sha256": text_sha256("A bridge opened."), "label": "news"},
        {"page": "b", "position": 1, "text_sha256": text_sha256("Share"), "label": "boilerplate"},
    ]
    write_release(release, tmp_path / "mine.csv.gz")
    assert b"bridge" not in gzip.decompress((tmp_path / "mine.csv.gz").read_bytes())
    found = read_release(tmp_path / "mine.csv.gz")
    assert (found.name, found.n_labels, list(found.pages)) == ("mine", 2, ["a", "b"])
    assert found.pages["a"] == (ReleasedLabel(7, text_sha256("A bridge opened."), "news"),)


def test_the_same_labels_give_the_same_bytes_whatever_the_file_is_called(tmp_path: Path) -> None:
    rows = [("a", 1, "x", "news"), ("a", 0, "y", "news"), ("b", 0, "z", "related-link")]
    write_release(release_labels(table(*rows)), tmp_path / "one.csv.gz")
    write_release(release_labels(table(*rows[::-1])), tmp_path / "two.csv.gz")
    assert (tmp_path / "one.csv.gz").read_bytes() == (tmp_path / "two.csv.gz").read_bytes()
    assert (tmp_path / "one.csv.gz").read_bytes()[3:8] == bytes(5)  # no name, no time


def test_what_cannot_be_released() -> None:
    with pytest.raises(ValueError, match="must have labelled paragraphs; got 1 rows without a label"):
        release_labels(table(("a", 0, "x", None)))
    with pytest.raises(ValueError, match="table: must have the columns page, position, text, label; got page"):
        release_labels(pd.DataFrame({"page": ["a"]}))
    with pytest.raises(ValueError, match=r"x\.json: must end in \.csv or \.csv\.gz; got '\.json'"):
        write_release(release_labels(table(("a", 0, "x", "news"))), Path("x.json"))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "must have the columns page, position, text_sha256, label; got none"),
        ("page,label\n", "must have the columns .*; got page, label"),
        (f"{HEADER}\na,0,{SHA}\n", ":2: must have 4 fields; got 3"),
        (f"{HEADER}\n\n", ":2: must have 4 fields; got 0"),
        (f"{HEADER}\n,0,{SHA},news\n", ":2: page must not be empty"),
        (f"{HEADER}\na,-1,{SHA},news\n", ":2: position must be an integer >= 0; got '-1'"),
        (f"{HEADER}\na,²,{SHA},news\n", ":2: position must be an integer >= 0; got '²'"),
        (f"{HEADER}\na,{'9' * 5000},{SHA},news\n", ":2: position must be an integer >= 0"),
        (f"{HEADER}\na,0,{SHA[:-1]}G,news\n", ":2: text_sha256 must be 64 lower-case hexadecimal digits"),
        (f"{HEADER}\na,0,{SHA},News\n", ":2: label must be one of news, boilerplate, related-link; got 'News'"),
        (f"{HEADER}\na,0,{SHA},news\na,0,{SHA},news\n", ":3: page and position must be unique; got page 'a' position 0 again"),
        (f'{HEADER}\n"a,0,{SHA},news\n', "unexpected end of data"),
    ],
)
def test_a_malformed_release_is_refused_with_its_line(text: str, rule: str, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(text, encoding="utf-8")
    with pytest.raises(CorpusError, match=rf"r\.csv.*{rule}"):
        read_release(tmp_path / "r.csv")


def test_a_release_of_other_bytes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_bytes(HEADER.encode() + b"\n\xff\n")
    with pytest.raises(CorpusError, match=r"r\.csv:2: must be valid UTF-8; got byte 0xff at byte 0 of the line"):
        read_release(tmp_path / "r.csv")
    (tmp_path / "r.csv.gz").write_bytes(gzip.compress(HEADER.encode() * 100)[:-9])
    with pytest.raises(CorpusError, match="must be a whole gzip file"):
        read_release(tmp_path / "r.csv.gz")


@given(data=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    for content in (data, HEADER.encode() + b"\n" + data):
        path.write_bytes(content)
        with contextlib.suppress(CorpusError):
            assert read_release(path).n_labels >= 0


def test_page_ids_with_commas_quotes_and_line_breaks_survive(tmp_path: Path) -> None:
    pages = ["a,b", 'say "x"', "two\nlines", " edge "]
    write_release(release_labels(table(*((page, 0, "x", "news") for page in pages))), tmp_path / "r.csv")
    assert set(read_release(tmp_path / "r.csv").pages) == set(pages)


def test_repeated_texts_are_matched_one_to_one_nearest_to_their_place() -> None:
    texts = ["Home", "About", "Story", "About", "Home"]
    found = match_labels(labels_of([(1, "About"), (3, "About"), (4, "Home")]), texts)
    assert {place: released.position for place, released in found.items()} == {1: 1, 3: 3, 4: 4}
    assert list(match_labels(labels_of([(3, "About")]), texts)) == [3]
    assert len(match_labels(labels_of([(0, "Home"), (1, "Home"), (2, "Home")]), texts)) == 2


def test_drift_between_splitters_is_taken_out() -> None:
    # The splitter of the release saw twenty paragraphs before the story that this one does not.
    texts = ["About", "Headline", "First", "Second", "About", "Third", "About"]
    labels = labels_of([(21, "Headline"), (23, "Second"), (24, "About"), (25, "Third")])
    assert sorted(match_labels(labels, texts)) == [1, 3, 4, 5]


def test_texts_that_are_gone_get_no_label() -> None:
    assert match_labels(labels_of([(0, "Gone")]), ["Here"]) == {}
    assert match_labels(labels_of([(0, "Gone")]), []) == {}
    assert match_labels([], ["Here"]) == {}


@given(st.lists(st.sampled_from(["Home", "About", "Story", "Share"]), max_size=30), st.data())
def test_labels_find_their_own_paragraphs_when_nothing_changed(texts: list[str], data: st.DataObject) -> None:
    chosen = sorted(data.draw(st.sets(st.sampled_from(range(len(texts))))) if texts else set())
    found = match_labels(labels_of([(place, texts[place]) for place in chosen]), texts)
    assert {place: released.position for place, released in found.items()} == {place: place for place in chosen}


@given(
    st.lists(st.sampled_from("abcd")),
    st.lists(st.tuples(st.integers(0, 50), st.sampled_from("abcde")), unique_by=lambda row: row[0]),
)
def test_a_label_is_used_once_and_only_on_its_text(texts: list[str], released: list[tuple[int, str]]) -> None:
    labels = labels_of(sorted(released))
    found = match_labels(labels, texts)
    assert all(label.sha256 == text_sha256(texts[place]) for place, label in found.items())
    assert len({label.position for label in found.values()}) == len(found)
    for text in "abcd":
        n_labels = sum(label.sha256 == text_sha256(text) for label in labels)
        assert sum(texts[place] == text for place in found) == min(n_labels, texts.count(text))


@pytest.mark.parametrize(
    ("name", "n_labels", "n_pages"), [("train", 23_842, 495), ("dev_news", 1360, 24), ("dev_mixed", 2342, 48)]
)
def test_committed_releases(name: str, n_labels: int, n_pages: int) -> None:
    path = Path(__file__).resolve().parents[2] / "data" / "labels" / f"{name}.csv.gz"
    release = read_release(path)
    assert (release.name, release.n_labels, len(release.pages)) == (name, n_labels, n_pages)
    assert {released.label for page in release.pages.values() for released in page} == set(LABELS)
    assert path.stat().st_size < 1_000_000


@pytest.mark.parametrize("name", ["train", "dev_news", "dev_mixed"])
def test_committed_releases_are_those_of_the_hand_read_tables(name: str, tmp_path: Path) -> None:
    from newswinnow.corpus.tables import read_corpus

    root = Path(__file__).resolve().parents[2]
    gold = root.parent / "shared" / "gold" / f"{name}.jsonl"
    if not gold.is_file():
        pytest.skip("needs ../shared/gold, the hand-read tables")
    write_release(release_labels(read_corpus([gold])), tmp_path / "again.csv.gz")
    assert read_release(tmp_path / "again.csv.gz").pages == read_release(root / "data" / "labels" / f"{name}.csv.gz").pages
