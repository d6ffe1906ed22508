"""A paragraph table as plain lists: what scoring passes around, so that a page is labelled without loading pandas.

A ``DataFrame`` of the same content comes from :func:`newswinnow.corpus.tables.table_from_rows`; reading and writing files is left
to :mod:`newswinnow.corpus` as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any


@dataclass(frozen=True)
class Rows:
    """Columns of equal length, by name and in order.

    It answers to ``rows["text"]``, ``rows.columns``, ``"tag" in rows`` and ``len(rows)`` as a ``DataFrame`` does, so that code
    which reads columns takes either.

    Attributes
    ----------
    data
        Column to values, missing ones None; not to be changed.

    Examples
    --------
    >>> rows = Rows({"page": ["p", "p"], "text": ["Share", "It rained."]})
    >>> len(rows), rows.columns, rows["text"][1]
    (2, ['page', 'text'], 'It rained.')
    >>> rows.with_columns({"predicted": ["boilerplate", "news"]}).columns
    ['page', 'text', 'predicted']
    """

    data: Mapping[str, Sequence[Any]]

    @property
    def columns(self) -> list[str]:
        """Names of the columns in order."""
        return list(self.data)

    def __len__(self) -> int:
        return len(next(iter(self.data.values()), ()))

    def __contains__(self, column: object) -> bool:
        return column in self.data

    def __getitem__(self, column: str) -> Sequence[Any]:
        return self.data[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def with_columns(self, columns: Mapping[str, Sequence[Any]]) -> "Rows":
        """The rows with columns added or, where they stand, replaced.

        Parameters
        ----------
        columns
            Column to values, as many as there are rows.

        Returns
        -------
        New rows.

        Raises
        ------
        ValueError
            If a column is of another length.
        """
        for name, values in columns.items():
            if self.data and len(values) != len(self):
                raise ValueError(f"{name}: must have one value per row, {len(self)}; got {len(values)}")
        return Rows({**self.data, **columns})

    def without(self, column: str) -> "Rows":
        """The rows less one column.

        Parameters
        ----------
        column
            Its name; it need not be there.

        Returns
        -------
        New rows.
        """
        return Rows({name: values for name, values in self.data.items() if name != column})

    def where(self, is_kept: Sequence[bool]) -> "Rows":
        """The rows for which something holds.

        Parameters
        ----------
        is_kept
            Shape (n_rows,).

        Returns
        -------
        New rows, order and columns kept.
        """
        return Rows({name: list(compress(values, is_kept)) for name, values in self.data.items()})
