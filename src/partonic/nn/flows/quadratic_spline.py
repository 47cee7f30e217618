"""Monotonic quadratic splines (Müller et al., arXiv:1808.03841, section 4.2), the identity outside [−bound, bound].

The derivative is piecewise linear: v₀, v₁ at the edges of a bin of width w, normalised so that the whole interval maps
onto itself. At the fraction θ of the bin, y rises by w (v₀ θ + (v₁ − v₀) θ²/2) above its left edge; the inverse for a
rise of r w is θ = 2 r/(v₀ + √(v₀² + 2 (v₁ − v₀) r)), in which nothing cancels.
"""

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["quadratic_forward", "quadratic_inverse", "quadratic_parameters"]

_SMALLEST = 1e-3
"""Smallest width of a bin and smallest derivative before normalisation, relative to the average."""


def quadratic_parameters(bins: int) -> int:
    """Return how many raw parameters a spline has: `bins` widths and ``bins + 1`` derivatives."""
    return 2 * bins + 1


def quadratic_forward(
    x: Float[Tensor, "*batch n"], raw: Float[Tensor, "*batch parameters n"], bound: float
) -> tuple[Float[Tensor, "*batch n"], Float[Tensor, "*batch n"]]:
    """Return y and ln dy/dx.

    Args:
        x: numbers to transform.
        raw: raw parameters of the spline of each number.
        bound: the spline maps [−bound, bound] onto itself; beyond, y = x.
    """
    place = (x.clamp(-bound, bound) / bound + 1.0) * 0.5
    widths, derivatives, ends, tops = _knots(raw)
    width, first, second, left, bottom = _chosen(ends, place, widths, derivatives, ends, tops)
    theta = (place - left) / width
    value = bottom + width * theta * (first + 0.5 * (second - first) * theta)
    return _finish(x, bound, value, first + (second - first) * theta)


def quadratic_inverse(
    y: Float[Tensor, "*batch n"], raw: Float[Tensor, "*batch parameters n"], bound: float
) -> tuple[Float[Tensor, "*batch n"], Float[Tensor, "*batch n"]]:
    """Return x, and ln dy/dx of the forward direction there. Arguments as in `quadratic_forward`."""
    place = (y.clamp(-bound, bound) / bound + 1.0) * 0.5
    widths, derivatives, ends, tops = _knots(raw)
    width, first, second, left, bottom = _chosen(tops, place, widths, derivatives, ends, tops)
    rise = ((place - bottom) / width).clamp(min=0.0)
    root = (first.square() + 2.0 * (second - first) * rise).clamp(min=0.0).sqrt()
    theta = 2.0 * rise / (first + root)
    return _finish(y, bound, left + width * theta, first + (second - first) * theta)


def _knots(raw: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return widths and derivatives, and where bins end in x and in y; the whole is [0, 1]."""
    bins = (raw.shape[-2] - 1) // 2
    widths = _SMALLEST / bins + (1.0 - _SMALLEST) * torch.softmax(raw[..., :bins, :], dim=-2)
    derivatives = _SMALLEST + torch.nn.functional.softplus(raw[..., bins:, :])
    rises = 0.5 * widths * (derivatives[..., :-1, :] + derivatives[..., 1:, :])
    total = rises.sum(dim=-2, keepdim=True)
    return widths, derivatives / total, widths.cumsum(dim=-2), (rises / total).cumsum(dim=-2)


def _chosen(
    searched: Tensor, place: Tensor, widths: Tensor, derivatives: Tensor, ends: Tensor, tops: Tensor
) -> tuple[Tensor, ...]:
    """Return width, derivatives at both edges, left and bottom of the bin that each number is in."""
    index = (searched[..., :-1, :] < place[..., None, :]).sum(dim=-2, keepdim=True)
    before = (index - 1).clamp(min=0)
    inner = (index > 0).to(place.dtype)
    left, bottom = ends.gather(-2, before) * inner, tops.gather(-2, before) * inner
    found = (
        widths.gather(-2, index), derivatives.gather(-2, index), derivatives.gather(-2, index + 1), left, bottom,
    )  # fmt: skip
    return tuple(values[..., 0, :] for values in found)


def _finish(value: Tensor, bound: float, place: Tensor, derivative: Tensor) -> tuple[Tensor, Tensor]:
    """Map the fraction back to [−bound, bound]; keep numbers beyond as they are."""
    inside = value.abs() <= bound
    log_derivative = torch.where(inside, derivative, 1.0).log()
    return torch.where(inside, (2.0 * place - 1.0) * bound, value), log_derivative
