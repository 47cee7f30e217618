"""Monotonic rational-quadratic splines of the unit interval, the one-dimensional maps that grids and flows are made of.

Between knots (x_k, y_k) with derivatives d_k, and with ξ = (x − x_k)/w_k, s = h_k/w_k,

    y = y_k + h_k [s ξ² + d_k ξ(1 − ξ)] / D,      D = s + (d_k + d_{k+1} − 2s) ξ(1 − ξ),
    dy/dx = s² [d_{k+1} ξ² + 2s ξ(1 − ξ) + d_k (1 − ξ)²] / D²,

which is inverted by the root of a quadratic equation (C. Durkan et al., arXiv:1906.04032, eqs. 4–8).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["SplineBin", "learned_bin"]

_SMALLEST_BIN = 1e-3
"""Least width and height of a bin of a learned spline."""
_SMALLEST_SLOPE = 1e-3
"""Least derivative at a knot of a learned spline."""
_LOG_2 = 0.6931471805599453


@dataclass(frozen=True)
class SplineBin:
    """The bin of a spline that each point falls in.

    Attributes:
        left, bottom: the knot at its start, `(N,)`.
        width, height: its size, positive.
        first, second: derivatives dy/dx at its two knots, positive.
    """

    left: Float[Tensor, "*points"]
    bottom: Float[Tensor, "*points"]
    width: Float[Tensor, "*points"]
    height: Float[Tensor, "*points"]
    first: Float[Tensor, "*points"]
    second: Float[Tensor, "*points"]

    def forward(self, x: Float[Tensor, "*points"]) -> tuple[Float[Tensor, "*points"], Float[Tensor, "*points"]]:
        """Return y and log dy/dx."""
        slope, ratio = self.height / self.width, ((x - self.left) / self.width).clamp(0.0, 1.0)
        product = ratio * (1.0 - ratio)
        denominator = slope + (self.first + self.second - 2.0 * slope) * product
        y = self.bottom + self.height * (slope * ratio.square() + self.first * product) / denominator
        return y, self._log_slope(slope, ratio, product, denominator)

    def inverse(self, y: Float[Tensor, "*points"]) -> tuple[Float[Tensor, "*points"], Float[Tensor, "*points"]]:
        """Return x and log dy/dx there."""
        slope, offset = self.height / self.width, (y - self.bottom).clamp(min=0.0)
        bend = self.first + self.second - 2.0 * slope
        a = offset * bend + self.height * (slope - self.first)
        b = self.height * self.first - offset * bend
        c = -slope * offset
        root = (b.square() - 4.0 * a * c).clamp(min=0.0).sqrt()
        ratio = (2.0 * c / (-b - root)).clamp(0.0, 1.0)
        product = ratio * (1.0 - ratio)
        return self.left + ratio * self.width, self._log_slope(slope, ratio, product, slope + bend * product)

    def _log_slope(self, slope: Tensor, ratio: Tensor, product: Tensor, denominator: Tensor) -> Tensor:
        rest = 1.0 - ratio
        above = self.second * ratio.square() + 2.0 * slope * product + self.first * rest.square()
        return above.log() + 2.0 * (slope / denominator).log()


def learned_bin(
    parameters: Float[Tensor, "points parameters"], value: Float[Tensor, " points"], *, inverse: bool
) -> SplineBin:
    """Return the bin of the spline that a network gives for each point.

    Args:
        parameters: logarithms of the K widths, of the K heights, and the K + 1 derivatives before softplus; all zero is
            the identity.
        value: x, or y if `inverse`.
        inverse: whether the point is known by its y.
    """
    bins = parameters.shape[1] // 3
    shares = torch.softmax(parameters[:, : 2 * bins].reshape(-1, 2, bins), dim=2)
    sizes = _SMALLEST_BIN + (1.0 - _SMALLEST_BIN * bins) * shares
    ends = sizes.cumsum(dim=2)
    index = (ends[:, int(inverse), :-1] <= value.detach()[:, None]).sum(dim=1, keepdim=True)
    size = sizes.gather(2, index[:, None].expand(-1, 2, -1))[..., 0]
    end = ends.gather(2, index[:, None].expand(-1, 2, -1))[..., 0]
    slopes = parameters[:, 2 * bins :].gather(1, torch.cat([index, index + 1], dim=1))
    slopes = (_SMALLEST_SLOPE + torch.nn.functional.softplus(slopes)) / (_SMALLEST_SLOPE + _LOG_2)
    start = end - size
    return SplineBin(start[:, 0], start[:, 1], size[:, 0], size[:, 1], slopes[:, 0], slopes[:, 1])


def knot_bin(
    knots: Float[Tensor, "splines knots"],
    slopes: Float[Tensor, "splines knots"],
    index: Int[Tensor, "splines points"],
) -> SplineBin:
    """Return the bins `index` of fixed splines over equal steps of x, whose y at the knots are `knots`."""
    bins = knots.shape[1] - 1
    bottom, top = knots.gather(1, index), knots.gather(1, index + 1)
    left = index.to(knots.dtype) / bins
    width = torch.full_like(left, 1.0 / bins)
    return SplineBin(left, bottom, width, top - bottom, slopes.gather(1, index), slopes.gather(1, index + 1))
