"""``newswinnow corpus fetch``, ``build`` and ``release-labels``: exit codes and what is said, on good and bad input."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from newswinnow.harvest import fetch
from newswinnow.harvest.releases import read_release

PAGE = "<p>Home</p><p>The old bridge over the Tarn closed on Monday for repairs.</p>"
CONFIG = """
output = "corpus.jsonl"
[[source]]
reader = "folder"
name = "mine"
path = "pages"
keep_unlabelled = true
"""


@dataclass(frozen=True)
class SmallCollection(fetch.Collection):
    """A collection of one file."""

    @property
    def registry(self) -> dict[str, str]:
        return {"a/page.html.gz": hashlib.sha256(b"page").hexdigest()}


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a collection called `small`."""
    small = SmallCollection("small", "Small pages", "https://home.example", "CC0-1.0", "0" * 40, "http://127.0.0.1:9/")
    monkeypatch.setitem(fetch.COLLECTIONS, "small", small)
    monkeypatch.setenv("NEWSWINNOW_CACHE", str(tmp_path / "cache"))
    (tmp_path / "copy" / "a").mkdir(parents=True)
    (tmp_path / "copy" / "a" / "page.html.gz").write_bytes(b"page")
    return tmp_path / "copy"


def test_fetch_prints_where_the_collection_is(copy: Path, tmp_path: Path, cli: Callable[..., Result]) -> None:
    result = cli("corpus", "fetch", "small", "--from", copy)
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path}/cache/small-000000000000\n")
    assert "Small pages, CC0-1.0, https://home.example\n1 files, 1 of them new\n" in result.stderr
    assert (tmp_path / "cache/small-000000000000/a/page.html.gz").read_bytes() == b"page"


def test_fetch_as_json(copy: Path, tmp_path: Path, cli: Callable[..., Result]) -> None:
    result = cli("corpus", "fetch", "small", "--from", copy, "--cache", tmp_path / "other", "--json")
    assert json.loads(result.stdout) == {
        "directory": f"{tmp_path}/other/small-000000000000",
        "revision": "0" * 40,
        "n_files": 1,
        "n_new": 1,
        "differing": [],
    }


def test_fetch_tells_of_files_that_differ(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Callable[..., Result]
) -> None:
    loose = SmallCollection("loose", "Loose pages", "h", "CC0-1.0", "1" * 40, "http://127.0.0.1:9/", may_differ=("*",))
    monkeypatch.setitem(fetch.COLLECTIONS, "loose", loose)
    (copy / "a" / "page.html.gz").write_bytes(b"another page")
    result = cli("corpus", "fetch", "loose", "--from", copy)
    assert result.exit_code == 0
    assert "1 differ from the digests known here" in result.stderr


def test_fetch_refuses_in_one_line(copy: Path, cli: Callable[..., Result]) -> None:
    result = cli("corpus", "fetch", "nothing")
    assert (result.exit_code, result.stderr) == (2, "NAME: must be one of wcxb, fundus, small; got 'nothing'\n")
    result = cli("corpus", "fetch", "small", "--from", copy / "absent")
    assert (result.exit_code, result.stderr) == (2, f"{copy}/absent: must be an existing directory; got nothing there\n")
    (copy / "a" / "page.html.gz").write_bytes(b"forged")
    result = cli("corpus", "fetch", "small", "--from", copy)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "a/page.html.gz: must have the sha256" in result.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one page and its configuration."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "bridge.html").write_text(PAGE)
    (tmp_path / "build.toml").write_text(CONFIG)
    return tmp_path


def add_release(folder: Path, cli: Callable[..., Result]) -> Result:
    row = {"page": "mine/bridge", "position": 0, "text": "Home", "label": "boilerplate"}
    (folder / "read.jsonl").write_text(json.dumps(row) + "\n")
    with (folder / "build.toml").open("a") as file:
        file.write('[[labels]]\nfile = "labels.csv.gz"\n')
    return cli("corpus", "release-labels", folder / "read.jsonl", "-o", folder / "labels.csv.gz")


