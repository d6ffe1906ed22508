"""A saved model back in memory: digest before parsing, trust before unpickling, golden probes before use.

Writing one is left to :mod:`newswinnow.models.saved.save`.
"""

import io
from pathlib import Path
from typing import Any, Final

from newswinnow.models.predictor import Predictor
from newswinnow.models.saved.errors import ModelLoadError
from newswinnow.models.saved.families import FAMILIES
from newswinnow.models.saved.manifest import JOBLIB, MANIFEST, MAX_MEMBER_BYTES, member_of, read_manifest
from newswinnow.models.saved.members import read_member, sha256_of
from newswinnow.models.saved.probes import check_probes
from newswinnow.paragraphs.label import LABELS

SHIPPED: Final = Path(__file__).parents[1] / "shipped"
LOAD_TOLERANCE: Final = 1e-6
SAVE_TOLERANCE: Final = 1e-12


def load_model(directory: str | Path | None = None, *, allow_pickle: bool = False, sha256: str | None = None) -> Predictor:
    """Load a saved model; without a directory, the one that ships with the package.

    Models of our own families are plain numbers: nothing in them runs, whoever made them, and they load under any version of
    scikit-learn, which is not even imported. Any other pipeline is a joblib file and needs both ``allow_pickle`` and ``sha256``.
    Either scores its 64 golden probes anew, and they must agree to 1e-6.

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
        If the model is missing, damaged, not as expected or not trusted, or is a joblib model of another scikit-learn.

    Examples
    --------
    >>> load_model().predict(["Share", "A bridge over the river Tarn opened on Monday, officials said."]).tolist()
    ['boilerplate', 'news']
    """
    directory = SHIPPED if directory is None else Path(directory)
    manifest = read_manifest(directory)
    data = read_weights(directory, manifest, trusts=allow_pickle, sha256=sha256)
    path = directory / member_of(manifest).name
    if manifest["format"] == JOBLIB:
        _check_scikit_learn(manifest, directory / MANIFEST)
        predictor = Predictor(_unpickle(data, path), manifest, tuple(manifest["contexts"]))
    else:
        predictor = _built(data, manifest, path)
    check_probes(predictor, directory / MANIFEST, tolerance=LOAD_TOLERANCE)
    return predictor


def read_weights(directory: Path, manifest: dict[str, Any], *, trusts: bool, sha256: str | None) -> bytes:
    """The bytes of a model's member, their digest checked; a joblib model's only for a caller who trusts it by digest.

    Parameters
    ----------
    directory
        The saved model.
    manifest
        Its manifest.
    trusts
        Whether the caller means to run a pickle.
    sha256
        Digest the caller expects; None for whatever the manifest says.

    Returns
    -------
    The bytes.

    Raises
    ------
    ModelLoadError
        If it is missing, damaged, not as expected, or not trusted.
    """
    member = member_of(manifest)
    path = directory / member.name
    if manifest["format"] == JOBLIB and (not trusts or sha256 is None):
        raise ModelLoadError(
            f"{path}: a joblib model runs code when loaded and needs explicit trust; got none "
            f"(allow_pickle=True, sha256='...' in Python, --trust SHA256 on the command line; its manifest says {member.sha256})"
        )
    data = read_member(path, limit=MAX_MEMBER_BYTES)
    found = sha256_of(data)
    for expected in (member.sha256, found if sha256 is None else sha256):
        if found != expected:
            raise ModelLoadError(f"{path}: sha256 must be {expected}; got {found}")
    if len(data) != member.n_bytes:
        raise ModelLoadError(f"{path}: must have {member.n_bytes} bytes as its manifest says; got {len(data)}")
    return data


def _built(data: bytes, manifest: dict[str, Any], path: Path) -> Predictor:
    """A model of our own from its tensors; whatever goes wrong is a refusal."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    family = FAMILIES[manifest["format"]]()
    where = path.with_name(MANIFEST)
    if manifest["feature_definition"] != family.feature_definition:
        raise ModelLoadError(
            f"{where}: feature_definition must be {family.feature_definition}; got {manifest['feature_definition']!r} "
            f"(newswinnow train makes it anew)"
        )
    unknown = [context for context in manifest["contexts"] if context not in family.contexts]
    if unknown:
        raise ModelLoadError(f"{where}: contexts must be of {', '.join(family.contexts)} for this format; got {unknown[0]}")
    try:
        model = family.from_tensors(load(data))
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ModelLoadError(f"{path}: {error}") from error
    return Predictor(model, manifest, tuple(manifest["contexts"]))


def verify_model(directory: str | Path | None = None, sha256: str | None = None) -> Predictor:
    """Load a saved model and hold it to its golden probes as strictly as when it was saved.

    Parameters
    ----------
    directory
        The saved model; None for the one that ships with the package.
    sha256
        Of its member, as expected by the caller; a joblib model needs it.

    Returns
    -------
    The predictor.

    Raises
    ------
    ModelLoadError
        If the model is refused, or a probe's probabilities differ by more than 1e-12 or its label at all.
    """
    predictor = load_model(directory, allow_pickle=sha256 is not None, sha256=sha256)
    check_probes(predictor, Path(directory or SHIPPED) / MANIFEST, tolerance=SAVE_TOLERANCE)
    return predictor


def _check_scikit_learn(manifest: dict[str, Any], path: Path) -> None:
    from importlib import metadata

    saved, here = str(manifest["versions"].get("scikit-learn")), metadata.version("scikit-learn")
    if saved.split(".")[:2] != here.split(".")[:2]:
        raise ModelLoadError(
            f"{path}: a joblib model loads only under the scikit-learn minor version it was saved with, {saved}; got {here} "
            f"(newswinnow train makes it anew)"
        )


def _unpickle(data: bytes, path: Path) -> Any:
    """The classifier in a trusted member; whatever else comes out, or goes wrong, is a refusal."""
    import joblib

    try:
        estimator = joblib.load(io.BytesIO(data))
    except Exception as error:  # a pickle can raise anything
        raise ModelLoadError(f"{path}: must be a joblib file; got {type(error).__name__}: {error}") from error
    labels = set(map(str, getattr(estimator, "classes_", ())))
    if not hasattr(estimator, "predict_proba") or not labels or not labels <= set(LABELS):
        raise ModelLoadError(f"{path}: must hold a classifier of the three labels; got {type(estimator).__name__}")
    return estimator
