"""Every reader under broken, mutilated and random files: a table, rejects or a typed error with one line, nothing else.

500 inputs per reader; with `NEWSWINNOW_FUZZ=10000` that many, new ones every time.
"""

import gzip
import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newswinnow.corpus.exchange import TOOLS, export_table, import_labels
from newswinnow.corpus.parquet import write_parquet
from newswinnow.corpus.rejects import CorpusError
from newswinnow.corpus.review import REVIEW_COLUMNS, read_review
from newswinnow.corpus.tables import Reading, read_tables
from newswinnow.corpus.write import write_delimited, write_jsonl
from newswinnow.harvest.build_config import read_build_config
from newswinnow.harvest.inputs import read_inputs
from newswinnow.harvest.releases import read_release, release_labels, write_release
from newswinnow.harvest.sources import find_pages, load_page
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import LABEL, PAGE, POSITION, TEXT

EXTENDED = "NEWSWINNOW_FUZZ" in os.environ
N_INPUTS = int(os.environ.get("NEWSWINNOW_FUZZ", "500"))

TABLE = pd.DataFrame(
    {
        "page": ["a/1", "a/1", "b", "b"],
        "position": [0, 1, 0, 7],
        "text": ["Share", 'The mayor, "Ada", opened the bridge.', "=1+1", "Grüße \u2028 café 🎉"],
        "label": ["boilerplate", "news", "related-link", None],
        "site": ["a.example", "a.example", None, "b.example"],
        "link_density": [1.0, 0.0, 0.25, None],
        "votes": [3, 1, 2, 0],
    }
)
HTML = b"""<!DOCTYPE html><html><head><meta charset=utf-8><link rel=canonical href="https://www.a.example/x"></head><body>
<nav><ul><li><a href=/>Home</a><li>Menu</ul></nav><p>The <b>mayor</b> opened<br>the bridge.</p><!-- c --><table><tr><td>1</table>
<div style="display:none">x</div><template><p>t</p></template><svg><text>s</text></svg></body></html>"""
TEXT_PAGE = "Share\n\nThe mayor opened\nthe bridge.\r\n\r\n\u2028Read more\n".encode()
CONFIG = b"""output = "corpus.jsonl"
[[source]]
name = "mine"
reader = "folder"
path = "pages"
[[labels]]
file = "labels.csv.gz"
hold_out = true
"""
TOKENS = [
    *(
        b'"',
        b"'",
        b",",
        b"\t",
        b"\n",
        b"\r",
        b"\r\n",
        b"\x00",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xc3",
        b"\xe2\x80\xa8",
        b"\\",
    ),
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b"null",
        b"NaN",
        b"1e999",
        b"-1",
        b"9" * 30,
        b"true",
        b'"\\ud800"',
        b"[" * 300,
        b'{"a":' * 300,
    ),
    *(b'"page"', b'"text"', b'"position"', b'"label"', b"news", b"relatd", b"", b" ", b"\x1f\x8b", b"PAR1", b"__label__"),
    *(
        b"<",
        b">",
        b"<p>",
        b"</",
        b"<div>" * 200,
        b"<!--",
        b"<![CDATA[",
        b"&#0;",
        b"&#xD800;",
        b"<script>",
        b"<a href='",
        b"<?xml",
    ),
    *(b"charset=utf-16", b"charset=utf-7", b"charset=idna", b"charset=cp037", b"<svg>", b"<frameset>", b"<base href=//["),
    *(b"https://[", b"https://xn--", b"//..//", b"\xed\xa0\x80", b"'''", b"[[", b"="),
]


@dataclass(frozen=True)
class Target:
    """A reader: which file the fuzzer writes, good examples of it, and how it is read."""

    file: str
    examples: tuple[bytes, ...]
    read: Callable[[Path], Any]


