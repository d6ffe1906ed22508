"""The golden probes: 64 invented paragraphs whose probabilities every saved model records, and scores again when it is loaded.

How far they may differ is left to the caller.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np

from newswinnow.models.predictor import Predictor
from newswinnow.models.saved.errors import ModelLoadError
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.rows import Rows
from newswinnow.paragraphs.table import LINK_DENSITY, PAGE, POSITION, TAG, TEXT, FloatArray

_FILE: Final = Path(__file__).parents[1] / "probes.txt"
_N_PAGES: Final = 4
_TAGS: Final = ("p", "li", "h2", "div")
_COLUMNS: Final[dict[str, tuple[type, ...]]] = {PAGE: (str,), POSITION: (int,), TEXT: (str,), TAG: (str,), LINK_DENSITY: (float,)}
_ROWS: Final = "rows"
_PROBABILITIES: Final = "probabilities"


def probe_texts() -> list[str]:
    """The probes' texts.

    Returns
    -------
    64 different paragraphs.
    """
    return _FILE.read_text(encoding="utf-8").rstrip("\n").split("\n")


def probe_rows() -> Rows:
    """The probes dealt to four pages, with hints as markup would give them.

    Returns
    -------
    64 rows with ``page``, ``position``, ``text``, ``tag`` and ``link_density``.
    """
    texts = probe_texts()
    return Rows(
        {
            PAGE: [f"probe-{i % _N_PAGES}" for i in range(len(texts))],
            POSITION: [i // _N_PAGES for i in range(len(texts))],
            TEXT: texts,
            TAG: [_TAGS[i // _N_PAGES % len(_TAGS)] for i in range(len(texts))],
            LINK_DENSITY: [i % 5 / 4 for i in range(len(texts))],
        }
    )


def scored_probes(predictor: Predictor) -> dict[str, Any]:
    """The probes with a model's probabilities, as a manifest records them.

    Parameters
    ----------
    predictor
        The model.

    Returns
    -------
    Plain values: the rows by column, and the probabilities by context.
    """
    rows = probe_rows()
    probabilities = {context: predictor.predict_proba(rows, context=context).tolist() for context in predictor.contexts}
    return {_ROWS: {name: list(rows[name]) for name in rows.columns}, _PROBABILITIES: probabilities}


def check_probes(predictor: Predictor, path: Path, *, tolerance: float) -> None:
    """Refuse a model that does not score the probes of its manifest as the manifest says.

    Parameters
    ----------
    predictor
        The model with its manifest.
    path
        The manifest, for messages.
    tolerance
        How far a probability may be off; labels may not differ at all.

    Raises
    ------
    ModelLoadError
        If a probability or label differs, or the manifest's probes are damaged.
    """
    probes = predictor.manifest["probes"]
    rows, expected = _rows_of(probes, path), probes.get(_PROBABILITIES)
    if not isinstance(expected, dict) or set(expected) != set(predictor.contexts):
        raise ModelLoadError(f"{path}: probes must have probabilities for {', '.join(predictor.contexts)}; got {expected!r:.100}")
    for context in predictor.contexts:
        wanted = _matrix(expected[context], len(rows), path)
        found = predictor.predict_proba(rows, context=context)
        difference = float(np.abs(wanted - found).max())
        if not difference <= tolerance or (wanted.argmax(axis=1) != found.argmax(axis=1)).any():
            raise ModelLoadError(f"{path}: golden probes must agree to {tolerance}; got a difference of {difference}")


def _rows_of(probes: dict[str, Any], path: Path) -> Rows:
    rows = probes.get(_ROWS)
    if not isinstance(rows, dict) or set(rows) != set(_COLUMNS) or not all(isinstance(values, list) for values in rows.values()):
        raise ModelLoadError(f"{path}: probes must be rows of {', '.join(_COLUMNS)}; got {rows!r:.100}")
    lengths = {len(values) for values in rows.values()}
    if len(lengths) != 1 or lengths == {0}:
        raise ModelLoadError(f"{path}: probes must have columns of one length, at least 1; got {sorted(lengths)}")
    for name, values in rows.items():
        wrong = next((value for value in values if type(value) not in _COLUMNS[name]), None)
        if wrong is not None or None in values:
            raise ModelLoadError(f"{path}: probes must have {_COLUMNS[name][0].__name__} as {name}; got {wrong!r:.100}")
    return Rows(rows)


def _matrix(values: Any, n_rows: int, path: Path) -> FloatArray:
    """Expected probabilities, their shape checked."""
    try:
        matrix = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ModelLoadError(f"{path}: probes must hold numbers; got {error}") from error
    if matrix.shape != (n_rows, len(LABELS)):
        raise ModelLoadError(f"{path}: probes must each have {len(LABELS)} probabilities; got shape {matrix.shape}")
    return matrix
