"""Assignments: counted once, and what they are worth before kinematics."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from mem.classical.toys import reco, transfer
from partonic.mem.classical.assignment_weights import assignment_table
from partonic.mem.classical.assignments import LOST, all_assignments
from partonic.mem.classical.observed import observed_event


@pytest.mark.parametrize(
    ("jets", "max_lost", "ordered", "number"),
    [
        (6, 0, False, math.factorial(6) // 4),
        (6, 0, True, math.factorial(6) // 2),
        (7, 0, False, math.factorial(7) // 4),
        (5, 0, False, 0),
        # One quark lost, five jets for five others: b of H (one of two alike), b, q (one of two alike) or b.
        (5, 1, False, 2 * math.factorial(5) // 2 + 2 * math.factorial(5) // 4),
    ],
)
def test_numbers_of_assignments(jets: int, max_lost: int, ordered: bool, number: int) -> None:
    assert len(all_assignments(jets, max_lost, ordered)) == number


def test_no_jet_twice_and_no_assignment_twice() -> None:
    rows = all_assignments(6, 2, False)
    for row in rows:
        used = row[row != LOST]
        assert len(set(used)) == len(used) >= 4
    canonical = {(frozenset(row[:2]), row[2], frozenset(row[3:5]), row[5], tuple(sorted(row))) for row in rows.tolist()}
    assert len(canonical) == len(rows)


def test_both_quarks_of_a_pair_may_be_lost() -> None:
    rows = all_assignments(6, 2, False)
    assert ((rows[:, 3:5] == LOST).all(axis=1)).any()
    assert not ((rows[:, 3] == LOST) & (rows[:, 4] != LOST)).any()


def test_true_assignment_has_the_best_tags() -> None:
    event = observed_event(reco(), 0)
    table = assignment_table(event, transfer(), True, 8, 0)
    worth = table.log_prior + torch.log(table.role_weights.sum(dim=1))
    best = table.rows[worth > worth.max() - 1e-9]
    assert all(set(row[3:5]) == {3, 4} for row in best.tolist())


def test_prior_of_an_assignment_by_hand() -> None:
    """Seven jets of which the last is extra, and the b of t_lep lost: every factor."""
    functions, event = transfer(), observed_event(reco((0, 1, 2, 3, 4, 5, 3)), 0)
    table = assignment_table(event, functions, True, 7, 1)
    index = int((table.rows == torch.tensor([0, 1, 2, 3, 4, LOST])).all(dim=1).nonzero())
    tags = functions.tags.probability(event.jets[:, 0], event.tagged)
    extra = functions.extra.log_density(event.jets[5:, 0]) + torch.log(tags[5:] @ functions.extra.flavours)
    expected = torch.log(tags[:3, 0]).sum() + extra.sum() + math.log(2.0)  # b and b̄ exchanged
    expected = expected + functions.extra.log_multiplicity(2) + math.log(2.0)  # two extra jets in either order
    assert float(table.log_prior[index]) == pytest.approx(float(expected), rel=1e-12)
    up_first = 0.5 * (tags[3, 1] + tags[3, 2]) * tags[4, 2]
    assert float(table.role_weights[index, 0]) == pytest.approx(float(up_first), rel=1e-12)
    assert int(table.extra_count[index]) == 2
    torch.testing.assert_close(table.extra[index], event.jet_momenta[5:].sum(dim=0))


def test_further_jets_are_extra_in_all_assignments() -> None:
    event = observed_event(reco((0, 1, 2, 3, 4, 5, 3)), 0)
    table = assignment_table(event, transfer(), True, 6, 0)
    assert set(np.unique(table.rows)) == set(range(6))
    assert (table.extra_count == 1).all()


def test_lost_pair_of_w_is_counted_once() -> None:
    """With both lost, the integral over both directions has the exchanged case in it."""
    table = assignment_table(observed_event(reco(), 0), transfer(), True, 6, 2)
    both = (table.rows[:, 3:5] == LOST).all(dim=1)
    torch.testing.assert_close(table.role_weights[both], torch.full((int(both.sum()), 2), 0.5).double())


def test_no_tag_is_worth_less_for_a_b() -> None:
    event = observed_event(reco(), 0)
    untagged = replace(event, tagged=torch.zeros(6, dtype=torch.bool))
    tables = [assignment_table(one, transfer(), True, 6, 0) for one in (event, untagged)]
    assert tables[0].log_prior.max() > tables[1].log_prior.max()
