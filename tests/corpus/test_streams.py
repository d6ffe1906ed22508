"""Bytes in: opening, gzip guards, and cutting lines under a size limit."""

import gzip
import io
import os
import re
import sys
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswinnow.corpus import streams
from newswinnow.corpus.rejects import CorpusError
from newswinnow.corpus.streams import Line, iter_lines, open_bytes, position_of


class Repeated(io.RawIOBase):
    """A stream of one long line that is never in memory as a whole, with a short one after it."""

    def __init__(self, n_bytes: int) -> None:
        self._left = n_bytes
        self._end = b"\nend\n"

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        n = min(size, self._left)
        self._left -= n
        if n:
            return b"x" * n
        end, self._end = self._end, b""
        return end


def lines_of(data: bytes, *, max_bytes: int = 1000) -> list[bytes]:
    lines = list(iter_lines(io.BytesIO(data), max_bytes=max_bytes))
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    return [line.data for line in lines]


def reference_split(data: bytes) -> list[bytes]:
    lines = re.split(rb"\r\n|\r|\n", data.removeprefix(b"\xef\xbb\xbf"))
    return lines if lines[-1] else lines[:-1]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"\xef\xbb\xbf", []),
        (b"a", [b"a"]),
        (b"\n", [b""]),
        (b"a\r", [b"a"]),
        (b"a\r\r\nb\n\n", [b"a", b"", b"b", b""]),
        (b"\xef\xbb\xbfa\n\xef\xbb\xbfb", [b"a", b"\xef\xbb\xbfb"]),
        ("a\u2028b\u2029c\x85d\x0be\x0cf\x1cg".encode(), ["a\u2028b\u2029c\x85d\x0be\x0cf\x1cg".encode()]),
    ],
)
def test_iter_lines_cases(data: bytes, expected: list[bytes]) -> None:
    assert lines_of(data) == expected


PIECES = st.sampled_from([b"a", b"bc", b"\r", b"\n", b"\r\n", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\x0b", b"\xff"])


@given(st.lists(PIECES, max_size=30).map(b"".join), st.integers(1, 7))
@settings(deadline=None)
def test_iter_lines_equals_a_plain_split_at_any_chunk_size(data: bytes, chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "_CHUNK", max(chunk, 3))  # A byte order mark is looked for in the first chunk.
        assert lines_of(data) == reference_split(data)


@given(st.lists(PIECES, max_size=30).map(b"".join), st.integers(1, 6), st.integers(3, 9))
@settings(deadline=None)
def test_iter_lines_marks_exactly_the_overlong(data: bytes, max_bytes: int, chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "_CHUNK", chunk)
        found = list(iter_lines(io.BytesIO(data), max_bytes=max_bytes))
    expected = [
        Line(number, line[:max_bytes], len(line) > max_bytes) for number, line in enumerate(reference_split(data), start=1)
    ]
    assert found == expected


def test_overlong_line_is_never_held_in_memory() -> None:
    tracemalloc.start()
    try:
        lines = list(iter_lines(Repeated(64 << 20), max_bytes=1000))  # type: ignore[arg-type]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert lines == [Line(1, b"x" * 1000, True), Line(2, b"end")]
    assert peak < 8 << 20


def test_open_bytes_reads_plain_and_gzip_by_suffix_of_any_case(tmp_path: Path) -> None:
    for name, data in (("a.txt", b"plain"), ("a.txt.gz", gzip.compress(b"plain")), ("A.TXT.GZ", gzip.compress(b"plain"))):
        (tmp_path / name).write_bytes(data)
        with open_bytes(tmp_path / name) as stream:
            assert stream.read() == b"plain"
    with open_bytes(str(tmp_path / "a.txt")) as stream:
        assert stream.read() == b"plain"


def test_open_bytes_reads_standard_input_and_leaves_it_open(monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO(b"piped")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=buffer))
    with open_bytes("-") as stream:
        assert stream.read() == b"piped"
    assert not buffer.closed


def test_open_bytes_names_a_missing_file_and_a_directory(tmp_path: Path) -> None:
    with (
        pytest.raises(FileNotFoundError, match=r"no\.txt: must be an existing file; got nothing there$"),
        open_bytes(tmp_path / "no.txt"),
    ):
        pass
    with pytest.raises(FileNotFoundError, match=r": must be an existing file; got a directory$"), open_bytes(tmp_path):
        pass


def test_open_bytes_does_not_wait_on_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    with (
        pytest.raises(FileNotFoundError, match=r"pipe\.txt: must be an existing file; got a device or pipe$"),
        open_bytes(tmp_path / "pipe.txt"),
    ):
        pass


def read_all(path: Path) -> bytes:
    with open_bytes(path) as stream:
        return stream.read()


def test_gzip_cut_anywhere_fails_as_a_whole(tmp_path: Path) -> None:
    packed = gzip.compress(bytes(range(256)) * 40, mtime=0)
    path = tmp_path / "a.gz"
    for n_kept in range(0, len(packed), max(1, len(packed) // 40)):
        path.write_bytes(packed[:n_kept])
        with pytest.raises(CorpusError, match=r"a\.gz: must be a whole gzip file; got "):
            read_all(path)


def test_damaged_gzip_is_refused(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"The ferry sails again. " * 50, mtime=0))
    packed[-6] ^= 0xFF
    path = tmp_path / "a.gz"
    path.write_bytes(bytes(packed))
    with pytest.raises(CorpusError, match=r"a\.gz: must be a whole gzip file; got CRC check failed"):
        read_all(path)
    path.write_bytes(b"no gzip at all")
    with pytest.raises(CorpusError, match=r"a\.gz: must be a whole gzip file; got Not a gzipped file"):
        read_all(path)


def test_gzip_of_several_members_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"one ") + gzip.compress(b"two"))
    assert read_all(path) == b"one two"


