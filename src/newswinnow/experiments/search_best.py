"""What a search found, as a configuration of its own that ``newswinnow experiments run`` takes.

Searching is left to :mod:`newswinnow.experiments.search`.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from newswinnow.corpus.sample import PREFIX
from newswinnow.corpus.write import write_text
from newswinnow.experiments.config import CONFIG_NAME, Config


def write_best(config: Config, folder: Path, *, relative_to: Path, note: str) -> Path:
    """Write a configuration, its corpora named from where it will lie.

    Parameters
    ----------
    config
        The configuration with the values found.
    folder
        Where it goes; made if need be.
    relative_to
        Folder that the configuration's paths start from now.
    note
        A line on top.

    Returns
    -------
    The file.
    """
    folder.mkdir(exist_ok=True)
    values = config.model_dump(mode="json")
    data = values["data"]
    data["train"] = [_from(folder, name, relative_to) for name in data["train"]]
    data["test"] = {key: _from(folder, name, relative_to) for key, name in data["test"].items()}
    path = folder / CONFIG_NAME
    write_text(path, f"# {note}\n{to_toml(values)}")
    return path


def _from(folder: Path, name: str, relative_to: Path) -> str:
    """A corpus named from a folder."""
    if name.startswith(PREFIX) or Path(name).is_absolute():
        return name
    return os.path.relpath((relative_to / name).resolve(), folder.resolve())


def to_toml(values: Mapping[str, Any]) -> str:
    r"""Plain values as TOML.

    Parameters
    ----------
    values
        Strings, numbers, lists of them, and tables.

    Returns
    -------
    The document.

    Examples
    --------
    >>> print(to_toml({"title": 'a "b"', "model": {"C": 0.1, "balanced": True}, "data": {"test": {"my set": ["y"]}}}))
    title = "a \"b\""
    <BLANKLINE>
    [model]
    C = 0.1
    balanced = true
    <BLANKLINE>
    [data.test]
    "my set" = ["y"]
    <BLANKLINE>
    """
    return "\n".join(_table(values, "")) + "\n"


def _table(values: Mapping[str, Any], name: str) -> Iterator[str]:
    plain = {key: value for key, value in values.items() if not isinstance(value, Mapping) and value is not None}
    if name and plain:
        yield from ("", f"[{name}]")
    for key, value in plain.items():
        yield f"{_key(key)} = {_value(value)}"
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _table(value, f"{name}.{_key(key)}" if name else _key(key))


def _key(key: str) -> str:
    return key if key.isascii() and key.replace("_", "").replace("-", "").isalnum() else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    # A JSON string is a TOML string but for the one control character that JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
