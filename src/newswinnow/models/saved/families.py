"""The closed registry of models that are saved as plain numbers: how each becomes tensors and what makes its tensors valid.

A manifest names a family of this registry or is refused; reading files and checking digests is left to the rest of this package.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from newswinnow.models.predictor import ALONE, CONTEXTS

Tensors = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Family:
    """One kind of model of our own.

    Attributes
    ----------
    model
        Class of what is deployed; it predicts without scikit-learn.
    feature_definition
        Version of the features its weights belong to.
    contexts
        Levels of information such a model can know.
    to_tensors
        The model's numbers by name.
    from_tensors
        The model back from them; raises :class:`ValueError` unless every name, type, shape and number is as it must be.
    """

    model: type
    feature_definition: int
    contexts: tuple[str, ...]
    to_tensors: Callable[[Any], Tensors]
    from_tensors: Callable[[Tensors], Any]


def _linear() -> Family:
    from newswinnow.features.definition import VERSION
    from newswinnow.models.linear import LinearModel, weights_from_tensors, weights_to_tensors

    return Family(
        model=LinearModel,
        feature_definition=VERSION,
        contexts=(ALONE,),
        to_tensors=lambda model: weights_to_tensors(model.weights),
        from_tensors=lambda tensors: LinearModel(weights_from_tensors(dict(tensors))),
    )


def _ladder() -> Family:
    from newswinnow.features.definition import VERSION
    from newswinnow.models.ladder.model import LadderModel
    from newswinnow.models.ladder.tensors import model_from_tensors, model_to_tensors

    return Family(
        model=LadderModel,
        feature_definition=VERSION,
        contexts=CONTEXTS,
        to_tensors=model_to_tensors,
        from_tensors=model_from_tensors,
    )


FAMILIES: Final[dict[str, Callable[[], Family]]] = {"linear": _linear, "ladder": _ladder}
"""Name in the manifest to its family; each is imported when it is asked for."""


def deployed(estimator: Any) -> Any:
    """The light model inside a fitted estimator, out of a search or a pipeline of one step; any other estimator as it is.

    Parameters
    ----------
    estimator
        Fitted classifier.

    Returns
    -------
    What would be saved of it.
    """
    if hasattr(estimator, "best_estimator_"):
        return deployed(estimator.best_estimator_)
    steps: list[tuple[str, Any]] = getattr(estimator, "steps", [])
    if len(steps) == 1:
        return deployed(steps[0][1])
    return getattr(estimator, "model_", estimator)


def family_of(estimator: Any) -> str | None:
    """The family of a fitted estimator.

    Parameters
    ----------
    estimator
        Fitted classifier.

    Returns
    -------
    Name in the registry; None for what cannot be saved as plain numbers.
    """
    model = deployed(estimator)
    return next((name for name, family in FAMILIES.items() if isinstance(model, family().model)), None)


@dataclass(frozen=True)
class TensorRule:
    """What one tensor must be: its type, and its shape with None where any length goes."""

    dtype: type
    shape: tuple[int | None, ...]


def check_tensors(tensors: Tensors, rules: Mapping[str, TensorRule]) -> None:
    """Refuse tensors that are not exactly those of a family.

    Parameters
    ----------
    tensors
        Name to tensor.
    rules
        Name to what it must be.

    Raises
    ------
    ValueError
        If a tensor is missing, unknown, of another type or shape, or holds a number that is not finite.
    """
    if set(tensors) != set(rules):
        raise ValueError(f"tensors must be {', '.join(sorted(rules))}; got {', '.join(sorted(tensors))}")
    for name, rule in rules.items():
        tensor, shape = tensors[name], rule.shape
        is_shaped = len(tensor.shape) == len(shape) and all(n in (None, m) for n, m in zip(shape, tensor.shape, strict=True))
        if tensor.dtype != rule.dtype or not is_shaped:
            wanted = ", ".join("any" if n is None else str(n) for n in shape)
            got = f"{tensor.dtype} of shape {tensor.shape}"
            raise ValueError(f"{name} must be {np.dtype(rule.dtype).name} of shape ({wanted}); got {got}")
        if not np.isfinite(tensor).all():
            raise ValueError(f"{name} must hold finite numbers; got others")
