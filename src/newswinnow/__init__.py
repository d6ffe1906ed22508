"""newswinnow separates the news from the chaff: paragraphs in, news, boilerplate or related-link out.

The names below are the public API; each is imported when first used, so that ``import newswinnow`` stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from newswinnow.evaluation.comparison import compare
    from newswinnow.evaluation.evaluate import evaluate
    from newswinnow.harvest.html import table_from_html
    from newswinnow.harvest.inputs import read_paragraphs
    from newswinnow.models.saved import ModelLoadError, load_model, save_model
    from newswinnow.models.training import train
    from newswinnow.paragraphs.label import Label
    from newswinnow.scoring.files import clean

__all__ = [
    "Label",
    "ModelLoadError",
    "clean",
    "compare",
    "evaluate",
    "load_model",
    "read_paragraphs",
    "save_model",
    "table_from_html",
    "train",
]

_HOME = {
    "Label": "paragraphs.label",
    "ModelLoadError": "models.saved",
    "clean": "scoring.files",
    "compare": "evaluation.comparison",
    "evaluate": "evaluation.evaluate",
    "load_model": "models.saved",
    "read_paragraphs": "harvest.inputs",
    "save_model": "models.saved",
    "table_from_html": "harvest.html",
    "train": "models.training",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("newswinnow")
    if name not in _HOME:
        raise AttributeError(f"module 'newswinnow' has no attribute {name!r}")
    return getattr(import_module(f"newswinnow.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
