"""Label Studio: one task per page, so that annotators see every paragraph in its page.

A task's ``data`` holds the paragraphs; the labelling configuration repeats one text and one choice over them with the
``Repeater`` tag (https://labelstud.io/tags/repeater), whose results come back as ``from_name`` = ``label_0``, ``label_1`` ...
Known labels go out as ``predictions``, which prefill the form. They never come back that way: the JSON export lists
predictions as bare numbers (label-studio#5654, #9709), so every label also stands in the packed columns. Task ``meta`` got
lost on import (label-studio#1179), so nothing is kept there. Read back is the *JSON* export
(https://labelstud.io/guide/task_format); JSON-MIN leaves out what is needed.

Reading JSON as such is left to the ``json`` module, joining labels to a corpus to :mod:`newswinnow.corpus.exchange.incoming`.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from newswinnow.corpus.exchange.carrier import CARRIER, UNDECIDED, Decision
from newswinnow.corpus.exchange.incoming import DecisionCollector
from newswinnow.corpus.exchange.outgoing import Item, Page
from newswinnow.corpus.records import BadRecord
from newswinnow.corpus.rejects import excerpt_of, fail
from newswinnow.corpus.streams import STDIN, open_bytes
from newswinnow.paragraphs.label import LABELS

MAX_DOCUMENT_BYTES: Final = 1 << 30
CONFIG_SUFFIX: Final = ".xml"
_FROM_NAME: Final = re.compile(r"label_([0-9]{1,9})")


def labelling_config() -> str:
    """The labelling configuration to paste into the project's settings (Labeling Interface, Code).

    Returns
    -------
    XML.
    """
    choices = "\n".join(f"      <Choice value={quoteattr(str(label))}/>" for label in LABELS)
    return f"""<View>
  <Header value="$page"/>
  <Repeater on="$paragraphs" indexFlag="{{{{idx}}}}">
    <Header value="$paragraphs[{{{{idx}}}}].heading" size="6"/>
    <Text name="paragraph_{{{{idx}}}}" value="$paragraphs[{{{{idx}}}}].text" valueType="text"/>
    <Choices name="label_{{{{idx}}}}" toName="paragraph_{{{{idx}}}}" choice="single-radio" showInline="true">
{choices}
    </Choices>
  </Repeater>
