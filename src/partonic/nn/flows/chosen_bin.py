"""The one bin of a spline in which a number lies, with its gradient in closed form.

A rational-quadratic spline of K bins has 3K − 1 raw parameters: K widths, K heights and the K − 1 slopes at the inner
knots. Only one bin acts on a number, so only its edges, sizes and slopes are worked out. The gradient of
``edge = Σ_{j<k} e_j / Σ_j e_j`` and ``size = e_k / Σ_j e_j`` is piecewise constant in units of e_j, so that the whole
backward pass is a handful of sweeps over the raw parameters, against some thirty when every step is recorded.

The parameters of a spline lie along the last axis but one, the events along the last, so that sweeps run along events.
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

    left: Float[Tensor, "*batch n"]
    """Lower edge in x."""

    width: Float[Tensor, "*batch n"]
    """Size in x."""

    bottom: Float[Tensor, "*batch n"]
    """Lower edge in y."""

    height: Float[Tensor, "*batch n"]
    """Size in y."""

    log_slope_left: Float[Tensor, "*batch n"]
    """Logarithm of dy/dx at the lower edge."""

    log_slope_right: Float[Tensor, "*batch n"]
    """Logarithm of dy/dx at the upper edge."""


def choose_bin(
    fraction: Float[Tensor, "*batch n"], raw: Float[Tensor, "*batch parameters n"], *, by_height: bool
) -> ChosenBin:
    """Return the bin in which a number lies.

    Bin sizes are proportional to ``exp(r / (1 + |2r / ln s|))`` and inner slopes are ``exp(r / (1 + |r / ln s|))`` with
    s = `SMALLEST_SLOPE`, so that no raw parameter overflows; the outer slopes are 1.

    Args:
        fraction: place of the number in the interval, in [0, 1].
        raw: 3K − 1 raw parameters: K widths, K heights, K − 1 inner slopes. Differentiable (once).
        by_height: whether `fraction` is measured along y rather than x.
    """
    return ChosenBin(*_apply(raw, fraction.detach(), by_height))


class _ChooseBin(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, raw: Tensor, fraction: Tensor, by_height: bool) -> tuple[Tensor, ...]:
        """Find the bin of each number and keep what the gradient needs."""
        bins = (raw.shape[-2] + 1) // 3
        sizes = _sizes(raw)
        shrink = sizes.abs().mul_(-2.0 / math.log(SMALLEST_SLOPE)).add_(1.0).reciprocal_()
        exponentials = (sizes * shrink).exp_()
        ends = _running_sum(exponentials)
        totals = ends[..., -1, :]
        side = int(by_height)
        chosen = _count_below(ends[..., side, : bins - 1, :], fraction * totals[..., side, :])
        index = _index_of_sizes(chosen)
        size = exponentials.gather(-2, index)[..., 0, :]
        edge = (ends.gather(-2, index)[..., 0, :] - size) / totals
        size = size / totals
        slopes, slope_shrink = _log_slopes(raw, chosen)
        ctx.save_for_backward(shrink, exponentials, totals, chosen, edge, size, slope_shrink)
        return (*_interleave(edge, size), *slopes.unbind(dim=-2))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        """Return the gradient in all raw parameters, in closed form."""
        shrink, exponentials, totals, chosen, edge, size, slope_shrink = ctx.saved_tensors
        bins = exponentials.shape[-2]
        of_edge = torch.stack((gradients[0], gradients[2]), dim=-2)
        of_size = torch.stack((gradients[1], gradients[3]), dim=-2)
        beyond = -(of_edge * edge + of_size * size) / totals
        before, inside = beyond + of_edge / totals, beyond + of_size / totals
        *batch, n = chosen.shape
        gradient = exponentials.new_empty((*batch, 3 * bins - 1, n))
        of_sizes = _sizes(gradient)
        is_before = (torch.arange(bins, device=chosen.device)[:, None] < chosen[..., None, :])[..., None, :, :]
        torch.where(is_before, before[..., None, :], beyond[..., None, :], out=of_sizes)
        of_sizes.scatter_(-2, _index_of_sizes(chosen), inside[..., None, :])
        of_sizes.mul_(exponentials).mul_(shrink).mul_(shrink)
        of_slopes = gradient[..., 2 * bins :, :].zero_()
        contribution = torch.stack(gradients[4:], dim=-2) * slope_shrink.square()
        of_slopes.scatter_add_(-2, _slope_places(chosen, bins), contribution)
        return gradient, None, None


def _apply(raw: Tensor, fraction: Tensor, by_height: bool) -> tuple[Tensor, ...]:
    chosen: tuple[Tensor, ...] = _ChooseBin.apply(raw, fraction, by_height)  # type: ignore[no-untyped-call]
    return chosen


def _sizes(raw: Float[Tensor, "*batch parameters n"]) -> Float[Tensor, "*batch 2 bins n"]:
    """Return a view of the widths and heights."""
    *batch, parameters, n = raw.shape
    bins = (parameters + 1) // 3
    return raw[..., : 2 * bins, :].view(*batch, 2, bins, n)


def _interleave(edge: Tensor, size: Tensor) -> tuple[Tensor, ...]:
    return edge[..., 0, :], size[..., 0, :], edge[..., 1, :], size[..., 1, :]


def _running_sum(sizes: Float[Tensor, "*batch bins n"]) -> Float[Tensor, "*batch bins n"]:
    if sizes.device.type != "cpu":
        return sizes.cumsum(dim=-2)
    sums = torch.empty_like(sizes)
    sums[..., 0, :] = sizes[..., 0, :]
    rows = sums.unbind(dim=-2)
    for row, size, total in zip(rows[:-1], sizes.unbind(dim=-2)[1:], rows[1:], strict=True):
        torch.add(row, size, out=total)  # sweeps along events, some 15 times quicker than a sum along columns
    return sums


def _count_below(ends: Float[Tensor, "*batch inner n"], target: Float[Tensor, "*batch n"]) -> Int[Tensor, "*batch n"]:
    """Return the index of the first bin that ends at or above the target; the last bin for all beyond."""
    below = ends < target[..., None, :]
    narrow = torch.uint8 if ends.shape[-2] < 256 else torch.int32
    return below.view(torch.uint8).sum(dim=-2, dtype=narrow).long()


def _index_of_sizes(chosen: Int[Tensor, "*batch n"]) -> Int[Tensor, "*batch 2 1 n"]:
    *batch, n = chosen.shape
    return chosen[..., None, None, :].expand(*batch, 2, 1, n)


def _slope_places(chosen: Int[Tensor, "*batch n"], bins: int) -> Int[Tensor, "*batch 2 n"]:
    """Return where among the inner knots the edges of the bin are; outer knots are moved to a neighbour."""
    return torch.stack(((chosen - 1).clamp_(min=0), chosen.clamp(max=bins - 2)), dim=-2)


def _log_slopes(
    raw: Float[Tensor, "*batch parameters n"], chosen: Int[Tensor, "*batch n"]
) -> tuple[Float[Tensor, "*batch 2 n"], Float[Tensor, "*batch 2 n"]]:
    """Return the logarithm of the slopes at both edges, and their derivative's root; both vanish at outer knots."""
    bins = (raw.shape[-2] + 1) // 3
    slopes = raw[..., 2 * bins :, :].gather(-2, _slope_places(chosen, bins))
    inner = torch.stack((chosen > 0, chosen < bins - 1), dim=-2)
    shrink = inner / (slopes.abs() * (-1.0 / math.log(SMALLEST_SLOPE)) + 1.0)
    return slopes * shrink, shrink
