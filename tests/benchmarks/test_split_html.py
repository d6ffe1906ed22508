"""The script that takes times: what it reads, what it tells, and where it writes it. Times themselves are not tested."""

import gzip
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.sections import marks

from benchmarks import split_html as script


@pytest.fixture(autouse=True)
def heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """The script silences logging for its whole process, which is that of all tests here."""
    monkeypatch.setattr(logging, "disable", lambda level: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "b.html").write_bytes(b"<p>The ferry sails again.</p>")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "a.html.gz").write_bytes(gzip.compress(b"<p>A bridge opened.</p>"))
    return tmp_path


def test_pages_are_read_plain_and_gzipped(folder: Path) -> None:
    assert script.read_pages([folder]) == [b"<p>A bridge opened.</p>", b"<p>The ferry sails again.</p>"]


def test_folder_without_pages_is_an_input_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert script.main([str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"benchmarks/split_html.py: {tmp_path}: must hold .html or .html.gz files; got none\n"


def contender(name: str, module: str = "newswinnow") -> script.Contender:
    def load() -> Callable[[bytes], object]:
        return len if name == "good" else int

    return script.Contender(name, "call", "newswinnow", module, load)


def test_report_names_pages_contenders_and_failures(folder: Path) -> None:
    contenders = [contender("good"), contender("bad"), contender("gone", "no_such_module")]
    text = script.report(script.read_pages([folder]), contenders, n_rounds=2)
    lines = text.splitlines()
    assert lines[0].startswith("2 pages, 0 MB")
    rows = [[cell.strip() for cell in line.split("|")] for line in lines if line.startswith("| ")]
    assert [row[1] for row in rows[2:]] == ["good", "bad"]
    assert [row[-2] for row in rows[2:]] == ["0", "2"]
    assert rows[2][-3] == "1.0"
    assert lines[-1] == "Not installed: gone."


def test_result_goes_to_stdout_and_into_the_readme(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = folder / "README.md"
    begin, end = marks(script.PROGRAM)
    readme.write_text(f"{begin}\n{end}\n", encoding="utf-8")
    monkeypatch.setattr(script, "README", readme)
    monkeypatch.setattr(script, "CONTENDERS", script.CONTENDERS[:1])
    assert script.main([str(folder), "--rounds", "1", "--write"]) == 0
    printed = capsys.readouterr().out
    assert "| newswinnow | split_html |" in printed
    assert readme.read_text(encoding="utf-8") == f"{begin}\n{printed}{end}\n"
