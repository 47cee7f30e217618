"""Magnitudes: means that are known, bounds of the sample, and samples without some derivatives."""

import pytest
import torch

from partonic.sbi.precision.magnitudes import Magnitudes

NONE = torch.zeros(1, dtype=torch.float64)


def sample(events, seed):
    """Weights 1/(1 + x²), derivatives of scatter e^{2x}, one that is 0, and x."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(events, 1, generator=generator, dtype=torch.float64)
    noise = torch.randn(events, 1, generator=generator, dtype=torch.float64)
    weight = 1.0 / (1.0 + x.square())
    return x.float(), torch.cat([weight, weight * torch.exp(2.0 * x) * noise, torch.zeros_like(x)], dim=1)


def test_means_of_absolute_values_are_learned():
    torch.manual_seed(1)
    magnitudes = Magnitudes(1, 3)
    inputs, targets = sample(60_000, 2)
    magnitudes.take_range(targets, NONE)
    assert float(magnitudes.floor[1]) == 1.0, "of a derivative that no event has"
    optimiser = torch.optim.Adam(magnitudes.parameters(), lr=1e-2)
    for step in range(300):
        rows = slice(1000 * (step % 60), 1000 * (step % 60 + 1))
        loss = magnitudes.deviance(inputs[rows], targets[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    x = torch.tensor([[-1.0], [0.0], [1.0]])
    weight, sizes = magnitudes(x)
    torch.testing.assert_close(weight[:, 0], 1.0 / (1.0 + x[:, 0] ** 2), rtol=0.15, atol=0.0)
    expected = torch.exp(2.0 * x[:, 0]) * (2.0 / torch.pi) ** 0.5 + float(magnitudes.floor[0])
    torch.testing.assert_close(sizes[:, 0], expected, rtol=0.2, atol=0.0)


@pytest.mark.parametrize("far", [-1e6, 1e6])
def test_events_like_none_of_the_sample_stay_in_its_range(far):
    torch.manual_seed(1)
    magnitudes = Magnitudes(2, 3)
    targets = sample(1_000, 3)[1]
    magnitudes.take_range(targets, NONE)
    weight, sizes = (each.detach() for each in magnitudes(torch.full((1, 2), far)))
    largest = (targets[:, 1].abs() + magnitudes.floor[0] * targets[:, 0]).max()
    assert float(weight) <= 2.0 * float(targets[:, 0].max())
    assert float(weight * sizes[0, 0]) <= 2.0 * float(largest)
    assert bool((sizes > 0).all())


def test_weights_of_either_sign_and_none_have_a_range():
    targets = torch.tensor([[1.0, 2.0], [0.0, 0.5], [-0.5, -1.0], [2.0, 1.0]], dtype=torch.float64)
    magnitudes = Magnitudes(1, 2)
    magnitudes.take_range(targets, NONE)
    weight, sizes = magnitudes(torch.zeros(4, 1))
    assert torch.isfinite(weight).all()
    assert torch.isfinite(sizes).all()
    assert float(magnitudes.floor) == 0.5, "median of |c_1/c_0| = 0.5, 2, 2, of weights 2, 1, 0.5"


def test_objects_behind_the_named_features_are_not_looked_at():
    torch.manual_seed(1)
    magnitudes = Magnitudes(2, 2)
    magnitudes.take_range(sample(100, 4)[1][:, :2], NONE)
    rows = torch.randn(5, 7)
    changed = rows.clone()
    changed[:, 2:] = 9.0
    torch.testing.assert_close(magnitudes(rows)[1], magnitudes(changed)[1])
