"""Boosted information trees as a method: derivatives at the reference, learned by trees (`partonic.trees`).

What is learned is that of `partonic.sbi.derivatives`, E[y_a|x]/E[y_0|x], all targets by the same trees. Members of the
ensemble are grown on bootstrap samples of the groups of events (each counts as often as a Poisson number of mean 1
says), so that their scatter is the error from the number of training events.

Trees get the features as the networks do, standardised, but with those that an event does not have as missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from partonic.config.trees import TreeSettings
from partonic.errors import TrainingError
from partonic.nn.training import PhaseResult
from partonic.nn.training.history import History
from partonic.polynomial import Monomials
from partonic.progress import SILENT, Progress
from partonic.rng import numpy_generator
from partonic.sbi.expansion import Expansion
from partonic.sbi.method import Method, MethodLoss, event_mean
from partonic.trees.binned import BinnedEvents, prepare, resampled
from partonic.trees.boost import boost
from partonic.trees.data import ArrayData
from partonic.trees.engine import kernels
from partonic.trees.ensemble import BoostedTrees

__all__ = ["InformationTrees", "TreeSample", "grown"]

_TYPES = {
    "missing": torch.int64, "columns": torch.int64, "edges": torch.float64, "counts": torch.int64,
    "mean": torch.float64, "deviation": torch.float64, "trees": torch.int64, "roots": torch.int64,
    "nodes": torch.int32, "steps": torch.float64,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class TreeSample:
    """Events to grow trees on.

    Attributes:
        inputs: standardised features, followed by the flags of those that an event may lack, `(N, I)`.
        missing: number of the feature that each flag is of, `(I − F,)`.
        targets: y in units of the mean weight at the reference, `(N, A)`.
        group: equal for events that must stay together, `(N,)`.
        validation: which events are not grown on, `(N,)`.
    """

    inputs: NDArray[np.float32]
    missing: NDArray[np.int64]
    targets: NDArray[np.float64]
    group: NDArray[np.int64]
    validation: NDArray[np.bool_]


class InformationTrees(Method):
    """Trees of all members.

    Attributes:
        missing: number of the feature that each flag is of.
        columns: features that vary, which trees split by.
        edges, counts: intervals of these (`partonic.trees.binning.FeatureBins`).
        mean, deviation: of the ratios (`partonic.trees.scaling.Scaling`).
        trees: number of trees of each member, `(M,)`.
        roots, nodes, steps: of all trees (`partonic.trees.ensemble.BoostedTrees`).
    """

    missing: Tensor
    columns: Tensor
    edges: Tensor
    counts: Tensor
    mean: Tensor
    deviation: Tensor
    trees: Tensor
    roots: Tensor
    nodes: Tensor
    steps: Tensor

    def __init__(self, members: int, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Make room for the numbers of a trained model, whose `shapes` its record tells; none before the training."""
        super().__init__()
        self.members = members
        for name, kind in _TYPES.items():
            self.register_buffer(name, torch.zeros(tuple(shapes.get(name, (0,))), dtype=kind))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the numbers by name."""
        return {name: tuple(getattr(self, name).shape) for name in _TYPES}

    def losses(
        self,
        inputs: Float[Tensor, "events inputs"],
        targets: Float[Tensor, "events monomials"],
        generator: torch.Generator | None,
        weights: Float[Tensor, "events members"] | None = None,
    ) -> MethodLoss:
        """Return 1 − R² of each member, averaged over the derivatives that vary."""
        weight, varies = targets[:, :1], self.deviation > 0
        outputs = (self.targets_of(inputs)[..., 1:] - self.mean)[..., varies] / self.deviation[varies]
        wanted = ((targets[:, 1:] - self.mean * weight)[:, varies]) / self.deviation[varies]
        squares = (weight * outputs.square() - 2.0 * wanted * outputs).mean(dim=2)
        return 1.0 + event_mean(squares, weights).float(), outputs.flatten(1).float()

    def targets_of(self, inputs: Float[Tensor, "events inputs"]) -> Float[Tensor, "members events monomials"]:
        """Return 1 and the derivatives."""
        codes = np.empty((len(inputs), len(self.columns)), dtype=np.uint8)
        values = with_gaps(inputs.cpu().numpy(), self.missing.cpu().numpy())[:, self.columns.cpu().numpy()]
        kernels().encode(values, self.edges.cpu().numpy(), self.counts.cpu().numpy(), codes)
        found = np.zeros((self.members, len(inputs), len(self.mean)))
        nodes, steps = self.nodes.cpu().numpy(), self.steps.cpu().numpy()
        roots = np.split(self.roots.cpu().numpy(), np.cumsum(self.trees.cpu().numpy())[:-1])
        for member, first in enumerate(roots):
            kernels().predict_rows(codes, first, nodes, steps, found[member])
        ratios = torch.from_numpy(found).to(self.mean.device) * self.deviation + self.mean
        return torch.cat([torch.ones_like(ratios[..., :1]), ratios], dim=-1)

    def take(self, ensembles: list[BoostedTrees], missing: NDArray[np.int64], columns: NDArray[np.int64]) -> None:
        """Hold trained ensembles, one for each member, which have intervals and units in common."""
        first = ensembles[0]
        starts = np.cumsum([0, *(len(each.nodes) for each in ensembles[:-1])])
        moved = [each.nodes.copy() for each in ensembles]
        for nodes, start in zip(moved, starts, strict=True):
            nodes[:, 3:] = np.where(nodes[:, :1] >= 0, nodes[:, 3:] + start, -1)
        arrays = {
            "missing": missing, "columns": columns, "edges": first.bins.edges, "counts": first.bins.counts,
            "mean": first.scaling.mean, "deviation": first.scaling.deviation,
            "trees": np.array([len(each) for each in ensembles]),
            "roots": np.concatenate([each.roots + start for each, start in zip(ensembles, starts, strict=True)]),
            "nodes": np.concatenate(moved), "steps": np.concatenate([each.steps for each in ensembles]),
        }  # fmt: skip
        for name, array in arrays.items():
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(array)).to(_TYPES[name]))


def with_gaps(inputs: NDArray[np.float32], missing: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the features `(N, F)` of inputs `(N, I)`, NaN where their flag is set."""
    count = inputs.shape[1] - len(missing)
    features = inputs[:, :count].copy()
    for flag, feature in enumerate(missing):
        features[inputs[:, count + flag] > 0, feature] = np.nan
    return features


