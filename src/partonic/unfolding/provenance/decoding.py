"""The best conflict-free assignment of an event: the exact joint maximum over H, t_had and t_lep.

Each target takes one of its candidates or is missing; no jet serves twice. The sum of the three log-scores is maximised
over all allowed combinations, which are few (180 whole ones for six jets, 5,040 for eight) and the same for all events
with the same number of jets, so they are listed once.
"""

from functools import lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

from partonic.errors import NonFiniteError
from partonic.unfolding.provenance.candidates import candidates
from partonic.unfolding.provenance.scores import CandidateScores

__all__ = ["decode_assignment", "joint_assignments"]

_ENTRIES = 4_000_000
"""Sums held in memory at a time."""


def decode_assignment(scores: CandidateScores, as_many_as_possible: bool = False) -> Int[Tensor, "events 6"]:
    """Return the assignment with the largest sum of log-scores in which no jet serves twice.

    Args:
        scores: log-scores of all candidates, and of each target being missing.
        as_many_as_possible: assign as many targets as the jets allow, and maximise among those assignments, instead of
            leaving a target out wherever it is probably missing.

    Returns:
        Jets in the `SLOTS` of H, t_had, t_lep, −1 where a target is missing; all −1 for an event in which no
        assignment is possible.

    Raises:
        NonFiniteError: if a score is NaN or +∞.
    """
    for part in (*scores.of_targets, scores.missing):
        if torch.isnan(part).any() or (part == torch.inf).any():
            msg = "scores to decode must be finite or −∞, but some are NaN or +∞: the network or its input is broken"
            raise NonFiniteError(msg)
    needed = scores.jets_needed()
    numbers = torch.full((len(scores), 3), -1, dtype=torch.long, device=needed.device)
    for jets in torch.unique(needed).tolist():
        rows = torch.nonzero(needed == jets).squeeze(1)
        joint = joint_assignments(jets, str(needed.device))
        for chunk in torch.split(rows, max(_ENTRIES // len(joint), 1)):
            numbers[chunk] = _best(scores, chunk, joint, as_many_as_possible)
    return scores.table.assignment(numbers)


@lru_cache(maxsize=64)
def joint_assignments(jets: int, device: str = "cpu") -> Int[Tensor, "assignments 3"]:
    """Return every way to assign H, t_had and t_lep in an event of `jets` jets without using a jet twice.

    Each row holds the numbers of the three candidates, −1 for a missing target; the first row has nothing assigned.
    """
    used = [_jets_as_bits(part) for part in candidates(jets).jets]
    higgs, hadronic, leptonic = used[0][:, None, None], used[1][:, None], used[2]
    free = ((higgs & hadronic) == 0) & (((higgs | hadronic) & leptonic) == 0)
    return (torch.nonzero(free) - 1).to(device)


def _jets_as_bits(jets: Int[Tensor, "candidates size"]) -> Int[Tensor, " missing_and_candidates"]:
    """Return one bit for each jet of the missing candidate, which needs none, and of all others."""
    bits = (1 << jets).sum(dim=1)
    return torch.cat([bits.new_zeros(1), bits])


def _best(
    scores: CandidateScores, rows: Tensor, joint: Int[Tensor, "assignments 3"], as_many_as_possible: bool
) -> Int[Tensor, "rows 3"]:
    total = sum(
        (_with_missing(scores, target, rows)[:, joint[:, target] + 1] for target in range(3)),
        start=torch.zeros((), dtype=scores.missing.dtype, device=rows.device),
    )
    if as_many_as_possible:
        number = torch.where(total > -torch.inf, (joint >= 0).sum(dim=1), -1)
        total = torch.where(number == number.amax(dim=1, keepdim=True), total, -torch.inf)
    best = total.max(dim=1)
    return torch.where(best.values[:, None] > -torch.inf, joint[best.indices], -1)


def _with_missing(scores: CandidateScores, target: int, rows: Tensor) -> Float[Tensor, "rows missing_and_candidates"]:
    return torch.cat([scores.missing[rows, target, None], scores.of_targets[target][rows]], dim=1)
