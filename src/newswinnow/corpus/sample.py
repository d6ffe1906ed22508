"""Where the written sample lies: inside an installed package, or in ``data/`` of a checkout.

Its contents are described in ``data/README.md``.
"""

from importlib import resources
from pathlib import Path
from typing import Final

PARTS: Final = ("train", "test")
PREFIX: Final = "sample:"


def sample_path(part: str) -> Path:
    """File of one part of the written sample.

    Parameters
    ----------
    part
        ``train`` or ``test``.

    Returns
    -------
    An existing JSONL file.

    Raises
    ------
    ValueError
        If there is no such part.
    FileNotFoundError
        If the installation lacks the sample.

    Examples
    --------
    >>> sample_path("train").name
    'train.jsonl'
    """
    if part not in PARTS:
        raise ValueError(f"sample: part must be one of {', '.join(PARTS)}; got {part!r}")
    package = Path(str(resources.files("newswinnow")))
    for folder in (package / "data" / "sample", package.parents[1] / "data" / "sample"):
        path = folder / f"{part}.jsonl"
        if path.is_file():
            return path
    raise FileNotFoundError(f"sample: must lie beside the package; got nothing there (looked for {part}.jsonl)")


def resolve_corpus(name: str, *, relative_to: Path) -> Path:
    """A corpus named in a configuration: ``sample:train``, ``sample:test``, or a path relative to the configuration.

    Parameters
    ----------
    name
        What the configuration says.
    relative_to
        Folder of the configuration.

    Returns
    -------
    The file.
    """
    if name.startswith(PREFIX):
        return sample_path(name.removeprefix(PREFIX))
    return relative_to / name
