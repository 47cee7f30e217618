"""Which assignments of jets to quarks matter: an estimate of each one's share of P_0, from its parts alone.

Without the matrix element of the production, parton densities and recoil, the integrand is a product of the b pair, the
hadronic top and the leptonic top. Each of these depends on few jets and few numbers, so that its integral over a fixed
lattice of points is quick for all combinations of jets, and all assignments are ranked by the product.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from partonic.mem.classical.assignment_weights import AssignmentTable
from partonic.mem.classical.assignments import LOST
from partonic.mem.classical.hypothesis import Hypothesis
from partonic.mem.classical.legs import LOST_NUMBERS, Leg, jet_leg, lost_leg
from partonic.mem.classical.observed import ObservedEvent
from partonic.mem.classical.parts import bottom_pair, had_top, lep_top
from partonic.mem.classical.transfer import TransferFunctions

__all__ = ["Ranking", "rank_assignments"]

_POINTS = 128
_PAIR, _HADRONIC, _LEPTONIC = (0, 1), (2, 3, 4), (5,)

_Part = Callable[[list[Leg], Tensor, Tensor], Tensor]
"""Log-weights of a part from its legs, its numbers and the rows of the table at each point."""


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


def rank_assignments(
    event: ObservedEvent, table: AssignmentTable, hypothesis: Hypothesis, transfer: TransferFunctions,
    limits: tuple[int, float],
) -> Ranking:  # fmt: skip
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
    event: ObservedEvent, table: AssignmentTable, hypothesis: Hypothesis, transfer: TransferFunctions
) -> Tensor:
    met, width = event.met, transfer.missing.width(event.scalar_sum)

    def pair(legs: list[Leg], numbers: Tensor, rows: Tensor) -> Tensor:
        return bottom_pair(legs[0], legs[1], numbers, hypothesis, transfer).log_weight

    def hadronic(legs: list[Leg], numbers: Tensor, rows: Tensor) -> Tensor:
        roles = table.role_weights[rows]
        return had_top((legs[0], legs[1], legs[2]), roles, numbers[:, 0], hypothesis, transfer).log_weight

    def leptonic(legs: list[Leg], numbers: Tensor, rows: Tensor) -> Tensor:
        aim = (met.expand(len(numbers), 2), width)
        part = lep_top(legs[0], event.lepton, aim, numbers, hypothesis, transfer)
        return part.log_weight + transfer.missing.log_density(aim[0], part.neutrino, part.difference, event.scalar_sum)

    free = 1 if hypothesis.resonant else 2
    scores = table.log_prior.clone()
    for slots, own, part in ((_PAIR, free, pair), (_HADRONIC, 1, hadronic), (_LEPTONIC, 2, leptonic)):
        scores = scores + _log_means(event, table, slots, own, part)
    return scores


def _log_means(event: ObservedEvent, table: AssignmentTable, slots: tuple[int, ...], free: int, part: _Part) -> Tensor:
    """Return the log of the integral of a part for each assignment, `(P,)`."""
    columns = table.rows[:, list(slots)].numpy()
    unique, first, inverse = np.unique(columns, axis=0, return_index=True, return_inverse=True)
    means = np.empty(len(unique))
    patterns = unique == LOST
    for pattern in np.unique(patterns, axis=0):
        chosen = np.flatnonzero((patterns == pattern).all(axis=1))
        means[chosen] = _of_pattern(event, unique[chosen], first[chosen], free, part).numpy()
    return torch.from_numpy(means[inverse.reshape(-1)])


def _of_pattern(event: ObservedEvent, jets: np.ndarray, rows: np.ndarray, free: int, part: _Part) -> Tensor:
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
    at_point = torch.from_numpy(rows).repeat_interleave(points)
    weights = part(legs, numbers[:, :free], at_point).reshape(len(jets), points)
    return torch.logsumexp(weights, dim=1) - np.log(points)


def _lattice(points: int, dimensions: int) -> Tensor:
    """Return points of low discrepancy: multiples of powers of the root of g^(d+1) = g + 1, modulo 1."""
    root = 2.0
    for _ in range(64):
        root = (1.0 + root) ** (1.0 / (dimensions + 1))
    steps = torch.tensor([root ** -(k + 1) for k in range(dimensions)], dtype=torch.float64)
    return torch.remainder(0.5 + torch.arange(1, points + 1).double()[:, None] * steps, 1.0)
