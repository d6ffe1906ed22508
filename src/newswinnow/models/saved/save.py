"""A predictor into a directory that comes back the same, or not at all.

Reading it back is left to :mod:`newswinnow.models.saved.load`, which a new process does here before the directory gets its name.
"""

import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from newswinnow.models.predictor import Predictor
from newswinnow.models.saved.errors import ModelLoadError, ModelSaveError
from newswinnow.models.saved.families import FAMILIES, Tensors, deployed, family_of
from newswinnow.models.saved.load import LOAD_TOLERANCE
from newswinnow.models.saved.manifest import (
    FORMAT_VERSION,
    JOBLIB,
    MANIFEST,
    MEMBER,
    WEIGHTS,
    library_versions,
    manifest_bytes,
    member_name,
    read_manifest,
)
from newswinnow.models.saved.members import sha256_of
from newswinnow.models.saved.probes import probe_rows, scored_probes
from newswinnow.paragraphs.label import LABELS

_VERIFY: Final = "import sys; from newswinnow.models.saved import verify_model; verify_model(*sys.argv[1:])"


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
    return family_of(predictor.estimator) is None


def save_model(predictor: Predictor, directory: str | Path, *, overwrite: bool = False, as_joblib: bool = False) -> str:
    """Save a predictor so that it comes back the same, or not at all.

    Parameters
    ----------
    predictor
        What to save.
    directory
        A new directory; it appears only when everything in it was verified by a new process.
    overwrite
        Whether an older saved model there may be replaced.
    as_joblib
        Whether even a model of our own families becomes a joblib file, as every other does.

    Returns
    -------
    The member's sha256, which :func:`newswinnow.load_model` asks for.

    Raises
    ------
    FileExistsError
        If the directory exists and is not to be, or cannot safely be, replaced.
    ModelSaveError
        If the model cannot be serialised or scores differently when read back.
    """
    family = None if as_joblib else family_of(predictor.estimator)
    with new_directory(Path(directory), overwrite=overwrite) as temporary:
        where = Path(directory).name
        portable = replace(predictor, estimator=deployed(predictor.estimator))
        if family is None:
            data, scored = _pickled(predictor.estimator, where), predictor
        else:
            _check_same(predictor, portable, where)
            data, scored = _tensor_bytes(FAMILIES[family]().to_tensors(portable.estimator)), portable
        file_format = family or JOBLIB
        (temporary / member_name(file_format)).write_bytes(data)
        content = _content(scored, file_format=file_format, data=data)
        (temporary / MANIFEST).write_bytes(manifest_bytes(content, where=where))
        _verify_in_new_process(temporary, sha256_of(data), where=where)
    return sha256_of(data)


@contextmanager
def new_directory(directory: Path, *, overwrite: bool) -> Iterator[Path]:
    """A folder that takes its name only when all went well; otherwise nothing is left and an older model stays.

    Parameters
    ----------
    directory
        The final name.
    overwrite
        Whether an older saved model there may be replaced.

    Yields
    ------
    The folder to write into.

    Raises
    ------
    FileExistsError
        If the directory exists and is not to be, or cannot safely be, replaced.
    """
    _check_target(directory, overwrite=overwrite)
    directory.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        _move_into_place(temporary, directory)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


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
    others = sorted(path.name for path in directory.iterdir() if path.name not in (MANIFEST, MEMBER, WEIGHTS))
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


def _check_same(predictor: Predictor, portable: Predictor, where: str) -> None:
    """Refuse to take a light model for an estimator that does more than it: what wraps it would be lost."""
    rows = probe_rows()
    difference = float(np.abs(predictor.predict_proba(rows) - portable.predict_proba(rows)).max())
    if not difference <= LOAD_TOLERANCE:
        raise ModelSaveError(
            f"{where}: plain numbers must score the golden probes as the estimator does; got a difference of {difference} "
            f"(as_joblib=True saves it as it is)"
        )


def _tensor_bytes(tensors: Tensors) -> bytes:
    """Tensors in C order whatever order they had: safetensors 0.8.0 writes the bytes of others in the order they stand."""
    from safetensors.numpy import save

    return save({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()})


def _pickled(estimator: Any, where: str) -> bytes:
    import joblib

    buffer = io.BytesIO()
    try:
        joblib.dump(estimator, buffer, compress=3)
    except Exception as error:  # pickling runs foreign code; whatever it raises means the same
        raise ModelSaveError(f"{where}: a model must be picklable; got {type(error).__name__}: {error}") from error
    return buffer.getvalue()


def _content(predictor: Predictor, *, file_format: str, data: bytes) -> Mapping[str, Any]:
    return {
        **{"spec": {}, "training": {}, "metrics": {}},
        **predictor.manifest,
        "format_version": FORMAT_VERSION,
        "format": file_format,
        "feature_definition": None if file_format == JOBLIB else FAMILIES[file_format]().feature_definition,
        "labels": [str(label) for label in LABELS],
        "contexts": list(predictor.contexts),
        "versions": library_versions(),
        "members": {member_name(file_format): {"sha256": sha256_of(data), "bytes": len(data)}},
        "probes": scored_probes(predictor),
    }


def _verify_in_new_process(directory: Path, digest: str, *, where: str) -> None:
    """Read a fresh save back as a stranger would; a serialiser that scrambles arrays is caught here, not by a user."""
    source = str(Path(__file__).resolve().parents[3])
    paths = os.pathsep.join([source, *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", _VERIFY, str(directory), digest],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": paths},
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ModelSaveError(f"{where}: a saved model must score its probes as before; got {reason}")
