"""The unfolding flow: the density of the partons' unit-cube numbers, given the conditions of an event.

It is a `CubeFlow` whose azimuths are centred on the regressed ones, and whose condition are the numbers of the
regressed partons, standardised, and a free latent vector.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.config.unfolding import FlowConfig
from partonic.nn.flows.cube_flow import CubeFlow
from partonic.unfolding.view import PartonView

__all__ = ["UnfoldingFlow"]


class UnfoldingFlow(CubeFlow):
    """Density and samples of the unit-cube numbers of a view, given regressed numbers and a latent vector."""

    context_mean: Tensor
    context_scale: Tensor

    def __init__(self, config: FlowConfig, view: PartonView, latent: int) -> None:
        """Build the flow of `view`, conditioned on regressed numbers and `latent` free ones."""
        super().__init__(config, view.dimensions, view.azimuth_numbers, view.dimensions + latent)
        self.register_buffer("context_mean", torch.zeros(view.dimensions, dtype=torch.float64))
        self.register_buffer("context_scale", torch.ones(view.dimensions, dtype=torch.float64))

    def fit_scales(
        self, numbers: Float[Tensor, "events dimensions"], regressed: Float[Tensor, "events dimensions"]
    ) -> None:
        """Set means and standard deviations from true and regressed numbers of training events."""
        self.fit_scale(numbers, regressed)
        values = self._logit(regressed)
        self.context_mean.copy_(values.mean(dim=0))
        self.context_scale.copy_(values.std(dim=0).clamp(min=1e-6))

    def context(
        self, centre: Float[Tensor, "events dimensions"], known: Float[Tensor, "events latent"]
    ) -> Float[Tensor, "events context"]:
        """Return what the flow is conditioned on, float32: the regressed numbers and the latent vector."""
        standardised = (self._logit(centre) - self.context_mean) / self.context_scale
        return torch.cat([standardised.to(known.dtype), known], dim=-1)
