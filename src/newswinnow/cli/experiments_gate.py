"""``newswinnow experiments gate`` and ``decide``.

The rules behind them are left to :mod:`newswinnow.evaluation`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from newswinnow.cli.options import ContextOption, JsonOption, OverwriteOption, TrustOption, open_model
from newswinnow.cli.output import print_json, print_table, reported_errors, say

if TYPE_CHECKING:
    from newswinnow.experiments.gate import GateTest

GATE_FAILED: Final = 6
GATE_EXAMPLE: Final = "newswinnow experiments gate --baseline experiments/baseline.json"
DECIDE_EXAMPLE: Final = "newswinnow experiments decide runs/mine/model data/sample/test.jsonl -o decision.json"


def _rows(tests: "tuple[GateTest, ...]") -> list[list[str]]:
    rows = []
    for test in tests:
        for level in test.levels:
            if level.failure:
                rows.append([test.name, level.context, "", "", "", "", "", f"FAILED: {level.failure}"])
            for c in level.checks:
                d = c.difference
                change = f"{d.value:+.4f} ({d.low:+.4f} to {d.high:+.4f})"
                verdict = f"FAILED: {c.failure}" if c.failure else "ok"
                numbers = [f"{c.baseline:.4f}", f"{c.value.value:.4f}", change, f"{c.tolerance:g} / {c.floor:.4f}"]
                rows.append([test.name, level.context, c.measure, *numbers, verdict])
    return rows


def gate_command(
    baseline: Annotated[Path, typer.Option("--baseline", help="Stored answers and floors.", metavar="FILE")] = Path(
        "experiments/baseline.json"
    ),
    update: Annotated[bool, typer.Option("--update", help="Store the new answers and raise the floors.")] = False,
    allow_regression: Annotated[
        bool, typer.Option("--allow-regression", help="With --update: store them even if they are worse.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Hold the shipped and the default model to their stored answers; exit code 6 if one has become worse.

    A measure fails where the 95 % interval of its paired change lies wholly beyond the tolerance, or its value beyond the floor.
    Tests whose corpus is not here are skipped, and named.

    Parameters
    ----------
    baseline
        Stored answers and floors.
    update
        Store the new answers.
    allow_regression
        Store worse ones too.
    as_json
        Print as JSON.
    """
    with reported_errors():
        from dataclasses import asdict

        from newswinnow.experiments.gate import run_gate, write_baseline

        if allow_regression and not update:
            raise ValueError("--allow-regression: must come with --update; got it alone")
        gate = run_gate(baseline)
        for name, reason in gate.skipped.items():
            say(f"skipped: {name}: {reason}")
        if update:
            write_baseline(baseline, gate.updated(allow_regression=allow_regression))
            say(f"written: {baseline}")
            return
        tests = gate.check()
        is_passed = all(test.is_passed for test in tests)
        if as_json:
            print_json({"is_passed": is_passed, "tests": [asdict(test) for test in tests]})
        else:
            columns = ["test", "context", "measure", "baseline", "now", "change (95 %)", "tolerance / floor", "verdict"]
            print_table(columns, _rows(tests))
        if not is_passed:
            say("gate: models must not become worse; got a failure")
            raise typer.Exit(GATE_FAILED)


def decide_command(
    model: Annotated[Path, typer.Argument(help="Saved model.", metavar="MODEL")],
    corpus: Annotated[list[Path], typer.Argument(help="Labelled tables the model was not trained on.", metavar="CORPUS")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Decision file.", metavar="FILE")] = Path("decision.json"),
    folds: Annotated[
        int, typer.Option("--folds", help="The model was trained on CORPUS: train it anew in so many folds by site instead.")
    ] = 0,
    costs: Annotated[Path | None, typer.Option("--costs", help="TOML: mistakes, unsure.", metavar="FILE")] = None,
    confidence: Annotated[float, typer.Option("--confidence", help="Chance with which a bound on lost news holds.")] = 0.95,
    trust: TrustOption = None,
    context: ContextOption = "auto",
    as_json: JsonOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Calibrate how a model's probabilities become labels: costs of mistakes, and thresholds that bound the news lost.

    With the stated chance, a threshold for --max-news-loss loses in the mean over new pages at most that share of a page's news
    paragraphs, if the pages of CORPUS and the new ones are exchangeable, as if drawn from one pile.

    Parameters
    ----------
    model
        Saved model.
    corpus
        Labelled tables.
    output
        Decision file.
    folds
        Number of folds; 0 for none.
    costs
        Costs of mistakes.
    confidence
        Chance with which a bound holds.
    trust
        Expected sha256 of a joblib model.
    context
        Level of information.
    as_json
        Print the calibration as JSON.
    overwrite
        Replace an existing file.
    """
    with reported_errors():
        from dataclasses import asdict

        from newswinnow.corpus.tables import read_corpus
        from newswinnow.experiments.decide import LIMITS, calibrate, reachable, read_costs, write_decision

        if output.exists() and not overwrite:
            raise FileExistsError(f"{output}: must not exist yet; got a file there (--overwrite replaces it)")
        chosen = read_costs(costs)
        decision = calibrate(
            open_model(model, trust), read_corpus(corpus), costs=chosen, folds=folds, confidence=confidence, context=context
        )
        write_decision(decision, output)
        if as_json:
            print_json(asdict(decision))
            return
        print_table(
            ["max news loss", "threshold", "lost in calibration", "rest kept"],
            [reachable(decision, limit) for limit in LIMITS],
        )
        say(f"written: {output}")