def grown(
    method: InformationTrees,
    sample: TreeSample,
    expansion: Expansion,
    settings: TreeSettings,
    seed: int,
    folder: Path,
    progress: Progress = SILENT,
) -> PhaseResult:
    """Grow the trees of all members, each up to its lowest validation loss, into `method`.

    Args:
        method: to be filled.
        sample: the events.
        expansion: of the targets.
        settings: of the trees.
        seed: root seed.
        folder: keeps checkpoints, from which a killed training goes on.
        progress: told of each tree.

    Returns:
        the course of the training; its epochs are the trees of the first member, its losses means over the members.

    Raises:
        PartonicError: as `partonic.trees.boost.boost`.
    """
    if settings.held_out > 0.0:
        msg = (
            "sbi.trees.held_out has no meaning here, for `sbi.training.validation_fraction` sets the part of the "
            "events that trees are tried on: leave it out"
        )
        raise TrainingError(msg)
    features = with_gaps(sample.inputs, sample.missing)
    known = features[~sample.validation]
    columns = np.flatnonzero([_varies(column) for column in known.T])
    names = [f"feature {number}" for number in columns]
    data = ArrayData(features[:, columns], sample.targets, names, held_out=sample.validation)
    monomials = _monomials(expansion)
    settings = settings.model_copy(update={"patience": settings.patience or settings.trees})
    events = prepare(data, monomials, settings, numpy_generator(seed, "sbi", "trees"))
    ensembles = [
        boost(
            _of_member(events, sample.group, method.members, member, seed),
            monomials,
            settings,
            numpy_generator(seed, "sbi", "trees", member),
            threads=torch.get_num_threads(),
            folder=folder / f"member-{member}",
            progress=progress,
        )
        for member in range(method.members)
    ]
    method.take(ensembles, sample.missing, columns)
    return _course(ensembles)


def _monomials(expansion: Expansion) -> Monomials:
    """Return the monomials of the targets: distances from the reference, if 1 is among those of θ and comes first."""
    monomials = expansion.monomials
    if not any(monomials.exponents[0]):
        return monomials
    return Monomials.up_to_degree([f"target {number}" for number in range(1, len(monomials))], 1)


def _varies(column: NDArray[np.float32]) -> bool:
    missing = np.isnan(column)
    present = column[~missing]
    return len(present) > 0 and (bool(missing.any()) or float(np.ptp(present)) > 0.0)


def _of_member(events: BinnedEvents, group: NDArray[np.int64], members: int, member: int, seed: int) -> BinnedEvents:
    """Return the events as one member sees them: all as they are if it is alone, else a bootstrap sample of groups."""
    if members == 1:
        return events
    groups, number = np.unique(group, return_inverse=True)
    counts = numpy_generator(seed, "sbi", "bootstrap", member).poisson(1.0, len(groups))
    return resampled(events, counts[number])


def _course(ensembles: list[BoostedTrees]) -> PhaseResult:
    """Return how the training went."""
    facts = [each.facts for each in ensembles]
    best = float(np.mean([min(each.held_out_loss) for each in facts]))
    rows = [
        {"epoch": tree, "loss": facts[0].train_loss[tree], "validation": facts[0].held_out_loss[tree]}
        for tree in range(1, len(facts[0].train_loss))
    ]
    return PhaseResult(
        epochs=len(rows), best_epoch=len(ensembles[0]), best_validation=best, skipped=0, history=History(epochs=rows)
    )
