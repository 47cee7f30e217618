"""Transverse balance: the resolution of the missing momentum, and the recoil of H t t̄ against initial-state radiation.

Missing momentum: jets that are measured too low, or lose energy out of their cones, show up in it only in part,

    MET = pT(ν) + α D + noise,    D = Σ_matched jets (quark − jet),    σ² = a² + b² H_T    in each direction,

with H_T the sum of jet pT. The recoil ρ is the transverse momentum of H t t̄. It balances what was radiated before,
which is seen in part as jets of no quark:

    p(ρ | extra jets) = sum of two round Gaussians of ρ + κ Σ_extra pT,

with widths by the number of such jets (0, 1, 2 or more).
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from partonic.errors import ModelError
from partonic.mem.classical.maximum_likelihood import minimise

__all__ = ["MissingMomentum", "Recoil", "fit_missing_momentum", "fit_recoil"]

_CLASSES = 3


@dataclass(frozen=True)
class MissingMomentum:
    """The resolution of the missing transverse momentum.

    Attributes:
        share: α, the share of mismeasured quark momentum that appears in it.
        noise: a, GeV.
        stochastic: b, √GeV.
    """

    share: float
    noise: float
    stochastic: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.share) and self.noise > 0.0 and self.stochastic >= 0.0):
            raise ModelError(f"the resolution of the missing momentum must be positive, got {self}: fit it again")

    def width(self, scalar_sum: float) -> float:
        """Return σ in each direction for a sum of jet pT, both in GeV."""
        return math.sqrt(self.noise**2 + self.stochastic**2 * scalar_sum)

    def log_density(
        self,
        met: Float[Tensor, "*batch 2"],
        neutrino: Float[Tensor, "*batch 2"],
        difference: Float[Tensor, "*batch 2"],
        scalar_sum: float,
    ) -> Float[Tensor, "*batch"]:
        """Return the log-density of the missing momentum (x, y), per GeV².

        Args:
            met: measured, GeV.
            neutrino: transverse momentum of the neutrino, GeV.
            difference: D, GeV.
            scalar_sum: H_T, GeV.
        """
        square = (met - neutrino - self.share * difference).square().sum(dim=-1)
        return _log_round_gauss(square, torch.as_tensor(self.width(scalar_sum), dtype=square.dtype))

    def as_json(self) -> dict[str, Any]:
        """Return the parameters."""
        return {"share": self.share, "noise": self.noise, "stochastic": self.stochastic}


@dataclass(frozen=True)
class Recoil:
    """The density of the transverse momentum of H t t̄ after initial-state radiation.

    Attributes:
        balance: κ.
        widths: of the narrow and the wide Gaussian for 0, 1, 2 or more extra jets, GeV, `(3, 2)`.
        wide_fraction: weight of the wide one, `(3,)`.
    """

    balance: float
    widths: Float[Tensor, "3 2"]
    wide_fraction: Float[Tensor, "3"]

    def __post_init__(self) -> None:
        inside = bool(((self.wide_fraction >= 0) & (self.wide_fraction <= 1)).all())
        if not (bool((self.widths > 0).all()) and inside):
            raise ModelError(f"the recoil needs positive widths and fractions in [0, 1], got {self}: fit it again")

    def log_density(
        self, recoil: Float[Tensor, "*batch 2"], extra: Float[Tensor, "*#batch 2"], count: Int[Tensor, "*#batch"]
    ) -> Float[Tensor, "*batch"]:
        """Return the log-density of the recoil ρ (x, y), per GeV².

        Args:
            recoil: transverse momentum of H t t̄, GeV.
            extra: summed transverse momentum of the extra jets, GeV.
            count: number of extra jets.
        """
        row = count.clamp(max=_CLASSES - 1)
        return _log_recoil(recoil + self.balance * extra, self.widths[row], self.wide_fraction[row])

    def as_json(self) -> dict[str, Any]:
        """Return the parameters."""
        return {
            "balance": self.balance, "widths": self.widths.tolist(), "wide_fraction": self.wide_fraction.tolist(),
        }  # fmt: skip

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Recoil":
        """Read what `as_json` gave; a missing key raises `KeyError`."""
        widths, fraction = (torch.tensor(content[name], dtype=torch.float64) for name in ("widths", "wide_fraction"))
        return cls(float(content["balance"]), widths, fraction)


def fit_missing_momentum(
    met: Float[Tensor, "events 2"], neutrino: Float[Tensor, "events 2"], difference: Float[Tensor, "events 2"],
    scalar_sum: Float[Tensor, " events"],
) -> MissingMomentum:  # fmt: skip
    """Fit the resolution to events with known neutrinos; arguments as in `MissingMomentum.log_density`."""

    def loss(free: Tensor) -> Tensor:
        width = ((2.0 * free[1]).exp() + (2.0 * free[2]).exp() * scalar_sum).sqrt()
        square = (met - neutrino - free[0] * difference).square().sum(dim=-1)
        return -_log_round_gauss(square, width).mean()

    start = torch.tensor([0.3, 2.5, 0.0], dtype=torch.float64)
    share, noise, stochastic = minimise(loss, start, "the missing momentum").tolist()
    return MissingMomentum(share, math.exp(noise), math.exp(stochastic))


def fit_recoil(
    recoil: Float[Tensor, "events 2"], extra: Float[Tensor, "events 2"], count: Int[Tensor, " events"]
) -> Recoil:
    """Fit the recoil to events with known partons; arguments as in `Recoil.log_density`."""
    row = count.clamp(max=_CLASSES - 1)

    def parts(free: Tensor) -> tuple[Tensor, Tensor]:
        narrow = free[1:4].exp()
        return torch.stack([narrow, narrow * (1.0 + free[4:7].exp())], dim=-1), torch.sigmoid(free[7:10])

    def loss(free: Tensor) -> Tensor:
        widths, fraction = parts(free)
        return -_log_recoil(recoil + free[0] * extra, widths[row], fraction[row]).mean()

    start = torch.tensor([0.8, *[3.0] * 3, *[0.0] * 3, *[-1.0] * 3], dtype=torch.float64)
    fitted = minimise(loss, start, "the recoil")
    return Recoil(float(fitted[0]), *parts(fitted))


def _log_recoil(vector: Tensor, widths: Tensor, wide_fraction: Tensor) -> Tensor:
    square = vector.square().sum(dim=-1)
    narrow = _log_round_gauss(square, widths[..., 0]) + torch.log1p(-wide_fraction)
    return torch.logaddexp(narrow, _log_round_gauss(square, widths[..., 1]) + torch.log(wide_fraction))


def _log_round_gauss(square: Tensor, width: Tensor) -> Tensor:
    return -0.5 * square / width.square() - torch.log(2.0 * math.pi * width.square())
