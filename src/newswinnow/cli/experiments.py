"""``newswinnow experiments``: run, list, compare; gate, decide, search and export are registered here."""

from pathlib import Path
from typing import Annotated

import typer

from newswinnow.cli import experiments_export, experiments_gate, experiments_peers, experiments_search
from newswinnow.cli.command import command
from newswinnow.cli.options import JsonOption, OverwriteOption
from newswinnow.cli.output import print_json, print_table, progress_bar, reported_errors, say

app = typer.Typer(help="Run experiments and compare their results.", no_args_is_help=True, rich_markup_mode=None)

FolderOption = Annotated[Path, typer.Option("--folder", help="Folder of experiments.", metavar="DIR")]


@command(app, "run", example="newswinnow experiments run experiments/006-sample-only --overwrite")
def run_command(
    experiments: Annotated[list[Path], typer.Argument(help="Experiment folders or their config.toml.", metavar="EXPERIMENT")],
    as_json: JsonOption = False,
    overwrite: OverwriteOption = False,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Folds of a cross-validation fitted at once.")] = 1,
) -> None:
    """Train and measure what each experiment's config.toml says; results go beside it.

    Parameters
    ----------
    experiments
        Folders or configuration files.
    as_json
        Print summaries as JSON.
    overwrite
        Replace earlier results.
    jobs
        Folds fitted at once.
    """
    with reported_errors():
        from newswinnow.experiments.run import run_experiment

        summaries = []
        for path in experiments:
            with progress_bar() as progress:
                summaries.append(run_experiment(path, overwrite=overwrite, n_jobs=jobs, progress=progress).summary())
        if as_json:
            print_json(summaries)
            return
        rows = [[s["directory"], name, f"{value:.4f}"] for s in summaries for name, value in s["macro_f1"].items()]
        print_table(["experiment", "test", "macro-F1"], rows)


@command(app, "list", example="newswinnow experiments list --folder experiments")
def list_command(folder: FolderOption = Path("experiments"), as_json: JsonOption = False) -> None:
    """List finished experiments with their scores.

    Parameters
    ----------
    folder
        Folder of experiments.
    as_json
        Print as JSON.
    """
    with reported_errors():
        from newswinnow.experiments.compare import find_runs
        from newswinnow.experiments.comparison_tables import overview_rows

        runs = find_runs(folder)
        if as_json:
            print_json([{"name": run.name, "title": run.title, "metrics": run.metrics} for run in runs])
            return
        print_table(*overview_rows(runs))


@command(app, "compare", example="newswinnow experiments compare experiments/001-majority experiments/006-sample-only")
def compare_command(
    experiments: Annotated[
        list[Path] | None, typer.Argument(help="Result directories, the baseline first; without any, all in the folder.")
    ] = None,
    folder: FolderOption = Path("experiments"),
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Also write Markdown here.", metavar="FILE")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Also write two runs page by page here.", metavar="FILE")] = None,
    corpus: Annotated[
        list[Path] | None, typer.Option("--corpus", help="Test corpus with the texts for --html.", metavar="FILE")
    ] = None,
    slices: Annotated[bool, typer.Option("--slices", help="Also compare on every slice, p corrected by Holm.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, as for a pull request.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare runs on the same test data with a verdict: better, worse, tied or not enough data.

    Better and worse need both the difference of macro-F1 over resampled pages and McNemar's exact test. Different test data are
    refused.

    Parameters
    ----------
    experiments
        Result directories.
    folder
        Folder of experiments.
    output
        Markdown file, replaced.
    html
        HTML file, replaced.
    corpus
        Files with the texts; the runs' configurations name some already.
    slices
        Print the comparison on slices too.
    markdown
        Print Markdown.
    as_json
        Print as JSON.
    """
    with reported_errors():
        from newswinnow.corpus.write import write_text
        from newswinnow.experiments import comparison_tables as tables
        from newswinnow.experiments.compare import compare_runs, find_runs, read_run
        from newswinnow.experiments.comparison_page import check_pair, comparison_html

        runs = [read_run(path) for path in experiments] if experiments else find_runs(folder)
        if html:
            check_pair(runs)
        elif corpus:
            raise ValueError("--corpus: must come with --html FILE; got none")
        rows = compare_runs([run.directory for run in runs])
        if output:
            write_text(output, tables.overview_markdown(runs, rows))
            say(f"written: {output}")
        if html:
            document = comparison_html(runs, rows, corpora=corpus or ())
            write_text(html, document)
            say(f"written: {html}")
        if as_json:
            print_json([row.as_dict() for row in rows])
            return
        if markdown:
            print(tables.comparison_markdown(rows), end="")
            return
        print_table(*tables.comparison_rows(rows))
        if slices:
            print()
            print_table(*tables.slice_rows(rows))


command(app, "gate", example=experiments_gate.GATE_EXAMPLE)(experiments_gate.gate_command)
command(app, "decide", example=experiments_gate.DECIDE_EXAMPLE)(experiments_gate.decide_command)
command(app, "search", example=experiments_search.EXAMPLE)(experiments_search.search_command)
command(app, "export", example=experiments_export.EXAMPLE)(experiments_export.export_command)
command(app, "peers", example=experiments_peers.EXAMPLE)(experiments_peers.peers_command)
