r"""Couplings of W and Z in the Standard Model with three dimension-six operators, to first order in each.

    L = L_SM + Σ_k (θ_k/Λ²) O_k,  Λ = 1 TeV,  D = ∂ − i g W^a T^a − i g' B Y,
    O_ΦWB = Φ†τ^aΦ W^a_{μν} B^{μν},   O_WWW = ε_abc W^{aν}_μ W^{bρ}_ν W^{cμ}_ρ,   O_Φq3 = (Φ† i D↔^a_μ Φ)(Q̄ τ^a γ^μ Q).

O_ΦWB mixes W³ and B: with ε = v² θ/(2Λ²), W³ → W³ − εB and B → B − εW³ make the kinetic terms canonical, and with
m_W, m_Z and G_F held fixed (g and v are, g' and the angle move) the couplings become

    Z f f:  (g/c)[T₃ − Q(s² − 2εsc)],     γ f f:  g(s − 2εc) Q,
    Z W W:  g₁ = g(c + 2εs), κ = gc,      γ W W:  g₁ = g(s − 2εc), κ = gs,

in the notation of `partonic.physics.amplitudes.triple_gauge`. O_WWW gives λ = 6θ/Λ² times c (Z) or s (γ), O_Φq3 the
factor 1 + v²θ/Λ² in W q q' and in T₃ of the left-handed quarks in Z q q. In the other convention, D = ∂ + i g W, the
sign of θ_WWW is reversed and the others are not.

A coupling is four numbers: its value in the Standard Model and its derivatives by the three θ, so that amplitudes are
exact to first order in each θ.
"""

from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Tensor

from partonic.physics.electroweak import ElectroweakScheme, charge_of, isospin_of

__all__ = ["WZ_PARAMETERS", "WZCouplings", "times"]

WZ_PARAMETERS: Final = ("c_PhiWB", "c_WWW", "c_Phiq3")
"""θ = (c_ΦWB, c_WWW, c_Φq3), Λ = 1 TeV."""

_SCALE_OF_NEW_PHYSICS = 1000.0
_FIELD_STRENGTH_FACTOR = 6.0
"""The six ways to assign the fields to O_WWW."""


def times(*couplings: Tensor) -> Tensor:
    """Return the product of couplings, or of an amplitude `(4, N)` and couplings `(4, 1)`, to first order in θ."""
    product = couplings[0]
    for coupling in couplings[1:]:
        slopes = product[0] * coupling[1:] + product[1:] * coupling[0]
        product = torch.cat([(product[:1] * coupling[:1]), slopes])
    return product


@dataclass(frozen=True)
class WZCouplings:
    """The couplings of `q q̄' → W Z`, each `(4,)`: value and derivatives by θ.

    Attributes:
        scheme: masses, widths and G_F.
    """

    scheme: ElectroweakScheme = field(default_factory=ElectroweakScheme)

    @property
    def shift(self) -> float:
        """v²/Λ²."""
        return (self.scheme.vacuum_expectation_value / _SCALE_OF_NEW_PHYSICS) ** 2

    def w_leptons(self) -> Tensor:
        """Return W ℓ ν: g/√2."""
        return self._numbers(self.scheme.weak_coupling / 2**0.5)

    def w_quarks(self) -> Tensor:
        """Return W q q': (g/√2)(1 + v²θ_Φq3/Λ²)."""
        value = self.scheme.weak_coupling / 2**0.5
        return self._numbers(value, phi_q3=value * self.shift)

    def z(self, pdg: int, chirality: str) -> Tensor:
        """Return Z f f of one chirality for a quark or lepton (the particle)."""
        left, right = self.scheme.z_couplings(pdg)
        mixing = self.scheme.weak_coupling * self.scheme.sine * charge_of(pdg) * self.shift
        if chirality == "right":
            return self._numbers(right, phi_wb=mixing)
        isospin = self.scheme.weak_coupling / self.scheme.cosine * isospin_of(pdg)
        return self._numbers(left, phi_wb=mixing, phi_q3=isospin * self.shift if pdg <= 6 else 0.0)

    def photon(self, pdg: int) -> Tensor:
        """Return γ f f."""
        return self._charge() * charge_of(pdg)

    def gauge(self, boson: str) -> Tensor:
        """Return g₁ of W W Z (``"Z"``) or W W γ (``"photon"``)."""
        scheme = self.scheme
        if boson == "photon":
            return self._charge()
        return self._numbers(
            scheme.weak_coupling * scheme.cosine, phi_wb=scheme.weak_coupling * scheme.sine * self.shift
        )

    def magnetic(self, boson: str) -> Tensor:
        """Return κ."""
        return self._numbers(self.scheme.weak_coupling * self._weight(boson))

    def field_strengths(self, boson: str) -> Tensor:
        """Return λ in GeV⁻²."""
        return self._numbers(0.0, www=_FIELD_STRENGTH_FACTOR * self._weight(boson) / _SCALE_OF_NEW_PHYSICS**2)

    def _charge(self) -> Tensor:
        scheme = self.scheme
        return self._numbers(
            scheme.weak_coupling * scheme.sine, phi_wb=-scheme.weak_coupling * scheme.cosine * self.shift
        )

    def _weight(self, boson: str) -> float:
        """Return the share of W³ in the boson."""
        return self.scheme.sine if boson == "photon" else self.scheme.cosine

    @staticmethod
    def _numbers(value: float, *, phi_wb: float = 0.0, www: float = 0.0, phi_q3: float = 0.0) -> Tensor:
        return torch.tensor([value, phi_wb, www, phi_q3], dtype=torch.float64)