def written(write: Callable[..., None], *arguments: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    write(TABLE, stream, *arguments, **options)
    return stream.getvalue()


def of_inputs(name: str) -> Callable[[Path], Any]:
    return lambda folder: read_inputs([folder / name])


def of_tables(name: str) -> Callable[[Path], Any]:
    return lambda folder: read_tables([folder / name], max_rejects=None)


def load_all(reader: str) -> Callable[[Path], Any]:
    return lambda folder: [load_page(files) for files in find_pages(reader, folder / reader, source="s")]


def tables() -> Iterator[tuple[str, Target]]:
    jsonl, csv = written(write_jsonl), written(write_delimited, delimiter=",")
    tsv, parquet = written(write_delimited, delimiter="\t"), written(write_parquet, where="t")
    for name, data in {"jsonl": jsonl, "csv": csv, "tsv": tsv, "parquet": parquet}.items():
        yield name, Target(f"t.{name}", (data,), of_tables(f"t.{name}"))
    for name, data in {"jsonl.gz": jsonl, "csv.gz": csv, "parquet.gz": parquet}.items():
        yield name, Target(f"t.{name}", (gzip.compress(data, mtime=0),), of_tables(f"t.{name}"))
    yield "txt", Target("t.txt", (TEXT_PAGE,), of_inputs("t.txt"))
    yield "txt.gz", Target("t.txt.gz", (gzip.compress(TEXT_PAGE, mtime=0),), of_inputs("t.txt.gz"))
    html = (
        HTML,
        b'<?xml version="1.0" encoding="latin-1"?>' + HTML.replace(b"mayor", b"maire \xe9"),
        HTML.decode().encode("utf-16"),
    )
    yield "html", Target("t.html", html, of_inputs("t.html"))
    yield "html.gz", Target("t.html.gz", (gzip.compress(HTML, mtime=0),), of_inputs("t.html.gz"))


def exchanges(folder: Path) -> Iterator[tuple[str, Target]]:
    for tool in TOOLS:
        export = export_table(TABLE, folder / f"{tool}.out", tool=tool)
        # What annotators are shown (Label Studio's XML) is written for the tool, never read.
        for path in [path for path in export.files if path.suffix != ".xml"]:
            # The other files of a tool stay good ones.
            read = lambda where, tool=tool: import_labels(where / f"{tool}.out", tool=tool)  # noqa: E731
            yield path.name.replace(".out", ""), Target(path.name, (path.read_bytes(),), read)


def review(folder: Path) -> Target:
    rows = [
        "\t".join(REVIEW_COLUMNS),
        "a/1\t1\tThe bridge\tnews\tboilerplate\t0.01\tboilerplate",
        'b\t0\t"x\ty"\tnews\tnews\t0.5\t',
    ]
    return Target("review.tsv", ("\n".join([*rows, ""]).encode(),), lambda where: read_review(where / "review.tsv"))


def release(folder: Path) -> Iterator[tuple[str, Target]]:
    for name in ("release.csv", "release.csv.gz"):
        write_release(release_labels(TABLE), folder / name)
        data = (folder / name).read_bytes()
        yield name, Target(name, (data,), lambda where, name=name: read_release(where / name))  # type: ignore[misc]


def sources(folder: Path) -> Iterator[tuple[str, Target]]:
    truth = {
        "url": "https://a.example/x",
        "ground_truth": {"main_content": "The mayor", "title": "T"},
        "_internal": {"page_type": {}},
    }
    version = {"title": "T", "body": {"summary": ["S"], "sections": [{"headline": ["H"], "paragraphs": ["The mayor"]}]}}
    files = {
        "wcxb/dev/html/1.html.gz": gzip.compress(HTML, mtime=0),
        "wcxb/dev/ground-truth/1.json": json.dumps(truth).encode(),
        "wcxb/metadata.json": json.dumps({"files": {"1": {"domain": "a.example"}}}).encode(),
        "fundus/uk/P_2024_01_02.html.gz": gzip.compress(HTML, mtime=0),
        "fundus/uk/P.json": json.dumps({"V1": version}).encode(),
        "fundus/uk/meta.info": json.dumps({"P_2024_01_02.html.gz": {"url": "https://p.example/"}}).encode(),
        "folder/x.html": HTML,
        "folder/x.txt": b"The mayor opened the bridge.",
        "folder/pages.csv": b"page,url,title,site\nx,https://a.example/x,T,\n",
    }
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
        yield f"source {name}", Target(name, (data,), load_all(name.partition("/")[0]))
    (folder / "build.toml").write_bytes(CONFIG)
    yield "build.toml", Target("build.toml", (CONFIG,), lambda where: read_build_config(where / "build.toml"))


@cache
def targets(folder: Path) -> dict[str, Target]:
    found = {
        **dict(tables()),
        **dict(exchanges(folder)),
        "review": review(folder),
        **dict(release(folder)),
        **dict(sources(folder)),
    }
    for target in found.values():
        (folder / target.file).write_bytes(target.examples[0])
    return found


EDITS = st.lists(
    st.tuples(st.integers(0, 1 << 16), st.integers(0, 40), st.one_of(st.sampled_from(TOKENS), st.binary(max_size=6))),
    min_size=1,
    max_size=5,
)


@st.composite
def mutilated(draw: st.DrawFn, examples: tuple[bytes, ...]) -> bytes:
    """A good file with pieces cut out, put in or replaced, or its end cut off."""
    data = draw(st.sampled_from(examples))
    for place, n_cut, token in draw(EDITS):
        at = place % (len(data) + 1)
        data = data[:at] + token + data[at + n_cut :]
    return data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) and draw(st.booleans()) else data


