"""Decay of a system into two: Källén function, momentum in the rest frame, phase space, and the map to numbers.

Everything is written in the energy release Q = M − m₁ − m₂, in which the Källén function is a product of positive
factors and keeps full precision down to the threshold:

    λ(M², m₁², m₂²) = Q (Q + 2m₁) (Q + 2m₂) (Q + 2m₁ + 2m₂).
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.physics.fourvector import boost_from_rest_frame, boost_to_rest_frame, mass, on_shell, safe_sqrt

__all__ = [
    "breakup_momentum",
    "decay",
    "decay_numbers",
    "direction_from_numbers",
    "kallen",
    "kallen_from_release",
    "numbers_from_direction",
    "two_body_volume",
]

Masses = float | Tensor


def kallen(square_sum: Tensor, square_1: Masses, square_2: Masses) -> Tensor:
    """Return λ(a, b, c) = a² + b² + c² − 2ab − 2bc − 2ca of three squared masses (GeV²), in GeV⁴.

    Near threshold it is a difference of large numbers: use `kallen_from_release` where masses are known.
    """
    return (square_sum - square_1 - square_2).square() - 4.0 * square_1 * square_2


def kallen_from_release(release: Tensor, mass_1: Masses, mass_2: Masses) -> Tensor:
    """Return λ(M², m₁², m₂²) in GeV⁴ from the energy release Q = M − m₁ − m₂ ≥ 0, to full relative precision."""
    return release * (release + 2.0 * mass_1) * (release + 2.0 * mass_2) * (release + 2.0 * (mass_1 + mass_2))


def breakup_momentum(release: Tensor, mass_1: Masses, mass_2: Masses) -> Tensor:
    """Return the momentum √λ/(2M) of the two products in the rest frame, in GeV, from the energy release."""
    return safe_sqrt(kallen_from_release(release, mass_1, mass_2)) / (2.0 * (release + mass_1 + mass_2))


def two_body_volume(total_mass: Tensor, mass_1: Masses, mass_2: Masses) -> Tensor:
    """Return the two-body phase space √λ/(8π M²), without dimension; 0 to rounding below threshold."""
    release = (total_mass - mass_1 - mass_2).clamp(min=0.0)
    return safe_sqrt(kallen_from_release(release, mass_1, mass_2)) / (8.0 * math.pi * total_mass.square())


def direction_from_numbers(numbers: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 3"]:
    """Map (r₁, r₂) in [0, 1]² to the unit vector with cos θ = 2r₁ − 1 and φ = 2πr₂: uniform on the sphere."""
    polar, phi = numbers[..., 0], 2.0 * math.pi * numbers[..., 1]
    sin_theta = 2.0 * safe_sqrt(polar * (1.0 - polar))
    return torch.stack([sin_theta * torch.cos(phi), sin_theta * torch.sin(phi), 2.0 * polar - 1.0], dim=-1)


def numbers_from_direction(direction: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 2"]:
    """Return the numbers in [0, 1]² of a direction (of any length): the inverse of `direction_from_numbers`.

    The azimuth of a direction along z is not defined; its number is 0.
    """
    transverse_square = direction[..., 0].square() + direction[..., 1].square()
    cos_theta = direction[..., 2] / safe_sqrt(transverse_square + direction[..., 2].square())
    turns = torch.atan2(direction[..., 1], direction[..., 0]) / (2.0 * math.pi)
    return torch.stack([0.5 * (1.0 + cos_theta), torch.where(turns < 0, turns + 1.0, turns)], dim=-1)


def decay(
    parent: Float[Tensor, "*batch 4"], mass_1: Masses, mass_2: Masses, numbers: Float[Tensor, "*batch 2"]
) -> tuple[Float[Tensor, "*batch 4"], Float[Tensor, "*batch 4"], Float[Tensor, "*batch"]]:
    """Let a system decay into two particles, isotropically in its rest frame.

    Args:
        parent: four-vector of the system, heavier than the two products.
        mass_1: mass of the first product in GeV, a number or `*batch`.
        mass_2: mass of the second product in GeV, likewise.
        numbers: in [0, 1]², for the direction of the first product.

    Returns:
        the four-vectors of the two products, and log |dΦ₂/du| (the same for all directions), `*batch`.
    """
    parent_mass = mass(parent)
    momentum = breakup_momentum(parent_mass - mass_1 - mass_2, mass_1, mass_2)
    three = momentum[..., None] * direction_from_numbers(numbers)
    first = boost_from_rest_frame(on_shell(three, mass_1), parent)
    return first, parent - first, _log_volume(parent_mass, momentum)


def decay_numbers(
    first: Float[Tensor, "*batch 4"], second: Float[Tensor, "*batch 4"]
) -> tuple[Float[Tensor, "*batch 2"], Float[Tensor, "*batch"]]:
    """Return the numbers in [0, 1]² that `decay` needs to give these two products, and log |du/dΦ₂|."""
    parent = first + second
    three = boost_to_rest_frame(first, parent)[..., 1:]
    momentum = safe_sqrt(three.square().sum(dim=-1))
    return numbers_from_direction(three), -_log_volume(mass(parent), momentum)


def _log_volume(parent_mass: Tensor, momentum: Tensor) -> Tensor:
    """Return the logarithm of the two-body phase space |p|/(4π M)."""
    return torch.log(momentum / (4.0 * math.pi * parent_mass))
