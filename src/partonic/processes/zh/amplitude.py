r"""|M|² of q q̄ → Z H, Z → ℓ⁺ℓ⁻ with θ = (c_Hq1, c_Hq3, c_Hu, c_Hd, g2_ZZ, g4_ZZ).

    O_Hq1 = (H†iD↔_μ H)(q̄_L γ^μ q_L)        O_Hu = (H†iD↔_μ H)(ū_R γ^μ u_R)
    O_Hq3 = (H†iD↔^a_μ H)(q̄_L σ^a γ^μ q_L)   O_Hd = (H†iD↔_μ H)(d̄_R γ^μ d_R)

With H†iD↔_μ H = −(g/2cosθ_W) (v + h)² Z_μ and, for a = 3, the opposite sign, the couplings of the Z shift by

    δg_L = −(g/2cosθ_W)(v²/Λ²)(c_Hq1 − 2T₃ c_Hq3),   δg_R = −(g/2cosθ_W)(v²/Λ²) c_Hu or c_Hd

and each brings a vertex q q̄ Z H. g2_ZZ and g4_ZZ: `partonic.physics.amplitudes.higgs_form_factors`.
"""

from partonic.physics.amplitudes.higgs_strahlung import ExchangedBoson, HiggsStrahlung, Insertion
from partonic.physics.electroweak import ElectroweakScheme, isospin_of
from partonic.physics.particles import HIGGS, Z_BOSON

__all__ = ["ZH_PARAMETERS", "zh_amplitude"]

ZH_PARAMETERS = ("c_Hq1", "c_Hq3", "c_Hu", "c_Hd", "g2_ZZ", "g4_ZZ")
"""The parameters, in their order."""

_SCALE_OF_NEW_PHYSICS = 1000.0


def zh_amplitude(quark: int, scheme: ElectroweakScheme | None = None, lepton: int | None = 11) -> HiggsStrahlung:
    """Return q q̄ → H ℓ⁻ ℓ⁺, or H Z.

    Args:
        quark: PDG identifier; negative: the antiquark comes first.
        scheme: masses and couplings; None for the default ones.
        lepton: PDG identifier of the charged lepton; None for a Z on its mass shell, with no width anywhere.

    Raises:
        ProcessError: if `quark` is no quark or `lepton` no lepton.
    """
    scheme = scheme or ElectroweakScheme()
    flavour = abs(quark)
    z = ExchangedBoson(
        mass=scheme.z_mass,
        width=0.0 if lepton is None else scheme.z_width,
        quark=scheme.z_couplings(flavour),
        lepton=(0.0, 0.0) if lepton is None else scheme.z_couplings(lepton),
    )
    final = (Z_BOSON.pdg_id,) if lepton is None else (lepton, -lepton)
    return HiggsStrahlung(
        particles=(quark, -quark, HIGGS.pdg_id, *final),
        bosons=(z,),
        insertions=_insertions(flavour, scheme),
        vacuum_expectation_value=scheme.vacuum_expectation_value,
    )


def _insertions(flavour: int, scheme: ElectroweakScheme) -> tuple[tuple[str, Insertion], ...]:
    relative = (scheme.vacuum_expectation_value / _SCALE_OF_NEW_PHYSICS) ** 2
    shift = -0.5 * scheme.weak_coupling / scheme.cosine * relative
    isospin = isospin_of(flavour)
    terms = (
        Insertion.of_current((shift, 0.0)),
        Insertion.of_current((-2.0 * isospin * shift, 0.0)),
        Insertion.of_current((0.0, shift if isospin > 0.0 else 0.0)),
        Insertion.of_current((0.0, shift if isospin < 0.0 else 0.0)),
        Insertion(even=((1.0,),)),
        Insertion(odd=((1.0,),)),
    )
    return tuple(zip(ZH_PARAMETERS, terms, strict=True))
