"""Coupling and autoregressive flows (`partonic.nn.flows`) as generative models, by maximum likelihood."""

import torch
from torch import Tensor

from partonic.config.generative import AutoregressiveFlowConfig, CouplingFlowConfig
from partonic.nn.flows import ConditionalFlow, FlowShape
from partonic.nn.generative.density_model import DensityModel, LogDensity

__all__ = ["NormalizingFlow"]


class NormalizingFlow(DensityModel):
    """An invertible map of events to Gaussian numbers."""

    def __init__(self, config: CouplingFlowConfig | AutoregressiveFlowConfig, features: int, context: int) -> None:
        """Build the flow, with weights from torch's global generator.

        Raises:
            ConfigError: if there are too few numbers for the kind of flow.
        """
        super().__init__(config, features, context)
        shape = FlowShape(
            kind=config.kind, transforms=config.transforms, bins=config.bins, hidden=config.hidden, bound=config.bound,
            transform=config.transform if isinstance(config, CouplingFlowConfig) else "rational_quadratic",
        )  # fmt: skip
        self.flow = ConditionalFlow(features, context, shape)

    def training_loss(
        self, x: Tensor, c: Tensor, weights: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the weighted mean of −ln p."""
        return -(weights * self.flow.log_prob(x, c)).mean(), {}

    def _log_density(self, x: Tensor, c: Tensor, generator: torch.Generator | None) -> LogDensity:
        value = self.flow.log_prob(x, c)
        return LogDensity(value, torch.zeros_like(value), 1)

    def _draw(self, c: Tensor, generator: torch.Generator) -> Tensor:
        return self.flow.sample_and_log_prob(c, 1, generator)[0][:, 0]
