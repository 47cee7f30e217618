"""What the quality of unfolding is judged by: observables of partons, and the variables whose posterior is tested.

Every tested variable is a function of the partons and of what is known of the event without its truth, so that the
rank of the truth among samples of a calibrated posterior is uniform (arXiv:1804.06788). Azimuths are taken relative to
the regressed ones, so that their posteriors are not cut in two at ±π.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.physics.fourvector import boost_along_z, mass
from partonic.physics.kinematics import azimuth, delta_phi, pseudorapidity, transverse_mass, transverse_momentum

__all__ = [
    "PARTICLES",
    "Variable",
    "centre_of_mass",
    "kinematics",
    "numbers_relative_to",
    "physical_values",
    "physical_variables",
    "system",
    "unit_cube_variables",
]

PARTICLES: Final = ("H", "t_had", "t_lep")
"""The particles that are looked at, in the order of the partons of every view."""


@dataclass(frozen=True)
class Variable:
    """A number whose posterior is tested.

    Attributes:
        name: e.g. ``"pt H"`` or ``"u3"``.
        low, high: where most values lie; reference points of the coverage tests are drawn between them.
    """

    name: str
    low: float
    high: float


_KINEMATICS: Final = (("pt", 0.0, 400.0), ("eta", -3.0, 3.0), ("phi", -math.pi, math.pi))
_SYSTEM: Final = (("sqrt_s", 470.0, 1500.0), ("p_z", -2000.0, 2000.0))


def unit_cube_variables(dimensions: int) -> tuple[Variable, ...]:
    """Return the variables u1 … uD."""
    return tuple(Variable(f"u{number}", 0.0, 1.0) for number in range(1, dimensions + 1))


def physical_variables() -> tuple[Variable, ...]:
    """Return pT (GeV), η and φ of each particle in the laboratory, and √ŝ and p_z (GeV) of the whole."""
    single = (Variable(f"{name} {particle}", *span) for particle in PARTICLES for name, *span in _KINEMATICS)
    return (*single, *(Variable(name, *span) for name, *span in _SYSTEM))


def kinematics(momenta: Float[Tensor, "*batch particles 4"]) -> Float[Tensor, "*batch 3 3"]:
    """Return pT (GeV), η and φ (last axis) of H, t_had and t_lep, the first three of the particles."""
    chosen = momenta[..., : len(PARTICLES), :]
    return torch.stack([transverse_momentum(chosen), pseudorapidity(chosen), azimuth(chosen)], dim=-1)


def system(momenta: Float[Tensor, "*batch particles 4"]) -> tuple[Float[Tensor, "*batch"], Float[Tensor, "*batch"]]:
    """Return the invariant mass √ŝ and the longitudinal momentum p_z of all particles together, GeV."""
    total = momenta.sum(dim=-2)
    return mass(total), total[..., 3]


def centre_of_mass(
    momenta: Float[Tensor, "*batch particles 4"], p_z: Float[Tensor, "*batch"] | None = None
) -> Float[Tensor, "*batch particles 4"]:
    """Return the momenta in the centre-of-mass frame, after a boost along z.

    Args:
        momenta: in the laboratory, GeV.
        p_z: longitudinal momentum of the whole that gives the boost, GeV; None for the sum of the momenta.
    """
    total = momenta.sum(dim=-2)
    return boost_along_z(
        momenta, -torch.asinh((total[..., 3] if p_z is None else p_z) / transverse_mass(total))[..., None]
    )


def physical_values(
    momenta: Float[Tensor, "events *samples particles 4"], regressed_azimuth: Float[Tensor, "events 3"]
) -> Float[Tensor, "events *samples variables"]:
    """Return `physical_variables` of partons; azimuths relative to `regressed_azimuth`, in (−π, π]."""
    values = kinematics(momenta)
    reference = regressed_azimuth.view(len(momenta), *[1] * (values.dim() - 3), len(PARTICLES))
    single = torch.stack([values[..., 0], values[..., 1], delta_phi(values[..., 2], reference)], dim=-1)
    return torch.cat([single.flatten(start_dim=-2), torch.stack(system(momenta), dim=-1)], dim=-1)


def numbers_relative_to(
    numbers: Float[Tensor, "events *samples dimensions"],
    regressed: Float[Tensor, "events dimensions"],
    periodic: Sequence[int],
) -> Float[Tensor, "events *samples dimensions"]:
    """Return unit-cube numbers with the periodic ones shifted so that the regressed value becomes ½."""
    columns = list(numbers.unbind(dim=-1))
    shape = (len(numbers), *[1] * (numbers.dim() - 2))
    for index in periodic:
        columns[index] = torch.remainder(columns[index] - regressed[:, index].view(shape) + 0.5, 1.0)
    return torch.stack(columns, dim=-1)
