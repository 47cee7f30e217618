"""The candidates of each target: the sets of jets that H, t_had and t_lep may have decayed to.

H decays to two b quarks, whose order means nothing: a pair of jets. The hadronic top decays to a b quark and two quarks
of a W, whose order means nothing: a triple (b; q, q'). The leptonic top leaves one jet, its b. An assignment of an
event is a row of six jets, `SLOTS`: (b, b | b, q, q' | b).

Candidates are listed by the largest jet that they need, so that the candidates of an event with n jets are the first
ones of a list for more jets.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

__all__ = ["SLOTS", "TARGETS", "JetCandidates", "candidates"]

TARGETS = ("H", "t_had", "t_lep")
"""The particles whose decay products are looked for, in the order of every axis over targets."""

SLOTS = (slice(0, 2), slice(2, 5), slice(5, 6))
"""Where the jets of each target stand in an assignment `(N, 6)`; −1 there means that the target is not assigned."""


@dataclass(frozen=True)
class JetCandidates:
    """All candidates in events of up to J jets.

    Attributes:
        jets: the jets of each candidate, `(P, 2)`, `(T, 3)` and `(J, 1)` for H, t_had and t_lep; the two b jets of H
            and the two W jets, which are the last two of t_had, ascend.
        lookup: number of the candidate for given jets in any order that means the same, `(J, J)`, `(J, J, J)` and
            `(J,)`; −1 where a jet comes twice.
    """

    jets: tuple[Int[Tensor, "pairs 2"], Int[Tensor, "triples 3"], Int[Tensor, "jets 1"]]
    lookup: tuple[Int[Tensor, "jets jets"], Int[Tensor, "jets jets jets"], Int[Tensor, " jets"]]

    def needed(self, target: int) -> Int[Tensor, " candidates"]:
        """Return how many jets, hardest first, an event must have for each candidate of a target."""
        return self.jets[target].amax(dim=1) + 1

    def real(self, target: int, jet_mask: Bool[Tensor, "events jets"]) -> Bool[Tensor, "events candidates"]:
        """Return which candidates of a target have real jets only, given the mask of those."""
        return jet_mask[:, self.jets[target]].all(dim=-1)

    def membership(self, target: int) -> Float[Tensor, "candidates jets"]:
        """Return 1 for the jets that belong to a candidate, else 0, float32."""
        chosen = self.jets[target]
        return torch.zeros(len(chosen), len(self.jets[2]), device=chosen.device).scatter(1, chosen, 1.0)

    def numbers(self, assignment: Int[Tensor, "events 6"]) -> Int[Tensor, "events 3"]:
        """Return the number of the candidate of each target in an assignment, −1 where it is not assigned."""
        columns = []
        for slots, lookup in zip(SLOTS, self.lookup, strict=True):
            with_none = torch.nn.functional.pad(lookup, (1, 0) * lookup.dim(), value=-1)
            columns.append(with_none[tuple((assignment[:, slots] + 1).unbind(dim=1))])
        return torch.stack(columns, dim=1)

    def assignment(self, numbers: Int[Tensor, "events 3"]) -> Int[Tensor, "events 6"]:
        """Return the jets of candidates given by number, −1 for each jet of a target whose number is −1."""
        with_none = [torch.nn.functional.pad(jets, (0, 0, 1, 0), value=-1) for jets in self.jets]
        return torch.cat([jets[numbers[:, target] + 1] for target, jets in enumerate(with_none)], dim=1)


@lru_cache(maxsize=64)
def candidates(jets: int, device: str = "cpu") -> JetCandidates:
    """Return the candidates in events of up to `jets` jets; made once for each number of jets and device.

    Raises:
        ValueError: if `jets` is negative.
    """
    if jets < 0:
        raise ValueError(f"the number of jets cannot be negative, got {jets}")
    pairs = sorted(combinations(range(jets), 2), key=max)
    triples = sorted(_triples(jets), key=max)
    singles = [(jet,) for jet in range(jets)]
    of_higgs, of_top, of_leptonic = (
        torch.tensor(rows, dtype=torch.long, device=device).reshape(len(rows), size)
        for rows, size in ((pairs, 2), (triples, 3), (singles, 1))
    )
    pair, triple = (torch.full((jets,) * size, -1, device=device) for size in (2, 3))
    for order in ((0, 1), (1, 0)):
        pair[of_higgs[:, order].unbind(dim=1)] = torch.arange(len(pairs), device=device)
        bottom, of_w = of_top[:, 0], of_top[:, 1:][:, order]
        triple[bottom, of_w[:, 0], of_w[:, 1]] = torch.arange(len(triples), device=device)
    return JetCandidates((of_higgs, of_top, of_leptonic), (pair, triple, torch.arange(jets, device=device)))


def _triples(jets: int) -> Iterator[tuple[int, int, int]]:
    """Yield (b, q, q') with q < q' for every choice of three jets."""
    for chosen in combinations(range(jets), 3):
        for bottom in chosen:
            first, second = (jet for jet in chosen if jet != bottom)
            yield bottom, first, second
