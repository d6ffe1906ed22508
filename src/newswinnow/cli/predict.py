"""``newswinnow predict`` and ``newswinnow clean``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newswinnow.cli.options import ContextOption, JsonOption, ModelOption, OverwriteOption, TrustOption, open_model
from newswinnow.cli.output import REJECTED, escape_controls, json_text, print_predictions, reported_errors, say

if TYPE_CHECKING:
    from newswinnow.scoring.files import Scored

PREDICT_EXAMPLE = "newswinnow predict data/pages/shuffled.txt --format csv -o labelled.csv"
CLEAN_EXAMPLE = "newswinnow clean data/pages --keep news,related-link"

Inputs = Annotated[
    list[str], typer.Argument(help="Files (.txt .html .jsonl .csv .tsv .parquet, also .gz), folders, or - for stdin.")
]
OutputOption = Annotated[Path | None, typer.Option("--output", "-o", help="Write here instead of stdout.", metavar="FILE")]
InputFormat = Annotated[str | None, typer.Option("--input-format", help="Read every input as this format.")]


def _report_rejects(scored: "Scored", rejects: Path | None) -> None:
    """Say what was refused, keep it if asked to, and end with exit code 1 if there was any."""
    from newswinnow.scoring.files import write_rejects

    counts = scored.counts()
    shown = ", ".join(f"{n} {name}" for name, n in counts.items() if n or name not in ("empty", "rejected"))
    say(f"{len(scored.table)} paragraphs: {shown}")
    for reject in scored.rejects[:10]:
        say(str(reject))
    if len(scored.rejects) > 10:
        say(f"... and {len(scored.rejects) - 10} more")
    if rejects is not None:
        write_rejects(scored.rejects, rejects)
    if scored.rejects:
        raise typer.Exit(REJECTED)


def predict(
    inputs: Inputs,
    model: ModelOption = None,
    trust: TrustOption = None,
    context: ContextOption = "auto",
    output: OutputOption = None,
    file_format: Annotated[
        str | None, typer.Option("--format", "-f", help="jsonl (default), csv, tsv, parquet; table to read on a terminal.")
    ] = None,
    input_format: InputFormat = None,
    rejects: Annotated[
        Path | None, typer.Option("--rejects", help="Write refused records here as JSONL.", metavar="FILE")
    ] = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Label every paragraph: one row each with its label and the three probabilities.

    Parameters
    ----------
    inputs
        Files, folders or -.
    model
        Saved model.
    trust
        Expected sha256 of a joblib model.
    context
        Level of information.
    output
        Output file.
    file_format
        Output format.
    input_format
        Format of every input.
    rejects
        Where refused records go.
    overwrite
        Replace an existing output.
    """
    with reported_errors():
        from newswinnow.corpus.tables import TABLE_FORMATS, format_of
        from newswinnow.corpus.write import check_writable, write_table
        from newswinnow.scoring.files import check_inputs, check_output, predict_inputs

        suffix = format_of(output) if output else ""
        chosen = file_format or (suffix if suffix in TABLE_FORMATS else "jsonl")
        is_for_reading = chosen == "table" and output is None
        if not is_for_reading:
            check_writable(chosen, output)
        check_inputs(inputs, file_format=input_format)
        for path in filter(None, (output, rejects)):
            check_output(path, inputs, overwrite=overwrite)
        if output and rejects and output.resolve() == rejects.resolve():
            raise ValueError(f"{rejects}: --rejects must not be the output; got the same file")
        scored = predict_inputs(open_model(model, trust), inputs, context=context, file_format=input_format)
        if is_for_reading:
            print_predictions(scored.table)
        else:
            write_table(scored.table, output, file_format=chosen)
        _report_rejects(scored, rejects)


def clean(
    inputs: Inputs,
    keep: Annotated[str, typer.Option("--keep", "-k", help="Labels to keep, separated by commas.")] = "news",
    model: ModelOption = None,
    trust: TrustOption = None,
    context: ContextOption = "auto",
    output: OutputOption = None,
    input_format: InputFormat = None,
    as_json: JsonOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Print only the news text: paragraphs separated by blank lines, one page after the other.

    Parameters
    ----------
    inputs
        Files, folders or -.
    keep
        Labels to keep.
    model
        Saved model.
    trust
        Expected sha256 of a joblib model.
    context
        Level of information.
    output
        Output file.
    input_format
        Format of every input.
    as_json
        Print pages and their texts as JSON.
    overwrite
        Replace an existing output.
    """
    with reported_errors():
        from newswinnow.corpus.write import atomic_file
        from newswinnow.paragraphs.label import parse_labels
        from newswinnow.scoring.files import check_inputs, check_output, clean_pages, predict_inputs

        kept = parse_labels(keep)
        check_inputs(inputs, file_format=input_format)
        if output:
            check_output(output, inputs, overwrite=overwrite)
        scored = predict_inputs(open_model(model, trust), inputs, context=context, file_format=input_format)
        pages = list(clean_pages(scored.table, keep=kept))
        if as_json:
            content = json_text([{"page": page, "paragraphs": texts} for page, texts in pages]) + "\n"
        else:
            content = "\n\n".join(text for _, texts in pages for text in texts)
            content += "\n" if content else ""
        if output:
            with atomic_file(output) as file:
                file.write(content.encode())
        else:
            print(escape_controls(content) if sys.stdout.isatty() else content, end="")
        _report_rejects(scored, None)
