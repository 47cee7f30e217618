"""A mixture of Gaussians for each event in the base space of a proposal, fitted to the weights of that event.

Where the proposal misjudges an event it is displaced, too wide or too narrow in some direction of base space, and where
an event can be read in several ways it misjudges how likely each of them is. A few rounds of points, each drawn from
what was fitted before, tell what the base numbers are like under the true weights (adaptive importance sampling;
O. Cappé et al., J. Comput. Graph. Stat. 13 (2004) 907). The points of all rounds count as drawn from the mixture of
what each round was drawn from, so that no weight of an early round is large because the fit did not know of a place yet
(J.-M. Cornuet et al., Scand. J. Stat. 39 (2012) 798). What is fitted is mixed with the base and with a wider one, so
that no weight is large because the fit left something out. The rounds of the fit are not in the integral: its points
are independent and equally distributed, and its error is honest.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.config.mem import BaseConfig
from partonic.mem.points.gaussian_mixtures import GaussianMixtures, fit_mixtures
from partonic.mem.points.latent import NoiseDraw

__all__ = ["FittedBase"]


class _Round(NamedTuple):
    """The points of one round of an event.

    Attributes:
        noise: base numbers, `(n, D)`.
        log_target: logarithm of what is integrated, as a density of base numbers, `(n,)`.
        drawn_from: the mixture that they were drawn from.
    """

    noise: Float[Tensor, "points dimensions"]
    log_target: Float[Tensor, " points"]
    drawn_from: GaussianMixtures


class FittedBase:
    """Base numbers of a mixture of Gaussians: those fitted to the event, the base, and a wider one.

    Attributes:
        fitted: the mixtures that were fitted.
    """

    block = 1

    def __init__(
        self, generators: Sequence[torch.Generator], dimensions: int, scale: float, config: BaseConfig
    ) -> None:
        """Start with the base of standard deviation `scale` for events with these generators."""
        self.generators = generators
        self.scale = scale
        self.share = config.share
        self.components = config.components
        self.refinements = (config.iteration_points,) * config.iterations
        events = len(generators)
        self.fitted = GaussianMixtures.standard(events, dimensions, [scale] * config.components)
        self._defence = GaussianMixtures.standard(events, dimensions, [scale, scale * config.wider])
        self._history: dict[int, list[_Round]] = {row: [] for row in range(events)}

    def draw(self, rows: Sequence[int], n: int) -> NoiseDraw:
        """Draw `n` points for each event."""
        drawn_from = self._drawn_from(rows)
        uniform, normal = zip(*(self._random(row, n) for row in rows), strict=True)
        noise = drawn_from.numbers_of(drawn_from.components_of(torch.stack(uniform)), torch.stack(normal))
        return NoiseDraw(noise, drawn_from.log_density(noise))

    def refine(
        self,
        rows: Sequence[int],
        noise: Float[Tensor, "events points dimensions"],
        log_weight: Float[Tensor, "events points"],
    ) -> None:
        """Fit the Gaussians of these events to all points of theirs by now; without any weight they stay."""
        drawn_from = self._drawn_from(rows)
        log_target = log_weight + drawn_from.log_density(noise)
        for place, row in enumerate(rows):
            self._history[row].append(_Round(noise[place], log_target[place], drawn_from.select([place])))
        weighted = [row for row in rows if any(bool((one.log_target > -torch.inf).any()) for one in self._history[row])]
        if weighted:
            self.fitted = self.fitted.replace(weighted, self._fit(weighted))

    def _fit(self, rows: Sequence[int]) -> GaussianMixtures:
        rounds = [list(same) for same in zip(*(self._history[row] for row in rows), strict=True)]
        noise = torch.cat([torch.stack([one.noise for one in same]) for same in rounds], dim=1)
        log_target = torch.cat([torch.stack([one.log_target for one in same]) for same in rounds], dim=1)
        log_densities = [
            GaussianMixtures.join([one.drawn_from for one in same]).log_density(noise)
            + math.log(len(same[0].noise) / noise.shape[1])
            for same in rounds
        ]
        log_weight = log_target - torch.stack(log_densities).logsumexp(dim=0)
        seeds = torch.stack(
            [self._some(row, *points) for row, points in zip(rows, zip(noise, log_weight, strict=True), strict=True)]
        )
        return fit_mixtures(noise, log_weight, seeds, self.scale)

    def _some(self, row: int, noise: Tensor, log_weight: Tensor) -> Tensor:
        """Return some different points of an event, chosen with their weights (Gumbel's maximum, many times)."""
        uniform = torch.rand(len(noise), generator=self.generators[row], dtype=torch.float64)
        keys = log_weight - torch.log(-torch.log(uniform))
        return noise[keys.topk(self.components).indices]

    def _drawn_from(self, rows: Sequence[int]) -> GaussianMixtures:
        return self.fitted.select(rows).mixed_with(self._defence.select(rows), 2.0 * self.share)

    def _random(self, row: int, n: int) -> tuple[Tensor, Tensor]:
        generator = self.generators[row]
        uniform = torch.rand(n, generator=generator, dtype=torch.float64)
        normal = torch.randn((n, self.fitted.mean.shape[2]), generator=generator, dtype=torch.float64)
        return uniform, normal
