"""VEGAS: importance sampling with a density that is a product of histograms of equal-probability bins.

Each dimension of the unit cube has a grid of bins of varying width; a point falls in every bin with equal probability
and uniformly within it. The grid is adapted by iterating: the squared weight collected in each bin is smoothed and
damped, and edges are moved until every bin carries the same share.

References:
    G. P. Lepage, A New Algorithm for Adaptive Multidimensional Integration, J. Comput. Phys. 27 (1978) 192.
    G. P. Lepage, Adaptive multidimensional integration: VEGAS enhanced, arXiv:2009.05112, eqs. 15–25.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["VegasSampler", "refined_edges"]


class VegasSampler:
    """The density of a VEGAS grid on the unit cube.

    Attributes:
        edges: bin edges in each dimension, ascending from 0 to 1, float64, `(D, bins + 1)`.
    """

    def __init__(self, edges: Float[Tensor, "dimensions edges"]) -> None:
        """Take a grid.

        Raises:
            ValueError: if the edges do not ascend strictly from 0 to 1.
        """
        self.edges = edges.to(torch.float64)
        ends = self.edges[:, [0, -1]]
        if not bool((self.edges.diff(dim=-1) > 0).all() and (ends == torch.tensor([0.0, 1.0])).all()):
            raise ValueError(f"the edges of a VEGAS grid must ascend strictly from 0 to 1, got ends {ends.tolist()}")

    @classmethod
    def uniform(cls, dimensions: int, bins: int) -> "VegasSampler":
        """Return the grid of equal bins: the uniform density."""
        return cls(torch.linspace(0.0, 1.0, bins + 1, dtype=torch.float64).expand(dimensions, -1).clone())

    @property
    def dimensions(self) -> int:
        """The dimension D of the unit cube."""
        return self.edges.shape[0]

    @property
    def bins(self) -> int:
        """Number of bins in each dimension."""
        return self.edges.shape[1] - 1

    def sample(
        self, n: int, generator: torch.Generator
    ) -> tuple[Float[Tensor, "points dimensions"], Float[Tensor, " points"]]:
        """Draw `n` points with their log-density."""
        numbers = torch.rand((n, self.dimensions), generator=generator, dtype=torch.float64)
        position = (numbers.T * self.bins).contiguous()
        index = position.long().clamp(max=self.bins - 1)
        left, right = self.edges.gather(1, index), self.edges.gather(1, index + 1)
        points = left + (position - index) * (right - left)
        return points.T.contiguous(), -((right - left) * self.bins).log().sum(dim=0)

    def log_density(self, points: Float[Tensor, "points dimensions"]) -> Float[Tensor, " points"]:
        """Return the log-density at `points` of the unit cube."""
        index = self._bin_index(points)
        widths = self.edges.diff(dim=-1).gather(1, index)
        return -(widths * self.bins).log().sum(dim=0)

    def adapted(
        self, points: Float[Tensor, "points dimensions"], weights: Float[Tensor, " points"], damping: float
    ) -> "VegasSampler":
        """Return the grid adapted to points that this grid drew.

        Args:
            points: points drawn by `sample`.
            weights: f/q at the points.
            damping: the exponent α of eq. 20; 0 leaves the grid as it is.
        """
        squares = weights.to(torch.float64).square().expand(self.dimensions, -1)
        return VegasSampler(refined_edges(self.edges, self._bin_index(points), squares, damping))

    def _bin_index(self, points: Tensor) -> Tensor:
        """Return the bin of each point in each dimension, `(D, N)`."""
        inner = self.edges[:, 1:-1].contiguous()
        return torch.searchsorted(inner, points.to(torch.float64).T.contiguous(), right=True)


def refined_edges(
    edges: Float[Tensor, "grids edges"],
    index: Int[Tensor, "grids points"],
    squares: Float[Tensor, "grids points"],
    damping: float,
) -> Float[Tensor, "grids edges"]:
    """Return the edges of one-dimensional grids, moved so that every bin carries the same damped share of the weight.

    Args:
        edges: ascending.
        index: the bin that each point is in.
        squares: squared weights f/q of the points.
        damping: the exponent α of eq. 20; 0 leaves the grids as they are.
    """
    collected = torch.zeros_like(edges[:, 1:]).scatter_add_(1, index, squares)
    counts = torch.zeros_like(collected).scatter_add_(1, index, torch.ones_like(squares))
    return _equal_shares(edges, _damp(_smooth(collected / counts.clamp(min=1.0)), damping))


def _smooth(collected: Tensor) -> Tensor:
    """Average neighbouring bins with weights 1, 6, 1 (eq. 18), and normalise."""
    padded = torch.cat([collected[:, :1], collected, collected[:, -1:]], dim=1)
    smooth = (padded[:, :-2] + 6.0 * padded[:, 1:-1] + padded[:, 2:]) / 8.0
    total = smooth.sum(dim=1, keepdim=True)
    # A dimension without any weight (an integrand that vanished on all points) keeps its grid.
    return torch.where(total > 0, smooth / total.clamp(min=torch.finfo(total.dtype).tiny), 1.0 / smooth.shape[1])


def _damp(share: Tensor, damping: float) -> Tensor:
    """Compress the range of the shares d to ((1 − d)/ln(1/d))^α (eq. 20)."""
    safe = share.clamp(min=1e-30, max=1.0 - 1e-12)
    return ((1.0 - safe) / -safe.log()).pow(damping)


def _equal_shares(edges: Tensor, importance: Tensor) -> Tensor:
    """Move the edges of each grid so that every bin carries the same share of `importance` (eq. 21–22)."""
    cumulative = torch.cat([torch.zeros_like(importance[:, :1]), importance.cumsum(dim=1)], dim=1)
    shares = torch.linspace(0.0, 1.0, edges.shape[1], dtype=edges.dtype)[1:-1]
    targets = shares * cumulative[:, -1:]
    index = torch.searchsorted(cumulative[:, 1:-1].contiguous(), targets, right=True)
    left, right = edges.gather(1, index), edges.gather(1, index + 1)
    inside = (targets - cumulative.gather(1, index)) / importance.gather(1, index)
    return torch.cat([edges[:, :1], left + inside * (right - left), edges[:, -1:]], dim=1)
