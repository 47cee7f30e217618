"""The Laplace approximation of the last layer against refits, and derivatives against differentiation."""

import numpy as np
import pytest
import torch
from tests.sbi.toy_events import train

from partonic.errors import TrainingError
from partonic.nn.training import seeded_weights
from partonic.sbi.derivatives import Derivatives
from partonic.sbi.ensemble_mlp import EnsembleMLP
from partonic.sbi.gaussian_toy import GaussianToy
from partonic.sbi.model import SbiModel
from partonic.sbi.morphing import MorphingRatios
from partonic.sbi.uncertainty.last_layer import HasLastLayer, LastLayerLaplace, LinearOutputs


class Line(torch.nn.Module):
    """A network that is a straight line: its last units are x and 1."""

    networks, last_width = 1, 2

    def __init__(self):
        super().__init__()
        self.line = torch.zeros(2, dtype=torch.float64)

    def last_units(self, inputs):
        return torch.stack([inputs[:, 0], torch.ones(len(inputs))], dim=1)[None]

    def forward(self, inputs, theta=None):
        return (self.last_units(inputs).double() @ self.line).float()

    def encode(self, inputs):
        return inputs

    def decide(self, seen, theta=None):
        return self(seen)


def fitted(seed, copies=1):
    """A line through 200 groups of events with weights, whose scatter grows with x."""
    generator = np.random.default_rng(seed)
    x = np.repeat(generator.uniform(-1, 1, 200), copies)
    weight = np.repeat(generator.uniform(0.2, 2.0, 200), copies)
    noise = np.repeat((0.5 + x[::copies] ** 2) * generator.normal(size=200), copies)
    y = 1.5 * x + 0.3 + noise
    design = np.stack([x, np.ones_like(x)], axis=1)
    solution = np.linalg.solve(design.T @ (weight[:, None] * design), design.T @ (weight * y))
    method = Derivatives(Line(), 2, 1)
    method.backbone.line = torch.from_numpy(solution)
    targets = torch.from_numpy(np.stack([weight, weight * y], axis=1))
    laplace = LastLayerLaplace(method)
    laplace.measure(torch.from_numpy(x[:, None]).float(), targets, np.repeat(np.arange(200), copies))
    return laplace


@pytest.mark.parametrize("copies", [1, 3])
def test_covariance_is_the_scatter_of_refits(copies):
    at = torch.tensor([[-0.8], [0.0], [0.9]])
    found = [fitted(seed, copies) for seed in range(300)]
    values = torch.stack([each.targets_of(at)[0, :, 1] for each in found])
    variance = torch.stack([each.covariance_of(at)[:, 1, 1] for each in found]).mean(dim=0)
    torch.testing.assert_close(values.var(dim=0), variance, rtol=0.25, atol=0.0)
    assert not found[0].covariance_of(at)[:, 0].any()


def slopes_by_differentiation(method, outputs, inputs, targets):
    """Derivatives of the summed loss of one member in the outputs of a backbone that says them."""
    outputs = outputs.detach().clone().requires_grad_()
    method.backbone.forward = lambda _: outputs
    method.losses(inputs, targets, None)[0].sum().backward()
    return outputs.grad * len(inputs)


@pytest.mark.parametrize("kind", ["derivatives", "cross_entropy", "regression"])
def test_slopes_are_the_derivatives_of_loss_and_targets(kind):
    generator = torch.Generator().manual_seed(1)
    targets = torch.rand(50, 3, generator=generator, dtype=torch.float64) + torch.tensor([0.5, 0.1, 0.3])
    inputs = torch.randn(50, 2, generator=generator)
    with seeded_weights(1, "test"):
        backbone = EnsembleMLP(2, (6,), 2)
    if kind == "derivatives":
        targets = torch.cat([targets, -0.5 * targets[:, 1:2]], dim=1)
        with seeded_weights(1, "test"):
            backbone = EnsembleMLP(2, (6,), 3)
        method = Derivatives(backbone, 4, 1)
        method.standardise(targets)
        scale = 3.0  # the loss is a mean over the outputs
    else:
        rows = np.array([[1.0, 0.5, 0.2], [1.0, -0.3, 0.4]])
        method = MorphingRatios(backbone, rows, np.array([1.0, 0.2, 0.3]), 1, kind)
        scale = 2.0 * (2.0 * np.log(2.0) if kind == "cross_entropy" else 1.0)
    assert isinstance(method, LinearOutputs)
    assert isinstance(backbone, HasLastLayer)
    units = backbone.last_units(inputs)
    last = torch.cat([backbone.weights[-1], backbone.biases[-1]], dim=1)[..., 0]
    torch.testing.assert_close(torch.einsum("gnu,gu->gn", units, last), backbone(inputs))
    with torch.no_grad():
        first, second = method.loss_slopes(inputs, targets)
    at = torch.autograd.functional.jacobian(lambda f: _targets_at(method, f, inputs), backbone(inputs))
    torch.testing.assert_close(
        method.target_slopes(inputs)[0], torch.einsum("naen->nae", at).double(), atol=1e-5, rtol=1e-4
    )
    outputs = backbone(inputs)
    expected = slopes_by_differentiation(method, outputs, inputs, targets) * scale
    torch.testing.assert_close(first[0].T.float(), expected, atol=1e-4, rtol=1e-3)
    assert second.shape[-2:] == (len(outputs), len(outputs))
    assert float(torch.linalg.eigvalsh(second).min()) > -1e-9


def _targets_at(method, outputs, inputs):
    method.backbone.forward = lambda _: outputs
    found = method.targets_of(inputs)[0].float()
    del method.backbone.forward
    return found


def test_error_shrinks_with_the_number_of_events(tmp_path):
    toy, x = GaussianToy(1.5), np.linspace(-1, 3, 30)[:, None]
    network = {"hidden": [16, 16], "members": 1, "error": "laplace"}
    errors = []
    for events in (3_000, 27_000):
        trained = train(toy, events, (-1.0, 0.0, 1.0), tmp_path / str(events), network=network)
        errors.append(np.sqrt(np.median(trained.model.covariance(x)[:, 2, 2])))
    assert errors[0] / errors[1] == pytest.approx(3.0, rel=0.35)
    again = SbiModel.load(trained.folder)
    np.testing.assert_array_equal(again.covariance(x), trained.model.covariance(x))


def test_what_has_no_last_layer_or_minimum_is_refused():
    class Bare(torch.nn.Module):
        """A backbone without a linear last layer."""

        networks = 1

        def forward(self, inputs, theta=None):
            return inputs.T

        def encode(self, inputs):
            return inputs

        def decide(self, seen, theta=None):
            return self(seen)

    with pytest.raises(TrainingError, match="use `ensemble`"):
        LastLayerLaplace(Derivatives(Bare(), 2, 1))
    method = LastLayerLaplace(Derivatives(Line(), 2, 1))
    inputs, targets = torch.linspace(-1, 1, 20)[:, None], torch.ones(20, 2, dtype=torch.float64)
    targets[10:, 0] = -1.5
    with pytest.raises(TrainingError, match="no minimum in the last layers"):
        method.measure(inputs, targets, np.arange(20))
