"""Results on their way to JSON and back."""

from pathlib import Path

import pytest
from benchmarks.classify.results import Results, read_results, write_results


def test_results_come_back_the_same(results: Results, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_results(results, path)
    assert read_results(path) == results


@pytest.mark.parametrize("text", ["{}", "[]", "no JSON"])
def test_other_files_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"run\.json: must be results of benchmarks\.classify; got .+"):
        read_results(path)


def test_another_format_is_refused(results: Results, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_results(results, path)
    path.write_text(path.read_text(encoding="utf-8").replace('"format": 1', '"format": 2'), encoding="utf-8")
    with pytest.raises(ValueError, match=r"run\.json: format must be 1; got 2"):
        read_results(path)
