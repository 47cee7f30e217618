"""The set transformer: order and padding do not matter, pairs and named features do."""

import numpy as np
import torch
from tests.sbi.backbones.object_events import LAYOUT, NAMED, SLOTS, inputs, named, objects, rows, scaler

from partonic.config.sbi.backbones import SetTransformerConfig
from partonic.features.event_objects import ObjectSlots
from partonic.sbi.backbones.layout import InputLayout
from partonic.sbi.backbones.set_transformer import SetTransformer

SIZES = SetTransformerConfig(width=16, heads=2, layers=2, feedforward=32, pair_hidden=8)


def network(sizes=SIZES, told=NAMED):
    torch.manual_seed(2)
    return SetTransformer(told, sizes).eval()


@torch.no_grad()
def test_order_of_objects_of_a_kind_does_not_matter():
    table = objects(50)
    other = table.copy()
    for _, place in SLOTS.kinds():
        other[:, place] = other[:, place][:, ::-1]
    found = network()(LAYOUT.split(rows(table))), network()(LAYOUT.split(rows(other)))
    assert float((found[0] - found[1]).abs().max()) < 1e-5
    assert not np.array_equal(table, other)


@torch.no_grad()
def test_more_slots_change_nothing():
    few, many = ObjectSlots(jets=6, leptons=2, photons=0), ObjectSlots(jets=12, leptons=4, photons=0)
    table = objects(50, slots=few)
    wide = np.zeros((50, len(many), 9), dtype=np.float32)
    for (_, place), (_, target) in zip(few.kinds(), many.kinds(), strict=True):
        wide[:, target.start : target.start + place.stop - place.start] = table[:, place]
    scales = scaler(few)
    first = network()(InputLayout(NAMED, few).split(scales(named(50), torch.from_numpy(table))))
    scales.slots = many  # the same scales
    second = network()(InputLayout(NAMED, many).split(scales(named(50), torch.from_numpy(wide))))
    assert float((first - second).abs().max()) < 1e-5
    assert first.shape == (50, 32)


@torch.no_grad()
def test_pairs_are_looked_at():
    """Two jets that come nearer to each other change the output only by features of pairs and their own directions."""
    parts = inputs(50)
    with_pairs = network()
    without = network(SIZES.model_copy(update={"pair_hidden": 0}))
    moved = LAYOUT.split(rows(objects(50)))
    moved.momenta[:, 0] = moved.momenta[:, 0] * torch.tensor([1.0, -1.0, -1.0, 1.0])  # the numbers stay
    assert float((with_pairs(parts) - with_pairs(moved)).abs().max()) > 1e-3
    assert torch.equal(without(parts), without(moved))


@torch.no_grad()
def test_named_features_are_seen_if_they_are_told():
    parts = inputs(50)
    other = LAYOUT.split(rows(objects(50), seed=3))
    other.momenta.copy_(parts.momenta)
    other.numbers.copy_(parts.numbers)
    assert float((network()(parts) - network()(other)).abs().max()) > 1e-3
    assert torch.equal(network(told=0)(parts), network(told=0)(other))


def test_gradients_reach_all_weights():
    found = network()
    found(inputs(50)).square().mul(torch.arange(32.0)).sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in found.parameters())
