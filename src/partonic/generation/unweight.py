"""Unweighting: from weighted points to events of equal weight, with an account of the points that are too heavy.

A point of weight w = f/q is accepted with probability |w|/w_max. The largest weight of a sample grows with the sample,
so w_max is not the maximum but the smallest value for which the points above it carry at most a given fraction ε of the
cross section, Σ_{|w|>w_max} |w| ≤ ε Σ |w| (as in arXiv:2109.11964, section 2). With the policy ``keep`` a point above
w_max becomes one event of weight |w|/w_max > 1, so the sample stays unbiased; ``repeat`` makes |w|/w_max copies on
average, unbiased as well but correlated; ``truncate`` gives it weight 1 and loses the excess, which is reported.

The unweighting efficiency is ⟨|w|⟩/w_max.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from partonic.config.generation import OverweightPolicy
from partonic.errors import GenerationError

__all__ = ["UnweightingTally", "accept", "choose_maximum_weight"]

_SAFETY = 2.0
"""Standard errors by which the overweight fraction of the pilot sample stays below the limit."""

_HEADROOM = 0.85
"""Part of the limit that the pilot sample may fill: the rarest and largest weights, which it is too small to contain,
bring the rest."""


def choose_maximum_weight(weights: Float[Tensor, " points"], limit: float) -> float:
    """Return the smallest w_max whose overweight fraction stays below `limit`, statistical error included.

    The overweight fraction F = Σ_{|w|>w_max} |w| / Σ |w| of an independent sample differs from that of `weights` by
    about √(Σ_{|w|>w_max} w²) / Σ |w|; two such errors are kept free, and 15% of the limit for weights that are rarer
    than the sample can show. With too few points above, w_max is the largest weight seen.

    Args:
        weights: pilot weights f/q.
        limit: largest fraction of the cross section above w_max.

    Raises:
        GenerationError: if all weights vanish.
    """
    ordered = weights.abs().sort(descending=True).values
    total = float(ordered.sum())
    if total <= 0.0:
        raise GenerationError(f"all {len(ordered)} pilot weights are zero: the process vanishes at the chosen θ")
    fraction = (ordered.cumsum(0) + _SAFETY * ordered.square().cumsum(0).sqrt()) / total
    above = int((fraction <= _HEADROOM * limit).sum())
    return float(ordered[min(above, len(ordered) - 1)])


def accept(
    weights: Float[Tensor, " points"], maximum: float, policy: OverweightPolicy, generator: torch.Generator
) -> tuple[Int[Tensor, " events"], Float[Tensor, " events"]]:
    """Return the indices of the accepted points and the weight of each event in units of the common one.

    Args:
        weights: f/q, of either sign; the events' signs are left to the caller.
        maximum: w_max.
        policy: what happens above it.
        generator: draws one number per point.
    """
    ratio = weights.abs() / maximum
    numbers = torch.rand(ratio.shape, generator=generator, dtype=ratio.dtype)
    if policy == "repeat":
        index = torch.repeat_interleave(torch.arange(len(ratio)), (ratio + numbers).floor().long())
        return index, torch.ones(len(index), dtype=ratio.dtype)
    index = (numbers < ratio).nonzero()[:, 0]
    multiplier = ratio[index].clamp(min=1.0) if policy == "keep" else torch.ones(len(index), dtype=ratio.dtype)
    return index, multiplier


@dataclass(frozen=True)
class UnweightingTally:
    """Sums over the points tried, which tell how well the unweighting went. Tallies of several chunks add up.

    Attributes:
        maximum: w_max.
        points: points tried.
        events: events accepted.
        overweight_points: points with |w| > w_max (each is an event).
        total: Σ |w|.
        overweight_total: Σ_{|w|>w_max} |w|.
        excess_total: Σ_{|w|>w_max} (|w| − w_max).
        largest: largest |w|.
    """

    maximum: float
    points: int = 0
    events: int = 0
    overweight_points: int = 0
    total: float = 0.0
    overweight_total: float = 0.0
    excess_total: float = 0.0
    largest: float = 0.0

    @classmethod
    def of(cls, weights: Float[Tensor, " points"], maximum: float, events: int) -> "UnweightingTally":
        """Tally the `weights` of points of which `events` events were accepted."""
        sizes = weights.abs()
        above = sizes[sizes > maximum]
        return cls(
            maximum=maximum,
            points=len(sizes),
            events=events,
            overweight_points=len(above),
            total=float(sizes.sum()),
            overweight_total=float(above.sum()),
            excess_total=float((above - maximum).sum()),
            largest=float(sizes.max()) if len(sizes) else 0.0,
        )

    def __add__(self, other: "UnweightingTally") -> "UnweightingTally":
        """Join the tallies of two samples with the same w_max."""
        if other.maximum != self.maximum:
            raise ValueError(f"tallies of different maximum weights cannot be added: {self.maximum}, {other.maximum}")
        return UnweightingTally(
            maximum=self.maximum,
            points=self.points + other.points,
            events=self.events + other.events,
            overweight_points=self.overweight_points + other.overweight_points,
            total=self.total + other.total,
            overweight_total=self.overweight_total + other.overweight_total,
            excess_total=self.excess_total + other.excess_total,
            largest=max(self.largest, other.largest),
        )

    @property
    def efficiency(self) -> float:
        """⟨|w|⟩/w_max."""
        return self.total / self.points / self.maximum if self.points else math.nan

    @property
    def overweight_fraction(self) -> float:
        """Fraction of the (absolute) cross section carried by points above w_max."""
        return self.overweight_total / self.total if self.total else 0.0

    @property
    def overweight_event_fraction(self) -> float:
        """Fraction of the events that come from points above w_max."""
        return self.overweight_points / self.events if self.events else 0.0

    @property
    def excess_fraction(self) -> float:
        """Fraction of the cross section above w_max: the bias of the policy ``truncate``."""
        return self.excess_total / self.total if self.total else 0.0

    def to_json(self) -> dict[str, float | int]:
        """Return the figures by name, for a JSON file."""
        return {
            "points": self.points,
            "events": self.events,
            "maximum_weight": self.maximum,
            "largest_weight": self.largest,
            "unweighting_efficiency": self.efficiency,
            "overweight_fraction": self.overweight_fraction,
            "overweight_event_fraction": self.overweight_event_fraction,
            "excess_fraction": self.excess_fraction,
        }
