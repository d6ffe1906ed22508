"""Damaged, odd and hostile inputs as a user meets them: `predict` and `predict --run` account for every record alike."""

import gzip
import io
import json
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import Result

NEWS = "The council voted on Monday to repair the old bridge over the Tarn."
HEADER = "page,position,text\n"


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    said: str
    rows: list[dict[str, Any]]
    rejects: list[dict[str, Any]]

    @property
    def texts(self) -> list[str]:
        return [row["text"] for row in self.rows]

    @property
    def reasons(self) -> list[str]:
        return [f"{reject['line']}: {reject['reason']}" for reject in self.rejects]


Predict = Callable[..., Outcome]


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line] if path.exists() else []


@pytest.fixture(params=["at once", "in bulk"])
def options(request: pytest.FixtureRequest, tmp_path: Path) -> list[Any]:
    """Where results go, without a run directory and with one; either way the same two files."""
    if request.param == "in bulk":
        return ["--run", tmp_path / "out", "-o", tmp_path / "out.jsonl"]
    (tmp_path / "out").mkdir()
    return ["-o", tmp_path / "out.jsonl", "--rejects", tmp_path / "out" / "rejects.jsonl"]


@pytest.fixture
def predict(cli: Callable[..., Result], saved_model: Any, options: list[Any], tmp_path: Path) -> Predict:
    """Predict one file, given its name and content."""

    def call(name: str, content: bytes, *more: object) -> Outcome:
        (tmp_path / name).write_bytes(content)
        result = cli("predict", tmp_path / name, *more, *saved_model.options, *options)
        found = Outcome(
            result.exit_code, result.stderr, records(tmp_path / "out.jsonl"), records(tmp_path / "out" / "rejects.jsonl")
        )
        assert "Traceback" not in result.stderr
        assert "\x1b" not in result.stderr
        assert found.code == 2 or found.code == (1 if found.rejects else 0)
        return found

    return call


def line(position: int, text: str = "Share", **more: object) -> bytes:
    return json.dumps({"page": "p", "position": position, "text": text, **more}).encode() + b"\n"


def parquet(texts: Any, **options: Any) -> bytes:
    table = pa.table({"page": ["p"] * len(texts), "position": range(len(texts)), "text": texts})
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


BAD_BYTES = {
    "a.jsonl": (line(0) + line(1, "zz").replace(b"zz", b"\xff") + line(2), 2, "must be valid UTF-8; got byte 0xff at byte "),
    "a.csv": (
        f"{HEADER}p,0,Share\np,1,zz\np,2,Share\n".encode().replace(b"zz", b"\xff"),
        3,
        "must be valid UTF-8; got byte 0xff",
    ),
    "a.tsv": (b"page\tposition\ttext\np\t0\tShare\np\t1\t\xff\np\t2\tShare\n", 3, "must be valid UTF-8; got byte 0xff"),
    "a.txt": (b"Share\n\nb\xff\n\nShare", 3, "must be valid UTF-8; got byte 0xff at byte "),
    "a.html": (b"<meta charset=utf-8><p>\xff</p>", None, "must be valid UTF-8; got byte 0xff at byte 23 of the page"),
    "a.parquet": (
        parquet(pa.array([b"Share", b"\xff", b"Share"], pa.binary()).view(pa.string())),
        2,
        "text must be valid UTF-8; got byte 0xff",
    ),
}


@pytest.mark.parametrize("name", BAD_BYTES)
def test_bytes_that_are_no_utf8_cost_their_record_and_nothing_is_replaced(name: str, predict: Predict) -> None:
    content, number, reason = BAD_BYTES[name]
    found = predict(name, content)
    assert found.code == 1 or name == "a.html"
    assert found.texts == ([] if name == "a.html" else ["Share", "Share"])
    assert reason in found.said
    assert [reject["line"] for reject in found.rejects] in ([number], [])
    assert "\ufffd" not in json.dumps(found.rows)


@pytest.mark.parametrize(("start", "end"), [(b"\xef\xbb\xbf", b"\n"), (b"", b"\r\n"), (b"", b"\r"), (b"\xef\xbb\xbf", b"\r\n")])
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.txt", "a.html"])
def test_marks_and_line_ends_are_no_text(start: bytes, end: bytes, name: str, predict: Predict) -> None:
    plain = {
        "a.jsonl": line(0) + line(1, NEWS),
        "a.csv": f"{HEADER}p,0,Share\np,1,{NEWS}\n".encode(),
        "a.txt": f"Share\n\n{NEWS}\n".encode(),
        "a.html": f"<p>Share\n</p>\n<p>{NEWS}</p>\n".encode(),
    }[name]
    found = predict(name, start + plain.replace(b"\n", end))
    assert (found.code, found.texts) == (0, ["Share", NEWS])
    assert [row["predicted"] for row in found.rows] == ["boilerplate", "news"]


def test_other_separators_never_cut_a_record(predict: Predict) -> None:
    raw = json.dumps({"page": "p", "position": 0, "text": "a\u2028b\u2029c\u0085d e"}, ensure_ascii=False).encode()
    vertical = line(1, "f\x0bg\x0ch")
    found = predict("a.jsonl", raw + b"\n" + vertical)
    assert (found.code, found.texts) == (0, ["a b c d e", "f g h"])


