"""What an assignment of jets to quarks is worth before any kinematics: b tags, extra jets, and cases that are alike."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from partonic.mem.classical.assignments import LOST, all_assignments
from partonic.mem.classical.observed import ObservedEvent
from partonic.mem.classical.tagging import FLAVOURS
from partonic.mem.classical.transfer import TransferFunctions

__all__ = ["AssignmentTable", "assignment_table"]

_B, _C, _LIGHT = (FLAVOURS.index(flavour) for flavour in (5, 4, 0))
_BOTTOM_SLOTS = [0, 1, 2, 5]
_LIGHT_SLOTS = [3, 4]


@dataclass(frozen=True)
class AssignmentTable:
    """All assignments of an event.

    Attributes:
        rows: the jet of each quark, −1 if lost, `(P, 6)`.
        log_prior: log of the factors that do not depend on the kinematics of quarks, `(P,)`.
        role_weights: tag probabilities if the first or the second quark of W is of up type, `(P, 2)`.
        extra: summed transverse momentum of the extra jets, GeV, `(P, 2)`.
        extra_count: their number, `(P,)`.
    """

    rows: Int[Tensor, "assignments 6"]
    log_prior: Float[Tensor, " assignments"]
    role_weights: Float[Tensor, "assignments 2"]
    extra: Float[Tensor, "assignments 2"]
    extra_count: Int[Tensor, " assignments"]

    def __len__(self) -> int:
        """Return the number of assignments."""
        return len(self.rows)


def assignment_table(
    event: ObservedEvent, transfer: TransferFunctions, resonant: bool, max_jets: int, max_lost: int
) -> AssignmentTable:
    """Return the assignments of the leading `max_jets` jets; further jets are extra in all of them.

    Args:
        event: the event.
        transfer: tag probabilities and density of extra jets.
        resonant: whether the pair of b quarks comes from H, so that its order does not matter.
        max_jets: jets that may belong to quarks.
        max_lost: quarks that may be lost, or the number that must be if there are few jets and that is larger.
    """
    rows = torch.tensor(all_assignments(min(len(event.jets), max_jets), max_lost, not resonant))
    used = _used(rows, len(event.jets))
    tags = transfer.tags.probability(event.jets[:, 0], event.tagged)
    log_extra = transfer.extra.log_density(event.jets[:, 0]) + torch.log(tags @ transfer.extra.flavours)
    count = len(event.jets) - used.sum(dim=1)
    log_number = torch.tensor(
        [transfer.extra.log_multiplicity(n) + math.lgamma(n + 1.0) for n in range(len(event.jets) + 1)],
        dtype=torch.float64,
    )
    log_prior = (
        (~used).double() @ log_extra + log_number[count] + _of_slots(torch.log(tags[:, _B]), rows[:, _BOTTOM_SLOTS])
    )
    if resonant:  # b and b̄ of H can be exchanged: the case left out is worth as much
        log_prior = log_prior + math.log(2.0) * (rows[:, 0] != LOST).double()
    return AssignmentTable(
        rows, log_prior, _roles(rows[:, _LIGHT_SLOTS], tags), (~used).double() @ event.jet_momenta, count
    )


def _used(rows: Tensor, jets: int) -> Tensor:
    """Return which jets belong to quarks, `(P, J)`."""
    one_more = torch.zeros((len(rows), jets + 1), dtype=torch.bool)
    one_more.scatter_(1, torch.where(rows == LOST, jets, rows), True)
    return one_more[:, :jets]


def _of_slots(values: Tensor, rows: Tensor) -> Tensor:
    """Return the sum of the values of the jets in each row; lost quarks contribute none."""
    return torch.where(rows == LOST, 0.0, values[rows.clamp(min=0)]).sum(dim=1)


def _roles(rows: Tensor, tags: Tensor) -> Tensor:
    """Return P(tags) with the first or the second quark of W of up type: half of these are charm."""
    of_up, of_down = 0.5 * (tags[:, _C] + tags[:, _LIGHT]), tags[:, _LIGHT]
    first, second = rows.clamp(min=0).unbind(dim=1)
    lost = rows == LOST
    up, down = (torch.where(lost, 1.0, torch.stack([of[first], of[second]], dim=1)) for of in (of_up, of_down))
    weights = torch.stack([up[:, 0] * down[:, 1], up[:, 1] * down[:, 0]], dim=1)
    # With both lost, the integral over their directions has both cases in it already.
    return torch.where(lost.all(dim=1, keepdim=True), 0.5 * weights, weights)
