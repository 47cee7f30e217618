"""pp → W±Z → 3ℓν as a process of the package."""

from typing import TYPE_CHECKING, cast

from partonic.config.process import ProcessConfig
from partonic.processes.decay_tree import DecayTree, Resonance
from partonic.processes.definition import MatrixElementCheck, PartonObservable, ProcessDefinition, TheoryParameter
from partonic.processes.wz.settings import WzConfig

if TYPE_CHECKING:
    from partonic.physics.particles import Particle
    from partonic.physics.process import Process

__all__ = ["definition"]

_SUMMARY = """\
q q̄' → ℓν ℓ⁻ℓ⁺ at leading order with all diagrams (or the doubly resonant ones), e and μ, W⁺ and W⁻; unit CKM matrix,
massless fermions. The decays are part of the matrix element: spins are correlated, W and Z have their Breit–Wigner
shapes, and θ acts on the angles of the leptons. `decays: none` leaves W and Z on their mass shells.

  O_ΦWB = Φ†τ^aΦ W^a_{μν} B^{μν},  O_WWW = ε_abc W^{aν}_μ W^{bρ}_ν W^{cμ}_ρ,  O_Φq3 = (Φ† i D↔^a_μ Φ)(Q̄ τ^a γ^μ Q)

L = L_SM + Σ θ_k O_k/Λ² with Λ = 1 TeV and D = ∂ − i g W^a T^a − i g' B Y, m_W, m_Z and G_F fixed (arXiv:2410.07315).
With D = ∂ + i g W the sign of c_WWW is reversed. One insertion per amplitude: σ is a quadratic polynomial of θ."""

_PARAMETERS = (
    TheoryParameter(
        "c_PhiWB", r"$c_{\Phi WB}$", "Coefficient of Φ†τ^aΦ W^a_{μν} B^{μν}, which mixes W³ and B.", "TeV⁻²",
        sensible=(-5.0, 5.0),
    ),
    TheoryParameter(
        "c_WWW", r"$c_{WWW}$",
        "Coefficient of ε_abc W^{aν}_μ W^{bρ}_ν W^{cμ}_ρ: an anomalous triple gauge coupling. Sign for D = ∂ − i g W.",
        "TeV⁻²", sensible=(-3.0, 3.0),
    ),
    TheoryParameter(
        "c_Phiq3", r"$c_{\Phi q}^{(3)}$",
        "Coefficient of (Φ† i D↔^a_μ Φ)(Q̄ τ^a γ^μ Q): left-handed quarks couple to W and Z differently.", "TeV⁻²",
        sensible=(-2.0, 2.0),
    ),
)  # fmt: skip


class _WzDefinition(ProcessDefinition):
    """pp → W±Z → 3ℓν."""

    def parameters(self, settings: ProcessConfig) -> tuple[TheoryParameter, ...]:
        return _PARAMETERS

    def final_state(self, settings: ProcessConfig) -> "tuple[Particle, ...]":
        from partonic.physics.particles import W_BOSON, Z_BOSON, Particle

        own = cast("WzConfig", settings)
        if own.decays == "none":
            return (
                Particle(W_BOSON.name, W_BOSON.pdg_id, own.w_mass, own.w_width),
                Particle(Z_BOSON.name, Z_BOSON.pdg_id, own.z_mass, own.z_width),
            )
        first = {"e": 11, "mu": 13}[own.leptons[0]]
        return (
            Particle("l_W", -first), Particle("nu", first + 1), Particle("l_minus", first), Particle("l_plus", -first),
        )  # fmt: skip

    def final_states(self, settings: ProcessConfig) -> tuple[tuple[int, ...], ...]:
        own = cast("WzConfig", settings)
        if own.decays == "none":
            return (24, 23), (-24, 23)
        flavours = [{"e": 11, "mu": 13}[name] for name in own.leptons]
        pairs = [(w, z) for w in flavours for z in flavours]
        return tuple((-sign * w, sign * (w + 1), z, -z) for sign in (1, -1) for w, z in pairs)

    def decay_tree(self, settings: ProcessConfig) -> DecayTree:
        if cast("WzConfig", settings).decays == "none":
            return DecayTree((Resonance("W", (24, -24), (0,)), Resonance("Z", (23,), (1,))))
        return DecayTree(
            (
                Resonance("W", (24, -24), (0, 1), "matrix element"),
                Resonance("Z", (23,), (2, 3), "matrix element"),
            )
        )

    def build(self, settings: ProcessConfig) -> "Process":
        from partonic.processes.wz.build import build

        return build(cast("WzConfig", settings), self.final_state(settings))

    def checks(self) -> tuple[MatrixElementCheck, ...]:
        from partonic.processes.wz.checks import four_leptons, on_shell

        return four_leptons(), on_shell()

    def observables(self, partons: tuple[str, ...]) -> tuple[PartonObservable, ...]:
        from partonic.processes.wz.observables import wz_observables

        return wz_observables(decayed=len(partons) == 4)


_SELECTION = {"leptons": 3, "lepton_pt_min": 15.0, "lepton_eta_max": 2.5, "veto_pt_min": 15.0,
              "lepton_pair_mass": [81.2, 101.2], "remaining_lepton_pt_min": 20.0, "met_min": 45.0,
              "transverse_mass_min": 30.0, "jets_min": 0, "b_tags_min": 0}  # fmt: skip
"""That of arXiv:2410.07315."""

definition = _WzDefinition(
    name="wz",
    title="pp → W±Z → 3ℓν",
    summary=_SUMMARY,
    settings=WzConfig,
    defaults={
        "simulation": {
            "decays": {"higgs": "inclusive", "tops": "inclusive"},
            "selection": _SELECTION,
        }
    },
    decay_channels={
        "trilepton": {
            "generation": {
                "events": 20_000,
                "theta_mixture": [{}, {"c_PhiWB": 2.0}, {"c_WWW": 1.0}, {"c_Phiq3": 0.5}],
            },
            "simulation": {"selection": _SELECTION},
            "inference": {"source": "truth", "luminosity": 300.0, "data": "pseudo", "truth": {}},
        }
    },
    examples=("wz_quick.yaml",),
)
