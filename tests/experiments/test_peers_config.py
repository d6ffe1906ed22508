from __future__ import annotations

from pathlib import Path

import pytest

from newswinnow.experiments.peers_config import default_config, parse_sources, read_peers_config, with_options

CONFIG = 'title = "Mine"\nsources = {mine = "pages"}\ntests = {test = "test.jsonl"}\n'


def test_a_directory_without_configuration_means_the_dev_pages(tmp_path: Path) -> None:
    assert read_peers_config(tmp_path) == (default_config(), Path())
    assert default_config().tests == {"dev_news": "../shared/gold/dev_news.jsonl", "dev_mixed": "../shared/gold/dev_mixed.jsonl"}


def test_a_configuration_is_read_with_its_folder(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    config, folder = read_peers_config(tmp_path)
    assert (config.title, config.sources, config.tests, config.train, config.seed) == (
        "Mine",
        {"mine": "pages"},
        {"test": "test.jsonl"},
        (),
        0,
    )
    assert folder == tmp_path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"=", r"config\.toml: must be valid TOML; got "),
        (b"\xff", r"config\.toml: must be valid TOML; got 'utf-8' codec"),
        (b"[sources]", r"config\.toml: tests: field required; got "),
        ((CONFIG + "other = 1").encode(), r"config\.toml: other must be a known key; got 1"),
        ((CONFIG + "seed = -1").encode(), r"config\.toml: seed: input should be greater than or equal to 0; got -1"),
    ],
)
def test_a_malformed_configuration_is_refused(tmp_path: Path, text: bytes, message: str) -> None:
    (tmp_path / "config.toml").write_bytes(text)
    with pytest.raises(ValueError, match=message):
        read_peers_config(tmp_path)


def test_options_replace_what_they_name(tmp_path: Path) -> None:
    config = default_config()
    assert with_options(config, html=[], corpora=[], train=[]) == config
    changed = with_options(config, html=[f"mine={tmp_path}"], corpora=[tmp_path / "a.jsonl.gz"], train=[])
    assert changed.sources == {"mine": str(tmp_path)}
    assert changed.tests == {"a": str(tmp_path / "a.jsonl.gz")}
    assert changed.train == ()
    trained = with_options(config, html=[], corpora=[], train=[tmp_path / "b.csv"])
    assert (trained.tests, trained.train) == (config.tests, (str(tmp_path / "b.csv"),))


@pytest.mark.parametrize("value", ["pages", "=pages", "mine="])
def test_a_collection_needs_name_and_folder(value: str) -> None:
    with pytest.raises(ValueError, match=f"--html: must be NAME=FOLDER; got '{value}'"):
        parse_sources([value])
