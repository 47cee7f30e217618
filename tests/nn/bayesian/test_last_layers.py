"""Laplace's approximation against the exact posterior of a linear regression."""

import pytest
import torch
from torch import nn

from nn.bayesian.toy_line import exact_covariance, line_losses, line_table
from partonic.nn.bayesian.last_layers import laplace_posterior


@pytest.mark.parametrize("prior", [1.0, 0.01])
def test_covariance_of_a_linear_regression(prior: float) -> None:
    """Drawn weights have the covariance of the exact posterior; the noise is known to 1.6% from 8000 events."""
    table = line_table(8_000, 6)
    network = nn.Sequential(nn.Linear(3, 1))
    x = torch.nn.functional.pad(table.columns["x"], (0, 1), value=1.0)
    best = torch.linalg.lstsq(x, table.columns["y"][:, None]).solution[:, 0]
    with torch.no_grad():
        network[0].weight.copy_(best[None, :3])
        network[0].bias.copy_(best[3:])
    batches = [table.part(start, start + 1000).columns for start in range(0, 8_000, 1000)]
    posterior = laplace_posterior(
        {"0": network[0]}, lambda batch: line_losses(network, batch, None), batches, 7, prior=prior
    )
    state = network.state_dict()
    drawn = [posterior.draw(state, number) for number in range(4_000)]
    weights = torch.stack([torch.cat([each["0.weight"][0], each["0.bias"]]) for each in drawn]).double()
    wanted = exact_covariance(table, prior)
    unit = wanted.diagonal().sqrt()
    found = torch.cov(weights.T) / unit[:, None] / unit
    torch.testing.assert_close(found, wanted / unit[:, None] / unit, rtol=0.0, atol=0.12)
    error = unit / len(drawn) ** 0.5
    assert float(((weights.mean(dim=0) - best.double()) / error).abs().max()) < 4.5


def test_a_layer_that_is_called_twice_and_one_that_is_not() -> None:
    """Rows of both calls count; a layer without gradient keeps its prior."""
    used, unused = nn.Linear(2, 1), nn.Linear(2, 1)
    x = torch.randn(300, 2, generator=torch.Generator().manual_seed(8))

    def twice(batch: dict[str, torch.Tensor]) -> torch.Tensor:
        return (used(batch["x"])[:, 0] + 10.0 * used(-batch["x"])[:, 0]).square()

    layers = {"used": used, "unused": unused}
    posterior = laplace_posterior(layers, twice, [{"x": x}], 1, prior=0.5)
    torch.testing.assert_close(posterior.deviations["unused"], torch.full((1, 3), 0.5))
    slopes = 2.0 * (used(x) + 10.0 * used(-x)).detach()
    total = (slopes.square().sum() + (10.0 * slopes).square().sum()).double() / 600
    basis = posterior.inputs["used"]
    rows = torch.nn.functional.pad(torch.cat([x, -x]), (0, 1), value=1.0)
    inputs = (rows @ basis).square().sum(dim=0) / 600
    torch.testing.assert_close(
        posterior.deviations["used"][0], (600 * total * inputs + 4.0).rsqrt().float(), rtol=1e-3, atol=0.0
    )
