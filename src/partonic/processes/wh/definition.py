"""pp → W± H, W → ℓν as a process of the package."""

from typing import TYPE_CHECKING, Any, Final, cast

from partonic.config.process import ProcessConfig
from partonic.processes.decay_tree import DecayTree, Resonance
from partonic.processes.definition import MatrixElementCheck, PartonObservable, ProcessDefinition, TheoryParameter
from partonic.processes.wh.settings import WhConfig

if TYPE_CHECKING:
    from partonic.physics.particles import Particle
    from partonic.physics.process import Process

__all__ = ["definition"]

_SUMMARY = """\
q q̄' → W± H, W → ℓν (e, μ) at leading order with a unit CKM matrix: Breit–Wigner shape and spin correlations of the W in
the matrix element, H on its mass shell and decayed by the shower.

  L ⊃ (c_Hq3/Λ²) (H†iD↔^a_μ H)(q̄ σ^a γ^μ q) − (cos²θ_W/v) h [g2_ZZ W⁺_{μν} W^{−μν} + g4_ZZ W⁺_{μν} W̃^{−μν}],

Λ = 1 TeV, ε_{0123} = +1, the same for all generations. The parameters are those of ZH (JHEP 03 (2025) 114) on which WH
depends. g2_ZZ and g4_ZZ are defined by hZZ: with couplings of H to Zγ and γγ at zero, SU(2) × U(1) gives those of
hWW, g^WW = cos²θ_W g^ZZ. c_Hq1, c_Hu and c_Hd have no charged current. One insertion per amplitude, so that the cross
section is a quadratic polynomial of θ."""

_PARAMETERS: Final = (
    TheoryParameter(
        "c_Hq3", r"$c_\mathrm{Hq}^{(3)}$",
        "Triplet current of left-handed quarks: (c_Hq3/Λ²)(H†iD↔^a_μ H)(q̄ σ^a γ^μ q); c_Hq3 > 0 raises the rate.",
        unit="TeV⁻²", sensible=(-0.5, 0.5),
    ),
    TheoryParameter(
        "g2_ZZ", r"$g_2^\mathrm{ZZ}$",
        "CP-even coupling, −(g2_ZZ/2v) h Z_{μν} Z^{μν} and its partner −(cos²θ_W g2_ZZ/v) h W⁺_{μν} W^{−μν}.",
        sensible=(-0.5, 0.5),
    ),
    TheoryParameter(
        "g4_ZZ", r"$g_4^\mathrm{ZZ}$",
        "CP-odd coupling, the same with one dual field strength: −(cos²θ_W g4_ZZ/v) h W⁺_{μν} W̃^{−μν}, ε_{0123} = +1.",
        sensible=(-0.5, 0.5),
    ),
)  # fmt: skip

_SECTIONS: Final[dict[str, Any]] = {
    "generation": {"events": 40_000, "theta_mixture": [{}, {"c_Hq3": 0.2}, {"g2_ZZ": 0.3}, {"g4_ZZ": 0.3}]},
    "simulation": {
        "decays": {"higgs": "bb"},
        "selection": {
            "leptons": 1, "lepton_pt_min": 29.0, "veto_pt_min": 15.0, "met_min": 30.0, "jets_min": 2, "b_tags_min": 2,
        },
    },
    "inference": {
        "source": "truth", "luminosity": 300.0, "parameters": ["c_Hq3", "g2_ZZ", "g4_ZZ"], "data": "pseudo",
        "truth": {},
    },
}  # fmt: skip


class _WhDefinition(ProcessDefinition):
    """pp → W± H."""

    def parameters(self, settings: ProcessConfig) -> tuple[TheoryParameter, ...]:
        return _PARAMETERS

    def final_state(self, settings: ProcessConfig) -> "tuple[Particle, ...]":
        from partonic.physics.particles import HIGGS, W_BOSON, Particle

        own = cast("WhConfig", settings)
        higgs = Particle(HIGGS.name, HIGGS.pdg_id, own.higgs_mass, HIGGS.width)
        if not own.is_decayed:
            return higgs, Particle(W_BOSON.name, W_BOSON.pdg_id, own.w_mass, own.w_width)
        lepton = own.lepton_ids[0]
        return higgs, Particle("l_W", -lepton), Particle("nu", lepton + 1)

    def final_states(self, settings: ProcessConfig) -> tuple[tuple[int, ...], ...]:
        own = cast("WhConfig", settings)
        if not own.is_decayed:
            return (25, 24), (25, -24)
        return tuple((25, -sign * one, sign * (one + 1)) for sign in (1, -1) for one in own.lepton_ids)

    def decay_tree(self, settings: ProcessConfig) -> DecayTree:
        higgs = Resonance("H", (25,), (0,))
        if cast("WhConfig", settings).is_decayed:
            return DecayTree((higgs, Resonance("W", (24, -24), (1, 2), "matrix element")))
        return DecayTree((higgs, Resonance("W", (24, -24), (1,))))

    def build(self, settings: ProcessConfig) -> "Process":
        from partonic.processes.wh.build import build

        return build(cast("WhConfig", settings), self.final_state(settings))

    def checks(self) -> tuple[MatrixElementCheck, ...]:
        from partonic.processes.wh.checks import up_antidown

        return (up_antidown(),)

    def observables(self, partons: tuple[str, ...]) -> tuple[PartonObservable, ...]:
        from partonic.processes.vector_higgs_observables import vector_higgs_observables

        return vector_higgs_observables("W", decayed=len(partons) == 3)


definition = _WhDefinition(
    name="wh",
    title="pp → W± H, W → ℓν",
    summary=_SUMMARY,
    settings=WhConfig,
    defaults={"simulation": _SECTIONS["simulation"]},
    decay_channels={"lepton": _SECTIONS},
    examples=("wh_quick.yaml",),
)
