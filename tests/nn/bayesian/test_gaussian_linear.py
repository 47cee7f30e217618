"""Gaussian layers: divergence in closed form, moments of drawn outputs, and plain layers made into them."""

import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence

from partonic.nn.bayesian.gaussian_linear import (
    GaussianLinear,
    bayesian,
    divergence,
    drawing,
    means_and_deviations,
)
from partonic.nn.linear import linear


def layer(seed: int = 1) -> GaussianLinear:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = GaussianLinear(3, 2, 0.3)
        for log_deviation in (made.weight_log_deviation, made.bias_log_deviation):
            log_deviation.data += 0.5 * torch.randn_like(log_deviation)
    return made


def closed_form(made: GaussianLinear, widths: tuple[float, float]) -> float:
    pairs = ((made.weight, made.weight_log_deviation), (made.bias, made.bias_log_deviation))
    return sum(
        kl_divergence(Normal(mean, log_deviation.exp()), Normal(0.0, width)).sum().item()
        for (mean, log_deviation), width in zip(pairs, widths, strict=True)
    )


def test_divergence_against_the_closed_form() -> None:
    made = layer()
    assert made.divergence(0.7).item() == pytest.approx(closed_form(made, (0.7, 0.7)), rel=1e-5)
    best = [
        (mean.square() + (2.0 * log_deviation).exp()).mean().sqrt().item()
        for mean, log_deviation in ((made.weight, made.weight_log_deviation), (made.bias, made.bias_log_deviation))
    ]
    assert made.divergence(None).item() == pytest.approx(closed_form(made, (best[0], best[1])), rel=1e-5)
    others = [closed_form(made, (best[0] * factor, best[1])) for factor in (0.9, 1.1)]
    assert made.divergence(None).item() < min(others)


def test_moments_of_drawn_outputs(torch_rng: torch.Generator) -> None:
    """Mean and covariance of many draws, and no correlation between rows of one draw."""
    made, inputs = layer(), torch.tensor([[1.0, -2.0, 0.5], [0.3, 1.0, 1.5]])
    draws = 4_000
    with drawing(made, torch_rng):
        found = torch.stack([made(inputs) for _ in range(draws)]).detach()
    plain = nn.functional.linear(inputs, made.weight, made.bias).detach()
    variance = inputs.square() @ (2.0 * made.weight_log_deviation).exp().T + (2.0 * made.bias_log_deviation).exp()
    variance = variance.detach()
    error = (variance / draws).sqrt()
    assert float(((found.mean(dim=0) - plain) / error).abs().max()) < 4.5
    torch.testing.assert_close(found.var(dim=0), variance, rtol=4.5 * (2.0 / draws) ** 0.5 * 1.5, atol=0.0)
    rows = torch.corrcoef(found[..., 0].T)[0, 1]
    assert abs(float(rows)) < 4.5 / draws**0.5


def test_objects_of_an_event_see_the_same_weights(torch_rng: torch.Generator) -> None:
    made = layer()
    inputs = torch.ones(5, 4, 3)
    with drawing(made, torch_rng):
        found = made(inputs)
    torch.testing.assert_close(found, found[:, :1].expand_as(found))
    assert found[:, 0, 0].std().item() > 0.0


def test_without_a_generator_it_is_the_layer_of_the_means() -> None:
    made, inputs = layer(), torch.randn(6, 3, generator=torch.Generator().manual_seed(2))
    plain = nn.Linear(3, 2)
    plain.load_state_dict({"weight": made.weight, "bias": made.bias})
    torch.testing.assert_close(made(inputs), plain(inputs))
    with torch.no_grad():
        torch.testing.assert_close(linear(made, inputs), plain(inputs))


def test_a_network_is_converted_and_its_means_are_the_network_again() -> None:
    plain = nn.Sequential(nn.Linear(3, 4), nn.SiLU(), nn.Sequential(nn.Linear(4, 1)))
    state = {name: values.clone() for name, values in plain.state_dict().items()}
    inputs = torch.randn(5, 3, generator=torch.Generator().manual_seed(3))
    wanted = plain(inputs)
    gaussian = bayesian(plain, 0.1)
    torch.testing.assert_close(gaussian(inputs), wanted)
    means, deviations = means_and_deviations(gaussian.state_dict())
    assert means.keys() == deviations.keys() == state.keys()
    for name, values in state.items():
        torch.testing.assert_close(means[name], values)
    assert float(deviations["0.weight"][0, 0]) == pytest.approx(0.1 / 3**0.5)
    assert float(deviations["2.0.bias"][0]) == pytest.approx(0.1 / 4**0.5)
    layers = [module for module in gaussian.modules() if isinstance(module, GaussianLinear)]
    assert divergence(gaussian, 1.0).item() == pytest.approx(sum(each.divergence(1.0).item() for each in layers))


def test_a_layer_without_bias_is_refused() -> None:
    with pytest.raises(ValueError, match="has a bias, the one given has none"):
        GaussianLinear.of(nn.Linear(2, 2, bias=False), 0.1)
