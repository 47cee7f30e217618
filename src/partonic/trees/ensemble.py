"""A trained ensemble of trees: ratios of θ-coefficients from features."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped, UInt8
from numpy.typing import NDArray

from partonic.config.trees import TreeSettings
from partonic.polynomial import Monomials
from partonic.trees.binning import FeatureBins
from partonic.trees.engine import Threads, kernels, pieces
from partonic.trees.facts import TrainingFacts
from partonic.trees.scaling import Scaling

__all__ = ["BoostedTrees", "joined"]


@dataclass(frozen=True)
class BoostedTrees:
    """Trees whose steps add up to the ratios R_a(x).

    Attributes:
        monomials: the A monomials of θ.
        bins: names and intervals of the features.
        scaling: mean ratios to begin with, and the units of the steps.
        roots: number of the root of each tree, `(T,)`.
        nodes: of all trees: feature (−1 in a leaf), highest code that goes left, whether missing values go left, and
            the numbers of the children, `(M, 5)`.
        steps: what a node adds, η Σd_k/Σw, `(M, A − 1)`.
        settings: of the training.
        facts: of the training.
    """

    monomials: Monomials
    bins: FeatureBins
    scaling: Scaling
    roots: NDArray[np.int64]
    nodes: NDArray[np.int32]
    steps: NDArray[np.float64]
    settings: TreeSettings
    facts: TrainingFacts

    def __len__(self) -> int:
        """Return the number of trees."""
        return len(self.roots)

    def predict(
        self,
        features: Shaped[np.ndarray, "events features"],
        names: Sequence[str] | None = None,
        trees: int | None = None,
        threads: int = 1,
    ) -> Float[np.ndarray, "events monomials"]:
        """Return R_a(x) = E[c_a | x]/E[c_0 | x] of events; the first is 1.

        Args:
            features: `(N, F)`; NaN is missing.
            names: of the features, to be compared with those of the training.
            trees: use the first ones only; all by default.
            threads: cores to use.

        Returns:
            ratios `(N, A)`.

        Raises:
            ModelError: if names or number of the features are not those of the training.
            NonFiniteError: if a feature is infinite.
        """
        if names is not None:
            self.bins.check_names(names)
        parts = [features[part] for part in pieces(len(features))] or [features]
        with Threads(threads) as pool:
            return np.concatenate(pool.share(lambda part: self.of_codes(self.bins.encode(part), trees), parts))

    def of_codes(
        self, codes: UInt8[np.ndarray, "events features"], trees: int | None = None
    ) -> Float[np.ndarray, "events monomials"]:
        """Return R_a of events whose features are codes already."""
        values = np.zeros((len(codes), len(self.monomials) - 1))
        kernels().predict_rows(np.ascontiguousarray(codes), self.roots[:trees], self.nodes, self.steps, values)
        return self.scaling.ratios(values)

    def tree(self, number: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Return nodes and steps of one tree; the children are numbered from its root."""
        first = int(self.roots[number])
        last = int(self.roots[number + 1]) if number + 1 < len(self.roots) else len(self.nodes)
        nodes = self.nodes[first:last].copy()
        nodes[:, 3:] = np.where(nodes[:, :1] >= 0, nodes[:, 3:] - first, -1)
        return nodes, self.steps[first:last]

    @property
    def importance(self) -> dict[str, float]:
        """What the splits by each feature lowered the loss by, as parts of 1, largest first."""
        parts = self.facts.gains / self.facts.gains.sum()
        return {self.bins.names[place]: float(parts[place]) for place in np.argsort(-parts, kind="stable")}


def joined(
    trees: Sequence[tuple[NDArray[np.int32], NDArray[np.float64]]],
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    """Return roots, nodes and steps of an ensemble from nodes and steps of each tree; see `BoostedTrees`."""
    lengths = np.array([len(nodes) for nodes, _ in trees], dtype=np.int64)
    roots = np.cumsum(lengths) - lengths
    moved = []
    for root, (nodes, _) in zip(roots, trees, strict=True):
        moved.append(nodes.copy())
        moved[-1][:, 3:] = np.where(nodes[:, :1] >= 0, nodes[:, 3:] + root, -1)
    return roots, np.concatenate(moved), np.concatenate([steps for _, steps in trees])
