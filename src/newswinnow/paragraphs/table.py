"""The paragraph table: its columns, their meaning, and the small conversions that everything above relies on.

Reading and writing files, and rejecting bad records with their line, is left to :mod:`newswinnow.corpus`.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from newswinnow.paragraphs.label import LABELS

if TYPE_CHECKING:
    import pandas as pd

    from newswinnow.paragraphs.rows import Rows

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
LabelArray = npt.NDArray[np.object_]
"""Labels as strings. The array points to three of them: a sixth of the memory of fixed-width text, and faster to make."""

PAGE: Final = "page"
POSITION: Final = "position"
TEXT: Final = "text"
LABEL: Final = "label"
SITE: Final = "site"
SOURCE: Final = "source"
ORIGIN: Final = "origin"
ALIGNED_LABEL: Final = "aligned_label"
"""Column of a training table with the label that alignment gives a paragraph, whoever else labelled it."""

IN_ORDER: Final = "_in_order"
"""Column within the program only: whether a row's page is known to be in order. It is neither read from files nor written."""

TAG: Final = "tag"
LINK_DENSITY: Final = "link_density"
STATUS: Final = "status"
PREDICTED: Final = "predicted"

REQUIRED_COLUMNS: Final = (PAGE, POSITION, TEXT)
OPTIONAL_COLUMNS: Final = (LABEL, SITE, SOURCE, ORIGIN, TAG, LINK_DENSITY)
READ: Final = "read"
ALIGNED: Final = "aligned"
ORIGINS: Final = (READ, ALIGNED, "written")
PROBABILITY_COLUMNS: Final = tuple(f"p_{label.replace('-', '_')}" for label in LABELS)
PREDICTION_COLUMNS: Final = (PREDICTED, *PROBABILITY_COLUMNS)


_NAMES: Final[LabelArray] = np.array([str(label) for label in LABELS], dtype=object)


def labels_at(columns: npt.NDArray[np.integer[Any]]) -> LabelArray:
    """Labels by their place in label order.

    Parameters
    ----------
    columns
        Places, shape (n_paragraphs,): columns of a matrix of probabilities.

    Returns
    -------
    The labels, shape (n_paragraphs,).

    Examples
    --------
    >>> labels_at(np.array([2, 0])).tolist()
    ['related-link', 'news']
    """
    labels: LabelArray = _NAMES[columns]
    return labels


def collapse_whitespace(text: str) -> str:
    r"""Text with every run of Unicode whitespace made one space and none at its ends.

    Parameters
    ----------
    text
        Any string.

    Returns
    -------
    The collapsed string; empty where there was nothing but whitespace.

    Examples
    --------
    >>> collapse_whitespace("  Most\u2028 read\n")
    'Most read'
    """
    return " ".join(text.split())


def table_from_texts(texts: Iterable[str], *, page: str) -> "pd.DataFrame":
    """One page as a paragraph table.

    Parameters
    ----------
    texts
        The page's paragraphs in order; those of nothing but whitespace are left out.
    page
        Id of the page.

    Returns
    -------
    Columns ``page``, ``position`` and ``text``, one row per paragraph.

    Examples
    --------
    >>> table_from_texts(["Share", " ", "A bridge  opened."], page="p1").to_dict("list")
    {'page': ['p1', 'p1'], 'position': [0, 1], 'text': ['Share', 'A bridge opened.']}
    """
    import pandas as pd

    kept = [text for text in map(collapse_whitespace, texts) if text]
    return pd.DataFrame({PAGE: [page] * len(kept), POSITION: range(len(kept)), TEXT: pd.Series(kept, dtype="str")})


def texts_of(X: Any) -> list[str]:
    """The texts behind what a model was given.

    Parameters
    ----------
    X
        A paragraph table, a Series, an array or any sequence of strings, shape (n_paragraphs,).

    Returns
    -------
    The texts, in order.

    Raises
    ------
    TypeError
        If ``X`` is a single string or holds something else than strings.
    ValueError
        If ``X`` is a table without a ``text`` column.
    """
    if isinstance(X, str):
        raise TypeError(f"X: must be a list, Series or table of texts; got one str {X[:40]!r} (write [text])")
    if hasattr(X, "columns"):
        if TEXT not in X.columns:
            raise ValueError(f"X: a paragraph table must have a column 'text'; got {list(X.columns)}")
        X = X[TEXT]
    texts = list(X)
    if set(map(type, texts)) <= {str}:  # half the time of the loop
        return texts
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"X[{i}]: must be a str; got {type(text).__name__} {text!r}")
    return texts


def n_words_of(texts: "pd.Series") -> "pd.Series":
    """Words per text, cut at whitespace.

    Parameters
    ----------
    texts
        Strings, shape (n_paragraphs,).

    Returns
    -------
    Counts with the index of the texts.
    """
    return texts.map(lambda text: len(text.split())).astype(np.int64)


def labelled_rows(table: "pd.DataFrame") -> "pd.DataFrame":
    """The rows of a table that carry a label.

    Parameters
    ----------
    table
        A paragraph table.

    Returns
    -------
    The labelled rows with their index, all columns kept.

    Raises
    ------
    ValueError
        If the table has no ``label`` column.
    """
    if LABEL not in table.columns:
        raise ValueError(f"table: must have a column 'label'; got {list(table.columns)}")
    return table[table[LABEL].notna()]


def require_columns(table: "pd.DataFrame | Rows", columns: Sequence[str], *, where: str) -> None:
    """Refuse a table that lacks columns.

    Parameters
    ----------
    table
        Any table.
    columns
        What it must have.
    where
        What the message names as its place.

    Raises
    ------
    ValueError
        If one is missing; the message lists the columns found.
    """
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise ValueError(f"{where}: must have the columns {', '.join(columns)}; got {', '.join(table.columns)}")
