"""Derivatives of equal relative precision: the loss and its minimum, slopes, and tails that the plain loss misses."""

import numpy as np
import pytest
import torch
from tests.sbi.toy_events import squared_error, train

from partonic.errors import TrainingError
from partonic.sbi.ensemble_mlp import EnsembleMLP
from partonic.sbi.gaussian_toy import GaussianToy
from partonic.sbi.model import SbiModel
from partonic.sbi.precision.derivatives import PreciseDerivatives
from partonic.sbi.precision.magnitudes import Magnitudes

PRECISE = {"derivatives": {"weighting": "precision"}}


class Given(torch.nn.Module):
    """A backbone that says what it is told, `(G, N)`."""

    def __init__(self, values):
        super().__init__()
        self.values, self.networks = values, len(values)

    def forward(self, inputs):
        return self.values


def made(events=3_000, members=1, seed=1):
    """Targets whose truth is a function of the inputs, and a method that knows their magnitudes."""
    torch.manual_seed(seed)
    inputs = torch.randn(events, 1)
    x = inputs.double()
    weight = torch.exp(-x)
    targets = torch.cat([weight, weight * torch.exp(2.0 * x), weight * (x - 1.0), weight * 3.0], dim=1) / weight.mean()
    method = PreciseDerivatives(EnsembleMLP(1, (6,), 3 * members), Magnitudes(1, 4), 4, members)
    method.standardise(targets)
    method.take_magnitudes(inputs, targets)
    return method, inputs, targets


def test_loss_is_one_at_the_mean_and_zero_at_the_truth():
    method, inputs, targets = made()
    truth = targets[:, 1:] / targets[:, :1]
    _, sizes = method.magnitudes(inputs)
    method.backbone = Given((truth / sizes).T.float())
    torch.testing.assert_close(method.targets_of(inputs)[0, :, 1:], truth, rtol=1e-5, atol=1e-5)
    # of three derivatives one is constant, and always right: it has no power to explain
    assert float(method.losses(inputs, targets, None)[0]) == pytest.approx(1.0 / 3.0, abs=1e-5)
    method.backbone = Given((method.mean / sizes).T.float())
    assert float(method.losses(inputs, targets, None)[0]) == pytest.approx(1.0, abs=1e-5)


def test_truth_is_the_minimum_whatever_the_magnitudes_are():
    method, inputs, targets = made(seed=2)
    truth = targets[:, 1:] / targets[:, :1]
    _, sizes = method.magnitudes(inputs)
    raw = (truth / sizes).T.float().detach().requires_grad_()
    method.backbone = Given(raw)
    gradient = torch.autograd.grad(method.losses(inputs, targets, None)[0].sum(), raw)[0]
    wrong = raw.detach().mul(1.1).requires_grad_()
    method.backbone = Given(wrong)
    other = torch.autograd.grad(method.losses(inputs, targets, None)[0].sum(), wrong)[0]
    assert float(gradient.abs().max()) < 1e-3 * float(other.abs().max())


def test_slopes_are_those_of_loss_and_targets():
    method, inputs, targets = made(events=20, members=2)
    raw = method.backbone(inputs).detach().clone()

    def at(values):
        method.backbone = Given(values)
        return method

    first, second = at(raw).loss_slopes(inputs, targets)

    def losses(values):
        return at(values).losses(inputs, targets, None)[0].sum() * 20 * 3  # sums over events and derivatives

    slope = torch.autograd.functional.jacobian(losses, raw).reshape(2, 3, 20).transpose(1, 2)
    torch.testing.assert_close(first.float(), slope, rtol=1e-3, atol=1e-3)
    curvature = torch.autograd.functional.hessian(losses, raw).reshape(2, 3, 20, 2, 3, 20)
    for member in range(2):
        same = torch.einsum("dnen->nde", curvature[member, :, :, member])
        torch.testing.assert_close(second[member].float(), same, rtol=1e-3, atol=1e-3)
    step = 0.5 * torch.randn(raw.shape)
    linear = torch.einsum(
        "mnao,mno->mna", method.target_slopes(inputs), step.reshape(2, 3, 20).transpose(1, 2).double()
    )
    shift = at(raw + step).targets_of(inputs) - at(raw).targets_of(inputs)
    torch.testing.assert_close(shift, linear, rtol=1e-4, atol=1e-4)


def test_exact_relations_of_the_targets_are_kept():
    generator = torch.Generator().manual_seed(2)
    first = torch.randn(500, 1, generator=generator, dtype=torch.float64)
    targets = torch.cat([torch.ones_like(first), first, 1.0 - 2.0 * first, torch.zeros_like(first)], dim=1)
    method = PreciseDerivatives(EnsembleMLP(2, (8,), 6), Magnitudes(2, 4), 4, 2)
    method.standardise(targets)
    found = method.targets_of(torch.randn(30, 2, generator=generator)).detach()
    torch.testing.assert_close(found[..., 2], 1.0 - 2.0 * found[..., 1], atol=1e-4, rtol=1e-4)
    assert not found[..., 3].any()


def test_zero_and_negative_weights_do_no_harm():
    targets = torch.tensor([[1.0, 2.0], [0.0, 0.5], [-0.5, -1.0], [2.0, 1.0]], dtype=torch.float64)
    method = PreciseDerivatives(EnsembleMLP(1, (4,), 1), Magnitudes(1, 2), 2, 1)
    method.standardise(targets)
    method.take_magnitudes(torch.zeros(4, 1), targets)
    assert torch.isfinite(method.losses(torch.zeros(4, 1), targets, None)[0]).all()


def test_events_that_do_not_depend_on_theta_are_refused():
    method = PreciseDerivatives(EnsembleMLP(1, (4,), 1), Magnitudes(1, 2), 2, 1)
    with pytest.raises(TrainingError, match="no event depends on θ"):
        method.standardise(torch.tensor([[1.0, 2.0]] * 5, dtype=torch.float64))


def test_the_magnitudes_are_part_of_the_model(tmp_path):
    toy = GaussianToy(1.5)
    trained = train(toy, 4_000, (0.0,), tmp_path / "a", **PRECISE)
    x = np.linspace(-2.0, 5.0, 20)[:, None]
    again = SbiModel.load(tmp_path / "a")
    np.testing.assert_array_equal(again.targets(x), trained.model.targets(x))
    assert (tmp_path / "a" / "phases" / "magnitudes" / "best.safetensors").is_file()
    plain = train(toy, 4_000, (0.0,), tmp_path / "b")
    assert not np.allclose(plain.model.targets(x), trained.model.targets(x))


@pytest.mark.slow
def test_a_tail_is_learned_that_the_plain_loss_misses(tmp_path):
    """θ² N(3, 0.1) added to N(0, 1): ratios to θ = 0 from 10⁻⁴ to 10⁴, of which events at 0 show few of the large."""
    toy = GaussianToy(3.0)
    training = {"training": {"epochs": 8, "batch_size": 512, "learning_rate": 1e-2}}
    precise = squared_error(train(toy, 30_000, (0.0,), tmp_path / "a", **PRECISE, **training), toy)
    plain = squared_error(train(toy, 30_000, (0.0,), tmp_path / "b", **training), toy)
    assert precise[1] < 0.002
    assert plain[1] < 0.003
    assert precise[0] < 0.03
    assert plain[0] > 1.5 * precise[0] + 3.0 * np.hypot(plain[1], precise[1])
