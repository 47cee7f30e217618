"""pp → t t̄ b b̄ as a process of the package."""

from typing import TYPE_CHECKING, cast

from partonic.config.process import ProcessConfig
from partonic.processes.decay_tree import DecayTree, Resonance
from partonic.processes.definition import PartonObservable, ProcessDefinition
from partonic.processes.top_pair import TOP_PAIR_CHANNELS
from partonic.processes.ttbb.settings import TtbbConfig

if TYPE_CHECKING:
    from partonic.physics.particles import Particle
    from partonic.physics.process import Process

__all__ = ["definition"]

_SUMMARY = """\
gg and q q̄ → t t̄ b b̄ at order g_s⁴ with massive b quarks (four flavours in the proton), through an external generator;
no parameter of the theory. Background of t t̄ H with H → b b̄. The matrix element is generated once, which takes a
minute or two, and kept. Scales: arXiv:1309.5912, eq. 2."""


class _TtbbDefinition(ProcessDefinition):
    """pp → t t̄ b b̄."""

    def final_state(self, settings: ProcessConfig) -> "tuple[Particle, ...]":
        from partonic.physics.particles import BOTTOM, TOP, Particle

        own = cast("TtbbConfig", settings)
        top = Particle(TOP.name, TOP.pdg_id, own.top_mass, TOP.width)
        bottom = Particle(BOTTOM.name, BOTTOM.pdg_id, own.bottom_mass, BOTTOM.width)
        return top, top.antiparticle, bottom, bottom.antiparticle

    def decay_tree(self, settings: ProcessConfig) -> DecayTree:
        return DecayTree((Resonance("t", (6,), (0,)), Resonance("tbar", (-6,), (1,))), exchanges=((2, 3),))

    def build(self, settings: ProcessConfig) -> "Process":
        from partonic.processes.ttbb.build import build

        return build(cast("TtbbConfig", settings), self.final_state(settings))

    def observables(self, partons: tuple[str, ...]) -> tuple[PartonObservable, ...]:
        from partonic.processes.top_pair import top_pair_observables

        return top_pair_observables(top=0, antitop=1)


definition = _TtbbDefinition(
    name="ttbb",
    title="pp → t t̄ b b̄",
    summary=_SUMMARY,
    settings=TtbbConfig,
    decay_channels={
        name: {
            "generation": {
                "events": 40_000, "overweight_limit": 0.01,
                "bias": {"harder_b_pt": {"scale": 50.0, "power": 1.0, "floor": 0.1}},
            },
            "simulation": simulation,
        }
        for name, simulation in TOP_PAIR_CHANNELS.items()
    },
    examples=("ttbb_semileptonic.yaml",),
    packages={"ufo": ("pyamplicol",)},
)  # fmt: skip
