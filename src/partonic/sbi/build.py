"""A method with its networks, from the settings and what is known of the events."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from partonic.config.sbi import CONDITIONAL_METHODS, LOCAL_METHODS, SbiConfig
from partonic.features.event_objects import ObjectSlots
from partonic.rng import numpy_generator
from partonic.sbi.backbones.make import make_backbone
from partonic.sbi.conditional import ConditionalRatio, Projection
from partonic.sbi.derivatives import Derivatives
from partonic.sbi.expansion import Expansion
from partonic.sbi.information_trees import InformationTrees
from partonic.sbi.method import Method
from partonic.sbi.morphing import MorphingRatios, basis_rows
from partonic.sbi.precision.derivatives import PreciseDerivatives
from partonic.sbi.precision.magnitudes import Magnitudes
from partonic.sbi.score.local_score import LocalScore, score_rows
from partonic.sbi.theta_draws import ThetaDraws
from partonic.sbi.uncertainty.last_layer import LastLayerLaplace

__all__ = ["Facts", "build_method", "facts_of", "theta_draws"]

Array = NDArray[np.float64]

_DRAWS = 4096
"""Number of θ points that the prior is drawn at."""


@dataclass(frozen=True, eq=False)
class Facts:
    """What a method needs to know of the events beside their targets.

    Attributes:
        expansion: of the targets.
        means: σ_a of the targets in units of σ_ref, `(A,)`.
        ranges: lowest and highest value of each parameter, `(K, 2)`.
        basis: basis points beside the reference, `(A − 1, K)`; empty for other methods.
        shapes: of the numbers of a trained method whose count the training decides; empty for networks.
    """

    expansion: Expansion
    means: Array
    ranges: Array
    basis: Array
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def units(self, theta: Array) -> Array:
        """Return θ `(..., K)` in units of the ranges, −1 to 1."""
        low, high = self.ranges[:, 0], self.ranges[:, 1]
        values: Array = (2.0 * theta - low - high) / (high - low)
        return values

    def sigma(self, theta: Array) -> Array:
        """Return σ(θ)/σ_ref at points `(..., K)`."""
        values: Array = self.expansion.row(theta) @ self.means
        return values


def facts_of(config: SbiConfig, expansion: Expansion, means: Array, scale: Array, seed: int) -> Facts:
    """Return the facts, with ranges and basis points where the settings leave them open.

    Args:
        config: the settings.
        expansion: of the targets.
        means: σ_a of the targets in units of σ_ref, `(A,)`.
        scale: sensitivity of the events to each parameter (`partonic.sbi.weights`), `(K,)`.
        seed: root seed of the search for basis points.

    Raises:
        ParameterError: if a range is of an unknown parameter, or the number of basis points is wrong.
    """
    names, centre = expansion.monomials.parameters, expansion.points.mean(axis=0)
    expansion.monomials.point({name: low for name, (low, _) in config.range.items()})  # all names are known
    default = np.stack([centre - 2.0 * scale, centre + 2.0 * scale], axis=1)
    ranges = np.array([config.range.get(name, tuple(default[k])) for k, name in enumerate(names)]).reshape(-1, 2)
    basis = np.zeros((0, len(names)))
    if config.method == "morphing":
        generator = numpy_generator(seed, "sbi", "basis points")
        points: tuple[Mapping[str, float], ...] = config.morphing.points
        basis, _ = basis_rows(expansion, points, ranges, generator)
    return Facts(expansion, means, ranges, basis)


def build_method(
    config: SbiConfig, facts: Facts, inputs: int, draws: ThetaDraws | None = None, slots: ObjectSlots | None = None
) -> Method:
    """Return the method with first weights from torch's global generator.

    With `network.error: laplace` it also knows the covariance of its last layers, once that is measured.

    Args:
        config: the settings.
        facts: of the events.
        inputs: numbers of the named features of an event as the networks get them.
        draws: θ of the training, for methods that need them; None for a model that is not trained any more.
        slots: of the objects of an event; None for networks of named features alone.

    Raises:
        ParameterError: if basis points or the direction of a score do not fit to the monomials.
        DependencyError: if the package of a backbone is not installed.
    """
    method = _plain_method(config, facts, inputs, draws, slots)
    return LastLayerLaplace(method) if config.network.error == "laplace" else method


def _plain_method(
    config: SbiConfig, facts: Facts, inputs: int, draws: ThetaDraws | None, slots: ObjectSlots | None
) -> Method:
    members, count = config.network.members, len(facts.means)
    if config.method == "trees":
        return InformationTrees(members, facts.shapes)
    if config.method in CONDITIONAL_METHODS:
        backbone = make_backbone(config.network, inputs, slots, members, facts.ranges.shape[0])
        weight = config.conditional.score_weight
        return ConditionalRatio(backbone, members, config.method, _projection(config, facts), draws, weight)
    if config.method in LOCAL_METHODS:
        columns = score_rows(facts.expansion, config.method, config.score.direction)
        backbone = make_backbone(config.network, inputs, slots, members * (columns.shape[1] - 1))
        return LocalScore(backbone, columns, members, facts.shapes)
    backbone = make_backbone(config.network, inputs, slots, members * (count - 1))
    if config.method == "derivatives":
        if config.derivatives.weighting == "precision":
            return PreciseDerivatives(backbone, Magnitudes(inputs, count), count, members)
        return Derivatives(backbone, count, members)
    rows = facts.expansion.row(facts.basis)
    joint = draws if config.morphing.joint else None
    return MorphingRatios(backbone, rows, facts.means, members, config.morphing.loss, joint)


def theta_draws(facts: Facts, theta: Array | None, seed: int) -> ThetaDraws:
    """Return random θ with their weights.

    Args:
        facts: of the events.
        theta: points `(P, K)`; None for uniform ones in the ranges.
        seed: root seed.
    """
    low, high = facts.ranges[:, 0], facts.ranges[:, 1]
    if theta is None:
        uniform = numpy_generator(seed, "sbi", "theta").uniform(size=(_DRAWS, len(low)))
        theta = low + uniform * (high - low)
    row, slope = facts.expansion.row(theta), facts.expansion.gradient(theta) * (0.5 * (high - low))
    sigma, change = row @ facts.means, np.einsum("pak,a->pk", slope, facts.means)
    good = sigma > 1e-3  # where the truncated polynomial of the rate is not positive there is no density
    row, slope, sigma, change, theta = row[good], slope[good], sigma[good], change[good], theta[good]
    weights = row / sigma[:, None]
    gradients = slope / sigma[:, None, None] - weights[:, :, None] * (change / sigma[:, None])[:, None, :]
    return ThetaDraws(_tensor(facts.units(theta)), _tensor(weights), _tensor(gradients))


def _projection(config: SbiConfig, facts: Facts) -> Projection:
    """Return points spread over the ranges that determine the polynomial."""
    count = max(config.conditional.projection_points, 2 * len(facts.means))
    unit = _spread(count, facts.ranges.shape[0])
    theta = facts.ranges[:, 0] + unit * (facts.ranges[:, 1] - facts.ranges[:, 0])
    sigma = np.maximum(facts.sigma(theta), 1e-3)
    return Projection(_tensor(facts.units(theta)), _tensor(facts.expansion.row(theta)), _tensor(sigma))


def _spread(count: int, dimensions: int) -> Array:
    """Return points spread evenly over the unit cube, `(count, dimensions)`.

    They are the multiples of the powers of 1/φ, φ the root of x^{d+1} = x + 1: the additive recurrence of
    M. Roberts (2018), for one dimension that of the golden ratio.
    """
    root = 2.0
    for _ in range(60):
        root = (1.0 + root) ** (1.0 / (dimensions + 1))
    steps = root ** -np.arange(1.0, dimensions + 1)
    points: Array = (0.5 + np.arange(1, count + 1)[:, None] * steps) % 1.0
    return points


def _tensor(values: Array) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float64))
