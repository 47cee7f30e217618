"""The training of a method as a phase (`partonic.nn.training`): checkpoints, resume, best weights, history."""

from collections.abc import Mapping

import torch
from torch import Tensor

from partonic.nn.bayesian.repulsion import repulsion
from partonic.nn.training import PhaseModule
from partonic.sbi.method import Method

__all__ = ["MethodPhase"]


class MethodPhase(PhaseModule):
    """The mean loss of all members, with their repulsion.

    Columns of the table: ``inputs`` `(N, I)` float32 and ``targets`` `(N, A)` float64; ``weights`` `(N, M)` if members
    are trained on bootstrap samples.
    """

    def __init__(self, method: Method, strength: float, events: int) -> None:
        """Train a method.

        Args:
            method: networks and loss.
            strength: β of the repulsion.
            events: number N of training events, by which it is divided.
        """
        super().__init__()
        self.method, self.strength, self.events = method, strength, events

    def training_losses(
        self, batch: Mapping[str, Tensor], generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the mean loss of the members with their repulsion."""
        losses, outputs = self.method.losses(batch["inputs"], batch["targets"], generator, batch.get("weights"))
        total = losses.mean()
        if self.strength > 0.0 and self.method.members > 1:
            total = total + self.strength / (self.events * self.method.members) * repulsion(outputs)
        return total, {}

    def validation_loss(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the mean loss of the members."""
        return self.method.losses(batch["inputs"], batch["targets"], None)[0].detach().mean()
