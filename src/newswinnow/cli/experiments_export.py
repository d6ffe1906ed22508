"""``newswinnow experiments export``: finished runs for other trackers.

Plain files stay the truth; what is written is left to :mod:`newswinnow.experiments.mlflow_store`.
"""

from pathlib import Path
from typing import Annotated, Final

import typer

from newswinnow.cli.options import JsonOption, OverwriteOption
from newswinnow.cli.output import print_json, print_table, reported_errors, say

EXAMPLE: Final = "newswinnow experiments export experiments/017-winnow-sample --to mlflow -o runs/mlflow.db"


def export_command(
    runs: Annotated[list[Path], typer.Argument(help="Result directories.", metavar="RUN")],
    output: Annotated[Path, typer.Option("--output", "-o", help="A new .db file, or a folder for one.", metavar="FILE")],
    to: Annotated[str, typer.Option("--to", help="mlflow: an SQLite store with its artifacts beside it.")] = "mlflow",
    name: Annotated[str, typer.Option("--experiment", help="Experiment that the runs belong to there.")] = "newswinnow",
    as_json: JsonOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Copy finished runs into a store of another tracker: parameters, scores, notes, reports.

    Parameters
    ----------
    runs
        Result directories.
    output
        Database file, or a folder.
    to
        Kind of store.
    name
        Name of the experiment.
    as_json
        Print the result as JSON.
    overwrite
        Replace an existing store.
    """
    with reported_errors():
        from newswinnow.experiments.mlflow_store import export_runs

        if to != "mlflow":
            raise ValueError(f"--to: must be mlflow; got {to!r}")
        store = export_runs(runs, output, experiment=name, overwrite=overwrite)
        if as_json:
            print_json(store.as_dict())
            return
        print_table(
            ["run", "parameters", "metrics", "id"], [[r.name, str(r.n_params), str(r.n_metrics), r.run_id] for r in store.runs]
        )
        say(f"open it: mlflow ui --backend-store-uri sqlite:///{store.database}")