def broken(examples: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    tokens = st.lists(st.sampled_from(TOKENS), max_size=12).map(b"".join)
    return st.one_of(mutilated(examples), mutilated(examples), mutilated(examples), tokens, st.binary(max_size=120))


def check_table(table: pd.DataFrame) -> None:
    """What was read keeps the rules of the paragraph table, and can be written again."""
    assert not table.duplicated([PAGE, POSITION]).any()
    assert all(text and text == " ".join(text.split()) for text in table[TEXT])
    if LABEL in table.columns:
        assert set(table[LABEL].dropna()) <= set(LABELS)
    write_jsonl(table, io.BytesIO())
    write_delimited(table, io.BytesIO(), delimiter=",")


def check(target: Target, folder: Path, data: bytes) -> None:
    (folder / target.file).write_bytes(data)
    try:
        result = target.read(folder)
    except ValueError as error:
        check_error(error)
    else:
        if isinstance(result, Reading) or hasattr(result, "rejects"):
            check_table(result.table)
            for reject in result.rejects:
                assert json.dumps(reject.as_record(), ensure_ascii=False).encode()
                assert len(reject.excerpt) <= 80


def check_error(raised: ValueError) -> None:
    """A typed error, its message shown as it is: one line per bad record, encodable, of a length for people."""
    # Subclasses such as UnicodeDecodeError or JSONDecodeError say nothing of the file.
    assert type(raised) in (CorpusError, ValueError), repr(raised)
    assert str(raised).encode()
    assert all(len(line) < 2000 for line in str(raised).split("\n"))


NAMES = (
    *("jsonl", "csv", "tsv", "parquet", "jsonl.gz", "csv.gz", "parquet.gz", "txt", "txt.gz", "html", "html.gz"),
    *("label-studio", "doccano", "prodigy", "fasttext", "fasttext.ids.jsonl", "review", "release.csv", "release.csv.gz"),
    *("source wcxb/dev/html/1.html.gz", "source wcxb/dev/ground-truth/1.json", "source wcxb/metadata.json"),
    *("source fundus/uk/P_2024_01_02.html.gz", "source fundus/uk/P.json", "source fundus/uk/meta.info"),
    *("source folder/x.html", "source folder/x.txt", "source folder/pages.csv", "build.toml"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def test_every_reader_is_listed(folder: Path) -> None:
    assert sorted(targets(folder)) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_good_files_are_read(name: str, folder: Path) -> None:
    target = targets(folder)[name]
    for example in target.examples:
        (folder / target.file).write_bytes(example)
        target.read(folder)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        # A message that could not be encoded.
        ("csv", b"\x80", r"t\.csv:1: column names must be valid UTF-8; got '\\udc80'$"),
        # A message as long as the file.
        ("csv", b"<div>" * 400_000, r"t\.csv:1: must have the columns page, position, text; got <div>.{900,1000}…$"),
        ("build.toml", b'output = "' + b"x" * 9999 + b'"\nsource = []', r"build\.toml: output: must end in one of .{900,1000}…$"),
        # An error of the csv module as it came.
        ("source folder/pages.csv", b'"page\n', r"pages\.csv:1: must be valid CSV; got unexpected end of data$"),
    ],
)
def test_what_fuzzing_found_stays_mended(name: str, data: bytes, said: str, folder: Path) -> None:
    target = targets(folder)[name]
    (folder / target.file).write_bytes(data)
    try:
        with pytest.raises(CorpusError, match=said):
            target.read(folder)
    finally:
        (folder / target.file).write_bytes(target.examples[0])


@pytest.mark.parametrize("name", NAMES)
def test_a_broken_file_gives_a_table_rejects_or_a_typed_error(name: str, folder: Path) -> None:
    target = targets(folder)[name]

    @settings(
        max_examples=N_INPUTS,
        deadline=None,
        database=None,
        derandomize=not EXTENDED,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(data=broken(target.examples))
    def fuzz(data: bytes) -> None:
        check(target, folder, data)

    try:
        fuzz()
    finally:
        (folder / target.file).write_bytes(target.examples[0])
