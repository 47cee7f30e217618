"""Trunks and the small networks behind them."""

import pytest
import torch
from tests.sbi.backbones.object_events import LAYOUT, NAMED, objects, rows

from partonic.sbi.backbone import Backbone, ConditionalBackbone
from partonic.sbi.backbones.object_backbone import ObjectBackbone


class Sums(torch.nn.Module):
    """Sees the sum of the energies, times a factor, and how often it was asked."""

    width = 1

    def __init__(self, factor):
        super().__init__()
        self.factor, self.calls = factor, 0

    def forward(self, inputs):
        self.calls += 1
        return self.factor * inputs.momenta[..., 0].sum(dim=1, keepdim=True)


def made(trunks, networks, parameters=0, named=True):
    torch.manual_seed(1)
    return ObjectBackbone(LAYOUT, trunks, 1, (8,), networks, parameters, named)


def test_networks_of_a_member_share_its_trunk():
    trunks = [Sums(1.0), Sums(2.0)]
    backbone = made(trunks, 6)
    assert isinstance(backbone, Backbone)
    assert isinstance(backbone, ConditionalBackbone)
    inputs = rows(objects(20))
    found = backbone(inputs)
    assert found.shape == (6, 20)
    assert [trunk.calls for trunk in trunks] == [1, 1]
    seen = backbone.encode(inputs)
    assert seen.shape == (2, 20, 1 + NAMED)
    torch.testing.assert_close(seen[1, :, 0], 2.0 * seen[0, :, 0])
    torch.testing.assert_close(seen[0, :, 1:], inputs[:, :NAMED])
    trunks[1].factor = 5.0
    changed = (backbone(inputs) != found).any(dim=1)
    assert changed.tolist() == [False] * 3 + [True] * 3


def test_theta_enters_behind_the_trunk_and_has_a_smooth_gradient():
    trunks = [Sums(1.0), Sums(2.0)]
    backbone = made(trunks, 2, parameters=1)
    inputs = rows(objects(20))
    theta = torch.linspace(-1.0, 1.0, 20)[None, :, None].expand(2, -1, -1).clone().requires_grad_()
    outputs = backbone(inputs, theta)
    torch.testing.assert_close(backbone.decide(backbone.encode(inputs), theta), outputs)
    (slope,) = torch.autograd.grad(outputs.sum(), theta, create_graph=True)
    with torch.no_grad():
        step = 1e-2
        difference = (backbone(inputs, theta + step) - backbone(inputs, theta - step)) / (2 * step)
    torch.testing.assert_close(slope[..., 0], difference, atol=2e-3, rtol=2e-2)
    slope.square().sum().backward()
    assert all(weight.grad is not None for weight in backbone.heads.weights)


@pytest.mark.parametrize("named", [True, False])
def test_named_features_can_be_left_out(named):
    backbone = made([Sums(1.0)], 1, named=named)
    other = rows(objects(20))
    other[:, :NAMED] += 1.0
    assert torch.equal(backbone(rows(objects(20))), backbone(other)) is not named
