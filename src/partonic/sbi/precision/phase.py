"""The training of magnitudes as a phase (`partonic.nn.training`)."""

from collections.abc import Mapping

import torch
from torch import Tensor

from partonic.nn.training import PhaseModule
from partonic.sbi.precision.magnitudes import Magnitudes

__all__ = ["MagnitudePhase"]


class MagnitudePhase(PhaseModule):
    """The deviance of the magnitudes. Columns of the table: as in `partonic.sbi.phase`."""

    def __init__(self, magnitudes: Magnitudes) -> None:
        """Train magnitudes whose range is taken from the sample."""
        super().__init__()
        self.magnitudes = magnitudes

    def training_losses(
        self, batch: Mapping[str, Tensor], generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the deviance."""
        return self.magnitudes.deviance(batch["inputs"], batch["targets"]), {}

    def validation_loss(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the deviance."""
        return self.magnitudes.deviance(batch["inputs"], batch["targets"]).detach()
