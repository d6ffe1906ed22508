"""What each feature of a paragraph adds to the logits of a linear model, by its name; the parts sum to the logits exactly.

What the page around it adds is left to :mod:`newswinnow.evaluation.explain_context`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from newswinnow.features.definition import SURFACE_NAMES
from newswinnow.features.plain import Reading, rows_of, surface_of
from newswinnow.features.tables import encode
from newswinnow.models.explain_names import FeatureName, feature_names, surface_name
from newswinnow.models.saved.families import deployed

if TYPE_CHECKING:
    from newswinnow.features.weights import LinearWeights
    from newswinnow.models.predictor import Predictor

BIAS: Final = FeatureName("bias", "every paragraph")


@dataclass(frozen=True)
class Contribution:
    """What one feature adds to the logits.

    Attributes
    ----------
    name
        The feature. Its weight is that of its row, which other n-grams may be hashed to as well.
    count
        How often the paragraph has it.
    logits
        What it adds, in label order, all occurrences together.
    """

    name: FeatureName
    count: int
    logits: tuple[float, float, float]

    def margin(self, first: int, second: int) -> float:
        """What it adds to one label's logit more than to another's, labels by number."""
        return self.logits[first] - self.logits[second]


def linear_weights_of(predictor: "Predictor") -> "LinearWeights | None":
    """The weights by which a model judges a paragraph alone, if it does so by one linear function of the kernel's features.

    Parameters
    ----------
    predictor
        Any model.

    Returns
    -------
    Those of the linear family, and of the ladder's lowest level; None for every other model.
    """
    from newswinnow.models.ladder.model import LadderModel
    from newswinnow.models.linear import LinearModel

    model = deployed(predictor.estimator)
    alone = model.alone if isinstance(model, LadderModel) else model
    return alone.weights if isinstance(alone, LinearModel) else None


def contributions(text: str, weights: "LinearWeights") -> tuple[Contribution, ...]:
    """What adds up to a paragraph's logits.

    Parameters
    ----------
    text
        The paragraph.
    weights
        The model.

    Returns
    -------
    One contribution for each different feature that weighs anything, the bias first; they sum to
    :func:`newswinnow.features.plain.logits` up to the order of summing.

    Raises
    ------
    ValueError
        If the text holds a lone surrogate, which no UTF-8 can hold.
    """
    encode(text)
    totals: dict[FeatureName, Any] = {}
    counts: dict[FeatureName, int] = {}
    for name, value in _parts(Reading(text), weights):
        totals[name] = totals.get(name, 0.0) + value
        counts[name] = counts.get(name, 0) + 1
    return tuple(
        Contribution(name, counts[name], (float(total[0]), float(total[1]), float(total[2])))
        for name, total in totals.items()
        if name == BIAS or total.any()
    )


def _parts(reading: Reading, weights: "LinearWeights") -> Iterator[tuple[FeatureName, Any]]:
    yield BIAS, weights.bias.astype(np.float64)
    bits = len(weights.hashed).bit_length() - 1
    blocks = rows_of(reading, bits=bits, characters=weights.characters)
    named = feature_names(reading, characters=weights.characters)
    for rows, names, scale in zip(blocks, named, weights.scales, strict=False):
        each = float(scale) / math.sqrt(max(len(rows), 1))
        for row, name in zip(rows, names, strict=True):
            yield name, each * weights.hashed[row].astype(np.float64)
    values = np.array(surface_of(reading), dtype=np.float32).astype(np.float64)
    for measure, value, column in zip(SURFACE_NAMES, values, weights.dense_table, strict=True):
        yield surface_name(measure, value), value * column
