"""The integrand of the matrix element method at points of the unit cube of the partons.

    w_a = c_a(z) ε(z) p_T(x|z) |dz/du| / q(u|x),    z = z(u)

is kept as log w = log ε + log p_T + log |dz/du| − log q and the signed coefficients c_a of dσ/dz, so that all a come
from the same points. A point outside of the unit cube, or at which a factor is zero, has the weight 0 (log w = −∞); a
factor that is NaN, or infinite, is a mistake somewhere, and stops the integral with the number of the event.

Where initial states i are told apart, ε p_T, which is their mixture, becomes the ε_i p_i of each of them:

    c_a(z) → Σ_i c_a^i(z) r_i(x, z),    r_i = ε_i p_i(x|z)/(ε p_T(x|z)).
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from partonic.errors import ConfigError, NonFiniteError
from partonic.events.batch import RecoEvents
from partonic.features.decay_channel import DecayChannel
from partonic.mem.initial_state.classes import ChannelCrossSection, classes_of, coefficients_by_class
from partonic.mem.protocols import (
    Acceptance,
    DifferentialCrossSection,
    InitialStateRatio,
    Proposal,
    TransferDensity,
)
from partonic.physics.process import PartonEvents

__all__ = ["Ingredients", "PartonIntegrand", "PointValues"]


@dataclass(frozen=True)
class Ingredients:
    """What the integral of a process is made of.

    Attributes:
        process: dσ/dz.
        decay_channel: the order of its partons.
        proposal: where points are drawn from.
        transfer: p_T(x|z).
        acceptance: ε(z).
        branching_fraction: of the decays that ε and p_T do not know of; a factor of all P_a.
        initial_state: r_i(x, z), which tells initial states apart; None if only their mixture is known.

    Raises:
        ConfigError: if initial states are to be told apart, and the process does not, or has others.
    """

    process: DifferentialCrossSection
    decay_channel: DecayChannel
    proposal: Proposal
    transfer: TransferDensity
    acceptance: Acceptance
    branching_fraction: float = 1.0
    initial_state: InitialStateRatio | None = None

    def __post_init__(self) -> None:
        if self.initial_state is None:
            return
        if not isinstance(self.process, ChannelCrossSection):
            raise ConfigError(
                f"'{self.process.name}' does not tell its initial states apart (`channel_coefficients`): set "
                "mem.initial_state to false"
            )
        known, wanted = self.initial_state.classes, classes_of(self.process.channels)
        if not set(wanted) <= set(known):
            raise ConfigError(
                f"'{self.process.name}' has the initial states {', '.join(wanted)}, but the network knows "
                f"{', '.join(known)}: train it on events of this process, or set mem.initial_state to false"
            )


class PointValues(NamedTuple):
    """The integrand at points of some events.

    Attributes:
        log_weight: logarithm of ε p_T |dz/du| / q, −inf where it vanishes, `(e, n)`.
        coefficients: c_a, or Σ_i c_a^i r_i where initial states are told apart, in pb GeV^(4−2n), `(e, n, A)`.
        factors: how many points of each event lie in the cube, have ε > 0, have p_T > 0, `(e, 3)`.
    """

    log_weight: Float[Tensor, "events points"]
    coefficients: Float[Tensor, "events points monomials"]
    factors: Float[Tensor, "events 3"]

    def log_reference_weight(self) -> Float[Tensor, "events points"]:
        """Return log |w_0|, `(e, n)`."""
        return self.log_weight + self.coefficients[..., 0].abs().log()


class PartonIntegrand:
    """The integrand of given ingredients; it counts the seconds that each of them takes.

    Attributes:
        seconds: time spent by now in proposal, partons, transfer, acceptance, matrix element, initial state, and in
            drawn weights.
    """

    def __init__(self, ingredients: Ingredients, at_once: int) -> None:
        """Evaluate `ingredients` for so many points at a time."""
        self.ingredients = ingredients
        self.at_once = at_once
        parts = ("proposal", "partons", "transfer", "acceptance", "matrix_element", "initial_state")
        self.seconds = dict.fromkeys(parts, 0.0)

    def __call__(
        self,
        x: RecoEvents,
        event_id: NDArray[np.int64],
        numbers: Float[Tensor, "events points dimensions"],
        log_density: Float[Tensor, "events points"],
    ) -> PointValues:
        """Evaluate the integrand.

        Args:
            x: the reconstructed events.
            event_id: their numbers, for messages.
            numbers: points of the unit cube; those beyond it have no weight.
            log_density: log q of the points; +inf for those that are not in the cube.

        Raises:
            NonFiniteError: if a factor is NaN, or infinite.
        """
        size = max(self.at_once // len(x), 1)
        parts = [
            self._values(x, event_id, *pair)
            for pair in zip(torch.split(numbers, size, dim=1), torch.split(log_density, size, dim=1), strict=True)
        ]
        log_weight, coefficients = (torch.cat(values, dim=1) for values in list(zip(*parts, strict=True))[:2])
        return PointValues(log_weight, coefficients, torch.stack([part.factors for part in parts]).sum(dim=0))

    @contextmanager
    def clock(self, name: str) -> Iterator[None]:
        """Add the time of a block to `seconds`."""
        begin = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begin

    def _values(self, x: RecoEvents, event_id: NDArray[np.int64], numbers: Tensor, log_density: Tensor) -> PointValues:
        shape, made_of = numbers.shape[:2], self.ingredients
        inside = ((numbers >= 0.0) & (numbers <= 1.0)).all(dim=-1) & (log_density < torch.inf)
        with self.clock("partons"):
            cube = torch.where(inside[..., None], numbers, 0.5).double().flatten(0, 1)
            partons, log_volume = made_of.proposal.view.partons(cube)
            momenta = partons.momenta.view(*shape, -1, 4)
            ordered = made_of.decay_channel.process_order(momenta, x).flatten(0, 1)
        with self.clock("acceptance"):
            log_acceptance = made_of.acceptance.log_probability(partons.momenta).double().cpu().view(shape)
        with self.clock("transfer"):
            log_transfer = made_of.transfer.log_density(x, momenta).double().cpu()
        coefficients = self._coefficients(x, event_id, momenta, PartonEvents(ordered, partons.x1, partons.x2))
        values = {
            "the acceptance": log_acceptance,
            "the transfer function": log_transfer,
            "the phase-space volume": log_volume.view(shape),
            "1/q": torch.where(inside, -log_density.double(), 0.0),
        }
        for name, factor in values.items():
            _require_number(name, factor, event_id)
        coefficients = _require_finite(coefficients.view(*shape, -1), event_id)
        log_weight = torch.stack(list(values.values())).sum(dim=0).masked_fill(~inside, -torch.inf)
        factors = [inside, inside & (log_acceptance > -torch.inf), inside & (log_transfer > -torch.inf)]
        return PointValues(log_weight, coefficients, torch.stack(factors, dim=-1).sum(dim=1).double())

    def _coefficients(
        self, x: RecoEvents, event_id: NDArray[np.int64], momenta: Tensor, ordered: PartonEvents
    ) -> Tensor:
        """Return the coefficients of dσ/dz for each point, of the mixture of initial states that the event tells."""
        process, initial_state = self.ingredients.process, self.ingredients.initial_state
        if initial_state is None:
            with self.clock("matrix_element"):
                return process.coefficients(ordered)
        with self.clock("matrix_element"):
            by_class = coefficients_by_class(cast("ChannelCrossSection", process), ordered, initial_state.classes)
        with self.clock("initial_state"):
            log_ratio = initial_state.log_ratio(x, momenta).double().cpu()
        _require_number("the ratio of an initial state to all", log_ratio.flatten(1), event_id)
        return torch.einsum("nca,nc->na", by_class, log_ratio.exp().flatten(0, 1))


def _require_number(name: str, logarithm: Tensor, event_id: NDArray[np.int64]) -> None:
    """Refuse a factor of which a logarithm is NaN or +inf."""
    bad = ~(logarithm < torch.inf)
    if bool(bad.any()):
        _refuse(f"the logarithm of {name}", logarithm[bad], bad.any(dim=1), event_id)


def _require_finite(coefficients: Tensor, event_id: NDArray[np.int64]) -> Tensor:
    bad = ~coefficients.isfinite()
    if bool(bad.any()):
        _refuse("a coefficient of dσ/dz", coefficients[bad], bad.flatten(1).any(dim=1), event_id)
    return coefficients


def _refuse(what: str, values: Tensor, events: Tensor, event_id: NDArray[np.int64]) -> None:
    first = event_id[int(events.nonzero()[0, 0])]
    raise NonFiniteError(
        f"{what} is {float(values[0])} at {len(values)} points of {int(events.sum())} events, first of event {first}: "
        "expected a number. This is a mistake of the model or of its input; look at that event by itself"
    )
