"""The joint probability of the assignments of H, t_had and t_lep, in which no jet serves twice.

P(h, t, l) = exp(s_h + s_t + s_l)/Z over all conflict-free combinations of candidates, missing targets included. Z has
up to a million terms but factorises over sets of three jets: with A(S) the sum over the triples of the set S, and B(U)
that over the ways to split U into a pair and a single jet,

    Z = Σ_{S ∩ U = ∅} A(S) B(U) + the terms with missing targets,

which is a product of a vector, a matrix of zeros and ones, and a vector. The most probable combination is what
`decode_assignment` finds.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from partonic.unfolding.provenance.candidates import candidates
from partonic.unfolding.provenance.scores import CandidateScores

__all__ = ["joint_log_probability", "log_partition"]


def joint_log_probability(scores: CandidateScores, assignment: Int[Tensor, "events 6"]) -> Float[Tensor, " events"]:
    """Return log P of conflict-free assignments; −1 in their `SLOTS` means that the target is missing."""
    numbers = scores.table.numbers(assignment)
    chosen = [
        torch.cat([scores.missing[:, target, None], part], dim=1).gather(1, numbers[:, target, None] + 1)[:, 0]
        for target, part in enumerate(scores.of_targets)
    ]
    return torch.stack(chosen).sum(dim=0) - log_partition(scores)


def log_partition(scores: CandidateScores) -> Float[Tensor, " events"]:
    """Return log Z of each event; computed in float64, in which exp covers the range of any reasonable scores."""
    missing = scores.missing.double()
    largest = [
        torch.cat([missing[:, target, None], part.double()], dim=1).amax(dim=1, keepdim=True).detach()
        for target, part in enumerate(scores.of_targets)
    ]
    pairs, triples, singles = (
        torch.exp(part.double() - top) for part, top in zip(scores.of_targets, largest, strict=True)
    )
    no_h, no_t, no_l = torch.exp(missing - torch.cat(largest, dim=1)).unbind(dim=1)
    sets = _three_jets(scores.leptonic_top.shape[1], str(missing.device))
    of_top = triples[:, sets.triples].sum(dim=-1)
    of_rest = (pairs[:, sets.pairs] * singles[:, sets.singles]).sum(dim=-1)
    total = (
        ((of_top @ sets.apart_from_set) * of_rest).sum(dim=1)
        + no_h * ((of_top @ sets.apart_from_jet) * singles).sum(dim=1)
        + no_l * ((of_top @ sets.apart_from_pair) * pairs).sum(dim=1)
        + no_t * of_rest.sum(dim=1)
        + no_h * no_t * singles.sum(dim=1)
        + no_h * no_l * of_top.sum(dim=1)
        + no_t * no_l * pairs.sum(dim=1)
        + no_h * no_t * no_l
    )
    return (torch.log(total) + torch.cat(largest, dim=1).sum(dim=1)).to(scores.missing.dtype)


@dataclass(frozen=True)
class _ThreeJets:
    """All sets of three jets: the candidates that they hold, and 1 where something has no jet in common with them."""

    triples: Int[Tensor, "sets 3"]
    pairs: Int[Tensor, "sets 3"]
    singles: Int[Tensor, "sets 3"]
    apart_from_set: Float[Tensor, "sets sets"]
    apart_from_jet: Float[Tensor, "sets jets"]
    apart_from_pair: Float[Tensor, "sets pairs"]


@lru_cache(maxsize=64)
def _three_jets(jets: int, device: str) -> _ThreeJets:
    table = candidates(jets, device)
    sets = torch.tensor(list(combinations(range(jets), 3)), dtype=torch.long, device=device).reshape(-1, 3)
    others = torch.stack([sets[:, [1, 2]], sets[:, [0, 2]], sets[:, [0, 1]]], dim=1)
    pair_lookup, triple_lookup, _ = table.lookup
    inside = torch.zeros(len(sets), jets, dtype=torch.float64, device=device).scatter(1, sets, 1.0)
    apart = [(inside @ table.membership(target).double().T == 0).double() for target in (2, 0)]
    return _ThreeJets(
        triples=triple_lookup[sets, others[..., 0], others[..., 1]],
        pairs=pair_lookup[others[..., 0], others[..., 1]],
        singles=sets,
        apart_from_set=(inside @ inside.T == 0).double(),
        apart_from_jet=apart[0],
        apart_from_pair=apart[1],
    )
