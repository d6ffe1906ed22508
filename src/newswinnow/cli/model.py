"""``newswinnow model``: show, verify, export."""

from pathlib import Path
from typing import Annotated

import typer

from newswinnow.cli.command import command
from newswinnow.cli.options import JsonOption, OverwriteOption, TrustOption
from newswinnow.cli.output import escape_controls, print_json, reported_errors, say

app = typer.Typer(help="Look at saved models, check them, copy them.", no_args_is_help=True, rich_markup_mode=None)

Directory = Annotated[
    Path | None, typer.Argument(help="Saved model; without it the one that ships with the package.", metavar="MODEL")
]

_SHOWN = ("format", "format_version", "feature_definition", "contexts", "spec", "training", "metrics", "versions", "members")


@command(app, "show", example="newswinnow model show runs/mine/model")
def show_command(directory: Directory = None, as_json: JsonOption = False) -> None:
    """Print what a saved model says of itself; nothing of the model is loaded or run.

    Parameters
    ----------
    directory
        Saved model.
    as_json
        Print the whole manifest.
    """
    with reported_errors():
        from newswinnow.models.saved import SHIPPED, read_manifest

        manifest = read_manifest(directory or SHIPPED)
        if as_json:
            print_json(manifest)
            return
        for key in _SHOWN:
            print(escape_controls(f"{key}: {_on_one_line(manifest[key])}"))


def _on_one_line(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k}={v}" for k, v in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@command(app, "verify", example="newswinnow model verify runs/mine/model --trust SHA256")
def verify_command(directory: Directory = None, trust: TrustOption = None, as_json: JsonOption = False) -> None:
    """Load a saved model and check that its golden probes score as they did when it was saved; exit code 5 if not.

    Parameters
    ----------
    directory
        Saved model.
    trust
        Expected sha256; a joblib model needs it.
    as_json
        Print the result as JSON.
    """
    with reported_errors():
        from newswinnow.models.saved import SHIPPED, member_of, verify_model

        manifest = verify_model(directory, trust).manifest
        shown = str(directory or SHIPPED)
        if as_json:
            member = member_of(manifest)
            print_json({"model": shown, "verified": True, "format": manifest["format"], "sha256": member.sha256})
            return
        print(escape_controls(f"{shown}: verified"))


@command(app, "export", example="newswinnow model export -o models/winnow")
def export_command(
    output: Annotated[Path, typer.Option("--output", "-o", help="New directory for the model.", metavar="DIR")],
    directory: Directory = None,
    file_format: Annotated[
        str, typer.Option("--format", "-f", help="portable (plain numbers, safe to load) or joblib (runs code when loaded).")
    ] = "portable",
    trust: TrustOption = None,
    as_json: JsonOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Copy a saved model to a directory of its own; or turn a joblib model of the winnow family into plain numbers.

    A copy has the same bytes. What is converted must score its golden probes as before.

    Parameters
    ----------
    output
        New directory.
    directory
        Saved model.
    file_format
        Format of the copy.
    trust
        Expected sha256; turning a joblib model into plain numbers runs it and needs it.
    as_json
        Print the result as JSON.
    overwrite
        Replace a saved model in the new directory.
    """
    with reported_errors():
        from newswinnow.models.saved import JOBLIB, export_model

        digest = export_model(directory, output, file_format=file_format, sha256=trust, overwrite=overwrite)
        if as_json:
            print_json({"model": str(output), "format": file_format, "sha256": digest})
            return
        print(escape_controls(f"model:  {output}"))
        print(f"sha256: {digest}")
        say(f"use it: newswinnow predict page.txt --model {output}{f' --trust {digest}' if file_format == JOBLIB else ''}")
