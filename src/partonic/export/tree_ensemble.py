"""Boosted trees as one operator of ONNX.

Trees of partonic compare codes of features; a code is the number of edges below the value, so that `code ≤ c` is
`value ≤ edge c`, and the operator compares the values themselves, in double precision. Its sums come out in single
precision, which the operator prescribes.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from partonic.export.tracing import OPSET

if TYPE_CHECKING:
    import onnx

__all__ = ["Forest", "forest_model"]

_ML_OPSET = 3


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees of all members of an ensemble; see `partonic.trees.ensemble.BoostedTrees`.

    Attributes:
        edges, counts: intervals of the F features, `(F, E)` and `(F,)`.
        roots: of all trees, `(T,)`, numbers of rows of `nodes`.
        member: which member each tree belongs to, `(T,)`.
        nodes: feature (−1 in a leaf), highest code that goes left, whether missing values go left, children, `(M, 5)`.
        steps: what a leaf adds to the K sums of its member, `(M, K)`.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    roots: NDArray[np.int64]
    member: NDArray[np.int64]
    nodes: NDArray[np.int32]
    steps: NDArray[np.float64]

    @property
    def targets(self) -> int:
        """Number of sums: members times K."""
        return (int(self.member.max(initial=0)) + 1) * int(self.steps.shape[1])

    def thresholds(self) -> NDArray[np.float64]:
        """Return the largest value that goes left at each node, ∞ where every value does, 0 in leaves, `(M,)`."""
        feature, code = self.nodes[:, 0], self.nodes[:, 1]
        split = feature >= 0
        values = np.zeros(len(self.nodes))
        below = split & (code < self.counts[np.where(split, feature, 0)])
        values[split & ~below] = np.inf
        values[below] = self.edges[feature[below], code[below]]
        return values

    def tree_of_node(self) -> NDArray[np.int64]:
        """Return the tree that each node is of, `(M,)`: the nodes of a tree follow its root."""
        order = np.argsort(self.roots, kind="stable")
        place = np.searchsorted(self.roots[order], np.arange(len(self.nodes)), side="right") - 1
        found: NDArray[np.int64] = order[place]
        return found


def forest_model(forest: Forest, source: str, result: str) -> "onnx.ModelProto":
    """Return the graph from values of features `(N, F)`, float64, NaN for missing, to the sums `(N, targets)`, float32.

    Args:
        forest: the trees.
        source: name of the input.
        result: name of the output.
    """
    from onnx import TensorProto, checker, helper

    node = helper.make_node(
        "TreeEnsembleRegressor", [source], [result], domain="ai.onnx.ml", n_targets=forest.targets,
        aggregate_function="SUM", post_transform="NONE", **_split_attributes(forest), **_leaf_attributes(forest),
    )  # fmt: skip
    features = len(forest.counts)
    graph = helper.make_graph(
        [node], "trees",
        [helper.make_tensor_value_info(source, TensorProto.DOUBLE, ["events", features])],
        [helper.make_tensor_value_info(result, TensorProto.FLOAT, ["events", forest.targets])],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", _ML_OPSET)]
    model = helper.make_model(graph, opset_imports=opsets)
    checker.check_model(model)
    return model


def _split_attributes(forest: Forest) -> dict[str, Any]:
    """Return the nodes; within a tree they are numbered from its root."""
    from onnx import TensorProto, helper

    tree, leaf = forest.tree_of_node(), forest.nodes[:, 0] < 0
    first = forest.roots[tree]
    left, right = (np.where(leaf, 0, forest.nodes[:, column] - first) for column in (3, 4))
    thresholds = forest.thresholds()
    return {
        "nodes_treeids": tree.tolist(),
        "nodes_nodeids": (np.arange(len(tree)) - first).tolist(),
        "nodes_featureids": np.where(leaf, 0, forest.nodes[:, 0]).tolist(),
        "nodes_modes": ["LEAF" if each else "BRANCH_LEQ" for each in leaf],
        "nodes_values_as_tensor": helper.make_tensor("splits", TensorProto.DOUBLE, [len(tree)], thresholds.tolist()),
        "nodes_truenodeids": left.tolist(),
        "nodes_falsenodeids": right.tolist(),
        "nodes_missing_value_tracks_true": np.where(leaf, 0, forest.nodes[:, 2]).tolist(),
    }


def _leaf_attributes(forest: Forest) -> dict[str, Any]:
    """Return what each leaf adds to each sum of its member."""
    from onnx import TensorProto, helper

    tree, count = forest.tree_of_node(), forest.steps.shape[1]
    leaves = np.repeat(np.flatnonzero(forest.nodes[:, 0] < 0), count)
    target = np.tile(np.arange(count), len(leaves) // max(count, 1))
    weights = forest.steps[leaves, target]
    return {
        "target_treeids": tree[leaves].tolist(),
        "target_nodeids": (leaves - forest.roots[tree[leaves]]).tolist(),
        "target_ids": (forest.member[tree[leaves]] * count + target).tolist(),
        "target_weights_as_tensor": helper.make_tensor("steps", TensorProto.DOUBLE, [len(weights)], weights.tolist()),
    }
