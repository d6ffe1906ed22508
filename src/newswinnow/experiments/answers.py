"""Answers of a run without the texts: one letter per labelled paragraph, enough to compare two runs paragraph by paragraph.

They are small and hold no third-party text, so they can be committed where predictions cannot.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from newswinnow.evaluation.evaluate import Evaluation
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import LABEL, PAGE, POSITION, PREDICTED, labelled_rows

ANSWERS: Final = "answers.json"
_LETTER: Final = {str(label): label[0].upper() for label in LABELS}
_LABEL: Final = {letter: label for label, letter in _LETTER.items()}


def answers_json(evaluations: Sequence[Evaluation]) -> str:
    """Truth and answers of every evaluation as JSON.

    Parameters
    ----------
    evaluations
        What was measured.

    Returns
    -------
    Per evaluation its data digest and, per page, positions, true letters and predicted letters (``N``, ``B``, ``R``).
    """
    return json.dumps({e.name: _answers(e) for e in evaluations}, indent=0, sort_keys=True, ensure_ascii=False) + "\n"


def _answers(evaluation: Evaluation) -> dict[str, object]:
    rows = labelled_rows(evaluation.table)
    pages = {
        str(page): [
            " ".join(map(str, part[POSITION])),
            "".join(part[LABEL].map(_LETTER)),
            "".join(part[PREDICTED].map(_LETTER)),
        ]
        for page, part in rows.groupby(PAGE, sort=True)
    }
    return {"data_digest": evaluation.data_digest, "pages": pages}


def read_answers(path: str | Path) -> dict[str, tuple[str, pd.DataFrame]]:
    """Answers of a run.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Per evaluation its data digest and a table with ``page``, ``position``, ``label`` and ``predicted``.

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
        answers = json.loads(path.read_text(encoding="utf-8"))
        return {name: (entry["data_digest"], _table(entry["pages"])) for name, entry in answers.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: must hold answers as a run writes them; got {type(error).__name__}: {error}") from error


def _table(pages: dict[str, list[str]]) -> pd.DataFrame:
    rows = [
        (page, int(position), _LABEL[true], _LABEL[predicted])
        for page, (positions, truth, answer) in pages.items()
        for position, true, predicted in zip(positions.split(), truth, answer, strict=True)
    ]
    return pd.DataFrame(rows, columns=[PAGE, POSITION, LABEL, PREDICTED])
