"""The one bin of a spline in which a number lies, with its gradient in closed form.

A rational-quadratic spline of K bins has 3K − 1 raw parameters: K widths, K heights and the K − 1 slopes at the inner
knots. Only one bin acts on a number, so only its edges, sizes and slopes are worked out. The gradient of
``edge = Σ_{j<k} e_j / Σ_j e_j`` and ``size = e_k / Σ_j e_j`` is piecewise constant in units of e_j, so that the whole
backward pass is a handful of sweeps over the raw parameters, against some thirty when every step is recorded.
"""

import math
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ["SMALLEST_SLOPE", "ChosenBin", "choose_bin"]

SMALLEST_SLOPE = 1e-3
"""Smallest slope at a knot, and smallest ratio of two bin sizes; the largest is its inverse."""


class ChosenBin(NamedTuple):
    """The bin of each number. Edges and sizes are fractions of the whole interval, in [0, 1]."""

    left: Float[Tensor, "*batch"]
    """Lower edge in x."""

    width: Float[Tensor, "*batch"]
    """Size in x."""

    bottom: Float[Tensor, "*batch"]
    """Lower edge in y."""

    height: Float[Tensor, "*batch"]
    """Size in y."""

    log_slope_left: Float[Tensor, "*batch"]
    """Logarithm of dy/dx at the lower edge."""

    log_slope_right: Float[Tensor, "*batch"]
    """Logarithm of dy/dx at the upper edge."""


def choose_bin(
    fraction: Float[Tensor, "*batch"], raw: Float[Tensor, "*batch parameters"], *, by_height: bool
) -> ChosenBin:
    """Return the bin in which a number lies.

    Bin sizes are proportional to ``exp(r / (1 + |2r / ln s|))`` and inner slopes are ``exp(r / (1 + |r / ln s|))`` with
    s = `SMALLEST_SLOPE`, so that no raw parameter overflows; the outer slopes are 1.

    Args:
        fraction: place of the number in the interval, in [0, 1].
        raw: 3K − 1 raw parameters: K widths, K heights, K − 1 inner slopes. Differentiable (once).
        by_height: whether `fraction` is measured along y rather than x.
    """
    return ChosenBin(*_ChooseBin.apply(raw, fraction.detach(), by_height))


class _ChooseBin(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, raw: Tensor, fraction: Tensor, by_height: bool) -> tuple[Tensor, ...]:  # noqa: FBT001
        bins = (raw.shape[-1] + 1) // 3
        sizes = raw[..., : 2 * bins].unflatten(-1, (2, bins))
        shrink = sizes.abs().mul_(-2.0 / math.log(SMALLEST_SLOPE)).add_(1.0).reciprocal_()
        exponentials = (sizes * shrink).exp_()
        ends = exponentials.cumsum(dim=-1)
        totals = ends[..., -1]
        side = int(by_height)
        chosen = _count_below(ends[..., side, :], fraction * totals[..., side])
        index = chosen[..., None, None].expand(*chosen.shape, 2, 1)
        size = exponentials.gather(-1, index)[..., 0]
        edge = (ends.gather(-1, index)[..., 0] - size) / totals
        size = size / totals
        slopes, slope_shrink = _log_slopes(raw, chosen)
        ctx.save_for_backward(shrink, exponentials, totals, chosen, edge, size, slope_shrink)
        return edge[..., 0], size[..., 0], edge[..., 1], size[..., 1], slopes[..., 0], slopes[..., 1]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        shrink, exponentials, totals, chosen, edge, size, slope_shrink = ctx.saved_tensors
        bins = exponentials.shape[-1]
        of_edge = torch.stack((gradients[0], gradients[2]), dim=-1)
        of_size = torch.stack((gradients[1], gradients[3]), dim=-1)
        beyond = -(of_edge * edge + of_size * size) / totals
        before, inside = beyond + of_edge / totals, beyond + of_size / totals
        gradient = exponentials.new_empty((*chosen.shape, 3 * bins - 1))
        of_sizes = gradient[..., : 2 * bins].unflatten(-1, (2, bins))
        is_before = (torch.arange(bins, device=chosen.device) < chosen[..., None])[..., None, :]
        torch.where(is_before, before[..., None], beyond[..., None], out=of_sizes)
        of_sizes.scatter_(-1, chosen[..., None, None].expand(*chosen.shape, 2, 1), inside[..., None])
        of_sizes.mul_(exponentials).mul_(shrink).mul_(shrink)
        of_slopes = gradient[..., 2 * bins :].zero_()
        contribution = torch.stack(gradients[4:], dim=-1) * slope_shrink.square()
        of_slopes.scatter_add_(-1, _slope_places(chosen, bins), contribution)
        return gradient, None, None


def _count_below(ends: Float[Tensor, "*batch bins"], target: Float[Tensor, "*batch"]) -> Int[Tensor, "*batch"]:
    """Return the index of the first bin that ends at or above the target; the last bin for all beyond."""
    index = torch.searchsorted(ends.contiguous(), target[..., None].contiguous())[..., 0]
    return index.clamp_(max=ends.shape[-1] - 1)


def _slope_places(chosen: Int[Tensor, "*batch"], bins: int) -> Int[Tensor, "*batch 2"]:
    """Return where among the inner knots the edges of the bin are; outer knots are moved to a neighbour."""
    return torch.stack(((chosen - 1).clamp_(min=0), chosen.clamp(max=bins - 2)), dim=-1)


def _log_slopes(
    raw: Float[Tensor, "*batch parameters"], chosen: Int[Tensor, "*batch"]
) -> tuple[Float[Tensor, "*batch 2"], Float[Tensor, "*batch 2"]]:
    """Return the logarithm of the slopes at both edges, and their derivative's root; both vanish at outer knots."""
    bins = (raw.shape[-1] + 1) // 3
    slopes = raw[..., 2 * bins :].gather(-1, _slope_places(chosen, bins))
    inner = torch.stack((chosen > 0, chosen < bins - 1), dim=-1)
    shrink = inner / (slopes.abs() * (-1.0 / math.log(SMALLEST_SLOPE)) + 1.0)
    return slopes * shrink, shrink
