"""``newswinnow experiments search``.

What may be tried stands in the configuration; how it is searched is left to :mod:`newswinnow.experiments.search`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from newswinnow.cli.options import JsonOption, OverwriteOption
from newswinnow.cli.output import print_json, print_table, progress_bar, reported_errors, say

if TYPE_CHECKING:
    from newswinnow.experiments.search import SearchResult

EXAMPLE: Final = "newswinnow experiments search config.toml -o runs/search --workers 2"


def _rows(result: "SearchResult") -> list[list[str]]:
    rows = []
    for trial in result.last_round:
        name = "the configuration itself" if trial.candidate == 0 else str(trial.candidate)
        score = trial.macro_f1
        shown = f"{score['value']:.4f} ({score['low']:.3f}–{score['high']:.3f})" if score else f"not trainable: {trial.error}"
        rows.append([name, *("default" if value is None else str(value) for value in trial.parameters.values()), shown])
    return rows


def search_command(
    config: Annotated[Path, typer.Argument(help="TOML configuration with a table [search], or its folder.", metavar="CONFIG")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Directory of the search.", metavar="DIR")],
    workers: Annotated[int, typer.Option("--workers", help="Processes on this machine.")] = 1,
    dask: Annotated[
        str | None, typer.Option("--dask", help="Run the trials on the Dask cluster of this scheduler.", metavar="ADDRESS")
    ] = None,
    as_json: JsonOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Search hyper-parameters: many candidates on few pages, the best of them on more, scored on sites none of them saw.

    The same command goes on with a search that was interrupted. Exit code 3: another process searches in DIR; 4: another search
    was begun there.

    Parameters
    ----------
    config
        Configuration file.
    output
        Directory of the search.
    workers
        Number of processes.
    dask
        Address of a scheduler.
    as_json
        Print the result as JSON.
    overwrite
        Begin anew.
    """
    with reported_errors():
        from newswinnow.experiments.search import BEST, run_search

        if dask is not None and workers != 1:
            raise ValueError(f"--workers: must not be given with --dask, whose cluster has its own; got {workers}")
        with progress_bar() as progress:
            result = run_search(config, output, n_workers=workers, dask=dask, overwrite=overwrite, progress=progress)
        if result.n_resumed:
            say(f"{result.n_resumed} of {len(result.trials)} trials were finished before")
        if as_json:
            print_json({"directory": str(output), "config": str(output / BEST / "config.toml"), **result.as_dict()})
            return
        print_table(["candidate", *result.best.parameters, "macro-F1 on unseen sites"], _rows(result))
        say(f"run it: newswinnow experiments run {output / BEST}")
