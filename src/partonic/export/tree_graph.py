"""The graph of boosted information trees that were grown on arrays (`partonic.trees`)."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from partonic.errors import ModelError
from partonic.export.described import ArrayDescription, Description
from partonic.export.feature_units import feature_unit
from partonic.export.network_file import Graph
from partonic.export.tracing import joined, traced
from partonic.export.tree_ensemble import Forest, forest_model
from partonic.trained.model_files import model_fingerprint
from partonic.trees.ensemble import BoostedTrees
from partonic.trees.model_files import load_trees

__all__ = ["tree_graph"]

_INPUT, _OUTPUT = "features", "ratios"
_EXAMPLE = 3
_ABSENT, _ON_EDGE = 0.1, 0.3
"""Parts of the random features that are absent, and that are exactly on an edge."""


def tree_graph(folder: Path, events: int, generator: np.random.Generator, store: Path | None = None) -> Graph:
    """Return the graph of a model folder.

    Args:
        folder: of the trees.
        events: to try it on.
        generator: draws their features, over the edges of the intervals and beyond them.
        store: must not be given: how features of arrays come about is known to whoever made them.

    Raises:
        ModelError: if the folder holds no trees, or a store is given.
    """
    if store is not None:
        message = (
            "these trees were grown on arrays, and partonic does not know how to make their features from an event "
            "store: leave out --store"
        )
        raise ModelError(message)
    trees = load_trees(folder)
    features = _random_features(trees, events, generator)
    member = np.zeros(len(trees.roots), dtype=np.int64)
    forest = Forest(trees.bins.edges, trees.bins.counts, trees.roots, member, trees.nodes, trees.steps)
    after = traced(_Ratios(trees), (torch.zeros(_EXAMPLE, forest.targets),), ("sums",), (_OUTPUT,))
    model = joined(forest_model(forest, _INPUT, "of_trees"), after, {"of_trees": "sums"}, (_OUTPUT,))
    return Graph(model, _description(trees, folder), {_INPUT: features}, {_OUTPUT: trees.predict(features)})


class _Ratios(nn.Module):
    """From the sums of the trees to R_a, the first of which is 1."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, trees: BoostedTrees) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(trees.scaling.mean.copy()))
        self.register_buffer("deviation", torch.from_numpy(trees.scaling.deviation.copy()))

    def forward(self, sums: Float[Tensor, "events targets"]) -> Float[Tensor, "events monomials"]:
        ratios = self.mean + self.deviation * sums.double()
        return torch.cat([torch.ones_like(ratios[:, :1]), ratios], dim=1)


def _random_features(trees: BoostedTrees, events: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return features on, between and beyond the edges of the intervals, some of them absent."""
    columns = []
    for edges, count in zip(trees.bins.edges, trees.bins.counts, strict=True):
        known = edges[:count] if count else np.zeros(1)
        width = max(float(np.ptp(known)), 1.0)
        between = generator.uniform(known[0] - 0.1 * width, known[-1] + 0.1 * width, size=events)
        on_edge = generator.uniform(size=events) < _ON_EDGE
        columns.append(np.where(on_edge, generator.choice(known, size=events), between))
    values = np.stack(columns, axis=1)
    values[generator.uniform(size=values.shape) < _ABSENT] = np.nan
    return values


def _description(trees: BoostedTrees, folder: Path) -> Description:
    names = trees.bins.names
    features = ArrayDescription(
        _INPUT, ("events", "features"), "as `units` says", "Features of the events; NaN where an event has none.",
        names, tuple(feature_unit(name) for name in names),
    )  # fmt: skip
    ratios = ArrayDescription(
        _OUTPUT, ("events", "monomials"), "", "E[c_a|x]/E[c_0|x]; the first is 1.", trees.monomials.names
    )
    facts = {
        "parameters": list(trees.monomials.parameters),
        "exponents": [list(powers) for powers in trees.monomials.exponents],
        "monomials": list(trees.monomials.names),
        "trees": len(trees),
    }
    return Description("boosted information trees", "", model_fingerprint(folder), (features,), (ratios,), facts)
