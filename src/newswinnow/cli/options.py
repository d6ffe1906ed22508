"""Options that several commands share, declared once.

What they do is said by the functions they are passed to.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newswinnow.cli.output import say

if TYPE_CHECKING:
    from newswinnow.models.predictor import Predictor

ModelOption = Annotated[
    Path | None, typer.Option("--model", "-m", help="Saved model; without it the default model.", metavar="DIR")
]
TrustOption = Annotated[
    str | None,
    typer.Option("--trust", help="sha256 you expect of a joblib model, which runs code when loaded.", metavar="SHA256"),
]
ContextOption = Annotated[str, typer.Option("--context", "-c", help="alone, bag, order, markup or auto.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace existing results.")]


def open_model(directory: Path | None, trust: str | None) -> "Predictor":
    """The model a command was told to use.

    Parameters
    ----------
    directory
        A saved model; None for the default model.
    trust
        sha256 the user expects of a joblib model.

    Returns
    -------
    The predictor.
    """
    from newswinnow.models.saved import load_model

    if directory is not None:
        return load_model(directory, allow_pickle=trust is not None, sha256=trust)
    from newswinnow.experiments.default import default_model

    say("no --model: training the default one on the written sample (a few seconds)")
    return default_model()