def test_gzip_bomb_is_refused_long_before_its_end(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(64 << 20)))
    n_read = 0
    with (  # noqa: PT012 - how far the reading came is what matters
        pytest.raises(CorpusError, match=r"bomb\.gz: must not expand to more than 250 times its size; got \d+ bytes from \d+$"),
        open_bytes(path) as stream,
    ):
        while chunk := stream.read(1 << 16):
            n_read += len(chunk)
    assert n_read <= 18 << 20


def test_gzip_total_is_bounded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_GZIP_BYTES", 999)
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(os.urandom(999)))
    assert len(read_all(path)) == 999
    path.write_bytes(gzip.compress(os.urandom(1000)))
    with pytest.raises(CorpusError, match=r"must not expand to more than .*; got 1000 bytes from"):
        read_all(path)


def test_small_file_that_compresses_well_is_no_bomb(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"Share\n" * 500_000))
    assert len(read_all(path)) == 3_000_000


class TestZstd:
    """``.zst`` files, read by the same guard as ``.gz``."""

    def test_frames_are_read_one_after_the_other(self, tmp_path: Path) -> None:
        from backports import zstd

        (tmp_path / "a.txt.zst").write_bytes(zstd.compress(b"one\n") + zstd.compress(b"two\n"))
        with open_bytes(tmp_path / "a.txt.zst") as stream:
            assert stream.read() == b"one\ntwo\n"
            assert position_of(stream) == (tmp_path / "a.txt.zst").stat().st_size

    @pytest.mark.parametrize("cut", [1, 50, 500])
    def test_a_cut_file_is_refused(self, cut: int, tmp_path: Path) -> None:
        import random

        from backports import zstd

        (tmp_path / "a.zst").write_bytes(zstd.compress(random.Random(0).randbytes(1000))[:-cut])
        with (
            open_bytes(tmp_path / "a.zst") as stream,
            pytest.raises(CorpusError, match=r"a\.zst: must be a whole zstd file; got "),
        ):
            stream.read()

    @pytest.mark.parametrize("data", [b"", b"no zstd at all"])
    def test_what_is_no_zstd_is_refused(self, data: bytes, tmp_path: Path) -> None:
        (tmp_path / "a.zst").write_bytes(data)
        with (
            open_bytes(tmp_path / "a.zst") as stream,
            pytest.raises(CorpusError, match=r"a\.zst: must be a whole zstd file; got "),
        ):
            stream.read()

    @pytest.mark.parametrize("is_streamed", [False, True])
    def test_a_bomb_is_refused(self, is_streamed: bool, tmp_path: Path) -> None:
        from backports import zstd

        (tmp_path / "a.zst").write_bytes(zstd.compress(b"\0" * (20 << 20)))
        with open_bytes(tmp_path / "a.zst", is_streamed=is_streamed) as stream, pytest.raises(CorpusError, match="250 times its"):
            stream.read()

    def test_without_the_package_the_extra_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "a.zst").write_bytes(b"x")
        monkeypatch.setitem(sys.modules, "backports", None)
        with (
            pytest.raises(CorpusError, match=r"\.zst needs backports\.zstd; got no such package"),
            open_bytes(tmp_path / "a.zst"),
        ):
            pass


def test_gzip_files_larger_than_memory_can_be_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_GZIP_BYTES", 10)
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"x" * 100))
    with open_bytes(tmp_path / "a.gz", is_streamed=True) as stream:
        assert stream.read() == b"x" * 100
