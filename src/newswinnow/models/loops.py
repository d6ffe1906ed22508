"""The compiled loops of training: passes over the rows of a sparse matrix, and the arithmetic of L-BFGS.

Everything works on arrays, runs on one thread in a fixed order, releases the GIL, and is written out for three labels; what the
arrays mean is left to :mod:`newswinnow.models.softmax` and :mod:`newswinnow.models.scaling`.
"""

from typing import Any

import numpy as np

from newswinnow.features.jit import entry, inlined


@inlined
def _logits_of(i: Any, pointers: Any, indices: Any, values: Any, dense: Any, weights: Any) -> Any:
    bias = weights.shape[0] - 1
    first = bias - dense.shape[1]
    z0, z1, z2 = weights[bias, 0], weights[bias, 1], weights[bias, 2]
    for j in range(pointers[i], pointers[i + 1]):
        k, value = indices[j], values[j]
        z0 += value * weights[k, 0]
        z1 += value * weights[k, 1]
        z2 += value * weights[k, 2]
    for j in range(dense.shape[1]):
        value = dense[i, j]
        z0 += value * weights[first + j, 0]
        z1 += value * weights[first + j, 1]
        z2 += value * weights[first + j, 2]
    return z0, z1, z2


@inlined
def _probabilities(z0: Any, z1: Any, z2: Any) -> Any:
    """Probabilities, and the logarithm of what they were divided by."""
    top = max(z0, z1, z2)
    e0, e1, e2 = np.exp(np.float64(z0 - top)), np.exp(np.float64(z1 - top)), np.exp(np.float64(z2 - top))
    total = e0 + e1 + e2
    return e0 / total, e1 / total, e2 / total, np.log(total) + top


@entry
def logits(pointers: Any, indices: Any, values: Any, dense: Any, weights: Any, found: Any) -> None:
    """Logits of every row into the last argument."""
    for i in range(dense.shape[0]):
        found[i, 0], found[i, 1], found[i, 2] = _logits_of(i, pointers, indices, values, dense, weights)


@inlined
def _add(k: Any, value: Any, g0: Any, g1: Any, g2: Any, sums: Any) -> None:
    sums[k, 0] += value * g0
    sums[k, 1] += value * g1
    sums[k, 2] += value * g2


@inlined
def _add_row(
    i: Any, pointers: Any, indices: Any, values: Any, dense: Any, g0: Any, g1: Any, g2: Any, power: Any, sums: Any
) -> None:
    """Add a row's values, raised to the power, times three numbers to the columns' sums."""
    bias = sums.shape[0] - 1
    first = bias - dense.shape[1]
    for j in range(pointers[i], pointers[i + 1]):
        value = values[j]
        _add(indices[j], value * value if power == 2 else value, g0, g1, g2, sums)
    for j in range(dense.shape[1]):
        value = dense[i, j]
        _add(first + j, value * value if power == 2 else value, g0, g1, g2, sums)
    _add(bias, np.float32(1), g0, g1, g2, sums)


@entry
def gradient(pointers: Any, indices: Any, values: Any, dense: Any, targets: Any, weights: Any, gradient: Any) -> Any:
    """Sum of the rows' cross-entropies; its gradient goes into the last argument."""
    gradient[:] = 0
    loss = 0.0
    for i in range(dense.shape[0]):
        z0, z1, z2 = _logits_of(i, pointers, indices, values, dense, weights)
        p0, p1, p2, partition = _probabilities(z0, z1, z2)
        t0, t1, t2 = targets[i, 0], targets[i, 1], targets[i, 2]
        total = t0 + t1 + t2
        loss += total * partition - t0 * z0 - t1 * z1 - t2 * z2
        g0, g1, g2 = np.float32(total * p0 - t0), np.float32(total * p1 - t1), np.float32(total * p2 - t2)
        _add_row(i, pointers, indices, values, dense, g0, g1, g2, 1, gradient)
    return loss


@entry
def curvature(pointers: Any, indices: Any, values: Any, dense: Any, targets: Any, weights: Any, diagonal: Any) -> None:
    """Diagonal of the Hessian of the sum of the rows' cross-entropies."""
    diagonal[:] = 0
    for i in range(dense.shape[0]):
        z0, z1, z2 = _logits_of(i, pointers, indices, values, dense, weights)
        p0, p1, p2, _ = _probabilities(z0, z1, z2)
        total = targets[i, 0] + targets[i, 1] + targets[i, 2]
        h0, h1, h2 = np.float32(total * p0 * (1 - p0)), np.float32(total * p1 * (1 - p1)), np.float32(total * p2 * (1 - p2))
        _add_row(i, pointers, indices, values, dense, h0, h1, h2, 2, diagonal)


