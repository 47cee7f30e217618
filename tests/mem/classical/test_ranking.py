"""Ranking of assignments: the true one is high up, and the shares are about those of the integrals."""

import numpy as np
import pytest
import torch

from mem.classical.toys import ToyProcess, reco, transfer
from partonic.mem.classical.assignment_weights import assignment_table
from partonic.mem.classical.hypothesis import TopPairHypothesis
from partonic.mem.classical.integrand import AssignmentIntegrand, coefficients_of
from partonic.mem.classical.observed import observed_event
from partonic.mem.classical.ranking import rank_assignments
from partonic.mem.classical.vegas_integral import AdaptedVegas, sums

EVENT, FUNCTIONS, MODEL = observed_event(reco(), 0), transfer(), TopPairHypothesis(ToyProcess())


def test_true_assignment_is_among_the_best() -> None:
    table = assignment_table(EVENT, FUNCTIONS, True, 6, 0)
    ranking = rank_assignments(EVENT, table, MODEL, FUNCTIONS, (200, 0.0))
    truth = int((table.rows == torch.arange(6)).all(dim=1).nonzero())
    assert truth in ranking.kept[:5].tolist()


def test_limits_and_shares() -> None:
    table = assignment_table(EVENT, FUNCTIONS, True, 6, 2)
    rankings = [rank_assignments(EVENT, table, MODEL, FUNCTIONS, (most, 0.0)) for most in (1, 5, 10_000)]
    assert [len(ranking.kept) for ranking in rankings[:2]] == [1, 5]
    assert rankings[0].neglected > rankings[1].neglected > rankings[2].neglected
    assert float(rankings[2].shares.sum()) + rankings[2].neglected == pytest.approx(1.0)
    enough = rank_assignments(EVENT, table, MODEL, FUNCTIONS, (10_000, 0.1))
    assert 0.0 < enough.neglected <= 0.1
    assert (enough.shares.diff() <= 0).all()


def test_shares_are_about_those_of_the_integrals(seed: int) -> None:
    """Over assignments whose shares differ by orders of magnitude."""
    table = assignment_table(EVENT, FUNCTIONS, True, 6, 0)
    ranking = rank_assignments(EVENT, table, MODEL, FUNCTIONS, (40, 0.0))
    generator = np.random.default_rng(seed)
    values, shares = [], []
    for row, share in zip(ranking.kept[::4], ranking.shares[::4], strict=True):
        part = AssignmentIntegrand(EVENT, table, int(row), MODEL, FUNCTIONS)

        def first(x: np.ndarray, part: AssignmentIntegrand = part) -> np.ndarray:
            return coefficients_of([part.partons(torch.from_numpy(x))], MODEL)[0].numpy()

        grid = AdaptedVegas(lambda x, first=first: first(x)[:, 0], part.dimensions, generator, 3, 300)
        points = grid.points(1000)
        values.append(sums(points, first(points.x)).values[0])
        shares.append(float(share))
    assert max(shares) / min(shares) > 30.0
    assert np.corrcoef(np.log(values), np.log(shares))[0, 1] > 0.7
