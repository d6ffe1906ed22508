"""``newswinnow train``."""

from pathlib import Path
from typing import Annotated

import typer

from newswinnow.cli.options import JsonOption, OverwriteOption
from newswinnow.cli.output import print_json, progress_bar, reported_errors, say

EXAMPLE = "newswinnow train --corpus my_labels.jsonl -o runs/mine"


def train(
    config: Annotated[Path | None, typer.Argument(help="TOML configuration; without it the packaged default.")] = None,
    corpus: Annotated[list[Path] | None, typer.Option("--corpus", help="Train on these tables instead.", metavar="FILE")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Results directory.", metavar="DIR")] = Path("runs/train"),
    folds: Annotated[int | None, typer.Option("--folds", help="Folds of the cross-validation by site; 0 for none.")] = None,
    as_json: JsonOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Train a model, cross-validate it by site, and write model, report and metrics.

    Parameters
    ----------
    config
        Configuration file.
    corpus
        Tables to train on.
    output
        Results directory.
    folds
        Number of folds.
    as_json
        Print the result as JSON.
    overwrite
        Replace an earlier run.
    """
    with reported_errors():
        from newswinnow.corpus.tables import TABLE_FORMATS, format_of
        from newswinnow.experiments.config import read_config, with_folds
        from newswinnow.experiments.run import run

        if config and format_of(config) in TABLE_FORMATS:
            raise ValueError(f"{config}: a configuration must be TOML; got a table (train on it with --corpus {config})")
        settings = with_folds(read_config(config), folds)
        folder = config.parent if config else Path()
        with progress_bar() as progress:
            result = run(settings, output, relative_to=folder, corpora=corpus or (), overwrite=overwrite, progress=progress)
        summary = result.summary()
        if as_json:
            print_json(summary)
            return
        for name, value in summary["macro_f1"].items():
            print(f"macro-F1 on {name}: {value:.3f}")
        if result.validation:
            v = result.validation
            print(f"macro-F1 on unseen sites: {v.unseen_sites.value:.3f} (random split would say {v.random_split.value:.3f})")
        print(f"report: {result.directory / 'report.html'}")
        print(f"model:  {summary['model']}")
        print(f"sha256: {summary['sha256']}")
        trust = f" --trust {summary['sha256']}" if summary["needs_trust"] else ""
        say(f"use it: newswinnow predict page.txt --model {summary['model']}{trust}")
