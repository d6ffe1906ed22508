"""``newswinnow explain``: why a paragraph has its label.

What is said is worked out by :mod:`newswinnow.evaluation.explain`.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from newswinnow.cli.options import (
    INPUT_SUFFIXES,
    ContextOption,
    JsonOption,
    ModelOption,
    TrustOption,
    model_directory,
    open_model,
)
from newswinnow.cli.output import escape_controls, print_json, print_table, reported_errors, say

if TYPE_CHECKING:
    from newswinnow.evaluation.explain import Explanation
    from newswinnow.models.predictor import Predictor
    from newswinnow.paragraphs.rows import Rows

EXAMPLE: Final = "newswinnow explain shipped data/pages/local.txt --position 3"
MAX_EXPLAINED: Final = 30
"""Paragraphs explained at once: more is no longer read by anybody."""

_MAX_TEXT: Final = 44


def _model_and_input(arguments: Sequence[str], option: Path | None) -> tuple[Path | None, str]:
    """The model's directory, None for the shipped one, and the input."""
    if not 1 <= len(arguments) <= 2:
        raise ValueError(f"arguments: must be [MODEL] INPUT; got {len(arguments)} of them")
    if len(arguments) == 1:
        return option, arguments[0]
    if option is not None:
        raise ValueError(f"--model: must not be given beside MODEL; got {option} and {arguments[0]}")
    return model_directory(arguments[0]), arguments[1]


def _read_page_rows(given: str, input_format: str | None) -> "Rows":
    from newswinnow.corpus.records import RecordRules
    from newswinnow.harvest.inputs import read_rows

    reading = read_rows([given], rules=RecordRules(), file_format=input_format)
    for reject in reading.rejects[:3]:
        say(str(reject))
    if not len(reading.rows):
        raise ValueError(f"{given}: must hold at least one paragraph; got none")
    return reading.known


def _is_chosen(rows: "Rows", page: str | None, position: int | None, text: str | None) -> list[bool]:
    from newswinnow.paragraphs.table import PAGE, POSITION, TEXT

    wanted = text.casefold() if text is not None else ""
    return [
        (page is None or str(p) == page) and (position is None or n == position) and wanted in t.casefold()
        for p, n, t in zip(rows[PAGE], rows[POSITION], rows[TEXT], strict=True)
    ]


def _explanations(
    predictor: "Predictor", rows: "Rows", is_chosen: list[bool], *, context: str, against: str | None, with_flip: bool
) -> "list[Explanation]":
    from newswinnow.evaluation.explain import Wishes, explain_page
    from newswinnow.paragraphs.label import LABELS
    from newswinnow.paragraphs.table import PAGE

    if against is not None and against not in LABELS:
        raise ValueError(f"--against: must be one of {', '.join(LABELS)}; got {against!r}")
    target = None if against is None else [str(label) for label in LABELS].index(against)
    wishes = Wishes(context=context, target=target, with_flip=with_flip)
    found = []
    for page in dict.fromkeys(rows[PAGE]):
        is_here = [name == page for name in rows[PAGE]]
        chosen = [here for here, is_it in zip(is_chosen, is_here, strict=True) if is_it]
        if any(chosen):
            numbers = [i for i, wanted in enumerate(chosen) if wanted]
            found += explain_page(predictor, rows.where(is_here), numbers, wishes=wishes)
    return found


