"""Which labelled rows folds are cut through, which only help to train, and what is trained in each fold.

Scoring the answers is left to :mod:`newswinnow.evaluation.validation` and :mod:`newswinnow.evaluation.tuning`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from newswinnow.models.fitting import fit_pages, fit_weighted
from newswinnow.models.mixing import LabelMix, origins_of
from newswinnow.models.predictor import AUTO, Predictor, contexts_for
from newswinnow.models.registry import ModelSpec, build_model
from newswinnow.models.saved.families import deployed
from newswinnow.models.training import check_trainable
from newswinnow.paragraphs.table import ALIGNED, LABEL, PAGE, SITE, IntArray


@dataclass(frozen=True)
class Fold:
    """One fold of the scored rows.

    Attributes
    ----------
    fitted
        Numbers of the rows to train on.
    held
        Numbers of the rows held out.
    held_sites
        Sites that no aligned row to train on may come from; none where folds are cut at random.
    """

    fitted: IntArray
    held: IntArray
    held_sites: frozenset[str] = frozenset()


@dataclass(frozen=True)
class FoldRows:
    """Labelled rows by their part in a cross-validation, with the index they came with.

    Attributes
    ----------
    scored
        Folds are cut through these.
    aligned
        Only trained on, in the folds that do not hold their site out.
    """

    scored: pd.DataFrame
    aligned: pd.DataFrame

    def check(self, *, n_folds: int, spec: ModelSpec | None = None) -> None:
        """Refuse rows that cannot be cut into folds by site.

        Parameters
        ----------
        n_folds
            Folds.
        spec
            What is trained in each; None for any model.

        Raises
        ------
        ValueError
            If they have fewer sites than folds, there is too little of a label, or nobody could tell which fold may train on an
            aligned row because it has no site.
        """
        check_trainable(self.scored, n_folds=n_folds, spec=spec)
        n_without = int(self.aligned[SITE].isna().sum()) if len(self.aligned) else 0
        if n_without:
            raise ValueError(f"corpus: every aligned paragraph must have a site for folds by site; got {n_without} without")

    def by_site(self, *, n_folds: int, seed: int) -> list[Fold]:
        """Folds that share no site.

        Parameters
        ----------
        n_folds
            How many.
        seed
            Of the shuffle.

        Returns
        -------
        The folds.
        """
        splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
        parts = splitter.split(self.scored, self._labels(), groups=self.scored[SITE])
        return [Fold(fitted, held, frozenset(self.scored[SITE].iloc[held])) for fitted, held in parts]

    def at_random(self, *, n_folds: int, seed: int) -> list[Fold]:
        """Folds whose held rows have neighbours among those trained on.

        Parameters
        ----------
        n_folds
            How many.
        seed
            Of the shuffle.

        Returns
        -------
        The folds.
        """
        splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
        return [Fold(fitted, held) for fitted, held in splitter.split(self.scored, self._labels())]

    def fitted(self, fold: Fold) -> pd.DataFrame:
        """The rows that a fold trains on, aligned ones of other sites than the held ones last.

        Parameters
        ----------
        fold
            One of these rows' folds.

        Returns
        -------
        The rows.
        """
        rows = self.scored.iloc[fold.fitted]
        if not len(self.aligned):
            return rows
        return pd.concat([rows, self.aligned[~self.aligned[SITE].isin(fold.held_sites)]])

    def held(self, fold: Fold) -> pd.DataFrame:
        """The rows that a fold holds out.

        Parameters
        ----------
        fold
            One of these rows' folds.

        Returns
        -------
        The rows.
        """
        return self.scored.iloc[fold.held]

    def _labels(self) -> Any:
        return self.scored[LABEL].to_numpy(dtype=str)


def fold_rows(labelled: pd.DataFrame, *, n_folds: int) -> FoldRows:
    """Set aligned rows aside, if the others can be cut into folds by site.

    Parameters
    ----------
    labelled
        Labelled rows.
    n_folds
        Folds by site; where the others stand on fewer sites, all rows are treated alike.

    Returns
    -------
    The rows by their part.
    """
    is_aligned = origins_of(labelled) == ALIGNED
    if SITE not in labelled.columns or labelled.loc[~is_aligned, SITE].nunique() < n_folds:
        is_aligned = np.zeros(len(labelled), dtype=np.bool_)
    return FoldRows(labelled[~is_aligned], labelled[is_aligned])


@dataclass(frozen=True)
class FoldFit:
    """What is trained in each fold, and the whole table, whose unlabelled paragraphs are context."""

    spec: ModelSpec
    mix: LabelMix
    seed: int
    table: pd.DataFrame

    def __call__(self, rows: pd.DataFrame) -> Predictor:
        """A model fitted to some labelled rows of the table."""
        weights = self.mix.row_weights(rows, self.spec, seed=self.seed)
        model = build_model(self.spec, seed=self.seed)
        if not self.spec.needs_pages:
            return Predictor(fit_weighted(model, rows, weights, spec=self.spec))
        # Temperatures change no label, and finding them takes as long as the fit.
        fitted = fit_pages(model.set_params(calibration_share=0.0), self.table, rows, weights)
        return Predictor(fitted, contexts=deployed(fitted).contexts)

    def answers(self, predictor: Predictor, rows: pd.DataFrame) -> dict[str, Any]:
        """Labels of some rows at every level, first what the model chooses by itself."""
        if not self.spec.needs_pages:
            return {AUTO: predictor.estimator.predict(rows)}
        pages = self.table[self.table[PAGE].isin(rows[PAGE].unique())]
        levels = (AUTO, *contexts_for(predictor, self.table))
        return {level: pd.Series(predictor.predict(pages, context=level), pages.index)[rows.index].to_numpy() for level in levels}
