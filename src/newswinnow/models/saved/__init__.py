"""The saved model: a directory with ``manifest.json`` and one member, verified before anything in it is used.

Our own families are saved as plain numbers (``weights.safetensors``) and load without scikit-learn. Any other scikit-learn
pipeline is saved with joblib, whose files run code when loaded; such a model loads only for a caller who says so and names the
sha256 expected. Fitting is left to :mod:`newswinnow.models.training`.
"""

from newswinnow.models.saved.errors import ModelLoadError, ModelSaveError
from newswinnow.models.saved.export import EXPORT_FORMATS, export_model
from newswinnow.models.saved.load import SHIPPED, load_model, verify_model
from newswinnow.models.saved.manifest import JOBLIB, MANIFEST, MEMBER, WEIGHTS, library_versions, member_of, read_manifest
from newswinnow.models.saved.probes import probe_rows, probe_texts
from newswinnow.models.saved.save import needs_trust, save_model

__all__ = [
    "EXPORT_FORMATS",
    "JOBLIB",
    "MANIFEST",
    "MEMBER",
    "SHIPPED",
    "WEIGHTS",
    "ModelLoadError",
    "ModelSaveError",
    "export_model",
    "library_versions",
    "load_model",
    "member_of",
    "needs_trust",
    "probe_rows",
    "probe_texts",
    "read_manifest",
    "save_model",
    "verify_model",
]
