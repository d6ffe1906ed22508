"""Any input into one table: formats by suffix, standard input by its first bytes, page ids, and what is passed over."""

import gzip
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newswinnow.corpus.records import RecordRules
from newswinnow.corpus.rejects import CorpusError, Reject
from newswinnow.corpus.streams import MAX_RECORD_BYTES
from newswinnow.corpus.write import write_table
from newswinnow.harvest import html
from newswinnow.harvest.inputs import expand_inputs, passed_over_in, read_inputs, read_paragraphs

TEXT = "The ferry\nsails again.\n\nShare\n"
JSONL = b'{"page":"p","position":0,"text":"Share"}\n'
Pipe = Callable[[bytes], io.BytesIO]


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Pipe:
    def give(data: bytes) -> io.BytesIO:
        buffer = io.BytesIO(data)
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=buffer))
        return buffer

    return give


def put(path: Path, data: str | bytes = TEXT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def texts(*named: str | Path) -> list[str]:
    return read_paragraphs(*named)["text"].tolist()


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("bom", ["", "\ufeff"], ids=["no BOM", "BOM"])
def test_text_is_cut_at_blank_lines_whatever_the_newline(tmp_path: Path, newline: str, bom: str) -> None:
    data = bom + "\n \t\nThe ferry\nsails  again.\n\n\xa0\nShare\n\n\nlast".replace("\n", newline)
    table = read_paragraphs(put(tmp_path / "a.txt", data))
    assert table.to_dict("list") == {
        "page": ["a"] * 3,
        "position": [0, 1, 2],
        "text": ["The ferry sails again.", "Share", "last"],
    }


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c"])
def test_other_separators_are_only_whitespace_of_a_text(tmp_path: Path, separator: str) -> None:
    assert texts(put(tmp_path / "a.txt", f"one{separator}{separator}two\n\nthree")) == ["one two", "three"]


def test_invalid_utf8_in_text_refuses_its_paragraph_and_names_the_byte(tmp_path: Path) -> None:
    path = put(tmp_path / "a.txt", b"Good\n\nfirst\nna\xefve\n\nAfter")
    reading = read_inputs([path])
    assert reading.table["text"].tolist() == ["Good", "After"]
    assert reading.table["position"].tolist() == [0, 2]
    assert [str(reject) for reject in reading.rejects] == [
        f"{path}:3: text must be valid UTF-8; got byte 0xef at byte 8 of the text"
    ]
    with pytest.raises(CorpusError, match=r"a\.txt:3: text must be valid UTF-8"):
        read_paragraphs(path)


@pytest.mark.parametrize(
    "long", [b"x" * (MAX_RECORD_BYTES + 1), b"a" + b" " * MAX_RECORD_BYTES + b"z", (b" " * (MAX_RECORD_BYTES // 2) + b"a\n") * 2]
)
def test_overlong_paragraph_is_refused_whole(tmp_path: Path, long: bytes) -> None:
    path = put(tmp_path / "a.txt", b"Before\n\n" + long + b"\n\nAfter")
    reading = read_inputs([path])
    assert reading.table["text"].tolist() == ["Before", "After"]
    assert [str(reject) for reject in reading.rejects] == [f"{path}:3: a paragraph must have at most 8388608 bytes; got more"]
    assert len(reading.rejects[0].excerpt) <= 80


LIMITED = """
import resource, sys
from pathlib import Path
import newswinnow.harvest.html
import pandas
from newswinnow.corpus.rejects import CorpusError
from newswinnow.harvest.inputs import read_inputs
in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (in_use + (300 << 20),) * 2)
for path in sys.argv[1:]:
    try:
        rejects = read_inputs([path]).rejects
    except CorpusError as error:
        rejects = error.rejects
    print(*(reject.reason for reject in rejects))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's account of its memory")
def test_huge_records_are_refused_without_holding_them(tmp_path: Path) -> None:
    heads = {"jsonl": b'{"page": "p", "text": "', "csv": b"page,position,text\np,0,", "txt": b"x", "html": b"<p>"}
    paths = [put(tmp_path / f"huge.{name}", head) for name, head in heads.items()]
    for path in paths:
        with path.open("r+b") as file:
            file.truncate(100 << 20)
    found = subprocess.run([sys.executable, "-c", LIMITED, *paths], capture_output=True, text=True, check=False)
    assert found.stderr == ""
    assert [int(line.partition("must have at most ")[2].split()[0]) for line in found.stdout.splitlines()] == [
        MAX_RECORD_BYTES,
        MAX_RECORD_BYTES,
        MAX_RECORD_BYTES,
        html.MAX_HTML_BYTES,
    ]


def test_overlong_blank_line_is_no_border(tmp_path: Path) -> None:
    reading = read_inputs([put(tmp_path / "a.txt", b"one\n" + b" " * (MAX_RECORD_BYTES + 1) + b"two\nthree")])
    assert len(reading.table) == 0
    assert [reject.line for reject in reading.rejects] == [1]


@pytest.mark.parametrize("suffix", ["html", "htm", "HTML", "html.gz"])
def test_html_is_read_with_its_hints(tmp_path: Path, suffix: str) -> None:
    data = b"<h1>Ferry</h1><p><a href=x>More</a></p>"
    table = read_paragraphs(put(tmp_path / f"a.{suffix}", gzip.compress(data) if suffix.endswith("gz") else data))
    assert table.to_dict("list") == {
        "page": ["a", "a"],
        "position": [0, 1],
        "text": ["Ferry", "More"],
        "tag": ["h1", "p"],
        "link_density": [0.0, 1.0],
    }


def test_bad_html_is_one_reject_that_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = put(tmp_path / "bad.html", b"<meta charset=utf-8><p>\xff</p>")
    good = put(tmp_path / "good.html", b"<p>Good</p>")
    reading = read_inputs([bad, good])
    assert reading.table["text"].tolist() == ["Good"]
    assert [str(reject) for reject in reading.rejects] == [f"{bad}: must be valid UTF-8; got byte 0xff at byte 23 of the page"]
    monkeypatch.setattr(html, "MAX_HTML_BYTES", 12)
    reading = read_inputs([bad, good])
    assert [str(reject) for reject in reading.rejects] == [f"{bad}: an HTML page must have at most 12 bytes; got 13"]


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("file_format", ["txt", "html", "jsonl", "csv", "tsv"])
def test_empty_file_is_an_empty_table_with_the_columns(tmp_path: Path, file_format: str, suffix: str) -> None:
    table = read_paragraphs(put(tmp_path / f"a.{file_format}{suffix}", gzip.compress(b"") if suffix else b""))
    assert len(table) == 0
    assert list(table.columns) == ["page", "position", "text"]


@pytest.mark.parametrize("file_format", ["jsonl", "csv", "tsv", "parquet"])
def test_table_files_keep_their_own_pages(tmp_path: Path, file_format: str) -> None:
    table = read_paragraphs(put(tmp_path / "in.txt"))
    path = tmp_path / f"out.{file_format}"
    write_table(table, path, file_format=file_format)
    assert read_paragraphs(path).equals(table)


def test_empty_text_is_kept_with_its_status_on_demand(tmp_path: Path) -> None:
    path = put(tmp_path / "a.jsonl", JSONL + b'{"page":"p","position":1,"text":"\\u2028"}\n')
    table = read_inputs([path], rules=RecordRules(keeps_empty=True)).table
    assert table["text"].tolist() == ["Share", ""]
    assert table["status"].isna().tolist() == [True, False]
    assert table["status"].tolist()[1] == "empty"
    with pytest.raises(CorpusError, match=r"a\.jsonl:2: text must not be empty; got "):
        read_paragraphs(path)


def test_directory_is_searched_in_order_of_names_with_relative_page_ids(tmp_path: Path) -> None:
    root = tmp_path / "crawl"
    for name in ("b/deep/two.htm", "b/one.TXT", "a.v2.txt", "c.txt.gz"):
        put(root / name, gzip.compress(b"Share") if name.endswith("gz") else "Share")
    put(root / "d.jsonl", JSONL)
    put(root / "notes.md", "not read")
    put(root / "archive.gz", "not read")
    table = read_paragraphs(root)
    assert table["page"].tolist() == ["a.v2", "b/deep/two", "b/one", "c", "p"]
    assert read_paragraphs(str(root)).equals(table)


def test_hidden_files_links_and_pipes_in_a_directory_are_passed_over(tmp_path: Path) -> None:
    root = tmp_path / "crawl"
    put(root / "seen.txt", "Seen")
    put(root / ".hidden.txt", "no")
    put(root / ".git" / "a.txt", "no")
    outside = put(tmp_path / "outside" / "a.txt", "no")
    (root / "link.txt").symlink_to(outside)
    (root / "folder").symlink_to(outside.parent)
    (root / "loop").symlink_to(root)
    (root / "broken.txt").symlink_to(tmp_path / "absent.txt")
    os.mkfifo(root / "pipe.txt")
    assert texts(root) == ["Seen"]
    assert passed_over_in([root, root / "link.txt", "-"]) == {"link": 4, "pipe": 1}


def test_hidden_directory_and_link_named_by_the_user_are_read(tmp_path: Path) -> None:
    path = put(tmp_path / ".cache" / "a.txt", "Seen")
    (tmp_path / "link.txt").symlink_to(path)
    assert texts(tmp_path / ".cache") == ["Seen"]
    assert texts(tmp_path / "link.txt") == ["Seen"]
    assert texts(put(tmp_path / ".dot.txt", "Named")) == ["Named"]


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("a.txt", "a"),
        ("a.txt.gz", "a"),
        ("A.TXT.GZ", "A"),
        ("a.b.html", "a.b"),
        ("a.txt.html", "a.txt"),
        ("é ü.txt", "é ü"),
        ("CON.txt", "CON"),
    ],
)
def test_page_id_of_a_named_file_is_its_name_without_extensions(tmp_path: Path, name: str, page: str) -> None:
    assert [item.page for item in expand_inputs([put(tmp_path / "folder" / name, b"")])] == [page]


@pytest.mark.parametrize(("name", "page"), [("page", "page"), ("v1.2", "v1.2"), (".gz", ".gz"), ("a.md", "a.md")])
def test_page_id_of_a_file_without_a_known_extension(tmp_path: Path, name: str, page: str) -> None:
    assert [item.page for item in expand_inputs([put(tmp_path / name)], file_format="txt")] == [page]


def test_pages_of_one_name_get_the_path_as_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a/page.txt", "b/page.html", "c/other.txt"):
        put(Path(name))
    pages = [item.page for item in expand_inputs(["a/page.txt", "b/page.html", Path("c/other.txt")])]
    assert pages == ["a/page", "b/page", "other"]


def test_pages_that_differ_only_in_their_extension_keep_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("d/page.txt", "d/page.html", "d/other.txt"):
        put(Path(name), "Share")
    assert sorted(read_paragraphs("d")["page"]) == ["d/page.html", "d/page.txt", "other"]


def test_file_called_stdin_is_not_taken_for_it(tmp_path: Path, pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    put(Path("stdin.txt"), "From a file")
    pipe(b"From a pipe")
    table = read_paragraphs("-", "stdin.txt")
    assert table[["page", "text"]].to_numpy().tolist() == [["stdin", "From a pipe"], ["stdin.txt", "From a file"]]


def test_table_files_of_one_name_do_not_matter(tmp_path: Path) -> None:
    put(tmp_path / "a" / "t.jsonl", JSONL)
    path = put(tmp_path / "t.txt", "Share")
    assert sorted(read_paragraphs(tmp_path / "a" / "t.jsonl", path)["page"]) == ["p", "t"]


def test_same_file_twice_is_refused_naming_both_lines(tmp_path: Path) -> None:
    path = put(tmp_path / "a.jsonl", JSONL)
    with pytest.raises(
        CorpusError, match=r"a\.jsonl:1: page and position must be unique; got page 'p' .*, first at .*a\.jsonl:1$"
    ):
        read_paragraphs(path, path)


def test_missing_path_is_named(tmp_path: Path) -> None:
    for name in ("no.txt", "no.jsonl", "no"):
        with pytest.raises(FileNotFoundError, match=rf"{name}: must be an existing file or directory; got nothing there$"):
            read_paragraphs(tmp_path / name)


@pytest.mark.parametrize(("name", "got"), [("a.pdf", "'.pdf'"), ("a", "'no suffix'"), ("a.gz", "'.gz'"), (".txt", "'no suffix'")])
def test_unknown_kind_of_file_is_named(tmp_path: Path, name: str, got: str) -> None:
    with pytest.raises(CorpusError, match=rf"{name}: must end in one of \.txt, .*, each also \.gz or \.zst; got {got}$"):
        read_paragraphs(put(tmp_path / name))


def test_format_named_goes_before_the_suffix(tmp_path: Path) -> None:
    path = put(tmp_path / "a.txt", JSONL)
    assert read_paragraphs(path, file_format="jsonl")["page"].tolist() == ["p"]
    assert read_paragraphs(path)["text"].tolist() == [JSONL.decode().strip()]
    with pytest.raises(ValueError, match=r"^file_format: must be one of txt, html, htm, jsonl, .*, warc, wet; got 'xml'$"):
        read_paragraphs(path, file_format="xml")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"The ferry\nsails.\n\nShare", [["stdin", "The ferry sails."], ["stdin", "Share"]]),
        (b"\xef\xbb\xbf\r\n<!doctype html><p>A</p><p>B</p>", [["stdin", "A"], ["stdin", "B"]]),
        (JSONL, [["p", "Share"]]),
        (b"\xef\xbb\xbf \n\n" + JSONL, [["p", "Share"]]),
        (b'{ "page":"p","position":0,"text":"a"}\r{"page":"p","position":1,"text":"b"}', [["p", "a"], ["p", "b"]]),
        (b'{"page":"p","position":0,"text":"' + b"a " * 100_000 + b'"}', [["p", ("a " * 100_000).strip()]]),
        (b"{curly} beginnings\n\n[are] text", [["stdin", "{curly} beginnings"], ["stdin", "[are] text"]]),
        (b"page,position,text\np,0,a", [["stdin", "page,position,text p,0,a"]]),
        (b"", []),
    ],
)
def test_standard_input_is_told_by_its_beginning(pipe: Pipe, data: bytes, expected: list[list[str]]) -> None:
    buffer = pipe(data)
    assert read_paragraphs("-")[["page", "text"]].to_numpy().tolist() == expected
    assert not buffer.closed


def test_standard_input_that_trickles_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb", buffering=0) as sink, os.fdopen(reading, "rb") as source:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=source))
        sink.write(b"\n")
        source.peek()  # The first piece that came holds no more than a newline.
        sink.write(JSONL)
        sink.close()
        assert texts("-") == ["Share"]


def test_broken_first_record_on_standard_input_is_refused_not_read_as_prose(pipe: Pipe) -> None:
    pipe(b'{"page":"p","position":\n' + JSONL)
    reading = read_inputs(["-"])
    assert reading.table["text"].tolist() == ["Share"]
    assert str(reading.rejects[0]).startswith("stdin:1: must be valid JSON; got ")


@pytest.mark.parametrize(
    ("file_format", "data"),
    [
        ("csv", b'page,position,text\np,0,"<p>a</p>"'),
        ("tsv", b"page\tposition\ttext\np\t0\t<p>a</p>"),
        ("txt", b"<p>a</p>"),
        ("jsonl", b'{"page":"p","position":0,"text":"<p>a</p>"}'),
    ],
)
def test_standard_input_of_a_named_format_is_not_sniffed(pipe: Pipe, file_format: str, data: bytes) -> None:
    buffer = pipe(data)
    assert read_paragraphs("-", file_format=file_format)["text"].tolist() == ["<p>a</p>"]
    assert not buffer.closed


def test_standard_input_longer_than_what_is_sniffed_is_whole(pipe: Pipe) -> None:
    pipe(b"".join(b'{"page":"p","position":%d,"text":"paragraph %d"}\n' % (i, i) for i in range(5000)))
    assert texts("-") == [f"paragraph {i}" for i in range(5000)]


def test_parquet_on_standard_input_is_refused(pipe: Pipe) -> None:
    pipe(b"PAR1")
    with pytest.raises(CorpusError, match=r"^stdin: must be one of txt, html, jsonl, csv, tsv; got parquet$"):
        read_paragraphs("-", file_format="parquet")


def test_file_name_that_is_not_utf8_is_refused_by_name(tmp_path: Path) -> None:
    path = put(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt")), "Share")
    reading = read_inputs([path])
    assert len(reading.table) == 0
    assert reading.rejects[0].reason == "page must be valid UTF-8; got byte 0xe9 at byte 3 of the page"


@pytest.mark.parametrize("name", ["a.txt.gz", "a.html.gz", "a.csv.gz"])
def test_truncated_gzip_fails_as_a_whole(tmp_path: Path, name: str) -> None:
    whole = gzip.compress(os.urandom(5000))
    for n_kept in (0, 5, len(whole) // 2, len(whole) - 1):
        with pytest.raises(CorpusError, match=rf"{name}: must be a whole gzip file; got "):
            read_inputs([put(tmp_path / name, whole[:n_kept])])


@given(st.binary(max_size=120), st.sampled_from(["txt", "html", "jsonl", "csv", "tsv", "parquet", "txt.gz"]))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_in_any_format_give_a_table_or_a_typed_refusal(tmp_path: Path, data: bytes, suffix: str) -> None:
    path = put(tmp_path / f"fuzz.{suffix}", data)
    rejects: tuple[Reject, ...] = ()
    try:
        reading = read_inputs([path])
    except CorpusError as error:
        rejects = error.rejects
    else:
        rejects = reading.rejects
        assert reading.n_records == len(reading.table) + len(reading.rejects)
        assert reading.table["text"].map(bool).all()
    assert all("; got " in reject.reason for reject in rejects)
    assert all(reject.source == str(path) for reject in rejects)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=15), max_size=6))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_text_paragraphs_come_back_as_written(tmp_path: Path, paragraphs: list[str]) -> None:
    kept = [" ".join(text.split()) for text in paragraphs]
    path = put(tmp_path / "a.txt", "\n\n".join(kept))
    expected = [text for text in kept if text]
    if expected and expected[0] == kept[0]:
        expected[0] = expected[0].removeprefix("\ufeff")
    assert texts(path) == [text for text in expected if text]
