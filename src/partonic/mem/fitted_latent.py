"""A Gaussian for each event in the base space of a proposal, fitted to the weights of that event.

Where the proposal misjudges an event it is mostly displaced, too wide or too narrow in some direction of base space. A
few rounds of points give mean and covariance of the base numbers under the true weights (adaptive importance sampling;
O. Cappé et al., J. Comput. Graph. Stat. 13 (2004) 907), drawn towards those of the base in proportion to how few
effective points there are. The fitted Gaussian is mixed with the base and with a wider one, so that no weight is large
because the fit left something out. The rounds of the fit are not in the integral: its points are independent and
equally distributed, and its error is honest.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.config.mem import BaseConfig
from partonic.mem.latent import NoiseDraw, gaussian_log_density

__all__ = ["FittedBase"]

_SHRINKAGE = 2.0
"""The base counts as many points as this times the dimension."""


class FittedBase:
    """Base numbers of a mixture of three Gaussians: fitted to the event, the base, and a wider one.

    Attributes:
        mean: of the fitted Gaussians, `(E, D)`.
        root: Cholesky roots of their covariances, `(E, D, D)`.
    """

    block = 1

    def __init__(
        self, generators: Sequence[torch.Generator], dimensions: int, scale: float, config: BaseConfig
    ) -> None:
        """Start with the base of standard deviation `scale` for events with these generators."""
        self.generators = generators
        self.scale = scale
        self.share = config.share
        self.wider = config.wider
        self.refinements = (config.iteration_points,) * config.iterations
        self.mean = torch.zeros((len(generators), dimensions), dtype=torch.float64)
        self.root = scale * torch.eye(dimensions, dtype=torch.float64).repeat(len(generators), 1, 1)
        self._noise: dict[int, list[Tensor]] = {row: [] for row in range(len(generators))}
        self._weight: dict[int, list[Tensor]] = {row: [] for row in range(len(generators))}

    def draw(self, rows: Sequence[int], n: int) -> NoiseDraw:
        """Draw `n` points for each event."""
        noise = torch.stack([self._mixed(row, n) for row in rows])
        mean, root = self.mean[list(rows)], self.root[list(rows)]
        normal = torch.linalg.solve_triangular(root, (noise - mean[:, None]).mT, upper=False).mT
        log_root = root.diagonal(dim1=1, dim2=2).log().sum(dim=1, keepdim=True)
        components = (
            math.log1p(-2.0 * self.share) + gaussian_log_density(normal, 1.0) - log_root,
            math.log(self.share) + gaussian_log_density(noise, self.scale),
            math.log(self.share) + gaussian_log_density(noise, self.scale * self.wider),
        )
        return NoiseDraw(noise, torch.stack(components).logsumexp(dim=0))

    def refine(
        self,
        rows: Sequence[int],
        noise: Float[Tensor, "events points dimensions"],
        log_weight: Float[Tensor, "events points"],
    ) -> None:
        """Fit the Gaussians of these events to all points of theirs by now."""
        for place, row in enumerate(rows):
            self._noise[row].append(noise[place])
            self._weight[row].append(log_weight[place])
            self._fit(row, torch.cat(self._noise[row]), torch.cat(self._weight[row]))

    def _fit(self, row: int, noise: Tensor, log_weight: Tensor) -> None:
        if not bool((log_weight > -torch.inf).any()):
            return
        weight = torch.softmax(log_weight, dim=0)
        effective = float(1.0 / weight.square().sum())
        known = effective / (effective + _SHRINKAGE * noise.shape[1])
        mean = known * (weight @ noise)
        away = noise - mean
        base = self.scale**2 * torch.eye(noise.shape[1], dtype=torch.float64)
        self.mean[row] = mean
        self.root[row] = torch.linalg.cholesky(known * (away.mT * weight) @ away + (1.0 - known) * base)

    def _mixed(self, row: int, n: int) -> Tensor:
        generator = self.generators[row]
        component = torch.rand((n, 1), generator=generator, dtype=torch.float64)
        normal = torch.randn((n, self.mean.shape[1]), generator=generator, dtype=torch.float64)
        fitted = self.mean[row] + normal @ self.root[row].mT
        base = self.scale * torch.where(component < self.share, self.wider, 1.0) * normal
        return torch.where(component < 2.0 * self.share, base, fitted)
