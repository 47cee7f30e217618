"""Derivative learning of the toy against the true derivatives."""

import numpy as np
import pytest
import torch
from tests.sbi.toy_events import squared_error, train

from partonic.errors import TrainingError
from partonic.sbi.derivatives import Derivatives
from partonic.sbi.ensemble_mlp import EnsembleMLP
from partonic.sbi.gaussian_toy import GaussianToy

TOY = GaussianToy(1.5)


class Given(torch.nn.Module):
    """A backbone that says what it is told, `(G, N)`."""

    def __init__(self, values):
        super().__init__()
        self.values, self.networks = values, len(values)

    def forward(self, inputs):
        return self.values


def test_loss_is_one_minus_the_explained_variance():
    generator = torch.Generator().manual_seed(1)
    truth = torch.randn(20_000, 2, generator=generator, dtype=torch.float64) * torch.tensor([3.0, 0.2]) + 5.0
    weight = 0.5 + torch.rand(20_000, 1, generator=generator, dtype=torch.float64)
    targets = torch.cat([weight, weight * truth], dim=1) / weight.mean()
    half = torch.zeros(2, 20_000)
    method = Derivatives(Given(half), 3, 1)
    method.standardise(targets)
    inputs = torch.zeros(20_000, 1)
    assert float(method.losses(inputs, targets, None)[0]) == pytest.approx(1.0, abs=1e-6)
    scaled = ((truth - method.mean) / method.deviation).T.float()
    method.backbone = Given(scaled)
    assert float(method.losses(inputs, targets, None)[0]) == pytest.approx(0.0, abs=1e-5)
    torch.testing.assert_close(method.targets_of(inputs)[0, :, 1:], truth, atol=1e-5, rtol=1e-5)


def test_zero_and_negative_weights_do_no_harm():
    targets = torch.tensor([[1.0, 2.0], [0.0, 0.5], [-0.5, -1.0], [2.0, 1.0]], dtype=torch.float64)
    method = Derivatives(EnsembleMLP(1, (4,), 1), 2, 1)
    method.standardise(targets)
    assert float(method.mean) == pytest.approx(2.5 / 2.5)
    loss = method.losses(torch.zeros(4, 1), targets, None)[0]
    assert torch.isfinite(loss).all()


def test_exact_relations_of_the_targets_are_kept():
    generator = torch.Generator().manual_seed(2)
    ones, first = torch.ones(500, 1, dtype=torch.float64), torch.randn(500, 1, generator=generator, dtype=torch.float64)
    targets = torch.cat([ones, first, -2.0 * first, torch.zeros_like(first)], dim=1)
    method = Derivatives(EnsembleMLP(2, (8,), 6), 4, 2)
    method.standardise(targets)
    found = method.targets_of(torch.randn(30, 2, generator=generator))
    torch.testing.assert_close(found[..., 2], -2.0 * found[..., 1], atol=1e-6, rtol=1e-5)
    assert not found[..., 3].any()


def test_events_that_do_not_depend_on_theta_are_refused():
    method = Derivatives(EnsembleMLP(1, (4,), 1), 2, 1)
    with pytest.raises(TrainingError, match="no event depends on θ"):
        method.standardise(torch.tensor([[1.0, 2.0]] * 5, dtype=torch.float64))


@pytest.mark.parametrize(("points", "reference"), [((0.0,), [{}]), ((-1.0, 0.0, 1.0), [{"theta": 0.5}])])
def test_the_toy_is_learned(points, reference, tmp_path):
    trained = train(TOY, 40_000, points, tmp_path, reference=reference)
    error, its_error = squared_error(trained, TOY)
    assert its_error < 0.003
    assert error < 0.01, "a mean alone gives 0.5"


def test_learned_mean_is_near_the_cross_section(tmp_path):
    record = train(TOY, 40_000, (0.0,), tmp_path).model.record
    assert record.means[2] == pytest.approx(record.learned_means[2], abs=0.05)
    assert np.isclose(record.learned_means[1], 0.0, atol=1e-6), "no event has a term linear in θ"
