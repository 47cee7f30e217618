"""Stacked networks against the same networks one by one."""

import torch
from torch import nn

from partonic.nn.training import seeded_weights
from partonic.sbi.backbone import Backbone
from partonic.sbi.ensemble_mlp import EnsembleMLP


def one_by_one(stacked: EnsembleMLP, number: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for weight, bias in zip(stacked.weights, stacked.biases, strict=True):
        layer = nn.Linear(*weight.shape[1:])
        layer.weight.data, layer.bias.data = weight[number].data.T, bias[number, 0].data
        layers += [layer, nn.SiLU()]
    return nn.Sequential(*layers[:-1])


def test_equal_to_separate_networks():
    with seeded_weights(1, "test"):
        stacked = EnsembleMLP(3, (8, 5), 4)
    assert isinstance(stacked, Backbone)
    inputs = torch.randn(7, 3, generator=torch.Generator().manual_seed(2))
    found = stacked(inputs)
    assert found.shape == (4, 7)
    for number in range(4):
        torch.testing.assert_close(found[number], one_by_one(stacked, number)(inputs)[:, 0])


def test_each_network_can_have_inputs_of_its_own():
    with seeded_weights(1, "test"):
        stacked = EnsembleMLP(2, (6,), 3)
    own = torch.randn(3, 5, 2, generator=torch.Generator().manual_seed(3))
    found = stacked(own)
    for number in range(3):
        torch.testing.assert_close(found[number], stacked(own[number])[number])


def test_a_network_learns_from_its_own_loss_only():
    with seeded_weights(1, "test"):
        stacked = EnsembleMLP(2, (6,), 3)
    stacked(torch.ones(4, 2))[1].sum().backward()
    for weight in stacked.weights:
        assert weight.grad is not None
        assert weight.grad[1].abs().sum() > 0
        assert weight.grad[[0, 2]].abs().sum() == 0
