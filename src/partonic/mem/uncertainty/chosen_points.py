"""A few points of each integral, drawn by what they weigh, in a stream, with the weights that they then stand for.

Other networks need not be evaluated at all points of an integral, of which most weigh nothing. Of a stream of points
with sizes h > 0 those with the M largest keys ln h + g are kept, g being Gumbel numbers: a sample without replacement
by h. With κ the (M + 1)-th largest key, a point is among them with the probability

    q = 1 − exp(−h e^(−κ)),

and sums of f/q over the points that are kept have the expectation of those of f over all (N. Duffield, C. Lund,
M. Thorup, J. ACM 54 (2007) 32; W. Kool, H. van Hoof, M. Welling, arXiv:1903.06059, sec. 4). Where there are no more
than M points, all are kept and q = 1. The size of a point is Σ_a |w_a|/Σ|w_a|: points that matter for any coefficient.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["ChosenPoints", "KeptPoints"]


class KeptPoints(NamedTuple):
    """Points that were kept.

    Attributes:
        numbers: of the unit cube, `(e, M, D)`; 0.5 where there are fewer points.
        log_weight: logarithm of the common weight of the coefficients over q, −∞ where there is no point, `(e, M)`.
        coefficients: signed, `(e, M, A)`.
    """

    numbers: Float[Tensor, "events points dimensions"]
    log_weight: Float[Tensor, "events points"]
    coefficients: Float[Tensor, "events points monomials"]


class ChosenPoints:
    """The points that are kept of a batch of events."""

    def __init__(self, events: int, monomials: int, most: int, generators: list[torch.Generator]) -> None:
        """Keep `most` points of each event.

        Args:
            events: number of events.
            monomials: number of coefficients.
            most: M.
            generators: of the Gumbel numbers, one for each event, so that they do not depend on the others.
        """
        self.most, self.generators = most, generators
        self._scales = torch.zeros(events, monomials, dtype=torch.float64)
        shape = (events, most + 1)
        self._keys, self._log_size, self._log_weight = (
            torch.full(shape, -torch.inf, dtype=torch.float64) for _ in range(3)
        )
        self._coefficients = torch.zeros(*shape, monomials, dtype=torch.float64)
        self._numbers: Tensor | None = None

    def add(
        self,
        rows: Tensor,
        numbers: Float[Tensor, "rows points dimensions"],
        log_weight: Float[Tensor, "rows points"],
        coefficients: Float[Tensor, "rows points monomials"],
    ) -> None:
        """Let points of some events take part; arguments as for `WeightMoments.add`, with the points themselves."""
        if self._numbers is None:
            self._numbers = torch.full((*self._keys.shape, numbers.shape[-1]), 0.5, dtype=torch.float64)
        log_size = self._sizes(rows, log_weight, coefficients)
        count = log_size.shape[1]
        drawn = [torch.rand(count, generator=self.generators[row], dtype=torch.float64) for row in rows.tolist()]
        keys = log_size - (-torch.stack(drawn).log()).log()
        together = torch.cat([self._keys[rows], keys], dim=1)
        best, places = together.topk(self.most + 1, dim=1)
        self._keys[rows] = best
        for kept, new in ((self._log_size, log_size), (self._log_weight, log_weight)):
            kept[rows] = torch.cat([kept[rows], new], dim=1).gather(1, places)
        for kept, new in ((self._coefficients, coefficients), (self._numbers, numbers)):
            whole = torch.cat([kept[rows], new.to(kept)], dim=1)
            kept[rows] = whole.gather(1, places[..., None].expand(-1, -1, whole.shape[-1]))

    def kept(self, rows: Tensor) -> KeptPoints:
        """Return the points of some events; all must have had points."""
        if self._numbers is None:
            return KeptPoints(torch.zeros(len(rows), 0, 0), torch.zeros(len(rows), 0), self._coefficients[rows, :0])
        threshold, size = self._keys[rows, -1:], self._log_size[rows, :-1]
        share = torch.where(threshold > -torch.inf, (size - threshold).exp(), torch.inf)
        log_share = torch.log(-torch.expm1(-share))
        log_weight = torch.where(size > -torch.inf, self._log_weight[rows, :-1] - log_share, -torch.inf)
        return KeptPoints(self._numbers[rows, :-1], log_weight, self._coefficients[rows, :-1])

    def _sizes(self, rows: Tensor, log_weight: Tensor, coefficients: Tensor) -> Tensor:
        """Return ln h; the units of the coefficients of an event are those of its first points."""
        sizes = coefficients.abs()
        new = ~(self._scales[rows] > 0).any(dim=1)
        largest = log_weight.amax(dim=1, keepdim=True)
        weight = torch.where(largest.isfinite(), (log_weight - largest).exp(), 0.0)
        found = (weight[..., None] * sizes).sum(dim=1)
        unit = found / found[:, :1].clamp(min=torch.finfo(torch.float64).tiny)
        self._scales[rows] = torch.where(new[:, None], unit, self._scales[rows])
        scales = self._scales[rows][:, None]
        return log_weight + torch.where(scales > 0, sizes / scales, 0.0).sum(dim=-1).log()
