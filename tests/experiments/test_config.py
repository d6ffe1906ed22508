"""The configuration of a run."""

from pathlib import Path
from typing import Any

import pytest

from newswinnow.corpus.sample import sample_path
from newswinnow.experiments.config import Config, corpus_paths, parse_config, read_config, with_folds, with_train
from newswinnow.models.mixing import LabelMix
from newswinnow.models.registry import ModelSpec


def test_without_a_file_the_packaged_configuration_is_read() -> None:
    config = read_config(None)
    assert config.data.train == ("sample:train",)
    assert config.data.test == {"sample": "sample:test"}
    train, test = corpus_paths(config, relative_to=Path("nowhere"))
    assert train == [sample_path("train")]
    assert test == {"sample": sample_path("test")}


def test_values_of_a_file_replace_defaults(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('seed = 7\n[model]\nfamily = "tfidf-svm"\nC = 2\n[data]\ntest = {}\n', encoding="utf-8")
    config = read_config(path)
    assert config.seed == 7
    assert config.model == ModelSpec("tfidf-svm", C=2.0)
    assert config.data.test == {}
    assert config.validation.folds == 5


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sede": 1}, "c: sede must be a known key; got 1"),
        ({"data": {"trian": []}}, r"c: data\.trian must be a known key; got \[\]"),
        ({"model": {"c": 1}}, r"c: model\.c must be a known key; got 1"),
        ({"seed": -1}, "c: seed: input should be greater than or equal to 0; got -1"),
        ({"seed": 2**32}, "c: seed: input should be less than 4294967296; got 4294967296"),
        ({"seed": "one"}, "c: seed: input should be a valid integer.*; got 'one'"),
        ({"model": {"C": 0}}, "c: model: C: must be > 0; got 0.0"),
        ({"model": {"analyzer": "line"}}, "c: model: analyzer: must be one of word, char, both; got 'line'"),
        ({"model": {"min_df": 0}}, "c: model: min_df, max_char_features: must be >= 1; got 0, 200000"),
        ({"validation": {"folds": 51}}, r"c: validation\.folds: input should be less than or equal to 50; got 51"),
        ({"validation": {"folds": 1}}, r"c: validation\.folds: must be 0 or at least 2; got 1"),
        ({"data": {"train": "a.jsonl"}}, r"c: data\.train: .*; got 'a\.jsonl'"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        parse_config(values, where="c")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"seed = ", r"config\.toml: must be valid TOML; got .+"),
        (b"seed = 1\nseed = 2\n", r"config\.toml: must be valid TOML; got .+"),
        (b'title = "\xff"', r"config\.toml: must be valid UTF-8; got byte 0xff at 9"),
        (b"sede = 1", r"config\.toml: sede must be a known key; got 1"),
    ],
)
def test_a_damaged_file_is_named(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_config(path)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"absent\.toml: must be an existing TOML file; got nothing there"):
        read_config(tmp_path / "absent.toml")
    with pytest.raises(FileNotFoundError, match="must be an existing TOML file; got a directory"):
        read_config(tmp_path)


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Config().seed = 3


def test_other_folds_leave_the_rest() -> None:
    config = parse_config({"seed": 3, "model": {"family": "c4", "C": 2.0}}, where="c")
    changed = with_folds(config, 0)
    assert changed.validation.folds == 0
    assert changed.model_dump(exclude={"validation"}) == config.model_dump(exclude={"validation"})
    assert with_folds(config, None) is config
    with pytest.raises(ValueError, match=r"--folds: validation\.folds: .*; got -2"):
        with_folds(config, -2)


def test_other_corpora_start_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.jsonl").write_text("", encoding="utf-8")
    config = with_train(read_config(None), ["mine.jsonl"])
    train, test = corpus_paths(config, relative_to=Path("elsewhere"))
    assert train == [tmp_path / "mine.jsonl"]
    assert test == {"sample": sample_path("test")}
    assert with_train(config, []) is config


def test_paths_start_from_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("", encoding="utf-8")
    config = parse_config({"data": {"train": ["a.jsonl"], "test": {"b": "b.jsonl"}}}, where="c")
    with pytest.raises(FileNotFoundError, match=r"b\.jsonl: must be an existing corpus file; got nothing there"):
        corpus_paths(config, relative_to=tmp_path)
    (tmp_path / "b.jsonl").write_text("", encoding="utf-8")
    assert corpus_paths(config, relative_to=tmp_path) == ([tmp_path / "a.jsonl"], {"b": tmp_path / "b.jsonl"})


def test_labels_can_be_weighted_by_origin(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[data]\nweights = {aligned = 0.3}\nmin_agreement = 0.05\n", encoding="utf-8")
    assert read_config(path).data.mix == LabelMix({"aligned": 0.3}, 0.05)
    assert read_config(None).data.mix == LabelMix()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"weights": {"guessed": 1}}, "c: data: weights: origin must be one of read, aligned, written; got 'guessed'"),
        ({"weights": {"read": -1}}, "c: data: weights: weight of read must be finite and >= 0; got -1.0"),
        ({"min_agreement": 2}, "c: data: min_agreement: must be >= 0 and < 1; got 2.0"),
    ],
)
def test_a_mix_that_cannot_be(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        parse_config({"data": values}, where="c")