@inlined
def _step(k: Any, c: Any, slope: Any, rate: Any, weights: Any, squares: Any) -> None:
    squares[k, c] += slope * slope
    weights[k, c] -= rate * slope / np.sqrt(squares[k, c])


@inlined
def _steps(k: Any, value: Any, decay: Any, g0: Any, g1: Any, g2: Any, rate: Any, weights: Any, squares: Any) -> None:
    _step(k, 0, value * g0 + decay * weights[k, 0], rate, weights, squares)
    _step(k, 1, value * g1 + decay * weights[k, 1], rate, weights, squares)
    _step(k, 2, value * g2 + decay * weights[k, 2], rate, weights, squares)


@entry
def descend(
    pointers: Any,
    indices: Any,
    values: Any,
    dense: Any,
    targets: Any,
    order: Any,
    decay: Any,
    rate: Any,
    weights: Any,
    squares: Any,
) -> None:
    """One pass of Adagrad (Duchi et al. 2011); a column's penalty is shared out among the rows that have it."""
    bias = weights.shape[0] - 1
    first = bias - dense.shape[1]
    for i in order:
        z0, z1, z2 = _logits_of(i, pointers, indices, values, dense, weights)
        p0, p1, p2, _ = _probabilities(z0, z1, z2)
        t0, t1, t2 = targets[i, 0], targets[i, 1], targets[i, 2]
        total = t0 + t1 + t2
        g0, g1, g2 = np.float32(total * p0 - t0), np.float32(total * p1 - t1), np.float32(total * p2 - t2)
        for j in range(pointers[i], pointers[i + 1]):
            k = indices[j]
            _steps(k, values[j], decay[k], g0, g1, g2, rate, weights, squares)
        for j in range(dense.shape[1]):
            _steps(first + j, dense[i, j], decay[first + j], g0, g1, g2, rate, weights, squares)
        _steps(bias, np.float32(1), np.float32(0), g0, g1, g2, rate, weights, squares)


@inlined
def _dot(a: Any, b: Any) -> Any:
    """Sum of products in double precision and in order: BLAS would add in another order on another number of threads."""
    total = 0.0
    for k in range(len(a)):
        total += np.float64(a[k]) * np.float64(b[k])
    return total


@entry
def direction(gradient: Any, steps: Any, changes: Any, order: Any, direction: Any) -> Any:
    """L-BFGS two-loop recursion (Nocedal and Wright 2006, algorithm 7.4); gives the slope along the direction."""
    shares = np.zeros(len(steps))
    direction[:] = -gradient
    for h in order[::-1]:
        shares[h] = _dot(steps[h], direction) / _dot(steps[h], changes[h])
        direction -= np.float32(shares[h]) * changes[h]
    if len(order):
        last = order[-1]
        direction *= np.float32(_dot(steps[last], changes[last]) / _dot(changes[last], changes[last]))
    for h in order:
        share = shares[h] - _dot(changes[h], direction) / _dot(steps[h], changes[h])
        direction += np.float32(share) * steps[h]
    return _dot(gradient, direction)


@entry
def curves_up(step: Any, change: Any) -> Any:
    """Whether a step and the change of the gradient along it say enough of the curvature to be kept."""
    return _dot(step, change) > 1e-8 * np.sqrt(_dot(step, step) * _dot(change, change))


@entry
def penalty(weights: Any, strength: Any) -> Any:
    """Half the sum of squared weights, each row times its strength."""
    total = 0.0
    for k in range(weights.shape[0]):
        for c in range(weights.shape[1]):
            total += np.float64(strength[k]) * np.float64(weights[k, c]) ** 2
    return total / 2


@entry
def add_up(pointers: Any, indices: Any, row_weights: Any, sums: Any) -> None:
    """Weight of the rows that have each column."""
    for i in range(len(pointers) - 1):
        for j in range(pointers[i], pointers[i + 1]):
            sums[indices[j]] += row_weights[i]


@entry
def select(pointers: Any, indices: Any, values: Any, place: Any, factors: Any, new_pointers: Any, new: Any, scaled: Any) -> None:
    """Rows with the columns kept, renumbered and multiplied."""
    n = 0
    for i in range(len(pointers) - 1):
        for j in range(pointers[i], pointers[i + 1]):
            k = place[indices[j]]
            if k >= 0:
                new[n] = k
                scaled[n] = values[j] * factors[k]
                n += 1
        new_pointers[i + 1] = n
