"""The `Amplitude` protocol: |M|² of one partonic channel with its dependence on the theory parameters.

Whatever computes the squared amplitude (our own helicity amplitudes, an external generator, a user's shared library)
hands over the same two things: the coefficients c_a of

    |M(p|θ)|² = Σ_a c_a(p) m_a(θ)        averaged over initial, summed over final spins and colours, GeV^(4−2n)

and the leading-colour weights from which the colour flow of an event is drawn. n is the number of final-state
particles, so a 2 → n amplitude squared has dimension GeV^(4−2n) and dσ = |M|² dΦ_n / (2ŝ). Identical final-state
particles are already accounted for: the factor 1/k! for k identical particles is part of |M|².
"""

from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from partonic.polynomial import Monomials

__all__ = ["Amplitude", "ColourFlow"]

ColourFlow = tuple[tuple[int, int], ...]
"""(colour, anticolour) line numbers of the 2 + n particles of one colour flow, 0 for none (hep-ph/0109068)."""


@runtime_checkable
class Amplitude(Protocol):
    """The squared amplitude of one partonic channel. Anything with these attributes and methods serves.

    Attributes:
        particles: PDG identifiers of the two initial and then the n final particles, in the order of the momenta.
        monomials: the A monomials of θ; `Monomials.constant()` for an amplitude that depends on no parameter.
        colour_flows: the F colour flows, each as (colour, anticolour) line numbers of the 2 + n particles, as in
            `partonic.physics.process.Channel`.
    """

    @property
    def particles(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def monomials(self) -> Monomials: ...  # noqa: D102
    @property
    def colour_flows(self) -> tuple[ColourFlow, ...]: ...  # noqa: D102

    def coefficients(
        self, momenta: Float[Tensor, "events particles 4"], alpha_s: Float[Tensor, " events"]
    ) -> Float[Tensor, "events monomials"]:
        """Return the coefficients of |M|² in GeV^(4−2n), spin- and colour-averaged.

        Args:
            momenta: (E, px, py, pz) in GeV of the two initial (incoming, positive energy) and then the n final
                particles, in any frame, float64.
            alpha_s: α_s of each event.
        """

    def flow_weights(
        self,
        momenta: Float[Tensor, "events particles 4"],
        alpha_s: Float[Tensor, " events"],
        theta: Float[Tensor, " parameters"],
    ) -> Float[Tensor, "events flows"]:
        """Return the non-negative leading-colour |M|² of each colour flow at `theta` (relative weights)."""
