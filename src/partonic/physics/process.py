"""The `Process` protocol: a hard process as dσ/dz with its dependence on the theory parameters.

z are the final-state momenta and the momentum fractions x1, x2. The coefficients of the monomials m_a(θ) in

    dσ/(dΦ_n dx1 dx2) = Σ_ab f_a(x1, μF) f_b(x2, μF) |M_ab(z|θ)|² / (2 x1 x2 S)        [pb GeV^(4−2n)]

are what everything else in the package is made of.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from partonic.physics.particles import Particle
from partonic.polynomial import Monomials

__all__ = ["Channel", "PartonEvents", "Process"]


@dataclass(frozen=True)
class PartonEvents:
    """Parton-level configurations of a process.

    Attributes:
        momenta: final-state four-vectors (E, px, py, pz) in the laboratory, GeV, `(N, n, 4)`.
        x1, x2: momentum fractions of the partons along +z and −z, `(N,)`.
    """

    momenta: Float[Tensor, "events particles 4"]
    x1: Float[Tensor, " events"]
    x2: Float[Tensor, " events"]


@dataclass(frozen=True)
class Channel:
    """One partonic channel of a process: initial and final state, and the colour flows that it can have.

    Attributes:
        initial: PDG identifiers of the partons along +z and −z.
        colour_flows: for each flow, (colour, anticolour) line numbers of the two initial and then the n final
            particles, 0 for none, in the convention of the Les Houches accord (hep-ph/0109068).
        final: PDG identifiers of the n final particles; empty for those of `Process.final_state`. Charge conjugates
            and other flavours of the same masses are channels of one process.
    """

    initial: tuple[int, int]
    colour_flows: tuple[tuple[tuple[int, int], ...], ...]
    final: tuple[int, ...] = ()

    def final_pdg(self, final_state: Sequence[Particle]) -> tuple[int, ...]:
        """Return the PDG identifiers of the final particles, for a process with this `final_state`."""
        return self.final or tuple(particle.pdg_id for particle in final_state)


@runtime_checkable
class Process(Protocol):
    """A hard process. Users may bring their own: anything with these attributes and methods serves.

    Attributes:
        name: short name, as in analysis files.
        final_state: the n final-state particles, in the order of the momenta; channels may have others in their places.
        monomials: the monomials of θ.
        collider_energy: √S in GeV.
        dimensions: number D = 3n − 2 of the unit cube (3n − 4 phase space, 2 momentum fractions).
        channels: the partonic channels.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def final_state(self) -> tuple[Particle, ...]: ...  # noqa: D102
    @property
    def monomials(self) -> Monomials: ...  # noqa: D102
    @property
    def collider_energy(self) -> float: ...  # noqa: D102
    @property
    def dimensions(self) -> int: ...  # noqa: D102
    @property
    def channels(self) -> tuple[Channel, ...]: ...  # noqa: D102

    def from_unit_cube(
        self, numbers: Float[Tensor, "events dimensions"]
    ) -> tuple[PartonEvents, Float[Tensor, " events"]]:
        """Map numbers in [0, 1]^D to parton events, with log |d(Φ_n, x1, x2)/du|."""

    def to_unit_cube(self, events: PartonEvents) -> tuple[Float[Tensor, "events dimensions"], Float[Tensor, " events"]]:
        """Map parton events to [0, 1]^D, with log |du/d(Φ_n, x1, x2)|."""

    def coefficients(self, events: PartonEvents) -> Float[Tensor, "events monomials"]:
        """Return the coefficients of dσ/(dΦ_n dx1 dx2), summed over channels, in pb (times GeV^(4−2n))."""

    def channel_coefficients(self, events: PartonEvents) -> Float[Tensor, "events channels monomials"]:
        """Return the same coefficients channel by channel; their sum over channels is `coefficients`."""

    def flow_weights(
        self, events: PartonEvents, theta: Float[Tensor, " parameters"]
    ) -> Float[Tensor, "events channels flows"]:
        """Return relative weights of the colour flows (leading-colour |M|² at `theta`), 0 for those a channel lacks."""

    def scale(self, events: PartonEvents) -> Float[Tensor, " events"]:
        """Return the factorisation scale μ_F of each event, from which the shower starts, in GeV."""

    def alpha_s(self, events: PartonEvents) -> Float[Tensor, " events"]:
        """Return α_s(μ_R) of each event, at its renormalisation scale."""
