"""Monotonic rational-quadratic splines (Durkan et al., arXiv:1906.04032), the identity outside [−bound, bound].

In a bin with slope ratio s = height/width and slopes d₀, d₁ at its edges, at the fraction θ of its width:

    y-fraction = θ (s θ + d₀ (1 − θ)) / (s (θ² + (1 − θ)²) + (d₀ + d₁) θ (1 − θ)).

This and the derivative, eqs. (4) and (5), are written as sums of positive terms. So is the inverse: with the y-fraction
v, A = d₀ (1 − v) and B = d₁ v, the discriminant of the quadratic equation, eqs. (6) to (8), is
(A − B)² + 4 s² v (1 − v). Nothing cancels, for any slopes, in single precision too.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.nn.flows.chosen_bin import choose_bin

__all__ = ["spline_forward", "spline_inverse", "spline_parameters"]


def spline_parameters(bins: int) -> int:
    """Return how many raw parameters a spline has: `bins` widths, `bins` heights and ``bins − 1`` inner slopes."""
    return 3 * bins - 1


def spline_forward(
    x: Float[Tensor, "*batch n"], raw: Float[Tensor, "*batch parameters n"], bound: float
) -> tuple[Float[Tensor, "*batch n"], Float[Tensor, "*batch n"]]:
    """Return y and ln dy/dx. A NaN stays a NaN.

    Args:
        x: numbers to transform.
        raw: raw parameters of the spline of each number, see `choose_bin`.
        bound: the spline maps [−bound, bound] onto itself; beyond, y = x.
    """
    place = _place(x, bound)
    chosen = choose_bin(place, raw, by_height=False)
    theta = _fraction_of_bin(place, chosen.left, chosen.width)
    ratio = chosen.height / chosen.width
    first, second = chosen.log_slope_left.exp(), chosen.log_slope_right.exp()
    both = theta * (1.0 - theta)
    denominator = ratio * (1.0 - 2.0 * both) + (first + second) * both
    fraction = theta * (ratio * theta + first * (1.0 - theta)) / denominator
    log_derivative = _log_derivative(theta, ratio, first, second)
    return _outside_unchanged(x, bound, chosen.bottom + chosen.height * fraction, log_derivative)


def spline_inverse(
    y: Float[Tensor, "*batch n"], raw: Float[Tensor, "*batch parameters n"], bound: float
) -> tuple[Float[Tensor, "*batch n"], Float[Tensor, "*batch n"]]:
    """Return x, and ln dy/dx of the forward direction there. Arguments as in `spline_forward`."""
    place = _place(y, bound)
    chosen = choose_bin(place, raw, by_height=True)
    ratio = chosen.height / chosen.width
    first, second = chosen.log_slope_left.exp(), chosen.log_slope_right.exp()
    theta = _invert_fraction(_fraction_of_bin(place, chosen.bottom, chosen.height), ratio, first, second)
    log_derivative = _log_derivative(theta, ratio, first, second)
    return _outside_unchanged(y, bound, chosen.left + chosen.width * theta, log_derivative)


def _place(value: Tensor, bound: float) -> Tensor:
    """Return where in [−bound, bound] a number lies, as a fraction from 0 to 1."""
    return value.clamp(-bound, bound) * (0.5 / bound) + 0.5


def _fraction_of_bin(place: Tensor, edge: Tensor, size: Tensor) -> Tensor:
    """Return where in its bin a number lies; rounding at an edge is undone in the value, not in the gradient."""
    fraction = (place - edge) / size
    return fraction + (fraction.detach().clamp(0.0, 1.0) - fraction.detach())


def _invert_fraction(fraction: Tensor, ratio: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Return θ for the fraction v of the height of the bin."""
    rest = 1.0 - fraction
    difference = first * rest - second * fraction
    root = (difference.square() + 4.0 * ratio.square() * fraction * rest).sqrt() + difference.abs()
    from_left = difference >= 0.0
    share = torch.where(from_left, fraction, rest) * (2.0 * ratio)
    return torch.where(from_left, share, root) / (root + share)


def _log_derivative(theta: Tensor, ratio: Tensor, first: Tensor, second: Tensor) -> Tensor:
    rest = 1.0 - theta
    both = theta * rest
    denominator = ratio * (1.0 - 2.0 * both) + (first + second) * both
    numerator = second * theta.square() + 2.0 * ratio * both + first * rest.square()
    return (numerator * (ratio / denominator).square()).log()


def _outside_unchanged(value: Tensor, bound: float, mapped: Tensor, log_derivative: Tensor) -> tuple[Tensor, Tensor]:
    """Map the fraction back to [−bound, bound]; keep numbers beyond as they are."""
    inside = value.abs() <= bound
    return (
        torch.where(inside, (2.0 * mapped - 1.0) * bound, value),
        torch.where(inside, log_derivative, log_derivative.new_zeros(())),
    )
