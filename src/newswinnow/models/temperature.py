"""Temperature scaling: one number that makes probabilities as sure as they are right (Guo et al. 2017).

Which held-out logits it is fitted on is left to the classifier.
"""

from typing import Any, Final

import numpy as np
from scipy.optimize import minimize_scalar

from newswinnow.paragraphs.table import FloatArray

LOWEST: Final = 0.1
HIGHEST: Final = 10.0


def mean_log_loss(logits: Any, targets: FloatArray, *, temperature: float) -> float:
    """Cross-entropy of tempered probabilities.

    Parameters
    ----------
    logits
        Shape (n_rows, n_labels).
    targets
        Weight of each row for each label, same shape.
    temperature
        What the logits are divided by.

    Returns
    -------
    In nats, per unit of weight.
    """
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    scaled = scaled - scaled.max(axis=1, keepdims=True)
    log_probabilities = scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))
    return float(-(targets * log_probabilities).sum() / targets.sum())


def best_temperature(logits: Any, targets: FloatArray) -> float:
    """The temperature of least cross-entropy.

    Parameters
    ----------
    logits
        Of rows that the model was not fitted on, shape (n_rows, n_labels).
    targets
        Weight of each row for each label, same shape, some of it positive.

    Returns
    -------
    Between 0.1 and 10.

    Examples
    --------
    >>> too_sure = [[4.0, 0.0], [4.0, 0.0], [4.0, 0.0], [4.0, 0.0]]
    >>> round(best_temperature(too_sure, np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])), 2)
    3.64
    """
    # Convex in the inverse temperature, hence one minimum in its logarithm too.
    found = minimize_scalar(
        lambda log_temperature: mean_log_loss(logits, targets, temperature=float(np.exp(log_temperature))),
        bounds=(np.log(LOWEST), np.log(HIGHEST)),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(found.x))
