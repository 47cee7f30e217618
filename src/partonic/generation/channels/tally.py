"""What each channel contributes: integral, points, how even its weights are, and points that were not finite."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["ChannelTally"]


@dataclass(frozen=True)
class ChannelTally:
    """Sums over points by channel; those of two samples add up.

    Attributes:
        names: of the channels.
        points: points tried, `(C,)`.
        total: Σ w over the points of the channel, `(C,)`; over all points tried its mean is the part of the integral.
        squares: Σ w², `(C,)`.
        not_finite: points at which the process was NaN or infinite, `(C,)`.
    """

    names: tuple[str, ...]
    points: Float[Tensor, " channels"]
    total: Float[Tensor, " channels"]
    squares: Float[Tensor, " channels"]
    not_finite: Float[Tensor, " channels"]

    @classmethod
    def of(
        cls, names: Sequence[str], channel: Int[Tensor, " points"], weights: Float[Tensor, " points"]
    ) -> "ChannelTally":
        """Sum the weights of points; those that are not finite count as such and weigh nothing."""
        bad = ~weights.isfinite()
        weights = torch.where(bad, torch.zeros_like(weights), weights).to(torch.float64)
        sums = [
            torch.zeros(len(names), dtype=torch.float64).index_add_(0, channel, values)
            for values in (torch.ones_like(weights), weights, weights.square(), bad.to(torch.float64))
        ]
        return cls(tuple(names), *sums)

    def __add__(self, other: "ChannelTally") -> "ChannelTally":
        """Join two samples."""
        return ChannelTally(
            self.names,
            self.points + other.points,
            self.total + other.total,
            self.squares + other.squares,
            self.not_finite + other.not_finite,
        )

    @property
    def integrals(self) -> Float[Tensor, " channels"]:
        """The part of each channel in the integral, in the unit of the weights."""
        return self.total / self.points.sum()

    @property
    def shares(self) -> Float[Tensor, " channels"]:
        """The part of each channel, relative to the sum."""
        return self.total / self.total.sum().clamp(min=torch.finfo(torch.float64).tiny)

    @property
    def spreads(self) -> Float[Tensor, " channels"]:
        """Standard deviation over mean of the weights of each channel; 0 for one without weight."""
        mean = self.total / self.points.clamp(min=1.0)
        variance = (self.squares / self.points.clamp(min=1.0) - mean.square()).clamp(min=0.0)
        return torch.where(mean > 0, variance.sqrt() / mean.clamp(min=torch.finfo(torch.float64).tiny), 0.0)

    def figures(self) -> dict[str, str]:
        """Return what is worth showing beside a progress bar."""
        found = {"channels": " ".join(f"{share:.0%}" for share in self.shares.tolist())} if len(self.names) > 1 else {}
        if bad := int(self.not_finite.sum()):
            found["not_finite"] = str(bad)
        return found

    def to_json(self, maximum: float) -> dict[str, dict[str, float]]:
        """Return the figures of each channel by its name; `unweighting_efficiency` is ⟨w⟩ over the `maximum` of all."""
        return {
            name: {
                "points": points,
                "integral_pb": integral,
                "share": share,
                "weight_spread": spread,
                "unweighting_efficiency": integral * float(self.points.sum()) / max(points, 1.0) / maximum,
                "not_finite": bad,
            }
            for name, points, integral, share, spread, bad in zip(
                self.names,
                self.points.tolist(),
                self.integrals.tolist(),
                self.shares.tolist(),
                self.spreads.tolist(),
                self.not_finite.tolist(),
                strict=True,
            )
        }
