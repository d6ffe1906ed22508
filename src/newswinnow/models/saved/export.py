"""A saved model copied to a directory of its own, or turned from one format into the other.

Other people's formats (ONNX and the like) are not made here.
"""

from pathlib import Path
from typing import Final

from newswinnow.models.saved.families import FAMILIES, family_of
from newswinnow.models.saved.load import SHIPPED, load_model, read_weights
from newswinnow.models.saved.manifest import JOBLIB, MANIFEST, MAX_MANIFEST_BYTES, member_of, parse_manifest
from newswinnow.models.saved.members import read_member
from newswinnow.models.saved.save import new_directory, save_model

PORTABLE: Final = "portable"
EXPORT_FORMATS: Final = (PORTABLE, JOBLIB)


def export_model(
    source: str | Path | None,
    directory: str | Path,
    *,
    file_format: str = PORTABLE,
    sha256: str | None = None,
    overwrite: bool = False,
) -> str:
    """Copy a saved model, byte for byte if it has the format already, converted and verified if not.

    Parameters
    ----------
    source
        The saved model; None for the one that ships with the package.
    directory
        A new directory.
    file_format
        ``portable``, plain numbers that anyone can load; or ``joblib``, which only those who trust it should.
    sha256
        Expected digest of the member. Turning a joblib model into a portable one runs its pickle and needs it; copying does not.
    overwrite
        Whether an older saved model in ``directory`` may be replaced.

    Returns
    -------
    The sha256 of the new model's member.

    Raises
    ------
    ModelLoadError
        If the source is refused.
    ValueError
        If the format is unknown, or the model is of no family that has a portable form.
    FileExistsError
        If the directory exists and is not to be, or cannot safely be, replaced.
    ModelSaveError
        If a converted model scores differently when read back.
    """
    if file_format not in EXPORT_FORMATS:
        raise ValueError(f"format: must be one of {', '.join(EXPORT_FORMATS)}; got {file_format!r}")
    source = SHIPPED if source is None else Path(source)
    path = source / MANIFEST
    written = read_member(path, limit=MAX_MANIFEST_BYTES)
    manifest = parse_manifest(written, path)
    is_joblib = manifest["format"] == JOBLIB
    if is_joblib != (file_format == JOBLIB):
        return _convert(source, Path(directory), to_joblib=not is_joblib, sha256=sha256, overwrite=overwrite)
    member = member_of(manifest)
    data = read_weights(source, manifest, trusts=True, sha256=sha256 or member.sha256)
    with new_directory(Path(directory), overwrite=overwrite) as temporary:
        (temporary / member.name).write_bytes(data)
        (temporary / MANIFEST).write_bytes(written)
        if not is_joblib:
            load_model(temporary, sha256=member.sha256)
    return member.sha256


def _convert(source: Path, directory: Path, *, to_joblib: bool, sha256: str | None, overwrite: bool) -> str:
    predictor = load_model(source, allow_pickle=sha256 is not None, sha256=sha256)
    if not to_joblib and family_of(predictor.estimator) is None:
        raise ValueError(
            f"{source}: must be of a portable family, {', '.join(FAMILIES)}; got {type(predictor.estimator).__name__} "
            f"(--format joblib copies it as it is)"
        )
    return save_model(predictor, directory, overwrite=overwrite, as_joblib=to_joblib)
