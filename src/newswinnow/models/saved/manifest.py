"""``manifest.json`` of a saved model: what it holds, how it is written, and its check key by key.

Nothing of the model itself is opened here; its one member is left to :mod:`newswinnow.models.saved.load`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from newswinnow.models.predictor import CONTEXTS
from newswinnow.models.saved.errors import ModelLoadError, ModelSaveError
from newswinnow.models.saved.families import FAMILIES
from newswinnow.models.saved.members import read_member, sha256_of
from newswinnow.paragraphs.label import LABELS

FORMAT_VERSION: Final = 1
MANIFEST: Final = "manifest.json"
MEMBER: Final = "model.joblib"
WEIGHTS: Final = "weights.safetensors"
JOBLIB: Final = "joblib"
SEAL: Final = "sha256"
MAX_MANIFEST_BYTES: Final = 4 << 20
MAX_MEMBER_BYTES: Final = 2 << 30

_KEYS: Final = frozenset(
    """format_version format feature_definition labels contexts spec training metrics versions members probes sha256""".split()
)
_OBJECTS: Final = ("spec", "training", "metrics", "versions", "members", "probes")
_DIGEST: Final = re.compile("[0-9a-f]{64}")
_VERSIONED: Final = ("newswinnow", "scikit-learn", "numpy", "scipy", "joblib", "numba", "safetensors")


@dataclass(frozen=True)
class Member:
    """The one member that a manifest names: its fixed name, digest and size."""

    name: str
    sha256: str
    n_bytes: int


def library_versions() -> dict[str, str]:
    """Versions of the libraries a saved pipeline depends on.

    Returns
    -------
    Distribution name to version.
    """
    from importlib import metadata

    return {name: metadata.version(name) for name in _VERSIONED}


def member_name(file_format: str) -> str:
    """Name of a format's one member; no manifest can choose another.

    Parameters
    ----------
    file_format
        ``joblib`` or the name of a family.

    Returns
    -------
    The file's name.
    """
    return MEMBER if file_format == JOBLIB else WEIGHTS


def member_of(manifest: Mapping[str, Any]) -> Member:
    """The member that a checked manifest names.

    Parameters
    ----------
    manifest
        From :func:`read_manifest`.

    Returns
    -------
    Its name, digest and size.
    """
    name = member_name(manifest["format"])
    entry = manifest["members"][name]
    return Member(name, entry["sha256"], entry["bytes"])


def manifest_bytes(content: Mapping[str, Any], *, where: str) -> bytes:
    """A manifest as it is written: one form only, with the digest of all else in it.

    Parameters
    ----------
    content
        Plain values.
    where
        What the message names as its place.

    Returns
    -------
    The bytes of the file.

    Raises
    ------
    ModelSaveError
        If it holds something else than plain values.
    """
    try:
        plain = json.loads(json.dumps({key: value for key, value in content.items() if key != SEAL}, allow_nan=False))
        return _canonical({**plain, SEAL: sha256_of(_canonical(plain))})
    except (TypeError, ValueError) as error:
        raise ModelSaveError(f"{where}: a manifest must hold plain values; got {error}") from error


def _canonical(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_manifest(directory: str | Path) -> dict[str, Any]:
    """A saved model's manifest, checked key by key; nothing of the model itself is opened.

    Parameters
    ----------
    directory
        The saved model.

    Returns
    -------
    The manifest.

    Raises
    ------
    ModelLoadError
        If it is missing, damaged, of another format version, or has unknown or missing keys.
    """
    path = Path(directory) / MANIFEST
    return parse_manifest(read_member(path, limit=MAX_MANIFEST_BYTES), path)


def parse_manifest(data: bytes, path: Path) -> dict[str, Any]:
    """Bytes of a manifest, checked.

    Parameters
    ----------
    data
        The file.
    path
        Its name, for messages.

    Returns
    -------
    The manifest.

    Raises
    ------
    ModelLoadError
        As for :func:`read_manifest`.
    """
    try:
        manifest = json.loads(data, object_pairs_hook=_once_each)
    except (ValueError, RecursionError) as error:
        raise ModelLoadError(f"{path}: must be valid JSON; got {error}") from error
    if not isinstance(manifest, dict):
        raise ModelLoadError(f"{path}: must be a JSON object; got {type(manifest).__name__}")
    version = manifest.get("format_version")
    if type(version) is not int or version != FORMAT_VERSION:
        raise ModelLoadError(f"{path}: format_version must be {FORMAT_VERSION}; got {version!r}")
    difference = sorted(_KEYS.symmetric_difference(manifest))
    if difference:
        raise ModelLoadError(
            f"{path}: must have exactly the keys {', '.join(sorted(_KEYS))}; got a difference in {difference[:5]}"
        )
    _check_seal(manifest, data, path)
    _check_values(manifest, path)
    return manifest


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} twice")
    return found


def _check_seal(manifest: dict[str, Any], data: bytes, path: Path) -> None:
    """A damaged manifest is refused whatever was hit; it is no protection against somebody who writes a new one."""
    try:
        written = manifest_bytes(manifest, where=str(path))
    except ModelSaveError as error:
        raise ModelLoadError(f"{path}: must hold plain values; got {error}") from error
    if written != data:
        found = json.loads(written)[SEAL]
        raise ModelLoadError(
            f"{path}: must be as newswinnow wrote it, sha256 of its content {manifest[SEAL]!r}; got {found} or another spelling"
        )


def _check_values(manifest: dict[str, Any], path: Path) -> None:
    if manifest["labels"] != [str(label) for label in LABELS]:
        raise ModelLoadError(f"{path}: labels must be {', '.join(LABELS)}; got {manifest['labels']!r}")
    formats = (JOBLIB, *FAMILIES)
    if not isinstance(manifest["format"], str) or manifest["format"] not in formats:
        raise ModelLoadError(f"{path}: format must be one of {', '.join(formats)}; got {manifest['format']!r}")
    contexts = manifest["contexts"]
    if not isinstance(contexts, list) or not contexts or not all(context in CONTEXTS for context in contexts):
        raise ModelLoadError(f"{path}: contexts must be of {', '.join(CONTEXTS)}; got {contexts!r}")
    for key in _OBJECTS:
        if not isinstance(manifest[key], dict):
            raise ModelLoadError(f"{path}: {key} must be an object; got {type(manifest[key]).__name__}")
    _check_members(manifest["members"], member_name(manifest["format"]), path)


def _check_members(members: dict[str, Any], name: str, path: Path) -> None:
    entry = members.get(name)
    if list(members) != [name] or not isinstance(entry, dict) or set(entry) != {"bytes", "sha256"}:
        raise ModelLoadError(f"{path}: members must be exactly {name} with bytes and sha256; got {members!r:.200}")
    digest, size = entry["sha256"], entry["bytes"]
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise ModelLoadError(f"{path}: sha256 of {name} must be 64 hexadecimal digits; got {digest!r:.100}")
    if type(size) is not int or not 0 <= size <= MAX_MEMBER_BYTES:
        raise ModelLoadError(f"{path}: bytes of {name} must be 0 to {MAX_MEMBER_BYTES}; got {size!r:.100}")
