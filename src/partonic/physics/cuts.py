"""Cuts on the partons of a hard process, so that events which no analysis would select are not generated."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool
from torch import Tensor

from partonic.physics.fourvector import minkowski_square
from partonic.physics.kinematics import pseudorapidity, transverse_momentum
from partonic.physics.process import PartonEvents

__all__ = ["AllOf", "CentralParticles", "MassWindow"]


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


@dataclass(frozen=True)
class MassWindow:
    """The invariant mass of two of the particles must lie within limits.

    Attributes:
        slots: their places in the final state.
        window: smallest and largest mass, GeV.
    """

    slots: tuple[int, int]
    window: tuple[float, float]

    def __call__(self, events: PartonEvents) -> Bool[Tensor, " events"]:
        """Return which events pass, `(N,)`."""
        square = minkowski_square(events.momenta[:, list(self.slots)].sum(dim=1))
        return (square > self.window[0] ** 2) & (square < self.window[1] ** 2)


@dataclass(frozen=True)
class AllOf:
    """Several cuts at once.

    Attributes:
        cuts: each of them must be passed.
    """

    cuts: tuple[Callable[[PartonEvents], Bool[Tensor, " events"]], ...]

    def __call__(self, events: PartonEvents) -> Bool[Tensor, " events"]:
        """Return which events pass all, `(N,)`."""
        return torch.stack([cut(events) for cut in self.cuts]).all(dim=0)
