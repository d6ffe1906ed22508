"""The command line: what it refuses, prints and writes; nothing is measured here."""

from pathlib import Path
from typing import Any

import pytest
from benchmarks.classify.render import section
from benchmarks.classify.results import Results, read_results, write_results
from benchmarks.sections import marks

from benchmarks.classify import __main__ as command


@pytest.fixture
def folder(tmp_path: Path, results: Results, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a README, and a run that finds the results at once."""
    asked: dict[str, Any] = {}

    def measured(systems: Any, data: Any, plan: Any, *, reference: str, progress: Any) -> Results:
        progress("measuring")
        asked.update(keys=[system.key for system in systems], plan=plan, data=data)
        return results

    begin, end = marks(command.PROGRAM)
    (tmp_path / "README.md").write_text(f"Before\n{begin}\nold\n{end}\nAfter\n", encoding="utf-8")
    monkeypatch.setattr(command, "HERE", tmp_path)
    monkeypatch.setattr(command, "measure", measured)
    monkeypatch.setattr(command, "ASKED", asked, raising=False)
    return tmp_path


def arguments(folder: Path, *more: str) -> list[str]:
    return ["--gold", str(folder / "gold"), "--json", str(folder / "run.json"), "--timed", "10", *more]


def test_result_goes_to_stdout_the_readme_and_json(folder: Path, results: Results, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(arguments(folder, "--write")) == 0
    printed = capsys.readouterr()
    assert printed.out == section(results) + "\n"
    assert printed.err == "measuring\n"
    readme = (folder / "README.md").read_text(encoding="utf-8")
    begin, end = marks(command.PROGRAM)
    assert readme == f"Before\n{begin}\n{section(results)}\n{end}\nAfter\n"
    assert read_results(folder / "run.json") == results


def test_nothing_is_written_unless_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(arguments(folder, "--systems", "shipped,fasttext", "--rounds", "2")) == 0
    asked = command.ASKED  # type: ignore[attr-defined]
    assert asked["keys"] == ["shipped", "fasttext"]
    assert asked["plan"].n_rounds == 2
    assert sorted(path.name for path in folder.iterdir()) == ["README.md"]
    assert "old" in (folder / "README.md").read_text(encoding="utf-8")


def test_the_section_is_made_anew_from_json(folder: Path, results: Results, capsys: pytest.CaptureFixture[str]) -> None:
    write_results(results, folder / "run.json")
    assert command.main(arguments(folder, "--render", "--write")) == 0
    assert section(results) in (folder / "README.md").read_text(encoding="utf-8")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--systems", "slowtext"], "system: must be one of shipped, "),
        (["--rounds", "0"], "--rounds: must be >= 1; got 0\n"),
        (["--corpus", "absent.jsonl"], ""),
        (["--render"], ""),
    ],
)
def test_wrong_input_is_one_line(options: list[str], message: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(arguments(folder, *options)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"benchmarks.classify: {message}")
    assert printed.err.count("\n") == 1


def test_an_unmarked_readme_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "README.md").write_text("No marks\n", encoding="utf-8")
    assert command.main(arguments(folder, "--write")) == 2
    assert "must have the lines" in capsys.readouterr().err