def test_control_characters_are_text(predict: Predict) -> None:
    found = predict("a.jsonl", line(0, "a\x00b\x1b[31mc") + line(1, "x", label="\x1b[2J"))
    assert (found.code, found.texts) == (1, ["a\x00b\x1b[31mc"])
    assert "got '\\x1b[2J'" in found.said


@pytest.mark.parametrize("name", ["jsonl", "csv", "tsv", "parquet"])
def test_a_lone_surrogate_is_refused_where_it_is_read(
    name: str, cli: Callable[..., Result], saved_model: Any, tmp_path: Path
) -> None:
    given = tmp_path / "a.jsonl"
    given.write_bytes(line(0) + b'{"page":"p","position":1,"text":"\\ud800"}\n')
    for i, options in enumerate([[], ["--run", tmp_path / "run"]]):
        result = cli("predict", given, *saved_model.options, *options, "-o", tmp_path / f"{i}.{name}")
        assert result.exit_code == 1
        assert f"{given}:2: must be valid JSON" in result.stderr or "surrogate" in result.stderr
        assert "1 boilerplate, 0 related-link, 1 rejected" in result.stderr


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b'{"page":"p","position":9,"text":NaN}', "must be valid JSON"),
        (b'{"page":"p","position":9,"text":"a","text":"b"}', "must name each key once; got text twice"),
        (b'{"page":"p","position":9,"text":"a","x":' + b"[" * 5000 + b"]" * 5000 + b"}", "must be"),
        (b'["p", 9, "a"]', "must be"),
        (b'{"page":"p","position":"9","text":"a"}', "position must be"),
        (b'{"page":"p","position":true,"text":"a"}', "position must be"),
        (b'{"page":7,"position":9,"text":"a"}', "page must be"),
        (
            b'{"page":"p","position":9,"text":"a","label":"News"}',
            "label must be one of news, boilerplate, related-link; got 'News'",
        ),
    ],
)
def test_what_is_no_record_is_set_aside_with_its_line(bad: bytes, reason: str, predict: Predict) -> None:
    found = predict("a.jsonl", line(0) + bad + b"\n" + line(1))
    assert (found.code, len(found.rows)) == (1, 2)
    assert [reject["line"] for reject in found.rejects] == [2]
    assert reason in found.rejects[0]["reason"]


@pytest.mark.parametrize(
    ("name", "content"), [("a.jsonl", b""), ("a.csv", HEADER.encode()), ("a.parquet", parquet(pa.array([], pa.string())))]
)
def test_nothing_in_is_a_valid_nothing_out(name: str, content: bytes, predict: Predict, tmp_path: Path) -> None:
    found = predict(name, content)
    assert (found.code, found.rows) == (0, [])
    assert (tmp_path / "out.jsonl").read_bytes() == b""


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_an_empty_text_keeps_its_row_and_gets_no_label(name: str, predict: Predict) -> None:
    content = {
        "a.jsonl": line(0) + line(1, " \u2003 "),
        "a.csv": f"{HEADER}p,0,Share\np,1,\u2003\n".encode(),
        "a.parquet": parquet(["Share", "\u2003"]),
    }[name]
    found = predict(name, content)
    assert found.code == 0
    assert [(row["predicted"], row.get("status")) for row in found.rows] == [("boilerplate", None), (None, "empty")]
    assert "1 empty" in found.said


def test_the_second_of_two_ids_is_refused_and_both_lines_named(predict: Predict, tmp_path: Path) -> None:
    found = predict("a.jsonl", line(0) + line(1) + line(0, "again"))
    assert found.reasons == [f"3: page and position must be unique; got page 'p' position 0 again, first at {tmp_path}/a.jsonl:1"]


@pytest.mark.parametrize(
    ("name", "content", "columns"),
    [
        ("a.jsonl", b'{"page":"p","pos":0,"text":"x"}\n', "page, pos, text"),
        ("a.csv", b"page,pos,text\np,0,x\n", "page, pos, text"),
        ("a.parquet", None, "page, txt"),
    ],
)
def test_a_missing_column_is_told_with_those_there_are(
    name: str, content: bytes | None, columns: str, predict: Predict, tmp_path: Path
) -> None:
    if content is None:
        pq.write_table(pa.table({"page": ["p"], "txt": ["x"]}), tmp_path / name)
        content = (tmp_path / name).read_bytes()
    found = predict(name, content)
    assert (found.code, found.rows) == (2, [])
    assert f"must have the columns page, position, text; got {columns}" in found.said


def test_a_column_named_twice_is_refused(predict: Predict) -> None:
    found = predict("a.csv", b"page,position,text,text\np,0,x,y\n")
    assert (found.code, found.rows) == (2, [])
    assert "must name each column once; got text twice" in found.said


