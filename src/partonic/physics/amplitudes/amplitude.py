"""The `Amplitude` protocol: |M|² of one partonic channel with its dependence on the theory parameters.

Whatever computes the squared amplitude (our own helicity amplitudes, an external generator, a user's shared library)
hands over the same two things: the coefficients c_a of

    |M(p|θ)|² = Σ_a c_a(p) m_a(θ)        averaged over initial, summed over final spins and colours, GeV^(4−2n)

and the leading-colour weights from which the colour flow of an event is drawn. n is the number of final-state
particles, so a 2 → n amplitude squared has dimension GeV^(4−2n) and dσ = |M|² dΦ_n / (2ŝ). Identical final-state
particles are already accounted for: the factor 1/k! for k identical particles is part of |M|².
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from partonic.errors import NonFiniteError, ProcessError
from partonic.polynomial import Monomials

__all__ = ["Amplitude", "ColourFlow", "SquaredMatrixElement", "checked_momenta", "checked_squares"]

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


@runtime_checkable
class SquaredMatrixElement(Protocol):
    """|M|² at the parameter values of the moment: what external programs compute. See `morphed.MorphedAmplitude`.

    Attributes:
        particles: PDG identifiers of the two initial and then the n final particles, in the order of the momenta.
        colour_flows: the F colour flows; empty when the program tells nothing about them.
        parameters: the parameters that can be set, with their present values.
    """

    @property
    def particles(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def colour_flows(self) -> tuple[ColourFlow, ...]: ...  # noqa: D102
    @property
    def parameters(self) -> dict[str, float]: ...  # noqa: D102

    def set_parameters(self, values: Mapping[str, float]) -> None:
        """Give parameters new values; unknown names raise `ParameterError`."""

    def squared(self, momenta: Float[Tensor, "events particles 4"]) -> Float[Tensor, " events"]:
        """Return |M|² in GeV^(4−2n), averaged over initial and summed over final spins and colours."""

    def flow_squared(self, momenta: Float[Tensor, "events particles 4"]) -> Float[Tensor, "events flows"]:
        """Return the leading-colour |M|² of each colour flow."""


def checked_momenta(momenta: Tensor, particles: Sequence[int], process: str) -> NDArray[np.float64]:
    """Return the momenta of `process` as a C-contiguous array, after checking shape and type.

    Raises:
        ProcessError: unless the momenta are float64 of shape `(N, len(particles), 4)`.
    """
    if momenta.dtype != torch.float64 or momenta.ndim != 3 or momenta.shape[1:] != (len(particles), 4):
        raise ProcessError(
            f"{process} needs float64 momenta of shape (events, {len(particles)}, 4) for the particles "
            f"{list(particles)}, got {momenta.dtype} of shape {tuple(momenta.shape)}"
        )
    points: NDArray[np.float64] = np.ascontiguousarray(momenta.detach().cpu().numpy())
    return points


def checked_squares(values: Tensor, process: str) -> Tensor:
    """Return `values`, |M|² of events along the first axis, after checking that all are finite.

    Raises:
        NonFiniteError: naming the number of bad values and the first bad event.
    """
    bad = ~torch.isfinite(values)
    if bool(bad.any()):
        first = int(torch.nonzero(bad)[0, 0])
        raise NonFiniteError(
            f"{int(bad.sum())} of {values.numel()} values of |M|^2 of {process} are not finite, the first at event "
            f"{first}: are the momenta on shell and away from collinear and soft limits?"
        )
    return values
