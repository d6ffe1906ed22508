"""Scoring Dask data frames: every partition where it lies, with the answers that one machine would give.

A page is judged as a whole, so it must lie within one partition; that is checked, and :func:`whole_pages` makes it so. Files go
over a cluster by ``newswinnow predict --run DIR --dask ADDRESS``, which is left to :mod:`newswinnow.scoring.dask_run`.
"""

from typing import TYPE_CHECKING, Final

from newswinnow.models.predictor import ALONE, AUTO, Predictor
from newswinnow.paragraphs.table import PAGE, POSITION, STATUS, TEXT, require_columns
from newswinnow.scoring.dask_model import AnyModel, PackedModel, pack

if TYPE_CHECKING:
    import dask.dataframe as dd
    import pandas as pd

CHECK, GATHER, TRUST = "check", "gather", "trust"
PAGES: Final = (CHECK, GATHER, TRUST)
"""What to do about pages that may lie in several partitions: look and refuse, bring them together, or take the caller's word."""


def score(frame: "dd.DataFrame", model: AnyModel = None, *, context: str = AUTO, pages: str = CHECK) -> "dd.DataFrame":
    """Predict every paragraph of a Dask data frame.

    The model travels once to each worker and is loaded once in each of its processes. The result is lazy; its values are those
    that :meth:`~newswinnow.models.predictor.Predictor.predict_table` gives for all rows at once.

    Parameters
    ----------
    frame
        A paragraph table, at least a column ``text``; for models that look at whole pages also ``page``.
    model
        A predictor; where one is saved, as a path or as a ``ModelSource`` that says how it is trusted; None for the one that
        ships.
    context
        ``alone``, ``bag``, ``order``, ``markup`` or ``auto``.
    pages
        For models that look at whole pages: ``check`` reads the page ids now, all of them, and refuses a page that lies in two
        partitions; ``gather`` applies :func:`whole_pages`, which changes the order of rows; ``trust`` takes your word for it.

    Returns
    -------
    The frame with the prediction columns added or replaced; no prediction where a text is missing or empty. A column ``status``
    is kept, even where every text is full.

    Raises
    ------
    ModelLoadError
        If the model is refused.
    ValueError
        If a column is missing, a page lies in two partitions, or the model does not know the context.
    """
    from dask.delayed import delayed

    if pages not in PAGES:
        raise ValueError(f"pages: must be one of {', '.join(PAGES)}; got {pages!r}")
    packed = pack(model)
    predictor = packed.load()
    predictor.predict_proba([], context=context)  # refuses a level that the model does not know
    looks_around = predictor.contexts != (ALONE,) and context != ALONE
    require_columns(frame._meta, [TEXT, *([PAGE] if looks_around else [])], where="frame")
    if looks_around and pages == GATHER:
        frame = whole_pages(frame)
    elif looks_around and pages == CHECK:
        check_whole_pages(frame)
    meta = _predicted(predictor, frame._meta, context)
    # A task of its own: it travels to a worker once, not with every partition, and is done again where a worker was lost.
    handed = delayed(_same, pure=True)(packed, dask_key_name=f"newswinnow-model-{packed.sha256}")
    scored: dd.DataFrame = frame.map_partitions(_score_partition, handed, context, list(meta.columns), meta=meta)
    return scored


def whole_pages(frame: "dd.DataFrame", *, npartitions: int | None = None) -> "dd.DataFrame":
    """Bring the rows of every page into one partition.

    Parameters
    ----------
    frame
        A paragraph table with ``page`` and ``position``.
    npartitions
        How many partitions to make; None for as many as there are.

    Returns
    -------
    The same rows; which partition a page lands in depends on its id alone, and each partition is sorted by page and position.

    Raises
    ------
    ValueError
        If a column is missing.
    """
    require_columns(frame._meta, [PAGE, POSITION], where="frame")
    shuffled = frame.shuffle(PAGE, npartitions=npartitions or frame.npartitions)
    whole: dd.DataFrame = shuffled.map_partitions(_sorted_pages, meta=frame._meta)
    return whole


def check_whole_pages(frame: "dd.DataFrame") -> None:
    """Refuse a frame in which a page lies in several partitions; reads the page ids of all rows.

    Parameters
    ----------
    frame
        A table with ``page``.

    Raises
    ------
    ValueError
        If one does; the message names the first such page and how many there are.
    """
    require_columns(frame._meta, [PAGE], where="frame")
    ids = frame[PAGE].map_partitions(_distinct, meta=frame._meta[PAGE])
    counts = ids.to_frame().groupby(PAGE, dropna=False).size(split_out=frame.npartitions)
    cut = counts[counts > 1].compute()
    if len(cut):
        first = min(map(str, cut.index))
        raise ValueError(
            f"frame: every page must lie within one partition; got {first!r:.80} in several, {len(cut)} pages in all "
            f"(newswinnow.distributed.whole_pages brings them together, as does pages='gather')"
        )


def _same(packed: PackedModel) -> PackedModel:
    return packed


def _distinct(pages: "pd.Series") -> "pd.Series":
    return pages.drop_duplicates()


def _sorted_pages(part: "pd.DataFrame") -> "pd.DataFrame":
    return part.sort_values([PAGE, POSITION], kind="stable")


def _score_partition(part: "pd.DataFrame", packed: PackedModel, context: str, columns: list[str]) -> "pd.DataFrame":
    return _predicted(packed.load(), part, context)[columns]


def _predicted(predictor: Predictor, part: "pd.DataFrame", context: str) -> "pd.DataFrame":
    """The part with its predictions; all partitions have the same columns."""
    result = predictor.predict_table(part, context=context)
    if STATUS in part.columns and STATUS not in result.columns:
        result.insert(list(part.columns).index(STATUS), STATUS, part[STATUS])
    return result
