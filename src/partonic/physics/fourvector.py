"""Four-vectors (E, px, py, pz) on the last axis, metric (+, −, −, −), in GeV.

Products, masses, boosts and rotations on torch tensors of any batch shape. All functions are differentiable; where
a square root would have an infinite gradient (a massless vector) its argument is held at the smallest positive
number, so that the value is zero to rounding and the gradient exactly zero.
"""

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = [
    "boost",
    "boost_along_z",
    "boost_from_rest_frame",
    "boost_to_rest_frame",
    "invariant_mass",
    "mass",
    "minkowski_dot",
    "minkowski_square",
    "on_shell",
    "rotate",
    "safe_sqrt",
]


def safe_sqrt(square: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """Return the square root of a number that is zero or positive up to rounding, with a gradient that is finite.

    At zero and below (where rounding can lead) the value is 10⁻¹⁵⁴ in float64, zero to rounding, and the gradient 0.
    """
    return square.clamp(min=torch.finfo(square.dtype).tiny).sqrt()


def minkowski_dot(first: Float[Tensor, "*#batch 4"], second: Float[Tensor, "*#batch 4"]) -> Float[Tensor, "*batch"]:
    """Return the product a·b = E_a E_b − **p**_a·**p**_b, in GeV²; the batch axes are broadcast."""
    return first[..., 0] * second[..., 0] - (first[..., 1:] * second[..., 1:]).sum(dim=-1)


def minkowski_square(momenta: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch"]:
    """Return p² = E² − |**p**|², in GeV². Negative for space-like vectors, and by rounding for massless ones."""
    return minkowski_dot(momenta, momenta)


def mass(momenta: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch"]:
    """Return the mass √p² of each vector, in GeV. On or below the light cone: 0 to rounding, gradient 0."""
    return safe_sqrt(minkowski_square(momenta))


def invariant_mass(momenta: Float[Tensor, "*batch particles 4"]) -> Float[Tensor, "*batch"]:
    """Return the invariant mass of the summed system of particles, in GeV.

    On or below the light cone: 0 to rounding, gradient 0.
    """
    return mass(momenta.sum(dim=-2))


def on_shell(three_momenta: Float[Tensor, "*batch 3"], masses: float | Tensor) -> Float[Tensor, "*batch 4"]:
    """Return the four-vectors with the given three-momenta and masses (GeV, a number or broadcastable to `*batch`)."""
    energy = safe_sqrt(three_momenta.square().sum(dim=-1) + masses**2)
    return torch.cat([energy[..., None], three_momenta], dim=-1)


def boost(momenta: Float[Tensor, "*#batch 4"], velocity: Float[Tensor, "*#batch 3"]) -> Float[Tensor, "*batch 4"]:
    """Boost from a frame that moves with `velocity` (in units of c, |β| < 1) to the frame in which it moves.

    A particle at rest ends up with velocity β. The batch axes are broadcast.
    """
    gamma = (1.0 - velocity.square().sum(dim=-1, keepdim=True)).rsqrt()
    frame = torch.cat([gamma, gamma * velocity], dim=-1)
    return _boost_by(momenta, frame, torch.ones_like(gamma))


def boost_along_z(momenta: Float[Tensor, "*batch 4"], rapidity: Float[Tensor, "*#batch"]) -> Float[Tensor, "*batch 4"]:
    """Boost along +z by a rapidity, which adds to the rapidity of every particle.

    From the partonic centre of mass to the laboratory the rapidity is ½ ln(x1/x2).

    Args:
        momenta: four-vectors.
        rapidity: of the boost; for momenta `(N, n, 4)` give it as `(N, 1)`.
    """
    energy, longitudinal = momenta[..., 0], momenta[..., 3]
    cosh, sinh = torch.cosh(rapidity), torch.sinh(rapidity)
    return torch.stack(
        [
            energy * cosh + longitudinal * sinh,
            momenta[..., 1],
            momenta[..., 2],
            longitudinal * cosh + energy * sinh,
        ],
        dim=-1,
    )


def boost_from_rest_frame(
    momenta: Float[Tensor, "*#batch 4"], frame: Float[Tensor, "*#batch 4"]
) -> Float[Tensor, "*batch 4"]:
    """Boost momenta given in the rest frame of `frame` to the frame in which `frame` is given.

    Args:
        momenta: four-vectors in the rest frame.
        frame: a time-like four-vector; for momenta `(N, n, 4)` give it as `(N, 1, 4)`.
    """
    return _boost_by(momenta, frame, mass(frame)[..., None])


def boost_to_rest_frame(
    momenta: Float[Tensor, "*#batch 4"], frame: Float[Tensor, "*#batch 4"]
) -> Float[Tensor, "*batch 4"]:
    """Boost momenta to the rest frame of the time-like vector `frame`: the inverse of `boost_from_rest_frame`."""
    reversed_frame = torch.cat([frame[..., :1], -frame[..., 1:]], dim=-1)
    return _boost_by(momenta, reversed_frame, mass(frame)[..., None])


def _boost_by(momenta: Tensor, frame: Tensor, frame_mass: Tensor) -> Tensor:
    """Boost by the four-vector Q of mass M: **p** + **Q** [E/M + **Q**·**p** / (M (E_Q + M))], without β or γ − 1."""
    energy, three = momenta[..., :1], momenta[..., 1:]
    frame_energy, frame_three = frame[..., :1], frame[..., 1:]
    along = (three * frame_three).sum(dim=-1, keepdim=True)
    new_energy = (energy * frame_energy + along) / frame_mass
    new_three = three + frame_three * (energy + along / (frame_energy + frame_mass)) / frame_mass
    return torch.cat([new_energy, new_three], dim=-1)


def rotate(
    momenta: Float[Tensor, "*#batch 4"], axis: Float[Tensor, "*#batch 3"], angle: Float[Tensor, "*#batch"]
) -> Float[Tensor, "*batch 4"]:
    """Rotate about a unit vector by an angle in radians, right-handed (Rodrigues' formula)."""
    three = momenta[..., 1:]
    cos, sin = torch.cos(angle)[..., None], torch.sin(angle)[..., None]
    along = (three * axis).sum(dim=-1, keepdim=True)
    across = torch.linalg.cross(axis.expand_as(three + axis), three.expand_as(three + axis), dim=-1)
    rotated = three * cos + across * sin + axis * along * (1.0 - cos)
    return torch.cat([momenta[..., :1].expand_as(rotated[..., :1]), rotated], dim=-1)