</View>
"""


def export_pages(pages: Sequence[Page], *, only_queued: bool) -> dict[str, Iterator[bytes]]:
    """Pages as tasks, and the labelling configuration.

    Parameters
    ----------
    pages
        What to export; always whole pages.
    only_queued
        Marks, in their headings, the paragraphs whose label is wanted.

    Returns
    -------
    Suffix of the file's name to its contents: ``""`` the tasks, ``.xml`` the configuration.
    """
    return {"": _tasks(pages, only_queued=only_queued), CONFIG_SUFFIX: iter([labelling_config().encode("utf-8")])}


def _tasks(pages: Sequence[Page], *, only_queued: bool) -> Iterator[bytes]:
    yield b"["
    for n, page in enumerate(pages):
        paragraphs = [
            {"heading": _heading(item, is_marked=only_queued and item.is_asked), "text": item.text, CARRIER: item.packed}
            for item in page.items
        ]
        task = {"data": {"page": page.name, "paragraphs": paragraphs}, "predictions": _predictions(page)}
        yield (",\n" if n else "\n").encode() + json.dumps(task, ensure_ascii=False).encode("utf-8")
    yield b"\n]\n"


def _heading(item: Item, *, is_marked: bool) -> str:
    return f"{item.position} ← label this one" if is_marked else str(item.position)


def _predictions(page: Page) -> list[dict[str, Any]]:
    result = [
        {
            "id": f"label_{i}",
            "from_name": f"label_{i}",
            "to_name": f"paragraph_{i}",
            "type": "choices",
            "value": {"choices": [item.label]},
        }
        for i, item in enumerate(page.items)
        if item.label is not None
    ]
    return [{"model_version": "corpus", "result": result}] if result else []


def read_export(path: str | Path, into: DecisionCollector) -> None:
    """Read a JSON export.

    Skipped tasks (``was_cancelled``) and tasks without annotations decide nothing. Several annotators must agree on a paragraph;
    one who left it empty has no say.

    Parameters
    ----------
    path
        The file, or ``-``.
    into
        Takes paragraphs and rejects; their number is that of the task, from 1.

    Raises
    ------
    CorpusError
        If the file is not an array of tasks.
    FileNotFoundError
        If there is no such file.
    """
    source = "stdin" if str(path) == STDIN else str(path)
    tasks = _read_document(path, source)
    if not isinstance(tasks, list):
        raise fail(source, f"must be a JSON array of tasks; got {type(tasks).__name__}")
    for number, task in enumerate(tasks, start=1):
        try:
            paragraphs, answers = _paragraphs(task), _answers(task)
        except BadRecord as error:
            into.reject(str(error), source=source, line=number, value=task)
            continue
        for i, paragraph in enumerate(paragraphs):
            if not isinstance(paragraph, dict):
                into.reject(
                    f"paragraphs must be objects; got {excerpt_of(paragraph)}", source=source, line=number, value=paragraph
                )
                continue
            decide = _Vote(answers, i).decide
            into.restore(paragraph.get(CARRIER), paragraph.get("text"), decide, source=source, line=number)
        for i in sorted(set(answers or ()) - set(range(len(paragraphs)))):
            rule = f"results must belong to one of {len(paragraphs)} paragraphs; got 'label_{i}'"
            into.reject(rule, source=source, line=number, value=f"label_{i}")


def _read_document(path: str | Path, source: str) -> Any:
    with open_bytes(path) as stream:
        data = stream.read(MAX_DOCUMENT_BYTES + 1)
    if len(data) > MAX_DOCUMENT_BYTES:
        raise fail(source, f"must have at most {MAX_DOCUMENT_BYTES} bytes; got more (export a part of the tasks at a time)")
    try:
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=_without_doubles, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise fail(source, f"must be valid UTF-8; got byte 0x{data[error.start]:02x} at byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise fail(source, f"must be valid JSON; got {error}") from error


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a key that stands twice in one object")
    return fields


def _no_constant(name: str) -> Any:
    raise ValueError(f"the constant {name}")


def _paragraphs(task: Any) -> list[Any]:
    data = task.get("data") if isinstance(task, dict) else None
    if not isinstance(data, dict):
        raise BadRecord(f"tasks must be objects with 'data' (the JSON export, not JSON-MIN); got {excerpt_of(task)}")
    paragraphs = data.get("paragraphs")
    if not isinstance(paragraphs, list):
        raise BadRecord(f"data must have a list of 'paragraphs'; got {', '.join(map(str, data)) or 'nothing'}")
    return paragraphs


def _answers(task: dict[str, Any]) -> dict[int, list[Any]] | None:
    """Choices by paragraph, of all annotations that count; None where there is none."""
    annotations = task.get("annotations") or []
    if not isinstance(annotations, list) or not all(isinstance(annotation, dict) for annotation in annotations):
        raise BadRecord(f"annotations must be a list of objects; got {excerpt_of(annotations)}")
    counted = [annotation for annotation in annotations if not annotation.get("was_cancelled")]
    answers: dict[int, list[Any]] = {}
    for annotation in counted:
        results = annotation.get("result") or []
        if not isinstance(results, list):
            raise BadRecord(f"result must be a list; got {excerpt_of(results)}")
        for i, choice in filter(None, map(_choice, results)):
            answers.setdefault(i, []).extend(choice)
    return answers if counted else None


def _choice(result: Any) -> tuple[int, list[Any]] | None:
    """Paragraph and choices of one result; None for controls that are not of this configuration."""
    name = result.get("from_name") if isinstance(result, dict) else None
    match = _FROM_NAME.fullmatch(name) if isinstance(name, str) else None
    if match is None:
        return None
    value = result.get("value")
    choices = value.get("choices") if isinstance(value, dict) else None
    if not isinstance(choices, list):
        raise BadRecord(f"results of {name!r} must have 'choices'; got {excerpt_of(value)}")
    return int(match.group(1)), choices


class _Vote:
    """What all annotators together say about one paragraph."""

    def __init__(self, answers: dict[int, list[Any]] | None, i: int) -> None:
        self._answers, self._i = answers, i

    def decide(self) -> Decision:
        if self._answers is None:
            return UNDECIDED
        choices = self._answers.get(self._i, [])
        if any(choice != choices[0] for choice in choices):
            raise BadRecord(f"annotators must agree on one label; got {', '.join(map(str, choices))}")
        return Decision(choices[0] if choices else None)
