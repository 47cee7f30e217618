"""Networks of (x, θ): their losses, their projection onto the polynomial, and the toy."""

import numpy as np
import pytest
import torch
from tests.sbi.toy_events import squared_error, train

from partonic.sbi.conditional import ConditionalRatio, Projection
from partonic.sbi.ensemble_mlp import EnsembleMLP
from partonic.sbi.gaussian_toy import GaussianToy
from partonic.sbi.theta_draws import ThetaDraws

TOY = GaussianToy(1.5)
WITHOUT_SCORE, WITH_SCORE = ("carl", "alice", "rolr"), ("cascal", "alices", "rascal")


class Quadratic(torch.nn.Module):
    """log(1 + x u + u²) exactly: a polynomial ratio, of an input x and θ = u."""

    networks = 1

    def forward(self, inputs, theta=None):
        x, u = inputs[..., 0], theta[..., 0]
        return torch.log(1.0 + x * u + u**2)

    def encode(self, inputs):
        return inputs

    def decide(self, seen, theta=None):
        return self(seen, theta)


def projection(points=9):
    u = torch.linspace(-1.0, 1.0, points, dtype=torch.float64)
    design = torch.stack([torch.ones_like(u), u, u**2], dim=1)
    return Projection(u[:, None], design, torch.ones_like(u))


def draws():
    u = torch.linspace(-1.0, 1.0, 64, dtype=torch.float64)
    weights = torch.stack([torch.ones_like(u), u, u**2], dim=1)
    gradients = torch.stack([torch.zeros_like(u), torch.ones_like(u), 2 * u], dim=1)[..., None]
    return ThetaDraws(u[:, None], weights, gradients)


def test_a_polynomial_is_projected_onto_itself():
    method = ConditionalRatio(Quadratic(), 1, "alice", projection())
    inputs = torch.tensor([[0.5], [-1.2], [0.0]])
    found = method.targets_of(inputs)[0]
    expected = torch.tensor([[1.0, 0.5, 1.0], [1.0, -1.2, 1.0], [1.0, 0.0, 1.0]], dtype=torch.float64)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    assert float(method.residual(inputs).max()) < 1e-6


def test_what_is_no_polynomial_leaves_a_residual():
    class Sine(Quadratic):
        def forward(self, inputs, theta=None):
            return torch.sin(6.0 * theta[..., 0])

    method = ConditionalRatio(Sine(), 1, "alice", projection(40))
    assert float(method.residual(torch.zeros(2, 1)).min()) > 0.1


@pytest.mark.parametrize("kind", [*WITHOUT_SCORE, *WITH_SCORE])
def test_the_truth_has_a_smaller_loss_than_its_neighbours(kind):
    """Events z = x without smearing: the ratio of a single event is the target itself."""

    class Scaled(Quadratic):
        def __init__(self, factor):
            super().__init__()
            self.factor = factor

        def forward(self, inputs, theta=None):
            return self.factor * super().forward(inputs, theta)

    x = torch.linspace(-1.0, 1.0, 3001, dtype=torch.float64)
    targets = torch.stack([torch.ones_like(x), x, torch.ones_like(x)], dim=1)
    losses = []
    for factor in (0.8, 1.0, 1.2):
        method = ConditionalRatio(Scaled(factor), 1, kind, projection(), draws(), score_weight=0.5)
        losses.append(float(method.losses(x[:, None].float(), targets, None)[0].detach()))
    assert losses[1] < min(losses[0], losses[2])


def test_sampled_classes_have_the_loss_of_the_weights_on_the_mean():
    x = torch.zeros(60_000, dtype=torch.float64) + 0.3
    targets = torch.stack([torch.ones_like(x), x, torch.ones_like(x)], dim=1)
    inputs = x[:, None].float()
    soft = ConditionalRatio(Quadratic(), 1, "alice", projection(), draws())
    hard = ConditionalRatio(Quadratic(), 1, "carl", projection(), draws())
    first = float(soft.losses(inputs, targets, torch.Generator().manual_seed(1))[0])
    second = float(hard.losses(inputs, targets, torch.Generator().manual_seed(1))[0])
    assert first != second
    assert second == pytest.approx(first, abs=0.02)


def test_a_loaded_network_says_that_it_cannot_train():
    method = ConditionalRatio(EnsembleMLP(2, (4,), 1), 1, "alice", projection())
    with pytest.raises(ValueError, match="loaded to be used"):
        method.losses(torch.zeros(2, 1), torch.ones(2, 3, dtype=torch.float64), None)


@pytest.mark.parametrize("kind", [*WITHOUT_SCORE, *WITH_SCORE])
def test_the_toy_is_learned(kind, tmp_path):
    trained = train(
        TOY, 30_000, (-1.0, 0.0, 1.0), tmp_path, method=kind,
        training={"epochs": 4, "batch_size": 256, "learning_rate": 1e-2}, network={"hidden": [24, 24], "members": 1},
    )  # fmt: skip
    error, its_error = squared_error(trained, TOY)
    assert its_error < 0.01
    assert error < (0.2 if kind in ("carl", "cascal") else 0.06), "a mean alone gives 0.5"
    residual = trained.model.residual(np.linspace(-2.0, 3.0, 20)[:, None])
    assert residual is not None
    assert float(residual.mean()) < 0.2
