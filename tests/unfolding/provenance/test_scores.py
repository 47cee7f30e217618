import torch

from partonic.unfolding.provenance.scores import CandidateScores


def test_normalised_sums_to_one(make_scores, torch_rng):
    mask = torch.arange(6) < torch.tensor([[6], [3], [1], [0]])
    scores = make_scores(4, 6, torch_rng, mask).normalised()
    for target, part in enumerate(scores.of_targets):
        torch.testing.assert_close(part.exp().sum(dim=1) + scores.missing[:, target].exp(), torch.ones(4).double())


def test_nothing_possible_stays_impossible():
    nothing = torch.full((1, 1), -torch.inf)
    scores = CandidateScores(nothing[:, :0], nothing[:, :0], nothing, nothing.expand(1, 3)).normalised()
    assert (scores.leptonic_top == -torch.inf).all()
    assert (scores.missing == -torch.inf).all()


def test_jet_membership_counts_jets(make_scores, torch_rng):
    """The expected number of jets of a target is its size times the probability that it is there."""
    scores = make_scores(30, 6, torch_rng).normalised()
    for target, (membership, size) in enumerate(zip(scores.jet_membership(), (2, 3, 1), strict=True)):
        present = 1.0 - scores.missing[:, target].exp()
        torch.testing.assert_close(membership.sum(dim=1), size * present)


def test_jets_needed(make_scores, torch_rng):
    mask = torch.arange(6) < torch.tensor([[6], [3], [1], [0]])
    assert make_scores(4, 6, torch_rng, mask).jets_needed().tolist() == [6, 3, 1, 0]
