"""What makes a record valid, whatever file it came from."""

from typing import Any

import pytest

from newswinnow.corpus.records import BadRecord, RecordCollector, RecordRules, check_columns, check_record
from newswinnow.corpus.rejects import CorpusError

GOOD: dict[str, Any] = {"page": "p", "position": 0, "text": "The ferry sails again."}
LOOSE = RecordRules()


def test_good_record_comes_back_collapsed_and_copied() -> None:
    fields = {**GOOD, "text": "  The ferry\u2028sails\r\n again. ", "note": {"kept": [1, None]}, "label": "related-link"}
    before = dict(fields)
    record = check_record(fields, LOOSE)
    assert record == {**GOOD, "note": {"kept": [1, None]}, "label": "related-link"}
    assert fields == before


@pytest.mark.parametrize(
    "extra",
    [
        {"label": None},
        {"label": "news", "site": "example.org", "source": "own", "origin": "written", "tag": "p", "link_density": 0},
        {"link_density": 1.0},
        {"link_density": None, "origin": None, "site": None},
        {"position": 2**53},
        {"text": "NA"},
        {"text": "null"},
        {"text": "\x00\x1b[31m"},
        {"page": "../../x"},
    ],
)
def test_valid_values_are_taken(extra: dict[str, Any]) -> None:
    assert check_record({**GOOD, **extra}, LOOSE) == {**GOOD, **extra}


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"page": ""}, "page must not be empty; got ''"),
        ({"page": 7}, "page must be a string; got int 7"),
        ({"page": None}, "page must be a string; got NoneType None"),
        ({"position": -1}, "position must be an integer from 0 to 2**53; got -1"),
        ({"position": 2**53 + 1}, "position must be an integer from 0 to 2**53; got 9007199254740993"),
        ({"position": 1.0}, "position must be an integer from 0 to 2**53; got 1.0"),
        ({"position": "1"}, "position must be an integer from 0 to 2**53; got '1'"),
        ({"position": True}, "position must be an integer from 0 to 2**53; got True"),
        ({"position": None}, "position must be an integer from 0 to 2**53; got None"),
        ({"text": None}, "text must be a string; got NoneType None"),
        ({"text": ["a"]}, "text must be a string; got list ['a']"),
        ({"text": ""}, "text must not be empty; got ''"),
        ({"text": " \u2028"}, r"text must not be empty; got ' \u2028'"),
        ({"label": "relatd"}, "label must be one of news, boilerplate, related-link; got 'relatd'"),
        ({"label": "News"}, "label must be one of news, boilerplate, related-link; got 'News'"),
        ({"label": " news"}, "label must be one of news, boilerplate, related-link; got ' news'"),
        ({"label": "NA"}, "label must be one of news, boilerplate, related-link; got 'NA'"),
        ({"label": ""}, "label must be one of news, boilerplate, related-link; got ''"),
        ({"label": float("nan")}, "label must be one of news, boilerplate, related-link; got nan"),
        ({"label": 1}, "label must be one of news, boilerplate, related-link; got 1"),
        ({"label": ["news"]}, "label must be one of news, boilerplate, related-link; got ['news']"),
        ({"origin": "guessed"}, "origin must be one of read, aligned, written; got 'guessed'"),
        ({"origin": ["read"]}, "origin must be one of read, aligned, written; got ['read']"),
        ({"site": 4}, "site must be a string; got int 4"),
        ({"source": []}, "source must be a string; got list []"),
        ({"tag": {}}, "tag must be a string; got dict {}"),
        ({"link_density": 1.01}, "link_density must be a number in [0, 1]; got 1.01"),
        ({"link_density": -0.1}, "link_density must be a number in [0, 1]; got -0.1"),
        ({"link_density": float("nan")}, "link_density must be a number in [0, 1]; got nan"),
        ({"link_density": "0.5"}, "link_density must be a number in [0, 1]; got '0.5'"),
        ({"link_density": False}, "link_density must be a number in [0, 1]; got False"),
    ],
)
def test_bad_values_are_named(extra: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRecord, match="; got ") as caught:
        check_record({**GOOD, **extra}, LOOSE)
    assert str(caught.value) == message


