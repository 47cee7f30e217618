"""Maximum mean discrepancy: how far apart two samples are, without a model of either density.

MMD² = E k(x, x′) + E k(y, y′) − 2 E k(x, y), with x, x′ from one and y, y′ from the other distribution, vanishes
exactly when the two are equal (A. Gretton et al., JMLR 13 (2012) 723, lemma 4). The estimator is the U-statistic of
their eq. 3: pairs of an event with itself are left out, so its mean does not depend on the size of the batch, and it
can be negative. The kernel is a sum of rational-quadratic ones of several widths, k = Σ_a a² / (a² + |x − y|²).

Value and gradient are computed together, block of rows by block of rows, from one matrix product per block: nothing of
the size of the batch squared is kept, and inner sums need only the pairs i < j. A large batch can moreover be cut into
groups whose statistics are pooled (the B-test of W. Zaremba et al., NIPS 2013), which costs events × group instead
of events² and stays unbiased.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from partonic.errors import NonFiniteError

__all__ = ["SCALES", "mmd", "multiscale_kernel"]

SCALES = (0.1, 0.2, 0.5, 0.9, 1.3)
"""Widths a of the kernel, in the units of (standardised) features."""

_ROWS = {"cpu": 64}
"""Rows of a block by device: on a CPU its distances to 3072 events fit the second-level cache."""

_ROWS_ELSEWHERE = 4096
"""Rows of a block on other devices, where few large operations are faster."""


def multiscale_kernel(
    squared_distance: Float[Tensor, "*shape"], scales: Sequence[float] = SCALES
) -> Float[Tensor, "*shape"]:
    """Return k = Σ_a a² / (a² + d²) for squared distances d²: `len(scales)` at d = 0, falling as 1/d²."""
    total = torch.zeros_like(squared_distance)
    for scale in scales:
        total = total + scale**2 / (scale**2 + squared_distance)
    return total


def mmd(
    x: Float[Tensor, "n features"],
    y: Float[Tensor, "m features"],
    scales: Sequence[float] = SCALES,
    weights_x: Float[Tensor, "n"] | None = None,
    weights_y: Float[Tensor, "m"] | None = None,
    unbiased: bool = True,
    group: int | None = None,
) -> Float[Tensor, ""]:
    """Return the squared maximum mean discrepancy between two samples, differentiable in `x` and `y`.

    Args:
        x: first sample, e.g. the network's, with features of order one.
        y: second sample, e.g. the truth. Its length may differ.
        scales: widths of the kernel.
        weights_x: weights of the first sample, not differentiated; a mask is weights of 0 and 1. None: all 1.
        weights_y: the same for the second sample.
        unbiased: leave out pairs of an event with itself (U-statistic); else keep them (V-statistic, never negative).
        group: cut each sample into groups of about this many and pool their statistics; None for one group.
            The order of the events must be random.

    Raises:
        ValueError: if a sample has fewer than two events.
        NonFiniteError: if a sample has fewer than two events of non-zero weight.
    """
    if min(len(x), len(y)) < 2:
        raise ValueError(f"the discrepancy of two samples needs two events in each, got {len(x)} and {len(y)}")
    dtype = torch.promote_types(torch.promote_types(x.dtype, y.dtype), torch.float32)
    centre = x.detach().to(dtype).mean(0)  # distances do not change, and lose less to rounding
    first, second = x.to(dtype) - centre, y.to(dtype) - centre
    weight = [_weights(first, weights_x), _weights(second, weights_y)]
    groups = 1 if group is None else max(1, min(len(x), len(y)) // max(group, 2))
    parts = [tensor.tensor_split(groups) for tensor in (first, second, *weight)]
    with torch.autocast(x.device.type, enabled=False):
        sums = [_group_sums(part, tuple(scales), unbiased) for part in zip(*parts, strict=True)]
    total = torch.stack(sums).sum(0)
    if (weights_x is not None or weights_y is not None) and not bool((total[:, 1] > 0.0).all()):
        msg = "the discrepancy of two samples needs two events of non-zero weight in each"
        raise NonFiniteError(msg)
    within_x, within_y, across = (total[:, 0] / total[:, 1]).unbind()
    return within_x + within_y - 2.0 * across


def _weights(x: Tensor, weights: Tensor | None) -> Tensor:
    return x.new_ones(len(x)) if weights is None else weights.detach().to(x.dtype)


def _group_sums(part: tuple[Tensor, ...], scales: tuple[float, ...], unbiased: bool) -> Tensor:
    """Return sums over pairs, rows: within x, within y, across; columns: of weight × kernel and of weight."""
    x, y, weights_x, weights_y = part
    rows = []
    for points, weights in ((x, weights_x), (y, weights_y)):
        itself = 0.0 if unbiased else (weights**2).sum()
        kernel = _within_sum(points, weights, scales)
        rows.append(torch.stack([kernel + itself * len(scales), weights.sum() ** 2 - (weights**2).sum() + itself]))
    across = _across_sum(x, y, weights_x, weights_y, scales)
    rows.append(torch.stack([across, weights_x.sum() * weights_y.sum()]))
    return torch.stack(rows)


class _WithinSum(torch.autograd.Function):
    """Σ_{i≠j} w_i w_j k(x_i, x_j) with its gradient in x."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weights: Tensor, scales: tuple[float, ...]) -> Tensor:
        """Sum over pairs i < j, twice."""
        gradient = torch.zeros_like(x) if ctx.needs_input_grad[0] else None
        total = x.new_zeros(())
        for rows in _blocks(x):
            after = slice(rows.start, None)
            pair = (2.0 * weights[rows, None] * weights[after]).triu_(diagonal=1)
            kernel, slope = _kernel_and_slope(x[rows], x[after], scales, gradient is not None)
            total += torch.sum(kernel.mul_(pair))
            if gradient is not None:
                slope.mul_(pair)
                gradient[rows] += _pull(slope, x[rows], x[after])
                gradient[after] += _pull(slope.T, x[after], x[rows])
        ctx.gradient = gradient
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, None, None]:
        """Scale the gradient that `forward` computed."""
        return (None if ctx.gradient is None else upstream * ctx.gradient), None, None


