"""Angles of the decay products of two bosons in the rest frames of these: where helicities interfere."""

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.physics.fourvector import boost_to_rest_frame

__all__ = ["helicity_angles"]


def helicity_angles(
    momenta: Float[Tensor, "events particles 4"], particle: int, boson: tuple[int, int]
) -> tuple[Float[Tensor, " events"], Float[Tensor, " events"]]:
    """Return cos θ* and φ* of a particle in the rest frame of its boson.

    z points along the flight of the boson in the rest frame of all particles, and the axis x lies in the plane of that
    and the beam, in whose direction the event moves (arXiv:1708.07823).

    Args:
        momenta: of all particles of the final state, GeV.
        particle: its place.
        boson: places of the two products of the boson.
    """
    total = momenta.sum(dim=1)
    parent = boost_to_rest_frame(momenta[:, boson[0]] + momenta[:, boson[1]], total)
    own = boost_to_rest_frame(boost_to_rest_frame(momenta[:, particle], total), parent)[:, 1:]
    along = torch.nn.functional.normalize(parent[:, 1:], dim=1)
    beam = torch.zeros_like(along)
    beam[:, 2] = torch.where(total[:, 3] >= 0, 1.0, -1.0)
    normal = torch.nn.functional.normalize(torch.linalg.cross(beam, along), dim=1)
    in_plane = torch.linalg.cross(normal, along)
    direction = torch.nn.functional.normalize(own, dim=1)
    x, y, z = ((direction * axis).sum(dim=1) for axis in (in_plane, normal, along))
    return z, torch.atan2(y, x)
