"""What every model does alike: shapes, reproducible draws, save and load, refusals, the density of its samples."""

import math

import pytest
import torch
from toys import CONFIGS, bent, fresh, training

from partonic.config.generative import DivergenceConfig
from partonic.errors import ModelError, NonFiniteError, ParameterError
from partonic.nn.generative import DensityModel, load_generative_model
from partonic.rng import torch_generator

DENSITIES = [name for name in CONFIGS if not name.startswith("gan")]
every_model = pytest.mark.parametrize("name", CONFIGS)
every_density = pytest.mark.parametrize("name", DENSITIES)


@pytest.fixture(scope="module")
def shaken():
    """Models with random weights, and the scales of a toy: far from any data, as a contract must hold there, too."""
    data, conditions = bent(500, torch_generator(1, "shaken"))
    models = {}
    for name in CONFIGS:
        models[name] = model = fresh(name)
        generator = torch_generator(2, name)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_((0.05 if name == "vae" else 0.15) * torch.randn(parameter.shape, generator=generator))
        model.scale.fit(data, torch.ones(500), constant_allowed=False)
        model.context_scale.fit(conditions, torch.ones(500), constant_allowed=True)
    return models


@every_model
def test_draws_have_the_shape_of_the_conditions_and_depend_on_them_and_the_generator(shaken, name):
    model, conditions = shaken[name], torch.linspace(-1.0, 1.0, 40)[:, None]
    first, again = (model.sample(conditions, torch_generator(3, "draw")) for _ in range(2))
    assert first.shape == (40, 2)
    assert first.dtype == torch.float64
    assert torch.equal(first, again)
    assert not torch.equal(first, model.sample(conditions, torch_generator(4, "draw")))
    assert not torch.allclose(first, model.sample(conditions + 1.0, torch_generator(3, "draw")))
    assert model.sample(conditions[:0], torch_generator(3, "draw")).shape == (0, 2)


@every_model
def test_saved_model_is_the_same(shaken, name, tmp_path):
    model, conditions = shaken[name], torch.randn(30, 1, generator=torch_generator(1, "c"))
    model.record = {"epochs": 3}
    model.save(tmp_path / "model")
    loaded = load_generative_model(tmp_path / "model")
    assert loaded.config == model.config
    assert loaded.record == {"epochs": 3}
    drawn = model.sample(conditions, torch_generator(3, "draw"))
    assert torch.equal(loaded.sample(conditions, torch_generator(3, "draw")), drawn)
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["model.json", "weights.safetensors"]


def test_a_folder_of_another_model_is_refused(tmp_path, shaken):
    from partonic.trained.model_folder import save_model

    save_model(tmp_path / "other", shaken["vae"], {"kind": "ratio"})
    with pytest.raises(ModelError, match="expected the kind 'generative' in its record, got 'ratio'"):
        load_generative_model(tmp_path / "other")
    sizes = {"kind": "generative", "features": 2, "context": 1, "training": {}}
    save_model(tmp_path / "unknown", shaken["vae"], {**sizes, "settings": {"kind": "boltzmann"}})
    with pytest.raises(ModelError, match="lacks or misstates"):
        load_generative_model(tmp_path / "unknown")
    save_model(tmp_path / "mixed", shaken["vae"], {**sizes, "settings": {"kind": "gan"}})
    with pytest.raises(ModelError, match="belongs to another network"):
        load_generative_model(tmp_path / "mixed")


@every_model
def test_wrong_shapes_and_numbers_are_refused(shaken, name, torch_rng):
    model = shaken[name]
    with pytest.raises(ParameterError, match=r"conditions of shape \(events, 1\), got \(4, 2\)"):
        model.sample(torch.zeros(4, 2), torch_rng)
    with pytest.raises(NonFiniteError, match="conditions of event 1 are not finite"):
        model.sample(torch.tensor([[0.0], [math.nan]]), torch_rng)
    if isinstance(model, DensityModel):
        with pytest.raises(ParameterError, match="one row of conditions for each event, got 3 rows for 2"):
            model.log_prob(torch.zeros(2, 2), torch.zeros(3, 1), torch_rng)
        with pytest.raises(NonFiniteError, match="numbers of event 0 are not finite"):
            model.log_prob(torch.full((1, 2), math.inf), torch.zeros(1, 1), torch_rng)


