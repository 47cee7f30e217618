"""The phases of the training of a proposal network: regression, regression with flow, flow alone."""

from collections.abc import Mapping

import torch
from torch import Tensor

from partonic.features.object_tokens import ObjectTokens
from partonic.nn.training import PhaseModule
from partonic.unfolding.decay_channel.network import DecayChannelConditions, DecayChannelNetwork

__all__ = ["FlowAlone", "RegressionAlone", "RegressionWithFlow", "conditions_of"]

Batch = Mapping[str, Tensor]


def conditions_of(batch: Batch) -> DecayChannelConditions:
    """Return the conditions that were computed before, of some rows of a table."""
    return DecayChannelConditions(batch["regressed"], batch["latent"], batch["estimates"])


class RegressionAlone(PhaseModule):
    """Train encoder and regression, so that the flow begins with azimuths that are centred."""

    def __init__(self, model: DecayChannelNetwork) -> None:
        """Train `model` but for its flow."""
        super().__init__({})
        self.model = model

    def training_losses(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the Huber loss of the regression."""
        return self.validation_loss(batch), {}

    def validation_loss(self, batch: Batch) -> Tensor:
        """Return the same of held-out events."""
        return self.model.regression_loss(batch["numbers"], self.model(ObjectTokens.of_columns(batch)))


class RegressionWithFlow(PhaseModule):
    """Train everything: −log q of the true partons, and the regression beside it."""

    def __init__(self, model: DecayChannelNetwork, regression_weight: float) -> None:
        """Train `model`, with the loss of the regression times a weight beside −log q."""
        super().__init__({})
        self.model = model
        self.regression_weight = regression_weight

    def training_losses(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        """Return −log q averaged over the batch plus the weighted regression, and the regression to watch."""
        conditions = self.model(ObjectTokens.of_columns(batch))
        regression = self.model.regression_loss(batch["numbers"], conditions)
        negative = -self.model.log_density(batch["numbers"], conditions).mean()
        return negative + self.regression_weight * regression, {"regression": regression}

    def validation_loss(self, batch: Batch) -> Tensor:
        """Return −log q of held-out events."""
        conditions = self.model(ObjectTokens.of_columns(batch))
        return -self.model.log_density(batch["numbers"], conditions).mean()


class FlowAlone(PhaseModule):
    """Train the flow on conditions that are computed once: many more epochs in the same time."""

    def __init__(self, model: DecayChannelNetwork) -> None:
        """Train the flow of `model`."""
        super().__init__({})
        self.model = model
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name.startswith("flow."))

    def training_losses(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        """Return −log q averaged over the batch."""
        return self.validation_loss(batch), {}

    def validation_loss(self, batch: Batch) -> Tensor:
        """Return −log q of held-out events."""
        return -self.model.log_density(batch["numbers"], conditions_of(batch)).mean()
