"""What boosting does for every event, compiled by numba.

A row of `statistics` is (w, d_1, …, d_K): the weight of the event and its residuals d_k = c_k − w F_k, in the units of
`partonic.trees.scaling.Scaling`. Sums over rows are kept in float64 as (Σw², Σw, Σd_1, …, Σd_K), one set for each code
of each feature: a *histogram* `(F, 256, 2 + K)`. A cell adds its rows in the order of the events.

The functions run on one core and release the interpreter, so that `partonic.trees.engine` can share out rows or
features to threads; it also reports a missing numba.
"""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["apply_tree", "best_splits", "encode", "fill_histogram", "predict_rows", "split_rows"]

_MISSING = 255
_SMALLEST_RATIO = 1e-9
_BLOCK = 512  # events that fit into the cache with one tree

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])


def compiled(function: AnyFunction) -> AnyFunction:
    """Return the function as machine code, made at its first call and kept for the next process where possible."""
    bare = inspect.unwrap(function)  # the tests wrap functions in checks of types, which numba cannot compile
    try:
        machine: AnyFunction = numba.njit(bare, nogil=True, error_model="numpy", cache=True)
    except RuntimeError:  # neither the package nor the home folder can be written to
        machine = numba.njit(bare, nogil=True, error_model="numpy")
    return machine


@compiled
def encode(
    features: NDArray[Any], edges: NDArray[np.float64], counts: NDArray[np.int64], codes: NDArray[np.uint8]
) -> int:
    """Write the codes of features `(N, F)`: how many edges are below the value, or 255 for NaN.

    Edges are `(F, E)`, of which the first `counts[f]` count, in rising order; a value equal to an edge lies below it.

    Returns:
        the first row with an infinite value, −1 if there is none.
    """
    infinite = -1
    for i in range(features.shape[0]):
        for f in range(features.shape[1]):
            value = np.float64(features[i, f])
            if np.isnan(value):
                codes[i, f] = _MISSING
                continue
            if np.isinf(value) and infinite < 0:
                infinite = i
            low, high = 0, counts[f]
            while low < high:
                middle = (low + high) // 2
                if edges[f, middle] < value:
                    low = middle + 1
                else:
                    high = middle
            codes[i, f] = low
    return infinite


@compiled
def fill_histogram(
    codes: NDArray[np.uint8],
    statistics: NDArray[np.float32],
    rows: NDArray[np.int32],
    columns: NDArray[np.int64],
    histogram: NDArray[np.float64],
) -> None:
    """Add rows to the histogram `(F, 256, 2 + K)`, in the features `columns` only."""
    channels = statistics.shape[1]
    for j in range(rows.shape[0]):
        i = rows[j]
        squared = np.float64(statistics[i, 0]) * np.float64(statistics[i, 0])
        for place in range(columns.shape[0]):
            f = columns[place]
            code = codes[i, f]
            histogram[f, code, 0] += squared
            for channel in range(channels):
                histogram[f, code, 1 + channel] += statistics[i, channel]


@compiled
def _allowed(sums: NDArray[np.float64], fewest: float, lightest: float) -> bool:
    """Whether a node may stand: positive weight, enough of it, and enough effective events (Σw)²/Σw²."""
    # Channels that cancel leave rounding errors, which must not turn n events into slightly fewer.
    return bool(sums[1] > 0.0 and sums[1] >= lightest and sums[1] * sums[1] * (1.0 + 1e-9) >= fewest * sums[0])


@compiled
def _worth(
    sums: NDArray[np.float64], matrix: NDArray[np.float64], weights: NDArray[np.float64], entropy: bool
) -> float:
    """Return by how much a leaf lowers the loss, up to what is linear in its sums.

    Squared loss: Σ_b ω_b (Σ_k T_bk D_k)²/W. Cross-entropy: Σ_b ω_b W [r_b log(r_b/(1+r_b)) − log(1+r_b)] with
    r_b = 1 + Σ_k T_bk D_k/W.
    """
    total = 0.0
    for b in range(matrix.shape[0]):
        projection = 0.0
        for k in range(matrix.shape[1]):
            projection += matrix[b, k] * sums[2 + k]
        projection /= sums[1]
        if entropy:
            ratio = max(1.0 + projection, _SMALLEST_RATIO)
            total += weights[b] * (ratio * np.log(ratio / (1.0 + ratio)) - np.log1p(ratio))
        else:
            total += weights[b] * projection * projection
    return float(total * sums[1])


