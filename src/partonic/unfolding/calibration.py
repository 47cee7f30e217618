"""Calibration of the response: the regressed pT is mapped so that its median at a given true pT is that true pT.

A regression draws every event towards the middle of the spectrum: seen at fixed true pT, soft particles come out too
hard and hard ones too soft. With m(t) the median of the regressed pT at true pT t, and g = m⁻¹, the median of
g(regressed) at t is g(m(t)) = t, because a monotone map of a number maps its median (numerical inversion; A. Cukierman
and B. Nachman, arXiv:1609.05195). m is measured in narrow bins of true pT, smoothed by local
quadratic fits (W. S. Cleveland, J. Am. Stat. Assoc. 74 (1979) 829), made monotone (isotonic regression) and
interpolated linearly, all in the logarithms. Beyond the outermost bins the ratio of true to regressed pT stays what it
is there. A monotone map takes no information away; it does widen the response where the regression knew little.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.errors import NonFiniteError, ParameterError

__all__ = ["ResponseCalibration"]

_KNOTS = 48
"""Largest number of bins of true pT."""

_TAIL = 0.003
"""Share of events below the first and above the last regular bin edge; they join the outermost bins."""

_SMALLEST_BIN = 100
"""Events that a bin needs: they fix its median to 1.25 × 0.3/√100 = 4% for a resolution of 30%."""

_BANDWIDTH = 0.15
"""Standard deviation in log pT of the weights of a local fit."""

_SMALLEST_SLOPE = 0.1
"""Bound of d log m/d log t from below: nowhere is the relative resolution widened by more than its inverse."""


class ResponseCalibration(nn.Module):
    """A monotone map of the regressed pT for each particle; the identity until it is fitted."""

    log_regressed: Tensor
    log_true: Tensor

    def __init__(self, particles: int) -> None:
        """Create the identity for this number of particles."""
        super().__init__()
        knots = torch.linspace(0.0, 10.0, _KNOTS, dtype=torch.float64).repeat(particles, 1)
        self.register_buffer("log_regressed", knots)
        self.register_buffer("log_true", knots.clone())

    def fit(self, regressed: Float[Tensor, "events particles"], true: Float[Tensor, "events particles"]) -> None:
        """Measure the response and invert it.

        Args:
            regressed: pT in GeV, best of events that the regression was not trained on.
            true: pT in GeV.

        Raises:
            ParameterError: if there are fewer than two events.
            NonFiniteError: if a pT is not a positive finite number.
        """
        if len(true) < 2:
            raise ParameterError(
                f"the response calibration needs at least two events, got {len(true)}: use more events"
            )
        if not all(bool((pt.isfinite() & (pt > 0.0)).all()) for pt in (regressed, true)):
            msg = "the response calibration needs positive finite transverse momenta: look for NaN in the regression"
            raise NonFiniteError(msg)
        for particle in range(true.shape[1]):
            knots = _inverted_response(regressed[:, particle].double().log(), true[:, particle].double().log())
            self.log_regressed[particle], self.log_true[particle] = (_extended(values) for values in knots)

    def forward(self, pt: Float[Tensor, "events particles"]) -> Float[Tensor, "events particles"]:
        """Return the calibrated pT of regressed ones, GeV, float64; differentiable almost everywhere."""
        smallest = torch.finfo(torch.float64).tiny
        values = pt.double().clamp(min=smallest).log().T.contiguous()
        upper = torch.searchsorted(self.log_regressed, values).clamp(min=1, max=_KNOTS - 1)
        low, high = (self.log_regressed.gather(1, index) for index in (upper - 1, upper))
        low_true, high_true = (self.log_true.gather(1, index) for index in (upper - 1, upper))
        inside = values.clamp(min=self.log_regressed[:, :1], max=self.log_regressed[:, -1:])
        slope = (high_true - low_true) / (high - low)
        return torch.exp(low_true + slope * (inside - low) + (values - inside)).T


def _inverted_response(regressed: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
    """Return the points (log m, log t) of the response, strictly rising in both; one for each bin of log t."""
    order = true.argsort(stable=True)
    medians = [(reg.median(), gen.median(), len(gen)) for reg, gen in _bins(regressed[order], true[order])]
    log_m, log_t, events = (torch.tensor([row[i] for row in medians], dtype=torch.float64) for i in range(3))
    steep = _isotonic(_smoothed(log_m, log_t, events) - _SMALLEST_SLOPE * log_t, events)
    return steep + _SMALLEST_SLOPE * log_t, log_t


def _bins(regressed: Tensor, true: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Cut events, sorted by true pT, into bins of equal width in log t, joined until each has enough events."""
    ends = torch.quantile(true, true.new_tensor([_TAIL, 1.0 - _TAIL]))
    edges = torch.linspace(float(ends[0]), float(ends[1]), _KNOTS + 1, dtype=true.dtype)[1:-1]
    cuts, start = [], 0
    for cut in torch.searchsorted(true, edges).tolist():
        if cut - start >= _SMALLEST_BIN and len(true) - cut >= _SMALLEST_BIN:
            cuts.append(cut)
            start = cut
    return list(zip(torch.tensor_split(regressed, cuts), torch.tensor_split(true, cuts), strict=True))


def _smoothed(log_m: Tensor, log_t: Tensor, events: Tensor) -> Tensor:
    """Return at each point the value of the parabola that fits its neighbourhood best."""
    distance = (log_t - log_t[:, None]) / _BANDWIDTH
    weight = (events * torch.exp(-0.5 * distance.square())).sqrt()
    design = torch.stack([torch.ones_like(distance), distance, distance.square()], dim=-1) * weight[..., None]
    # gelsd: the smallest solution where a point has fewer than two neighbours
    parabolas: Tensor = torch.linalg.lstsq(design, (log_m * weight)[..., None], driver="gelsd").solution
    return parabolas[:, 0, 0]


def _isotonic(values: Tensor, weights: Tensor) -> Tensor:
    """Return the non-decreasing sequence nearest to `values` in weighted squares, by pooling adjacent violators."""
    pools: list[tuple[float, float, int]] = []  # mean, weight, length
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        pool = (value, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            mean, total, length = pools.pop()
            joined = total + pool[1]
            pool = ((mean * total + pool[0] * pool[1]) / joined, joined, length + pool[2])
        pools.append(pool)
    return torch.cat([values.new_full((length,), mean) for mean, _, length in pools])


def _extended(knots: Tensor) -> Tensor:
    """Return `_KNOTS` knots, the last ones in unit steps, between which the map is a constant factor."""
    return torch.cat([knots, knots[-1] + 1.0 + torch.arange(_KNOTS - len(knots), dtype=knots.dtype)])
