"""Fetching from a server on this machine: whole, cut, forged, absent, unwilling."""

import hashlib
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from newswinnow.corpus.rejects import CorpusError
from newswinnow.harvest.download import DownloadError, ResumingDownloader
from newswinnow.harvest.fetch import (
    COLLECTIONS,
    Collection,
    Fetched,
    collection_directory,
    collection_named,
    default_cache,
    fetch,
    fetched_directory,
    file_sha256,
    parse_registry,
)

SHARED = Path(__file__).resolve().parents[3] / "shared" / "sources"
FILES = {
    "dev/html/0001.html.gz": b"bridge " * 5000,
    "dev/ground-truth/0001.json": b'{"ground_truth": {}}',
    "dev/html/0002.html.gz": b"ferry " * 300,
}


@dataclass
class Behaviour:
    """What the server does, and what it was asked."""

    files: dict[str, bytes] = field(default_factory=lambda: dict(FILES))
    cut_after: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    knows_ranges: bool = True
    wrong_range: bool = False
    retry_after: str = "0"
    asked: list[tuple[str, str | None]] = field(default_factory=list)


@dataclass(frozen=True)
class Server:
    """A running server: its address and its behaviour."""

    url: str
    behaviour: Behaviour


class PageServer(ThreadingHTTPServer):
    """A server with its behaviour."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviour = Behaviour()


class Handler(BaseHTTPRequestHandler):
    """Answers as the behaviour says."""

    server: PageServer

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def refuse(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Retry-After", self.server.behaviour.retry_after)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_HEAD(self) -> None:
        self.refuse(200 if self.path.removeprefix("/") in self.server.behaviour.files else 404)

    def do_GET(self) -> None:
        behaviour = self.server.behaviour
        wanted = self.headers.get("Range")
        behaviour.asked.append((self.path.removeprefix("/"), wanted))
        data = behaviour.files.get(self.path.removeprefix("/"))
        if behaviour.statuses:
            self.refuse(behaviour.statuses.pop(0))
        elif data is None:
            self.refuse(404)
        else:
            self.serve(data, int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and behaviour.knows_ranges else 0)

    def serve(self, data: bytes, offset: int) -> None:
        behaviour = self.server.behaviour
        if offset >= len(data):
            self.refuse(416)
            return
        self.send_response(206 if offset else 200)
        if offset:
            self.send_header("Content-Range", f"bytes {offset + behaviour.wrong_range}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - offset))
        self.end_headers()
        n_bytes = behaviour.cut_after.pop(0) if behaviour.cut_after else len(data)
        self.wfile.write(data[offset : offset + n_bytes])
        self.close_connection = offset + n_bytes < len(data)


@pytest.fixture
def server() -> Iterator[Server]:
    with PageServer() as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Server(f"http://127.0.0.1:{httpd.server_port}/", httpd.behaviour)
        httpd.shutdown()
        thread.join()


@dataclass(frozen=True)
class InventedCollection(Collection):
    """A collection whose registry is given instead of read."""

    digests: tuple[tuple[str, str], ...] = ()

    @property
    def registry(self) -> dict[str, str]:
        return dict(self.digests)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def collection(server: Server, monkeypatch: pytest.MonkeyPatch) -> InventedCollection:
    monkeypatch.setattr("newswinnow.harvest.download.time.sleep", lambda seconds: None)
    return InventedCollection(
        "invented",
        "Invented pages",
        "http://home.example",
        "CC0-1.0",
        revision="0123456789abcdef",
        address=server.url,
        digests=tuple((path, sha256(data)) for path, data in FILES.items()),
    )


def assert_whole(fetched: Fetched) -> None:
    for path, data in FILES.items():
        assert (fetched.directory / path).read_bytes() == data
    assert json.loads((fetched.directory / "fetched.json").read_text())["revision"] == "0123456789abcdef"


def test_files_are_brought_once_and_a_receipt_is_left(collection: InventedCollection, server: Server, tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    fetched = fetch(collection, cache=tmp_path, progress=lambda *step: steps.append(step))
    assert fetched.directory == tmp_path / "invented-0123456789ab"
    assert (fetched.n_files, fetched.n_new, fetched.differing) == (3, 3, ())
    assert steps == [("fetching invented", n, 3) for n in (1, 2, 3)]
    assert_whole(fetched)
    n_asked = len(server.behaviour.asked)
    assert fetch(collection, cache=tmp_path).n_new == 0
    assert len(server.behaviour.asked) == n_asked


def test_a_cut_connection_goes_on_where_it_stopped(collection: InventedCollection, server: Server, tmp_path: Path) -> None:
    collection = replace(collection, digests=collection.digests[:1])
    server.behaviour.cut_after = [9000, 20000]
    fetched = fetch(collection, cache=tmp_path)
    assert (fetched.directory / "dev/html/0001.html.gz").read_bytes() == FILES["dev/html/0001.html.gz"]
    assert [wanted for _, wanted in server.behaviour.asked] == [None, "bytes=8192-", "bytes=24576-"]


def test_a_fetch_given_up_goes_on_in_the_next_one(collection: InventedCollection, server: Server, tmp_path: Path) -> None:
    collection = replace(collection, digests=collection.digests[:1])
    server.behaviour.cut_after = [5000] * 4
    with pytest.raises(DownloadError, match=r"0001\.html\.gz: must be downloadable; got \w+ in 4 tries$"):
        fetch(collection, cache=tmp_path)
    directory = collection_directory(collection, tmp_path)
    assert not (directory / "dev/html/0001.html.gz").exists()
    assert not (directory / "fetched.json").exists()
    fetch(collection, cache=tmp_path)
    assert server.behaviour.asked[-1] == ("dev/html/0001.html.gz", "bytes=16384-")


@pytest.mark.parametrize(("knows_ranges", "wrong_range"), [(False, False), (True, True)])
def test_a_server_that_does_not_give_the_part_asked_for(
    knows_ranges: bool, wrong_range: bool, collection: InventedCollection, server: Server, tmp_path: Path
) -> None:
    server.behaviour.knows_ranges, server.behaviour.wrong_range = knows_ranges, wrong_range
    server.behaviour.cut_after = [5000]
    assert_whole(fetch(collection, cache=tmp_path))


def test_a_leftover_longer_than_the_file_is_thrown_away(collection: InventedCollection, server: Server, tmp_path: Path) -> None:
    url = server.url + "dev/html/0002.html.gz"
    partial = collection_directory(collection, tmp_path) / ".partial" / sha256(url.encode())[:32]
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"x" * 5000)
    assert_whole(fetch(collection, cache=tmp_path))
    assert ("dev/html/0002.html.gz", "bytes=5000-") in server.behaviour.asked


def test_a_wrong_checksum_is_refused_and_nothing_left(collection: InventedCollection, server: Server, tmp_path: Path) -> None:
    server.behaviour.files["dev/html/0002.html.gz"] = b"forged"
    rule = f"must have the sha256 {sha256(FILES['dev/html/0002.html.gz'])}; got {sha256(b'forged')}"
    with pytest.raises(ValueError, match=rf"^{re.escape(server.url)}dev/html/0002\.html\.gz: {rule}$"):
        fetch(collection, cache=tmp_path)
    directory = collection_directory(collection, tmp_path)
    assert not (directory / "dev/html/0002.html.gz").exists()
    assert not (directory / "fetched.json").exists()


def test_a_file_damaged_on_disk_is_brought_again(collection: InventedCollection, tmp_path: Path) -> None:
    fetched = fetch(collection, cache=tmp_path)
    (fetched.directory / "dev/html/0002.html.gz").write_bytes(b"damaged")
    again = fetch(collection, cache=tmp_path)
    assert again.n_new == 1
    assert_whole(again)


def test_a_file_that_may_differ_is_reported(collection: InventedCollection, server: Server, tmp_path: Path) -> None:
    collection = replace(collection, may_differ=("*.json",))
    server.behaviour.files["dev/ground-truth/0001.json"] = b"{}"
    fetched = fetch(collection, cache=tmp_path)
    assert fetched.differing == ("dev/ground-truth/0001.json",)
    receipt = json.loads((fetched.directory / "fetched.json").read_text())
    assert receipt["differing"] == ["dev/ground-truth/0001.json"]


def test_404_is_final(collection: InventedCollection, server: Server, tmp_path: Path) -> None:
    del server.behaviour.files["dev/html/0002.html.gz"]
    with pytest.raises(DownloadError, match=r"dev/html/0002\.html\.gz: must be downloadable; got 404 Not Found$"):
        fetch(collection, cache=tmp_path)
    assert [path for path, _ in server.behaviour.asked].count("dev/html/0002.html.gz") == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again(status: int, collection: InventedCollection, server: Server, tmp_path: Path) -> None:
    server.behaviour.statuses = [status, status]
    assert_whole(fetch(collection, cache=tmp_path))
    assert len(server.behaviour.asked) == 5


@pytest.mark.parametrize(("retry_after", "waited"), [("7", [7.0] * 3), ("900", [60.0] * 3), ("Fri, 1 Jan", [1.0, 2.0, 4.0])])
def test_waits_as_the_server_says_within_reason(
    retry_after: str,
    waited: list[float],
    collection: InventedCollection,
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seconds: list[float] = []
    monkeypatch.setattr("newswinnow.harvest.download.time.sleep", seconds.append)
    server.behaviour.statuses, server.behaviour.retry_after = [503] * 4, retry_after
    with pytest.raises(DownloadError, match="got 503 Service Unavailable in 4 tries"):
        fetch(replace(collection, digests=collection.digests[:1]), cache=tmp_path)
    assert seconds == waited


def test_no_server_at_all(collection: InventedCollection, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"http://127\.0\.0\.1:9/.* must be downloadable; got ConnectionError in 4 tries"):
        fetch(collection, cache=tmp_path, mirror="http://127.0.0.1:9")


def test_pooch_may_ask_whether_a_file_is_there(server: Server, tmp_path: Path) -> None:
    downloader = ResumingDownloader(tmp_path)
    assert downloader(server.url + "dev/html/0001.html.gz", "", None, check_only=True) is True
    assert downloader(server.url + "nothing", "", None, check_only=True) is False


def write_copy(folder: Path) -> Path:
    for path, data in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def test_a_copy_serves_instead_of_the_network(collection: InventedCollection, server: Server, tmp_path: Path) -> None:
    fetched = fetch(collection, cache=tmp_path / "cache", copy_from=write_copy(tmp_path / "copy"))
    assert_whole(fetched)
    assert (fetched.n_files, fetched.n_new) == (3, 3)
    assert server.behaviour.asked == []


def test_a_copy_with_faults_names_them_all_and_is_not_taken(collection: InventedCollection, tmp_path: Path) -> None:
    copy = write_copy(tmp_path / "copy")
    (copy / "dev/html/0001.html.gz").write_bytes(b"forged")
    (copy / "dev/html/0002.html.gz").unlink()
    with pytest.raises(CorpusError, match=r"0001\.html\.gz: must have the sha256 \w+; got \w+\n.*0002.*got nothing there"):
        fetch(collection, cache=tmp_path, copy_from=copy)
    assert not (collection_directory(collection, tmp_path) / "fetched.json").exists()


def test_a_link_in_a_copy_is_not_followed(collection: InventedCollection, tmp_path: Path) -> None:
    copy = write_copy(tmp_path / "copy")
    target = copy / "dev/html/0002.html.gz"
    target.rename(tmp_path / "elsewhere")
    target.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CorpusError, match="must be a file of the copy"):
        fetch(collection, cache=tmp_path, copy_from=copy)


def test_registry_is_that_of_sha256sum(tmp_path: Path) -> None:
    write_copy(tmp_path)
    said = subprocess.run(["sha256sum", *FILES], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert parse_registry(said) == {path: sha256(data) for path, data in FILES.items()}


@pytest.mark.parametrize("name", sorted(COLLECTIONS))
def test_collections_are_pinned_to_a_commit_and_have_a_digest_for_every_file(name: str) -> None:
    collection = collection_named(name)
    assert re.fullmatch(r"[0-9a-f]{40}", collection.revision)
    assert collection.base_url.startswith("https://")
    assert collection.revision in collection.base_url
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in collection.registry.values())
    pages = [path for path in collection.registry if path.endswith(".html.gz")]
    assert all(map(collection.is_settled, pages))
    assert len(pages) == {"wcxb": 1050, "fundus": 84}[name]
    for path in collection.registry:
        assert not path.startswith("/")
        assert ".." not in path.split("/")


@pytest.mark.parametrize("name", sorted(COLLECTIONS))
def test_registry_is_that_of_the_shared_copy(name: str) -> None:
    if not SHARED.is_dir():
        pytest.skip("needs ../shared/sources, copies of the public collections")
    folder = SHARED / name
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name.endswith((".html.gz", ".json", ".info")))
    found = [(path.relative_to(folder).as_posix(), file_sha256(path)) for path in files]
    assert found == list(COLLECTIONS[name].registry.items())


def test_a_collection_must_be_known_and_fetched(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="NAME: must be one of wcxb, fundus; got 'other'"):
        collection_named("other")
    with pytest.raises(FileNotFoundError, match=r"must be a fetched collection; got none \(newswinnow corpus fetch wcxb\)"):
        fetched_directory("wcxb", cache=tmp_path)
    with pytest.raises(ValueError, match="source folder: must have a path"):
        fetched_directory("folder", cache=tmp_path)


def test_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NEWSWINNOW_CACHE", str(tmp_path))
    assert default_cache() == tmp_path
    monkeypatch.delenv("NEWSWINNOW_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_cache() == tmp_path / "xdg" / "newswinnow"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_cache() == tmp_path / ".cache" / "newswinnow"
