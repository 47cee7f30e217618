"""Which assignments of jets to quarks matter: an estimate of each one's share of P_0.

Without the production, the recoil and the missing momentum, the integrand is a product of the b pair, the hadronic top
and the leptonic top. Each depends on few jets and few numbers, so that its integral over a fixed lattice of points is
quick for all combinations of jets. What joins the three is then averaged over a few likely points of each, with a power
of x1 x2 in place of the production.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from partonic.mem.classical.assignment_weights import AssignmentTable
from partonic.mem.classical.assignments import LOST
from partonic.mem.classical.balance import log_steepness, without_recoil
from partonic.mem.classical.hypothesis import TopPairHypothesis
from partonic.mem.classical.legs import LOST_NUMBERS, Leg, jet_leg, lost_leg
from partonic.mem.classical.observed import ObservedEvent
from partonic.mem.classical.parts import Part, bottom_pair, had_top, lep_top
from partonic.mem.classical.transfer import TransferFunctions

__all__ = ["Ranking", "rank_assignments"]

_POINTS = 128
"""Of the lattice, for a part without lost quarks; as many more for each lost quark."""

_LIKELY = 8
"""Likely points of each part."""

_ORDERS = ((1, 0), (3, 1), (5, 2))
"""(stride, start) of the likely points of each part, so that those of two parts are combined in no order."""

_PAIR, _HADRONIC, _LEPTONIC = (0, 1), (2, 3, 4), (5,)

_PartMap = Callable[[list[Leg], Tensor, Tensor], Part]
"""From the legs, the numbers and the rows of the table at each point."""


@dataclass(frozen=True)
class Ranking:
    """The assignments that are integrated.

    Attributes:
        kept: rows of the table, best first, `(K,)`.
        shares: their estimated shares of P_0, `(K,)`.
        neglected: estimated share of P_0 of all others.
    """

    kept: Int[Tensor, " kept"]
    shares: Float[Tensor, " kept"]
    neglected: float


@dataclass(frozen=True)
class _Likely:
    """A part for each assignment: log of its integral `(P,)`, and momenta and the like of likely points `(P, L, …)`."""

    log_mean: Tensor
    momenta: Tensor
    difference: Tensor
    neutrino: Tensor


def rank_assignments(
    event: ObservedEvent,
    table: AssignmentTable,
    hypothesis: TopPairHypothesis,
    transfer: TransferFunctions,
    limits: tuple[int, float],
) -> Ranking:
    """Return the best assignments.

    Args:
        event: the event.
        table: its assignments.
        hypothesis: process and masses.
        transfer: the transfer functions.
        limits: the largest number of assignments, and the share of P_0 that may be neglected if fewer do.

    Returns:
        the ranking; empty if no assignment is kinematically possible.
    """
    scores = _log_scores(event, table, hypothesis, transfer)
    if not bool(torch.isfinite(scores).any()):
        return Ranking(torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.float64), 0.0)
    shares = torch.softmax(scores, dim=0)
    order = torch.argsort(shares, descending=True, stable=True)
    covered = torch.cumsum(shares[order], dim=0)
    needed = int((covered < 1.0 - limits[1]).sum()) + 1
    kept = order[: min(needed, limits[0])]
    return Ranking(kept, shares[kept], max(1.0 - float(shares[kept].sum()), 0.0))


def _log_scores(
    event: ObservedEvent, table: AssignmentTable, hypothesis: TopPairHypothesis, transfer: TransferFunctions
) -> Tensor:
    met, width = event.met, transfer.missing.width(event.scalar_sum)

    def pair(legs: list[Leg], numbers: Tensor, rows: Tensor) -> Part:
        return bottom_pair(legs[0], legs[1], numbers, hypothesis, transfer)

    def hadronic(legs: list[Leg], numbers: Tensor, rows: Tensor) -> Part:
        return had_top((legs[0], legs[1], legs[2]), table.role_weights[rows], numbers[:, 0], hypothesis, transfer)

    def leptonic(legs: list[Leg], numbers: Tensor, rows: Tensor) -> Part:
        aim = met.expand(len(numbers), 2)
        part = lep_top(legs[0], event.lepton, (aim, width), numbers, hypothesis, transfer)
        # The missing momentum belongs to all parts, but without it the neutrino could be anywhere.
        of_met = transfer.missing.log_density(aim, part.neutrino, part.difference, event.scalar_sum)
        return Part(part.momenta, part.log_weight + of_met, part.difference, part.neutrino)

    free = 1 if hypothesis.resonant else 2
    maps: tuple[tuple[tuple[int, ...], int, _PartMap], ...] = (
        (_PAIR, free, pair), (_HADRONIC, 1, hadronic), (_LEPTONIC, 2, leptonic),
    )  # fmt: skip
    parts = [
        _likely(event, table.rows[:, list(slots)].numpy(), own, part, order)
        for (slots, own, part), order in zip(maps, _ORDERS, strict=True)
    ]
    scores = table.log_prior + torch.stack([part.log_mean for part in parts]).sum(dim=0)
    possible = torch.nonzero(torch.isfinite(scores)).squeeze(1)
    scores[possible] += _log_joint(event, table, parts, possible, (hypothesis, transfer))
    return scores


def _log_joint(
    event: ObservedEvent,
    table: AssignmentTable,
    parts: list[_Likely],
    chosen: Tensor,
    model: tuple[TopPairHypothesis, TransferFunctions],
) -> Tensor:
    """Return the log of the mean of all that joins the parts, over their likely points."""
    hypothesis, transfer = model
    momenta = torch.cat([part.momenta[chosen] for part in parts], dim=2).flatten(0, 1)
    extra = table.extra[chosen].repeat_interleave(_LIKELY, dim=0)
    counts = table.extra_count[chosen].repeat_interleave(_LIKELY)
    difference = torch.stack([part.difference[chosen] for part in parts]).sum(dim=0).flatten(0, 1)
    own, neutrino = (values[chosen].flatten(0, 1) for values in (parts[2].difference, parts[2].neutrino))
    met = event.met.expand_as(neutrino)
    missing, scalar_sum = transfer.missing, event.scalar_sum
    log_weight = missing.log_density(met, neutrino, difference, scalar_sum)
    log_weight = log_weight - missing.log_density(met, neutrino, own, scalar_sum)
    log_weight = log_weight + transfer.recoil.log_density(momenta[..., 1:3].sum(dim=1), extra, counts)
    events, possible = without_recoil(momenta, hypothesis.process.collider_energy)
    steepness = log_steepness(events)
    log_weight = torch.where(possible, log_weight + steepness, torch.full_like(steepness, -torch.inf))
    result: Tensor = torch.logsumexp(log_weight.reshape(len(chosen), _LIKELY), dim=1) - math.log(_LIKELY)
    return result


def _likely(
    event: ObservedEvent, columns: NDArray[np.int64], free: int, part: _PartMap, order: tuple[int, int]
) -> _Likely:
    """Return a part for each assignment, from the jets of its quarks `(P, n)`."""
    unique, first, inverse = np.unique(columns, axis=0, return_index=True, return_inverse=True)
    patterns = unique == LOST
    found: list[tuple[NDArray[np.int64], _Likely]] = []
    for pattern in np.unique(patterns, axis=0):
        chosen = np.flatnonzero((patterns == pattern).all(axis=1))
        found.append((chosen, _of_pattern(event, unique[chosen], first[chosen], free, part)))
    back = np.argsort(np.concatenate([chosen for chosen, _ in found]))
    rows = torch.from_numpy(back[inverse.reshape(-1)])
    turned = (order[0] * torch.arange(_LIKELY) + order[1]) % _LIKELY
    likely = [likely for _, likely in found]
    return _Likely(
        torch.cat([one.log_mean for one in likely])[rows],
        torch.cat([one.momenta for one in likely])[rows][:, turned],
        torch.cat([one.difference for one in likely])[rows][:, turned],
        torch.cat([one.neutrino for one in likely])[rows][:, turned],
    )


def _of_pattern(
    event: ObservedEvent, jets: NDArray[np.int64], rows: NDArray[np.int64], free: int, part: _PartMap
) -> _Likely:
    """Return the same for combinations of jets `(C, n)` in which the same quarks are lost."""
    lost = (jets[0] == LOST).tolist()
    points = _POINTS * (1 + sum(lost))
    numbers = _lattice(points, free + LOST_NUMBERS * sum(lost)).repeat(len(jets), 1)
    legs, start = [], free
    for slot, is_lost in enumerate(lost):
        if is_lost:
            legs.append(lost_leg(numbers[:, start : start + LOST_NUMBERS]))
            start += LOST_NUMBERS
        else:
            legs.append(jet_leg(event.jets[torch.from_numpy(jets[:, slot])].repeat_interleave(points, dim=0)))
    done = part(legs, numbers[:, :free], torch.from_numpy(rows).repeat_interleave(points))
    weights = done.log_weight.reshape(len(jets), points)
    chosen = _systematic(weights) + points * torch.arange(len(jets))[:, None]
    log_mean = torch.logsumexp(weights, dim=1) - math.log(points)
    return _Likely(log_mean, done.momenta[chosen], done.difference[chosen], done.neutrino[chosen])


def _systematic(log_weights: Tensor) -> Tensor:
    """Return the numbers of `_LIKELY` points of each row, in proportion to the weights; any where all vanish."""
    highest = log_weights.max(dim=1, keepdim=True).values
    weights = torch.exp(log_weights - torch.where(torch.isfinite(highest), highest, torch.zeros_like(highest)))
    cumulative = torch.cumsum(weights, dim=1)
    marks = cumulative[:, -1:] * (torch.arange(_LIKELY) + 0.5) / _LIKELY
    return torch.searchsorted(cumulative, marks).clamp(max=log_weights.shape[1] - 1)


def _lattice(points: int, dimensions: int) -> Tensor:
    """Return points of low discrepancy: multiples of powers of the root of g^(d+1) = g + 1, modulo 1."""
    root = 2.0
    for _ in range(64):
        root = (1.0 + root) ** (1.0 / (dimensions + 1))
    steps = torch.tensor([root ** -(k + 1) for k in range(dimensions)], dtype=torch.float64)
    return torch.remainder(0.5 + torch.arange(1, points + 1).double()[:, None] * steps, 1.0)
