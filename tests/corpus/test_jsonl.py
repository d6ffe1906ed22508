"""JSON Lines: one object a line, everything else refused with its line."""

import io
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswinnow.corpus.jsonl import parse_object, read_jsonl
from newswinnow.corpus.records import BadRecord, RecordCollector, RecordRules
from newswinnow.corpus.rejects import CorpusError
from newswinnow.corpus.streams import MAX_RECORD_BYTES

LINE = b'{"page": "p", "position": %d, "text": "The ferry sails again."}'
FIRST = LINE % 0


def read(data: bytes, rules: RecordRules | None = None) -> RecordCollector:
    collector = RecordCollector(rules or RecordRules())
    read_jsonl(io.BytesIO(data), source="f.jsonl", into=collector)
    return collector


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["no BOM", "BOM"])
@pytest.mark.parametrize("is_ended", [True, False], ids=["ended", "unfinished"])
def test_newlines_and_bom_do_not_matter(newline: bytes, bom: bytes, is_ended: bool) -> None:
    data = bom + newline.join([FIRST, b"", b"  ", LINE % 1]) + newline * is_ended
    collector = read(data)
    assert [(record["page"], record["position"]) for record in collector.records] == [("p", 0), ("p", 1)]
    assert collector.rejects == []


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x7f"])
def test_unicode_separators_never_split_a_line(separator: str) -> None:
    text = f"Most{separator}read"
    data = json.dumps({"page": "p", "position": 0, "text": text, "note": text}, ensure_ascii=False).encode() + b"\n" + LINE % 1
    collector = read(data)
    assert [record["position"] for record in collector.records] == [0, 1]
    assert collector.records[0]["note"] == text
    assert collector.records[0]["text"] == " ".join(text.split())


@pytest.mark.parametrize("control", [b"\x0b", b"\x0c", b"\x1c", b"\x1d", b"\x1e"])
def test_raw_controls_refuse_the_record_and_never_split_it(control: bytes) -> None:
    collector = read(FIRST + b"\n" + (LINE % 1).replace(b" ferry ", control) + b"\n" + LINE % 2)
    assert [record["position"] for record in collector.records] == [0, 2]
    assert [reject.line for reject in collector.rejects] == [2]
    assert collector.rejects[0].reason.startswith("must be valid JSON; got ")


def test_escaped_controls_are_text() -> None:
    assert read(rb'{"page":"p","position":0,"text":"a\u000b\u000cb\u0000c"}').records[0]["text"] == "a b\x00c"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"[1]", "must be a JSON object; got list"),
        (b'"text"', "must be a JSON object; got str"),
        (b"7", "must be a JSON object; got int"),
        (b"null", "must be a JSON object; got NoneType"),
        (b"{'page': 1}", "must be valid JSON; got "),
        (FIRST[:-1], "must be valid JSON; got "),
        (FIRST + b" x", "must be valid JSON; got "),
        (b'{"page":"p","position":9,"text":"a","n":NaN}', "must be valid JSON; got "),
        (b'{"page":"p","position":9,"text":"a","n":-Infinity}', "must be valid JSON; got "),
        (rb'{"page":"p","position":9,"text":"a\ud800b"}', "must be valid JSON; got "),
        (rb'{"page":"p","position":9,"text":"a","note":["\udfff"]}', "must be valid JSON; got "),
        (b'{"page":"p","position":9,"text":"\xed\xa0\x80"}', "must be valid UTF-8; got byte 0xed at byte 33 of the line"),
        (b'{"page":"p","position":9,"text":"a\xff"}', "must be valid UTF-8; got byte 0xff at byte 34 of the line"),
        (b'{"page":"p","position":9,"text":"a","n\xe9":1}', "must be valid UTF-8; got byte 0xe9 at byte 38 of the line"),
        (b'{"page":"p","page":"q","position":9,"text":"a"}', "must name each key once; got page twice"),
        (b'{"page" :"p","page"\t  :"p","position":9,"text":"a"}', "must name each key once; got page twice"),
        (b'{"page":"p","p\\u0061ge":"q","position":9,"text":"a"}', "must name each key once; got page twice"),
        (b'{"page":"p","position":9,"text":"a","x":{"b":1,"a":1,"b":2,"a":3}}', "must name each key once; got a, b twice"),
        (
            b'{"page":"p","position":9,"text":"a","x":' + b"[" * 100 + b"]" * 100 + b"}",
            "must be nested at most 100 deep; got more",
        ),
        (b'{"page":"p","position":9,"text":"a","x":' + b'{"a":' * 900 + b"1" + b"}" * 901, "must be nested at most 100 deep"),
        (b'{"page":"p","position":9,"text":"a","x":' + b"[" * 99_999 + b"]" * 99_999 + b"}", "must be valid JSON; got "),
        (b'{"page":"p","position":9}', "must have a 'text'; got page, position"),
        (b'{"page":"p","position":"9","text":"a"}', "position must be an integer from 0 to 2**53; got '9'"),
        (b'{"page":"p","position":9,"text":null}', "text must be a string; got NoneType None"),
        (b'{"page":"p","position":9,"text":' + b"[" * 90 + b"]" * 90 + b"}", "text must be a string; got list [[["),
    ],
)
def test_bad_line_is_refused_with_its_number_and_the_rest_is_read(line: bytes, reason: str) -> None:
    collector = read(FIRST + b"\n" + line + b"\n" + LINE % 2)
    assert [record["position"] for record in collector.records] == [0, 2]
    assert len(collector.rejects) == 1
    assert str(collector.rejects[0]).startswith(f"f.jsonl:2: {reason}")
    assert len(collector.rejects[0].excerpt) <= 80
    assert "\n" not in collector.rejects[0].reason