@compiled
def best_splits(
    histogram: NDArray[np.float64],
    columns: NDArray[np.int64],
    objective: tuple[NDArray[np.float64], NDArray[np.float64], bool],
    limits: tuple[float, float],
    gains: NDArray[np.float64],
    choices: NDArray[np.int64],
) -> None:
    """Find the best split of a node in each feature of `columns`.

    Args:
        histogram: of the node, `(F, 256, 2 + K)`.
        columns: features to look at.
        objective: the matrix T `(B, K)`, the weights ω `(B,)`, and whether the loss is the cross-entropy.
        limits: fewest effective events and smallest weight of a child.
        gains: written: gain of the best split by feature `(F,)`; 0 where there is none.
        choices: written: highest code that goes left, and whether missing values go left, `(F, 2)`.
    """
    matrix, weights, entropy = objective
    fewest, lightest = limits
    channels = histogram.shape[2]
    left, right = np.empty(channels), np.empty(channels)
    total, missing = np.empty(channels), np.empty(channels)
    for place in range(columns.shape[0]):
        f = columns[place]
        gains[f] = 0.0
        total[:] = 0.0
        for code in range(_MISSING + 1):
            total += histogram[f, code]
        missing[:] = histogram[f, _MISSING]
        if not _allowed(total, 0.0, 0.0):
            continue
        parent = _worth(total, matrix, weights, entropy)
        for missing_left in range(2 if missing[0] > 0.0 else 1):
            left[:] = 0.0
            if missing_left == 1:
                left += missing
            for code in range(_MISSING):
                if histogram[f, code, 0] == 0.0:
                    continue
                left += histogram[f, code]
                right[:] = total - left
                if not _allowed(left, fewest, lightest) or not _allowed(right, fewest, lightest):
                    continue
                gain = _worth(left, matrix, weights, entropy) + _worth(right, matrix, weights, entropy) - parent
                if gain > gains[f]:
                    gains[f], choices[f, 0], choices[f, 1] = gain, code, missing_left


@compiled
def split_rows(
    codes: NDArray[np.uint8],
    rows: NDArray[np.int32],
    split: tuple[int, int, int],
    buffer: NDArray[np.int32],
) -> int:
    """Reorder the rows of a node, in place: those that go left first, each side in the order of the events.

    Args:
        codes: of all events, `(N, F)`.
        rows: of the node.
        split: feature, highest code that goes left, whether missing values go left.
        buffer: at least as long as `rows`.

    Returns:
        how many go left.
    """
    feature, highest, missing_left = split
    lefts, rights = 0, 0
    for j in range(rows.shape[0]):
        i = rows[j]
        code = codes[i, feature]
        if (code == _MISSING and missing_left == 1) or code <= highest:
            rows[lefts] = i
            lefts += 1
        else:
            buffer[rights] = i
            rights += 1
    rows[lefts:] = buffer[:rights]
    return lefts


@compiled
def _leaf_of(codes: NDArray[np.uint8], row: int, nodes: NDArray[np.int32], node: int) -> int:
    """Follow the splits from a root; nodes are (feature or −1, highest code left, missing left, left, right)."""
    while nodes[node, 0] >= 0:
        code = codes[row, nodes[node, 0]]
        goes_left = nodes[node, 2] == 1 if code == _MISSING else code <= nodes[node, 1]
        node = nodes[node, 3] if goes_left else nodes[node, 4]
    return node


@compiled
def apply_tree(
    codes: NDArray[np.uint8],
    statistics: NDArray[np.float32],
    rows: NDArray[np.int32],
    nodes: NDArray[np.int32],
    steps: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> None:
    """Take a tree off the residuals of some rows, d_k −= w·step_k, and sum what they were before.

    Args:
        codes: of all events, `(N, F)`.
        statistics: of all events, changed in place, `(N, 1 + K)`.
        rows: which events.
        nodes: of the tree, `(M, 5)`.
        steps: what is added to F in each node; used in leaves, `(M, K)`.
        sums: added to: (Σw, Σd_1, …) of the leaves, `(M, 1 + K)`.
    """
    for j in range(rows.shape[0]):
        i = rows[j]
        leaf = _leaf_of(codes, i, nodes, 0)
        weight = np.float64(statistics[i, 0])
        sums[leaf, 0] += weight
        for k in range(steps.shape[1]):
            residual = np.float64(statistics[i, 1 + k])
            sums[leaf, 1 + k] += residual
            statistics[i, 1 + k] = residual - weight * steps[leaf, k]


@compiled
def predict_rows(
    codes: NDArray[np.uint8],
    roots: NDArray[np.int64],
    nodes: NDArray[np.int32],
    steps: NDArray[np.float64],
    values: NDArray[np.float64],
) -> None:
    """Add the steps of all trees to `values` `(N, K)`, tree by tree in their order."""
    for start in range(0, codes.shape[0], _BLOCK):
        stop = min(start + _BLOCK, codes.shape[0])
        for tree in range(roots.shape[0]):
            for i in range(start, stop):
                leaf = _leaf_of(codes, i, nodes, roots[tree])
                for k in range(values.shape[1]):
                    values[i, k] += steps[leaf, k]
