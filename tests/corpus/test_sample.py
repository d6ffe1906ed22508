"""Where the written sample lies, and how a configuration names it."""

from pathlib import Path

import pytest

from newswinnow.corpus.sample import resolve_corpus, sample_path


def place(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(b"{}\n")
    return path


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "src" / "newswinnow"
    package.mkdir(parents=True)
    monkeypatch.setattr("importlib.resources.files", lambda name: package)
    return package


def test_sample_of_the_package_comes_before_the_checkout(tmp_path: Path, package: Path) -> None:
    checkout = place(tmp_path / "data" / "sample", "train.jsonl")
    assert sample_path("train") == checkout
    installed = place(package / "data" / "sample", "train.jsonl")
    assert sample_path("train") == installed


@pytest.mark.usefixtures("package")
def test_missing_sample_is_named() -> None:
    with pytest.raises(
        FileNotFoundError, match=r"^sample: must lie beside the package; got nothing there \(looked for test\.jsonl\)$"
    ):
        sample_path("test")


@pytest.mark.parametrize("part", ["dev", "", "../train"])
def test_unknown_part_is_refused(part: str) -> None:
    with pytest.raises(ValueError, match=r"^sample: part must be one of train, test; got '"):
        sample_path(part)


def test_corpus_names_are_samples_or_paths_beside_the_configuration(tmp_path: Path) -> None:
    assert resolve_corpus("sample:test", relative_to=tmp_path) == sample_path("test")
    assert resolve_corpus("mine/a.jsonl", relative_to=tmp_path) == tmp_path / "mine" / "a.jsonl"
    assert resolve_corpus("/abs/a.jsonl", relative_to=tmp_path) == Path("/abs/a.jsonl")
    with pytest.raises(ValueError, match="part must be one of train, test; got 'all'"):
        resolve_corpus("sample:all", relative_to=tmp_path)
