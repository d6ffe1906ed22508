"""``newswinnow corpus``: dedup, split, audit, review, apply-review."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newswinnow.cli.command import command
from newswinnow.cli.options import TABLE_SUFFIXES, JsonOption, OverwriteOption, TablesArgument
from newswinnow.cli.output import print_json, print_table, reported_errors, say

if TYPE_CHECKING:
    import pandas as pd

    from newswinnow.corpus.dedup import Deduplicated
    from newswinnow.corpus.splits import Split
    from newswinnow.evaluation.leakage import Leakage, Lookup

SeedOption = Annotated[int, typer.Option("--seed", help="Seed of everything random.", min=0)]
ThresholdOption = Annotated[
    float, typer.Option("--threshold", help="Similarity from which long paragraphs are near duplicates.", min=0.5, max=1.0)
]
FormatOption = Annotated[str, typer.Option("--format", "-f", help="jsonl, csv, tsv or parquet.")]
_SHOWN = 10


def _check_output(output: Path, inputs: Sequence[Path], *, overwrite: bool) -> str:
    """Refuse an output before any work; its format by its suffix."""
    from newswinnow.corpus.tables import format_of
    from newswinnow.corpus.write import check_writable
    from newswinnow.scoring.files import check_output

    check_output(output, list(map(str, inputs)), overwrite=overwrite)
    check_writable(format_of(output), output)
    return format_of(output)


def dedup_command(
    files: TablesArgument,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help=f"Write what is kept: {TABLE_SUFFIXES}.", metavar="FILE")
    ] = None,
    paragraphs: Annotated[
        bool, typer.Option("--paragraphs", help="Drop repeated long paragraphs of different pages too, not only whole pages.")
    ] = False,
    threshold: ThresholdOption = 0.7,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Find near-duplicate pages and paragraphs, and duplicates with clashing labels; drop the pages.

    Exit codes: 0 done; 2 an input cannot be used or the output exists.

    Parameters
    ----------
    files
        Paragraph tables.
    output
        Where what is kept goes; without it nothing is written.
    paragraphs
        Drop repeated long paragraphs too.
    threshold
        What counts as a near duplicate.
    seed
        Seed of the sketches.
    as_json
        Print what was found as JSON.
    overwrite
        Replace an existing output.
    """
    with reported_errors():
        from newswinnow.corpus.dedup import deduplicate
        from newswinnow.corpus.similar import DuplicateRule
        from newswinnow.corpus.tables import read_tables
        from newswinnow.corpus.write import write_table

        file_format = _check_output(output, files, overwrite=overwrite) if output else ""
        found = deduplicate(read_tables(files).table, DuplicateRule(threshold, seed=seed), paragraphs=paragraphs)
        if output:
            write_table(found.table, output, file_format=file_format)
        _print_deduplicated(found, as_json=as_json)


def _print_deduplicated(found: "Deduplicated", *, as_json: bool) -> None:
    clusters = found.duplicates.groups(only_long=True)
    counts = {
        "paragraphs": len(found.duplicates.cluster),
        "exact_duplicates": found.duplicates.n_exact,
        "near_duplicates": found.duplicates.n_near,
        "clusters_of_long_paragraphs": len(clusters),
        "rows_dropped_with_pages": found.n_page_rows,
        "paragraphs_dropped": found.n_paragraph_rows,
        "paragraphs_kept": len(found.table),
    }
    if as_json:
        clashes = [{"text": clash.text, "labels": clash.labels} for clash in found.clashes]
        print_json({**counts, "duplicate_pages": list(map(list, found.pages)), "clashes": clashes})
        return
    print_table(["what", "count"], [[name.replace("_", " "), str(n)] for name, n in counts.items()])
    for group in found.pages[:_SHOWN]:
        say(f"near-duplicate pages: {', '.join(group)} (the first is kept)")
    for clash in found.clashes[:_SHOWN]:
        places = ", ".join(f"{label} at {place}" for label, place in clash.labels.items())
        say(f"warning: clashing labels: {clash.text[:60]!r} is {places}")
    for name, n in (("groups of near-duplicate pages", len(found.pages)), ("clashes", len(found.clashes))):
        if n > _SHOWN:
            say(f"... and {n - _SHOWN} more {name} (--json lists all)")


