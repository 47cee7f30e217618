"""Momenta of events, put on the mass shells of a model.

Files round momenta, and generators round masses. A matrix element at momenta that are slightly off shell is slightly
wrong, and not even independent of the frame. In the rest frame of the final state all three-momenta are scaled by one
factor ξ, found so that the energies on the mass shells add up to the invariant mass,

    Σ_i √(m_i² + ξ² |p_i|²) = √ŝ        (as in RAMBO, Kleiss, Stirling, Ellis, Comput. Phys. Commun. 40 (1986) 359)

and the incoming partons are massless and along the beam in that frame. What rounding does not explain is refused.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import EventFileError
from partonic.physics.fourvector import boost_to_rest_frame, invariant_mass, minkowski_square, on_shell
from partonic.physics.process import PartonEvents

__all__ = ["momenta_on_shell"]

_STEPS = 20
_CONVERGED = 1e-15


def momenta_on_shell(
    events: PartonEvents,
    masses: Float[Tensor, " particles"],
    collider_energy: float,
    tolerance: float,
    where: Callable[[int], str],
) -> Float[Tensor, "events all 4"]:
    """Return the momenta of the incoming and the outgoing partons, in their centre of mass, on shell.

    Args:
        events: N events with n partons each.
        masses: of the n partons in the model, GeV.
        collider_energy: √S in GeV.
        tolerance: largest |E² − p² − m²| in units of E², and largest imbalance in units of √ŝ and ŝ.
        where: says where an event is, by its place among the N.

    Returns:
        momenta `(N, 2 + n, 4)`, GeV, the parton from +z first.

    Raises:
        EventFileError: if an event is further off shell or out of balance than that.
    """
    _check_masses(events, masses, tolerance, where)
    total = events.momenta.sum(dim=1)
    energy = invariant_mass(events.momenta)
    square = events.x1 * events.x2 * collider_energy**2
    imbalance = torch.maximum(total[:, 1:3].norm(dim=-1) / energy, (energy.square() / square - 1.0).abs())
    if bool((bad := ~(imbalance <= tolerance)).any()):
        first = int(torch.nonzero(bad)[0, 0])
        raise EventFileError(
            f"{where(first)}: its partons do not balance the incoming ones ({imbalance[first]:.1e} of the energy; "
            f"{int(bad.sum())} of {len(bad)} events): are all partons of the hard process listed (import.partons), "
            "with nothing radiated? Raise momentum_tolerance only if the file rounds its momenta that much"
        )
    three = boost_to_rest_frame(events.momenta, total[:, None])[..., 1:]
    if bool((masses.sum() >= energy).any()):
        first = int(torch.nonzero(masses.sum() >= energy)[0, 0])
        raise EventFileError(f"{where(first)}: its energy {energy[first]:.6g} GeV is below the masses of the model")
    final = on_shell(three * _scale(three, masses, energy)[:, None, None], masses)
    beams = torch.tensor([[1.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, -1.0]], dtype=torch.float64)
    return torch.cat([0.5 * energy[:, None, None] * beams, final], dim=1)


def _check_masses(events: PartonEvents, masses: Tensor, tolerance: float, where: Callable[[int], str]) -> None:
    off = minkowski_square(events.momenta) - masses.square()
    bad = ~(off.abs() <= tolerance * events.momenta[..., 0].square())
    if bool(bad.any()):
        event, parton = (int(index) for index in torch.nonzero(bad)[0])
        found = minkowski_square(events.momenta[event, parton]).clamp(min=0.0).sqrt()
        raise EventFileError(
            f"{where(event)}: parton {parton + 1} has the mass {found:.6g} GeV, but {masses[parton]:.6g} GeV in the "
            f"model, more than rounding explains ({int(bad.any(dim=1).sum())} of {len(bad)} events). Give the model "
            "the mass of the sample (values: {MT: 172.5}); for a resonance with a width, list its products as partons"
        )


def _scale(
    three: Float[Tensor, "events particles 3"], masses: Float[Tensor, " particles"], energy: Float[Tensor, " events"]
) -> Float[Tensor, " events"]:
    """Return ξ by Newton's method; the left side is convex and increases with ξ, so it converges from ξ = 1."""
    squares = three.square().sum(dim=-1)
    scale = torch.ones_like(energy)
    for _ in range(_STEPS):
        energies = (masses.square() + scale[:, None].square() * squares).sqrt()
        step = (energies.sum(dim=1) - energy) / (scale[:, None] * squares / energies).sum(dim=1)
        scale = scale - step
        if float(step.abs().max()) < _CONVERGED:
            break
    return scale
