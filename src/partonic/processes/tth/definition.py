"""pp → H t t̄ as a process of the package."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from partonic.config.process import ProcessConfig
from partonic.processes.decay_tree import DecayTree, Resonance
from partonic.processes.definition import MatrixElementCheck, PartonObservable, ProcessDefinition, TheoryParameter
from partonic.processes.top_decays import products_of, resonances_of
from partonic.processes.top_pair import TOP_PAIR_CHANNELS
from partonic.processes.tth.settings import TthConfig

if TYPE_CHECKING:
    from partonic.physics.particles import Particle
    from partonic.physics.process import Process

__all__ = ["definition"]

_SUMMARY = """\
gg and q q̄ → H t t̄ at leading order, tops and H on shell and decayed by the shower (tops unpolarised), or,
with `decays: in_matrix_element`, t → b f f' as part of the amplitude, with the correlations of their spins.

  L ⊃ −(m_t/v) t̄ [(1 + δκ_t) + i κ̃_t γ5] t H + (g_s c_tG/Λ²) [(Q̄ σ^{μν} T^A t) φ̃ G^A_{μν} + h.c.],   Λ = 1 TeV

The sign of the covariant derivative is that for which c_tG > 0 raises σ(t t̄). One insertion per amplitude, so that the
cross section is a quadratic polynomial of θ."""

_PARAMETERS = (
    TheoryParameter(
        "delta_kappa_t", r"$\delta\kappa_\mathrm{t}$", "CP-even Yukawa coupling of the top: −(m_t/v)(1 + δκ_t) t̄ t H.",
        sensible=(-3.0, 3.0),
    ),
    TheoryParameter(
        "kappa_tilde_t", r"$\tilde{\kappa}_\mathrm{t}$", "CP-odd Yukawa coupling of the top: −(m_t/v) κ̃_t t̄ iγ5 t H.",
        sensible=(-3.0, 3.0),
    ),
    TheoryParameter(
        "c_tG", r"$c_\mathrm{tG}$",
        "Chromomagnetic dipole of the top: (g_s c_tG/Λ²)(Q̄ σ^{μν} T^A t) φ̃ G^A_{μν} + h.c.; c_tG > 0 raises σ(t t̄).",
        unit="TeV⁻²", sensible=(-2.0, 2.0),
    ),
)  # fmt: skip


class _TthDefinition(ProcessDefinition):
    """pp → H t t̄."""

    def parameters(self, settings: ProcessConfig) -> tuple[TheoryParameter, ...]:
        return _PARAMETERS

    def final_state(self, settings: ProcessConfig) -> "tuple[Particle, ...]":
        from partonic.physics.particles import HIGGS, TOP, Particle

        own = cast("TthConfig", settings)
        higgs = Particle(HIGGS.name, HIGGS.pdg_id, own.higgs_mass, HIGGS.width)
        if own.decays == "in_matrix_element":
            (of_top, of_antitop), leptons = own.top_decays.kinds[0], own.top_decays.leptons
            return higgs, *products_of("t", of_top, leptons), *products_of("tbar", of_antitop, leptons, sign=-1)
        top = Particle(TOP.name, TOP.pdg_id, own.top_mass, TOP.width)
        return higgs, top, top.antiparticle

    def final_states(self, settings: ProcessConfig) -> tuple[tuple[int, ...], ...]:
        own = cast("TthConfig", settings)
        if own.decays == "shower":
            return super().final_states(settings)
        pairs = [(of_top, of_antitop) for (of_top, _), (of_antitop, _) in own.top_decays.flavours]
        return tuple((25, 5, -first, first + 1, -5, second, -second - 1) for first, second in pairs)

    def decay_tree(self, settings: ProcessConfig) -> DecayTree:
        if cast("TthConfig", settings).decays == "in_matrix_element":
            of_top, of_antitop = resonances_of("t", "Wplus", (1,), 1), resonances_of("tbar", "Wminus", (-1,), 4)
            return DecayTree((Resonance("H", (25,), (0,)), *of_top, *of_antitop))
        return DecayTree((Resonance("H", (25,), (0,)), Resonance("t", (6,), (1,)), Resonance("tbar", (-6,), (2,))))

    def build(self, settings: ProcessConfig) -> "Process":
        from partonic.processes.tth.build import build

        return build(cast("TthConfig", settings), self.final_state(settings))

    def checks(self) -> tuple[MatrixElementCheck, ...]:
        from partonic.processes.tth.checks import gluon_fusion

        return (gluon_fusion(),)

    def observables(self, partons: tuple[str, ...]) -> tuple[PartonObservable, ...]:
        from partonic.processes.top_pair import decayed_pair_observables, top_pair_observables

        return decayed_pair_observables() if "b_t" in partons else top_pair_observables(top=1, antitop=2)


def _sections(decays: str, simulation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sections of a file to begin with: events, and the matrix element method where it has networks."""
    events = 40_000 if decays in ("semileptonic", "inclusive") else 400_000
    sections: dict[str, Any] = {
        "generation": {"events": events, "theta_mixture": [{}, {"kappa_tilde_t": 1.0}, {"c_tG": 0.5}]},
        "simulation": {**simulation, "decays": {"higgs": "bb", **simulation["decays"]}},
    }
    if decays == "inclusive":
        return sections  # no common transfer function
    if decays == "semileptonic":
        sections["mem"] = {"model": "pretrained", "points": {"maximum": 10_000}, "max_events": 5_000}
    else:
        sections["mem_training"] = {
            "preset": "small",
            "parts": ["acceptance", "transfer", "initial_state", "proposal"],
            "proposal": {
                "drawn": {"events": 500_000},
                "training": {"epochs": 3, "flow_epochs": 6, "validation_fraction": 0.02},
            },
        }
        sections["mem"] = {
            "proposal": {"kind": "network"}, "points": {"maximum": 10_000}, "max_events": 1_000,
        }  # fmt: skip
    sections["inference"] = {
        "luminosity": 30.0, "parameters": ["kappa_tilde_t", "c_tG"], "data": "pseudo", "truth": {},
    }  # fmt: skip
    return sections


definition = _TthDefinition(
    name="tth",
    title="pp → H t t̄",
    summary=_SUMMARY,
    settings=TthConfig,
    decay_channels={name: _sections(name, simulation) for name, simulation in TOP_PAIR_CHANNELS.items()},
    examples=("tth_quick.yaml", "tth_semileptonic.yaml", "tth_dilepton.yaml", "tth_all_hadronic.yaml"),
)
