"""The review file: written, edited, read and applied; what does not match is refused."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswinnow.corpus.rejects import CorpusError
from newswinnow.corpus.review import (
    REVIEW_COLUMNS,
    Decision,
    Review,
    apply_review,
    read_review,
    review_bytes,
    review_table,
    spreadsheet_safe,
)
from newswinnow.paragraphs.label import LABELS

HEADER = "\t".join(REVIEW_COLUMNS)
CORPUS = pd.DataFrame(
    {
        "page": ["p", "p", "=q", "=q"],
        "position": [0, 1, 0, 1],
        "text": ["Share", 'He said:\u2028"Go"', "=1+1", "-5 degrees"],
        "label": ["news", "boilerplate", "news", None],
        "origin": ["aligned", "read", "written", None],
    }
)


def suspects(corpus: pd.DataFrame = CORPUS) -> pd.DataFrame:
    rows = corpus[corpus["label"].notna()]
    return rows.assign(suggested="related-link", confidence=[0.1, 0.2, 0.3])


def written(tmp_path: Path, *new_labels: str) -> Path:
    """A review of the labelled rows, edited."""
    table = review_table(suspects(), top=3).assign(new_label=list(new_labels))
    path = tmp_path / "review.tsv"
    path.write_bytes(review_bytes(table))
    return path


def decision(**changes: Any) -> Decision:
    return Decision(
        **{"page": "p", "position": 0, "text": "Share", "label": "news", "new_label": "boilerplate", "line": 2, **changes}
    )


def test_the_file_has_its_columns_and_the_rows_asked_for() -> None:
    lines = review_bytes(review_table(suspects(), top=1)).decode().split("\n")
    assert lines == [HEADER, "p\t0\tShare\tnews\trelated-link\t0.1\t", ""]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "＝1", "＋1", "－1", "＠x", "\tx"])
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert spreadsheet_safe(text) == f"'{text}"
    assert "\t'=q\t" not in review_bytes(review_table(suspects(), top=2)).decode()
    assert "\n'=q\t0\t'=1+1\t" in review_bytes(review_table(suspects(), top=3)).decode()


def test_an_edited_review_is_applied(tmp_path: Path) -> None:
    review = read_review(written(tmp_path, "boilerplate", "boilerplate", "null"))
    applied = apply_review(CORPUS, review)
    assert applied.table["label"].fillna("null").tolist() == ["boilerplate", "boilerplate", "null", "null"]
    assert (applied.n_changed, applied.n_removed, applied.n_confirmed) == (1, 1, 1)
    assert applied.table.drop(columns=["label", "origin"]).equals(CORPUS.drop(columns=["label", "origin"]))


def test_a_decided_row_that_was_aligned_is_read_by_now(tmp_path: Path) -> None:
    applied = apply_review(CORPUS, read_review(written(tmp_path, "news", "", "news")))
    assert applied.table["origin"].fillna("-").tolist() == ["read", "read", "written", "-"]
    without = apply_review(CORPUS.drop(columns="origin"), read_review(written(tmp_path, "news", "", "")))
    assert "origin" not in without.table.columns


def test_undecided_rows_stay_as_they_are(tmp_path: Path) -> None:
    review = read_review(written(tmp_path, "", " ", ""))
    assert (review.decisions, review.n_undecided) == ((), 3)
    assert apply_review(CORPUS, review).table.equals(CORPUS)


@pytest.mark.parametrize("edit", [lambda data: b"\xef\xbb\xbf" + data, lambda data: data.replace(b"\n", b"\r\n")])
def test_what_editors_do_to_a_file_does_no_harm(edit: Any, tmp_path: Path) -> None:
    path = written(tmp_path, "boilerplate", "", "")
    path.write_bytes(edit(path.read_bytes()))
    assert [d.new_label for d in read_review(path).decisions] == ["boilerplate"]


def test_the_apostrophe_may_be_gone(tmp_path: Path) -> None:
    path = written(tmp_path, "", "", "boilerplate")
    path.write_bytes(path.read_bytes().replace(b"'=", b"="))
    assert apply_review(CORPUS, read_review(path)).n_changed == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "review.tsv:1: must have the columns page, position, text, .*; got ''"),
        (b"page\tposition\n", "review.tsv:1: must have the columns .*; got 'page, position'"),
        (f"{HEADER}\np\t0\tShare\n".encode(), "review.tsv:2: must have 7 fields; got 3"),
        (
            f"{HEADER}\np\t-1\tx\tnews\tnews\t0\tnews\n".encode(),
            r"review.tsv:2: position must be an integer from 0 to 2\*\*53; got '-1'",
        ),
        (f"{HEADER}\np\t{'9' * 17}\tx\tnews\tnews\t0\tnews\n".encode(), "position must be an integer"),
        (f"{HEADER}\np\t٣\tx\tnews\tnews\t0\tnews\n".encode(), "position must be an integer"),
        (
            f"{HEADER}\np\t0\tx\tnews\tnews\t0\tNews\n".encode(),
            "review.tsv:2: new_label must be empty or one of news, .*; got 'News'",
        ),
        (
            f'{HEADER}\np\t0\t"x\tnews\tnews\t0\tnews\n'.encode(),
            "review.tsv:2: must be well-formed TSV; got unexpected end of data",
        ),
        (f"{HEADER}\np\t0\t".encode() + b"\xff\n", "review.tsv: must be valid UTF-8; got byte 0xff"),
    ],
)
def test_a_file_that_is_no_review_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "review.tsv"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=said):
        read_review(path)


def test_all_bad_rows_are_named_and_a_paragraph_is_decided_once(tmp_path: Path) -> None:
    path = tmp_path / "review.tsv"
    row = "p\t0\tx\tnews\tnews\t0\tnews"
    path.write_text("\n".join([HEADER, row, "p\t0", row]), encoding="utf-8")
    with pytest.raises(CorpusError) as caught:
        read_review(path)
    assert [(reject.line, reject.reason) for reject in caught.value.rejects] == [
        (3, "must have 7 fields; got 2"),
        (4, "a paragraph must be decided once; got it on line 2 too"),
    ]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"absent\.tsv: must be an existing file"):
        read_review(tmp_path / "absent.tsv")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"page": "x"}, "r.tsv:2: page and position must stand in the corpus; got page 'x' position 0"),
        ({"position": 9}, "r.tsv:2: page and position must stand in the corpus; got page 'p' position 9"),
        ({"text": "share"}, "r.tsv:2: text must be that of the corpus, 'Share'; got 'share'"),
        ({"label": "boilerplate"}, "r.tsv:2: label must be that of the corpus, news; got 'boilerplate'"),
        ({"page": "=q", "position": 1, "text": "-5 degrees"}, "r.tsv:2: label must be that of the corpus, null; got 'news'"),
    ],
)
def test_an_edit_that_does_not_match_is_refused_and_nothing_applied(changes: dict[str, Any], said: str) -> None:
    review = Review((decision(position=1, text=CORPUS["text"][1], label="boilerplate", line=3), decision(**changes)), 0)
    before = CORPUS.copy()
    with pytest.raises(CorpusError, match=said):
        apply_review(CORPUS, review, source="r.tsv")
    assert CORPUS.equals(before)


def test_a_corpus_without_labels_is_refused() -> None:
    with pytest.raises(ValueError, match="corpus: must have the columns label"):
        apply_review(CORPUS.drop(columns="label"), Review((), 0))


lines = st.text(st.characters(codec="utf-8"), min_size=1).map(lambda text: " ".join(text.split())).filter(bool)


@given(st.lists(st.tuples(lines, st.sampled_from(LABELS), st.sampled_from([*LABELS, "null", ""])), min_size=1, max_size=6))
def test_any_text_survives_the_way_out_and_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]]
) -> None:
    texts, labels, decided = zip(*rows, strict=True)
    corpus = pd.DataFrame({"page": "p", "position": range(len(rows)), "text": texts, "label": list(map(str, labels))})
    table = review_table(corpus.assign(suggested="news", confidence=0.5), top=len(rows)).assign(new_label=list(map(str, decided)))
    path = tmp_path_factory.mktemp("review") / "r.tsv"
    path.write_bytes(review_bytes(table))
    applied = apply_review(corpus, read_review(path))
    expected = [str(new) if new else str(old) for old, new in zip(labels, decided, strict=True)]
    assert applied.table["label"].fillna("null").tolist() == expected
    assert applied.table["text"].tolist() == list(texts)
