r"""Form factors of a Higgs boson with two field strengths: hZZ, hZγ, hγγ and hW⁺W⁻, and the Warsaw operators.

    L = −(h/2v) [g₂^ZZ Z_{μν} Z^{μν} + 2 g₂^Zγ Z_{μν} A^{μν} + g₂^γγ A_{μν} A^{μν} + 2 g₂^WW W⁺_{μν} W^{−μν}]

and the same with g₄ and one dual field strength F̃^{μν} = ½ ε^{μνρσ} F_{ρσ}, ε_{0123} = +1 (Warsaw basis,
arXiv:1008.4884). To first order in the coefficients, with those of JHEP 03 (2025) 114,

    g₂^ZZ = −2 (v²/Λ²) (s² c_HB + c² c_HW + s c c_HWB)
    g₂^Zγ = −2 (v²/Λ²) (s c (c_HW − c_HB) + ½ (s² − c²) c_HWB)
    g₂^γγ = −2 (v²/Λ²) (c² c_HB + s² c_HW − s c c_HWB)
    g₂^WW = −2 (v²/Λ²) c_HW = c² g₂^ZZ + s² g₂^γγ + 2 s c g₂^Zγ

where s and c are sine and cosine of the weak mixing angle; g₄ come from c_HW̃, c_HB̃ and c_HW̃B. The last line is the
custodial relation by which a coupling to ZZ implies one to WW: SU(2) × U(1) has three operators for four form factors.
"""

from dataclasses import dataclass

from partonic.physics.electroweak import ElectroweakScheme

__all__ = ["HiggsFormFactors"]

_SCALE_OF_NEW_PHYSICS = 1000.0


@dataclass(frozen=True)
class HiggsFormFactors:
    """The three independent form factors of one CP parity: g₂ (even) or g₄ (odd); pure numbers.

    Attributes:
        zz: g^ZZ.
        zgamma: g^Zγ.
        gammagamma: g^γγ.
    """

    zz: float = 0.0
    zgamma: float = 0.0
    gammagamma: float = 0.0

    @classmethod
    def from_warsaw(
        cls, scheme: ElectroweakScheme, c_hw: float = 0.0, c_hb: float = 0.0, c_hwb: float = 0.0
    ) -> "HiggsFormFactors":
        """Return the form factors of Warsaw operators, or of those with dual field strengths.

        Args:
            scheme: masses and G_F.
            c_hw: c_HW (for g₄: c_HW̃), for Λ = 1 TeV.
            c_hb: c_HB (c_HB̃).
            c_hwb: c_HWB (c_HW̃B).
        """
        sine, cosine = scheme.sine, scheme.cosine
        unit = -2.0 * (scheme.vacuum_expectation_value / _SCALE_OF_NEW_PHYSICS) ** 2
        return cls(
            zz=unit * (sine**2 * c_hb + cosine**2 * c_hw + sine * cosine * c_hwb),
            zgamma=unit * (sine * cosine * (c_hw - c_hb) + 0.5 * (sine**2 - cosine**2) * c_hwb),
            gammagamma=unit * (cosine**2 * c_hb + sine**2 * c_hw - sine * cosine * c_hwb),
        )

    def ww(self, scheme: ElectroweakScheme) -> float:
        """Return g^WW, which gauge invariance fixes."""
        sine, cosine = scheme.sine, scheme.cosine
        return cosine**2 * self.zz + sine**2 * self.gammagamma + 2.0 * sine * cosine * self.zgamma

    @property
    def neutral(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The symmetric matrix of form factors of (Z, γ)."""
        return (self.zz, self.zgamma), (self.zgamma, self.gammagamma)
