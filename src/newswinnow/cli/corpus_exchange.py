"""``newswinnow corpus``: convert, export, import, queue.

What an annotation tool's file looks like stands in :mod:`newswinnow.corpus.exchange`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newswinnow.cli.command import command
from newswinnow.cli.options import TABLE_SUFFIXES, JsonOption, OverwriteOption
from newswinnow.cli.output import REJECTED, print_json, reported_errors, say

if TYPE_CHECKING:
    from newswinnow.corpus.rejects import Reject

_SHOWN = 10

TableArgument = Annotated[str, typer.Argument(help=f"Paragraph table: {TABLE_SUFFIXES}.", metavar="TABLE")]
OutputOption = Annotated[Path | None, typer.Option("--output", "-o", help="Write here instead of stdout.", metavar="FILE")]
FormatOption = Annotated[
    str | None, typer.Option("--format", "-f", help="jsonl, csv, tsv or parquet; by the output's name if not given.")
]
RejectsOption = Annotated[Path | None, typer.Option("--rejects", help="Write refused records here as JSONL.", metavar="FILE")]
_TOOLS = "label-studio, doccano, prodigy or fasttext."


def register(app: typer.Typer) -> None:
    """Add the commands to their group.

    Parameters
    ----------
    app
        The ``corpus`` group.
    """
    command(app, "convert", example="newswinnow corpus convert data/sample/train.jsonl train.parquet")(convert)
    command(app, "export", example="newswinnow corpus export data/sample/train.jsonl --to label-studio -o tasks.json")(export)
    command(app, "import", example="newswinnow corpus import project-1.json --from label-studio -o labelled.jsonl")(import_)
    command(app, "queue", example="newswinnow corpus queue pages.jsonl --number 200 -o queue.jsonl")(queue)


def _chosen_format(file_format: str | None, output: Path | None) -> str:
    """The format asked for, or that of the output's name, or JSONL; refused here if it cannot be written."""
    from newswinnow.corpus.tables import TABLE_FORMATS, format_of
    from newswinnow.corpus.write import check_writable

    suffix = format_of(output) if output else ""
    chosen = file_format or (suffix if suffix in TABLE_FORMATS else "jsonl")
    check_writable(chosen, output)
    return chosen


def _check_outputs(outputs: Sequence[Path | None], inputs: Sequence[str], *, overwrite: bool) -> None:
    """Refuse outputs that exist, are an input, or are the same file."""
    from newswinnow.scoring.files import check_output

    paths = [path for path in outputs if path is not None]
    for i, path in enumerate(paths):
        check_output(path, inputs, overwrite=overwrite)
        if any(path.resolve() == other.resolve() for other in paths[:i]):
            raise ValueError(f"{path}: must not be another output; got the same file twice")


def _report_rejects(rejects: "Sequence[Reject]", path: Path | None) -> None:
    """Say what was refused, keep it if asked to, and end with exit code 1 if there was any."""
    from newswinnow.scoring.files import write_rejects

    for reject in rejects[:_SHOWN]:
        say(str(reject))
    if len(rejects) > _SHOWN:
        say(f"... and {len(rejects) - _SHOWN} more")
    if path is not None:
        write_rejects(rejects, path)
    if rejects:
        raise typer.Exit(REJECTED)


