"""Weights of maps: they sum to one whatever was learned, and start at the prior."""

import torch

from partonic.generation.channels.map_weights import ResidualWeights, log_map_weights


def test_residuals_start_at_one_and_stay_bounded(torch_rng: torch.Generator) -> None:
    network = ResidualWeights(3, 2).requires_grad_(requires_grad=False)
    numbers = torch.rand((50, 3), generator=torch_rng)
    assert float(network(numbers).abs().max()) == 0.0
    network.last.bias.data += 1e6
    assert float(network(numbers).abs().max()) <= 4.0


def test_weights_sum_to_one(torch_rng: torch.Generator) -> None:
    prior = torch.randn((100, 3), generator=torch_rng, dtype=torch.float64) * 5
    residual = torch.randn((100, 3), generator=torch_rng)
    weights = log_map_weights(prior, residual).exp()
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(100, dtype=torch.float64))
    expected = prior.exp() / prior.exp().sum(dim=1, keepdim=True)
    torch.testing.assert_close(log_map_weights(prior, None).exp(), expected)


def test_a_dropped_map_has_no_weight() -> None:
    prior = torch.tensor([[0.0, float("-inf"), 0.0]], dtype=torch.float64)
    assert log_map_weights(prior, torch.zeros(1, 3)).exp().tolist() == [[0.5, 0.0, 0.5]]
