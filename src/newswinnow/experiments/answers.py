"""Answers of a run without the texts: a letter per labelled paragraph and level, enough to compare runs paragraph by paragraph.

They are small and hold no third-party text, so they can be committed where predictions cannot.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from newswinnow.evaluation.evaluate import Evaluation
from newswinnow.evaluation.slices import PREFIX, slice_names, slices_of
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import LABEL, PAGE, POSITION, PREDICTED, labelled_rows

ANSWERS: Final = "answers.json"
FORMAT: Final = 2
UNKNOWN_LEVEL: Final = ""
"""Level of the answers in files of the first format, which had only one and did not name it."""

_FORMAT: Final = "format"
_LETTER: Final = {str(label): label[0].upper() for label in LABELS}
_LABEL: Final = {letter: label for label, letter in _LETTER.items()}
_SLICE_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_NO_SLICE: Final = "-"


@dataclass(frozen=True)
class Answers:
    """A run's answers on one test corpus.

    Attributes
    ----------
    data_digest
        sha256 of the labelled paragraphs.
    context
        Level of information that stands for the run.
    tables
        Level to a table with ``page``, ``position``, ``label``, ``predicted``, and ``slice_*`` columns where slices are known.
    """

    data_digest: str
    context: str
    tables: dict[str, pd.DataFrame]

    @property
    def main(self) -> pd.DataFrame:
        """The table of the level that stands for the run."""
        return self.tables[self.context]


def answers_json(evaluations: Sequence[Evaluation]) -> str:
    """Truth and answers of every evaluation as JSON.

    Parameters
    ----------
    evaluations
        What was measured.

    Returns
    -------
    Per evaluation its data digest, the names of its slices and, per page, positions, true letters (``N``, ``B``, ``R``), a letter
    of the slice for each kind, and predicted letters for each level.
    """
    content = {_FORMAT: FORMAT, "tests": {e.name: _answers(e) for e in evaluations}}
    return json.dumps(content, indent=0, sort_keys=True, ensure_ascii=False) + "\n"


def _answers(evaluation: Evaluation) -> dict[str, Any]:
    table = evaluation.table.reset_index(drop=True)
    kinds = slices_of(table, known_sites=evaluation.known_sites)
    names = {kind: slice_names(kind, values) for kind, values in kinds.items()}
    letters = {kind: dict(zip(names[kind], _SLICE_LETTERS, strict=False)) for kind in kinds}
    coded = pd.DataFrame({kind: values.map(letters[kind]).fillna(_NO_SLICE) for kind, values in kinds.items()}, index=table.index)
    rows = labelled_rows(table)
    levels = {
        context: level.table.reset_index(drop=True)[PREDICTED].loc[rows.index].map(_LETTER)
        for context, level in evaluation.by_context.items()
    }
    pages = {
        str(page): {
            "positions": " ".join(map(str, part[POSITION])),
            "truth": "".join(part[LABEL].map(_LETTER)),
            "slices": {kind: "".join(coded.loc[part.index, kind]) for kind in kinds},
            "levels": {context: "".join(predicted.loc[part.index]) for context, predicted in levels.items()},
        }
        for page, part in rows.groupby(PAGE, sort=True)
    }
    return {"data_digest": evaluation.data_digest, "context": evaluation.context, "slices": names, "pages": pages}


def read_answers(path: str | Path) -> dict[str, Answers]:
    """Answers of a run, of this format or the first.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    The answers on each test corpus by its name.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it does not hold answers.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: must be there to compare; got nothing (newswinnow experiments run makes it)")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content.get(_FORMAT), int):
            if content[_FORMAT] != FORMAT:
                raise ValueError(f"format {content[_FORMAT]} in place of {FORMAT}")
            return {name: _read(entry) for name, entry in content["tests"].items()}
        return {name: _read_first_format(entry) for name, entry in content.items()}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"{path}: must hold answers as a run writes them; got {type(error).__name__}: {error}") from error


def _read(entry: dict[str, Any]) -> Answers:
    rows = _truth({page: (found["positions"], found["truth"]) for page, found in entry["pages"].items()})
    for kind, names in entry["slices"].items():
        of_letter = dict(zip(_SLICE_LETTERS, names, strict=False))
        rows[PREFIX + kind] = [of_letter.get(letter) for letter in _joined(entry, "slices", kind)]
    contexts = dict.fromkeys(name for found in entry["pages"].values() for name in found["levels"])
    letters = {name: _joined(entry, "levels", name) for name in contexts}
    tables = {name: rows.assign(**{PREDICTED: [_LABEL[letter] for letter in found]}) for name, found in letters.items()}
    return Answers(entry["data_digest"], entry["context"], {entry["context"]: tables[entry["context"]], **tables})


def _joined(entry: dict[str, Any], part: str, name: str) -> str:
    return "".join(found[part][name] for found in entry["pages"].values())


def _read_first_format(entry: dict[str, Any]) -> Answers:
    pages = entry["pages"]
    rows = _truth({page: (positions, truth) for page, (positions, truth, _) in pages.items()})
    predicted = [_LABEL[letter] for _, _, answer in pages.values() for letter in answer]
    return Answers(entry["data_digest"], UNKNOWN_LEVEL, {UNKNOWN_LEVEL: rows.assign(**{PREDICTED: predicted})})


def _truth(pages: dict[str, tuple[str, str]]) -> pd.DataFrame:
    rows = [
        (page, int(position), _LABEL[true])
        for page, (positions, truth) in pages.items()
        for position, true in zip(positions.split(), truth, strict=True)
    ]
    return pd.DataFrame(rows, columns=[PAGE, POSITION, LABEL])
