"""What an event is compared with: a hard process with a top pair and a pair of b quarks, from H or not."""

from dataclasses import dataclass

from partonic.config.decays import HIGGS_BRANCHING_FRACTIONS, W_HADRONIC_FRACTION, W_LEPTONIC_FRACTION
from partonic.errors import ProcessError
from partonic.features.decay_channel import DecayChannel
from partonic.physics.particles import W_BOSON
from partonic.physics.process import Process

__all__ = ["TopPairHypothesis"]

_HIGGS, _TOP, _BOTTOM = 25, 6, 5


@dataclass(frozen=True)
class TopPairHypothesis:
    """A process with the final state H t t̄, with H → b b̄, or t t̄ b b̄; one top decays leptonically.

    Attributes:
        process: dσ/dz; its particles give the masses.
        w_mass: of the W boson, GeV.

    Raises:
        ProcessError: if the process has another final state.
    """

    process: Process
    w_mass: float = W_BOSON.mass

    def __post_init__(self) -> None:
        pdg = sorted(self.parton_pdg)
        if pdg not in ([-_TOP, _TOP, _HIGGS], [-_TOP, -_BOTTOM, _BOTTOM, _TOP]):
            raise ProcessError(
                f"the classical matrix element method knows the final states H t t̄ and t t̄ b b̄, got {self.parton_pdg} "
                f"of the process '{self.process.name}'"
            )

    @property
    def parton_pdg(self) -> tuple[int, ...]:
        """PDG ids of the final state, in the order of the process."""
        return tuple(particle.pdg_id for particle in self.process.final_state)

    @property
    def decay_channel(self) -> DecayChannel:
        """The semileptonic decay channel of the process."""
        return DecayChannel("semileptonic", self.parton_pdg)

    @property
    def resonant(self) -> bool:
        """Whether the pair of b quarks comes from H."""
        return _HIGGS in self.parton_pdg

    @property
    def pair_mass(self) -> float:
        """Mass of H, or that of a b quark of a pair that has no resonance, GeV."""
        return self._mass(_HIGGS if self.resonant else _BOTTOM)

    @property
    def top_masses(self) -> tuple[float, float]:
        """Masses of top and W, GeV."""
        return self._mass(_TOP), self.w_mass

    @property
    def branching_fraction(self) -> float:
        """Branching fraction to b b̄, b q q̄' and b ℓ ν with the charge and flavour of the lepton of the event."""
        pair = HIGGS_BRANCHING_FRACTIONS["bb"] if self.resonant else 1.0
        return pair * W_HADRONIC_FRACTION * W_LEPTONIC_FRACTION

    def _mass(self, pdg: int) -> float:
        return next(particle.mass for particle in self.process.final_state if particle.pdg_id == pdg)
