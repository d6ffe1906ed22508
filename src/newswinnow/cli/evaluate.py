"""``newswinnow evaluate``."""

from pathlib import Path
from typing import Annotated

import typer

from newswinnow.cli.options import (
    SHIPPED_WORD,
    ContextOption,
    JsonOption,
    OverwriteOption,
    TrustOption,
    model_directory,
    open_model,
)
from newswinnow.cli.output import print_json, print_table, reported_errors, say

EXAMPLE = "newswinnow evaluate runs/mine/model my_test.jsonl -o runs/mine-report --trust SHA256"


def evaluate(
    model: Annotated[str, typer.Argument(help="Saved model, or shipped for the one of the package.", metavar="MODEL")],
    corpus: Annotated[list[Path], typer.Argument(help="Labelled tables.", metavar="CORPUS")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the report goes.", metavar="DIR")] = Path("runs/evaluate"),
    trust: TrustOption = None,
    context: ContextOption = "auto",
    as_json: JsonOption = False,
    overwrite: OverwriteOption = False,
    explain: Annotated[
        int | None, typer.Option("--explain", help="Explain so many of the surest mistakes in report.html; 0 for none.", min=0)
    ] = None,
) -> None:
    """Measure a saved model on labelled tables: report.html, report.md, metrics.json, mistakes.csv.

    Parameters
    ----------
    model
        Saved model, or ``shipped``.
    corpus
        Labelled tables, one evaluation each.
    output
        Report directory.
    trust
        Expected sha256 of a joblib model.
    context
        Level of information.
    as_json
        Print the scores as JSON.
    overwrite
        Replace an earlier report.
    explain
        Mistakes to explain; None for 20 of each corpus.
    """
    with reported_errors():
        from newswinnow.corpus.tables import read_corpus
        from newswinnow.evaluation.behaviour import behaviour_of
        from newswinnow.evaluation.evaluate import evaluate as measure
        from newswinnow.evaluation.explain_mistakes import N_EXPLAINED, with_explanations
        from newswinnow.reports.render import METRICS, Report, write_report

        if (output / METRICS).exists() and not overwrite:
            raise FileExistsError(f"{output}: must not hold a report; got {METRICS} there (--overwrite replaces it)")
        directory = model_directory(model)
        predictor = open_model(directory, trust)
        tables = {path.name.removesuffix(".gz").removesuffix(".zst").rsplit(".", 1)[0]: read_corpus([path]) for path in corpus}
        if len(tables) < len(corpus):
            raise ValueError(f"CORPUS: files must have different names; got {', '.join(map(str, corpus))}")
        measured = [measure(predictor, table, name=name, context=context) for name, table in tables.items()]
        n_explained = N_EXPLAINED if explain is None else explain
        evaluations = [with_explanations(evaluation, predictor, n=n_explained) for evaluation in measured]
        family = predictor.manifest["spec"].get("family", "unknown")
        behaviour = behaviour_of(predictor)
        title = f"{directory.resolve().name if directory else SHIPPED_WORD} on {', '.join(tables)}"
        report = Report(title, evaluations, model={"family": family}, behaviour=behaviour)
        paths = write_report(report, output, with_mistakes=True)
        for e in evaluations:
            if e.n_seen:
                n = e.scores.n_paragraphs
                say(f"{e.name}: {e.n_seen} of {n} paragraphs are of sites that the model was trained on, which flatters it")
        if as_json:
            print_json(report.metrics())
            return
        rows = [
            [e.name, label.label, *(f"{s.value:.3f}" for s in (label.precision, label.recall, label.f1)), str(label.support)]
            for e in evaluations
            for label in e.scores.labels
        ]
        print_table(["corpus", "label", "precision", "recall", "F1", "paragraphs"], rows)
        passed = behaviour.overall
        print(f"behaviour suite: {passed.n_passed} of {passed.n_cases} cases passed ({passed.share:.1%})")
        for e in evaluations:
            for level in e.by_context.values():
                f1 = level.scores.macro_f1
                context = f", context {level.context}" if e.levels else ""
                print(f"macro-F1 on {e.name}{context}: {f1.value:.3f} ({f1.low:.3f}–{f1.high:.3f})")
        say(f"report: {paths[0]}")
