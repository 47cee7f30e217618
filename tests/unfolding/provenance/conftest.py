"""Random scores of candidates, and the plainest possible search for the best assignment."""

from itertools import combinations, permutations

import pytest
import torch

from partonic.unfolding.provenance.candidates import candidates
from partonic.unfolding.provenance.scores import CandidateScores


def random_scores(events, jets, generator, mask=None):
    """Independent Gaussian scores; −∞ for candidates with a jet that `mask` leaves out."""
    table = candidates(jets)
    mask = torch.ones(events, jets, dtype=torch.bool) if mask is None else mask
    parts = [
        torch.where(
            table.real(target, mask),
            3.0 * torch.randn(events, len(table.jets[target]), generator=generator, dtype=torch.float64),
            -torch.inf,
        )
        for target in range(3)
    ]
    missing = 3.0 * torch.randn(events, 3, generator=generator, dtype=torch.float64)
    return CandidateScores(parts[0], parts[1], parts[2], missing)


def all_assignments(jets):
    """Every assignment of some of the targets, as tuples (pair or None, triple or None, single or None)."""
    pairs = [None, *combinations(range(jets), 2)]
    triples = [None, *((b, q, p) for b, q, p in permutations(range(jets), 3) if q < p)]
    singles = [None, *((jet,) for jet in range(jets))]
    for higgs in pairs:
        for hadronic in triples:
            for leptonic in singles:
                used = [*(higgs or ()), *(hadronic or ()), *(leptonic or ())]
                if len(used) == len(set(used)):
                    yield higgs, hadronic, leptonic


def brute_force(scores, event, as_many_as_possible=False):
    """Return the best assignment of one event by trying all, and its score."""
    jets = scores.leptonic_top.shape[1]
    lookup = [part.tolist() for part in scores.table.lookup]
    values = [part[event].tolist() for part in scores.of_targets]
    missing = scores.missing[event].tolist()
    best = (-1, -float("inf"), (-1,) * 6)
    for chosen in all_assignments(jets):
        total, row = 0.0, []
        for target, (part, size) in enumerate(zip(chosen, (2, 3, 1), strict=True)):
            number = lookup[target]
            for jet in part or ():
                number = number[jet]
            total += missing[target] if part is None else values[target][number]
            row += [-1] * size if part is None else list(part)
        count = sum(part is not None for part in chosen) if as_many_as_possible else 0
        if total > -float("inf") and (count, total) > best[:2]:
            best = (count, total, tuple(row))
    return best[2], best[1]


@pytest.fixture
def make_scores():
    return random_scores


@pytest.fixture
def search():
    return brute_force
