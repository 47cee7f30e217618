"""From regressed H, t_had, t_lep and p_z to a full set of partons on their mass shells, and its unit-cube numbers.

With radiation, the massless radiated parton takes what the three leave of transverse momentum (to zero) and of
longitudinal momentum (to p_z). Without, the transverse momentum of the three is boosted away: their longitudinal and
then their transverse motion is removed, and p_z alone moves the whole. Energies beyond the collider's, which only a
network that is not trained asks for, are brought to the edge of the unit cube.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.physics.fourvector import boost_along_z, boost_to_rest_frame, on_shell
from partonic.physics.process import PartonEvents
from partonic.unfolding.view import RADIATION, CubeView

__all__ = ["radiation_of", "regressed_numbers", "regressed_partons", "three_momenta"]

_LARGEST_FRACTION = 1.0 - 1e-6
"""Bound of the momentum fractions x1, x2."""

_FACE = 1e-9
"""Distance that regressed numbers keep from the faces of the unit cube, where the phase space is not smooth."""


def three_momenta(particles: Float[Tensor, "events 3 3"]) -> Float[Tensor, "events 3 3"]:
    """Return (px, py, pz) of particles given as (pT, η, φ), GeV."""
    pt, eta, phi = particles.unbind(dim=-1)
    return torch.stack([pt * torch.cos(phi), pt * torch.sin(phi), pt * torch.sinh(eta)], dim=-1)


def radiation_of(particles: Float[Tensor, "events 3 3"], p_z: Float[Tensor, " events"]) -> Float[Tensor, "events 3"]:
    """Return the momentum that the radiated parton must have, GeV.

    Args:
        particles: pT, η, φ of H, t_had, t_lep.
        p_z: longitudinal momentum of all four.
    """
    px, py, pz = three_momenta(particles).sum(dim=1).unbind(dim=-1)
    return torch.stack([-px, -py, p_z - pz], dim=-1)


def regressed_partons(
    view: CubeView, particles: Float[Tensor, "events 3 3"], p_z: Float[Tensor, " events"]
) -> PartonEvents:
    """Return the partons of the view, on shell, without transverse momentum of the whole, float64; differentiable.

    Args:
        view: with radiation or without.
        particles: pT (GeV), η, φ of H, t_had, t_lep.
        p_z: longitudinal momentum of all partons, GeV.
    """
    particles, p_z = particles.double(), p_z.double()
    momenta = on_shell(three_momenta(particles), particles.new_tensor(view.masses[:RADIATION]))
    if "radiation" in view.particles:
        momenta = torch.cat([momenta, on_shell(radiation_of(particles, p_z), 0.0)[:, None]], dim=1)
        energy = momenta[..., 0].sum(dim=1)
    else:
        momenta = _at_rest(momenta)
        energy = torch.hypot(momenta[..., 0].sum(dim=1), p_z)
        momenta = boost_along_z(momenta, torch.asinh(p_z / momenta[..., 0].sum(dim=1))[:, None])
    x1, x2 = _fractions(energy, p_z, view.collider_energy)
    return PartonEvents(momenta, x1, x2)


def regressed_numbers(
    view: CubeView, particles: Float[Tensor, "events 3 3"], p_z: Float[Tensor, " events"]
) -> Float[Tensor, "events dimensions"]:
    """Return the unit-cube numbers of `regressed_partons`, strictly inside the cube, float64; differentiable."""
    numbers, _ = view.numbers(regressed_partons(view, particles, p_z))
    return numbers.clamp(min=_FACE, max=1.0 - _FACE)


def _at_rest(momenta: Tensor) -> Tensor:
    """Remove the motion of the whole, first along the beam, then across it."""
    total = momenta.sum(dim=1)
    momenta = boost_along_z(momenta, -torch.atanh(total[:, 3] / total[:, 0])[:, None])
    return boost_to_rest_frame(momenta, momenta.sum(dim=1, keepdim=True))


def _fractions(energy: Tensor, p_z: Tensor, collider_energy: float) -> tuple[Tensor, Tensor]:
    """Return x1, x2 = (E ± p_z)/√S, the smaller one from M² = E² − p_z² so that it stays positive."""
    larger = (energy + p_z.abs()) / collider_energy
    square = (energy.square() - p_z.square()) / collider_energy**2
    smaller = (square / larger).clamp(max=_LARGEST_FRACTION)
    larger = larger.clamp(max=_LARGEST_FRACTION)
    forward = p_z > 0.0
    return torch.where(forward, larger, smaller), torch.where(forward, smaller, larger)
