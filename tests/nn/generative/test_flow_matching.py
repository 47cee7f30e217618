"""Flow matching after a fit: normalised densities in one to three dimensions, solvers, gradients through them."""

import math

import pytest
import torch
from toys import training

from partonic.config.generative import FlowMatchingConfig, SolverConfig, TimeNetworkConfig
from partonic.nn.generative import build_generative_model
from partonic.nn.generative.flow_matching import FlowMatching
from partonic.rng import torch_generator

CONFIG = FlowMatchingConfig(
    network=TimeNetworkConfig(width=24, blocks=2, frequencies=3), solver=SolverConfig(method="rk4", steps=12)
)
GRIDS = {1: 400, 2: 80, 3: 25}
"""Points of the grid in each direction."""


def ring_with_sides(events, dimensions, generator):
    """Two peaks in one dimension, a ring in two, a ring whose third number is ± 1 in three."""
    sides = 2.0 * torch.randint(2, (events, 1), generator=generator) - 1.0
    noise = torch.randn(events, 3, generator=generator, dtype=torch.float64)
    angle = 2.0 * math.pi * torch.rand(events, generator=generator, dtype=torch.float64)
    ring = torch.stack([angle.cos(), angle.sin()], dim=1) + 0.3 * noise[:, :2]
    side = sides + 0.4 * noise[:, 2:]
    return {1: side, 2: ring, 3: torch.cat([ring, side], dim=1)}[dimensions]


@pytest.fixture(scope="module")
def fitted():
    models = {}
    for dimensions in GRIDS:
        data = ring_with_sides(3000, dimensions, torch_generator(1, "data", dimensions))
        model = build_generative_model(CONFIG, dimensions, 0, torch_generator(2, "build", dimensions))
        settings = training(epochs=20, average=0.95)
        model.fit(data, torch.empty(3000, 0), None, torch_generator(3, "fit", dimensions), training=settings)
        models[dimensions] = model
    return models


@pytest.mark.slow
@pytest.mark.parametrize("dimensions", GRIDS)
def test_density_of_a_fit_is_normalised_to_one_per_cent(fitted, dimensions):
    model = fitted[dimensions]
    axis = torch.linspace(-4.5, 4.5, GRIDS[dimensions], dtype=torch.float64)
    points = torch.cartesian_prod(*[axis] * dimensions).view(-1, dimensions)
    with torch.no_grad():
        log_density = model.log_prob(model.scale.inverse(points), torch.empty(len(points), 0))
    volume = (axis[1] - axis[0]) ** dimensions * model.scale.deviation.prod()
    assert float(log_density.exp().sum() * volume) == pytest.approx(1.0, abs=0.01)


@pytest.mark.slow
def test_two_peaks_are_learned(fitted):
    """ln p against the truth, on other events."""
    data = ring_with_sides(2000, 1, torch_generator(9, "unseen"))
    with torch.no_grad():
        found = fitted[1].log_prob(data, torch.empty(2000, 0))
    peaks = torch.cat([-0.5 * ((data - side) / 0.4) ** 2 for side in (-1.0, 1.0)], dim=1)
    truth = torch.logsumexp(peaks, dim=1) - math.log(2.0 * 0.4 * math.sqrt(2.0 * math.pi))
    assert 0.0 < float((truth - found).mean()) + 0.02 < 0.06


@pytest.mark.slow
def test_adaptive_solver_equals_fixed_steps_at_its_tolerance(fitted):
    model: FlowMatching = fitted[2]
    noise, empty = torch.randn(200, 2, generator=torch_generator(4, "noise")), torch.empty(200, 0)
    data = ring_with_sides(200, 2, torch_generator(5, "data"))
    ends, densities, evaluations = [], [], []
    with torch.no_grad():
        for solver in (
            SolverConfig(method="rk4", steps=100),
            SolverConfig(method="dopri5", tolerance=1e-5),
            SolverConfig(method="dopri5", tolerance=1e-3),
        ):
            model.solver = solver
            ends.append(model.transport(noise, empty).state)
            found = model.log_density(data, empty)
            densities.append(found.value)
            evaluations.append(found.evaluations)
    model.solver = CONFIG.solver
    for values, scale in ((ends, 1.0), (densities, 4.0)):
        tight, loose = ((values[0] - other).abs().max() for other in values[1:])
        assert tight < scale * 3e-4
        assert loose < scale * 2e-2
    assert evaluations[0] == 400
    assert evaluations[2] < evaluations[1] < 400


@pytest.mark.parametrize("method", ["rk4", "dopri5"])
def test_gradient_of_the_density_in_the_weights_against_finite_differences(method):
    """Reverse mode through the solver and the divergence."""
    config = CONFIG.model_copy(update={"solver": SolverConfig(method=method, steps=6, tolerance=1e-6)})
    model = build_generative_model(config, 2, 1, torch_generator(2, "build")).double()
    generator = torch_generator(6, "shake")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.15 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    x = torch.randn(3, 2, generator=generator, dtype=torch.float64)
    c = torch.randn(3, 1, generator=generator, dtype=torch.float64)
    weights = [model.network.first.weight, model.network.last.bias, model.network.blocks[0].outer.weight]
    slopes = torch.autograd.grad(model.log_prob(x, c).sum(), weights)
    for weight, slope in zip(weights, slopes, strict=True):
        place = (1,) * weight.ndim
        values = []
        for sign in (1.0, -1.0):
            with torch.no_grad():
                weight[place] += sign * 1e-3
                values.append(float(model.log_prob(x, c).sum()))
                weight[place] -= sign * 1e-3
        assert float(slope[place]) == pytest.approx((values[0] - values[1]) / 2e-3, rel=1e-3, abs=1e-3)


def test_points_of_objects_take_a_condition_each():
    """The velocity network takes any leading axes, as a head for each object of an event needs."""
    model = build_generative_model(CONFIG, 2, 3, torch_generator(2, "build"))
    generator = torch_generator(7, "objects")
    with torch.no_grad():
        model.network.last.weight.normal_(generator=generator)
    x, c = torch.randn(4, 5, 2, generator=generator), torch.randn(4, 5, 3, generator=generator)
    time = torch.rand(4, 5, generator=generator)
    one = model.network(x, time, c)
    assert one.shape == (4, 5, 2)
    rows = model.network(x.flatten(0, 1), time.flatten(), c.flatten(0, 1)).view(4, 5, 2)
    torch.testing.assert_close(one, rows)
    torch.testing.assert_close(model.network(x, torch.tensor(0.3), c), model.network(x, torch.full((4, 5), 0.3), c))
