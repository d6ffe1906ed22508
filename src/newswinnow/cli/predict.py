"""``newswinnow predict`` and ``newswinnow clean``."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newswinnow.cli.options import (
    INPUT_SUFFIXES,
    ContextOption,
    DecisionOption,
    JsonOption,
    MaxNewsLossOption,
    ModelOption,
    OverwriteOption,
    TrustOption,
    open_deciding,
    open_model,
)
from newswinnow.cli.output import REJECTED, escape_controls, json_text, print_predictions, reported_errors, say
from newswinnow.cli.predict_run import (
    STDOUT,
    BulkOptions,
    ChunkOption,
    DaskOption,
    OnErrorOption,
    RunOption,
    WorkersOption,
    bulk_plan,
    run_kind,
    score_in_bulk,
)

if TYPE_CHECKING:
    from newswinnow.scoring.files import Scored

PREDICT_EXAMPLE = "newswinnow predict data/pages/shuffled.txt --format csv -o labelled.csv"
CLEAN_EXAMPLE = "newswinnow clean data/pages --keep news,related-link"

Inputs = Annotated[list[str], typer.Argument(help=f"Files ({INPUT_SUFFIXES}), folders, or - for stdin.")]
OutputOption = Annotated[Path | None, typer.Option("--output", "-o", help="Write here instead of stdout (-).", metavar="FILE")]
InputFormat = Annotated[str | None, typer.Option("--input-format", help="Read every input as this format.")]


def _leave_matrices_to_one_thread() -> None:
    """Keep OpenBLAS from starting threads that nobody will use; to be called before numpy is loaded."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _report(scored: "Scored", inputs: list[str], *, rejects: Path | None) -> None:
    """Say what was read, passed over and refused, keep what was refused if asked to, and end with exit code 1 for that."""
    from newswinnow.harvest.folders import describe_passed_over
    from newswinnow.harvest.inputs import passed_over_in
    from newswinnow.scoring.files import write_rejects

    counts = scored.counts()
    shown = ", ".join(f"{n} {name}" for name, n in counts.items() if n or name not in ("empty", "rejected"))
    say(f"{len(scored.rows)} paragraphs: {shown}")
    if skipped := describe_passed_over(passed_over_in(inputs)):
        say(f"passed over: {skipped}")
    for reject in scored.rejects[:10]:
        say(str(reject))
    if len(scored.rejects) > 10:
        say(f"... and {len(scored.rejects) - 10} more")
    if rejects is not None:
        write_rejects(scored.rejects, rejects)
    if scored.rejects:
        raise typer.Exit(REJECTED)


def _refuse_decision(decision: Path | None, max_news_loss: float | None) -> None:
    for name, value in (("--decision", decision), ("--max-news-loss", max_news_loss)):
        if value is not None:
            raise ValueError(f"{name}: must not be given with --run; got {value}")


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
    run: RunOption = None,
    workers: WorkersOption = None,
    chunk_bytes: ChunkOption = None,
    on_error: OnErrorOption = None,
    dask: DaskOption = None,
    decision: DecisionOption = None,
    max_news_loss: MaxNewsLossOption = None,
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
    run
        Run directory.
    workers
        Processes of a run.
    chunk_bytes
        Least size of a run's chunks.
    on_error
        What a run does with bad records.
    dask
        Address of a Dask scheduler that a run's chunks go to.
    decision
        Decision file.
    max_news_loss
        Largest mean share of a page's news to lose.
    """
    _leave_matrices_to_one_thread()
    with reported_errors():
        bulk = BulkOptions(run, workers, chunk_bytes, on_error, dask)
        if run is not None:
            _refuse_decision(decision, max_news_loss)
            if rejects is not None:
                raise ValueError(f"{rejects}: --rejects must not be given with --run; rejects go to {run / 'rejects.jsonl'}")
            kind = run_kind(output, file_format)
            plan = bulk_plan(
                inputs,
                bulk,
                kind=kind,
                output=output,
                model=model,
                trust=trust,
                context=context,
                keep="news",
                input_format=input_format,
                overwrite=overwrite,
            )
            score_in_bulk(plan, to_stdout=output == STDOUT)
            return
        bulk.refuse_without_run()
        output = None if output == STDOUT else output
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
        predictor = open_deciding(open_model(model, trust), decision, max_news_loss, context=context)
        scored = predict_inputs(predictor, inputs, context=context, file_format=input_format)
        if is_for_reading:
            print_predictions(scored.rows)
        else:
            write_table(scored.rows, output, file_format=chosen)
        _report(scored, inputs, rejects=rejects)


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
    run: RunOption = None,
    workers: WorkersOption = None,
    chunk_bytes: ChunkOption = None,
    on_error: OnErrorOption = None,
    dask: DaskOption = None,
    decision: DecisionOption = None,
    max_news_loss: MaxNewsLossOption = None,
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
    run
        Run directory.
    workers
        Processes of a run.
    chunk_bytes
        Least size of a run's chunks.
    on_error
        What a run does with bad records.
    dask
        Address of a Dask scheduler that a run's chunks go to.
    decision
        Decision file.
    max_news_loss
        Largest mean share of a page's news to lose.
    """
    _leave_matrices_to_one_thread()
    with reported_errors():
        bulk = BulkOptions(run, workers, chunk_bytes, on_error, dask)
        if run is not None:
            _refuse_decision(decision, max_news_loss)
            plan = bulk_plan(
                inputs,
                bulk,
                kind="pages" if as_json else "text",
                output=output,
                model=model,
                trust=trust,
                context=context,
                keep=keep,
                input_format=input_format,
                overwrite=overwrite,
            )
            score_in_bulk(plan, to_stdout=output == STDOUT)
            return
        bulk.refuse_without_run()
        output = None if output == STDOUT else output
        from newswinnow.corpus.write import atomic_file, compressed
        from newswinnow.paragraphs.label import parse_labels
        from newswinnow.scoring.files import check_inputs, check_output, clean_pages, predict_inputs

        kept = parse_labels(keep)
        check_inputs(inputs, file_format=input_format)
        if output:
            check_output(output, inputs, overwrite=overwrite)
        predictor = open_deciding(open_model(model, trust), decision, max_news_loss, context=context)
        scored = predict_inputs(predictor, inputs, context=context, file_format=input_format)
        pages = list(clean_pages(scored.rows, keep=kept))
        if as_json:
            content = json_text([{"page": page, "paragraphs": texts} for page, texts in pages]) + "\n"
        else:
            content = "\n\n".join(text for _, texts in pages for text in texts)
            content += "\n" if content else ""
        if output:
            with atomic_file(output) as file, compressed(file, output.name) as stream:
                stream.write(content.encode())
        else:
            print(escape_controls(content) if sys.stdout.isatty() else content, end="")
        _report(scored, inputs, rejects=None)
