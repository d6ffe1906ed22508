"""The saved model: a directory with ``manifest.json`` and one member, verified before anything in it is used.

Our own family is saved as plain numbers (``weights.safetensors``) and loads without scikit-learn. Any other scikit-learn pipeline
is saved with joblib, whose files run code when loaded; such a model loads only for a caller who says so and names the sha256
expected. Fitting is left to :mod:`newswinnow.models.training`.
"""

import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from importlib import metadata, resources
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as deserialize
from safetensors.numpy import save as serialize

from newswinnow.models.linear import LinearModel, weights_from_tensors, weights_to_tensors
from newswinnow.models.predictor import CONTEXTS, Predictor
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import FloatArray

FORMAT_VERSION: Final = 1
MANIFEST: Final = "manifest.json"
MEMBER: Final = "model.joblib"
WEIGHTS: Final = "weights.safetensors"
MEMBERS: Final = {"joblib": MEMBER, "linear": WEIGHTS}
"""Formats of a saved model and the one member of each."""

MAX_MANIFEST_BYTES: Final = 4 << 20
MAX_MEMBER_BYTES: Final = 2 << 30
_KEYS: Final = frozenset(
    {"format_version", "format", "labels", "contexts", "spec", "training", "metrics", "versions", "members", "probes"}
)
_VERSIONED: Final = ("newswinnow", "scikit-learn", "numpy", "scipy", "joblib", "numba", "safetensors")
_SAVE_TOLERANCE: Final = 1e-12
_LOAD_TOLERANCE: Final = 1e-6
_SHIPPED: Final = "shipped"


class ModelLoadError(ValueError):
    """A saved model that is refused; the message is ``where: rule; got value``."""


class ModelSaveError(RuntimeError):
    """A model that could not be saved so that it comes back the same."""


def library_versions() -> dict[str, str]:
    """Versions of the libraries a saved pipeline depends on.

    Returns
    -------
    Distribution name to version.
    """
    return {name: metadata.version(name) for name in _VERSIONED}


def probe_texts() -> list[str]:
    """The 64 golden probes: invented paragraphs whose probabilities every saved model records.

    Returns
    -------
    The texts.
    """
    text = resources.files("newswinnow.models").joinpath("probes.txt").read_text(encoding="utf-8")
    return text.rstrip("\n").split("\n")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def save_model(predictor: Predictor, directory: str | Path, *, overwrite: bool = False) -> str:
    """Save a predictor so that it comes back the same, or not at all.

    Parameters
    ----------
    predictor
        What to save.
    directory
        A new directory; it appears only when everything in it was verified by a new process.
    overwrite
        Whether an older saved model there may be replaced.

    Returns
    -------
    The member's sha256, which :func:`load_model` asks for.

    Raises
    ------
    FileExistsError
        If the directory exists and is not to be, or cannot safely be, replaced.
    ModelSaveError
        If the model cannot be serialised or scores differently when read back.
    """
    directory = Path(directory)
    _check_target(directory, overwrite=overwrite)
    directory.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
    try:
        digest = _write(predictor, temporary)
        _verify_in_new_process(temporary, digest)
        temporary.chmod(0o755)
        _move_into_place(temporary, directory)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return digest


def _check_target(directory: Path, *, overwrite: bool) -> None:
    """Refuse a target that is there, unless it is a saved model and nothing else, and may be replaced."""
    if not directory.is_symlink() and not directory.exists():
        return
    if not overwrite:
        raise FileExistsError(f"{directory}: must not exist yet; got an existing path (--overwrite replaces a saved model)")
    if directory.is_symlink() or not directory.is_dir():
        raise FileExistsError(f"{directory}: must be a saved model to be replaced; got something that is no directory")
    try:
        read_manifest(directory)
    except ModelLoadError as error:
        raise FileExistsError(f"{directory}: must be a saved model to be replaced; got {error}") from error
    others = sorted(path.name for path in directory.iterdir() if path.name not in (MANIFEST, *MEMBERS.values()))
    if others:
        raise FileExistsError(f"{directory}: must hold a saved model alone to be replaced; got {', '.join(others[:5])} beside it")


def _move_into_place(temporary: Path, directory: Path) -> None:
    """Rename the new directory to its name; an older one steps aside first and comes back if that fails."""
    if not directory.exists():
        temporary.replace(directory)
        return
    aside = temporary.with_name(f"{temporary.name}.old")
    directory.replace(aside)
    try:
        temporary.replace(directory)
    except OSError:
        aside.replace(directory)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _format_of(estimator: Any) -> str:
    return "linear" if isinstance(_deployed(estimator), LinearModel) else "joblib"


def needs_trust(predictor: Predictor) -> bool:
    """Whether a predictor is saved in a format that runs code when loaded.

    Parameters
    ----------
    predictor
        What is saved.

    Returns
    -------
    True for joblib, False for plain numbers.
    """
    return _format_of(predictor.estimator) == "joblib"


