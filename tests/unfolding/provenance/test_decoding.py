from math import comb

import pytest
import torch

from partonic.errors import NonFiniteError
from partonic.unfolding.provenance.candidates import SLOTS
from partonic.unfolding.provenance.decoding import decode_assignment, joint_assignments
from partonic.unfolding.provenance.scores import CandidateScores


@pytest.mark.parametrize("as_many_as_possible", [False, True])
@pytest.mark.parametrize("jets", [0, 1, 2, 3, 4, 5, 6, 7])
def test_is_the_joint_maximum(make_scores, search, torch_rng, jets, as_many_as_possible):
    scores = make_scores(4, jets, torch_rng)
    found = decode_assignment(scores, as_many_as_possible)
    for event in range(4):
        assert tuple(found[event].tolist()) == search(scores, event, as_many_as_possible)[0]


def test_events_of_different_multiplicity(make_scores, search, torch_rng):
    mask = torch.arange(7) < torch.tensor([[0], [2], [4], [5], [6], [7], [3], [6]])
    scores = make_scores(8, 7, torch_rng, mask)
    found = decode_assignment(scores)
    for event in range(8):
        assert tuple(found[event].tolist()) == search(scores, event)[0]
        assert set(found[event].tolist()) <= {-1, *range(int(mask[event].sum()))}


def test_gaps_between_the_jets(make_scores, search, torch_rng):
    mask = torch.tensor([[True, False, True, True, False, True, True]] * 3)
    scores = make_scores(3, 7, torch_rng, mask)
    found = decode_assignment(scores, as_many_as_possible=True)
    for event in range(3):
        assert tuple(found[event].tolist()) == search(scores, event, as_many_as_possible=True)[0]


@pytest.mark.parametrize("jets", [6, 8, 10])
def test_number_of_whole_assignments(jets):
    joint = joint_assignments(jets)
    whole = (joint >= 0).all(dim=1).sum()
    assert whole == comb(jets, 2) * 3 * comb(jets - 2, 3) * (jets - 5)
    assert (joint[0] == -1).all()


def test_many_jets(make_scores, torch_rng):
    """No conflict, and no better than each target alone, for the largest multiplicity."""
    scores = make_scores(3, 16, torch_rng)
    found = decode_assignment(scores, as_many_as_possible=True)
    for row in found.tolist():
        assert min(row) >= 0
        assert len(set(row)) == 6
    numbers = scores.table.numbers(found)
    total = sum(part.gather(1, numbers[:, [target]]) for target, part in enumerate(scores.of_targets))
    assert (total <= sum(part.amax(dim=1, keepdim=True) for part in scores.of_targets)).all()


def test_as_many_as_the_jets_allow(make_scores, torch_rng):
    for jets, number in ((6, 3), (5, 2), (4, 2), (3, 2), (2, 1), (1, 1), (0, 0)):
        scores = make_scores(20, jets, torch_rng)
        found = decode_assignment(scores, as_many_as_possible=True)
        assigned = sum((found[:, slots] >= 0).all(dim=1).long() for slots in SLOTS)
        assert (assigned == number).all()


def test_jets_follow_a_permutation(make_scores, torch_rng):
    """Renaming the jets renames those of the assignment."""
    scores = make_scores(50, 7, torch_rng)
    order = torch.randperm(7, generator=torch_rng)
    lookup, jets = scores.table.lookup, scores.table.jets
    renamed = [part[:, lookup[t][tuple(order[jets[t]].unbind(1))]] for t, part in enumerate(scores.of_targets)]
    first = decode_assignment(scores)
    second = decode_assignment(CandidateScores(renamed[0], renamed[1], renamed[2], scores.missing))
    back = torch.where(second >= 0, order[second.clamp(min=0)], -1)
    assert torch.equal(scores.table.numbers(first), scores.table.numbers(back))


def test_nothing_possible(make_scores, torch_rng):
    scores = make_scores(2, 4, torch_rng)
    impossible = CandidateScores(*(torch.full_like(part, -torch.inf) for part in (*scores.of_targets, scores.missing)))
    assert (decode_assignment(impossible) == -1).all()
    assert (decode_assignment(impossible, as_many_as_possible=True) == -1).all()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_broken_scores_are_refused(make_scores, torch_rng, value):
    scores = make_scores(2, 4, torch_rng)
    scores.hadronic_top[1, 3] = value
    with pytest.raises(NonFiniteError, match="must be finite or −∞"):
        decode_assignment(scores)
