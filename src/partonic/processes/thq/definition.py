"""pp → H t q as a process of the package."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from partonic.config.process import ProcessConfig
from partonic.processes.decay_tree import DecayTree, Resonance
from partonic.processes.definition import MatrixElementCheck, PartonObservable, ProcessDefinition, TheoryParameter
from partonic.processes.thq.settings import ThqConfig
from partonic.processes.top_decays import flavours_of_w, products_of, resonances_of, without_tops

if TYPE_CHECKING:
    from partonic.physics.particles import Particle
    from partonic.physics.process import Process

__all__ = ["definition"]

_SUMMARY = """\
q b → H t q' by exchange of a W in the t-channel, and the charge conjugate, at leading order in the five-flavour scheme:
massless b, unit matrix for quark mixing, top and H on shell and decayed by the shower (top unpolarised), or, with
`decays: in_matrix_element`, t → b f f' as part of the amplitude, with the spin of the top.

  L ⊃ −(m_t/v) t̄ [κ_e + (2/3) i κ_o γ5] t H, and HWW as in the Standard Model, which is (κ_e, κ_o) = (1, 0), not 0.

With κ_e = cos α, κ_o = sin α, the 2/3 keeps gluon fusion to H at its rate for all α (heavy top). H from the W
and H from the top interfere destructively in the Standard Model; at α = 180° the rate is more than ten times larger."""

_PARAMETERS = (
    TheoryParameter(
        "kappa_e", r"$\kappa_\mathrm{e}$", "CP-even Yukawa coupling of the top: −(m_t/v) κ_e t̄ t H; cos α.",
        standard_model=1.0, sensible=(-3.0, 3.0),
    ),
    TheoryParameter(
        "kappa_o", r"$\kappa_\mathrm{o}$", "CP-odd Yukawa coupling of the top: −(m_t/v) (2/3) κ_o t̄ iγ5 t H; sin α.",
        sensible=(-3.0, 3.0),
    ),
)  # fmt: skip

_STANDARD_MODEL = {"kappa_e": 1.0}


class _ThqDefinition(ProcessDefinition):
    """pp → H t q."""

    def parameters(self, settings: ProcessConfig) -> tuple[TheoryParameter, ...]:
        return _PARAMETERS

    def final_state(self, settings: ProcessConfig) -> "tuple[Particle, ...]":
        from partonic.physics.particles import HIGGS, TOP, Particle

        own = cast("ThqConfig", settings)
        top: tuple[Particle, ...] = (Particle(TOP.name, TOP.pdg_id, own.top_mass, TOP.width),)
        if own.decays == "in_matrix_element":
            top = products_of(TOP.name, own.top_decays.tops, own.top_decays.leptons)
        return Particle(HIGGS.name, HIGGS.pdg_id, own.higgs_mass, HIGGS.width), *top, Particle("q", 1)

    def final_states(self, settings: ProcessConfig) -> tuple[tuple[int, ...], ...]:
        own, jets = cast("ThqConfig", settings), (1, 3, -2, -4)  # what u, c, d̄ and s̄ become when they emit a W⁺
        tops: tuple[tuple[int, ...], ...] = ((6,),)
        if own.decays == "in_matrix_element":
            flavours = flavours_of_w(own.top_decays.tops, own.top_decays.leptons)
            tops = tuple((5, -down, down + 1) for down, _ in flavours)
        return tuple((25, *(sign * pdg for pdg in top), sign * jet) for sign in (1, -1) for jet in jets for top in tops)

    def decay_tree(self, settings: ProcessConfig) -> DecayTree:
        higgs = Resonance("H", (25,), (0,))
        if cast("ThqConfig", settings).decays == "in_matrix_element":
            return DecayTree((higgs, *resonances_of("t", "W", (1, -1), first=1)))
        return DecayTree((higgs, Resonance("t", (6, -6), (1,))))

    def section_defaults(self, section: Mapping[str, Any]) -> Mapping[str, Any]:
        return without_tops(self.defaults) if section.get("decays") == "in_matrix_element" else self.defaults

    def build(self, settings: ProcessConfig) -> "Process":
        from partonic.processes.thq.build import build

        return build(cast("ThqConfig", settings), self.final_state(settings))

    def checks(self) -> tuple[MatrixElementCheck, ...]:
        from partonic.processes.thq.checks import up_bottom

        return (up_bottom(),)

    def observables(self, partons: tuple[str, ...]) -> tuple[PartonObservable, ...]:
        from partonic.processes.thq.observables import observables

        return observables(decayed="b_t" in partons)


def _sections() -> dict[str, Any]:
    """Return the sections of a file to begin with: (bjj)(γγ)j of arXiv:2210.00019."""
    return {
        "generation": {
            "events": 40_000,
            "theta": dict(_STANDARD_MODEL),
            "theta_mixture": [{"kappa_e": -1.0}, {"kappa_o": 1.0}],
        },
        "simulation": {
            "decays": {"higgs": "gammagamma", "tops": "hadronic"},
            "selection": {"leptons": 0, "photons": 2, "jets_min": 3, "b_tags_min": 1},
        },
        "inference": {
            "source": "truth", "luminosity": 3000.0, "parameters": ["kappa_e", "kappa_o"], "data": "pseudo",
            "truth": dict(_STANDARD_MODEL),
        },
    }  # fmt: skip


definition = _ThqDefinition(
    name="thq",
    title="pp → H t q",
    summary=_SUMMARY,
    settings=ThqConfig,
    defaults={"simulation": _sections()["simulation"]},
    decay_channels={"hadronic": _sections()},
    examples=("thq_quick.yaml", "thq_mem_training.yaml"),
)