def _deployed(estimator: Any) -> Any:
    """The light model inside a fitted estimator of our own family; any other estimator as it is."""
    return getattr(estimator, "model_", estimator)


def _serialised(estimator: Any, where: str) -> bytes:
    if _format_of(estimator) == "linear":
        return serialize(weights_to_tensors(_deployed(estimator).weights))
    buffer = io.BytesIO()
    try:
        joblib.dump(estimator, buffer, compress=3)
    except Exception as error:  # pickling runs foreign code; whatever it raises means the same
        raise ModelSaveError(f"{where}: a model must be picklable; got {type(error).__name__}: {error}") from error
    return buffer.getvalue()


def _write(predictor: Predictor, directory: Path) -> str:
    file_format = _format_of(predictor.estimator)
    data = _serialised(predictor.estimator, str(directory))
    (directory / MEMBERS[file_format]).write_bytes(data)
    probes = probe_texts()
    manifest = {
        **{"spec": {}, "training": {}, "metrics": {}},
        **predictor.manifest,
        "format_version": FORMAT_VERSION,
        "format": file_format,
        "labels": [str(label) for label in LABELS],
        "contexts": list(predictor.contexts),
        "versions": library_versions(),
        "members": {MEMBERS[file_format]: {"sha256": _sha256(data), "bytes": len(data)}},
        "probes": {"texts": probes, "probabilities": predictor.predict_proba(probes).tolist()},
    }
    try:
        text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise ModelSaveError(f"{directory.name}: a manifest must hold plain values; got {error}") from error
    (directory / MANIFEST).write_text(text + "\n", encoding="utf-8")
    return _sha256(data)