def test_build_writes_the_corpus_and_says_what_is_in_it(folder: Path, cli: Callable[..., Result]) -> None:
    add_release(folder, cli)
    result = cli("corpus", "build", folder / "build.toml", "--workers", 1)
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["source", "pages", "paragraphs", "news", "boilerplate", "related-link", "unlabelled"]
    assert lines[2] == ["mine", "1", "2", "0", "1", "0", "1"]
    assert lines[6] == ["labels", "1", "1", "1", "0", "0", "1"]
    assert f"written: {folder}/corpus.jsonl, corpus.manifest.json" in result.stderr
    rows = [json.loads(line) for line in (folder / "corpus.jsonl").read_text().splitlines()]
    assert [(row["text"], row["label"], row["origin"]) for row in rows if row["label"]] == [("Home", "boilerplate", "read")]
    result = cli("corpus", "build", folder / "build.toml")
    assert result.exit_code == 2
    assert result.stderr == f"{folder}/corpus.jsonl: must not exist; got a file there (--overwrite replaces it)\n"


def test_build_as_json(folder: Path, cli: Callable[..., Result]) -> None:
    result = cli("corpus", "build", folder / "build.toml", "-w", 1, "-o", folder / "other.csv", "--json")
    found: dict[str, Any] = json.loads(result.stdout)
    assert found["output"] == f"{folder}/other.csv"
    assert found["corpus"]["paragraphs"] == 2
    assert found["dropped"] == {}


def test_build_says_where_the_corpus_is_without_detours(
    folder: Path, cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a").mkdir()
    monkeypatch.chdir(folder)
    result = cli("corpus", "build", "build.toml", "-w", 1, "-o", "a/../b/corpus.jsonl")
    assert result.stderr.endswith("written: b/corpus.jsonl, corpus.manifest.json\n")
    monkeypatch.chdir(folder / "a")
    result = cli("corpus", "build", "../build.toml", "-w", 1, "-o", "../corpus.jsonl", "--json")
    assert json.loads(result.stdout)["output"] == f"{folder}/corpus.jsonl"


def test_build_counts_what_is_no_file(folder: Path, cli: Callable[..., Result]) -> None:
    os.mkfifo(folder / "pages" / "pipe.html")
    (folder / "pages" / "loop").symlink_to(folder / "pages")
    (folder / "pages" / "linked.html").symlink_to(folder / "pages" / "bridge.html")
    result = cli("corpus", "build", folder / "build.toml", "-w", 1)
    assert result.exit_code == 0
    assert "passed over in mine: 2 links, 1 pipe\n" in result.stderr
    manifest = json.loads((folder / "corpus.manifest.json").read_text())
    assert manifest["sources"]["mine"]["passed_over"] == {"link": 2, "pipe": 1}
    assert manifest["corpus"]["pages"] == 1


def test_build_with_a_page_that_cannot_be_read_exits_1(folder: Path, cli: Callable[..., Result]) -> None:
    (folder / "pages" / "ferry.html").write_text("<p>The ferry sailed.")
    (folder / "pages" / "ferry.txt").write_bytes(b"\xff")
    result = cli("corpus", "build", folder / "build.toml", "-w", 1)
    assert result.exit_code == 1
    assert "left out: 1 page, unreadable" in result.stderr
    assert result.stderr.endswith("mine/ferry: ferry.txt: must be valid UTF-8; got byte 0xff at byte 0\n")
    assert (folder / "corpus.jsonl").exists()


def test_build_refuses_in_one_line(folder: Path, cli: Callable[..., Result]) -> None:
    result = cli("corpus", "build", folder / "absent.toml")
    assert (result.exit_code, result.stderr) == (2, f"{folder}/absent.toml: must be an existing TOML file; got nothing there\n")
    (folder / "build.toml").write_text(CONFIG + "colour = 1\n")
    result = cli("corpus", "build", folder / "build.toml")
    assert (result.exit_code, result.stderr) == (2, f"{folder}/build.toml: source.0.colour must be a known key; got 1\n")
    assert cli("corpus", "build", folder / "build.toml", "--workers", 0).exit_code == 2


def test_release_labels(folder: Path, cli: Callable[..., Result]) -> None:
    result = add_release(folder, cli)
    assert (result.exit_code, result.stdout) == (0, "1 labels on 1 pages\n")
    assert read_release(folder / "labels.csv.gz").n_labels == 1
    result = cli("corpus", "release-labels", folder / "read.jsonl", "-o", folder / "labels.csv.gz")
    assert result.exit_code == 2
    assert "must not exist; got a file there (--overwrite replaces it)" in result.stderr
    assert cli("corpus", "release-labels", folder / "read.jsonl", "-o", folder / "labels.csv.gz", "--overwrite").exit_code == 0
    result = cli("corpus", "release-labels", folder / "read.jsonl", "-o", folder / "read.jsonl", "--overwrite")
    assert (result.exit_code, result.stderr) == (2, f"{folder}/read.jsonl: must not be the table itself; got the same file\n")
