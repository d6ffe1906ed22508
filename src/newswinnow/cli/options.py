"""Options that several commands share, declared once.

What they do is said by the functions they are passed to.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from newswinnow.models.predictor import Predictor

SHIPPED_WORD: Final = "shipped"
TABLE_SUFFIXES: Final = ".jsonl .csv .tsv .parquet, also .gz .zst"
INPUT_SUFFIXES: Final = ".txt .html .jsonl .csv .tsv .parquet .warc .wet, also .gz .zst"

TablesArgument = Annotated[list[Path], typer.Argument(help=f"Paragraph tables: {TABLE_SUFFIXES}.", metavar="FILE")]


def model_directory(name: str) -> Path | None:
    """The directory that names a model.

    Parameters
    ----------
    name
        A path, or the word ``shipped`` where nothing of that name is there.

    Returns
    -------
    None for the model that ships with the package.
    """
    return None if name == SHIPPED_WORD and not Path(name).exists() else Path(name)


ModelOption = Annotated[
    Path | None,
    typer.Option(
        "--model",
        "-m",
        help="Saved model; without it, or as shipped, the one of the package.",
        metavar="DIR",
        parser=model_directory,
    ),
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


DecisionOption = Annotated[
    Path | None, typer.Option("--decision", help="Decide by this file of `newswinnow experiments decide`.", metavar="FILE")
]
MaxNewsLossOption = Annotated[
    float | None,
    typer.Option(
        "--max-news-loss", help="Lose at most this mean share of a page's news, as --decision ensures.", metavar="SHARE"
    ),
]


def open_deciding(model: "Predictor", decision: Path | None, max_news_loss: float | None, *, context: str) -> "Predictor":
    """The model with the decision a command was told to follow.

    Parameters
    ----------
    model
        The model.
    decision
        Decision file; None for the most probable labels.
    max_news_loss
        Largest mean share of a page's news to lose; None for no limit.
    context
        Level of information that will be used.

    Returns
    -------
    The predictor.

    Raises
    ------
    ValueError
        If there is a limit but no decision, or the decision does not serve.
    """
    if decision is None:
        if max_news_loss is not None:
            raise ValueError("--max-news-loss: must come with --decision FILE; got none (newswinnow experiments decide makes it)")
        return model
    from newswinnow.evaluation.decided import decide_by
    from newswinnow.evaluation.decisions import read_decision

    return decide_by(model, read_decision(decision), max_news_loss=max_news_loss, context=context)


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
