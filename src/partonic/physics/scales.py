"""Scales of a hard process: functions of the parton-level event, in GeV.

The transverse mass m_T = √(m² + pT²) of a particle is the same in all frames that move along the beam.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.physics.process import PartonEvents

__all__ = ["FixedScale", "PartonicEnergyScale", "Scale", "TransverseMassScale"]

Scale = Callable[[PartonEvents], Float[Tensor, " events"]]
"""The scale of each event, GeV."""


@dataclass(frozen=True)
class FixedScale:
    """The same scale for all events.

    Attributes:
        value: in GeV.
    """

    value: float

    def __call__(self, events: PartonEvents) -> Float[Tensor, " events"]:
        """Return the scale of each event, GeV."""
        return torch.full_like(events.x1, self.value)


@dataclass(frozen=True)
class PartonicEnergyScale:
    """The invariant mass √ŝ = √(x₁ x₂ S) of the whole final state.

    Attributes:
        collider_energy: √S, GeV.
        factor: of √ŝ.
    """

    collider_energy: float
    factor: float = 1.0

    def __call__(self, events: PartonEvents) -> Float[Tensor, " events"]:
        """Return the scale of each event, GeV."""
        return self.factor * self.collider_energy * (events.x1 * events.x2).sqrt()


@dataclass(frozen=True)
class TransverseMassScale:
    """A mean of the transverse masses of some of the final-state particles.

    Attributes:
        masses: of those particles, the first ones of the final state, GeV.
        mean: of the transverse masses.
        factor: of the mean.
    """

    masses: tuple[float, ...]
    mean: Literal["arithmetic", "geometric"]
    factor: float = 1.0

    def __call__(self, events: PartonEvents) -> Float[Tensor, " events"]:
        """Return the scale of each event, GeV."""
        transverse = events.momenta[:, : len(self.masses), 1:3].square().sum(dim=-1)
        masses = (transverse + transverse.new_tensor(self.masses).square()).sqrt()
        mean = masses.mean(dim=1) if self.mean == "arithmetic" else masses.log().mean(dim=1).exp()
        return self.factor * mean
