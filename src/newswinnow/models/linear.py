"""The linear model over the kernel's features as it is deployed: weights in, probabilities out, nothing of scikit-learn.

Finding the weights is left to :mod:`newswinnow.models.winnow`, keeping them in a file to :mod:`newswinnow.models.saved`.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from newswinnow.features.hashed import SURFACE_NAMES, LinearWeights, linear_codes, linear_probabilities
from newswinnow.models.saved.families import TensorRule, check_tensors
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import FloatArray, LabelArray, labels_at, texts_of

MIN_BITS: Final = 8
MAX_BITS: Final = 24


@dataclass(frozen=True)
class LinearModel:
    """Weights as a predictor with the methods of a scikit-learn classifier.

    Attributes
    ----------
    weights
        Columns in label order.
    """

    weights: LinearWeights

    @property
    def classes_(self) -> np.ndarray[Any, np.dtype[np.str_]]:
        """The labels in label order."""
        return np.array([str(label) for label in LABELS], dtype=np.str_)

    def predict_proba(self, X: Any) -> FloatArray:
        """Probabilities of the labels.

        Parameters
        ----------
        X
            Texts, shape (n_paragraphs,), or a paragraph table.

        Returns
        -------
        Shape (n_paragraphs, 3), columns in label order.
        """
        return linear_probabilities(texts_of(X), self.weights)

    def predict(self, X: Any) -> LabelArray:
        """Most probable labels.

        Parameters
        ----------
        X
            Texts, shape (n_paragraphs,), or a paragraph table.

        Returns
        -------
        Strings, shape (n_paragraphs,); of equal probabilities the first in label order.
        """
        return self.predict_texts(texts_of(X))

    def predict_texts(self, texts: list[str]) -> LabelArray:
        """Most probable labels of what is known to be texts.

        Parameters
        ----------
        texts
            The paragraphs.

        Returns
        -------
        As :meth:`predict`.
        """
        return labels_at(linear_codes(texts, self.weights))


def weights_to_tensors(weights: LinearWeights) -> dict[str, npt.NDArray[Any]]:
    """Weights as named tensors in C order, the large table in half precision.

    Parameters
    ----------
    weights
        The weights.

    Returns
    -------
    Name to tensor.

    Raises
    ------
    ValueError
        If the model has character n-grams, which the saved format does not know.
    """
    if weights.characters.longest:
        raise ValueError(f"weights: must have no character n-grams to be saved; got {weights.characters}")
    tensors = {name: np.ascontiguousarray(getattr(weights, name)) for name in ("hashed", "dense", "bias", "scales")}
    tensors["hashed"] = tensors["hashed"].astype(np.float16)
    return tensors


def weights_from_tensors(tensors: dict[str, npt.NDArray[Any]]) -> LinearWeights:
    """Weights from named tensors, every name, type and shape checked.

    Parameters
    ----------
    tensors
        As :func:`weights_to_tensors` gives them.

    Returns
    -------
    The weights.

    Raises
    ------
    ValueError
        If a tensor is missing, unknown, of another type or shape, or holds a number that is not finite.
    """
    n_labels = len(LABELS)
    rules = {
        "hashed": TensorRule(np.float16, (None, n_labels)),
        "dense": TensorRule(np.float32, (len(SURFACE_NAMES), n_labels)),
        "bias": TensorRule(np.float32, (n_labels,)),
        "scales": TensorRule(np.float64, (3,)),
    }
    check_tensors(tensors, rules)
    n_rows = len(tensors["hashed"])
    if n_rows & (n_rows - 1) or not 1 << MIN_BITS <= n_rows <= 1 << MAX_BITS:
        raise ValueError(f"hashed must have a power of two of rows, 2**{MIN_BITS} to 2**{MAX_BITS}; got {n_rows}")
    return LinearWeights(tensors["hashed"].astype(np.float32), tensors["dense"], tensors["bias"], tensors["scales"])
