"""CSV and TSV: RFC 4180 quoting, a header, never a shifted column."""

import csv
import io
import re
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswinnow.corpus import delimited
from newswinnow.corpus.delimited import read_delimited
from newswinnow.corpus.records import RecordCollector, RecordRules
from newswinnow.corpus.rejects import CorpusError

HEADER = b"page,position,text\n"


def read(data: bytes, *, delimiter: str = ",", rules: RecordRules | None = None) -> RecordCollector:
    collector = RecordCollector(rules or RecordRules())
    read_delimited(io.BytesIO(data), source="f.csv", delimiter=delimiter, into=collector)
    return collector


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["no BOM", "BOM"])
@pytest.mark.parametrize("is_ended", [True, False], ids=["ended", "unfinished"])
def test_newlines_and_bom_do_not_matter(newline: bytes, bom: bytes, is_ended: bool) -> None:
    data = bom + newline.join([b"page,position,text", b"p,0,One", b"", b"p,1,Two"]) + newline * is_ended
    collector = read(data)
    assert collector.records == [
        {"page": "p", "position": 0, "text": "One"},
        {"page": "p", "position": 1, "text": "Two"},
    ]
    assert collector.rejects == []


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (b'"one, two"', "one, two"),
        (b'"say ""no"""', 'say "no"'),
        (b'"first\nsecond\r\nthird"', "first second third"),
        (b"5' tall", "5' tall"),
        (b'6" wide', '6" wide'),
        (b"a;b\tc", "a;b c"),
        (b"=1+1", "=1+1"),
        (b"NA", "NA"),
        (b"null", "null"),
        (b"None", "None"),
        (b"1.0", "1.0"),
        ("a\u2028b\x85c\x0bd\x0ce".encode(), "a b c d e"),
        (b"nul\x00l", "nul\x00l"),
    ],
)
def test_text_field_is_read_as_written(field: bytes, text: str) -> None:
    collector = read(HEADER + b"p,0," + field + b"\np,1,After\n")
    assert [record["text"] for record in collector.records] == [text, "After"]


def test_tab_is_the_only_delimiter_of_tsv() -> None:
    collector = read(b'page\tposition\ttext\np\t0\tone, two\np\t1\t"a\tb"\n', delimiter="\t")
    assert [record["text"] for record in collector.records] == ["one, two", "a b"]


def test_line_of_a_reject_counts_newlines_inside_quotes() -> None:
    collector = read(HEADER + b'p,0,"a\nb\nc"\np,x,Bad\n\np,1,Good\np,1,Again\n')
    assert list(map(str, collector.rejects)) == [
        "f.csv:5: position must be an integer from 0 to 2**53; got 'x'",
        "f.csv:8: page and position must be unique; got page 'p' position 1 again, first at f.csv:7",
    ]


@pytest.mark.parametrize(("row", "n"), [(b"p,0,a,b", 4), (b"p,0", 2), (b"p", 1), (b"p,0,a,", 4)])
@pytest.mark.parametrize("line", [2, 3])
def test_row_of_other_width_is_refused_and_shifts_nothing(row: bytes, n: int, line: int) -> None:
    rows = [b"q,0,One", b"q,1,Two"]
    rows.insert(line - 2, row)
    collector = read(HEADER + b"\n".join(rows))
    assert [(record["page"], record["text"]) for record in collector.records] == [("q", "One"), ("q", "Two")]
    assert list(map(str, collector.rejects)) == [f"f.csv:{line}: must have 3 fields; got {n}"]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b'p,0,One\np,1,"open\np,2,Two\n', 3),
        (b'p,0,"open', 2),
        (b'p,0,"a"b\n', 2),
        (b'p,0,One\np,1,"a" ,b\n', 3),
    ],
)
def test_broken_quotes_fail_the_file_and_name_the_line(data: bytes, line: int) -> None:
    with pytest.raises(CorpusError, match=rf"^f\.csv:{line}: must be well-formed CSV; got "):
        read(HEADER + data)


def test_label_is_taken_only_as_spelt() -> None:
    header = b"page,position,text,label\n"
    collector = read(header + b"p,0,a,news\np,1,b,\np,2,c,News\np,3,d,NA\np,4,e,relatd\n")
    assert [(record["position"], record["label"]) for record in collector.records] == [(0, "news"), (1, None)]
    rule = "label must be one of news, boilerplate, related-link; got "
    assert list(map(str, collector.rejects)) == [
        f"f.csv:4: {rule}'News'",
        f"f.csv:5: {rule}'NA'",
        f"f.csv:6: {rule}'relatd'",
    ]


def test_empty_fields_are_null_only_where_a_column_may_be() -> None:
    header = b"page,position,text,site,source,origin,tag,link_density,note\n"
    collector = read(header + b"p,0,a,,,,,,\n,1,a,,,,,,\np,,a,,,,,,\np,2,,,,,,,\n")
    optional = dict.fromkeys(["site", "source", "origin", "tag", "link_density"])
    assert collector.records == [{"page": "p", "position": 0, "text": "a", **optional, "note": ""}]
    assert [reject.reason for reject in collector.rejects] == [
        "page must not be empty; got ''",
        "position must be an integer from 0 to 2**53; got ''",
        "text must not be empty; got ''",
    ]


@pytest.mark.parametrize(("field", "value"), [("0", 0.0), ("1", 1.0), ("0.25", 0.25), ("1e-3", 0.001), (".5", 0.5), ("1.", 1.0)])
def test_link_density_is_a_number(field: str, value: float) -> None:
    assert read(f"page,position,text,link_density\np,0,a,{field}\n".encode()).records[0]["link_density"] == value


