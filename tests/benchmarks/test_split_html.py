"""The script that takes times: what it reads, what it tells, and where it writes it. Times themselves are not tested."""

import gzip
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "split_html.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_split_html", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "b.html").write_bytes(b"<p>The ferry sails again.</p>")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "a.html.gz").write_bytes(gzip.compress(b"<p>A bridge opened.</p>"))
    return tmp_path


def test_pages_are_read_plain_and_gzipped(script: ModuleType, folder: Path) -> None:
    assert script.read_pages([folder]) == [b"<p>A bridge opened.</p>", b"<p>The ferry sails again.</p>"]


def test_folder_without_pages_is_an_input_error(script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert script.main([str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"benchmarks/split_html.py: {tmp_path}: must hold .html or .html.gz files; got none\n"


def contender(script: ModuleType, name: str, module: str = "newswinnow") -> object:
    def load() -> object:
        return {"good": len, "bad": int}[name]

    return script.Contender(name, "call", "newswinnow", module, load)


def test_report_names_pages_contenders_and_failures(script: ModuleType, folder: Path) -> None:
    contenders = [contender(script, "good"), contender(script, "bad"), contender(script, "gone", "no_such_module")]
    text = script.report(script.read_pages([folder]), contenders, n_rounds=2)
    lines = text.splitlines()
    assert lines[0].startswith("2 pages, 0 MB")
    rows = [[cell.strip() for cell in line.split("|")] for line in lines if line.startswith("| ")]
    assert [row[1] for row in rows[2:]] == ["good", "bad"]
    assert [row[-2] for row in rows[2:]] == ["0", "2"]
    assert rows[2][-3] == "1.0"
    assert lines[-1] == "Not installed: gone."


def test_section_replaces_what_was_written_before(script: ModuleType) -> None:
    readme = f"Before\n{script.BEGIN}\nold\n{script.END}\nAfter\n"
    assert script.with_section(readme, "new") == f"Before\n{script.BEGIN}\nnew\n{script.END}\nAfter\n"
    with pytest.raises(ValueError, match=r"^README.md: must have the lines .*; got neither or one$"):
        script.with_section("Before\n", "new")


def test_result_goes_to_stdout_and_into_the_readme(
    script: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = folder / "README.md"
    readme.write_text(f"{script.BEGIN}\n{script.END}\n", encoding="utf-8")
    monkeypatch.setattr(script, "README", readme)
    monkeypatch.setattr(script, "CONTENDERS", script.CONTENDERS[:1])
    monkeypatch.setattr(script.logging, "disable", lambda level: None)
    assert script.main([str(folder), "--rounds", "1", "--write"]) == 0
    printed = capsys.readouterr().out
    assert "| newswinnow | split_html |" in printed
    assert readme.read_text(encoding="utf-8") == f"{script.BEGIN}\n{printed}{script.END}\n"