def explain(
    arguments: Annotated[
        list[str],
        typer.Argument(
            help="Saved model, or the word shipped; without it --model or the shipped one. "
            f"Then one file ({INPUT_SUFFIXES}), or - for stdin.",
            metavar="[MODEL] INPUT",
        ),
    ],
    position: Annotated[int | None, typer.Option("--position", help="Only the paragraph at this place of its page.")] = None,
    page: Annotated[str | None, typer.Option("--page", help="Only paragraphs of this page.", metavar="ID")] = None,
    text: Annotated[str | None, typer.Option("--text", help="Only paragraphs that contain this, in any case.")] = None,
    against: Annotated[
        str | None, typer.Option("--against", help="Explain against this label instead of the runner-up.", metavar="LABEL")
    ] = None,
    top: Annotated[int, typer.Option("--top", help="Features to show, the weightiest first.", min=1)] = 12,
    why_not: Annotated[
        bool, typer.Option("--why-not/--no-why-not", help="Look for the smallest edit that changes the label.")
    ] = True,
    model: ModelOption = None,
    trust: TrustOption = None,
    context: ContextOption = "auto",
    input_format: Annotated[str | None, typer.Option("--input-format", help="Read the input as this format.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Explain labels: what each word, shape and measure adds, what the page adds, and which edit would change the label.

    The parts of a linear model sum to its logits; what the page adds is found by leaving it out. Every edit shown was scored.

    Parameters
    ----------
    arguments
        Model and input.
    position
        Place on the page.
    page
        Id of the page.
    text
        Part of the text.
    against
        Label to explain against.
    top
        Number of features.
    why_not
        Whether to look for an edit.
    model
        Saved model.
    trust
        Expected sha256 of a joblib model.
    context
        Level of information.
    input_format
        Format of the input.
    as_json
        Print the explanations as JSON, all features in them.
    """
    with reported_errors():
        directory, given = _model_and_input(arguments, model)
        rows = _read_page_rows(given, input_format)
        is_chosen = _is_chosen(rows, page, position, text)
        if not 1 <= sum(is_chosen) <= MAX_EXPLAINED:
            raise ValueError(
                f"{given}: must have 1 to {MAX_EXPLAINED} paragraphs to explain; got {sum(is_chosen)} "
                f"(--position, --page and --text choose)"
            )
        predictor = open_model(directory, trust)
        found = _explanations(predictor, rows, is_chosen, context=context, against=against, with_flip=why_not)
        if as_json:
            print_json([explanation.as_dict() for explanation in found])
            return
        for explanation in found:
            _print(explanation, top=top, asked=why_not)


def _short(text: str, width: int = _MAX_TEXT) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _print(explanation: "Explanation", *, top: int, asked: bool) -> None:
    from newswinnow.paragraphs.label import LABELS

    label, other = str(LABELS[explanation.label]), str(LABELS[explanation.other])
    width = max(shutil.get_terminal_size((100, 24)).columns, 40)
    print(escape_controls(_short(f"== {explanation.page} {explanation.position}: {explanation.text}", width)))
    print(", ".join(f"{name} {p:.1%}" for name, p in zip(LABELS, explanation.probabilities, strict=True)))
    looked_at = ", looked at alone" if explanation.levels and explanation.contributions is not None else ""
    print(f"\n{label} against {other}{looked_at}, in logits:")
    _print_features(explanation, top)
    _print_page(explanation)
    if asked:
        _print_flip(explanation, label)
    print()


def _print_features(explanation: "Explanation", top: int) -> None:
    if explanation.contributions is None:
        margin = explanation.logits[explanation.label] - explanation.logits[explanation.other]
        print(f"{margin:+.3f} in all (this model has no parts that sum up)")
        return
    ranked = explanation.ranked()
    margins = [part.margin(explanation.label, explanation.other) for part in ranked]
    rows = [
        [f"{margin:+.3f}", part.name.kind, part.name.text + (f" (× {part.count})" if part.count > 1 else "")]
        for part, margin in zip(ranked[:top], margins[:top], strict=True)
    ]
    if len(ranked) > top:
        rows.append([f"{sum(margins[top:]):+.3f}", "", f"{len(ranked) - top} others together"])
    rows.append([f"{sum(margins):+.3f}", "", "in all"])
    print_table(["adds", "kind", "feature"], rows)


def _print_page(explanation: "Explanation") -> None:
    label, other = explanation.label, explanation.other
    if explanation.levels:
        print("\nwhat each level of information adds:")
        rows = [
            [level.context, f"{level.added[label] - level.added[other]:+.3f}", f"{level.probabilities[label]:.1%}"]
            for level in explanation.levels
        ]
        print_table(["context", "adds", "probability then"], rows)
    if explanation.neighbours:
        print("\nwhat each neighbour adds, found by leaving it out:")
        rows = [[f"{n.effect[label] - n.effect[other]:+.3f}", str(n.position), _short(n.text)] for n in explanation.neighbours]
        print_table(["adds", "position", "text"], rows)


def _print_flip(explanation: "Explanation", label: str) -> None:
    from newswinnow.paragraphs.label import LABELS

    flip = explanation.flip
    if flip is None:
        print(f"\nno small edit was found that makes it anything but {label}")
        return
    size = "smallest edit" if flip.is_smallest else "edit, perhaps not the smallest,"
    print(f"\n{size} that makes it {LABELS[flip.label]} ({flip.probabilities[flip.label]:.1%}):")
    print(escape_controls(f"  {', '.join(flip.edits)}\n  {flip.text}"))