@pytest.mark.parametrize("field", ["nan", "inf", "1_0", "-0.5", "1.5", " 0.5", "0,5", "half", "٠", "."])
def test_link_density_is_never_guessed(field: str) -> None:
    collector = read(f'page,position,text,link_density\np,0,a,"{field}"\n'.encode())
    assert [reject.reason.split(";")[0] for reject in collector.rejects] == ["link_density must be a number in [0, 1]"]


@pytest.mark.parametrize("field", ["1.0", "-1", " 1", "1_0", "٣", "+1", "1e3", "NA", "9" * 16, "9" * 5000])
def test_position_is_never_guessed(field: str) -> None:
    collector = read(HEADER + f"p,{field},a\n".encode())
    assert collector.records == []
    assert collector.rejects[0].reason.startswith("position must be an integer from 0 to 2**53; got ")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (b"p,0,na\xefve,", "text must be valid UTF-8; got byte 0xef at byte 2 of the text"),
        (b"p,0,\xc3\xa9\xc3,", "text must be valid UTF-8; got byte 0xc3 at byte 2 of the text"),
        (b"\xff,0,a,", "page must be valid UTF-8; got byte 0xff at byte 0 of the page"),
        (b"p,0,a,x\xfe", "note must be valid UTF-8; got byte 0xfe at byte 1 of the note"),
    ],
)
def test_invalid_utf8_refuses_its_record_and_names_the_byte(row: bytes, message: str) -> None:
    collector = read(b"page,position,text,note\n" + row + b"\nq,1,Good,\n")
    assert [record["page"] for record in collector.records] == ["q"]
    assert list(map(str, collector.rejects)) == [f"f.csv:2: {message}"]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"page,position,txt\n", "f.csv:1: must have the columns page, position, text; got page, position, txt"),
        (b"page;position;text\n", "f.csv:1: must have the columns page, position, text; got page;position;text"),
        (b"\n", "f.csv:1: must have the columns page, position, text; got none"),
        (b"page,position,text,text\n", "f.csv:1: must name each column once; got text twice"),
        (b"page,position,text,caf\xe9\n", r"f.csv:1: column names must be valid UTF-8; got 'caf\udce9'"),
    ],
)
def test_bad_header_fails_before_any_row(header: bytes, message: str) -> None:
    with pytest.raises(CorpusError, match=r"^f\.csv:1: ") as caught:
        read(header + b'p,0,"never closed')
    assert str(caught.value) == message


def test_missing_label_column_is_named() -> None:
    with pytest.raises(
        CorpusError, match=r"^f\.csv:1: must have the columns page, position, text, label; got page, position, text$"
    ):
        read(HEADER, rules=RecordRules(needs_label=True))


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", HEADER], ids=["nothing", "BOM", "header"])
def test_no_rows_are_no_records(data: bytes) -> None:
    collector = read(data)
    assert (collector.records, collector.rejects) == ([], [])


def test_overlong_line_is_refused_while_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "MAX_RECORD_BYTES", 50)
    stream = io.BytesIO(HEADER + b"p,0,One\np,1," + b"x" * 500_000 + b"\n")
    with pytest.raises(CorpusError, match=r"^f\.csv:3: must have at most 50 characters on a line; got more$"):
        read_delimited(stream, source="f.csv", delimiter=",", into=RecordCollector(RecordRules()))
    assert stream.tell() < 100_000


def test_overlong_field_of_many_lines_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "MAX_RECORD_BYTES", 50)
    with pytest.raises(CorpusError, match=r"^f\.csv:2: must be well-formed CSV; got field larger than field limit \(50\)$"):
        read(HEADER + b'p,0,"' + b"word\n" * 100)


@pytest.mark.parametrize("data", [b"", HEADER + b"p,0,a\n", b"page\n", HEADER + b'p,0,"'])
def test_stream_stays_open(data: bytes) -> None:
    stream = io.BytesIO(data)
    with suppress(CorpusError):
        read_delimited(stream, source="f.csv", delimiter=",", into=RecordCollector(RecordRules()))
    assert not stream.closed


FIELDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.tuples(FIELDS, FIELDS), max_size=6), st.sampled_from([",", "\t"]), st.sampled_from(["\n", "\r\n"]))
@settings(deadline=None)
def test_what_the_csv_module_writes_comes_back(rows: list[tuple[str, str]], delimiter: str, newline: str) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=newline, quoting=csv.QUOTE_ALL)
    writer.writerow(["page", "position", "text", "note"])
    writer.writerows(["p", i, f"x{text}", note] for i, (text, note) in enumerate(rows))
    collector = read(out.getvalue().encode(), delimiter=delimiter)
    assert collector.rejects == []
    assert [(record["text"], record["note"]) for record in collector.records] == [
        (" ".join(f"x{text}".split()), note) for text, note in rows
    ]


CSV_LIKE = st.lists(st.sampled_from([b'"', b",", b"\n", b"\r", b"p", b"0", b"a", b"\xff", b"\x00", b" "]), max_size=40).map(
    b"".join
)


@given(st.binary(max_size=80) | CSV_LIKE, st.booleans())
@settings(deadline=None)
def test_any_bytes_give_records_or_typed_refusals(data: bytes, begins_well: bool) -> None:
    collector = RecordCollector(RecordRules())
    refusal = ""
    try:
        read_delimited(io.BytesIO(HEADER * begins_well + data), source="f.csv", delimiter=",", into=collector)
    except CorpusError as error:
        refusal = str(error)
    assert re.match(r"$|f\.csv:\d+: (must|column names must) .*; got ", refusal)
    for record in collector.records:
        assert list(record) == ["page", "position", "text"]
