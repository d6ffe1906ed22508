"""The ``newswinnow`` program: its commands and what holds for all of them.

Each group of commands has a module of its own.
"""

import typer

from newswinnow.cli import corpus, evaluate, experiments, explain, model, predict, train
from newswinnow.cli.command import command

app = typer.Typer(
    name="newswinnow",
    help="Label every paragraph of a page as news, boilerplate or related-link; train and compare such models.",
    epilog="Example: newswinnow predict page.txt --format table",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        from importlib.metadata import version

        print(f"newswinnow {version('newswinnow')}")
        raise typer.Exit


@app.callback()
def newswinnow(
    show_version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
) -> None:
    """Options of the program itself.

    Parameters
    ----------
    show_version
        Print the version and exit.
    """


command(app, "predict", example=predict.PREDICT_EXAMPLE)(predict.predict)
command(app, "clean", example=predict.CLEAN_EXAMPLE)(predict.clean)
command(app, "train", example=train.EXAMPLE)(train.train)
command(app, "evaluate", example=evaluate.EXAMPLE)(evaluate.evaluate)
command(app, "explain", example=explain.EXAMPLE)(explain.explain)
app.add_typer(experiments.app, name="experiments")
app.add_typer(corpus.app, name="corpus")
app.add_typer(model.app, name="model")


def run() -> None:
    """Entry point of the ``newswinnow`` script."""
    app()
