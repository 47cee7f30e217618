"""A process of another package: q q̄' → W H, W → ℓν in the matrix element, H for the shower. Copied to where Python
finds it, beside an entry point; nothing of `partonic` names it.

Real kinematics, an invented |M|²: a broad Breit–Wigner of m(ℓν), times (k − 1 + 2 + 0.5 c)² with c = cos θ of ℓ in the
W's rest frame against the W's flight; the Standard Model is k = 1, not k = 0. Events with pT(ℓ) < 10 GeV are cut away.
"""

from typing import Literal

from partonic.config.process import ProcessConfig
from partonic.processes.decay_tree import DecayTree, Resonance
from partonic.processes.definition import ProcessDefinition, TheoryParameter

MASS, WIDTH = 80.4, 20.0
FLOW = ((501, 0), (0, 501), (0, 0), (0, 0), (0, 0))
ANTIFLOW = ((0, 501), (501, 0), (0, 0), (0, 0), (0, 0))


class Settings(ProcessConfig):
    """pp → W H of a toy."""

    name: Literal["toy_bosons"] = "toy_bosons"


class Definition(ProcessDefinition):
    """See the module."""

    def parameters(self, settings):
        return (TheoryParameter("k", "$k$", "a factor of the amplitude", standard_model=1.0),)

    def final_state(self, settings):
        from partonic.physics.particles import Particle

        return Particle("lepton", -11), Particle("neutrino", 12), Particle("H", 25, 125.0)

    def final_states(self, settings):
        return (-11, 12, 25), (11, -12, 25)

    def decay_tree(self, settings):
        return DecayTree((Resonance("W", (24, -24), (0, 1), "matrix element"), Resonance("H", (25,), (2,))))

    def build(self, settings):
        from partonic.physics.hard_process import AmplitudeGroup, HardProcess
        from partonic.physics.pdf import PartonDensities
        from partonic.physics.process import Channel
        from partonic.physics.scales import FixedScale

        plus, minus = Amplitude((2, -1, -11, 12, 25)), Amplitude((1, -2, 11, -12, 25))
        return HardProcess(
            name=self.name,
            final_state=self.final_state(settings),
            groups=(
                AmplitudeGroup(
                    plus, (Channel((2, -1), (FLOW,), (-11, 12, 25)), Channel((-1, 2), (ANTIFLOW,), (-11, 12, 25)))
                ),
                AmplitudeGroup(
                    minus, (Channel((1, -2), (FLOW,), (11, -12, 25)), Channel((-2, 1), (ANTIFLOW,), (11, -12, 25)))
                ),
            ),
            densities=PartonDensities(settings.pdf.name, folder=settings.pdf.folder, member=settings.pdf.member),
            collider_energy=settings.collider_energy,
            factorization_scale=FixedScale(100.0),
            renormalization_scale=FixedScale(100.0),
            cuts=hard_lepton,
        )


def hard_lepton(events):
    """Whether pT(ℓ) > 10 GeV."""
    return events.momenta[:, 0, 1:3].norm(dim=1) > 10.0


class Amplitude:
    """|M|² of the module."""

    def __init__(self, particles):
        from partonic.polynomial import Monomials

        self.particles, self.colour_flows = particles, (FLOW,)
        self.monomials = Monomials.up_to_degree(("k",), 2)

    def coefficients(self, momenta, alpha_s):
        import torch

        lepton, boson = momenta[:, 2], momenta[:, 2] + momenta[:, 3]
        square = boson[:, 0] ** 2 - boson[:, 1:].square().sum(dim=1)
        peak = 1e-2 * MASS**2 / ((square - MASS**2) ** 2 + (MASS * WIDTH) ** 2)
        # The energy of a massless product is E(ℓ) = ½ (E + |p| cos θ) of the boson.
        cosine = (2.0 * lepton[:, 0] - boson[:, 0]) / boson[:, 1:].norm(dim=1)
        rest = 1.0 + 0.5 * cosine
        return peak[:, None] * torch.stack([rest**2, 2.0 * rest, torch.ones_like(rest)], dim=1)

    def flow_weights(self, momenta, alpha_s, theta):
        import torch

        return torch.ones((len(momenta), 1), dtype=torch.float64)


definition = Definition(
    name="toy_bosons",
    title="pp → W H",
    summary="A toy.",
    settings=Settings,
    defaults={"simulation": {"decays": {"higgs": "bb"}, "selection": {"jets_min": 1, "b_tags_min": 0}}},
)
