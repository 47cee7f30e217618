"""Sums over weighted points of many events, in a stream: what the P_a, their covariance and their quality come from.

Weights differ by hundreds of orders of magnitude from event to event, so that the sums of each event are kept in units
of its largest weight by now, exp(shift), and rescaled when a larger one comes. Memory does not grow with the points.

With the means ȳ_a of the weights of U independent blocks of points,

    P_a = ȳ_a,    cov(P_a, P_b) = (⟨y_a y_b⟩ − ȳ_a ȳ_b)/(U − 1),

and to first order in the errors the ratios R_a = P_a/P_0 have the covariance

    cov(R_a, R_b) = (C_ab − R_a C_0b − R_b C_0a + R_a R_b C_00)/P_0².
"""

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["WeightMoments"]


class WeightMoments:
    """Sums of a batch of events.

    Attributes:
        shift: logarithm of the unit of the sums, −inf before there is a weight, `(E,)`.
        blocks: U, number of blocks of points, `(E,)`.
        first: Σ y_a over blocks, `(E, A)`.
        second: Σ y_a y_b over blocks, `(E, A, A)`.
        total: Σ |w_0| over points, `(E,)`.
        squares: Σ w_0² over points, `(E,)`.
        largest: largest |w_0|, `(E,)`.
        local: Σ w_a²/|w_0| over points, `(E, A)`.
    """

    def __init__(self, events: int, monomials: int) -> None:
        """Start with empty sums."""
        zeros = torch.zeros(events, dtype=torch.float64)
        self.shift = torch.full_like(zeros, -torch.inf)
        self.blocks, self.total, self.squares, self.largest = (zeros.clone() for _ in range(4))
        self.first, self.local = (zeros.new_zeros(events, monomials) for _ in range(2))
        self.second = zeros.new_zeros(events, monomials, monomials)

    def add(
        self,
        rows: Tensor,
        log_weight: Float[Tensor, "rows points"],
        coefficients: Float[Tensor, "rows points monomials"],
        block: int = 1,
    ) -> None:
        """Add points of some events.

        Args:
            rows: numbers of the events, `(r,)`.
            log_weight: logarithm of the common weight of the coefficients; −inf for none.
            coefficients: signed.
            block: consecutive points that are one block.
        """
        sizes = log_weight + coefficients.abs().amax(dim=-1).log()
        self._rescale(rows, sizes.amax(dim=1))
        shift = torch.where(self.shift[rows].isfinite(), self.shift[rows], 0.0)
        scaled = torch.where(sizes > -torch.inf, log_weight - shift[:, None], -torch.inf)
        weights = coefficients * torch.exp(scaled)[..., None]
        means = weights.view(len(rows), -1, block, weights.shape[2]).mean(dim=2)
        reference = weights[..., 0].abs()
        self.blocks[rows] += means.shape[1]
        self.first[rows] += means.sum(dim=1)
        self.second[rows] += means.mT @ means
        self.total[rows] += reference.sum(dim=1)
        self.squares[rows] += reference.square().sum(dim=1)
        self.largest[rows] = torch.maximum(self.largest[rows], reference.amax(dim=1))
        shares = weights.square() / reference[..., None]
        self.local[rows] += torch.where(reference[..., None] > 0, shares, 0.0).sum(dim=1)

    def _rescale(self, rows: Tensor, largest: Tensor) -> None:
        """Change the units of the sums to the largest weight."""
        before = self.shift[rows]
        after = torch.maximum(before, largest)
        factor = torch.where(before.isfinite(), torch.exp(before - after), 0.0)
        for sums in (self.total, self.largest):
            sums[rows] *= factor
        self.squares[rows] *= factor.square()
        for matrix in (self.first, self.local):
            matrix[rows] *= factor[:, None]
        self.second[rows] *= factor.square()[:, None, None]
        self.shift[rows] = after

    def positive(self) -> Tensor:
        """Return for which events P_0 > 0, `(E,)`."""
        return self.first[:, 0] > 0

    def ratios(self) -> Float[Tensor, "events monomials"]:
        """Return R_a = P_a/P_0; NaN where P_0 is not positive."""
        ratios = self.first / self._reference()[:, None]
        ratios[:, 0] = torch.where(self.positive(), 1.0, torch.nan)
        return ratios

    def log_reference(self) -> Float[Tensor, " events"]:
        """Return log P_0; NaN where it is not positive."""
        return self.shift + (self._reference() / self.blocks).log()

    def covariance(self) -> Float[Tensor, "events monomials monomials"]:
        """Return the covariance of the P_a in units of exp(2 shift); infinite with a single block."""
        blocks = self.blocks[:, None, None]
        mean = self.first / self.blocks[:, None]
        scatter = self.second / blocks - mean[:, :, None] * mean[:, None, :]
        return torch.where(blocks > 1, scatter / (blocks - 1.0), torch.inf)

    def relative_error(self) -> Float[Tensor, " events"]:
        """Return the relative error of P_0; NaN where it is not positive."""
        return self.covariance()[:, 0, 0].clamp(min=0.0).sqrt() * self.blocks / self._reference()

    def ratio_covariance(self) -> Float[Tensor, "events monomials monomials"]:
        """Return the covariance of the ratios, positive semi-definite; NaN where P_0 is not positive."""
        ratios, covariance = self.ratios(), self.covariance()
        jacobian = torch.diag_embed(torch.ones_like(ratios))
        jacobian[:, :, 0] -= ratios
        scale = (self.blocks / self._reference()).square()[:, None, None]
        found = scale * (jacobian @ covariance @ jacobian.mT)
        found = _positive(0.5 * (found + found.mT))
        found[:, 0, :] = found[:, :, 0] = 0.0
        return found.masked_fill(~self.positive()[:, None, None], torch.nan)

    def ratio_error(self) -> Float[Tensor, " events"]:
        """Return the largest error of a ratio, in units of √⟨(c_a/c_0)²⟩ over the partons of the event."""
        scale = (self.local / self.total[:, None]).sqrt()
        errors = self.ratio_covariance().diagonal(dim1=1, dim2=2).clamp(min=0.0).sqrt()
        return torch.where(errors > 0, errors / scale, errors).amax(dim=1)

    def effective_sample_size(self) -> Float[Tensor, " events"]:
        """Return (Σ|w_0|)²/Σ w_0² (Kish); 0 where there is no weight."""
        return torch.where(self.squares > 0, self.total.square() / self.squares, 0.0)

    def largest_share(self) -> Float[Tensor, " events"]:
        """Return the share of the largest |w_0|; 0 where there is no weight."""
        return torch.where(self.total > 0, self.largest / self.total, 0.0)

    def _reference(self) -> Tensor:
        return torch.where(self.positive(), self.first[:, 0], torch.nan)


def _positive(matrices: Tensor) -> Tensor:
    """Return symmetric matrices without the negative eigenvalues that rounding gives to those that are singular."""
    finite = matrices.isfinite().flatten(1).all(dim=1)[:, None, None]
    values, vectors = torch.linalg.eigh(torch.where(finite, matrices, 0.0))
    mended = (vectors * values.clamp(min=0.0)[:, None, :]) @ vectors.mT
    return torch.where(finite, 0.5 * (mended + mended.mT), matrices)
