"""pp → Z H, Z → ℓ⁺ℓ⁻ as a process of the package."""

from typing import TYPE_CHECKING, Any, Final, cast

from partonic.config.process import ProcessConfig
from partonic.processes.decay_tree import DecayTree, Resonance
from partonic.processes.definition import MatrixElementCheck, PartonObservable, ProcessDefinition, TheoryParameter
from partonic.processes.zh.settings import ZhConfig

if TYPE_CHECKING:
    from partonic.physics.particles import Particle
    from partonic.physics.process import Process

__all__ = ["definition"]

_SUMMARY = """\
q q̄ → Z H, Z → ℓ⁺ℓ⁻ (e, μ) at leading order: Breit–Wigner shape and spin correlations of the Z in the matrix element,
H on its mass shell and decayed by the shower. Not included: g g → Z H.

  L ⊃ (1/Λ²) [c_Hq1 (H†iD↔_μ H)(q̄ γ^μ q) + c_Hq3 (H†iD↔^a_μ H)(q̄ σ^a γ^μ q)
              + c_Hu (H†iD↔_μ H)(ū_R γ^μ u_R) + c_Hd (H†iD↔_μ H)(d̄_R γ^μ d_R)]
      − (h/2v) [g2_ZZ Z_{μν} Z^{μν} + g4_ZZ Z_{μν} Z̃^{μν}],   Λ = 1 TeV, ε_{0123} = +1, the same for all generations

as in JHEP 03 (2025) 114: g2_ZZ = −2 (v²/Λ²)(s² c_HB + c² c_HW + s c c_HWB), g4_ZZ that of the dual field strengths,
with couplings of H to Zγ and γγ at zero and those of Z to leptons as in the Standard Model. One insertion per
amplitude, so that the cross section is a quadratic polynomial of θ."""

_PARAMETERS: Final = (
    TheoryParameter(
        "c_Hq1", r"$c_\mathrm{Hq}^{(1)}$",
        "Singlet current of left-handed quarks: (c_Hq1/Λ²)(H†iD↔_μ H)(q̄ γ^μ q); independent of the sign in D.",
        unit="TeV⁻²", sensible=(-1.0, 1.0),
    ),
    TheoryParameter(
        "c_Hq3", r"$c_\mathrm{Hq}^{(3)}$",
        "Triplet current of left-handed quarks: (c_Hq3/Λ²)(H†iD↔^a_μ H)(q̄ σ^a γ^μ q); c_Hq3 > 0 raises the rate.",
        unit="TeV⁻²", sensible=(-0.5, 0.5),
    ),
    TheoryParameter(
        "c_Hu", r"$c_\mathrm{Hu}$",
        "Current of right-handed up-type quarks: (c_Hu/Λ²)(H†iD↔_μ H)(ū_R γ^μ u_R).",
        unit="TeV⁻²", sensible=(-1.0, 1.0),
    ),
    TheoryParameter(
        "c_Hd", r"$c_\mathrm{Hd}$",
        "Current of right-handed down-type quarks: (c_Hd/Λ²)(H†iD↔_μ H)(d̄_R γ^μ d_R).",
        unit="TeV⁻²", sensible=(-1.0, 1.0),
    ),
    TheoryParameter(
        "g2_ZZ", r"$g_2^\mathrm{ZZ}$",
        "CP-even coupling −(g2_ZZ/2v) h Z_{μν} Z^{μν}; g2_ZZ = −2 (v²/Λ²)(s² c_HB + c² c_HW + s c c_HWB).",
        sensible=(-0.5, 0.5),
    ),
    TheoryParameter(
        "g4_ZZ", r"$g_4^\mathrm{ZZ}$",
        "CP-odd coupling −(g4_ZZ/2v) h Z_{μν} Z̃^{μν}, ε_{0123} = +1; that of dual field strengths, as g2_ZZ.",
        sensible=(-0.5, 0.5),
    ),
)  # fmt: skip

_SECTIONS: Final[dict[str, Any]] = {
    "generation": {"events": 40_000, "theta_mixture": [{}, {"c_Hq3": 0.2}, {"g2_ZZ": 0.3}, {"g4_ZZ": 0.3}]},
    "simulation": {
        "decays": {"higgs": "bb"},
        "selection": {
            "leptons": 2, "lepton_pt_min": 20.0, "leading_lepton_pt_min": 25.0, "veto_pt_min": 15.0,
            "opposite_charges": True, "lepton_pair_mass": [75.0, 105.0], "jets_min": 2, "b_tags_min": 2,
        },
    },
    "inference": {
        "source": "truth", "luminosity": 300.0, "parameters": ["c_Hq3", "g2_ZZ", "g4_ZZ"], "data": "pseudo",
        "truth": {},
    },
}  # fmt: skip


class _ZhDefinition(ProcessDefinition):
    """pp → Z H."""

    def parameters(self, settings: ProcessConfig) -> tuple[TheoryParameter, ...]:
        return _PARAMETERS

    def final_state(self, settings: ProcessConfig) -> "tuple[Particle, ...]":
        from partonic.physics.particles import HIGGS, Z_BOSON, Particle

        own = cast("ZhConfig", settings)
        higgs = Particle(HIGGS.name, HIGGS.pdg_id, own.higgs_mass, HIGGS.width)
        if not own.is_decayed:
            return higgs, Particle(Z_BOSON.name, Z_BOSON.pdg_id, own.z_mass, own.z_width)
        lepton = own.lepton_ids[0]
        return higgs, Particle("l_minus", lepton), Particle("l_plus", -lepton)

    def final_states(self, settings: ProcessConfig) -> tuple[tuple[int, ...], ...]:
        own = cast("ZhConfig", settings)
        return tuple((25, one, -one) for one in own.lepton_ids) if own.is_decayed else ((25, 23),)

    def decay_tree(self, settings: ProcessConfig) -> DecayTree:
        higgs = Resonance("H", (25,), (0,))
        if cast("ZhConfig", settings).is_decayed:
            return DecayTree((higgs, Resonance("Z", (23,), (1, 2), "matrix element")))
        return DecayTree((higgs, Resonance("Z", (23,), (1,))))

    def build(self, settings: ProcessConfig) -> "Process":
        from partonic.processes.zh.build import build

        return build(cast("ZhConfig", settings), self.final_state(settings))

    def checks(self) -> tuple[MatrixElementCheck, ...]:
        from partonic.processes.zh.checks import down_quarks

        return (down_quarks(),)

    def observables(self, partons: tuple[str, ...]) -> tuple[PartonObservable, ...]:
        from partonic.processes.vector_higgs_observables import vector_higgs_observables

        return vector_higgs_observables("Z", decayed=len(partons) == 3)


definition = _ZhDefinition(
    name="zh",
    title="pp → Z H, Z → ℓ⁺ℓ⁻",
    summary=_SUMMARY,
    settings=ZhConfig,
    defaults={"simulation": _SECTIONS["simulation"]},
    decay_channels={"dilepton": _SECTIONS},
    examples=("zh_quick.yaml",),
)
