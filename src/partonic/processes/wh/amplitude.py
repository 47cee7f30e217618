r"""|M|² of q q̄' → W H, W → ℓν with θ = (c_Hq3, g2_ZZ, g4_ZZ).

O_Hq3 = (H†iD↔^a_μ H)(q̄_L σ^a γ^μ q_L) contains (g/2)(v + h)² W^a_μ q̄σ^aγ^μ q for a = 1, 2: the coupling g/√2 of the
W becomes (g/√2)(1 + c_Hq3 v²/Λ²), with a vertex q q̄' W H. Of the anomalous couplings of H to bosons those to WW follow
from gauge invariance, with couplings to Zγ and γγ at zero: g₂^WW = cos²θ_W g₂^ZZ, and the same for g₄
(`partonic.physics.amplitudes.higgs_form_factors`). No other parameter of ZH is there: W couples to left-handed quarks,
and the singlet O_Hq1 has no charged current.
"""

from partonic.physics.amplitudes.higgs_form_factors import HiggsFormFactors
from partonic.physics.amplitudes.higgs_strahlung import ExchangedBoson, HiggsStrahlung, Insertion
from partonic.physics.electroweak import ElectroweakScheme, charge_of
from partonic.physics.particles import HIGGS, W_BOSON

__all__ = ["WH_PARAMETERS", "wh_amplitude"]

WH_PARAMETERS = ("c_Hq3", "g2_ZZ", "g4_ZZ")
"""The parameters, in their order."""

_SCALE_OF_NEW_PHYSICS = 1000.0


def wh_amplitude(
    initial: tuple[int, int], scheme: ElectroweakScheme | None = None, lepton: int | None = 11
) -> HiggsStrahlung:
    """Return q q̄' → H ℓ ν, or H W, with the charges of the initial state.

    Args:
        initial: PDG identifiers, e.g. ``(2, -1)`` for u d̄ → H ℓ⁺ ν or ``(-2, 1)`` for ū d → H ℓ⁻ ν̄.
        scheme: masses and couplings; None for the default ones.
        lepton: PDG identifier of the negative lepton, for its flavour; None for a W on its mass shell, without width.

    Raises:
        ProcessError: unless the two make the charge of a W.
    """
    scheme = scheme or ElectroweakScheme()
    sign = round(charge_of(initial[0]) + charge_of(initial[1]))
    coupling = scheme.weak_coupling / 2.0**0.5
    w = ExchangedBoson(
        mass=scheme.w_mass,
        width=0.0 if lepton is None else scheme.w_width,
        quark=(coupling, 0.0),
        lepton=(0.0 if lepton is None else coupling, 0.0),
    )
    final = (sign * W_BOSON.pdg_id,) if lepton is None else (-sign * lepton, sign * (lepton + 1))
    return HiggsStrahlung(
        particles=(*initial, HIGGS.pdg_id, *final),
        bosons=(w,),
        insertions=_insertions(coupling, scheme),
        vacuum_expectation_value=scheme.vacuum_expectation_value,
    )


def _insertions(coupling: float, scheme: ElectroweakScheme) -> tuple[tuple[str, Insertion], ...]:
    relative = (scheme.vacuum_expectation_value / _SCALE_OF_NEW_PHYSICS) ** 2
    form_factor = ((HiggsFormFactors(zz=1.0).ww(scheme),),)
    terms = (
        Insertion.of_current((coupling * relative, 0.0)), Insertion(even=form_factor), Insertion(odd=form_factor),
    )  # fmt: skip
    return tuple(zip(WH_PARAMETERS, terms, strict=True))
