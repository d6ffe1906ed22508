"""How much each label counts when read, aligned and written ones train one model.

Labels derived by alignment are many and partly wrong: they can be given less weight, and those left out that a model of the other
labels contradicts. Fitting is left to :mod:`newswinnow.models.training`.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from newswinnow.models.fitting import check_counts, fit_weighted
from newswinnow.models.predictor import Predictor
from newswinnow.models.registry import ModelSpec, build_model
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import ALIGNED, LABEL, ORIGIN, ORIGINS, PAGE, READ, SITE, FloatArray

_N_FOLDS: Final = 3


@dataclass(frozen=True)
class LabelMix:
    """Weights of labels by origin.

    Attributes
    ----------
    weights
        Origin to weight; 1 for one that is not named, 0 to leave its labels out.
    min_agreement
        Aligned labels to which a model gives less than this probability are left out; each is judged by one fitted on the other
        labels of two thirds of the sites, its own not among them. 0 keeps them all and fits no such model.
    """

    weights: dict[str, float] = field(default_factory=dict)
    min_agreement: float = 0.0

    def __post_init__(self) -> None:
        for origin, weight in self.weights.items():
            if origin not in ORIGINS:
                raise ValueError(f"weights: origin must be one of {', '.join(ORIGINS)}; got {origin!r}")
            if not 0 <= weight < np.inf:
                raise ValueError(f"weights: weight of {origin} must be finite and >= 0; got {weight}")
        if not 0 <= self.min_agreement < 1:
            raise ValueError(f"min_agreement: must be >= 0 and < 1; got {self.min_agreement}")

    def row_weights(self, rows: pd.DataFrame, spec: ModelSpec, *, seed: int) -> FloatArray:
        """Weight of each labelled row.

        Parameters
        ----------
        rows
            Labelled rows of a paragraph table; an absent origin means read.
        spec
            What will be trained, and what aligned labels are held against.
        seed
            Seed of that model.

        Returns
        -------
        Shape (n_rows,).
        """
        origins = origins_of(rows)
        weights = np.array([self.weights.get(origin, 1.0) for origin in origins])
        is_asked = (origins == ALIGNED) & (weights > 0)
        if self.min_agreement and is_asked.any():
            trusted = (origins != ALIGNED) & (weights > 0)
            spec = replace(spec, family="winnow") if spec.needs_pages else spec
            agreement = _agreement(rows[trusted], weights[trusted], rows[is_asked], spec, seed=seed)
            weights[np.flatnonzero(is_asked)[agreement < self.min_agreement]] = 0.0
        return weights


def origins_of(rows: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Where each label comes from.

    Parameters
    ----------
    rows
        Labelled rows.

    Returns
    -------
    Origins, shape (n_rows,), ``read`` where none is given.

    Examples
    --------
    >>> origins_of(pd.DataFrame({"origin": ["aligned", None]})).tolist(), origins_of(pd.DataFrame({"text": ["Share"]})).tolist()
    (['aligned', 'read'], ['read'])
    """
    if ORIGIN not in rows.columns:
        return np.full(len(rows), READ, dtype=object)
    origins: npt.NDArray[np.object_] = rows[ORIGIN].astype(object).where(rows[ORIGIN].notna(), READ).to_numpy(dtype=object)
    return origins


def _agreement(trusted: pd.DataFrame, weights: FloatArray, asked: pd.DataFrame, spec: ModelSpec, *, seed: int) -> FloatArray:
    """Probability that a model of trusted rows of other sites gives the label of each row asked about."""
    codes = np.array([LABELS.index(label) for label in asked[LABEL]])
    found = np.ones(len(asked))
    names, fold_of_name = _folds(pd.concat([_groups(trusted), _groups(asked)]), seed=seed)
    fold_of_trusted, fold_of_asked = (fold_of_name[np.searchsorted(names, _groups(part))] for part in (trusted, asked))
    for fold in range(_N_FOLDS):
        here, others = fold_of_asked == fold, fold_of_trusted != fold
        if here.any():
            check_counts(trusted.loc[others, LABEL], at_least=1, where="corpus, trusted labels of all sites but one third")
            model: Any = fit_weighted(build_model(spec, seed=seed), trusted[others], weights[others], spec=spec)
            probabilities = Predictor(model).predict_proba(asked[here])
            found[here] = probabilities[np.arange(len(probabilities)), codes[here]]
    return found


def _groups(rows: pd.DataFrame) -> Any:
    """Site of each row, or its page where no site is given."""
    sites = rows[SITE] if SITE in rows.columns else pd.Series(None, index=rows.index, dtype=object)
    return sites.astype(object).where(sites.notna(), rows[PAGE]).astype(str)


def _folds(groups: Any, *, seed: int) -> tuple[Any, Any]:
    """Names of the groups, sorted, and the fold of each."""
    names = np.unique(groups.to_numpy(dtype=str))
    return names, np.random.default_rng(seed).permutation(len(names)) % _N_FOLDS
