from pathlib import Path

import pytest

from newswinnow.harvest.build_config import BuildConfig, SourceConfig, read_build_config

SMALL = 'output = "c.jsonl"\n[[source]]\nreader = "folder"\npath = "pages"\n'


def read(folder: Path, text: str) -> BuildConfig:
    (folder / "build.toml").write_text(text, encoding="utf-8")
    return read_build_config(folder / "build.toml")


def test_defaults(tmp_path: Path) -> None:
    config = read(tmp_path, SMALL)
    assert config.source == (SourceConfig(name="folder", reader="folder", path="pages", include=("*",)),)
    assert config.labels == ()
    assert not config.source[0].keep_unlabelled


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "output: field required; got "),
        ('output = "c.jsonl"', "source: field required"),
        ('output = "c.jsonl"\nsource = []', "source: tuple should have at least 1 item"),
        (SMALL.replace("c.jsonl", "c.xml"), r"output: must end in one of \.jsonl, \.csv, \.tsv, \.parquet; got 'c\.xml'"),
        (SMALL.replace("folder", "warc"), r"source\.0\.reader: must be one of wcxb, fundus, folder; got 'warc'"),
        (SMALL + 'name = "../x"', r"source\.0\.name: string should match pattern .*; got '\.\./x'"),
        (SMALL + "pages = 3", r"source\.0\.pages must be a known key; got 3"),
        (SMALL + '[[labels]]\nfile = "a"\nhold_out = "perhaps"', r"labels\.0\.hold_out: input should be a valid boolean"),
        (SMALL + SMALL.partition("\n")[2], "source: must have different names; got folder, folder"),
        ("output = ", "must be valid UTF-8 TOML; got "),
        ("source = 3", r"output: field required|source: "),
        ('output = "c.jsonl"\nsource = [3]', r"source\.0: input should be a valid"),
    ],
)
def test_what_breaks_a_rule_is_named_with_the_file(text: str, rule: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"build\.toml: {rule}"):
        read(tmp_path, text)


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"absent\.toml: must be an existing TOML file; got nothing there"):
        read_build_config(tmp_path / "absent.toml")
    with pytest.raises(FileNotFoundError, match="must be an existing TOML file; got a directory"):
        read_build_config(tmp_path)
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    with pytest.raises(ValueError, match=r"bytes\.toml: must be valid UTF-8 TOML"):
        read_build_config(tmp_path / "bytes.toml")
