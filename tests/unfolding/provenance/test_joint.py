import pytest
import torch

from partonic.unfolding.provenance.candidates import candidates
from partonic.unfolding.provenance.decoding import decode_assignment, joint_assignments
from partonic.unfolding.provenance.joint import joint_log_probability, log_partition
from partonic.unfolding.provenance.scores import CandidateScores


def sum_over_all(scores):
    """log Z by adding up every conflict-free combination."""
    joint = joint_assignments(scores.leptonic_top.shape[1])
    total = 0.0
    for target, part in enumerate(scores.of_targets):
        total = total + torch.cat([scores.missing[:, [target]], part], dim=1)[:, joint[:, target] + 1]
    return total.logsumexp(dim=1)


@pytest.mark.parametrize("jets", [0, 1, 2, 3, 4, 5, 6, 8])
def test_partition_is_the_sum_over_all(make_scores, torch_rng, jets):
    scores = make_scores(5, jets, torch_rng)
    torch.testing.assert_close(log_partition(scores), sum_over_all(scores), rtol=1e-12, atol=1e-12)


def test_with_padding(make_scores, torch_rng):
    mask = torch.arange(7) < torch.tensor([[7], [5], [3], [0], [6]])
    scores = make_scores(5, 7, torch_rng, mask)
    torch.testing.assert_close(log_partition(scores), sum_over_all(scores), rtol=1e-12, atol=1e-12)


def test_probabilities_sum_to_one(make_scores, torch_rng):
    scores = make_scores(1, 6, torch_rng)
    assignments = candidates(6).assignment(joint_assignments(6))
    many = CandidateScores(*(part.expand(len(assignments), -1) for part in (*scores.of_targets, scores.missing)))
    assert joint_log_probability(many, assignments).exp().sum().item() == pytest.approx(1.0)


def test_decoded_assignment_is_the_most_probable(make_scores, torch_rng):
    scores = make_scores(20, 6, torch_rng)
    best = joint_log_probability(scores, decode_assignment(scores))
    for row in candidates(6).assignment(joint_assignments(6)[torch.randperm(500, generator=torch_rng)]):
        assert (joint_log_probability(scores, row.expand(20, 6)) <= best + 1e-12).all()


def test_gradient_is_the_probability(make_scores, torch_rng):
    """∂ log Z/∂ s is the probability of the candidate: one for each target in total, missing included."""
    scores = make_scores(4, 7, torch_rng, torch.arange(7) < torch.tensor([[7], [6], [4], [2]]))
    leaves = [part.clone().requires_grad_() for part in (*scores.of_targets, scores.missing)]
    log_partition(CandidateScores(*leaves)).sum().backward()
    for target, leaf in enumerate(leaves[:3]):
        assert torch.isfinite(leaf.grad).all()
        torch.testing.assert_close(leaf.grad.sum(dim=1) + leaves[3].grad[:, target], torch.ones(4).double())


def test_far_apart_scores_stay_finite(make_scores, torch_rng):
    """Two targets that both want the same jets by e^100."""
    scores = make_scores(2, 6, torch_rng)
    table = candidates(6)
    scores.higgs[:, table.lookup[0][0, 1]] += 100.0
    scores.hadronic_top[:, table.lookup[1][0, 1, 2]] += 100.0
    single = CandidateScores(*(part.float() for part in (*scores.of_targets, scores.missing)))
    torch.testing.assert_close(log_partition(single).double(), sum_over_all(scores), rtol=1e-6, atol=1e-5)
