"""``newswinnow corpus``: check, stats; other groups of its commands have modules of their own."""

import typer

from newswinnow.cli import corpus_build, corpus_clean, corpus_exchange
from newswinnow.cli.command import command
from newswinnow.cli.options import JsonOption, TablesArgument
from newswinnow.cli.output import USAGE, print_json, print_table, reported_errors, say

app = typer.Typer(help="Build, check, clean and split labelled corpora.", no_args_is_help=True, rich_markup_mode=None)
corpus_build.register(app)
corpus_clean.register(app)
corpus_exchange.register(app)


@command(app, "check", example="newswinnow corpus check data/sample/train.jsonl")
def check_command(files: TablesArgument, as_json: JsonOption = False) -> None:
    """Check every record; list what breaks a rule with file and line, and what looks doubtful.

    Parameters
    ----------
    files
        Paragraph tables.
    as_json
        Print findings as JSON.
    """
    with reported_errors():
        from newswinnow.corpus.inspect import warnings_of
        from newswinnow.corpus.records import RecordRules
        from newswinnow.corpus.tables import read_tables

        reading = read_tables(files, rules=RecordRules(needs_label=True), max_rejects=None)
        warnings = warnings_of(reading.table) if len(reading.table) else ["no paragraphs"]
        if as_json:
            rejects = [reject.as_record() for reject in reading.rejects]
            print_json({"records": reading.n_records, "rejects": rejects, "warnings": warnings})
        else:
            for reject in reading.rejects:
                say(str(reject))
            for warning in warnings:
                say(f"warning: {warning}")
            print(f"{reading.n_records} records, {len(reading.rejects)} rejected, {len(warnings)} warnings")
        if reading.rejects or not len(reading.table):
            raise typer.Exit(USAGE)


@command(app, "stats", example="newswinnow corpus stats data/sample/train.jsonl --json")
def stats_command(files: TablesArgument, as_json: JsonOption = False) -> None:
    """Count paragraphs by label, source and site; lengths, duplicates, clashing labels.

    Parameters
    ----------
    files
        Paragraph tables.
    as_json
        Print as JSON.
    """
    with reported_errors():
        from newswinnow.corpus.inspect import corpus_stats
        from newswinnow.corpus.tables import read_tables

        stats = corpus_stats(read_tables(files).table)
        if as_json:
            print_json(stats.as_dict())
            return
        print(f"{stats.n_paragraphs} paragraphs, {stats.n_labelled} labelled, {stats.n_pages} pages, {stats.n_sites} sites")
        print(f"{stats.n_duplicate_texts} repeated texts, {stats.n_clashing_texts} texts with clashing labels")
        n_labelled = max(stats.n_labelled, 1)
        columns = ["label", "paragraphs", "share", *(f"words at {q}" for q in ("5%", "25%", "50%", "75%", "95%"))]
        rows = [
            [label, str(n), f"{n / n_labelled:.1%}", *(f"{v:.0f}" for v in stats.words_quantiles[label].values())]
            for label, n in stats.labels.items()
            if n
        ]
        print_table(columns, rows)
        for kind, counts in (("source", stats.sources), ("site", stats.sites)):
            if counts:
                largest = list(counts.items())[:10]
                print_table([kind, "paragraphs"], [[name, str(n)] for name, n in largest])
