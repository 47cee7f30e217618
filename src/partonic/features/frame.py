"""The canonical frame: each event turned so that its lepton has azimuth 0 and points forward.

Proton–proton collisions are symmetric under rotations about the beam and under the rotation by π about the x axis,
which exchanges the two beams: (x, y, z) → (x, −y, −z). Both are proper rotations: symmetries of every theory,
CP-violating ones included, and of a detector that is symmetric in φ and η. Looking at each event in the frame that they
fix makes the networks exactly equivariant.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from partonic.physics.kinematics import delta_phi

__all__ = ["EventFrame"]


@dataclass(frozen=True)
class EventFrame:
    """A rotation for each event: by −azimuth about the beam, then, where `mirrored`, by π about the x axis.

    Attributes:
        azimuth: laboratory azimuth that becomes 0, `(N,)`, radians.
        mirrored: events whose beams are exchanged, `(N,)`.
    """

    azimuth: Float[Tensor, " events"]
    mirrored: Bool[Tensor, " events"]

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.azimuth)

    @classmethod
    def of_direction(cls, eta: Float[Tensor, " events"], phi: Float[Tensor, " events"]) -> "EventFrame":
        """Return the frame in which the direction (η, φ) has φ = 0 and η ≥ 0."""
        return cls(phi, eta < 0.0)

    def sign(self) -> Float[Tensor, " events"]:
        """Return −1 for events whose beams are exchanged and +1 for the others."""
        return 1.0 - 2.0 * self.mirrored.to(self.azimuth.dtype)

    def azimuth_in(self, phi: Float[Tensor, "events *objects"]) -> Float[Tensor, "events *objects"]:
        """Return laboratory azimuths in this frame, in (−π, π]."""
        shape = (-1, *[1] * (phi.dim() - 1))
        turned = self.sign().to(phi.dtype).view(shape) * (phi - self.azimuth.to(phi.dtype).view(shape))
        return delta_phi(turned, torch.zeros_like(turned))

    def eta_in(self, eta: Float[Tensor, "events *objects"]) -> Float[Tensor, "events *objects"]:
        """Return laboratory pseudorapidities in this frame."""
        return eta * self.sign().to(eta.dtype).view(-1, *[1] * (eta.dim() - 1))

    def momenta_in(self, momenta: Float[Tensor, "events *objects 4"]) -> Float[Tensor, "events *objects 4"]:
        """Return laboratory four-vectors in this frame."""
        shape = (-1, *[1] * (momenta.dim() - 2))
        azimuth, sign = self.azimuth.to(momenta.dtype).view(shape), self.sign().to(momenta.dtype).view(shape)
        energy, px, py, pz = momenta.unbind(dim=-1)
        cosine, sine = torch.cos(azimuth), torch.sin(azimuth)
        return torch.stack([energy, cosine * px + sine * py, sign * (cosine * py - sine * px), sign * pz], dim=-1)

    def momenta_out(self, momenta: Float[Tensor, "events *objects 4"]) -> Float[Tensor, "events *objects 4"]:
        """Return four-vectors of this frame in the laboratory."""
        shape = (-1, *[1] * (momenta.dim() - 2))
        azimuth, sign = self.azimuth.to(momenta.dtype).view(shape), self.sign().to(momenta.dtype).view(shape)
        energy, px, py, pz = momenta.unbind(dim=-1)
        py, pz = sign * py, sign * pz
        cosine, sine = torch.cos(azimuth), torch.sin(azimuth)
        return torch.stack([energy, cosine * px - sine * py, cosine * py + sine * px, pz], dim=-1)

    def turns(self) -> Float[Tensor, " events"]:
        """Return the azimuth as a part of a full turn, in [0, 1)."""
        return torch.remainder(self.azimuth.double() / (2.0 * math.pi), 1.0)

    def to(self, device: torch.device | str) -> "EventFrame":
        """Return the frame on another device."""
        return EventFrame(self.azimuth.to(device), self.mirrored.to(device))
