"""Energy response of jets: the density of the jet's energy for a quark of given energy, and the chance to lose it.

The density of δ = E_jet − E_quark is a core and a tail Gaussian,

    W(E_jet | E) = (1 − f) N(δ; a₀ + a₁E, σ(E)²) + f N(δ; b₀ + b₁E, τ(E)²),    σ² = s₀² + s₁²E + s₂²E²,  τ² likewise,

in bands of |η|, for b quarks and light quarks. A quark is lost if it lies outside the acceptance in η, if its jet falls
below the smallest pT (the integral of the same density), or, with a constant probability, if its jet merged with
another or is not found. Jet energies are pT cosh η: the momentum of the jet.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from partonic.errors import ModelError

__all__ = ["PARAMETERS", "JetResponse", "response_log_density", "response_survival"]

PARAMETERS = (
    "core_offset", "core_slope", "core_noise", "core_stochastic", "core_constant",
    "tail_offset", "tail_slope", "tail_noise", "tail_stochastic", "tail_constant", "tail_fraction", "missed",
)  # fmt: skip
"""a₀, a₁, s₀, s₁, s₂, b₀, b₁, t₀, t₁, t₂, f, and the probability of no jet whatever the energy; energies in GeV."""

_LOG_ROOT_TWO_PI = 0.5 * math.log(2.0 * math.pi)


@dataclass(frozen=True)
class JetResponse:
    """The response to one kind of quark.

    Attributes:
        eta_edges: upper ends of the bands in |η|, ascending; the last one is the end of the acceptance, `(B,)`.
        parameters: `PARAMETERS` of each band, `(B, 12)`.
        jet_pt_min: smallest pT of a jet, GeV.

    Raises:
        ModelError: if the numbers make no response.
    """

    eta_edges: Float[Tensor, " bands"]
    parameters: Float[Tensor, "bands 12"]
    jet_pt_min: float

    def __post_init__(self) -> None:
        shares, widths = self.parameters[:, 10:], self.parameters[:, [2, 3, 4, 7, 8, 9]]
        ascending = bool((self.eta_edges.diff() > 0).all()) and bool((self.eta_edges > 0).all())
        good = bool(((shares >= 0) & (shares < 1)).all()) and bool((widths >= 0).all())
        if not (ascending and good and self.jet_pt_min >= 0.0):
            raise ModelError(
                "a jet response needs ascending |η| bands, widths that are not negative and probabilities in [0, 1]; "
                f"got the bands {self.eta_edges.tolist()} and {self.parameters.tolist()}: fit it again with "
                "fit_transfer_functions"
            )

    def log_density(
        self, jet_energy: Float[Tensor, "*batch"], energy: Float[Tensor, "*batch"], eta: Float[Tensor, "*batch"]
    ) -> Float[Tensor, "*batch"]:
        """Return the log of the density of the jet's energy (per GeV), times the probability to find the jet."""
        parameters = self._of(eta)
        return response_log_density(jet_energy - energy, energy, parameters) + torch.log1p(-parameters[..., 11])

    def loss(self, energy: Float[Tensor, "*batch"], eta: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
        """Return the probability that a quark has no jet in the acceptance."""
        threshold = self.jet_pt_min * torch.cosh(eta.clamp(-20.0, 20.0))
        parameters = self._of(eta)
        seen = (1.0 - parameters[..., 11]) * response_survival(threshold - energy, energy, parameters)
        return torch.where(eta.abs() < self.eta_edges[-1], 1.0 - seen, torch.ones_like(seen))

    def energy_range(
        self, jet_energy: Float[Tensor, "*batch"]
    ) -> tuple[Float[Tensor, "*batch"], Float[Tensor, "*batch"]]:
        """Return quark energies between which all that matters lies, for a jet of this energy."""
        return 0.45 * jet_energy, 2.2 * jet_energy + 25.0

    def band(self, eta: Float[Tensor, "*batch"]) -> Int[Tensor, "*batch"]:
        """Return the band of each |η|; the last one beyond the acceptance."""
        return torch.bucketize(eta.abs(), self.eta_edges[:-1].contiguous())

    def as_json(self) -> dict[str, Any]:
        """Return the response as JSON-like values."""
        bands = [
            {"eta_max": float(edge), **{name: float(value) for name, value in zip(PARAMETERS, row, strict=True)}}
            for edge, row in zip(self.eta_edges, self.parameters, strict=True)
        ]
        return {"jet_pt_min": self.jet_pt_min, "bands": bands}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "JetResponse":
        """Read what `as_json` gave; a missing key raises `KeyError`."""
        bands = content["bands"]
        rows = [[float(band[name]) for name in PARAMETERS] for band in bands]
        edges = [float(band["eta_max"]) for band in bands]
        return cls(
            torch.tensor(edges, dtype=torch.float64),
            torch.tensor(rows, dtype=torch.float64).reshape(len(rows), len(PARAMETERS)),
            float(content["jet_pt_min"]),
        )

    def _of(self, eta: Tensor) -> Tensor:
        return self.parameters[self.band(eta)]


def response_log_density(
    difference: Float[Tensor, "*batch"], energy: Float[Tensor, "*batch"], parameters: Float[Tensor, "*#batch 12"]
) -> Float[Tensor, "*batch"]:
    """Return the log-density of δ = E_jet − E (per GeV)."""
    (core_mean, core_width), (tail_mean, tail_width), fraction = _components(energy, parameters)
    core = _log_gauss(difference, core_mean, core_width) + torch.log1p(-fraction)
    tail = _log_gauss(difference, tail_mean, tail_width) + torch.log(fraction)
    return torch.logaddexp(core, tail)


def response_survival(
    difference: Float[Tensor, "*batch"], energy: Float[Tensor, "*batch"], parameters: Float[Tensor, "*#batch 12"]
) -> Float[Tensor, "*batch"]:
    """Return the probability that E_jet − E exceeds `difference`."""
    (core_mean, core_width), (tail_mean, tail_width), fraction = _components(energy, parameters)
    core = torch.special.ndtr((core_mean - difference) / core_width)
    tail = torch.special.ndtr((tail_mean - difference) / tail_width)
    result: Tensor = (1.0 - fraction) * core + fraction * tail
    return result


def _components(energy: Tensor, parameters: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor], Tensor]:
    a0, a1, s0, s1, s2, b0, b1, t0, t1, t2, fraction, _ = parameters.unbind(dim=-1)
    core = a0 + a1 * energy, _width(energy, s0, s1, s2)
    tail = b0 + b1 * energy, _width(energy, t0, t1, t2)
    return core, tail, fraction


def _width(energy: Tensor, noise: Tensor, stochastic: Tensor, constant: Tensor) -> Tensor:
    return (noise.square() + stochastic.square() * energy + (constant * energy).square()).sqrt()


def _log_gauss(value: Tensor, mean: Tensor, width: Tensor) -> Tensor:
    return -0.5 * ((value - mean) / width).square() - torch.log(width) - _LOG_ROOT_TWO_PI
