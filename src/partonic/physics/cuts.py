"""Cuts on the partons of a hard process, so that events which no analysis would select are not generated."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool
from torch import Tensor

from partonic.physics.kinematics import pseudorapidity, transverse_momentum
from partonic.physics.process import PartonEvents

__all__ = ["CentralParticles"]


@dataclass(frozen=True)
class CentralParticles:
    """Some of the particles must be hard and central.

    Attributes:
        slots: their places in the final state.
        pt_min: smallest pT, GeV.
        eta_max: largest |η|; infinite for none.
    """

    slots: tuple[int, ...]
    pt_min: float
    eta_max: float

    def __call__(self, events: PartonEvents) -> Bool[Tensor, " events"]:
        """Return which events pass, `(N,)`."""
        momenta = events.momenta[:, list(self.slots)]
        hard = transverse_momentum(momenta) > self.pt_min
        central = pseudorapidity(momenta).abs() < self.eta_max
        return torch.all(hard & central, dim=1)
