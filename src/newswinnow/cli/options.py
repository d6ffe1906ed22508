"""Options that several commands share, declared once.

What they do is said by the functions they are passed to.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from newswinnow.models.predictor import Predictor

ModelOption = Annotated[
    Path | None, typer.Option("--model", "-m", help="Saved model; without it the one that ships with the package.", metavar="DIR")
]
TrustOption = Annotated[
    str | None,
    typer.Option(
        "--trust", help="sha256 you expect of the model; a joblib model, which runs code when loaded, needs it.", metavar="SHA256"
    ),
]
ContextOption = Annotated[str, typer.Option("--context", "-c", help="alone, bag, order, markup or auto.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace existing results.")]


def open_model(directory: Path | None, trust: str | None) -> "Predictor":
    """The model a command was told to use.

    Parameters
    ----------
    directory
        A saved model; None for the one that ships with the package.
    trust
        sha256 the user expects of a joblib model.

    Returns
    -------
    The predictor.
    """
    from newswinnow.models.saved import load_model

    return load_model(directory, allow_pickle=trust is not None, sha256=trust)
