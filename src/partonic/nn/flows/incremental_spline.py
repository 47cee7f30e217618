"""Inversion of many splines at once, one number after another, without gradient.

Samples run along the last, contiguous axis, parameters along the first, so that each operation sweeps over long rows.
Bin sizes are compared as they come, unnormalised: with ends c_k = Σ_{j≤k} e_j, the bin of y is the number of c_k below
y c_K. Six numbers are then picked for each sample: size and end of the bin in x and in y, and the slopes at its edges.
What the derivative needs is kept, and worked out for all numbers of a transform together.

Formulas: see `partonic.nn.flows.spline`. Functions are called by names that PyTorch and NumPy share.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from partonic.nn.flows.chosen_bin import SMALLEST_SLOPE

__all__ = ["Array", "SplineRows"]

Array = Any
"""A tensor or a NumPy array."""

SIZE_EXPONENT = -0.5 * math.log2(SMALLEST_SLOPE)
"""The size of a bin is 2 to the power of this times r / (1 + |r|)."""

SLOPE_EXPONENT = -math.log2(SMALLEST_SLOPE)
"""The slope at a knot is 2 to the power of this times r / (1 + |r|)."""


class SplineRows:
    """Splines of `columns` samples: room for the parameters of one number, and for what all numbers need later."""

    def __init__(
        self, library: Any, view: Callable[[Tensor], Array], bins: int, columns: int, kind: dict[str, Any]
    ) -> None:
        """Set up the room.

        Args:
            library: `torch` or `numpy`; matrix products are always PyTorch's.
            view: returns a tensor as an array of the library, on the same memory.
            bins: bins of each spline, K.
            columns: samples.
            kind: data type and device.
        """
        self.library = library
        rows = torch.empty((5 * bins + 1, columns), **kind)
        self.parameters = view(rows[: 3 * bins + 1])
        """Where the raw parameters of one number are put: 2K sizes and K + 1 slopes."""
        self._rows = view(rows.view(-1))
        self._sizes_by_axis = rows[: 2 * bins].view(2, bins, columns)
        self._ends = rows[3 * bins + 1 :].view(2, bins, columns)
        self._sizes, self._upper = view(rows[: 2 * bins]), view(self._ends[1])
        self._total_width, self._total = view(self._ends[0, -1]), view(self._ends[1, -1])
        self._scratch = view(torch.empty((2 * bins, columns), **kind))
        self._below = view(torch.empty((bins, columns), **kind))
        self._sum_up_to = torch.ones((bins, bins), **kind).tril()
        starts = torch.tensor([0, bins, 3 * bins + 1, 4 * bins + 1, 2 * bins, 2 * bins + 1], device=kind["device"])
        self._first = view(starts[:, None] * columns + torch.arange(columns, device=kind["device"]))
        self._row_step = view(torch.empty((columns,), dtype=torch.int64, device=kind["device"]))
        self._kept: list[tuple[Array, ...]] = []

    def invert(self, place: Array) -> Array:
        """Return where x lies in [−bound, bound], as a fraction from 0 to 1.

        The raw parameters lie in `parameters` and are overwritten.

        Args:
            place: where y lies, as a fraction from 0 to 1, (columns,).
        """
        library = self.library
        sizes, scratch = self._sizes, self._scratch
        library.abs(sizes, out=scratch)
        scratch += 1.0
        library.divide(sizes, scratch, out=sizes)
        sizes *= SIZE_EXPONENT
        library.exp2(sizes, out=sizes)
        torch.matmul(self._sum_up_to, self._sizes_by_axis, out=self._ends)
        target = place * self._total
        library.less(self._upper, target, out=self._below)
        self._row_step[...] = library.sum(self._below, 0) * len(place)
        picked = library.take(self._rows, self._first + self._row_step)
        width, height, right, top, _, _ = picked
        ratio = (height * self._total_width) / (width * self._total)
        theta = self._fraction((target - top) / height + 1.0, ratio, picked[4:])
        return (right - width + width * theta) / self._total_width

    def _fraction(self, fraction: Array, ratio: Array, raw_slopes: Array) -> Array:
        """Return θ for the fraction v of the height of the bin; keep what the derivative needs."""
        library = self.library
        slopes = library.exp2(raw_slopes / (library.abs(raw_slopes) + 1.0) * SLOPE_EXPONENT)
        fraction = fraction.clip(0.0, 1.0)
        rest = 1.0 - fraction
        difference = slopes[0] * rest - slopes[1] * fraction
        twice = 2.0 * ratio
        size = library.abs(difference)
        root = library.sqrt(difference * difference + twice * twice * (fraction * rest)) + size
        from_left = difference >= 0.0
        share = library.where(from_left, fraction, rest) * twice
        theta = library.where(from_left, share, root) / (root + share)
        self._kept.append((theta, ratio, *slopes))
        return theta

    def log_derivatives(self) -> Array:
        """Return ln dy/dx of the numbers inverted since the last call, in turn, (features, columns)."""
        theta, ratio, first, second = (self.library.stack(rows) for rows in zip(*self._kept, strict=True))
        self._kept.clear()
        rest = 1.0 - theta
        both = theta * rest
        scale = ratio / (ratio * (1.0 - 2.0 * both) + (first + second) * both)
        numerator = second * (theta * theta) + 2.0 * ratio * both + first * (rest * rest)
        return self.library.log(numerator * (scale * scale))