def split_command(
    files: TablesArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the parts.", metavar="DIR")],
    fractions: Annotated[
        str, typer.Option("--parts", help="Parts and their shares, the one to train on first.")
    ] = "train=0.8,dev=0.1,test=0.1",
    seed: SeedOption = 0,
    join_from: Annotated[
        int, typer.Option("--join-from", help="Sites sharing so many near-duplicate paragraphs stay together; 0: never.", min=0)
    ] = 3,
    threshold: ThresholdOption = 0.7,
    audit: Annotated[bool, typer.Option("--audit", help="Measure what leaks between the parts written.")] = False,
    file_format: FormatOption = "jsonl",
    as_json: JsonOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Cut a corpus into parts that share no site and no near-duplicate paragraph, labels spread evenly.

    Exit codes: 0 done; 2 an input cannot be used, a part exists, or there are too few sites.

    Parameters
    ----------
    files
        Paragraph tables.
    output
        Where the parts go, one file each.
    fractions
        Parts and their shares.
    seed
        Seed of everything random.
    join_from
        When sites stay together.
    threshold
        What counts as a near duplicate.
    audit
        Measure what leaks.
    file_format
        Format of the parts.
    as_json
        Print the result as JSON.
    overwrite
        Replace existing parts.
    """
    with reported_errors():
        from newswinnow.corpus.similar import DuplicateRule
        from newswinnow.corpus.splits import SplitOptions, parse_fractions, split_by_site
        from newswinnow.corpus.tables import read_tables
        from newswinnow.corpus.write import write_table
        from newswinnow.evaluation.leakage import audit_split

        rule = DuplicateRule(threshold, seed=seed)
        options = SplitOptions(parse_fractions(fractions), seed=seed, join_from=join_from, rule=rule)
        paths = {name: output / f"{name}.{file_format}" for name in options.fractions}
        output.mkdir(parents=True, exist_ok=True)
        for path in paths.values():
            _check_output(path, files, overwrite=overwrite)
        split = split_by_site(read_tables(files).table, options)
        for name, part in split.parts.items():
            write_table(part.table, paths[name], file_format=file_format)
        leaks = audit_split([(name, part.table) for name, part in split.parts.items()], rule=rule) if audit else []
        _print_split(split, leaks, as_json=as_json)


def _part_row(table: "pd.DataFrame") -> dict[str, int]:
    from newswinnow.paragraphs.label import LABELS
    from newswinnow.paragraphs.table import LABEL, PAGE

    counts = {str(label): int((table[LABEL] == label).sum()) if LABEL in table.columns else 0 for label in LABELS}
    return {"pages": int(table[PAGE].nunique()), "paragraphs": len(table), **counts}


def _print_split(split: "Split", leaks: Sequence["Leakage"], *, as_json: bool) -> None:
    counts = {
        name: {**_part_row(part.table), "dropped": part.n_dropped, "dropped labelled": part.n_dropped_labelled}
        for name, part in split.parts.items()
    }
    if as_json:
        joined = list(map(list, split.joined))
        pages = split.n_pages_without_site
        found = {"sites": split.n_sites, "pages_without_site": pages, "joined_sites": joined, "parts": counts}
        print_json({**found, "audit": [leak.as_dict() for leak in leaks]} if leaks else found)
        return
    columns = ["part", *next(iter(counts.values()))]
    print_table(columns, [[name, *map(str, row.values())] for name, row in counts.items()])
    say(f"{split.n_sites} sites, {len(split.joined)} groups of sites kept together; dropped: near duplicates of another part")
    if split.n_pages_without_site:
        say(f"warning: {split.n_pages_without_site} pages without a site were each taken for a site of their own")
    if leaks:
        _print_leakage(leaks)


def _print_leakage(leaks: Sequence["Leakage"]) -> None:
    def shown(lookup: "Lookup | None") -> str:
        return f"{lookup.macro_f1:.3f} / {lookup.majority_macro_f1:.3f}" if lookup else "-"

    columns = ["audit", "shared sites", "shared pages", "near duplicates", "of long", "labelled", "short lines seen"]
    rows = []
    for leak in leaks:
        counts = (
            len(leak.shared_sites),
            leak.n_shared_pages,
            leak.n_shared,
            leak.n_long,
            leak.n_shared_labelled,
            leak.n_short_seen,
        )
        rows.append([leak.part, *map(str, counts), shown(leak.long_lookup), shown(leak.lookup)])
    print_table([*columns, "look-up / majority, long", "look-up / majority, all"], rows)
    for leak in leaks:
        for warning in leak.warnings():
            say(f"warning: {warning}")
        for example in leak.examples:
            say(f"  {example.where} {example.text[:60]!r} is like {example.training_where} {example.training_text[:60]!r}")


def audit_command(
    train: Annotated[Path, typer.Argument(help="The part that models are trained on.", metavar="TRAIN")],
    parts: Annotated[list[Path], typer.Argument(help="Parts that they are measured on.", metavar="PART")],
    threshold: ThresholdOption = 0.7,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Measure what the parts of a ready split have in common with the training part, and what mere look-up scores.

    Exit codes: 0 done, whatever was found; 2 an input cannot be used.

    Parameters
    ----------
    train
        The training part.
    parts
        The others.
    threshold
        What counts as a near duplicate.
    seed
        Seed of the sketches.
    as_json
        Print the audit as JSON.
    """
    with reported_errors():
        from newswinnow.corpus.similar import DuplicateRule
        from newswinnow.corpus.tables import read_tables
        from newswinnow.evaluation.leakage import audit_split

        tables = [(path.name, read_tables([path]).table) for path in (train, *parts)]
        leaks = audit_split(tables, rule=DuplicateRule(threshold, seed=seed))
        if as_json:
            print_json([leak.as_dict() for leak in leaks])
        else:
            _print_leakage(leaks)


def review_command(
    files: TablesArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="The review file, .tsv.", metavar="FILE")],
    top: Annotated[
        int | None, typer.Option("--top", help="How many labels to review; else as many as are likely wrong.", min=1)
    ] = None,
    family: Annotated[
        str, typer.Option("--family", help="Model that doubts: a family name as in a configuration.")
    ] = "tfidf-logistic",
    folds: Annotated[int, typer.Option("--folds", help="Folds by site.", min=2)] = 5,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Rank labels by how little a model of other sites believes them, and write the most doubtful into a file to edit.

    Fill in new_label (news, boilerplate, related-link, or null to take the label away), then run apply-review.
    Exit codes: 0 done; 2 an input cannot be used or the output exists.

    Parameters
    ----------
    files
        Labelled tables.
    output
        The review file.
    top
        How many rows.
    family
        Which model.
    folds
        Folds by site.
    seed
        Seed of folds and model.
    as_json
        Print the counts as JSON.
    overwrite
        Replace an existing file.
    """
    with reported_errors():
        from newswinnow.corpus.review import review_bytes, review_table
        from newswinnow.corpus.tables import read_corpus
        from newswinnow.corpus.write import atomic_file
        from newswinnow.evaluation.label_review import suspect_labels
        from newswinnow.models.registry import ModelSpec

        if _check_output(output, files, overwrite=overwrite) != "tsv" or output.suffix.lower() != ".tsv":
            raise ValueError(f"{output}: a review file must end in .tsv; got {output.suffix!r}")
        suspects = suspect_labels(read_corpus(files), ModelSpec(family), n_folds=folds, seed=seed)
        rows = review_table(suspects.table, top=suspects.n_likely if top is None else top)
        with atomic_file(output) as file:
            file.write(review_bytes(rows))
        if as_json:
            print_json({"labelled": len(suspects.table), "likely_wrong": suspects.n_likely, "written": len(rows)})
        else:
            say(f"{len(suspects.table)} labels, {suspects.n_likely} likely wrong")
            print(f"{len(rows)} rows to review in {output}")


def apply_review_command(
    review: Annotated[Path, typer.Argument(help="The edited review file.", metavar="REVIEW")],
    files: TablesArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="The corpus with the new labels.", metavar="FILE")],
    as_json: JsonOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Put the new labels of a review file into the corpus it was made from; an edit that does not match is refused.

    Exit codes: 0 done; 2 an input cannot be used, the output exists, or an edit does not match: nothing is written then.

    Parameters
    ----------
    review
        The edited file.
    files
        The corpus.
    output
        Where it goes.
    as_json
        Print the counts as JSON.
    overwrite
        Replace an existing output.
    """
    with reported_errors():
        from newswinnow.corpus.review import apply_review, read_review
        from newswinnow.corpus.tables import read_corpus
        from newswinnow.corpus.write import write_table

        file_format = _check_output(output, [review, *files], overwrite=overwrite)
        edits = read_review(review)
        applied = apply_review(read_corpus(files), edits, source=str(review))
        write_table(applied.table, output, file_format=file_format)
        counts = {"changed": applied.n_changed, "removed": applied.n_removed, "confirmed": applied.n_confirmed}
        counts["undecided"] = edits.n_undecided
        if as_json:
            print_json(counts)
        else:
            print(", ".join(f"{n} labels {name}" for name, n in counts.items()))


def register(app: typer.Typer) -> None:
    """Add the commands to their group.

    Parameters
    ----------
    app
        The ``corpus`` group.
    """
    command(app, "dedup", example="newswinnow corpus dedup crawl.jsonl --paragraphs -o clean.jsonl")(dedup_command)
    command(app, "split", example="newswinnow corpus split corpus.jsonl -o parts --seed 7 --audit")(split_command)
    command(app, "audit", example="newswinnow corpus audit parts/train.jsonl parts/dev.jsonl parts/test.jsonl")(audit_command)
    command(app, "review", example="newswinnow corpus review corpus.jsonl -o doubts.tsv --top 200")(review_command)
    command(app, "apply-review", example="newswinnow corpus apply-review doubts.tsv corpus.jsonl -o better.jsonl")(
        apply_review_command
    )