class _AcrossSum(torch.autograd.Function):
    """Σ_{ij} w_i v_j k(x_i, y_j) with its gradients in x and y."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, y: Tensor, weights_x: Tensor, weights_y: Tensor, scales: tuple[float, ...]
    ) -> Tensor:
        """Sum over all pairs."""
        gradients = [
            torch.zeros_like(z) if need else None for z, need in zip((x, y), ctx.needs_input_grad, strict=False)
        ]
        differentiable = any(ctx.needs_input_grad)
        total = x.new_zeros(())
        for rows in _blocks(x):
            pair = weights_x[rows, None] * weights_y
            kernel, slope = _kernel_and_slope(x[rows], y, scales, differentiable)
            total += torch.sum(kernel.mul_(pair))
            slope = slope.mul_(pair) if differentiable else slope
            if gradients[0] is not None:
                gradients[0][rows] += _pull(slope, x[rows], y)
            if gradients[1] is not None:
                gradients[1] += _pull(slope.T, y, x[rows])
        ctx.gradients = gradients
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, Tensor | None, None, None, None]:
        """Scale the gradients that `forward` computed."""
        along_x, along_y = (None if gradient is None else upstream * gradient for gradient in ctx.gradients)
        return along_x, along_y, None, None, None


_within_sum = cast("Callable[..., Tensor]", _WithinSum.apply)
_across_sum = cast("Callable[..., Tensor]", _AcrossSum.apply)


def _blocks(x: Tensor) -> Iterator[slice]:
    rows = _ROWS.get(x.device.type, _ROWS_ELSEWHERE)
    for start in range(0, len(x), rows):
        yield slice(start, start + rows)


def _kernel_and_slope(x: Tensor, y: Tensor, scales: tuple[float, ...], slope: bool) -> tuple[Tensor, Tensor]:
    """Return k and dk/d(d²) = −Σ_a a²/(a² + d²)² of all pairs; the second is empty unless asked for."""
    distance = torch.addmm((y**2).sum(1), x, y.T, alpha=-2.0).add_((x**2).sum(1, keepdim=True)).clamp_(min=0.0)
    kernel = torch.zeros_like(distance)
    derivative = torch.zeros_like(distance) if slope else distance[:0]
    term = torch.empty_like(distance)
    for scale in scales:
        torch.add(distance, scale**2, out=term).reciprocal_()
        kernel.add_(term, alpha=scale**2)
        if slope:
            derivative.addcmul_(term, term, value=-(scale**2))
    return kernel, derivative


def _pull(slope: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Return Σ_j slope_ij d|x_i − y_j|²/dx_i = 2 Σ_j slope_ij (x_i − y_j)."""
    return 2.0 * (slope.sum(1, keepdim=True) * x - slope @ y)
