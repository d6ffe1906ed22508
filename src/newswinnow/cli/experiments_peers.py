"""``newswinnow experiments peers``.

Measuring is left to :mod:`newswinnow.experiments.peers`.
"""

from pathlib import Path
from typing import Annotated, Final

import typer

from newswinnow.cli.options import JsonOption, ModelOption, OverwriteOption, TrustOption, open_model
from newswinnow.cli.output import print_json, print_table, reported_errors, say

EXAMPLE: Final = "newswinnow experiments peers -o runs/peers --html mine=pages --corpus labelled.jsonl"


def peers_command(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Results directory; a config.toml in it says what to measure.", metavar="DIR")
    ],
    html: Annotated[
        list[str] | None,
        typer.Option("--html", help="Folder of HTML pages, whose ids in CORPUS begin with NAME/.", metavar="NAME=FOLDER"),
    ] = None,
    corpus: Annotated[list[Path] | None, typer.Option("--corpus", help="Labelled table of such pages.", metavar="CORPUS")] = None,
    train: Annotated[
        list[Path] | None, typer.Option("--train", help="Labelled table to train fastText on.", metavar="CORPUS")
    ] = None,
    model: ModelOption = None,
    trust: TrustOption = None,
    as_json: JsonOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Measure extractors of HTML and fastText beside a model of ours, on pages with HTML and labelled paragraphs.

    Writes report.md, metrics.json and manifest.json. Without config.toml and options it measures on the dev pages in ../shared.
    Peers that are not installed are left out and named: pip install 'newswinnow[peers]'.

    Parameters
    ----------
    output
        Results directory.
    html
        Collections of HTML pages.
    corpus
        Labelled tables.
    train
        Labelled tables for fastText.
    model
        Saved model.
    trust
        Expected sha256 of a joblib model.
    as_json
        Print the numbers as JSON.
    overwrite
        Replace earlier results.
    """
    with reported_errors():
        from newswinnow.experiments.peers import run_peers
        from newswinnow.experiments.peers_config import read_peers_config, with_options
        from newswinnow.experiments.peers_tables import COLUMNS, row_of, write_peers
        from newswinnow.reports.render import METRICS

        if (output / METRICS).exists() and not overwrite:
            raise FileExistsError(f"{output}: must not hold a finished run; got {METRICS} there (--overwrite replaces it)")
        config, folder = read_peers_config(output)
        config = with_options(config, html=html or [], corpora=corpus or [], train=train or [])
        ours = open_model(model, trust)
        peers = run_peers(config, ours, relative_to=folder, progress=say)
        report = write_peers(peers, config, ours, output)
        for name, reason in peers.skipped.items():
            say(f"skipped: {name}: {reason}")
        if as_json:
            print_json(peers.as_dict())
            return
        print_table(["test", *COLUMNS], [[test.name, *row_of(score)] for test in peers.tests for score in test.scores])
        say(f"written: {report}")
