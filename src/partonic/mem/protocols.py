"""What the integral over partons is made of: anything of these shapes serves.

    P_a(x) = ∫ du |dz/du| [dσ/dz]_a ε(z) p_T(x|z),    u in the unit cube of the partons

Partons are in the laboratory, GeV, in the order of the decay channel (`partonic.features.decay_channel`).
"""

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.events.batch import RecoEvents
from partonic.mem.initial_state.classes import InitialState
from partonic.physics.process import PartonEvents
from partonic.polynomial import Monomials

__all__ = [
    "Acceptance",
    "DensityProposal",
    "DifferentialCrossSection",
    "InitialStateRatio",
    "LatentProposal",
    "PartonMap",
    "Proposal",
    "TransferDensity",
]


@runtime_checkable
class DifferentialCrossSection(Protocol):
    """What the integral needs of a hard process; every `Process` is such."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def monomials(self) -> Monomials: ...  # noqa: D102

    def coefficients(self, events: PartonEvents) -> Float[Tensor, "events monomials"]:
        """Return the coefficients of dσ/(dΦ_n dx1 dx2) in pb (times GeV^(4−2n)), of partons in the process' order."""


@runtime_checkable
class PartonMap(Protocol):
    """The map of the unit cube to partons; `partonic.unfolding.view.PartonView` and `PartonCube` are."""

    @property
    def dimensions(self) -> int:
        """Number D of numbers."""

    def partons(self, numbers: Float[Tensor, "events dimensions"]) -> tuple[PartonEvents, Float[Tensor, " events"]]:
        """Map numbers in [0, 1]^D to partons in the laboratory, with log |d(Φ_n, x1, x2)/du|."""

    def numbers(self, events: PartonEvents) -> tuple[Float[Tensor, "events dimensions"], Float[Tensor, " events"]]:
        """Map partons to [0, 1]^D, with log |du/d(Φ_n, x1, x2)|."""


@runtime_checkable
class Proposal(Protocol):
    """A density q(u|x) in the unit cube of the partons that can be sampled."""

    @property
    def view(self) -> PartonMap:
        """The map of its unit cube to partons."""

    def sample_and_log_density(
        self, x: RecoEvents, n: int, generator: torch.Generator
    ) -> tuple[Float[Tensor, "events samples dimensions"], Float[Tensor, "events samples"]]:
        """Draw `n` points of the unit cube for each event, with log q(u|x); NaN rows for events it cannot handle."""


@runtime_checkable
class DensityProposal(Proposal, Protocol):
    """A proposal whose density can be evaluated anywhere."""

    def log_density(
        self, reco: RecoEvents, numbers: Float[Tensor, "events samples dimensions"]
    ) -> Float[Tensor, "events samples"]:
        """Return log q(u|x) of given points of the unit cube."""


@runtime_checkable
class LatentProposal(Proposal, Protocol):
    """A proposal that is a map of base noise, so that the base can be changed: mixtures, Sobol points, VEGAS grids."""

    @property
    def base_scale(self) -> float:
        """Standard deviation s of the Gaussian base of the flow."""

    def transport(
        self, x: RecoEvents, noise: Float[Tensor, "events samples dimensions"]
    ) -> tuple[Float[Tensor, "events samples dimensions"], Float[Tensor, "events samples"]]:
        """Map base numbers to the unit cube, with log |d(noise)/du|: log q(u) = log base(noise) + this.

        Rows of events that the model cannot handle are NaN.
        """


@runtime_checkable
class TransferDensity(Protocol):
    """The density p_T(x|z) of accepted reconstructed events."""

    def log_density(
        self, x: RecoEvents, momenta: Float[Tensor, "events samples partons 4"]
    ) -> Float[Tensor, "events samples"]:
        """Return log p_T(x|z) of each event for its own sets of partons; −inf outside the support."""


@runtime_checkable
class Acceptance(Protocol):
    """The probability ε(z) that an event with partons z is accepted."""

    def log_probability(self, momenta: Float[Tensor, "events partons 4"]) -> Float[Tensor, " events"]:
        """Return log ε(z)."""


@runtime_checkable
class InitialStateRatio(Protocol):
    """How much likelier an accepted event is if the initial state of its partons is of one class than on average."""

    @property
    def classes(self) -> tuple[InitialState, ...]:
        """The classes of initial states."""

    def log_ratio(
        self, x: RecoEvents, momenta: Float[Tensor, "events samples partons 4"]
    ) -> Float[Tensor, "events samples classes"]:
        """Return log [ε_i p_i(x|z)/(ε p_T(x|z))] of each event for its own sets of partons."""