def test_csv_is_never_shifted(predict: Predict) -> None:
    rows = [b'p,0,"a ""b"", c\nd"', b"p,1,x,one too many", b"p,2,NA", b"p,3", b"p,4,null"]
    found = predict("a.csv", HEADER.encode() + b"\n".join(rows) + b"\n")
    assert [(row["position"], row["text"]) for row in found.rows] == [(0, 'a "b", c d'), (2, "NA"), (4, "null")]
    assert [reject["line"] for reject in found.rejects] == [4, 6]


def test_the_first_row_of_a_csv_is_never_shifted_either(predict: Predict) -> None:
    found = predict("a.csv", HEADER.encode() + b"p,0,x,one too many\np,1,y\n")
    assert (found.code, found.texts, [reject["line"] for reject in found.rejects]) == (1, ["y"], [2])


def truncated(suffix: str, content: bytes) -> list[tuple[str, bytes]]:
    """A file cut off at twenty places: near its end, and evenly all over it."""
    kept = [len(content) - 1, len(content) - 9, *(len(content) * i // 19 for i in range(1, 19))]
    return [(f"{n}.{suffix}", content[:n]) for n in kept]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", HEADER.encode() + b'p,0,x\np,1,"never closed\np,2,y\n'),
        *truncated("jsonl.gz", gzip.compress(b"".join(line(i, f"{i * 7919}") for i in range(500)))),
        *truncated("parquet", parquet([f"{i * 7919}" for i in range(500)])),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_damaged_file_publishes_none_of_its_rows(name: str, content: bytes, predict: Predict, tmp_path: Path) -> None:
    found = predict(name, content)
    assert (found.code, found.rows) == (2, [])
    assert not (tmp_path / "out.jsonl").exists()
    assert f"{tmp_path}/{name}" in found.said


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl.gz", gzip.compress(line(0) + b" " * (40 << 20))),
        ("a.html.gz", gzip.compress(b"<p>" * (15 << 20))),
        ("a.parquet", parquet(["x" * 500_000] * 40, compression="zstd")),
    ],
    ids=["jsonl.gz", "html.gz", "parquet"],
)
def test_a_bomb_is_refused(name: str, content: bytes, predict: Predict, tmp_path: Path) -> None:
    found = predict(name, content)
    # In bulk a page is one record of many, and refusing it is no end.
    is_record = name == "a.html.gz" and bool(found.rejects)
    assert (found.code, found.rows) == (1 if is_record else 2, [])
    assert f"{tmp_path}/{name}: must not expand to more than 250 times its size; got " in found.said


def test_deep_html_is_read(predict: Predict) -> None:
    found = predict("a.html", b"<div>" * 200_000 + f"<p>{NEWS}".encode())
    assert (found.code, found.texts) == (0, [NEWS])


def test_html_reads_no_file_and_fetches_nothing(predict: Predict, tmp_path: Path) -> None:
    (tmp_path / "canary").write_text("CANARY", encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        host = f"http://127.0.0.1:{server.getsockname()[1]}"
        page = f"""<!DOCTYPE html SYSTEM "{host}/a.dtd" [<!ENTITY x SYSTEM "{(tmp_path / "canary").as_uri()}">]>
            <base href="{host}/"><script src=b></script><iframe src=c></iframe><img src=d><p>&x; {NEWS}</p>"""
        found = predict("a.html", page.encode())
        with pytest.raises(BlockingIOError, match="temporarily unavailable"):
            server.accept()
    assert found.code == 0
    assert NEWS in found.texts[-1]
    assert "CANARY" not in json.dumps(found.rows)


def test_messages_and_rejects_hold_no_more_than_the_beginning_of_a_text(predict: Predict) -> None:
    secret = "x" * 80 + "CANARY"
    bad = [
        line(0, secret, label=secret),
        line(1, secret, site=[secret]),
        line(-1, secret),
        b'{"text":"' + secret.encode() + b'"\n',
    ]
    found = predict("a.jsonl", line(7) + b"".join(bad) + line(8, secret) + line(8, secret))
    assert (found.code, len(found.rejects)) == (1, 5)
    assert "CANARY" not in found.said + json.dumps(found.rejects)
    assert all(len(reject["excerpt"]) <= 80 for reject in found.rejects)


@pytest.mark.parametrize("options", [[], ["--run", "run", "--workers", "1"]], ids=["at once", "in bulk"])
def test_a_line_of_100_megabytes_is_refused_in_bounded_memory(options: list[str], saved_model: Any, tmp_path: Path) -> None:
    with (tmp_path / "a.jsonl").open("wb") as file:
        file.write(line(0) + b'{"page":"p","position":1,"text":"')
        for _ in range(100):
            file.write(b"x" * (1 << 20))
        file.write(b'"}\n' + line(2))
    measured = "import resource, sys; from newswinnow.cli.main import run; "
    measured += "resource.setrlimit(resource.RLIMIT_DATA, (400 << 20, 400 << 20)); run()"
    command = [sys.executable, "-c", measured, "predict", "a.jsonl", *saved_model.options, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=120)
    assert done.returncode == 1, done.stderr
    assert "2 paragraphs: 0 news, 2 boilerplate, 0 related-link, 1 rejected" in done.stderr
    assert "a.jsonl:2: must have at most 8388608 bytes; got more" in done.stderr