def convert(
    table: TableArgument,
    output: Annotated[str, typer.Argument(help="The new table, or - for stdout.", metavar="OUT")],
    file_format: FormatOption = None,
    rejects: RejectsOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Write a paragraph table in another format.

    Columns that the project does not know keep their values; CSV and TSV hold them as text, where a null and an empty text are
    the same. Exit code 1: some records were refused.

    Parameters
    ----------
    table
        The table.
    output
        The new one.
    file_format
        Its format.
    rejects
        Where refused records go.
    overwrite
        Replace existing files.
    """
    with reported_errors():
        from newswinnow.corpus.tables import read_tables
        from newswinnow.corpus.write import write_table

        path = None if output == "-" else Path(output)
        chosen = _chosen_format(file_format, path)
        _check_outputs((path, rejects), [table], overwrite=overwrite)
        reading = read_tables([table], max_rejects=None)
        write_table(reading.table, path, file_format=chosen)
        say(f"{reading.n_records} records: {len(reading.table)} written, {len(reading.rejects)} rejected")
        _report_rejects(reading.rejects, rejects)


def export(
    table: TableArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.", metavar="FILE")],
    tool: Annotated[str, typer.Option("--to", help=_TOOLS, metavar="TOOL")],
    only_queued: Annotated[
        bool, typer.Option("--only-queued", help="Ask only about paragraphs picked by 'corpus queue'.")
    ] = False,
    as_json: JsonOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Write a table for an annotation tool, with ids and all columns packed so that they come back unharmed.

    Label Studio gets one task per page and, beside FILE, the labelling configuration FILE.xml; doccano and Prodigy get one line
    per paragraph with the texts before and after it; fastText gets labelled lines and the companion FILE.ids.jsonl.

    Parameters
    ----------
    table
        The table.
    output
        The file.
    tool
        The tool.
    only_queued
        Only what a queue picked.
    as_json
        Print what was written as JSON.
    overwrite
        Replace existing files.
    """
    with reported_errors():
        from newswinnow.corpus.exchange import export_table, files_of
        from newswinnow.corpus.tables import read_tables

        _check_outputs(files_of(output, tool), [table], overwrite=overwrite)
        exported = export_table(read_tables([table]).table, output, tool=tool, only_queued=only_queued)
        files = list(map(str, exported.files))
        if as_json:
            print_json({"pages": exported.n_pages, "paragraphs": exported.n_paragraphs, "files": files})
        else:
            print(f"{exported.n_pages} pages, {exported.n_paragraphs} paragraphs: {', '.join(files)}")


def import_(
    file: Annotated[str, typer.Argument(help="What the tool exported, or - for stdin.", metavar="FILE")],
    tool: Annotated[str, typer.Option("--from", help=_TOOLS, metavar="TOOL")],
    corpus: Annotated[
        str | None, typer.Option("--corpus", help="Put the labels into this table, whose other rows stay.", metavar="TABLE")
    ] = None,
    output: OutputOption = None,
    file_format: FormatOption = None,
    rejects: RejectsOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Read labels back from an annotation tool into a paragraph table.

    Skipped paragraphs keep the label they were exported with. Exit code 1: some records were refused.

    Parameters
    ----------
    file
        The tool's file.
    tool
        The tool.
    corpus
        Table to join the labels to.
    output
        Output file.
    file_format
        Output format.
    rejects
        Where refused records go.
    overwrite
        Replace existing files.
    """
    with reported_errors():
        from newswinnow.corpus.exchange import files_of, import_labels
        from newswinnow.corpus.exchange.incoming import join_labels
        from newswinnow.corpus.tables import read_tables
        from newswinnow.corpus.write import write_table

        chosen = _chosen_format(file_format, output)
        read = [str(path) for path in files_of(file, tool) if path.exists()] + ([corpus] if corpus else [])
        _check_outputs((output, rejects), read, overwrite=overwrite)
        imported = import_labels(file, tool=tool)
        if corpus is None:
            result, refused = imported.table, imported.rejects
            counts = f"{len(result)} taken, {len(imported.undecided)} of them undecided"
        else:
            joined = join_labels(read_tables([corpus]).table, imported)
            result, refused = joined.table, joined.rejects
            counts = f"{joined.n_changed} labels changed, {joined.n_confirmed} confirmed, {joined.n_undecided} undecided"
        write_table(result, output, file_format=chosen)
        say(f"{imported.n_records} records: {counts}, {len(refused)} rejected")
        _report_rejects(refused, rejects)


def queue(
    table: TableArgument,
    number: Annotated[int, typer.Option("--number", "-n", min=1, help="How many paragraphs to pick.")] = 250,
    strategy: Annotated[
        str,
        typer.Option("--strategy", help="margin-diverse, margin, entropy, margin-page or random.", metavar="NAME"),
    ] = "margin-diverse",
    per_site: Annotated[int, typer.Option("--per-site", min=0, help="At most so many of one site; 0 for no limit.")] = 10,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the picks.")] = 0,
    only_picked: Annotated[
        bool, typer.Option("--only-picked", help="Write the picks alone instead of their whole pages.")
    ] = False,
    output: OutputOption = None,
    file_format: FormatOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Pick what to label next: the unlabelled paragraphs a model doubts most, unlike each other and from many sites.

    Writes the pages of the picks with the column 'queue', 1 for what to label first; 'corpus export --only-queued' shows them.

    Parameters
    ----------
    table
        The table.
    number
        How many.
    strategy
        How to pick.
    per_site
        Limit per site.
    seed
        Seed.
    only_picked
        Leave out the rest of the pages.
    output
        Output file.
    file_format
        Output format.
    overwrite
        Replace an existing output.
    """
    with reported_errors():
        from newswinnow.corpus.tables import read_tables
        from newswinnow.corpus.write import write_table
        from newswinnow.evaluation.queue import label_queue, queued_rows, sites_of

        chosen = _chosen_format(file_format, output)
        _check_outputs((output,), [table], overwrite=overwrite)
        ranked = label_queue(read_tables([table]).table, number, strategy=strategy, per_site=per_site or None, seed=seed)
        write_table(queued_rows(ranked, whole_pages=not only_picked), output, file_format=chosen)
        picked = queued_rows(ranked, whole_pages=False)
        say(f"{len(picked)} paragraphs on {picked['page'].nunique()} pages of {len(set(sites_of(picked)))} sites")
