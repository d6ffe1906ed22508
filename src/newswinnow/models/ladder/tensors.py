"""A ladder as named tensors and back, everything about them checked.

Reading and writing files is left to :mod:`newswinnow.models.saved`.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from newswinnow.features.definition import N_SURFACE
from newswinnow.features.relations import RARITY_BITS, Rarity
from newswinnow.models.ladder.correction import Correction
from newswinnow.models.ladder.inputs import N_MEASURED, Scale, n_inputs
from newswinnow.models.ladder.model import LadderModel
from newswinnow.models.ladder.networks import LEVELS, Network, shapes_of
from newswinnow.models.ladder.order import N_SIGNS, OrderTrust
from newswinnow.models.linear import LinearModel, weights_from_tensors, weights_to_tensors
from newswinnow.models.saved.families import TensorRule, check_tensors
from newswinnow.paragraphs.label import LABELS

_LINEAR: Final = "linear"
_CORRECTION: Final = "correction"
_CORRECTION_SHAPES: Final = {"mix": (len(LABELS), len(LABELS)), "dense": (N_SURFACE, len(LABELS)), "bias": (len(LABELS),)}
_MAX_HIDDEN: Final = 1024
_HIGHEST: Final = 100.0


def model_to_tensors(model: LadderModel) -> dict[str, npt.NDArray[Any]]:
    """A model as named tensors.

    Parameters
    ----------
    model
        The model.

    Returns
    -------
    Name to tensor; names of a part's tensors begin with the part's name and a dot.
    """
    tensors = {f"{_LINEAR}.{name}": tensor for name, tensor in weights_to_tensors(model.linear.weights).items()}
    if model.correction:
        tensors |= {f"{_CORRECTION}.{name}": getattr(model.correction, name) for name in _CORRECTION_SHAPES}
    for level in LEVELS:
        tensors |= {f"{level}.{name}": tensor for name, tensor in model.networks[level].weights.items()}
    return tensors | {
        "rarity": model.rarity.steps,
        "rare": np.array([model.rarity.rare], dtype=np.int64),
        "centre": model.scale.centre,
        "spread": model.scale.spread,
        "temperatures": np.array([model.temperatures[level] for level in LEVELS]),
        "trust": model.trust.weights,
    }


def model_from_tensors(tensors: Mapping[str, npt.NDArray[Any]]) -> LadderModel:
    """A model from named tensors.

    Parameters
    ----------
    tensors
        As :func:`model_to_tensors` gives them.

    Returns
    -------
    The model.

    Raises
    ------
    ValueError
        If a tensor is missing, unknown, of another type or shape, or holds a number that is not finite or out of range.
    """
    own = {name: tensor for name, tensor in tensors.items() if not name.startswith(f"{_LINEAR}.")}
    is_corrected = any(name.startswith(f"{_CORRECTION}.") for name in own)
    rules = _rules(_n_hidden(own), is_corrected=is_corrected)
    check_tensors(own, rules)
    temperatures, rare = own["temperatures"], int(own["rare"][0])
    if not ((temperatures > 0) & (temperatures <= _HIGHEST)).all():
        raise ValueError(f"temperatures must be > 0 and <= {_HIGHEST}; got {temperatures.tolist()}")
    if not (own["spread"] > 0).all() or rare < 1:
        raise ValueError(f"spread and rare must be > 0; got {float(own['spread'].min())} and {rare}")
    mix = f"{_CORRECTION}.mix"
    if is_corrected and not (np.abs(own[mix]) <= _HIGHEST).all():
        raise ValueError(f"{mix} must be <= {_HIGHEST} in size; got {float(np.abs(own[mix]).max())}")
    linear = {name.removeprefix(f"{_LINEAR}."): tensor for name, tensor in tensors.items() if name not in own}
    networks = {
        level: Network(level, {name: own[f"{level}.{name}"] for name in shapes_of(level, n_inputs=1, n_hidden=1)})
        for level in LEVELS
    }
    return LadderModel(
        linear=LinearModel(weights_from_tensors(linear)),
        rarity=Rarity(own["rarity"], rare),
        scale=Scale(own["centre"], own["spread"]),
        networks=networks,
        temperatures=dict(zip(LEVELS, temperatures.tolist(), strict=True)),
        trust=OrderTrust(own["trust"]),
        correction=Correction(**{name: own[f"{_CORRECTION}.{name}"] for name in _CORRECTION_SHAPES}) if is_corrected else None,
    )


def _n_hidden(tensors: Mapping[str, npt.NDArray[Any]]) -> int:
    """Channels of the networks, as far as one tensor tells; what does not fit it is refused with the others."""
    tensor = tensors.get(f"{LEVELS[0]}.last")
    n_hidden = len(tensor) if tensor is not None and tensor.ndim else 1
    return min(max(n_hidden, 1), _MAX_HIDDEN)


def _rules(n_hidden: int, *, is_corrected: bool) -> dict[str, TensorRule]:
    rules = {
        f"{level}.{name}": TensorRule(np.int16, shape)
        for level in LEVELS
        for name, shape in shapes_of(level, n_inputs=n_inputs(level), n_hidden=n_hidden).items()
    }
    if is_corrected:
        rules |= {f"{_CORRECTION}.{name}": TensorRule(np.float64, shape) for name, shape in _CORRECTION_SHAPES.items()}
    return rules | {
        "rarity": TensorRule(np.uint8, (1 << RARITY_BITS,)),
        "rare": TensorRule(np.int64, (1,)),
        "centre": TensorRule(np.float32, (N_MEASURED,)),
        "spread": TensorRule(np.float32, (N_MEASURED,)),
        "temperatures": TensorRule(np.float64, (len(LEVELS),)),
        "trust": TensorRule(np.float64, (N_SIGNS + 1,)),
    }
