"""The moving average of weights."""

import pytest
import torch
from torch import nn

from partonic.nn.training.average import WeightAverage


def test_is_the_weighted_sum_of_all_steps() -> None:
    layer = nn.Linear(1, 1, bias=False).double()
    layer.weight.data.fill_(1.0)
    average, expected = WeightAverage(layer, 0.5), 1.0
    for step in range(1, 20):
        layer.weight.data.fill_(float(step))
        average.update()
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1.0 - decay) * step
    with average.in_place():
        assert layer.weight.item() == pytest.approx(expected, rel=1e-12)
    assert layer.weight.item() == 19.0


def test_weights_come_back_also_after_an_error() -> None:
    layer = nn.Linear(2, 2)
    average, before = WeightAverage(layer, 0.9), layer.weight.clone()
    layer.weight.data.add_(1.0)
    averaged = []

    def fail() -> None:
        with average.in_place():
            averaged.append(layer.weight.clone())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert torch.equal(averaged[0], before)
    assert torch.equal(layer.weight, before + 1.0)


def test_frozen_weights_are_left_alone_and_state_comes_back() -> None:
    layers = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    layers[0].requires_grad_(False)
    average = WeightAverage(layers, 0.9)
    frozen = layers[0].weight.clone()
    layers[1].weight.data.add_(1.0)
    average.update()
    other = WeightAverage(layers, 0.9)
    other.load_state_dict(average.state_dict())
    with other.in_place():
        assert torch.equal(layers[0].weight, frozen)
        assert not torch.equal(layers[1].weight, frozen)
    assert other.steps == 1
    other.update()
    average.update()
    for one, two in zip(average.state_dict()["average"], other.state_dict()["average"], strict=True):
        assert torch.equal(one, two)