def test_nesting_up_to_the_limit_is_kept() -> None:
    data = b'{"page":"p","position":0,"text":"a","x":' + b"[" * 99 + b"]" * 99 + b"}"
    assert read(data).records[0]["x"] == json.loads("[" * 99 + "]" * 99)


@pytest.mark.parametrize("text", ['say "no": it is late', '":" ":"', '{"a":1}'])
def test_quotes_and_colons_in_a_text_are_no_keys(text: str) -> None:
    fields = {"page": "p", "position": 0, "text": text, "x": [{"a": 1}, {"a": 2}]}
    assert parse_object(json.dumps(fields).encode()) == fields


def test_nan_as_text_stays_text() -> None:
    data = b'{"page":"p","position":0,"text":"NaN"}\n{"page":"p","position":1,"text":"NA","label":null}'
    assert [record["text"] for record in read(data).records] == ["NaN", "NA"]


def test_label_na_is_refused() -> None:
    collector = read(FIRST.replace(b"}", b', "label": "NA"}'))
    assert str(collector.rejects[0]) == "f.jsonl:1: label must be one of news, boilerplate, related-link; got 'NA'"


def test_missing_column_fails_the_file_and_lists_those_found() -> None:
    with pytest.raises(CorpusError, match=r"^f\.jsonl:2: must have the columns page, position, text; got page, position, txt$"):
        read(b'\n{"page":"p","position":0,"txt":"a"}\n' + FIRST)


def test_missing_label_column_fails_where_labels_are_needed() -> None:
    message = r"^f\.jsonl:2: must have the columns page, position, text, label; got page, position, text$"
    with pytest.raises(CorpusError, match=message):
        read(b"not json\n" + FIRST, RecordRules(needs_label=True))


def test_only_the_first_object_stands_for_the_columns() -> None:
    collector = read(FIRST.replace(b"}", b', "label": "news"}') + b"\n" + LINE % 1, RecordRules(needs_label=True))
    assert [record.get("label") for record in collector.records] == ["news", None]


def test_empty_stream_has_no_records() -> None:
    for data in (b"", b"\xef\xbb\xbf", b"\n\r\n \n"):
        collector = read(data)
        assert (collector.records, collector.rejects) == ([], [])


def test_overlong_line_is_refused_and_the_next_is_read() -> None:
    collector = read(FIRST + b"\n" + (LINE % 1).replace(b"ferry", b" " * MAX_RECORD_BYTES) + b"\n" + LINE % 2)
    assert [record["position"] for record in collector.records] == [0, 2]
    assert list(map(str, collector.rejects)) == [f"f.jsonl:2: must have at most {MAX_RECORD_BYTES} bytes; got more"]


def test_duplicate_place_names_both_lines() -> None:
    collector = read(FIRST + b"\n\n" + FIRST)
    assert str(collector.rejects[0]) == (
        "f.jsonl:3: page and position must be unique; got page 'p' position 0 again, first at f.jsonl:1"
    )


JSON_LIKE = st.lists(
    st.sampled_from(
        [b'"', b"{", b"}", b"[", b"]", b":", b",", b"1", b"-", b"e9", b'"page"', b'"text"', b"\\u", b"d800", b"\xff", b" "]
    )
).map(b"".join)


@given(st.lists(st.binary(max_size=60) | JSON_LIKE, max_size=6), st.booleans())
@settings(deadline=None)
def test_any_bytes_give_records_or_typed_refusals(lines: list[bytes], begins_well: bool) -> None:
    data = (FIRST + b"\n") * begins_well + b"\n".join(lines)
    collector = RecordCollector(RecordRules())
    refusal = ""
    try:
        read_jsonl(io.BytesIO(data), source="f.jsonl", into=collector)
    except CorpusError as error:
        refusal = str(error)
    if refusal:
        assert re.match(r"f\.jsonl:\d+: must have the columns page, position, text; got ", refusal)
        return
    n_lines = sum(bool(line.strip()) for line in data.removeprefix(b"\xef\xbb\xbf").replace(b"\r", b"\n").split(b"\n"))
    assert len(collector.records) + len(collector.rejects) == n_lines


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON_VALUES, max_size=4))
@settings(deadline=None)
def test_parse_object_agrees_with_the_standard_library(fields: dict[str, object]) -> None:
    data = json.dumps(fields, ensure_ascii=False).encode()
    assert parse_object(data) == json.loads(data)


def test_parse_object_keeps_the_reason_short() -> None:
    with pytest.raises(BadRecord, match=r"^must be valid JSON; got .*':'.* at column 9$"):
        parse_object(b'{"page" "p"}')
