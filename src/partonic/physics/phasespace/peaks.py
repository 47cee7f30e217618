"""Maps of one number to a variable with a peak: densities that fall like powers away from a point.

Ranges without extent, where rounding has left no room, count as the smallest positive number: all results are finite.
"""

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["from_peak", "from_power", "to_peak", "to_power"]

Limit = Float[Tensor, " events"] | float


def from_power(
    number: Float[Tensor, " events"], limit: Float[Tensor, " events"], scale: float
) -> tuple[Float[Tensor, " events"], Float[Tensor, " events"]]:
    """Map [0, 1] to p in [0, limit] with the density dp²/(p² + scale²); return p and log |dp²/du|."""
    log_range = _positive(torch.log1p((limit / scale).square()))
    square = scale**2 * torch.expm1(number * log_range)
    return square.sqrt(), torch.log((square + scale**2) * log_range)


def to_power(
    value: Float[Tensor, " events"], limit: Float[Tensor, " events"], scale: float
) -> tuple[Float[Tensor, " events"], Float[Tensor, " events"]]:
    """Return the number of p and log |du/dp²|: the inverse of `from_power`."""
    log_range = _positive(torch.log1p((limit / scale).square()))
    square = value.square()
    return torch.log1p(square / scale**2) / log_range, -torch.log((square + scale**2) * log_range)


def from_peak(
    number: Float[Tensor, " events"], peak: Float[Tensor, " events"], lower: Limit, upper: Limit, width: float
) -> tuple[Float[Tensor, " events"], Float[Tensor, " events"]]:
    """Map [0, 1] to v in [lower, upper] with the density dv/√((v − peak)² + width²); return v and log |dv/du|."""
    start, length = _ends(peak, lower, upper, width)
    offset = torch.sinh(start + length * number)
    return peak + width * offset, torch.log(width * length) + 0.5 * torch.log1p(offset.square())


def to_peak(
    value: Float[Tensor, " events"], peak: Float[Tensor, " events"], lower: Limit, upper: Limit, width: float
) -> tuple[Float[Tensor, " events"], Float[Tensor, " events"]]:
    """Return the number of v and log |du/dv|: the inverse of `from_peak`."""
    start, length = _ends(peak, lower, upper, width)
    offset = (value - peak) / width
    return (torch.asinh(offset) - start) / length, -torch.log(width * length) - 0.5 * torch.log1p(offset.square())


def _ends(peak: Tensor, lower: Limit, upper: Limit, width: float) -> tuple[Tensor, Tensor]:
    start = torch.asinh((lower - peak) / width)
    return start, _positive(torch.asinh((upper - peak) / width) - start)


def _positive(values: Tensor) -> Tensor:
    return values.clamp(min=torch.finfo(values.dtype).tiny)