def _verify_in_new_process(directory: Path, digest: str) -> None:
    """Read a fresh save back as a stranger would; a serialiser that scrambles arrays is caught here, not by a user."""
    command = [sys.executable, "-c", "import sys; from newswinnow.models.saved import verify_model; verify_model(*sys.argv[1:])"]
    source = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join([source, *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(
        [*command, str(directory), digest], capture_output=True, text=True, check=False, env=environment, stdin=subprocess.DEVNULL
    )
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ModelSaveError(f"{directory.name}: a saved model must score its probes as before; got {reason}")


def verify_model(directory: str | Path, sha256: str | None = None) -> None:
    """Load a saved model and score its golden probes.

    Parameters
    ----------
    directory
        The saved model.
    sha256
        Of its member, as expected by the caller; a joblib model needs it.

    Raises
    ------
    ModelLoadError
        If the model is refused, or a probe's probabilities differ by more than 1e-12 or its label at all.
    """
    predictor = load_model(directory, allow_pickle=sha256 is not None, sha256=sha256)
    _check_probes(predictor, Path(directory) / MANIFEST, tolerance=_SAVE_TOLERANCE)


def _check_probes(predictor: Predictor, path: Path, *, tolerance: float) -> None:
    texts, expected = _probes(predictor.manifest["probes"], path)
    found = predictor.predict_proba(texts)
    difference = float(np.abs(expected - found).max())
    if not difference <= tolerance or (expected.argmax(axis=1) != found.argmax(axis=1)).any():
        raise ModelLoadError(f"{path}: golden probes must agree to {tolerance}; got a difference of {difference}")


def _probes(probes: dict[str, Any], path: Path) -> tuple[list[str], FloatArray]:
    """Texts and expected probabilities of a manifest's probes, shapes checked."""
    texts, rows = probes.get("texts"), probes.get("probabilities")
    is_texts = isinstance(texts, list) and texts and all(isinstance(text, str) for text in texts)
    try:
        expected = np.asarray(rows, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ModelLoadError(f"{path}: probes must hold numbers; got {error}") from error
    if not is_texts or not isinstance(texts, list) or expected.shape != (len(texts), len(LABELS)):
        raise ModelLoadError(f"{path}: probes must be texts, each with {len(LABELS)} probabilities; got shape {expected.shape}")
    return texts, expected


def _read_member(path: Path, limit: int) -> bytes:
    """A regular file's bytes; links and devices are refused, and so is a file over the limit, before it is read."""
    try:
        status = path.lstat()
    except OSError as error:
        raise ModelLoadError(f"{path}: must be there; got {error.strerror}") from error
    if not stat.S_ISREG(status.st_mode):
        raise ModelLoadError(f"{path}: must be a regular file; got {stat.filemode(status.st_mode)}")
    if status.st_size > limit:
        raise ModelLoadError(f"{path}: must have at most {limit} bytes; got {status.st_size}")
    return path.read_bytes()


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
    try:
        manifest = json.loads(_read_member(path, MAX_MANIFEST_BYTES))
    except (ValueError, RecursionError) as error:
        if isinstance(error, ModelLoadError):
            raise
        raise ModelLoadError(f"{path}: must be valid JSON; got {error}") from error
    if not isinstance(manifest, dict):
        raise ModelLoadError(f"{path}: must be a JSON object; got {type(manifest).__name__}")
    if manifest.get("format_version") != FORMAT_VERSION:
        raise ModelLoadError(f"{path}: format_version must be {FORMAT_VERSION}; got {manifest.get('format_version')!r}")
    difference = sorted(_KEYS.symmetric_difference(manifest))
    if difference:
        raise ModelLoadError(
            f"{path}: must have exactly the keys {', '.join(sorted(_KEYS))}; got a difference in {difference[:5]}"
        )
    _check_values(manifest, path)
    return manifest


def _check_values(manifest: dict[str, Any], path: Path) -> None:
    if manifest["labels"] != [str(label) for label in LABELS]:
        raise ModelLoadError(f"{path}: labels must be {', '.join(LABELS)}; got {manifest['labels']!r}")
    if not isinstance(manifest["format"], str) or manifest["format"] not in MEMBERS:
        raise ModelLoadError(f"{path}: format must be one of {', '.join(MEMBERS)}; got {manifest['format']!r}")
    contexts = manifest["contexts"]
    if not isinstance(contexts, list) or not contexts or not set(map(str, contexts)) <= set(CONTEXTS):
        raise ModelLoadError(f"{path}: contexts must be of {', '.join(CONTEXTS)}; got {contexts!r}")
    members, member = manifest["members"], MEMBERS[manifest["format"]]
    if not isinstance(members, dict) or list(members) != [member] or not isinstance(members[member], dict):
        raise ModelLoadError(f"{path}: members must be exactly {member}; got {members!r}")
    for key in ("spec", "training", "metrics", "versions", "probes"):
        if not isinstance(manifest[key], dict):
            raise ModelLoadError(f"{path}: {key} must be an object; got {type(manifest[key]).__name__}")


def _check_scikit_learn(manifest: dict[str, Any], path: Path) -> None:
    saved, here = str(manifest["versions"].get("scikit-learn")), metadata.version("scikit-learn")
    if saved.split(".")[:2] != here.split(".")[:2]:
        raise ModelLoadError(
            f"{path}: a joblib model loads only under the scikit-learn minor version it was saved with, {saved}; got {here} "
            f"(newswinnow train makes it anew)"
        )


def load_model(directory: str | Path | None = None, *, allow_pickle: bool = False, sha256: str | None = None) -> Predictor:
    """Load a saved model; without a directory, the one that ships with the package.

    Parameters
    ----------
    directory
        The saved model.
    allow_pickle
        Whether to run the pickle inside a joblib model. It can execute anything: say yes only to a model you trust.
    sha256
        The digest you expect its member to have, as ``newswinnow train`` printed it; a joblib model needs it.

    Returns
    -------
    The predictor.

    Raises
    ------
    ModelLoadError
        If the model is missing, damaged, not as expected, or not trusted.
    """
    directory = Path(str(resources.files("newswinnow.models").joinpath(_SHIPPED))) if directory is None else Path(directory)
    manifest = read_manifest(directory)
    path = directory / MEMBERS[manifest["format"]]
    entry = manifest["members"][path.name]
    if manifest["format"] == "joblib" and (not allow_pickle or sha256 is None):
        raise ModelLoadError(
            f"{path}: a joblib model runs code when loaded and needs explicit trust; got none "
            f"(allow_pickle=True, sha256='...' in Python, --trust SHA256 on the command line; "
            f"its manifest says {entry.get('sha256')})"
        )
    data = _read_member(path, MAX_MEMBER_BYTES)
    found = _sha256(data)
    for expected in (entry.get("sha256"), found if sha256 is None else sha256):
        if found != expected:
            raise ModelLoadError(f"{path}: sha256 must be {expected}; got {found}")
    contexts = tuple(manifest["contexts"])
    if manifest["format"] == "joblib":
        _check_scikit_learn(manifest, path)
        return Predictor(_unpickle(data, path), manifest, contexts)
    predictor = Predictor(_linear(data, path), manifest, contexts)
    _check_probes(predictor, directory / MANIFEST, tolerance=_LOAD_TOLERANCE)
    return predictor


def _linear(data: bytes, path: Path) -> LinearModel:
    try:
        return LinearModel(weights_from_tensors(deserialize(data)))
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ModelLoadError(f"{path}: {error}") from error


def _unpickle(data: bytes, path: Path) -> Any:
    """The classifier in a trusted member; whatever else comes out, or goes wrong, is a refusal."""
    try:
        estimator = joblib.load(io.BytesIO(data))
    except Exception as error:  # a pickle can raise anything
        raise ModelLoadError(f"{path}: must be a joblib file; got {type(error).__name__}: {error}") from error
    labels = set(map(str, getattr(estimator, "classes_", ())))
    if not hasattr(estimator, "predict_proba") or not labels or not labels <= set(LABELS):
        raise ModelLoadError(f"{path}: must hold a classifier of the three labels; got {type(estimator).__name__}")
    return estimator
