"""Mixtures of Gaussians, one for each event, and their fit to weighted points.

The fit is that of expectation and maximisation with weighted points, all events at once. Points with weights w count as
(Σw)²/Σw² points, which are few in early rounds, so that every estimate is drawn towards a coarser one as if that had
been seen in some points more: the components towards a K-th of the volume of one Gaussian that is fitted to all points,
and that Gaussian towards the base, the density that the points were first drawn from (O. Cappé et al., Stat. Comput. 18
(2008) 447, with the priors of C. Fraley and A. Raftery, J. Classif. 24 (2007) 155, in place of pruning).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from jaxtyping import Float, Int
from torch import Tensor

from partonic.mem.points.latent import gaussian_log_density

__all__ = ["GaussianMixtures", "fit_mixtures"]

_BASE_POINTS = 2.0
"""The base counts as this many points for each dimension in mean and covariance of all points."""

_SHAPE_POINTS = 1.0
"""The shape of all points counts as this many points for each dimension in the covariance of a component."""

_MEAN_POINTS = 1.0
"""The mean of all points counts as this many points in the mean of a component."""

_SHARE_POINTS = 0.5
"""Points that each component has before any is seen."""

_STEPS = 12
"""Steps of expectation and maximisation."""


@dataclass(frozen=True)
class GaussianMixtures:
    """A mixture of Gaussians for each event; all float64.

    Attributes:
        log_share: logarithms of the shares of the components, which add up to 1, `(E, K)`.
        mean: their means, `(E, K, D)`.
        root: lower Cholesky roots of their covariances, `(E, K, D, D)`.
    """

    log_share: Float[Tensor, "events components"]
    mean: Float[Tensor, "events components dimensions"]
    root: Float[Tensor, "events components dimensions dimensions"]

    @classmethod
    def standard(cls, events: int, dimensions: int, scales: Sequence[float]) -> "GaussianMixtures":
        """Return equal shares of round Gaussians about 0 with these standard deviations."""
        widths = torch.tensor(scales, dtype=torch.float64)
        root = widths[:, None, None] * torch.eye(dimensions, dtype=torch.float64)
        shape = (events, len(scales))
        share = torch.full(shape, -math.log(len(scales)), dtype=torch.float64)
        return cls(share, torch.zeros((*shape, dimensions), dtype=torch.float64), root.repeat(events, 1, 1, 1))

    def select(self, rows: Sequence[int]) -> "GaussianMixtures":
        """Return the mixtures of some events."""
        index = list(rows)
        return GaussianMixtures(self.log_share[index], self.mean[index], self.root[index])

    def replace(self, rows: Sequence[int], others: "GaussianMixtures") -> "GaussianMixtures":
        """Return these mixtures with those of some events replaced."""
        index = torch.tensor(list(rows), dtype=torch.int64)
        return GaussianMixtures(
            self.log_share.index_copy(0, index, others.log_share),
            self.mean.index_copy(0, index, others.mean),
            self.root.index_copy(0, index, others.root),
        )

    @classmethod
    def join(cls, parts: Sequence["GaussianMixtures"]) -> "GaussianMixtures":
        """Return the mixtures of the events of all parts."""
        return cls(*(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    def mixed_with(self, others: "GaussianMixtures", share: float) -> "GaussianMixtures":
        """Return these mixtures with others, which get a share of the whole, mixed in."""
        log_share = torch.cat([math.log1p(-share) + self.log_share, math.log(share) + others.log_share], dim=1)
        return GaussianMixtures(
            log_share, torch.cat([self.mean, others.mean], dim=1), torch.cat([self.root, others.root], dim=1)
        )

    def joint_log_density(
        self, numbers: Float[Tensor, "events points dimensions"]
    ) -> Float[Tensor, "events components points"]:
        """Return log(share × density) of each component."""
        away = numbers[:, None] - self.mean[:, :, None]
        normal = torch.linalg.solve_triangular(self.root, away.mT, upper=False).mT
        log_root = self.root.diagonal(dim1=-2, dim2=-1).log().sum(dim=-1)
        return gaussian_log_density(normal, 1.0) + (self.log_share - log_root)[..., None]

    def log_density(self, numbers: Float[Tensor, "events points dimensions"]) -> Float[Tensor, "events points"]:
        """Return the log-density of the mixtures."""
        return self.joint_log_density(numbers).logsumexp(dim=1)

    def components_of(self, uniform: Float[Tensor, "events points"]) -> Int[Tensor, "events points"]:
        """Return the components that uniform random numbers choose."""
        edges = self.log_share.exp().cumsum(dim=1)[:, :-1].contiguous()
        return torch.searchsorted(edges, uniform.contiguous(), right=True)

    def numbers_of(
        self, component: Int[Tensor, "events points"], normal: Float[Tensor, "events points dimensions"]
    ) -> Float[Tensor, "events points dimensions"]:
        """Return points of these components, made of normal random numbers."""
        numbers = torch.empty_like(normal)
        for number in range(self.log_share.shape[1]):
            of_it = self.mean[:, number, None] + normal @ self.root[:, number].mT
            numbers = torch.where((component == number)[..., None], of_it, numbers)
        return numbers


def fit_mixtures(
    numbers: Float[Tensor, "events points dimensions"],
    log_weight: Float[Tensor, "events points"],
    seeds: Float[Tensor, "events components dimensions"],
    scale: float,
) -> GaussianMixtures:
    """Fit a mixture to the weighted points of each event.

    Args:
        numbers: the points.
        log_weight: logarithms of their weights, of which at least one of each event is finite.
        seeds: where the components begin.
        scale: standard deviation of the base, a round Gaussian about 0.
    """
    components, dimensions = seeds.shape[1:]
    weight = torch.softmax(log_weight, dim=1)
    effective = 1.0 / weight.square().sum(dim=1)
    mean, covariance = _one_gaussian(numbers, weight, effective, scale)
    small = covariance / components ** (2.0 / dimensions)
    found = GaussianMixtures(
        torch.full(seeds.shape[:2], -math.log(components), dtype=torch.float64),
        seeds,
        torch.linalg.cholesky(small)[:, None].expand(-1, components, -1, -1),
    )
    for _ in range(_STEPS):
        belongs = torch.softmax(found.joint_log_density(numbers), dim=1) * (effective[:, None] * weight)[:, None]
        found = _maximised(numbers, belongs, mean, small)
    return found


def _one_gaussian(numbers: Tensor, weight: Tensor, effective: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Return mean and covariance of all points of each event, drawn towards those of the base."""
    dimensions = numbers.shape[2]
    known = (effective / (effective + _BASE_POINTS * dimensions))[:, None]
    mean = known * torch.einsum("en,end->ed", weight, numbers)
    away = numbers - mean[:, None]
    covariance = (away * weight[..., None]).mT @ away
    base = scale**2 * torch.eye(dimensions, dtype=numbers.dtype)
    return mean, known[..., None] * covariance + (1.0 - known[..., None]) * base


def _maximised(numbers: Tensor, belongs: Tensor, mean: Tensor, shape: Tensor) -> GaussianMixtures:
    """Return the mixtures of points of which `belongs` (E, K, N) says how many belong to each component."""
    components, dimensions = belongs.shape[1], numbers.shape[2]
    count = belongs.sum(dim=2)
    centre = (belongs @ numbers + _MEAN_POINTS * mean[:, None]) / (count + _MEAN_POINTS)[..., None]
    away = numbers[:, None] - centre[:, :, None]
    scatter = (away * belongs[..., None]).mT @ away
    prior = _SHAPE_POINTS * dimensions
    covariance = (scatter + prior * shape[:, None]) / (count + prior)[..., None, None]
    share = (count + _SHARE_POINTS) / (count.sum(dim=1, keepdim=True) + _SHARE_POINTS * components)
    return GaussianMixtures(share.log(), centre, torch.linalg.cholesky(covariance))
