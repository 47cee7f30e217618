"""Legs: the quarks of a decay, each with a jet or lost.

A leg with a jet has the direction of the jet, and its transfer function is the response to the quark's energy. A lost
leg has a direction that is integrated over, and its transfer function is the probability to be lost.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.mem.classical.mass_shells import direction
from partonic.mem.classical.response import JetResponse

__all__ = ["LOST_NUMBERS", "Leg", "jet_leg", "lost_leg"]

LOST_NUMBERS = 2
"""Numbers that the direction of a lost leg takes."""

_ETA_MAX = 5.0
"""Quarks are looked for up to this |η|."""

_ENERGIES = (1.0, 1000.0)
"""GeV; energies of a lost leg."""


@dataclass(frozen=True)
class Leg:
    """A quark of a decay at B points.

    Attributes:
        eta: its pseudorapidity, `(B,)`.
        phi: its azimuth, `(B,)`.
        jet_energy: pT cosh η of its jet, GeV, `(B,)`; None for a lost leg.
        log_jacobian: log |d(η, φ)/du| of a lost leg, 0 for one with a jet.
    """

    eta: Float[Tensor, " points"]
    phi: Float[Tensor, " points"]
    jet_energy: Float[Tensor, " points"] | None
    log_jacobian: float

    @property
    def along(self) -> Float[Tensor, "points 3"]:
        """The unit vector of its direction."""
        return direction(self.eta, self.phi)

    def energy_range(self, response: JetResponse) -> tuple[Float[Tensor, " points"], Float[Tensor, " points"]]:
        """Return the energies between which to look for the quark, GeV."""
        if self.jet_energy is None:
            return torch.full_like(self.eta, _ENERGIES[0]), torch.full_like(self.eta, _ENERGIES[1])
        return response.energy_range(self.jet_energy)

    def log_transfer(self, energy: Float[Tensor, " points"], response: JetResponse) -> Float[Tensor, " points"]:
        """Return the log of the transfer function times dΩ/d(η, φ) and, for a lost leg, d(η, φ)/du.

        With a jet it is a density in the jet's pT, η, φ; a lost leg has nothing measured.
        """
        log_cosh = torch.log(torch.cosh(self.eta))
        if self.jet_energy is None:
            loss = response.loss(energy, self.eta).clamp(min=1e-300)
            return torch.log(loss) - 2.0 * log_cosh + self.log_jacobian
        return response.log_density(self.jet_energy, energy, self.eta) - log_cosh

    def difference(self, energy: Float[Tensor, " points"]) -> Float[Tensor, "points 2"]:
        """Return the transverse momentum of the quark minus that of its jet, GeV; 0 for a lost leg."""
        if self.jet_energy is None:
            return torch.zeros((len(energy), 2), dtype=energy.dtype)
        return ((energy - self.jet_energy) / torch.cosh(self.eta))[:, None] * torch.stack(
            [torch.cos(self.phi), torch.sin(self.phi)], dim=-1
        )


def jet_leg(jets: Float[Tensor, "points 3"]) -> Leg:
    """Return the leg of a jet (pT in GeV, η, φ) at each point."""
    pt, eta, phi = jets.unbind(dim=-1)
    return Leg(eta, phi, pt * torch.cosh(eta), 0.0)


def lost_leg(numbers: Float[Tensor, "points 2"]) -> Leg:
    """Return a lost leg whose direction is given by numbers in [0, 1]²."""
    eta, phi = (2.0 * numbers[:, 0] - 1.0) * _ETA_MAX, (2.0 * numbers[:, 1] - 1.0) * math.pi
    return Leg(eta, phi, None, math.log(2.0 * _ETA_MAX * 2.0 * math.pi))
