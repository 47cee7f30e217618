"""The repulsion drives members apart, and is that of the log of their kernel density."""

import torch

from partonic.nn.bayesian.repulsion import repulsion


def test_its_gradient_descends_to_larger_distances():
    outputs = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]], requires_grad=True)
    repulsion(outputs).backward()
    assert outputs.grad is not None
    moved = outputs.detach() - 0.1 * outputs.grad

    def spread(values):
        return torch.pdist(values).mean()

    assert spread(moved) > spread(outputs.detach())


def test_gradient_against_the_formula():
    outputs = torch.randn(4, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64).requires_grad_()
    repulsion(outputs).backward()
    values = outputs.detach()
    squares = (values[:, None] - values[None]).square().sum(-1)
    width = squares[~torch.eye(4, dtype=torch.bool)].median() / torch.log(torch.tensor(5.0, dtype=torch.float64))
    kernel = torch.exp(-squares / width)
    slope = -2.0 / width * (kernel[..., None] * (values[:, None] - values[None])).sum(dim=1)
    torch.testing.assert_close(outputs.grad, slope / kernel.sum(dim=1, keepdim=True))


def test_nothing_repels_a_single_member_and_equal_ones_are_finite():
    assert repulsion(torch.ones(1, 5)) == 0.0
    equal = torch.ones(3, 5, requires_grad=True)
    repulsion(equal).backward()
    assert torch.isfinite(equal.grad).all()
