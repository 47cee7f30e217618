"""A coarse density of an object, and the map that makes it a standard one: what is left is for a flow.

On the line, with the number a, its centre c, width s and tails k,

    y = asinh[k (a − c)/s]/k,    a = c + s sinh(k y)/k,

so that a standard Gaussian y has a narrow core with wide tails in a. On the circle, with δ = φ − φ_c and a width w,

    tan(y/2) = tan(δ/2)/w,

a smooth map of the circle to itself that makes the uniform angle of a wrapped Cauchy distribution (P. McCullagh, Ann.
Stat. 24 (1996) 787).
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["PARAMETERS", "Slopes", "Whitening", "base_log_prob"]

PARAMETERS = 11
"""Numbers of which a `Whitening` is made."""

_LOG_SCALE_LIMIT, _LOG_WIDTH_LIMIT = 5.0, 4.0
_SMALLEST_TAIL, _LARGEST_TAIL = 0.02, 1.5
_LOG_TWO_PI = math.log(2.0 * math.pi)


@dataclass(frozen=True)
class Slopes:
    """Numbers of an object, and how fast they change with the standard ones.

    Attributes:
        line: standardised t of pT and η.
        line_slope: da/dy.
        cosine, sine: of φ.
        angle_slope: dφ/dy.
    """

    line: Float[Tensor, "rows 2"]
    line_slope: Float[Tensor, "rows 2"]
    cosine: Float[Tensor, " rows"]
    sine: Float[Tensor, " rows"]
    angle_slope: Float[Tensor, " rows"]


@dataclass(frozen=True)
class Whitening:
    """The map of each row.

    Attributes:
        centre, log_scale, tail: c, ln s and k of standardised t of pT and η.
        cosine, sine: of φ_c.
        log_width: ln w.
    """

    centre: Float[Tensor, "rows 2"]
    log_scale: Float[Tensor, "rows 2"]
    tail: Float[Tensor, "rows 2"]
    cosine: Float[Tensor, " rows"]
    sine: Float[Tensor, " rows"]
    log_width: Float[Tensor, " rows"]

    @classmethod
    def of(
        cls, raw: Float[Tensor, "rows parameters"], place: Float[Tensor, "rows 2"], direction: Float[Tensor, "rows 2"]
    ) -> "Whitening":
        """Return the map of any numbers.

        Args:
            raw: numbers of a network, 0 for an object at `place`.
            place: standardised t of pT and η near which the object is.
            direction: cos φ and sin φ likewise, of any length.
        """
        shift, log_scale, tail, turn, width, trust = torch.split(raw, [2, 2, 2, 2, 1, 2], dim=1)
        share = torch.sigmoid(trust)
        vector = turn + direction * (4.0 * share[:, 1:])
        centre = torch.atan2(vector[:, 1], vector[:, 0])
        return cls(
            centre=shift + place * share[:, :1],
            log_scale=_bounded(log_scale, _LOG_SCALE_LIMIT),
            tail=_SMALLEST_TAIL + _LARGEST_TAIL * torch.sigmoid(tail - 1.0),
            cosine=torch.cos(centre),
            sine=torch.sin(centre),
            log_width=_bounded(width[:, 0], _LOG_WIDTH_LIMIT),
        )

    def detach(self) -> "Whitening":
        """Return the same map without gradients to its numbers."""
        return Whitening(**{name: values.detach() for name, values in vars(self).items()})

    def rows(self, chosen: slice) -> "Whitening":
        """Return the maps of some rows."""
        return Whitening(**{name: values[chosen] for name, values in vars(self).items()})

    def forward(
        self, line: Float[Tensor, "rows 2"], phi: Float[Tensor, " rows"]
    ) -> tuple[Float[Tensor, "rows 3"], Float[Tensor, "rows 3"]]:
        """Return standard numbers y with ln dy/d(a, φ) of each."""
        scaled = self.tail * (line - self.centre) * torch.exp(-self.log_scale)
        y = torch.asinh(scaled) / self.tail
        log_slope = -self.log_scale - 0.5 * torch.log1p(scaled.square())
        cosine, sine, width = torch.cos(phi), torch.sin(phi), torch.exp(self.log_width)
        delta = torch.atan2(sine * self.cosine - cosine * self.sine, cosine * self.cosine + sine * self.sine)
        across, along = torch.sin(0.5 * delta), torch.cos(0.5 * delta)
        angle = 2.0 * torch.atan2(across, width * along)
        of_angle = self.log_width - torch.log((width * along).square() + across.square())
        return torch.cat([y, angle[:, None]], dim=1), torch.cat([log_slope, of_angle[:, None]], dim=1)

    def inverse(self, y: Float[Tensor, "rows 3"]) -> Slopes:
        """Return the numbers of the object at standard numbers, and their slopes."""
        scaled, scale = self.tail * y[:, :2], torch.exp(self.log_scale)
        across, along = torch.sin(0.5 * y[:, 2]), torch.cos(0.5 * y[:, 2])
        width = torch.exp(self.log_width)
        wide = width * across
        inverse = 1.0 / (along.square() + wide.square())
        cosine, sine = (along.square() - wide.square()) * inverse, 2.0 * along * wide * inverse
        return Slopes(
            line=self.centre + scale * torch.sinh(scaled) / self.tail,
            line_slope=scale * torch.cosh(scaled),
            cosine=cosine * self.cosine - sine * self.sine,
            sine=sine * self.cosine + cosine * self.sine,
            angle_slope=width * inverse,
        )


def base_log_prob(y: Float[Tensor, "rows 3"]) -> Float[Tensor, "rows 3"]:
    """Return the log-densities of two standard Gaussian numbers and a uniform angle."""
    angle = torch.full_like(y[:, 2:], -_LOG_TWO_PI)
    return torch.cat([-0.5 * (y[:, :2].square() + _LOG_TWO_PI), angle], dim=1)


def _bounded(values: Tensor, limit: float) -> Tensor:
    return limit * torch.tanh(values / limit)
