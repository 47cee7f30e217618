"""A VEGAS grid as a smooth map of the unit cube.

The density of a grid jumps from bin to bin. A flow that starts from it would have to undo every jump; through the edges
of the grid runs a spline with one derivative at each edge, the harmonic mean of the two bins beside it (F. N. Fritsch
and J. Butland, SIAM J. Sci. Stat. Comput. 5 (1984) 300), which keeps the map monotonic and its density continuous.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.generation.channels.spline import knot_bin

__all__ = ["SmoothGrid"]


class SmoothGrid:
    """The map of latent numbers y ∈ [0, 1]^D, equal steps of which are the bins of a grid, to points x.

    Attributes:
        edges: of the grid in each dimension, ascending from 0 to 1, float64, `(D, bins + 1)`.
    """

    def __init__(self, edges: Float[Tensor, "dimensions edges"]) -> None:
        """Take the edges of a VEGAS grid."""
        self.edges = edges.contiguous()
        widths = edges.diff(dim=1) * (edges.shape[1] - 1)
        inner = 2.0 / (1.0 / widths[:, :-1] + 1.0 / widths[:, 1:])
        self._slopes = torch.cat([widths[:, :1], inner, widths[:, -1:]], dim=1)

    def forward(self, y: Float[Tensor, "points dimensions"]) -> tuple[Tensor, Tensor]:
        """Return x `(N, D)` and log |dx/dy| `(N,)`."""
        bins = self.edges.shape[1] - 1
        numbers = y.T.contiguous()
        index = (numbers * bins).long().clamp(0, bins - 1)
        x, log_slope = knot_bin(self.edges, self._slopes, index).forward(numbers)
        return x.T.contiguous().clamp(0.0, 1.0), log_slope.sum(dim=0)

    def inverse(self, x: Float[Tensor, "points dimensions"]) -> tuple[Tensor, Tensor]:
        """Return y `(N, D)` and log |dx/dy| `(N,)` there."""
        points = x.T.contiguous()
        index = torch.searchsorted(self.edges[:, 1:-1].contiguous(), points, right=True)
        y, log_slope = knot_bin(self.edges, self._slopes, index).inverse(points)
        return y.T.contiguous().clamp(0.0, 1.0), log_slope.sum(dim=0)