def test_who_has_a_density():
    assert [name for name in CONFIGS if not isinstance(fresh(name), DensityModel)] == ["gan", "gan, wasserstein"]
    assert not hasattr(fresh("gan"), "log_prob")
    estimated = [name for name in DENSITIES if fresh(name).density_is_estimated]
    assert estimated == ["flow_matching, estimated", "vae"]
    for name in estimated:
        with pytest.raises(ParameterError, match="is an estimate by random draws: pass a generator"):
            fresh(name).log_prob(torch.zeros(2, 2), torch.zeros(2, 1))


def test_no_numbers_are_no_model():
    with pytest.raises(ParameterError, match="features ≥ 1 and context ≥ 0, got 0 and 1"):
        fresh("vae", features=0)


@every_density
def test_density_is_normalised_and_that_of_the_samples(shaken, name):
    """Integral on a grid, and moments of samples against those of the density, in units of their errors."""
    model = shaken[name]
    axis = torch.linspace(-7.0, 7.0, 71, dtype=torch.float64)
    grid = model.scale.inverse(torch.cartesian_prod(axis, axis))
    condition = torch.tensor([[0.4]])
    cell = float(torch.prod(model.scale.deviation)) * float(axis[1] - axis[0]) ** 2
    with torch.no_grad():
        found = model.log_density(grid, condition.expand(len(grid), 1), torch_generator(8, "density"))
    density = found.value.exp() * cell
    total = float(density.sum())
    tolerance = 0.01 + 3.0 * float((density * found.error).square().sum().sqrt())
    assert total == pytest.approx(1.0, abs=tolerance)
    assert tolerance < (0.08 if name == "vae" else 0.015 if not model.density_is_estimated else 0.03)
    count = 20_000
    samples = model.scale(model.sample(condition.expand(count, 1), torch_generator(9, "draw")))
    points = model.scale(grid)
    for function in (lambda x: x[:, 0], lambda x: x[:, 1], lambda x: x.square().sum(1), lambda x: x.prod(1)):
        drawn = function(samples)
        expected = float((density * function(points)).sum()) / total
        error = float(drawn.std()) / math.sqrt(count)
        assert float(drawn.mean()) == pytest.approx(expected, abs=4.5 * error + 0.01 * float(drawn.std()))


@every_density
def test_density_has_gradients_and_error_zero_where_exact(shaken, name):
    model = shaken[name]
    data, conditions = bent(20, torch_generator(1, "gradient"))
    data.requires_grad_()
    found = model.log_density(data, conditions, torch_generator(8, "density"))
    (slope,) = torch.autograd.grad(found.value.sum(), data)
    assert slope.isfinite().all()
    assert (slope != 0.0).any(dim=1).all()
    assert bool((found.error > 0.0).all()) == model.density_is_estimated
    assert bool((found.error == 0.0).all()) != model.density_is_estimated
    step, index = 1e-2, (3, 1)
    values = []
    for sign in (1.0, -1.0):
        moved = data.detach().clone()
        moved[index] += sign * step
        with torch.no_grad():
            values.append(model.double().log_prob(moved, conditions, torch_generator(8, "density"))[3])
    model.float()
    if not model.density_is_estimated:
        assert float(slope[index]) == pytest.approx(float(values[0] - values[1]) / (2.0 * step), rel=2e-2, abs=2e-3)


def test_estimate_of_the_density_agrees_with_the_exact_one():
    exact, estimated = (fresh(name, features=6) for name in ("flow_matching", "flow_matching, estimated"))
    generator = torch_generator(1, "estimate")
    with torch.no_grad():
        for parameter in exact.parameters():
            parameter.add_(0.15 * torch.randn(parameter.shape, generator=generator))
    estimated.load_state_dict(exact.state_dict())
    estimated.divergence = DivergenceConfig(exact_dimensions=0, probes=32)
    data, conditions = (torch.randn(400, count, generator=generator) for count in (6, 1))
    with torch.no_grad():
        found = estimated.log_density(data, conditions, torch_generator(8, "density"))
        pulls = (found.value - exact.log_prob(data, conditions)) / found.error
    assert float(found.error.mean()) < 0.3
    assert abs(float(pulls.mean())) < 4.0 / math.sqrt(len(data))
    assert 0.85 < float(pulls.std()) < 1.2


def test_only_some_take_negative_weights():
    assert [name for name in CONFIGS if fresh(name).takes_signed_weights] == list(CONFIGS)[:3]
    assert training(epochs=2).epochs == 2
