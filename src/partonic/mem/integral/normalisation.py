"""Fiducial cross sections σ_a = ∫ dz [dσ/dz]_a ε(z), which the integrals P_a(x) are normalised to.

Three ways that must agree: the sum of the weights of the accepted events of a simulated store; the sum of those of all
its events times ε(z), which has a smaller variance if ε is right; and the integral of dσ/dz times ε(z) over the phase
space of the process, which needs no events.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from partonic.errors import EventFileError, NonFiniteError
from partonic.events.store import NORMALISATION_ERROR, EventStore
from partonic.features.decay_channel import DecayChannel
from partonic.inference.coefficients.rate import FiducialRate
from partonic.mem.protocols import Acceptance
from partonic.physics.process import Process

__all__ = ["acceptance_cross_section", "accepted_cross_section", "integrated_cross_section"]

Array = NDArray[np.float64]

_PARTONS = ("coefficients", "partons", "x1", "x2", "hadronic_top")
_AT_ONCE = 20_000
_TOP = 6


class _Sums:
    """Sums of weights, batch by batch."""

    def __init__(self, monomials: int) -> None:
        self.points = 0
        self.first, self.second = np.zeros(monomials), np.zeros((monomials, monomials))

    def add(self, weights: Array, points: int | None = None) -> None:
        self.points += len(weights) if points is None else points
        self.first += weights.sum(axis=0)
        self.second += weights.T @ weights


def accepted_cross_section(store: EventStore) -> FiducialRate:
    """Return σ_a of the accepted events of a simulated store.

    Raises:
        EventFileError: if no event is accepted.
    """
    rate = None if not _has_accepted(store) else FiducialRate.from_store(store)
    if rate is None or not rate.coefficients.any():
        raise EventFileError(
            f"{store.path} has no accepted event with a weight, so that the fiducial cross section is not known: give "
            "a simulated store (mem.normalisation.store), or integrate the process (mem.normalisation.method: process)"
        )
    return rate


def acceptance_cross_section(store: EventStore, acceptance: Acceptance, decay_channel: DecayChannel) -> FiducialRate:
    """Return σ_a from all events of a simulated store, accepted or not, and the acceptance of their partons.

    Raises:
        EventFileError: if the store has no events.
        SchemaError: if its events have no partons, or not those of the decay channel.
    """
    sums = _Sums(len(store.metadata.monomials))
    for batch in store.batches(_PARTONS, size=_AT_ONCE):
        efficiency = _efficiency(acceptance, decay_channel.truth(batch).momenta)
        sums.add(batch.coefficients * efficiency.numpy()[:, None])
    if not sums.points:
        raise EventFileError(f"{store.path} has no events: expected simulated ones, rejected ones included")
    return FiducialRate.of_sums(store.metadata.monomials, sums.first, sums.second, sums.points, _common_error(store))


def integrated_cross_section(
    process: Process,
    acceptance: Acceptance,
    decay_channel: DecayChannel,
    points: int,
    generator: torch.Generator,
    branching_fraction: float = 1.0,
) -> FiducialRate:
    """Return σ_a from uniform points in the unit cube of a process.

    Args:
        process: dσ/dz.
        acceptance: ε(z), of partons in the order of the channel; where both tops can be the hadronic one, the mean.
        decay_channel: the decay channel.
        points: how many.
        generator: source of the points.
        branching_fraction: of the decays that the acceptance does not know of.
    """
    sums = _Sums(len(process.monomials))
    while sums.points < points:
        size = (min(_AT_ONCE, points - sums.points), process.dimensions)
        events, log_volume = process.from_unit_cube(torch.rand(size, generator=generator, dtype=torch.float64))
        orders = [_efficiency(acceptance, events.momenta[:, order]) for order in _orders(decay_channel)]
        weight = branching_fraction / points * log_volume.exp() * torch.stack(orders).mean(dim=0)
        sums.add((process.coefficients(events) * weight[:, None]).numpy())
    return FiducialRate.of_sums(process.monomials, sums.first, sums.second, sums.points)


def _efficiency(acceptance: Acceptance, momenta: Tensor) -> Tensor:
    """Return ε(z), `(N,)`.

    Raises:
        NonFiniteError: if it is NaN.
    """
    efficiency = acceptance.log_probability(momenta).double().cpu().exp()
    if bool((bad := ~efficiency.isfinite()).any()):
        raise NonFiniteError(f"the acceptance of {int(bad.sum())} of {len(bad)} sets of partons is NaN or infinite")
    return efficiency


def _has_accepted(store: EventStore) -> bool:
    return any(len(batch) for batch in store.batches(["selected"], selected_only=True))


def _common_error(store: EventStore) -> float:
    return float(store.metadata.facts.get(NORMALISATION_ERROR, 0.0))


def _orders(decay_channel: DecayChannel) -> Sequence[list[int]]:
    """Return the orders that the partons of the process may have in the decay channel: either top may be hadronic."""
    same = list(range(len(decay_channel.parton_pdg)))
    if decay_channel.name != "semileptonic":
        return [same]
    top, antitop = decay_channel.parton_pdg.index(_TOP), decay_channel.parton_pdg.index(-_TOP)
    exchanged = [antitop if place == top else top if place == antitop else place for place in same]
    return [same, exchanged]
