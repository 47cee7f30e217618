"""Two partons that a detector cannot tell apart: b and b̄, or t and t̄ that both decay to quarks.

Exchanging them leaves the densities of the reconstructed objects the same, so that the partons of an event have two
equally good places. In the unit cube the exchange of the last two of equal mass turns their axis about: p → 1 − p and
φ → φ + ½ for the numbers of the polar angle and of the azimuth. The axis itself has an azimuth of period ½. So the flow
is given half of the cube,

    w = 2 (φ − ĉ) + ½ (mod 1),   p' = p or 1 − p,

where ĉ is an azimuth of the axis known for each event: of the two partons that one comes first whose azimuth is within
a quarter turn of ĉ. Which of the two it is, is a coin. The seam of w lies a quarter turn from ĉ, where no events are.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

__all__ = ["fold_pair", "split_noise", "unfold_pair"]

_SMALLEST = 1e-300


def fold_pair(
    numbers: Float[Tensor, "*batch dimensions"], axis: Float[Tensor, "*batch"]
) -> Float[Tensor, "*batch dimensions"]:
    """Return the numbers with p' and w in the last two places; densities get a factor ½ for the coin and 2 for dw/dφ.

    Args:
        numbers: points of the unit cube, their last two numbers p and φ.
        axis: the azimuth ĉ of the axis in turns.
    """
    *others, polar, azimuth = numbers.unbind(dim=-1)
    distance = torch.remainder(azimuth - axis + 0.5, 1.0) - 0.5
    folded = torch.where(distance.abs() > 0.25, 1.0 - polar, polar)
    return torch.stack([*others, folded, torch.remainder(2.0 * distance + 0.5, 1.0)], dim=-1)


def unfold_pair(
    folded: Float[Tensor, "*batch dimensions"], axis: Float[Tensor, "*batch"], exchange: Bool[Tensor, "*batch"]
) -> Float[Tensor, "*batch dimensions"]:
    """Return the numbers of the two partons in one order, or in the other where `exchange`."""
    *others, polar, position = folded.unbind(dim=-1)
    azimuth = axis + 0.5 * (position - 0.5) + 0.5 * exchange.to(position.dtype)
    unfolded = torch.where(exchange, 1.0 - polar, polar)
    return torch.stack([*others, unfolded, torch.remainder(azimuth, 1.0)], dim=-1)


def split_noise(
    noise: Float[Tensor, "*batch dimensions"], scale: float
) -> tuple[Float[Tensor, "*batch dimensions"], Bool[Tensor, "*batch"], Float[Tensor, "*batch"]]:
    """Take a coin from base numbers: the sign of the last one, whose size is stretched to a whole Gaussian again.

    Args:
        noise: base numbers, of whatever density.
        scale: standard deviation s of the Gaussian base.

    Returns:
        the base numbers for the flow, float64, the coin, and log |d(noise)/d(numbers for the flow)|.
    """
    last = noise[..., -1].double() / scale
    upper = torch.special.erfc(last.abs() / math.sqrt(2.0))
    # Of small and large |n| the tail that keeps its digits.
    low = torch.special.ndtri(torch.special.erf(last.abs() / math.sqrt(2.0)).clamp(min=_SMALLEST))
    stretched = torch.where(upper > 0.5, low, -torch.special.ndtri(upper.clamp(min=_SMALLEST)))
    log_slope = 0.5 * (last.square() - stretched.square()) - math.log(2.0)
    numbers = torch.cat([noise[..., :-1].double(), scale * stretched[..., None]], dim=-1)
    return numbers, last > 0.0, log_slope