@pytest.mark.parametrize("column", ["page", "text", "site", "source", "tag", "note"])
@pytest.mark.parametrize(
    ("bad", "got"), [("\udcff", "byte 0xff"), ("\ud800", "a lone surrogate U+D800"), ("\udc7f", "a lone surrogate U+DC7F")]
)
def test_undecodable_bytes_are_named_in_every_text_column(column: str, bad: str, got: str) -> None:
    with pytest.raises(BadRecord, match="must be valid UTF-8") as caught:
        check_record({**GOOD, column: f"é{bad}"}, LOOSE)
    assert str(caught.value) == f"{column} must be valid UTF-8; got {got} at byte 2 of the {column}"


@pytest.mark.parametrize("column", ["page", "position", "text"])
def test_missing_field_lists_those_found(column: str) -> None:
    fields = {name: value for name, value in GOOD.items() if name != column}
    with pytest.raises(BadRecord, match=f"^must have a '{column}'; got {', '.join(fields)}$"):
        check_record(fields, LOOSE)


def test_record_without_fields() -> None:
    with pytest.raises(BadRecord, match=r"^must have a 'page'; got nothing$"):
        check_record({}, LOOSE)


@pytest.mark.parametrize("n_chars", [1_000_000, 1_000_001])
def test_text_has_a_longest_length(n_chars: int) -> None:
    fields = {**GOOD, "text": "x" * n_chars}
    if n_chars == 1_000_000:
        assert check_record(fields, LOOSE)["text"] == fields["text"]
        return
    with pytest.raises(BadRecord, match=r"^text must have at most 1000000 characters; got 1000001$"):
        check_record(fields, LOOSE)


def test_empty_text_is_kept_with_its_status_on_demand() -> None:
    rules = RecordRules(keeps_empty=True)
    assert check_record({**GOOD, "text": "\u2028 "}, rules) == {**GOOD, "text": "", "status": "empty"}
    assert "status" not in check_record(GOOD, rules)


@pytest.mark.parametrize(
    ("columns", "needs_label", "message"),
    [
        (["page", "position", "txt"], False, "f:1: must have the columns page, position, text; got page, position, txt"),
        ([], False, "f:1: must have the columns page, position, text; got none"),
        (
            ["page", "position", "text", "lable"],
            True,
            "f:1: must have the columns page, position, text, label; got page, position, text, lable",
        ),
        (["page", "position", "text", "text"], False, "f:1: must name each column once; got text twice"),
        (["page", "position", "text", "z", "b", "z", "b"], False, "f:1: must name each column once; got b, z twice"),
        (["page", "position", "text", "a\udcff"], False, r"f:1: column names must be valid UTF-8; got 'a\udcff'"),
    ],
)
def test_check_columns_refuses_what_is_no_table(columns: list[str], needs_label: bool, message: str) -> None:
    with pytest.raises(CorpusError, match=r"^f:1: ") as caught:
        check_columns(columns, RecordRules(needs_label=needs_label), source="f", line=1)
    assert str(caught.value) == message
    assert [(reject.source, reject.line) for reject in caught.value.rejects] == [("f", 1)]


def test_check_columns_takes_any_order_and_extras() -> None:
    check_columns(["note", "text", "page", "position"], LOOSE, source="f")
    check_columns(["label", "text", "page", "position"], RecordRules(needs_label=True), source="f")


def test_duplicate_place_names_both_lines_across_files() -> None:
    collector = RecordCollector(LOOSE)
    collector.add(GOOD, source="a.jsonl", line=3)
    collector.add({**GOOD, "position": 1}, source="a.jsonl", line=4)
    collector.add({**GOOD, "page": "q"}, source="a.jsonl", line=5)
    collector.add({**GOOD, "text": "Other."}, source="b.csv", line=9)
    assert [record["text"] for record in collector.records] == [GOOD["text"]] * 3
    assert list(map(str, collector.rejects)) == [
        "b.csv:9: page and position must be unique; got page 'p' position 0 again, first at a.jsonl:3"
    ]
    assert collector.rejects[0].excerpt == "'Other.'"


def test_refused_record_does_not_take_its_place() -> None:
    collector = RecordCollector(LOOSE)
    collector.add({**GOOD, "label": "x"}, source="a", line=1)
    collector.add(GOOD, source="a", line=2)
    assert collector.records == [GOOD]
    assert [reject.line for reject in collector.rejects] == [1]


def test_reject_without_a_text_shows_the_fields() -> None:
    collector = RecordCollector(LOOSE)
    collector.add({"page": "p"}, source="a.html", line=None)
    assert str(collector.rejects[0]) == "a.html: must have a 'position'; got page"
    assert collector.rejects[0].excerpt == "{'page': 'p'}"
