"""The phase space of three leptons of one flavour in the other assignment: the W and the pair exchange their leptons.

An event W → ℓν, pair → ℓ⁻ℓ⁺ with two leptons of the same charge has two assignments; the slots follow the one nearer to
the resonances. Where the other one has a W and a light pair of opposite charge, near the pole of the photon, |M|² is
large and the map of the slots does not see it. This map does.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from partonic.physics.phasespace.boson_pair import BosonPairCube
from partonic.physics.process import PartonEvents

__all__ = ["ExchangedLeptonsCube"]


@dataclass(frozen=True)
class ExchangedLeptonsCube:
    """A map of two bosons whose lepton in slot 0 changes places with the one of the same charge in the pair.

    Attributes:
        bosons: the map of the W and the pair of the other assignment.
        partner: slot of the lepton of the same charge: 3 for W⁺, 2 for W⁻.
    """

    bosons: BosonPairCube
    partner: int

    @property
    def dimensions(self) -> int:
        """Ten."""
        return self.bosons.dimensions

    def forward(self, numbers: Float[Tensor, "events dimensions"]) -> tuple[PartonEvents, Float[Tensor, " events"]]:
        """Map numbers in [0, 1]¹⁰ to parton events, with log |d(Φ₄, x1, x2)/du|."""
        events, log_jacobian = self.bosons.forward(numbers)
        return self._exchanged(events), log_jacobian

    def inverse(self, events: PartonEvents) -> tuple[Float[Tensor, "events dimensions"], Float[Tensor, " events"]]:
        """Map parton events to [0, 1]¹⁰, with log |du/d(Φ₄, x1, x2)|."""
        return self.bosons.inverse(self._exchanged(events))

    def _exchanged(self, events: PartonEvents) -> PartonEvents:
        order = [0, 1, 2, 3]
        order[0], order[self.partner] = self.partner, 0
        return PartonEvents(events.momenta[:, order], events.x1, events.x2)
