"""``newswinnow model``: show, verify."""

from pathlib import Path
from typing import Annotated

import typer

from newswinnow.cli.command import command
from newswinnow.cli.options import JsonOption, TrustOption
from newswinnow.cli.output import escape_controls, print_json, reported_errors

app = typer.Typer(help="Look at saved models.", no_args_is_help=True, rich_markup_mode=None)

Directory = Annotated[Path, typer.Argument(help="Saved model.", metavar="DIR")]


@command(app, "show", example="newswinnow model show runs/mine/model")
def show_command(directory: Directory, as_json: JsonOption = False) -> None:
    """Print what a saved model says of itself; nothing of the model is loaded or run.

    Parameters
    ----------
    directory
        Saved model.
    as_json
        Print the whole manifest.
    """
    with reported_errors():
        from newswinnow.models.saved import read_manifest

        manifest = read_manifest(directory)
        if as_json:
            print_json(manifest)
            return
        for key in ("format", "spec", "training", "metrics", "versions", "members"):
            value = manifest[key]
            shown = ", ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else value
            print(escape_controls(f"{key}: {shown}"))


@command(app, "verify", example="newswinnow model verify runs/mine/model --trust SHA256")
def verify_command(directory: Directory, trust: TrustOption = None) -> None:
    """Load a saved model and check that its golden probes score as they did when it was saved.

    Parameters
    ----------
    directory
        Saved model.
    trust
        Expected sha256; a joblib model needs it.
    """
    with reported_errors():
        from newswinnow.models.saved import verify_model

        verify_model(directory, trust)
        print(f"{directory}: verified")
